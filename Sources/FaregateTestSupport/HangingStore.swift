// A store in memory whose commits hang when they are told to, as on a disk that does not answer.

import Engine
package import EventLog

package final class HangingStore: EventStore {
    private let store = InMemoryEventStore(identity: LedgerFixture.identity)
    private let monitor = Monitor()
    private final class State: @unchecked Sendable {
        // Unchecked: only touched with the monitor's lock held.
        var isHanging = false
        var waiting = 0
    }
    private let state = State()

    package init() {}

    /// Commits that come from now on do not end.
    package func hang() { monitor.withLock { state.isHanging = true } }

    /// They end, and later ones do not wait.
    package func goOn() {
        monitor.withLock {
            state.isHanging = false
            monitor.broadcast()
        }
    }

    /// Commits that hang.
    package var waiting: Int { monitor.withLock { state.waiting } }

    package var identity: LedgerIdentity { store.identity }
    package var head: LogHead { store.head }

    package func append(
        _ batch: AppendBatch, expectedHead: UInt64
    ) throws(StoreError) -> LogHead {
        monitor.withLock {
            state.waiting += 1
            while state.isHanging { monitor.wait() }
            state.waiting -= 1
        }
        return try store.append(batch, expectedHead: expectedHead)
    }

    package func read(
        after sequence: UInt64, limit: Int, maxBytes: Int
    ) throws(StoreError) -> [StoredEvent] {
        try store.read(after: sequence, limit: limit, maxBytes: maxBytes)
    }

    package func checkpoints(
        after sequence: UInt64, limit: Int
    ) throws(StoreError) -> [StoredCheckpoint] {
        try store.checkpoints(after: sequence, limit: limit)
    }

    package func newestSnapshot(
        format: Int, atOrBefore sequence: UInt64
    ) throws(StoreError) -> StoredSnapshot? {
        try store.newestSnapshot(format: format, atOrBefore: sequence)
    }

    package func saveSnapshot(_ snapshot: StoredSnapshot, keeping: Int) throws(StoreError) {
        try store.saveSnapshot(snapshot, keeping: keeping)
    }

    package func checkpointStorage() throws(StoreError) { try store.checkpointStorage() }

    package func close() { store.close() }
}
