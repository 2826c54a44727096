import ArgumentParser
import CanonicalJSON
import EventLog
import HTTPAPI
import Server

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy a ledger, also while it is being served.",
        discussion: """
            A full backup is a ledger of its own: one file that a server can open. With --since only
            the events after a number, or after the end of an earlier backup, are written, as a log
            file. With --db the file is read beside whoever serves it; without, the server sends its
            log (this takes an administrator's key that sees all projects).

            What was written is read back and hashed before the file gets its name, so that it is
            there whole or not at all. Ends with 1 when the ledger is damaged or the backup that
            --since names is of another history.

            Examples:
              faregate backup --db faregate.db --to monday.db
              faregate backup --db faregate.db --since monday.db --to tuesday.jsonl
              faregate backup --since 120000 --to more.jsonl --url http://127.0.0.1:8080
            """)

    @OptionGroup var ledger: LedgerOptions

    @Option(help: ArgumentHelp("File to write.", valueName: "file"), completion: .file())
    var to: String

    @Option(
        help: ArgumentHelp(
            "Only what came after this event, or after the end of this backup.",
            valueName: "seq|file"), completion: .file())
    var since: String?

    @Flag(help: "Replace the file if it is there.")
    var force = false

    mutating func run() async throws {
        let console = Console.current
        let bar = ProgressBar("Copying the log", console: console)
        defer { bar.finish() }
        let (to, force, base) = (to, force, base)
        let report: BackupReport
        if let path = ledger.db {
            report = try await onThread { () throws(ServerFailure) -> BackupReport in
                guard let base else {
                    return try LedgerBackup.full(of: path, to: to, isReplacing: force) {
                        bar.update($0, of: $1)
                    }
                }
                return try LedgerBackup.increment(
                    of: path, since: base, to: to, isReplacing: force
                ) { bar.update($0, of: $1) }
            }
        } else {
            let client = try ledger.httpClient(console)
            do {
                report = try await RemoteBackup(client: client, bar: bar).make(
                    to: to, since: base, isReplacing: force)
                await client.close()
            } catch {
                await client.close()
                throw error
            }
        }
        bar.finish()
        console.out(ledger.json ? CanonicalJSON.pretty(Self.json(report)) : Self.text(report))
    }

    private var base: LedgerBackup.Base? {
        since.map { text in UInt64(text).map { .sequence($0) } ?? .file(text) }
    }

    private static func text(_ report: BackupReport) -> String {
        var sheet = FactSheet()
        sheet.add("Backup", report.path)
        sheet.add("Ledger", report.ledgerID)
        let count = report.head.sequence - report.base.sequence
        sheet.add(
            "Events",
            report.base.sequence == 0
                ? grouped(count)
                : "\(grouped(count)), from \(grouped(report.base.sequence + 1))"
                    + " to \(grouped(report.head.sequence))")
        sheet.add("Checkpoint", "\(grouped(report.head.sequence)) \(report.head.root.hex)")
        sheet.add("Bytes", grouped(report.byteCount))
        sheet.add("Took", "\(milliseconds(report.duration)) ms, read back and verified")
        return sheet.text
    }

    private static func json(_ report: BackupReport) -> JSONValue {
        .object(
            JSONObject([
                ("base", headJSON(report.base)), ("bytes", .integer(Int64(report.byteCount))),
                ("checkpoint", headJSON(report.head)),
                ("duration_ms", .integer(milliseconds(report.duration))),
                ("events", .integer(Int64(report.head.sequence - report.base.sequence))),
                ("file", .string(report.path)), ("kind", .string(report.kind.rawValue)),
                ("ledger_id", .string(report.ledgerID)), ("verified", .bool(true)),
            ]))
    }
}

/// A backup of a ledger behind a server.
struct RemoteBackup {
    let client: HTTPLedgerClient
    let bar: ProgressBar

    func make(
        to target: String, since base: LedgerBackup.Base?, isReplacing: Bool
    ) async throws -> BackupReport {
        let start = ContinuousClock.now
        guard let base else {
            // The log as it comes over the wire lies beside the ledger that is made from it.
            let log = try await onThread { () throws(ServerFailure) in
                try FetchedLog(forLedgerAt: target, isReplacing: isReplacing)
            }
            try await fetch(since: 0, into: log)
            let report = try await onThread { () throws(ServerFailure) -> RestoreReport in
                defer { withExtendedLifetime(log) {} }
                return try LedgerRestore.restore(
                    [log.path], to: target, isReplacing: isReplacing
                ) { bar.update($0, of: $1) }
            }
            return BackupReport(
                fetched: report, to: target, duration: start.duration(to: .now))
        }
        let (known, log) = try await onThread { () throws(ServerFailure) in
            (
                try LedgerBackup.known(base),
                try FetchedLog(for: target, isReplacing: isReplacing)
            )
        }
        try await fetch(since: known.head.sequence, into: log)
        return try await onThread { () throws(ServerFailure) in
            try LedgerBackup.take(fetched: log, since: known, start: start)
        }
    }

    private func fetch(since sequence: UInt64, into log: FetchedLog) async throws {
        let request = APIRequest.get("log").asking([("since", String(sequence))])
        try await client.download(request) { bytes in
            try await onThread { () throws(ServerFailure) in try log.write(bytes) }
        }
    }
}

/// Runs `body` on a thread that may block; a server's kind of failure becomes a command's.
func onThread<Result: Sendable>(
    _ body: @escaping @Sendable () throws(ServerFailure) -> Result
) async throws(CommandFailure) -> Result {
    do throws(ServerFailure) {
        return try await blocking(body)
    } catch {
        throw CommandFailure(error)
    }
}

func milliseconds(_ duration: Duration) -> Int64 { Int64(duration / .milliseconds(1)) }

func headJSON(_ head: LogHead) -> JSONValue {
    .object(
        JSONObject([
            ("root", .string(head.root.hex)), ("size", .integer(Int64(clamping: head.sequence))),
        ]))
}
