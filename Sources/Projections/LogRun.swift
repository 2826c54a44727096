package import Billing
package import EventLog

/// A run of events of the log, decoded, and a way to any event before them.
package struct LogRun: EventLookup {
    private let store: any EventStore
    package private(set) var events: [RecordedEvent] = []
    /// RFC 6962 leaf hash of the last of `events`.
    package private(set) var leaf = MerkleHash.emptyRoot

    /// Reads the events after `sequence`, up to `head`: at most `limit`, and about `maxBytes`.
    ///
    /// - Throws: `.corrupt` when an event cannot be decoded or is out of order.
    package init(
        _ store: any EventStore, after sequence: UInt64, upTo head: UInt64, limit: Int,
        maxBytes: Int
    ) throws(StoreError) {
        self.store = store
        guard sequence < head else { return }
        let wanted = Int(clamping: min(head - sequence, UInt64(limit)))
        let stored = try store.read(after: sequence, limit: wanted, maxBytes: maxBytes)
        events.reserveCapacity(stored.count)
        for one in stored {
            let event = try Self.decode(one)
            guard event.sequence == sequence + UInt64(events.count) + 1 else {
                throw StoreError(.corrupt, "event \(one.sequence) is out of order")
            }
            events.append(event)
        }
        if let last = stored.last { leaf = .leaf(last.bytes) }
    }

    package func event(_ sequence: UInt64) throws(StoreError) -> RecordedEvent {
        if let first = events.first?.sequence, sequence >= first,
            sequence - first < UInt64(events.count)
        {
            return events[Int(sequence - first)]
        }
        guard sequence > 0 else { throw StoreError(.corrupt, "there is no event 0") }
        let stored = try store.read(after: sequence - 1, limit: 1, maxBytes: 1).first
        guard let stored, stored.sequence == sequence else {
            throw StoreError(.corrupt, "event \(sequence) is missing")
        }
        return try Self.decode(stored)
    }

    private static func decode(_ stored: StoredEvent) throws(StoreError) -> RecordedEvent {
        do throws(CodecError) {
            return try EventCodec.decode(stored.bytes)
        } catch {
            throw StoreError(.corrupt, "event \(stored.sequence): \(error)")
        }
    }
}
