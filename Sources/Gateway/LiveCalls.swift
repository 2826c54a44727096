// All calls that are under way, and the one clock that watches them: idle and total timeouts,
// renewal of holds, the limits of reading on for a client that has gone, the end of the server. One
// timer for all, none a call.

import Engine
import Synchronization

final class LiveCalls: Sendable {
    private struct State {
        var calls: [Int: Exchange] = [:]
        var next = 0
        var isTicking = false
        var isClosed = false
        var whenEmpty: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())
    private let tick: Duration

    init(tick: Duration) { self.tick = tick }

    var count: Int { state.withLock { $0.calls.count } }

    /// A place among the calls; nil: the server is stopping, and none begin any more.
    func enter(_ make: (Int) -> Exchange) -> Exchange? {
        let (exchange, needsTicks) = state.withLock { state -> (Exchange?, Bool) in
            if state.isClosed { return (nil, false) }
            defer {
                state.next += 1
                state.isTicking = true
            }
            let exchange = make(state.next)
            state.calls[state.next] = exchange
            return (exchange, !state.isTicking)
        }
        if needsTicks { startTicking() }
        return exchange
    }

    func leave(_ id: Int) {
        let continuation = state.withLock { state in
            state.calls.removeValue(forKey: id)
            guard state.calls.isEmpty else { return CheckedContinuation<Void, Never>?.none }
            defer { state.whenEmpty = nil }
            return state.whenEmpty
        }
        continuation?.resume()
    }

    /// No calls begin any more.
    func close() { state.withLock { $0.isClosed = true } }

    /// Ends all calls: what has come of them is settled.
    func stopAll() {
        close()
        for call in state.withLock({ Array($0.calls.values) }) { call.stop(.shutdown) }
    }

    /// Waits until the last call is settled, or as long as it takes to see that the ledger takes
    /// nothing any more. For one caller.
    func allEnded(within limit: Duration) async {
        let timer = Task { [self] in
            try? await Task.sleep(for: limit)
            let continuation = state.withLock { state in
                defer { state.whenEmpty = nil }
                return state.whenEmpty
            }
            continuation?.resume()
        }
        defer { timer.cancel() }
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if state.calls.isEmpty { return true }
                state.whenEmpty = continuation
                return false
            }
            if isEmpty { continuation.resume() }
        }
    }

    private func startTicking() {
        let tick = tick
        Task { [weak self] in
            while true {
                try? await Task.sleep(for: tick)
                guard let self, self.look() else { return }
            }
        }
    }

    /// False: there is nothing left to watch.
    private func look() -> Bool {
        let calls = state.withLock { state -> [Exchange] in
            state.isTicking = !state.calls.isEmpty
            return Array(state.calls.values)
        }
        let now = monotonicNanos()
        for call in calls { call.tick(now: now) }
        return !calls.isEmpty
    }
}
