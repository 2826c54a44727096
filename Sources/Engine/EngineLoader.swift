// From the log to a running state: the newest snapshot, then the events after it.
//
// A snapshot holds the state, the memory of ids, and nothing that the log does not say. One that
// cannot be read, or is of another format, is passed over.

package import Billing
package import EventLog

package enum EngineLoader {
    /// Format of the whole snapshot; raised whenever the state's meaning changes, so that old ones
    /// are passed over and the log is folded again.
    package static let snapshotFormat = StateSnapshot.format
    static let statePart = "state"
    static let indexPart = "ids"

    /// State and memory of ids as of `sequence` (default: the head).
    ///
    /// - Parameter progress: called now and then with the events folded so far and the number to
    /// fold.
    package static func load(
        _ store: any EventStore, upTo sequence: UInt64 = .max, usingSnapshots: Bool = true,
        progress: (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(EngineError) -> (state: LedgerState, index: FingerprintIndex) {
        let head: UInt64 = min(store.head.sequence, sequence)
        var state = LedgerState()
        var index = FingerprintIndex()
        if usingSnapshots, let found = try snapshot(store, atOrBefore: head) {
            (state, index) = found
        }
        try fold(store, upTo: head, &state, progress: progress) { index.note($0) }
        return (state, index)
    }

    private static func snapshot(
        _ store: any EventStore, atOrBefore sequence: UInt64
    ) throws(EngineError) -> (LedgerState, FingerprintIndex)? {
        var limit = sequence
        while true {
            let found: StoredSnapshot?
            do {
                found = try store.newestSnapshot(format: snapshotFormat, atOrBefore: limit)
            } catch {
                throw .unreadable("snapshots: \(error)")
            }
            guard let found else { return nil }
            if let stateBytes = found.parts.first(where: { $0.name == statePart })?.bytes,
                let indexBytes = found.parts.first(where: { $0.name == indexPart })?.bytes,
                let state = try? StateSnapshot.decode(stateBytes),
                let index = FingerprintIndex(serialized: indexBytes),
                state.sequence == found.sequence
            {
                return (state, index)
            }
            if found.sequence == 0 { return nil }
            limit = found.sequence - 1
        }
    }

    /// Folds the events after `state.sequence` up to and including `head`.
    package static func fold(
        _ store: any EventStore, upTo head: UInt64, _ state: inout LedgerState,
        progress: (UInt64, UInt64) -> Void = { _, _ in }, each: (RecordedEvent) -> Void = { _ in }
    ) throws(EngineError) {
        let start = state.sequence
        if start < head { progress(0, head - start) }
        while state.sequence < head {
            let page: [StoredEvent]
            do {
                page = try store.read(
                    after: state.sequence, limit: Int(min(head - state.sequence, 10_000)),
                    maxBytes: 16 << 20)
            } catch {
                throw .unreadable("events after \(state.sequence): \(error)")
            }
            guard !page.isEmpty else { throw .unreadable("event \(state.sequence + 1) is missing") }
            for stored in page {
                let event: RecordedEvent
                do {
                    event = try EventCodec.decode(stored.bytes)
                } catch {
                    throw .unreadable("event \(stored.sequence): \(error)")
                }
                guard event.sequence == state.sequence + 1, stored.sequence == event.sequence else {
                    throw .unreadable("event \(stored.sequence) is out of order")
                }
                state.evolve(event)
                each(event)
            }
            progress(state.sequence - start, head - start)
        }
    }

    static func snapshot(of state: LedgerState, _ index: FingerprintIndex) -> StoredSnapshot {
        StoredSnapshot(
            sequence: state.sequence, format: snapshotFormat,
            parts: [
                .init(name: statePart, bytes: StateSnapshot.encode(state)),
                .init(name: indexPart, bytes: index.serialized()),
            ])
    }
}
