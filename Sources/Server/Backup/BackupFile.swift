// A file that a ledger can be restored from, whatever its form: a ledger (a full backup is one) or
// a log file. It gives its events and checkpoints in order, each checked.

import Archive
package import EventLog
import Glibc
import SQLiteEventLog

/// What is known of a backup before it is read through.
package struct BackupFileSummary: Sendable, Equatable {
    package enum Kind: String, Sendable {
        /// A SQLite file that a server could open.
        case ledger
        /// A log file from the first event on.
        case whole
        /// A log file that goes on from `base`.
        case increment
    }

    package var path: String
    package var kind: Kind
    package var identity: LedgerIdentity
    package var createdMicroseconds: Int64
    /// Where its events begin.
    package var base: LogHead
    package var end: LogHead
}

class BackupFile {
    let summary: BackupFileSummary

    fileprivate init(_ summary: BackupFileSummary) { self.summary = summary }

    /// The next event or checkpoint; nil at the end.
    func next() throws(ArchiveError) -> LogFileItem? { nil }

    /// - Parameter path: `-` is standard input, which is always a log file.
    static func open(_ path: String) throws(ArchiveError) -> BackupFile {
        if path == "-" { return try LineFile(path: path) }
        if try isDatabase(path) { return try LedgerFile(path: path) }
        return try LineFile(path: path)
    }

    private static func isDatabase(_ path: String) throws(ArchiveError) -> Bool {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ArchiveError(.inputOutput, "\(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 16)
        guard pread(descriptor, &bytes, bytes.count, 0) == bytes.count else { return false }
        return bytes == Array("SQLite format 3\0".utf8)
    }
}

private final class LedgerFile: BackupFile {
    private let store: SQLiteEventStore
    private var walker: LogWalker

    init(path: String) throws(ArchiveError) {
        guard !LedgerInspection.isCut(ledgerAt: path) else {
            throw ArchiveError(
                .damaged, "\(path) is cut short: it has another size than its first page says")
        }
        let created: Int64
        do throws(StoreError) {
            store = try SQLiteEventStore.openReadOnly(path: path)
            created = try store.createdMicroseconds
        } catch {
            throw ArchiveError(error, file: path)
        }
        walker = LogWalker(store, name: path)
        super.init(
            BackupFileSummary(
                path: path, kind: .ledger, identity: store.identity, createdMicroseconds: created,
                base: LogHead(sequence: 0, root: .emptyRoot), end: walker.end))
    }

    override func next() throws(ArchiveError) -> LogFileItem? { try walker.next() }
}

private final class LineFile: BackupFile {
    private var reader: LogFileReader

    init(path: String) throws(ArchiveError) {
        let opened = try LogFileReader(path: path)
        let header = opened.header
        guard header.kind != .excerpt else {
            throw ArchiveError(
                .excerpt,
                "\(opened.name) is an excerpt: it proves its events, but a ledger needs them all")
        }
        let summary = BackupFileSummary(
            path: opened.name, kind: header.kind == .whole ? .whole : .increment,
            identity: header.identity, createdMicroseconds: header.createdMicroseconds,
            base: header.baseHead, end: header.end)
        reader = opened
        super.init(summary)
    }

    override func next() throws(ArchiveError) -> LogFileItem? { try reader.next() }
}
