import Synchronization

/// A value that comes once, or not in time; one task waits for it.
final class OneShot<Value: Sendable>: Sendable {
    private struct State {
        /// Outer nil: nothing yet. Inner nil: it is not waited for any longer.
        var value: Value??
        var waiter: CheckedContinuation<Value?, Never>?
    }

    private let state = Mutex(State())

    init() {}

    /// The first time counts. Nil: whoever waits goes on without it.
    func give(_ value: Value?) {
        let waiter = state.withLock { state -> CheckedContinuation<Value?, Never>? in
            if state.value != nil { return nil }
            state.value = .some(value)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: value)
    }

    func wait() async -> Value? {
        await withCheckedContinuation { continuation in
            let known = state.withLock { state -> Value?? in
                if let value = state.value { return .some(value) }
                precondition(state.waiter == nil, "one task waits")
                state.waiter = continuation
                return nil
            }
            if let known { continuation.resume(returning: known) }
        }
    }
}
