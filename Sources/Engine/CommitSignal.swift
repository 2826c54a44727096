// Wakes whoever follows the log, when there is more of it.
//
// Said on the log-writing thread, after the events are durable: an observer only notes that it was
// woken. How much there is, it finds out from the store, at its own pace.

import Synchronization

package final class CommitSignal: Sendable {
    private struct State {
        var observers: [Int: @Sendable () -> Void] = [:]
        var nextID = 0
    }

    private let state = Mutex(State())

    init() {}

    /// Ends with its last reference.
    package final class Observation: Sendable {
        private let signal: CommitSignal
        private let id: Int

        fileprivate init(_ signal: CommitSignal, _ id: Int) {
            self.signal = signal
            self.id = id
        }

        deinit { signal.state.withLock { _ = $0.observers.removeValue(forKey: id) } }
    }

    /// - Parameter wake: called after each commit, which waits for it: must be quick.
    package func observe(_ wake: @escaping @Sendable () -> Void) -> Observation {
        let id = state.withLock { state in
            defer { state.nextID += 1 }
            state.observers[state.nextID] = wake
            return state.nextID
        }
        return Observation(self, id)
    }

    func fire() {
        let observers = state.withLock { $0.observers }
        for observer in observers.values { observer() }
    }
}
