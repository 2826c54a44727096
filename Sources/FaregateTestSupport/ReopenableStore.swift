// A store for tests that stop an engine and start another on the same log.

package import EventLog
import Synchronization

/// Passes everything on to a store that can be closed and opened again. Makes appends fail on
/// demand, whatever the store, and remembers the snapshots that went through.
package final class ReopenableStore: EventStore {
    private struct State {
        var store: any EventStore
        var snapshots: [StoredSnapshot] = []
        var fault: Fault?
    }

    private struct Fault {
        var error: StoreError
        var batch: InMemoryEventStore.FaultyBatch
    }

    package let identity: LedgerIdentity
    private let open: @Sendable () throws(StoreError) -> any EventStore
    private let isClosable: Bool
    private let state: Mutex<State>

    /// A log that lives as long as this object; closing it does nothing.
    package init(_ store: InMemoryEventStore) {
        identity = store.identity
        open = { () throws(StoreError) in store }
        isClosable = false
        state = Mutex(State(store: store))
    }

    /// A log that `open` opens: now, and whenever it is reopened.
    package init(
        opening open: @escaping @Sendable () throws(StoreError) -> any EventStore
    ) throws(StoreError) {
        let store = try open()
        identity = store.identity
        self.open = open
        isClosable = true
        state = Mutex(State(store: store))
    }

    private var store: any EventStore { state.withLock { $0.store } }

    /// Every snapshot ever saved, oldest first.
    package var snapshots: [StoredSnapshot] { state.withLock { $0.snapshots } }

    /// Opens the log again after whoever used it has closed it.
    package func reopen() throws(StoreError) {
        let store = try open()
        state.withLock { $0.store = store }
    }

    /// Makes the next append fail.
    package func failNextAppend(
        with error: StoreError, batch: InMemoryEventStore.FaultyBatch
    ) {
        state.withLock { $0.fault = Fault(error: error, batch: batch) }
    }

    /// Lets appends pass again.
    package func endFault() { state.withLock { $0.fault = nil } }

    package var head: LogHead { store.head }

    package func append(
        _ batch: AppendBatch, expectedHead: UInt64
    ) throws(StoreError) -> LogHead {
        let store = store
        // What the store itself refuses, or has nothing to do for, meets no disk.
        guard batch.count > 0, store.head.sequence == expectedHead,
            let fault = state.withLock({ $0.fault.take() })
        else { return try store.append(batch, expectedHead: expectedHead) }
        if fault.batch == .kept { _ = try store.append(batch, expectedHead: expectedHead) }
        throw fault.error
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
        state.withLock { $0.snapshots.append(snapshot) }
    }

    package func checkpointStorage() throws(StoreError) { try store.checkpointStorage() }

    package func close() { if isClosable { store.close() } }
}
