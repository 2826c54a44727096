// The one connection that writes.
//
// An append is one transaction: the events, the subtree hashes that they complete, one checkpoint.
// The leaf hashes are computed on the way. Only after the commit do the frontier and the head in
// memory move, so that a failed append leaves them as they were.
//
// The append that finds the write-ahead log beyond 4 MiB moves it into the ledger before it begins,
// when all earlier appends have been answered.
//
// A commit that fails while syncing has written its pages. SQLite takes them back in memory, but
// after a crash they would be found whole and count: an append that was refused would be in the log
// after all. So after every failed commit the head is read again from the file, and a commit of one
// page, which changes nothing, is written over the refused one's pages.

import EventLog
import SQLiteBinding

struct LogWriter: ~Copyable {
    let connection: Connection
    private let begin: Statement
    private let commit: Statement
    private let insertEvent: Statement
    private let insertSubtree: Statement
    private let insertCheckpoint: Statement

    private var frontier: MerkleFrontier
    private(set) var head: LogHead
    /// The file could not be read after a failed commit: nothing is known until it can.
    private var headIsUncertain = false
    private var writeAheadLog: WriteAheadLog
    /// Kept for its storage.
    private var subtrees: [CompletedSubtree] = []

    /// - Parameter connection: to a ledger of the current version.
    static func open(
        _ connection: consuming Connection, gauge: WALGauge
    ) throws(StoreError) -> LogWriter {
        try connection.execute(settings, while: "setting up the writer")
        let activity = "append"
        let begin = try Statement("BEGIN IMMEDIATE", on: connection, activity: activity)
        let commit = try Statement("COMMIT", on: connection, activity: activity)
        let insertEvent = try Statement(
            "INSERT INTO events (seq, body) VALUES (?, ?)", on: connection, activity: activity)
        let insertSubtree = try Statement(
            "INSERT INTO merkle_nodes (level, idx, hash) VALUES (?, ?, ?)", on: connection,
            activity: activity)
        let insertCheckpoint = try Statement(
            "INSERT INTO checkpoints (size, root, time_us) VALUES (?, ?, ?)", on: connection,
            activity: activity)
        let frontier = try LogLoader.frontier(in: connection)
        let writeAheadLog = WriteAheadLog(of: connection, gauge: gauge)
        return LogWriter(
            connection: connection, begin: begin, commit: commit, insertEvent: insertEvent,
            insertSubtree: insertSubtree, insertCheckpoint: insertCheckpoint, frontier: frontier,
            head: LogHead(sequence: frontier.size, root: frontier.root),
            writeAheadLog: writeAheadLog)
    }

    // secure_delete, on in Debian's build, would write zeros over every dropped snapshot.
    // journal_size_limit cuts back a -wal file that a long reader has made grow.
    private static let settings = """
        PRAGMA synchronous = FULL;
        PRAGMA wal_autocheckpoint = 0;
        PRAGMA journal_size_limit = 16777216;
        PRAGMA mmap_size = 0;
        PRAGMA cache_size = -8192;
        PRAGMA secure_delete = OFF;
        PRAGMA temp_store = MEMORY;
        PRAGMA trusted_schema = OFF;
        """

    mutating func append(
        _ batch: AppendBatch, expectedHead: UInt64
    ) throws(StoreError) -> LogHead {
        try findHead()
        guard head.sequence == expectedHead else {
            throw StoreError(.conflict, "the head is \(head.sequence), not \(expectedHead)")
        }
        guard batch.count > 0 else { return head }
        // The append does not depend on it; `checkpointStorage` reports a disk that refuses.
        try? writeAheadLog.checkpointIfLong(connection)

        var newFrontier = frontier
        subtrees.removeAll(keepingCapacity: true)
        newFrontier.append(batch) { subtrees.append($0) }
        let newHead = LogHead(sequence: newFrontier.size, root: newFrontier.root)

        do throws(StoreError) {
            try begin.run()
            try insert(batch)
            try insertSubtrees()
            try insertCheckpoint(of: newHead, time: batch.timeMicroseconds)
        } catch {
            connection.rollBack()
            if error.code == .conflict {
                // Somebody wrote past the lock. The caller will ask for the head.
                headIsUncertain = true
                try? findHead()
            }
            throw error
        }
        do throws(StoreError) {
            try commit.run()
        } catch {
            try settleFailedCommit(of: newHead, after: error)
        }
        frontier = newFrontier
        head = newHead
        return newHead
    }

    private func insert(_ batch: AppendBatch) throws(StoreError) {
        defer { insertEvent.forgetBindings() }
        try batch.bytes.withUnsafeBufferPointer { bytes throws(StoreError) in
            let bytes = UnsafeRawBufferPointer(bytes)
            for index in 0..<batch.count {
                insertEvent.bind(Int64(head.sequence) + Int64(index) + 1, at: 1)
                insertEvent.bindBorrowed(
                    UnsafeRawBufferPointer(rebasing: bytes[batch.range(at: index)]), at: 2)
                try insertEvent.run()
            }
        }
    }

    private func insertSubtrees() throws(StoreError) {
        for subtree in subtrees {
            insertSubtree.bind(subtree.level, at: 1)
            insertSubtree.bind(Int64(subtree.index), at: 2)
            insertSubtree.bind(subtree.hash, at: 3)
            try insertSubtree.run()
        }
    }

    private func insertCheckpoint(of head: LogHead, time: Int64) throws(StoreError) {
        insertCheckpoint.bind(Int64(head.sequence), at: 1)
        insertCheckpoint.bind(head.root, at: 2)
        insertCheckpoint.bind(time, at: 3)
        try insertCheckpoint.run()
    }

    /// Returns if the commit to `newHead` has happened in spite of `error`, and throws `error` if
    /// it has not and never will.
    mutating func settleFailedCommit(
        of newHead: LogHead, after error: StoreError
    ) throws(StoreError) {
        connection.rollBack()
        headIsUncertain = true
        guard let found = try? LogLoader.newestCheckpoint(in: connection) else { throw error }
        if found == newHead {
            headIsUncertain = false
            return
        }
        // Any head but the old one stays uncertain: the next append loads the log anew.
        if found == head {
            headIsUncertain = false
            // Writes page 1 as it is. If this fails too, the next append's pages do the same; only
            // a crash before it would bring the refused events to light, all of them.
            try? connection.execute(
                "PRAGMA user_version = \(Schema.current.version)", while: "undoing an append")
        }
        throw error
    }

    private mutating func findHead() throws(StoreError) {
        guard headIsUncertain else { return }
        frontier = try LogLoader.frontier(in: connection)
        head = LogHead(sequence: frontier.size, root: frontier.root)
        headIsUncertain = false
    }
}

extension LogWriter {
    /// Moves the write-ahead log into the ledger, as far as readers allow.
    mutating func checkpoint() throws(StoreError) {
        try writeAheadLog.checkpoint(connection)
    }

    /// Saves `snapshot` and drops all but the newest `keeping`, of whatever format. Takes about as
    /// long as writing the bytes twice; appends wait.
    mutating func saveSnapshot(_ snapshot: StoredSnapshot, keeping: Int) throws(StoreError) {
        precondition(snapshot.sequence <= head.sequence, "a snapshot is of logged events")
        precondition(keeping >= 1, "the new snapshot itself is kept")
        var log = writeAheadLog
        defer { writeAheadLog = log }
        do throws(StoreError) {
            try SnapshotTables.save(snapshot, keeping: keeping, in: connection) {
                connection throws(StoreError) in
                try log.checkpointIfLong(connection)
            }
        } catch {
            connection.rollBack()
            // For the space. The next save tries again.
            try? SnapshotTables.removeUnclaimedPieces(in: connection)
            throw error
        }
    }
}
