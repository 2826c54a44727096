// The connections that only read, two of them, for any thread.
//
// Each read is one short transaction: while a reader holds on to old pages, the write-ahead log
// cannot start again at its front. A caller takes a free reader or waits for one.

import CSQLite
import EventLog
import SQLiteBinding
import Synchronization

struct LogReader: ~Copyable {
    static let eventsSQL = "SELECT seq, body FROM events WHERE seq > ? ORDER BY seq LIMIT ?"
    static let checkpointsSQL =
        "SELECT size, root, time_us FROM checkpoints WHERE size > ? ORDER BY size LIMIT ?"

    let connection: Connection
    private let events: Statement
    private let checkpoints: Statement

    static func open(path: String, vfs: String?) throws(StoreError) -> LogReader {
        let connection = try Connection(path: path, access: .readOnly, vfs: vfs)
        try connection.execute(
            "PRAGMA query_only = ON; PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF",
            while: "setting up a reader")
        let events = try Statement(eventsSQL, on: connection, activity: "reading events")
        let checkpoints = try Statement(
            checkpointsSQL, on: connection, activity: "reading checkpoints")
        return LogReader(connection: connection, events: events, checkpoints: checkpoints)
    }

    func read(
        after sequence: UInt64, limit: Int, maxBytes: Int
    ) throws(StoreError) -> [StoredEvent] {
        events.bind(Int64(clamping: sequence), at: 1)
        events.bind(max(0, limit), at: 2)
        var found: [StoredEvent] = []
        var byteCount = 0
        try events.forEachRow { row throws(StoreError) in
            let event = StoredEvent(sequence: try row.uint64(at: 0), bytes: row.bytes(at: 1))
            guard event.sequence == sequence + UInt64(found.count) + 1 else {
                throw StoreError(
                    .corrupt, "event \(sequence + UInt64(found.count) + 1) is missing")
            }
            byteCount += event.bytes.count
            found.append(event)
            return byteCount < maxBytes
        }
        return found
    }

    func checkpoints(
        after sequence: UInt64, limit: Int
    ) throws(StoreError) -> [StoredCheckpoint] {
        checkpoints.bind(Int64(clamping: sequence), at: 1)
        checkpoints.bind(max(0, limit), at: 2)
        var found: [StoredCheckpoint] = []
        try checkpoints.forEachRow { row throws(StoreError) in
            let head = LogHead(sequence: try row.uint64(at: 0), root: try row.hash(at: 1))
            found.append(StoredCheckpoint(head: head, timeMicroseconds: row.int64(at: 2)))
            return true
        }
        return found
    }
}

final class ReaderPool: Sendable {
    private final class Slot: Sendable {
        /// Nil once closed.
        let reader: Mutex<LogReader?>

        init(path: String, vfs: String?) throws(StoreError) {
            reader = Mutex(try LogReader.open(path: path, vfs: vfs))
        }
    }

    private let slots: [Slot]
    private let turn = Atomic<Int>(0)

    init(path: String, vfs: String?, count: Int = 2) throws(StoreError) {
        precondition(count >= 1, "a pool has a reader")
        var slots: [Slot] = []
        for _ in 0..<count { slots.append(try Slot(path: path, vfs: vfs)) }
        self.slots = slots
    }

    /// Runs `body` with a reader that nobody else is using.
    func read<Result: Sendable>(
        _ body: @Sendable (borrowing LogReader) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        for slot in slots {
            let result = try slot.reader.withLockIfAvailable { reader throws(StoreError) in
                try Self.run(body, with: reader)
            }
            if let result { return result }
        }
        // All are busy: wait in turn, so that the waiting is spread over them.
        let slot = slots[turn.wrappingAdd(1, ordering: .relaxed).oldValue % slots.count]
        return try slot.reader.withLock { reader throws(StoreError) in
            try Self.run(body, with: reader)
        }
    }

    func close() {
        for slot in slots { slot.reader.withLock { $0 = nil } }
    }

    private static func run<Result: Sendable>(
        _ body: @Sendable (borrowing LogReader) throws(StoreError) -> Result,
        with reader: borrowing LogReader?
    ) throws(StoreError) -> Result {
        switch reader {
        case .some(let reader): return try body(reader)
        case .none: throw StoreError(.closed, "the ledger was closed")
        }
    }
}
