import ArgumentParser
import CanonicalJSON
import HTTPAPI

struct EventsCommand: LedgerCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "List the log.",
        discussion: """
            --follow goes on with what is appended, until interrupted, over one stream that is
            taken up again where it was cut off; with --json it prints one event a line.

            Examples:
              faregate events --after 1200 --limit 50
              faregate events --type usage.rejected --customer acme
              faregate events --follow
            """)

    @Option(help: ArgumentHelp("Only events with a higher number.", valueName: "seq"))
    var after: Int64 = 0

    @Option(
        help: ArgumentHelp(
            "Most events to show, up to 1000; not with --follow.", valueName: "count"))
    var limit: Int = 100

    @Option(help: ArgumentHelp("Only this type, as usage.settled.", valueName: "type"))
    var type: String?

    @Option(help: ArgumentHelp("Only this customer's.", valueName: "id"))
    var customer: String?

    @Option(help: ArgumentHelp("Only this reservation's.", valueName: "id"))
    var reservation: String?

    @Flag(help: "Go on with what is appended.")
    var follow = false

    @OptionGroup var project: ProjectOption
    @OptionGroup var ledger: LedgerOptions

    func validate() throws {
        if !(1...1000).contains(limit) { throw ValidationError("--limit is 1 to 1000.") }
        if after < 0 { throw ValidationError("--after is not negative.") }
        if follow, ledger.db != nil { throw ValidationError("--follow needs a server.") }
    }

    func run(_ ledger: LedgerSession) async throws {
        if follow { return try await follow(ledger) }
        let json = try await page(ledger, after: after, limit: limit)
        ledger.printAnswer(json) { eventsTable($0["data"].items) }
        if !ledger.wantsJSON, json["has_more"].flag {
            ledger.console.note("There is more: --after \(json["next"].word)")
        }
    }

    private func page(
        _ ledger: LedgerSession, after: Int64, limit: Int
    ) async throws(CommandFailure) -> JSONValue {
        try await ledger.client.ask(filtered([("after", String(after)), ("limit", String(limit))]))
    }

    private func filtered(_ parameters: [(name: String, value: String?)]) -> APIRequest {
        APIRequest.get("events").asking(
            parameters + [
                ("type", type), ("customer", customer), ("reservation", reservation),
                ("project", project.name),
            ])
    }

    private func follow(_ ledger: LedgerSession) async throws {
        var request = filtered([("after", String(after))])
        request.accept = "text/event-stream"
        try await ledger.client.follow(request) { event in
            guard let json = try? StrictJSON.parse(event.data) else {
                throw CommandFailure(.inputOutput, "the server sent an event that is not JSON")
            }
            Self.printLine(json, ledger)
        }
    }

    private static func printLine(_ event: JSONValue, _ ledger: LedgerSession) {
        if ledger.wantsJSON, let bytes = try? CanonicalJSON.encode(event) {
            ledger.console.out(String(decoding: bytes, as: UTF8.self))
        } else {
            let cells = eventCells(event).map(Table.printable).filter { !$0.isEmpty }
            ledger.console.out(cells.joined(separator: "  "))
        }
    }
}

struct ExplainCommand: LedgerCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say why a call was charged, or refused, as it was.",
        discussion: """
            Rebuilt from the log alone: the estimate, the price, every budget's figures at that
            moment, and all that came later.

            Example:
              faregate explain req-1
            """)

    @Argument(help: "Id of the reservation, rejection or usage record.") var id: String
    @OptionGroup var project: ProjectOption
    @OptionGroup var ledger: LedgerOptions

    func run(_ ledger: LedgerSession) async throws {
        let request = APIRequest.get("reservations", id, "explain").within(project.name)
        try await ledger.show(request, Self.text)
    }

    static func text(_ answer: JSONValue) -> String {
        var sheet = FactSheet()
        sheet.add("Call", answer["reservation"].text)
        sheet.add("Customer", answer["customer"].text)
        sheet.add("Plan", answer["plan"].text)
        sheet.add("Model", answer["model"].text)
        sheet.add(
            "Decided",
            "\(answer["decision"].word) at \(shortTime(answer["decided_at"]))"
                + ", event \(answer["event"].word)")
        sheet.add("Now", answer["status"].text)
        sheet.add("Price", pricePhrase(answer["price"]))
        sheet.add("Own price", pricePhrase(answer["card_price"]))
        sheet.add("Charged", answer["actual"]["charge"].text)
        sheet.add("Cost", answer["actual"]["cost"].text)
        sheet.add("Paid", splitPhrase(answer["split"]))
        let lines = answer["text"].word.split(separator: "\n", omittingEmptySubsequences: false)
        let text = lines.map { Table.printable(String($0)) }.joined(separator: "\n")
        var parts = [text, sheet.text]
        if answer["estimate"] != nil { parts.append(estimateTable(answer["estimate"])) }
        let refusal = refusalText(answer["refusal"])
        if answer["decision"].text == "rejected" { parts.append(refusal) }
        parts.append(budgetLines(answer["budgets"].items))
        parts.append(eventsTable(answer["events"].items))
        return parts.filter { !$0.isEmpty }.joined(separator: "\n\n")
    }
}

struct ClockCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clock",
        abstract: "The time of a ledger made for tests.",
        discussion: """
            Only on ledgers made by `faregate serve --test-clock`. Everything that depends on time
            follows it: holds expire, windows end, grants begin and end.
            """,
        subcommands: [Show.self, Set.self, Advance.self])

    struct Show: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the ledger's time.",
            discussion: """
                Example:
                  faregate clock show
                """)

        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            try await ledger.show(.get("test_clock")) { $0["now"].word }
        }
    }

    struct Set: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set the ledger's time, forward only.",
            discussion: """
                Example:
                  faregate clock set 2027-03-01T00:00:00Z
                """)

        @Argument(help: "The new time (RFC 3339).") var time: String
        @OptionGroup var write: WriteOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            var body = JSONObject()
            body.set("now", time)
            let request = try APIRequest.post("test_clock", body: body)
            try await ledger.show(request.keyed(write.idempotencyKey)) { $0["now"].word }
        }
    }

    struct Advance: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let time pass.",
            discussion: """
                Example:
                  faregate clock advance 3600
                """)

        @Argument(help: "Seconds.") var seconds: Int
        @OptionGroup var write: WriteOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            var body = JSONObject()
            body.set("advance_seconds", seconds)
            let request = try APIRequest.post("test_clock", body: body)
            try await ledger.show(request.keyed(write.idempotencyKey)) { $0["now"].word }
        }
    }
}
