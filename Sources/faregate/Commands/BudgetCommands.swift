import ArgumentParser
import CanonicalJSON
import HTTPAPI

struct BudgetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "budget", abstract: "Limits on what calls may consume.",
        subcommands: [Set.self, List.self, Show.self, Remove.self])

    struct Set: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a budget, or replace it as a whole.",
            discussion: """
                The --match options say which calls it limits (none: all of them), --per which
                dimension gets a counter of its own: --per customer is a limit for every customer,
                also for one never seen before. Of several matching budgets with the same --name
                only the most specific applies.

                Examples:
                  faregate budget set monthly --amount 5.00 --window month --per customer
                  faregate budget set acme-monthly --name monthly --match-customer acme \\
                      --amount 50 --window month
                  faregate budget set calls --measure requests --amount 60 --window minute \\
                      --per customer
                  faregate budget set gpt --match-model 'gpt-*' --amount 100 --window day \\
                      --on-exceed warn
                """)

        @Argument(help: "Id of the budget.") var id: String

        @Option(help: ArgumentHelp("Amount of money, or a count.", valueName: "amount"))
        var amount: String

        @Option(help: ArgumentHelp("charge, cost, tokens or requests.", valueName: "measure"))
        var measure: String = "charge"

        @Option(
            help: ArgumentHelp(
                "minute, hour, day, week, month, billing_period, run or lifetime.",
                valueName: "window"))
        var window: String

        @Option(help: ArgumentHelp("Name of the limit; default: its id.", valueName: "name"))
        var name: String?

        @Option(
            help: ArgumentHelp(
                "project, plan, customer, user, run, model or tag:NAME; may be repeated.",
                valueName: "dimension"))
        var per: [String] = []

        @Option(
            help: ArgumentHelp(
                "IANA zone of the window's calendar; default: UTC.", valueName: "zone"))
        var timeZone: String?

        @Option(
            help: ArgumentHelp("bound or expected: which estimate is held.", valueName: "figure"))
        var holds: String?

        @Option(help: ArgumentHelp("reject, clamp, warn or shadow.", valueName: "reaction"))
        var onExceed: String?

        @OptionGroup(title: "Which calls") var match: MatchOptions
        @OptionGroup var write: WriteOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            var body = JSONObject()
            body.set("name", name)
            body.set("match", match.object)
            body.set("per", list: per)
            body.set("measure", measure)
            body.set("window", window)
            body.set("time_zone", timeZone)
            if measure == "tokens" || measure == "requests", let count = Int64(amount) {
                body.set("amount", count)
            } else {
                body.set("amount", DecimalAmount(argument: amount)?.text ?? amount)
            }
            body.set("holds", holds)
            body.set("on_exceed", onExceed)
            let request = try APIRequest.put("budgets", id, body: body)
            try await ledger.show(request.keyed(write.idempotencyKey)) { budget in
                let scope = BudgetCommand.scope(budget)
                return "Budget \(budget["id"].word): \(limitPhrase(budget)), \(scope)."
            }
        }
    }

    struct MatchOptions: ParsableArguments {
        @Option(help: ArgumentHelp("Only this project.", valueName: "id"))
        var matchProject: String?

        @Option(help: ArgumentHelp("Only this customer.", valueName: "id"))
        var matchCustomer: String?

        @Option(help: ArgumentHelp("Only customers on this plan.", valueName: "id"))
        var matchPlan: String?

        @Option(help: ArgumentHelp("Only this user.", valueName: "id"))
        var matchUser: String?

        @Option(help: ArgumentHelp("Only this run.", valueName: "id"))
        var matchRun: String?

        @Option(
            help: ArgumentHelp(
                "Only these models; * and ? stand for characters.", valueName: "glob"))
        var matchModel: String?

        @Option(
            help: ArgumentHelp(
                "Only calls with this label; may be repeated.", valueName: "name=value"))
        var matchTag: [NameValue] = []

        var object: JSONObject {
            var match = JSONObject()
            match.set("project", matchProject)
            match.set("customer", matchCustomer)
            match.set("plan", matchPlan)
            match.set("user", matchUser)
            match.set("run", matchRun)
            match.set("model", matchModel)
            match.set("tags", pairs: matchTag)
            return match
        }
    }

    struct List: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "List budgets.",
            discussion: """
                Examples:
                  faregate budget list
                  faregate budget list --customer acme
                """)

        @Option(help: ArgumentHelp("Only those that match this customer by name.", valueName: "id"))
        var customer: String?

        @OptionGroup var page: PageOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            let request = APIRequest.get("budgets").asking([("customer", customer)])
            try await ledger.showPage(request, page) { answer in
                var table = Table([
                    .text("Budget"), .text("Name"), .text("Limit"), .text("Of"), .text("Per"),
                    .text("Holds"), .text("On exceed"), .number("Counters"),
                ])
                for budget in answer["data"].items {
                    table.add([
                        budget["id"].word, budget["name"].word, limitPhrase(budget),
                        matchPhrase(budget["match"]), budget["per"].list ?? "",
                        budget["holds"].word, budget["on_exceed"].word,
                        quantity(budget["counters"]),
                    ])
                }
                return table.text(whenEmpty: "No budgets.")
            }
        }
    }

    struct Show: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a budget and its counters.",
            discussion: """
                Examples:
                  faregate budget show monthly
                  faregate budget show monthly --counters --scope-prefix default/acme
                """)

        @Argument(help: "Id of the budget.") var id: String

        @Flag(help: "The counters alone.")
        var counters = false

        @Option(help: ArgumentHelp("Only scopes that begin so.", valueName: "text"))
        var scopePrefix: String?

        @OptionGroup var page: PageOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            let request = APIRequest.get("budgets", id, "counters")
                .asking([("scope_prefix", scopePrefix)])
            if !counters {
                try await ledger.show(.get("budgets", id)) { budget in
                    var sheet = FactSheet()
                    sheet.add("Budget", budget["id"].text)
                    sheet.add("Name", budget["name"].text)
                    sheet.add("Limit", limitPhrase(budget))
                    sheet.add("Of", matchPhrase(budget["match"]))
                    sheet.add("Per", budget["per"].list)
                    sheet.add("Time zone", budget["time_zone"].text)
                    sheet.add("Holds", budget["holds"].text)
                    sheet.add("On exceed", budget["on_exceed"].text)
                    return sheet.text + "\n"
                }
                if ledger.wantsJSON { return }
            }
            try await ledger.showPage(request, page) { BudgetCommand.counters($0["data"].items) }
        }
    }

    struct Remove: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a budget; what was spent stays on the log.",
            discussion: """
                Example:
                  faregate budget remove monthly
                """)

        @Argument(help: "Id of the budget.") var id: String
        @OptionGroup var write: WriteOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            let request = APIRequest.delete("budgets", id).keyed(write.idempotencyKey)
            try await ledger.show(request) { _ in "Removed budget \(id)." }
        }
    }

    private static func scope(_ budget: JSONValue) -> String {
        let per = budget["per"].list.map { "each \($0)" } ?? "all together"
        return "\(matchPhrase(budget["match"])), \(per)"
    }

    private static func counters(_ counters: [JSONValue]) -> String {
        var table = Table([
            .text("Scope"), .money("Amount"), .money("Spent"), .money("Held"), .money("Available"),
            .number("Open"), .text("From"), .text("Until"), .text(""),
        ])
        for counter in counters {
            table.add([
                counter["scope"].word, quantity(counter["amount"]),
                quantity(counter["spent"]), quantity(counter["held"]),
                quantity(counter["available"]), quantity(counter["open_holds"]),
                shortTime(counter["window"]["start"]), shortTime(counter["window"]["end"]),
                counter["current"].flag ? "" : "past window",
            ])
        }
        return table.text(whenEmpty: "No counter has been used.")
    }
}
