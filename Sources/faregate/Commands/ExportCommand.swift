import Archive
import ArgumentParser
import Glibc
import HTTPAPI
import Server

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the log as JSON lines, with what proves them.",
        discussion: """
            One event a line, as it lies in the ledger, with its RFC 6962 leaf hash; before them a
            line that says which ledger it is, its size and root, and after them one with a digest.
            The whole log is proven by hashing it again. With --from, --to, --customer or --project
            it is an excerpt: each line then has the inclusion proof that leads to the root, and
            holds without the rest of the log. docs/operating/check_log_file.py checks both without
            this program.

            Examples:
              faregate export --db faregate.db --output log.jsonl
              faregate export --db faregate.db --customer acme --output acme.jsonl
              faregate export --db faregate.db --from 1000 --to 1999 --output part.jsonl
            """)

    @OptionGroup var ledger: LedgerOptions

    @Option(
        help: ArgumentHelp("File to write; - is standard output.", valueName: "file"),
        completion: .file())
    var output = "-"

    @Option(help: ArgumentHelp("First event.", valueName: "seq"))
    var from: UInt64?

    @Option(help: ArgumentHelp("Last event.", valueName: "seq"))
    var to: UInt64?

    @Option(help: ArgumentHelp("Only events of this customer.", valueName: "id"))
    var customer: String?

    @OptionGroup var project: ProjectOption

    @Flag(help: "Replace the file if it is there.")
    var force = false

    func validate() throws {
        if from == 0 || to == 0 { throw ValidationError("Events are counted from 1.") }
        if let from, let to, from > to {
            throw ValidationError("--from must not be after --to.")
        }
    }

    private var filter: LogFileFilter? {
        // Without a customer a project in the environment is no wish for an excerpt.
        let project = customer == nil ? project.project : project.name
        if from == nil, to == nil, customer == nil, project == nil { return nil }
        return LogFileFilter(
            from: from ?? 1, to: to ?? .max, customer: customer, project: project)
    }

    mutating func run() async throws {
        let console = Console.current
        let bar = ProgressBar("Exporting the log", console: console)
        defer { bar.finish() }
        let (output, force, filter) = (output, force, filter)
        if let path = ledger.db {
            try await onThread { () throws(ServerFailure) in
                try LedgerExport.write(
                    path, filter: filter, to: output, isReplacing: force,
                    progress: { bar.update($0, of: $1) })
            }
            return
        }
        if filter != nil {
            throw CommandFailure(
                .usage, "an excerpt is made from the ledger's file: --db is needed")
        }
        try await exportFromServer(console, bar)
    }

    private func exportFromServer(_ console: Console, _ bar: ProgressBar) async throws {
        let client = try ledger.httpClient(console)
        let request = APIRequest.get("log")
        do {
            if output == "-" {
                try await client.download(request) { bytes in
                    try StandardOutput.write(bytes)
                }
            } else {
                _ = try await RemoteBackup(client: client, bar: bar).make(
                    to: output, since: .sequence(0), isReplacing: force)
            }
            await client.close()
        } catch {
            await client.close()
            throw error
        }
    }
}

/// Bytes to standard output, all of them or an error.
enum StandardOutput {
    static func write(_ bytes: [UInt8]) throws(CommandFailure) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(STDOUT_FILENO, $0.baseAddress! + written, bytes.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw CommandFailure(
                    .inputOutput, "standard output: \(String(cString: strerror(errno)))")
            }
            written += count
        }
    }
}
