// The log in memory: what the engine's tests run on, and the plainest reading of the store's
// contract. Nothing is durable.

import Synchronization

package final class InMemoryEventStore: EventStore {
    /// What becomes of the batch whose append is made to fail.
    package enum FaultyBatch: Sendable {
        /// The contract's case: nothing of the batch is in the log.
        case dropped
        /// The batch is in the log, only the answer is lost: a connection that broke during the
        /// commit, or a process that died between commit and answer. The next append after the
        /// old head is a conflict.
        case kept
    }

    package let identity: LedgerIdentity
    private let state = Mutex(State())

    package init(identity: LedgerIdentity) {
        self.identity = identity
    }

    package var head: LogHead { state.withLock { $0.head } }

    /// Makes the next `count` appends fail with `error`. A count of 0 ends a fault at once.
    package func failAppends(
        _ count: Int = 1, with error: StoreError, batch: FaultyBatch = .dropped
    ) {
        precondition(count >= 0, "a number of appends")
        state.withLock { $0.fault = Fault(error: error, batch: batch, remaining: count) }
    }

    package func append(
        _ batch: AppendBatch, expectedHead: UInt64
    ) throws(StoreError) -> LogHead {
        try state.withLock { state throws(StoreError) in
            try state.append(batch, expectedHead: expectedHead)
        }
    }

    package func read(
        after sequence: UInt64, limit: Int, maxBytes: Int
    ) throws(StoreError) -> [StoredEvent] {
        try state.withLock { state throws(StoreError) in
            try state.requireOpen()
            guard sequence < state.head.sequence, limit > 0 else { return [] }
            var events: [StoredEvent] = []
            var byteCount = 0
            for index in Int(sequence)..<state.events.count {
                events.append(
                    StoredEvent(sequence: UInt64(index) + 1, bytes: state.events[index]))
                byteCount += state.events[index].count
                if events.count == limit || byteCount >= maxBytes { break }
            }
            return events
        }
    }

    package func checkpoints(
        after sequence: UInt64, limit: Int
    ) throws(StoreError) -> [StoredCheckpoint] {
        try state.withLock { state throws(StoreError) in
            try state.requireOpen()
            let found = state.checkpoints.lazy.filter { $0.head.sequence > sequence }
            return Array(found.prefix(max(0, limit)))
        }
    }

    package func newestSnapshot(
        format: Int, atOrBefore sequence: UInt64
    ) throws(StoreError) -> StoredSnapshot? {
        try state.withLock { state throws(StoreError) in
            try state.requireOpen()
            return state.snapshots.first { $0.format == format && $0.sequence <= sequence }
        }
    }

    package func saveSnapshot(
        _ snapshot: StoredSnapshot, keeping: Int
    ) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            try state.requireOpen()
            precondition(snapshot.sequence <= state.head.sequence, "a snapshot is of logged events")
            precondition(keeping >= 1, "the new snapshot itself is kept")
            state.snapshots.removeAll { $0.isSamePlace(as: snapshot) }
            let isOlder = state.snapshots.firstIndex { $0.isOlder(than: snapshot) }
            state.snapshots.insert(snapshot, at: isOlder ?? state.snapshots.endIndex)
            state.snapshots = Array(state.snapshots.prefix(keeping))
        }
    }

    package func checkpointStorage() throws(StoreError) {
        try state.withLock { state throws(StoreError) in try state.requireOpen() }
    }

    package func close() {
        state.withLock { $0.isClosed = true }
    }
}

private struct Fault {
    var error: StoreError
    var batch: InMemoryEventStore.FaultyBatch
    var remaining: Int
}

private struct State {
    var frontier = MerkleFrontier()
    var head = LogHead(sequence: 0, root: .emptyRoot)
    var events: [[UInt8]] = []
    var checkpoints: [StoredCheckpoint] = []
    /// Newest first.
    var snapshots: [StoredSnapshot] = []
    var fault: Fault?
    var isClosed = false

    func requireOpen() throws(StoreError) {
        if isClosed { throw StoreError(.closed, "the store was closed") }
    }

    mutating func append(
        _ batch: AppendBatch, expectedHead: UInt64
    ) throws(StoreError) -> LogHead {
        try requireOpen()
        guard expectedHead == head.sequence else {
            throw StoreError(.conflict, "the head is \(head.sequence), not \(expectedHead)")
        }
        guard batch.count > 0 else { return head }
        let fault = takeFault()
        if let fault, fault.batch == .dropped { throw fault.error }
        keep(batch)
        if let fault { throw fault.error }
        return head
    }

    private mutating func keep(_ batch: AppendBatch) {
        frontier.append(batch)
        for index in 0..<batch.count {
            events.append(Array(batch.bytes[batch.range(at: index)]))
        }
        head = LogHead(sequence: frontier.size, root: frontier.root)
        precondition(UInt64(events.count) == head.sequence, "the tree has a leaf for each event")
        checkpoints.append(
            StoredCheckpoint(head: head, timeMicroseconds: batch.timeMicroseconds))
    }

    private mutating func takeFault() -> Fault? {
        guard let current = fault, current.remaining > 0 else { return nil }
        fault?.remaining -= 1
        return current
    }
}

extension StoredSnapshot {
    fileprivate func isSamePlace(as other: StoredSnapshot) -> Bool {
        (sequence, format) == (other.sequence, other.format)
    }

    fileprivate func isOlder(than other: StoredSnapshot) -> Bool {
        (sequence, format) < (other.sequence, other.format)
    }
}
