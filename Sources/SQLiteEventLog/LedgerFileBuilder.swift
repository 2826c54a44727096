// A ledger's file made from events that are there already: for backups and restores.
//
// Written without journal and sync, because until it is whole nobody uses it: whoever makes it
// syncs it and then gives it its name. It is left without a write-ahead log, as one file; the first
// server that opens it for writing turns that on.

import Archive
package import EventLog
import SQLiteBinding

package struct LedgerFileBuilder: ~Copyable {
    private let connection: Connection
    private let insertEvent: Statement
    private let insertSubtree: Statement
    private let insertCheckpoint: Statement
    private var frontier = MerkleFrontier()
    private var lastCheckpoint: UInt64 = 0
    private var subtrees: [CompletedSubtree] = []

    private static let settings = """
        PRAGMA page_size = 8192;
        PRAGMA auto_vacuum = NONE;
        PRAGMA journal_mode = OFF;
        PRAGMA synchronous = OFF;
        PRAGMA locking_mode = EXCLUSIVE;
        PRAGMA mmap_size = 0;
        PRAGMA cache_size = -16384;
        PRAGMA temp_store = MEMORY;
        PRAGMA trusted_schema = OFF;
        BEGIN;
        """

    /// - Parameter path: of an empty file.
    package static func open(
        path: String, newLedger: NewLedger
    ) throws(StoreError) -> LedgerFileBuilder {
        let place = try DatabasePath(path)
        let activity = "writing the copy"
        let connection = try Connection(path: place.text, access: .readWrite, vfs: nil)
        try connection.execute(settings, while: activity)
        try Schema.current.create(newLedger, in: connection, while: activity)
        let insertEvent = try Statement(
            "INSERT INTO events (seq, body) VALUES (?, ?)", on: connection, activity: activity)
        let insertSubtree = try Statement(
            "INSERT INTO merkle_nodes (level, idx, hash) VALUES (?, ?, ?)", on: connection,
            activity: activity)
        let insertCheckpoint = try Statement(
            "INSERT INTO checkpoints (size, root, time_us) VALUES (?, ?, ?)", on: connection,
            activity: activity)
        return LedgerFileBuilder(
            connection: connection, insertEvent: insertEvent, insertSubtree: insertSubtree,
            insertCheckpoint: insertCheckpoint)
    }

    package var head: LogHead { LogHead(sequence: frontier.size, root: frontier.root) }

    /// Appends the next event.
    package mutating func append(_ event: [UInt8], leaf: MerkleHash) throws(StoreError) {
        defer { insertEvent.forgetBindings() }
        insertEvent.bind(Int64(frontier.size) + 1, at: 1)
        try event.withUnsafeBufferPointer { bytes throws(StoreError) in
            insertEvent.bindBorrowed(UnsafeRawBufferPointer(bytes), at: 2)
            try insertEvent.run()
        }
        subtrees.removeAll(keepingCapacity: true)
        frontier.append(leaf) { subtrees.append($0) }
        for subtree in subtrees {
            insertSubtree.bind(subtree.level, at: 1)
            insertSubtree.bind(Int64(subtree.index), at: 2)
            insertSubtree.bind(subtree.hash, at: 3)
            try insertSubtree.run()
        }
    }

    /// - Throws: `.corrupt` when it is not over the events so far.
    package mutating func append(_ checkpoint: StoredCheckpoint) throws(StoreError) {
        guard checkpoint.head == head else {
            throw StoreError(
                .corrupt, "checkpoint \(checkpoint.head.sequence) is not of these events")
        }
        insertCheckpoint.bind(Int64(checkpoint.head.sequence), at: 1)
        insertCheckpoint.bind(checkpoint.head.root, at: 2)
        insertCheckpoint.bind(checkpoint.timeMicroseconds, at: 3)
        try insertCheckpoint.run()
        lastCheckpoint = checkpoint.head.sequence
    }

    /// Completes the file. Syncing it is left to the caller.
    ///
    /// - Throws: `.corrupt` when the newest event has no checkpoint.
    package consuming func finish() throws(StoreError) {
        guard lastCheckpoint == frontier.size else {
            throw StoreError(.corrupt, "event \(frontier.size) has no checkpoint")
        }
        try connection.execute("COMMIT", while: "writing the copy")
    }
}

extension SQLiteEventStore: ArchivableStore {}
