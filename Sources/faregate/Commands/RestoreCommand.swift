import ArgumentParser
import Billing
import CanonicalJSON
import EventLog
import Money
import Server
import TimeZones

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Make a ledger again from backups.",
        discussion: """
            Takes a full backup and any increments of it, in any order, and applies them in that of
            their events. Refused are files that are damaged or cut short, of another ledger, with a
            gap between them, or of another history; the message names the file. The ledger is there
            whole or not at all. Start a server on it, and it goes on where the last backup ended.

            With --preview nothing is written: everything is read and verified, and what it would
            make is shown.

            Examples:
              faregate restore monday.db --to faregate.db
              faregate restore monday.db tuesday.jsonl wednesday.jsonl --to faregate.db --force
              faregate restore monday.db tuesday.jsonl --preview
            """)

    @Argument(help: "Backups to restore from; - is standard input.", completion: .file())
    var files: [String]

    @Option(help: ArgumentHelp("Ledger to make.", valueName: "file"), completion: .file())
    var to: String?

    @Flag(help: "Only show what would be restored.")
    var preview = false

    @Flag(help: "Replace a ledger that is there, unless it is being served.")
    var force = false

    @Flag(help: "Print JSON instead of text for people.")
    var json = false

    func validate() throws {
        if preview == (to != nil) {
            throw ValidationError("Either --to or --preview is needed, not both.")
        }
    }

    mutating func run() async throws {
        try await Restoration(files: files, to: to, force: force, json: json).run()
    }
}

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Make a ledger from an exported log.",
        discussion: """
            The ledger has the same events, checkpoints and root as the one that was exported; this
            is verified before it gets its name.

            Examples:
              faregate import log.jsonl --db copy.db
              zcat log.jsonl.gz | faregate import - --db copy.db
            """)

    @Argument(help: "Exported log; - is standard input.", completion: .file())
    var file: String

    @Option(help: ArgumentHelp("Ledger to make.", valueName: "file"), completion: .file())
    var db: String

    @Flag(help: "Replace a ledger that is there, unless it is being served.")
    var force = false

    @Flag(help: "Print JSON instead of text for people.")
    var json = false

    mutating func run() async throws {
        try await Restoration(files: [file], to: db, force: force, json: json).run()
    }
}

/// One restore or preview, and what is said of it.
struct Restoration {
    let files: [String]
    /// Nil: only look.
    let to: String?
    let force: Bool
    let json: Bool

    func run() async throws {
        let console = Console.current
        let bar = ProgressBar(to == nil ? "Reading the backups" : "Restoring", console: console)
        defer { bar.finish() }
        let (files, to, force) = (files, to, force)
        let report = try await onThread { () throws(ServerFailure) -> RestoreReport in
            if let to {
                return try LedgerRestore.restore(files, to: to, isReplacing: force) {
                    bar.update($0, of: $1)
                }
            }
            return try LedgerRestore.preview(files) { bar.update($0, of: $1) }
        }
        bar.finish()
        console.out(json ? CanonicalJSON.pretty(jsonValue(report)) : text(report))
    }

    private func text(_ report: RestoreReport) -> String {
        var table = Table([
            .text("File"), .text("Kind"), .number("From event"), .number("To event"),
        ])
        for file in report.files {
            table.add([
                file.path, file.kind.rawValue, grouped(file.base.sequence + 1),
                grouped(file.end.sequence),
            ])
        }
        let books = report.books
        let currency = report.identity.currency
        var sheet = FactSheet()
        sheet.add(to == nil ? "Would restore" : "Restored", to ?? report.identity.ledgerID)
        if to != nil { sheet.add("Ledger", report.identity.ledgerID) }
        if report.identity.isTestClock { sheet.add("Clock", "set by callers: a ledger for tests") }
        sheet.add("Events", grouped(report.head.sequence))
        sheet.add(
            "Newest event", books.lastEvent.map { RFC3339.text(microseconds: $0.microseconds) })
        sheet.add("Checkpoint", "\(grouped(report.head.sequence)) \(report.head.root.hex)")
        sheet.add("Customers", grouped(books.customers))
        sheet.add("Open reservations", grouped(books.openReservations))
        sheet.add("Charged", "\(books.charge.decimalText) \(currency)")
        sheet.add("Owed", "\(books.owed.decimalText) \(currency)")
        sheet.add("Credit left", "\(books.credit.decimalText) \(currency)")
        sheet.add("Debt", "\(books.debt.decimalText) \(currency)")
        sheet.add("Held", "\(books.held.decimalText) \(currency)")
        sheet.add("Verified", "yes: every event, every checkpoint")
        sheet.add("Bytes", report.byteCount.map { grouped($0) })
        sheet.add("Took", "\(milliseconds(report.duration)) ms")
        return table.text() + "\n\n" + sheet.text
    }

    private func jsonValue(_ report: RestoreReport) -> JSONValue {
        let files = report.files.map { file -> JSONValue in
            .object(
                JSONObject([
                    ("base", headJSON(file.base)), ("end", headJSON(file.end)),
                    ("file", .string(file.path)), ("kind", .string(file.kind.rawValue)),
                ]))
        }
        let books = report.books
        var members: [(String, JSONValue)] = [
            ("charge", .string(books.charge.decimalText)), ("checkpoint", headJSON(report.head)),
            ("cost", .string(books.cost.decimalText)),
            ("credit", .string(books.credit.decimalText)),
            ("currency", .string(report.identity.currency)),
            ("customers", .integer(Int64(books.customers))),
            ("debt", .string(books.debt.decimalText)),
            ("duration_ms", .integer(milliseconds(report.duration))),
            ("files", .array(files)), ("held", .string(books.held.decimalText)),
            ("ledger_id", .string(report.identity.ledgerID)),
            ("open_reservations", .integer(Int64(books.openReservations))),
            ("owed", .string(books.owed.decimalText)), ("preview", .bool(to == nil)),
            ("test_clock", .bool(report.identity.isTestClock)), ("verified", .bool(true)),
        ]
        if let last = books.lastEvent {
            members.append(
                ("last_event", .string(RFC3339.text(microseconds: last.microseconds))))
        }
        if let bytes = report.byteCount { members.append(("bytes", .integer(Int64(bytes)))) }
        if let to { members.append(("file", .string(to))) }
        return .object(JSONObject(members))
    }
}
