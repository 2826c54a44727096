// A log as it stood at one moment, for whoever must read it twice and get the same: its head stays
// where it was, whatever the owner of the file appends meanwhile.

package import EventLog

package final class PinnedLog: EventStore {
    private let store: any EventStore
    package let head: LogHead

    package init(_ store: any EventStore) {
        self.store = store
        head = store.head
    }

    package var identity: LedgerIdentity { store.identity }

    package func append(
        _ batch: AppendBatch, expectedHead: UInt64
    ) throws(StoreError) -> LogHead { throw Self.isPinned }

    package func saveSnapshot(_ snapshot: StoredSnapshot, keeping: Int) throws(StoreError) {
        throw Self.isPinned
    }

    package func checkpointStorage() throws(StoreError) { throw Self.isPinned }

    package func read(
        after sequence: UInt64, limit: Int, maxBytes: Int
    ) throws(StoreError) -> [StoredEvent] {
        let left = head.sequence - min(sequence, head.sequence)
        return try store.read(
            after: sequence, limit: min(limit, Int(clamping: left)), maxBytes: maxBytes)
    }

    package func checkpoints(
        after sequence: UInt64, limit: Int
    ) throws(StoreError) -> [StoredCheckpoint] {
        try store.checkpoints(after: sequence, limit: limit)
            .filter { $0.head.sequence <= head.sequence }
    }

    package func newestSnapshot(
        format: Int, atOrBefore sequence: UInt64
    ) throws(StoreError) -> StoredSnapshot? {
        try store.newestSnapshot(format: format, atOrBefore: min(sequence, head.sequence))
    }

    /// The store itself stays open: it is not this one's to close.
    package func close() {}

    private static var isPinned: StoreError {
        StoreError(.cannotOpen, "the log is only being read")
    }
}
