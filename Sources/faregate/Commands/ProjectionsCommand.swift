import ArgumentParser
import CanonicalJSON
import HTTPAPI

struct ProjectionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "projections",
        abstract: "The read models that reports are made from.",
        discussion: """
            They follow the log into a file of their own, beside the ledger's. It holds nothing that
            the log does not say: delete it, and it is built again.
            """,
        subcommands: [Status.self, Rebuild.self])

    struct Status: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "How far they are.",
            discussion: """
                Example:
                  faregate projections status
                """)

        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            await ledger.client.freshenReadModels()
            try await ledger.show(.get("projections"), ProjectionsCommand.text)
        }
    }

    struct Rebuild: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Build them again from the log.",
            discussion: """
                A server goes on answering from the old file until the new one has caught up, and so
                can be asked to do it at any time. Waits for the end.

                Examples:
                  faregate projections rebuild
                  faregate projections rebuild --db faregate.db
                """)

        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            let bar = ProgressBar("Building the read models", console: ledger.console)
            defer { bar.finish() }
            let request = try APIRequest.post("projections", "rebuild", body: JSONObject())
            var status = try await ledger.client.ask(request)
            while status["rebuild"] != nil || status["state"].text == "starting" {
                let rebuild = status["rebuild"]
                bar.update(
                    UInt64(max(0, rebuild["sequence"].integer ?? 0)),
                    of: UInt64(max(0, rebuild["of"].integer ?? 0)))
                try await Task.sleep(for: .milliseconds(100))
                status = try await ledger.client.ask(.get("projections"))
            }
            bar.finish()
            if status["state"].text == "failing" {
                throw CommandFailure(
                    .inputOutput, "the read models were not built: \(status["failure"].word)",
                    code: "projections_unavailable")
            }
            ledger.printAnswer(status, ProjectionsCommand.text)
        }
    }

    static func text(_ status: JSONValue) -> String {
        var sheet = FactSheet()
        sheet.add("State", status["state"].text)
        sheet.add(
            "Folded in",
            "\(quantity(status["sequence"])) of \(quantity(status["head"])) events")
        sheet.add("Behind", behind(status))
        sheet.add("Newest event", shortTime(status["time"]))
        if status["rebuild"] != nil {
            sheet.add("New file", "\(quantity(status["rebuild"]["sequence"])) events")
        }
        sheet.add("Version", status["schema_version"].text)
        sheet.add("Failure", status["failure"].text)
        return sheet.text
    }

    private static func behind(_ status: JSONValue) -> String {
        let events = status["lag_events"].integer ?? 0
        if events == 0 { return "nothing" }
        let count = "\(grouped(events)) \(events == 1 ? "event" : "events")"
        return count + (status["lag_ms"].integer.map { ", \(grouped($0)) ms" } ?? "")
    }
}
