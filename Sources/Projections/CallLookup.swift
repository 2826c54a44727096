// What happened to a call before: events after the first name neither model nor budgets, they name
// the event before them. So the log itself is the index, and the views keep no copy of it.

package import Billing
package import EventLog

/// Reads single events of the log.
package protocol EventLookup {
    /// - Throws: when the log cannot be read there.
    func event(_ sequence: UInt64) throws(StoreError) -> RecordedEvent
}

/// A call as it was before one of its later events.
package struct CallBefore {
    /// The reservation or usage record that began it, and what followed.
    package var history: Reservation
    /// Plan, user and so on.
    package var call: CallDescription
    /// What its usage was last said to be; nothing before a settlement.
    package var counts: UsageCounts
}

extension EventLookup {
    /// All that is known of the call of `recorded` up to the event before it.
    ///
    /// - Parameter first: number of the call's first event, when only that is needed.
    /// - Throws: `.corrupt` when the chain of events does not lead to one that begins a call.
    package func call(
        before recorded: RecordedEvent, first: UInt64? = nil
    ) throws(StoreError) -> CallBefore {
        if let first {
            return try begin(try event(first), named: recorded)
        }
        var later: [RecordedEvent] = []
        var next = Reservation.previous(of: recorded)
        while let sequence = next, sequence > 0, sequence < recorded.sequence {
            let found = try event(sequence)
            later.append(found)
            next = Reservation.previous(of: found)
            if let next, next >= sequence { break }
        }
        guard let start = later.popLast() else { throw noBeginning(of: recorded) }
        var result = try begin(start, named: recorded)
        for event in later.reversed() {
            result.history.apply(event)
            switch event.event {
            case .usageSettled(let settled): result.counts = settled.rated.counts
            case .usageAdjusted(let adjusted):
                if let rated = adjusted.rated { result.counts = rated.counts }
            default: break
            }
        }
        return result
    }

    private func begin(
        _ start: RecordedEvent, named recorded: RecordedEvent
    ) throws(StoreError) -> CallBefore {
        guard let history = Reservation(first: start) else { throw noBeginning(of: recorded) }
        switch start.event {
        case .usageReserved(let event):
            return CallBefore(history: history, call: event.call, counts: UsageCounts())
        case .usageRecorded(let event):
            return CallBefore(history: history, call: event.call, counts: event.rated.counts)
        default: throw noBeginning(of: recorded)
        }
    }

    private func noBeginning(of recorded: RecordedEvent) -> StoreError {
        StoreError(.corrupt, "event \(recorded.sequence) belongs to no call")
    }
}
