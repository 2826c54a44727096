// Balances, now and then. A balance of the past is the fold of the log up to there: the newest
// snapshot before it, then the events after that. It takes as long as the log is long, so one is
// made at a time, on a thread of its own.

import Billing
import Engine
import EventLog
import TimeZones

extension API {
    func getBalance(_ call: APICall) async throws(APIError) -> APIResponse {
        let key = CustomerKey(project: try call.project(), id: call.parameters[0])
        let view: BalanceView?
        if let point = try PointInTime(call, now: engine.clock.now()) {
            let store = engine.store
            view = try await foldReader.run { () throws(APIError) in
                try Self.balance(of: key, at: point, store)
            }
        } else {
            let clock = engine.clock
            view = try await read { view in
                let state = view.state
                return BalanceView(state, key, at: max(clock.now(), state.time))
            }
        }
        guard let view else { throw noCustomer(key) }
        return APIResponse(status: 200, body: view.body(currency: currency))
    }

    private static func balance(
        of key: CustomerKey, at point: PointInTime, _ store: any EventStore
    ) throws(APIError) -> BalanceView? {
        let head = store.head.sequence
        let sequence: UInt64
        switch point {
        case .sequence(let wanted):
            guard wanted <= head else {
                throw .notFound(
                    "There is no event \(wanted) yet; the log ends at \(head).", param: "as_of")
            }
            sequence = wanted
        case .instant(let instant):
            sequence = try newestSequence(at: instant, head: head, store)
        }
        guard sequence > 0 else { return nil }
        do throws(EngineError) {
            let (state, _) = try EngineLoader.load(store, upTo: sequence)
            let time =
                switch point {
                case .sequence: state.time
                case .instant(let instant): max(instant, state.time)
                }
            return BalanceView(state, key, at: time)
        } catch {
            throw APIError(error)
        }
    }

    /// Number of the last event that was not later than `instant`: times never go back, so a binary
    /// search finds it.
    private static func newestSequence(
        at instant: Instant, head: UInt64, _ store: any EventStore
    ) throws(APIError) -> UInt64 {
        var low: UInt64 = 0
        var high = head
        while low < high {
            let middle = low + (high - low + 1) / 2
            if try time(of: middle, store) <= instant { low = middle } else { high = middle - 1 }
        }
        return low
    }

    private static func time(
        of sequence: UInt64, _ store: any EventStore
    ) throws(APIError) -> Instant {
        do {
            guard let stored = try store.read(after: sequence - 1, limit: 1, maxBytes: 1).first
            else {
                throw EngineError.unreadable("event \(sequence) is missing")
            }
            return try EventCodec.envelope(stored.bytes).time
        } catch let error as EngineError {
            throw APIError(error)
        } catch {
            throw APIError(EngineError.unreadable("event \(sequence): \(error)"))
        }
    }
}

/// A point on the log.
private enum PointInTime: Sendable {
    case sequence(UInt64)
    case instant(Instant)

    /// `as_of`: digits are a sequence number, anything else a time, at most now. Nil when absent.
    init?(_ call: APICall, now: Instant) throws(APIError) {
        guard let text = call.queryText("as_of") else { return nil }
        if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let sequence = UInt64(text) {
            guard (1..<(1 << 53)).contains(sequence) else {
                throw .invalid("as_of must be 1 or more", param: "as_of")
            }
            self = .sequence(sequence)
            return
        }
        // A plus sign that was not encoded has become a space.
        let time = String(text.map { $0 == " " ? "+" : $0 })
        guard let microseconds = try? RFC3339.parse(time) else {
            throw .invalid(
                "as_of must be the number of an event, or a time as 2026-11-22T14:45:19Z",
                param: "as_of")
        }
        self = .instant(min(Instant(microseconds: microseconds), now))
    }
}
