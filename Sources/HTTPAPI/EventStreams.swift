// Who reads the log as a stream: their number is limited, and they are woken together, by commits
// and now and then by time.
//
// A wake-up says nothing but that it is worth a look. Ten commits before the look are one.

import Engine
import Synchronization

final class EventStreams: Sendable {
    private struct State {
        var readers: [Int: AsyncStream<Void>.Continuation] = [:]
        var nextID = 0
        var isClosed = false
        var isTicking = false
    }

    private let state = Mutex(State())
    private let max: Int
    private let tick: Duration
    private let observation = Mutex<CommitSignal.Observation?>(nil)

    init(max: Int, heartbeat: Duration, commits: CommitSignal) {
        self.max = max
        tick = min(heartbeat, .seconds(1))
        let observation = commits.observe { [weak self] in self?.wake() }
        self.observation.withLock { $0 = observation }
    }

    /// A place among the streams.
    func open() throws(APIError) -> Ticket {
        let (wakes, continuation) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let (id, needsTicks) = try enter(continuation)
        if needsTicks { startTicking() }
        return Ticket(streams: self, id: id, wakes: wakes)
    }

    private func enter(
        _ continuation: AsyncStream<Void>.Continuation
    ) throws(APIError) -> (id: Int, needsTicks: Bool) {
        let max = max
        return try state.withLock { state throws(APIError) in
            if state.isClosed { throw .unavailable("shutting_down", "The server is stopping.") }
            guard state.readers.count < max else {
                throw .unavailable(
                    "too_many_streams",
                    "\(max) streams of events are open, and no more are let in.", retryAfter: 10)
            }
            defer { state.nextID += 1 }
            state.readers[state.nextID] = continuation
            let needsTicks = !state.isTicking
            state.isTicking = true
            return (state.nextID, needsTicks)
        }
    }

    fileprivate func leave(_ id: Int) {
        state.withLock { $0.readers.removeValue(forKey: id) }?.finish()
    }

    fileprivate var isClosed: Bool { state.withLock { $0.isClosed } }

    var count: Int { state.withLock { $0.readers.count } }

    func close() {
        let readers = state.withLock { state in
            state.isClosed = true
            return state.readers
        }
        for reader in readers.values { reader.finish() }
    }

    private func wake() {
        let readers = state.withLock { $0.readers }
        for reader in readers.values { reader.yield() }
    }

    /// For as long as there is anybody to wake.
    private func startTicking() {
        let tick = tick
        Task { [weak self] in
            while true {
                try? await Task.sleep(for: tick)
                guard let self, self.goesOnTicking() else { return }
                self.wake()
            }
        }
    }

    private func goesOnTicking() -> Bool {
        state.withLock { state in
            state.isTicking = !state.readers.isEmpty && !state.isClosed
            return state.isTicking
        }
    }

    /// One stream's place; given back with the last reference.
    final class Ticket: Sendable {
        private let streams: EventStreams
        private let id: Int
        let wakes: AsyncStream<Void>

        fileprivate init(streams: EventStreams, id: Int, wakes: AsyncStream<Void>) {
            self.streams = streams
            self.id = id
            self.wakes = wakes
        }

        /// The server is about to stop.
        var isOver: Bool { streams.isClosed }

        deinit { streams.leave(id) }
    }
}
