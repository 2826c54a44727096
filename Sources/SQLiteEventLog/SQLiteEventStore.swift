// The log in one SQLite file.
//
// One process owns the file for writing (LockFile), with one writing connection (LogWriter) and two
// reading ones (ReaderPool). Other processes may read beside it, without the lock. The calls block;
// see `EventStore` for which thread may make which.

import CSQLite
package import EventLog
import SQLiteBinding
import Synchronization

package final class SQLiteEventStore: EventStore {
    package let identity: LedgerIdentity

    /// Absolute path of the ledger's file, without symbolic links.
    package let path: String

    /// What whoever runs this should know, each a sentence; for the log at start.
    package let advisories: [String]

    private let isReadOnly: Bool
    /// Nil in a read-only store, and once closed.
    private let writer: Mutex<LogWriter?>
    /// Held longer than the writer, so that the next owner finds the file closed.
    private let lock: Mutex<LockFile?>
    private let readers: ReaderPool
    private let newestHead: Mutex<LogHead>
    private let gauge: WALGauge

    /// Opens the ledger at `path` for writing and reading, and takes its lock.
    ///
    /// - Parameters:
    ///   - newLedger: what to create if there is no ledger yet. An existing one is opened as it is:
    ///     compare its `identity`.
    ///   - vfs: SQLite's file layer by name, for tests that inject faults.
    /// - Throws: `.locked`, `.cannotOpen` (also: nothing there and nothing to create), `.corrupt`,
    ///   `.tooNew`, `.full`, `.inputOutput`.
    package static func open(
        path: String, create newLedger: NewLedger? = nil, vfs: String? = nil
    ) throws(StoreError) -> SQLiteEventStore {
        try requireThreadSafety()
        let place = try DatabasePath(path)
        guard place.exists || newLedger != nil else {
            throw StoreError(.cannotOpen, "\(path): there is no ledger")
        }
        let lock = try LockFile(besideLedgerAt: place.text)
        if !place.exists { try place.create() }
        let connection = try Connection(path: place.text, access: .readWrite, vfs: vfs)
        try Schema.current.prepareForWriting(connection, newLedger: newLedger)
        let identity = try Schema.identity(in: connection)
        let gauge = WALGauge()
        var writer = try LogWriter.open(connection, gauge: gauge)
        // What a crash left in the write-ahead log. Not needed, so a full disk may refuse it.
        try? writer.checkpoint()
        let head = writer.head
        return SQLiteEventStore(
            identity: identity, path: place.text, head: head, writer: writer, lock: lock,
            readers: try ReaderPool(path: place.text, vfs: vfs), gauge: gauge)
    }

    /// Opens the ledger at `path` for reading only, beside a process that may be writing it.
    /// `head` then moves with the other process. Appending and the like fail with `.cannotOpen`.
    ///
    /// - Throws: as `open`, but never `.locked`.
    package static func openReadOnly(
        path: String, vfs: String? = nil
    ) throws(StoreError) -> SQLiteEventStore {
        try requireThreadSafety()
        let place = try DatabasePath(path)
        guard place.exists else { throw StoreError(.cannotOpen, "\(path): there is no ledger") }
        let connection = try Connection(path: place.text, access: .readOnly, vfs: vfs)
        try Schema.current.checkForReading(connection)
        let frontier = try LogLoader.frontier(in: connection)
        return SQLiteEventStore(
            identity: try Schema.identity(in: connection), path: place.text,
            head: LogHead(sequence: frontier.size, root: frontier.root), writer: nil, lock: nil,
            readers: try ReaderPool(path: place.text, vfs: vfs), gauge: WALGauge())
    }

    private init(
        identity: LedgerIdentity, path: String, head: LogHead,
        writer: consuming sending LogWriter?, lock: consuming sending LockFile?,
        readers: ReaderPool, gauge: WALGauge
    ) {
        self.identity = identity
        self.path = path
        self.readers = readers
        self.gauge = gauge
        advisories = Self.advisories(sqliteVersion: sqlite3_libversion_number())
        isReadOnly = lock == nil
        newestHead = Mutex(head)
        self.writer = Mutex(writer)
        self.lock = Mutex(lock)
    }

    deinit { close() }

    package var head: LogHead {
        guard isReadOnly else { return newestHead.withLock { $0 } }
        // Another process moves it. If it cannot be read now, the last one known still stands.
        let current = try? readers.read { reader throws(StoreError) in
            try LogLoader.newestCheckpoint(in: reader.connection)
        }
        return newestHead.withLock { head in
            if let current, current.sequence > head.sequence { head = current }
            return head
        }
    }

    /// Pages of 8 KiB in the write-ahead log that `checkpointStorage` would move into the file.
    package var walPages: Int { gauge.pagesNotCopied.load(ordering: .relaxed) }

    package func append(
        _ batch: AppendBatch, expectedHead: UInt64
    ) throws(StoreError) -> LogHead {
        try withWriter { writer throws(StoreError) in
            // After an error too: a conflict means that the head has moved.
            defer {
                let head = writer.head
                newestHead.withLock { $0 = head }
            }
            return try writer.append(batch, expectedHead: expectedHead)
        }
    }

    package func read(
        after sequence: UInt64, limit: Int, maxBytes: Int
    ) throws(StoreError) -> [StoredEvent] {
        try readers.read { reader throws(StoreError) in
            try reader.read(after: sequence, limit: limit, maxBytes: maxBytes)
        }
    }

    package func checkpoints(
        after sequence: UInt64, limit: Int
    ) throws(StoreError) -> [StoredCheckpoint] {
        try readers.read { reader throws(StoreError) in
            try reader.checkpoints(after: sequence, limit: limit)
        }
    }

    /// When the ledger was made, microseconds since 1970 UTC.
    package var createdMicroseconds: Int64 {
        get throws(StoreError) {
            try readers.read { reader throws(StoreError) in
                try reader.connection.integer(
                    "SELECT created_us FROM ledger WHERE id = 1",
                    while: "reading the ledger's identity")
            }
        }
    }

    /// The right edge of the tree over the first `size` events.
    package func frontier(size: UInt64) throws(StoreError) -> MerkleFrontier {
        try readers.read { reader throws(StoreError) in
            try LogLoader.frontier(size: size, in: reader.connection)
        }
    }

    package func newestSnapshot(
        format: Int, atOrBefore sequence: UInt64
    ) throws(StoreError) -> StoredSnapshot? {
        try readers.read { reader throws(StoreError) in
            try SnapshotTables.newest(
                format: format, atOrBefore: sequence, in: reader.connection)
        }
    }

    package func saveSnapshot(_ snapshot: StoredSnapshot, keeping: Int) throws(StoreError) {
        try withWriter { writer throws(StoreError) in
            try writer.saveSnapshot(snapshot, keeping: keeping)
        }
    }

    /// Moves the write-ahead log into the ledger as far as readers allow; does nothing when it is
    /// there already. Costs two syncs: call it when idle, or when `walPages` is high. `append` sees
    /// to it by itself beyond 4 MiB, at the cost of that one append.
    package func checkpointStorage() throws(StoreError) {
        try withWriter { writer throws(StoreError) in
            if gauge.pagesNotCopied.load(ordering: .relaxed) > 0 { try writer.checkpoint() }
        }
    }

    package func close() {
        readers.close()
        writer.withLock { $0 = nil }
        lock.withLock { $0 = nil }
    }

    private func withWriter<Result: Sendable>(
        _ body: @Sendable (inout LogWriter) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        let result = try writer.withLock { writer throws(StoreError) -> Result? in
            guard var open = writer.take() else { return nil }
            do throws(StoreError) {
                let result = try body(&open)
                writer = consume open
                return result
            } catch {
                writer = consume open
                throw error
            }
        }
        if let result { return result }
        throw isReadOnly
            ? StoreError(.cannotOpen, "the ledger was opened for reading only")
            : StoreError(.closed, "the ledger was closed")
    }

    private static func requireThreadSafety() throws(StoreError) {
        guard sqlite3_threadsafe() != 0 else {
            throw StoreError(.cannotOpen, "this SQLite was built for a single thread")
        }
    }

    static func advisories(sqliteVersion: Int32) -> [String] {
        // Fixed in 3.51.3: https://sqlite.org/wal.html#walresetbug
        guard sqliteVersion < 3_051_003 else { return [] }
        let version =
            "\(sqliteVersion / 1_000_000).\(sqliteVersion / 1_000 % 1_000).\(sqliteVersion % 1_000)"
        return [
            "SQLite \(version) has the WAL-reset bug fixed in 3.51.3. It needs two writing "
                + "connections; a ledger has one. Do not write to the file with other tools."
        ]
    }
}
