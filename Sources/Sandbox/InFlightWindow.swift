import Synchronization

/// Bounds how many calls are under way at a time. One task enters, any task leaves.
final class InFlightWindow: Sendable {
    private struct State {
        var inFlight = 0
        var most = 0
        var waits = 0
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) {
        precondition(limit > 0, "room for a call")
        self.limit = limit
    }

    /// Calls under way now, the most there ever were, and how often a call had to wait.
    var figures: (now: Int, most: Int, waits: Int) {
        state.withLock { ($0.inFlight, $0.most, $0.waits) }
    }

    /// Waits for room. Only one task may do so at a time.
    func enter() async {
        let isFull = state.withLock { state in
            if state.inFlight == limit { return true }
            state.inFlight += 1
            state.most = max(state.most, state.inFlight)
            return false
        }
        guard isFull else { return }
        await withCheckedContinuation { continuation in
            let hasRoom = state.withLock { state in
                state.waits += 1
                // Somebody may have left in between.
                if state.inFlight < limit {
                    state.inFlight += 1
                    return true
                }
                precondition(state.waiting == nil, "one task enters")
                state.waiting = continuation
                return false
            }
            if hasRoom { continuation.resume() }
        }
    }

    func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            precondition(state.inFlight > 0, "left without having entered")
            // Who waits takes the place over.
            if let next = state.waiting {
                state.waiting = nil
                return next
            }
            state.inFlight -= 1
            return nil
        }
        next?.resume()
    }
}
