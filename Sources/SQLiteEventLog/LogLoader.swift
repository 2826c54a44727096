// From the file to the log's head.
//
// The newest checkpoint says how many events there are and what their root is. The frontier is
// rebuilt from the kept subtree hashes and the last fewer than 256 events, so that opening costs
// the same for any length of log, and must come to the same root: what was read on the way is then
// undamaged. (`verify` hashes all events again; opening does not.)

import EventLog
import SQLiteBinding

enum LogLoader {
    static let newestCheckpointSQL =
        "SELECT size, root, time_us FROM checkpoints ORDER BY size DESC LIMIT 1"
    static let newestEventSQL = "SELECT seq FROM events ORDER BY seq DESC LIMIT 1"
    static let subtreesSQL =
        "SELECT idx, hash FROM merkle_nodes WHERE level = ? AND idx >= ? AND idx < ? ORDER BY idx"
    static let leavesSQL = "SELECT seq, body FROM events WHERE seq > ? ORDER BY seq"

    /// The frontier over all events; its size and root are the head.
    ///
    /// - Throws: `.corrupt` when events, subtree hashes and checkpoint do not agree.
    static func frontier(in connection: borrowing Connection) throws(StoreError) -> MerkleFrontier {
        let activity = "loading the log's head"
        // One transaction, because a server may be appending meanwhile.
        return try connection.transaction(begin: "BEGIN", while: activity) {
            connection throws(StoreError) in
            let head = try newestCheckpoint(in: connection)
            let newestEvent = try Statement(newestEventSQL, on: connection, activity: activity)
            let eventCount = try newestEvent.step() ? newestEvent.uint64(at: 0) : 0
            guard eventCount == head.sequence else {
                throw StoreError(
                    .corrupt, "\(eventCount) events, but a checkpoint over \(head.sequence)")
            }
            var frontier = MerkleFrontier()
            try appendSubtrees(to: &frontier, size: head.sequence, from: connection)
            try appendLeaves(to: &frontier, from: connection)
            guard frontier.size == head.sequence, frontier.root == head.root else {
                throw StoreError(
                    .corrupt, "the events do not hash to the root of checkpoint \(head.sequence)")
            }
            return frontier
        }
    }

    static func newestCheckpoint(
        in connection: borrowing Connection
    ) throws(StoreError) -> LogHead {
        let newest = try Statement(
            newestCheckpointSQL, on: connection, activity: "reading the newest checkpoint")
        guard try newest.step() else { return LogHead(sequence: 0, root: .emptyRoot) }
        return LogHead(sequence: try newest.uint64(at: 0), root: try newest.hash(at: 1))
    }

    /// The frontier over the first `size` events, from as few rows as the one at the head.
    static func frontier(
        size: UInt64, in connection: borrowing Connection
    ) throws(StoreError) -> MerkleFrontier {
        var frontier = MerkleFrontier()
        try appendSubtrees(to: &frontier, size: size, from: connection)
        try appendLeaves(to: &frontier, upTo: size, from: connection)
        guard frontier.size == size else {
            throw StoreError(.corrupt, "event \(frontier.size + 1) is missing")
        }
        return frontier
    }

    private static func appendSubtrees(
        to frontier: inout MerkleFrontier, size: UInt64, from connection: borrowing Connection
    ) throws(StoreError) {
        let subtrees = try Statement(
            subtreesSQL, on: connection, activity: "reading subtree hashes")
        for (level, indices) in MerkleFrontier.keptSubtrees(size: size) {
            subtrees.bind(level, at: 1)
            subtrees.bind(Int64(indices.lowerBound), at: 2)
            subtrees.bind(Int64(indices.upperBound), at: 3)
            var expected = indices.lowerBound
            try subtrees.forEachRow { row throws(StoreError) in
                guard try row.uint64(at: 0) == expected else { return false }
                frontier.append(subtree: try row.hash(at: 1), level: level)
                expected += 1
                return true
            }
            guard expected == indices.upperBound else {
                throw StoreError(.corrupt, "subtree \(expected) of level \(level) is missing")
            }
        }
    }

    private static func appendLeaves(
        to frontier: inout MerkleFrontier, upTo size: UInt64 = .max,
        from connection: borrowing Connection
    ) throws(StoreError) {
        let leaves = try Statement(leavesSQL, on: connection, activity: "reading the last events")
        leaves.bind(Int64(frontier.size), at: 1)
        try leaves.forEachRow { row throws(StoreError) in
            guard frontier.size < size, try row.uint64(at: 0) == frontier.size + 1 else {
                return false
            }
            frontier.append(row.withBytes(at: 1) { .leaf($0) })
            return true
        }
    }
}
