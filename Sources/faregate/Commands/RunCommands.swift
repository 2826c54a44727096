import ArgumentParser
import CanonicalJSON
import HTTPAPI

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Agent invocations with a cap of their own.",
        subcommands: [Start.self, Show.self, Stop.self, End.self])

    struct Start: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Open a run.",
            discussion: """
                Example:
                  faregate run start run-7 --customer acme --cap 2.50 --metadata agent=research
                """)

        @Argument(help: "Id of the run.") var id: String

        @Option(help: ArgumentHelp("Customer that pays.", valueName: "id"))
        var customer: String?

        @Option(help: ArgumentHelp("User within the customer.", valueName: "id"))
        var user: String?

        @Option(
            help: ArgumentHelp("Most that the run's calls may be charged.", valueName: "amount"))
        var cap: DecimalAmount?

        @Option(help: ArgumentHelp("For the record; may be repeated.", valueName: "name=value"))
        var metadata: [NameValue] = []

        @OptionGroup var project: ProjectOption
        @OptionGroup var write: WriteOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            var body = JSONObject()
            body.set("id", id)
            body.set("project", project.name)
            body.set("customer", customer)
            body.set("user", user)
            body.set("cap", cap?.text)
            body.set("metadata", pairs: metadata)
            let request = try APIRequest.post("runs", body: body)
            try await ledger.show(request.keyed(write.idempotencyKey)) { run in
                "Started run \(run["id"].word)"
                    + (run["cap"].text.map { " with a cap of \($0)." } ?? ".")
            }
        }
    }

    struct Show: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a run.",
            discussion: """
                Example:
                  faregate run show run-7
                """)

        @Argument(help: "Id of the run.") var id: String
        @OptionGroup var project: ProjectOption
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            try await ledger.show(.get("runs", id).within(project.name)) { run in
                var sheet = FactSheet()
                sheet.add("Run", run["id"].text)
                sheet.add("Status", run["status"].text)
                sheet.add("Why", run["status_reason"].text)
                sheet.add("Customer", run["customer"].text)
                sheet.add("User", run["user"].text)
                sheet.add("Cap", run["cap"].text ?? "none")
                sheet.add("Spent", run["spent"].text)
                sheet.add("Held", run["held"].text)
                sheet.add("Available", run["available"].text)
                sheet.add("Cap reached", run["cap_exceeded"].flag ? "yes" : "no")
                sheet.add("Started", shortTime(run["started_at"]))
                sheet.add("Stopped", shortTime(run["stopped_at"]))
                sheet.add("Ended", shortTime(run["ended_at"]))
                sheet.add("Metadata", pairs(run["metadata"]))
                return sheet.text
            }
        }
    }

    struct Stop: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Refuse a run's further calls.",
            discussion: """
                Also for a run that has not been seen yet. What is open may still be settled.

                Example:
                  faregate run stop run-7 --reason "loops"
                """)

        @Argument(help: "Id of the run.") var id: String
        @Option(help: "Why; shown in every refusal.") var reason: String?
        @OptionGroup var project: ProjectOption
        @OptionGroup var write: WriteOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            var body = JSONObject()
            body.set("reason", reason)
            body.set("project", project.name)
            let request = try APIRequest.post("runs", id, "stop", body: body)
            try await ledger.show(request.keyed(write.idempotencyKey)) { _ in "Stopped run \(id)." }
        }
    }

    struct End: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say that a run is over.",
            discussion: """
                Example:
                  faregate run end run-7
                """)

        @Argument(help: "Id of the run.") var id: String
        @OptionGroup var project: ProjectOption
        @OptionGroup var write: WriteOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            var body = JSONObject()
            body.set("project", project.name)
            let request = try APIRequest.post("runs", id, "end", body: body)
            try await ledger.show(request.keyed(write.idempotencyKey)) { _ in "Ended run \(id)." }
        }
    }
}
