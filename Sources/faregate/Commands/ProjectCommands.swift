import ArgumentParser
import CanonicalJSON
import HTTPAPI

struct ProjectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "project", abstract: "Products or environments of yours.",
        subcommands: [Set.self, List.self, Show.self])

    struct Set: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Open a project, or change one.",
            discussion: """
                What is not given stays as it is, or at its default. Ceiling rates price models that
                the price book does not know; without them such calls are refused.

                Examples:
                  faregate project set staging --default-plan free --hold-seconds 120
                  faregate project set prod --ceiling-input 15 --ceiling-output 75
                """)

        @Argument(help: "Id of the project.") var id: String
        @Option(help: "Name, for people.") var name: String?

        @Option(
            help: ArgumentHelp("Plan of customers opened by their first call.", valueName: "id"))
        var defaultPlan: String?

        @Option(
            help: ArgumentHelp("Life of a hold when the caller names none.", valueName: "seconds"))
        var holdSeconds: Int?

        @Option(
            help: ArgumentHelp(
                "release or charge, when nobody settles in time.", valueName: "policy"))
        var onExpiry: String?

        @Option(
            help: ArgumentHelp(
                "Whether a call reserved by tokens may be settled by an amount.",
                valueName: "true|false"))
        var amountSettlement: Bool?

        @Option(help: ArgumentHelp("Price of a million input tokens.", valueName: "rate"))
        var ceilingInput: String?

        @Option(help: ArgumentHelp("Price of a million output tokens.", valueName: "rate"))
        var ceilingOutput: String?

        @OptionGroup var write: WriteOptions
        @OptionGroup var ledger: LedgerOptions

        func validate() throws {
            if (ceilingInput == nil) != (ceilingOutput == nil) {
                throw ValidationError("--ceiling-input and --ceiling-output go together.")
            }
        }

        func run(_ ledger: LedgerSession) async throws {
            var settings = JSONObject()
            settings.set("name", name)
            settings.set("default_plan", defaultPlan)
            settings.set("hold_seconds", holdSeconds)
            settings.set("on_expiry", onExpiry)
            if let amountSettlement {
                settings.append("allow_amount_settlement", .bool(amountSettlement))
            }
            if let ceilingInput, let ceilingOutput {
                var rates = JSONObject()
                rates.set("input_per_million", ceilingInput)
                rates.set("output_per_million", ceilingOutput)
                settings.set("ceiling_rates", rates)
            }
            let found = try await ledger.client.send(.get("projects", id))
            let request: APIRequest
            if found.status == 404 {
                settings.set("id", id)
                request = try .post("projects", body: settings)
            } else {
                request = try .patch("projects", id, body: settings)
            }
            try await ledger.show(request.keyed(write.idempotencyKey), ProjectCommand.sheet)
        }
    }

    struct List: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "List projects.",
            discussion: """
                Example:
                  faregate project list
                """)

        @OptionGroup var page: PageOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            try await ledger.showPage(.get("projects"), page) { answer in
                var table = Table([
                    .text("Project"), .text("Name"), .text("Default plan"), .number("Hold (s)"),
                    .text("On expiry"), .text("Ceiling in / out per million"),
                ])
                for project in answer["data"].items {
                    table.add([
                        project["id"].word, project["name"].word,
                        project["default_plan"].word, quantity(project["hold_seconds"]),
                        project["on_expiry"].word, ProjectCommand.ceiling(project) ?? "",
                    ])
                }
                return table.text()
            }
        }
    }

    struct Show: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a project.",
            discussion: """
                Example:
                  faregate project show default
                """)

        @Argument(help: "Id of the project.") var id: String
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            try await ledger.show(.get("projects", id), ProjectCommand.sheet)
        }
    }

    private static func ceiling(_ project: JSONValue) -> String? {
        let rates = project["ceiling_rates"]
        guard let input = rates["input_per_million"].text else { return nil }
        return "\(input) / \(rates["output_per_million"].word)"
    }

    private static func sheet(_ project: JSONValue) -> String {
        var sheet = FactSheet()
        sheet.add("Project", project["id"].text)
        sheet.add("Name", project["name"].text)
        sheet.add("Default plan", project["default_plan"].text)
        sheet.add("Holds live", project["hold_seconds"].text.map { "\($0) s" })
        sheet.add("On expiry", project["on_expiry"].text)
        sheet.add(
            "Amount settlement", project["allow_amount_settlement"].flag ? "allowed" : "refused")
        sheet.add(
            "Models without a price",
            ceiling(project).map { "\($0) per million in / out" } ?? "refused")
        return sheet.text
    }
}
