import ArgumentParser
import CanonicalJSON
import HTTPAPI

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Named sets of terms; budgets may match on them.",
        subcommands: [Set.self, List.self, Show.self])

    struct Set: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a plan, or replace it as a whole.",
            discussion: """
                Examples:
                  faregate plan set free --funding unfunded
                  faregate plan set pro --name Pro --funding postpaid --credit-limit 500 \\
                      --markup 20%
                """)

        @Argument(help: "Id of the plan.") var id: String
        @Option(help: "Name, for people.") var name: String?
        @OptionGroup var terms: TermsOptions
        @OptionGroup var write: WriteOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            var body = JSONObject()
            body.set("name", name)
            body.set("terms", terms.object)
            let request = try APIRequest.put("plans", id, body: body)
            try await ledger.show(request.keyed(write.idempotencyKey)) { plan in
                "Plan \(plan["id"].word): \(termsPhrase(plan["terms"]))."
            }
        }
    }

    struct List: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "List plans.",
            discussion: """
                Example:
                  faregate plan list
                """)

        @OptionGroup var page: PageOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            try await ledger.showPage(.get("plans"), page) { answer in
                var table = Table([.text("Plan"), .text("Name"), .text("Terms")])
                for plan in answer["data"].items {
                    table.add([
                        plan["id"].word, plan["name"].word, termsPhrase(plan["terms"]),
                    ])
                }
                return table.text(whenEmpty: "No plans.")
            }
        }
    }

    struct Show: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a plan.",
            discussion: """
                Example:
                  faregate plan show pro
                """)

        @Argument(help: "Id of the plan.") var id: String
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            try await ledger.show(.get("plans", id)) { plan in
                var sheet = FactSheet()
                sheet.add("Plan", plan["id"].text)
                sheet.add("Name", plan["name"].text)
                sheet.add("Terms", termsPhrase(plan["terms"]))
                return sheet.text
            }
        }
    }
}
