// The whole log, or what came after some event, as a file of lines: what `faregate backup` and
// `faregate export` fetch from a server. The form is in Archive/LogFile.swift.

import Archive
import Engine
import EventLog
import Synchronization

extension API {
    func exportLog(_ call: APICall) async throws(APIError) -> APIResponse {
        try call.requireAllProjects()
        let since = UInt64(try call.queryInteger("since", in: 0...(1 << 53 - 1)) ?? 0)
        guard let store = engine.store as? any ArchivableStore else {
            throw APIError(
                503, .unavailable, "export_unavailable", "This ledger's store cannot be exported.")
        }
        guard since <= store.head.sequence else {
            throw .invalid(
                "since must not be beyond the newest event, \(store.head.sequence)", param: "since")
        }
        let file = try await exportReader.run { () throws(APIError) -> LogFileStream in
            do throws(ArchiveError) {
                return LogFileStream(try LogExporter(store, since: since, name: "the ledger"))
            } catch {
                throw APIError(EngineError.unreadable("the log: \(error.message)"))
            }
        }
        let reader = exportReader
        var response = APIResponse(
            status: 200, contentType: "application/x-ndjson", body: [])
        // A piece at a time on a thread that may block, so that a slow receiver holds up nobody. A
        // fault ends the connection before the last line: the receiver sees a file cut short.
        response.pieces = {
            try await reader.run { () throws(APIError) -> [UInt8]? in
                do throws(ArchiveError) {
                    return try file.next()
                } catch {
                    throw APIError(EngineError.unreadable("the log: \(error.message)"))
                }
            }
        }
        return response
    }
}

/// An exporter that is asked from one thread at a time, though not always the same.
private final class LogFileStream: Sendable {
    private let exporter: Mutex<LogExporter>

    init(_ exporter: LogExporter) { self.exporter = Mutex(exporter) }

    func next() throws(ArchiveError) -> [UInt8]? {
        try exporter.withLock { exporter throws(ArchiveError) in try exporter.next() }
    }
}
