// A ledger's file, opened by this very process: `--db`.
//
// When nobody has the file, it is taken and everything can be done, as the operator. While a server
// has it, the log can still be read beside the server; what would write is refused with the way to
// do it.

import HTTPAPI
import Projections
import Server

struct LocalLedgerClient: LedgerClient {
    private let ledger: OpenLedger
    /// Who has the file, when it is not this process.
    private let owner: String?
    private let console: Console

    static func open(
        path: String, console: Console
    ) async throws(CommandFailure) -> LocalLedgerClient {
        let bar = ProgressBar("Reading the log", console: console)
        defer { bar.finish() }
        do throws(ServerFailure) {
            let ledger = try await OpenLedger.owned(path: path, loading: { bar.update($0, of: $1) })
            return LocalLedgerClient(ledger: ledger, owner: nil, console: console)
        } catch {
            guard error.code == "locked" else { throw CommandFailure(error) }
            return try await beside(path: path, owner: error.message, console, bar)
        }
    }

    private static func beside(
        path: String, owner: String, _ console: Console, _ bar: ProgressBar
    ) async throws(CommandFailure) -> LocalLedgerClient {
        do throws(ServerFailure) {
            let ledger = try await OpenLedger.beside(
                path: path, loading: { bar.update($0, of: $1) })
            console.note("note: \(owner); read beside it, as of event \(ledger.eventCount)")
            return LocalLedgerClient(ledger: ledger, owner: owner, console: console)
        } catch {
            throw CommandFailure(error)
        }
    }

    func send(_ request: APIRequest) async throws(CommandFailure) -> APIResponse {
        if let owner, !request.isRead {
            throw CommandFailure(
                .inputOutput, "\(owner): use --url and --key to let that server do it",
                code: "locked")
        }
        var request = request
        request.principal = .operatorProcess
        return await ledger.api.respond(to: request)
    }

    /// The file beside the ledger may be old, or not there: then this takes as long as the log is
    /// long.
    func freshenReadModels() async {
        guard owner == nil else { return }
        let bar = ProgressBar("Folding events", console: console)
        defer { bar.finish() }
        let head = ledger.eventCount
        while !ledger.readModels.hasFolded(upTo: head) {
            bar.update(ledger.readModels.status.sequence, of: head)
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    func close() async { await ledger.shutdown() }
}

extension CommandFailure {
    init(_ failure: ServerFailure) {
        switch failure.kind {
        case .configuration: self.init(.usage, failure.message, code: failure.code)
        case .inputOutput: self.init(.inputOutput, failure.message, code: failure.code)
        case .refused: self.init(.negative, failure.message, code: failure.code)
        }
    }
}
