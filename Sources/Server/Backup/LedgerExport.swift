// The log of a ledger's file as a log file, whole or an excerpt.

package import Archive
import EventLog
import Glibc
import SQLiteEventLog

package enum LedgerExport {
    /// Writes the log of the ledger at `path`. Blocks.
    ///
    /// - Parameters:
    ///   - filter: nil: the whole log; else an excerpt with proofs.
    ///   - output: `-` is standard output.
    package static func write(
        _ path: String, filter: LogFileFilter?, to output: String, isReplacing: Bool,
        progress: (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(ServerFailure) {
        let store: SQLiteEventStore
        do throws(StoreError) {
            store = try SQLiteEventStore.openReadOnly(path: path)
        } catch {
            throw ServerFailure(error, path: path)
        }
        defer { store.close() }
        if output == "-" {
            try archiving { () throws(ArchiveError) in
                _ = try write(store, path, filter, progress: progress, to: writeToStandardOutput)
            }
            return
        }
        let place = try BackupTarget(output, isReplacing: isReplacing, source: path)
        try archiving { () throws(ArchiveError) in
            let head = try write(store, path, filter, progress: progress) {
                bytes throws(ArchiveError) in try place.partial.write(bytes)
            }
            _ = try place.commitLogFile(at: head)
        }
    }

    private static func write(
        _ store: SQLiteEventStore, _ path: String, _ filter: LogFileFilter?,
        progress: (UInt64, UInt64) -> Void, to write: ([UInt8]) throws(ArchiveError) -> Void
    ) throws(ArchiveError) -> LogHead {
        if let filter {
            return try LogExcerpt.write(
                store, filter: filter, name: path, progress: progress, to: write)
        }
        var exporter = try LogExporter(store, name: path)
        while let piece = try exporter.next() {
            try write(piece)
            progress(exporter.sequence, exporter.header.end.sequence)
        }
        return exporter.header.end
    }

    private static func writeToStandardOutput(_ bytes: [UInt8]) throws(ArchiveError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(STDOUT_FILENO, $0.baseAddress! + written, bytes.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw ArchiveError(
                    .inputOutput, "standard output: \(String(cString: strerror(errno)))")
            }
            written += count
        }
    }
}
