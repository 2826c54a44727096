// A thread for one actor: what it does waits for the disk, and must not take a thread from those
// that serve calls.

import Engine
import Synchronization

final class ThreadExecutor: SerialExecutor {
    private let monitor = Monitor()
    private struct State {
        var jobs: [UnownedJob] = []
        var isEnding = false
    }
    private let state = Mutex(State())

    init(name: StaticString) {
        // The thread keeps what it waits on, not the executor: it ends when nobody needs it.
        startThread(named: name) { [self] in run() }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        monitor.withLock {
            state.withLock { $0.jobs.append(job) }
            monitor.broadcast()
        }
    }

    /// The thread ends when it has nothing left to do.
    func end() {
        monitor.withLock {
            state.withLock { $0.isEnding = true }
            monitor.broadcast()
        }
    }

    private func run() {
        while let jobs = next() {
            for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
        }
    }

    private func next() -> [UnownedJob]? {
        monitor.withLock {
            while true {
                let (jobs, isEnding) = state.withLock { state in
                    defer { state.jobs = [] }
                    return (state.jobs, state.isEnding)
                }
                if !jobs.isEmpty { return jobs }
                if isEnding { return nil }
                monitor.wait()
            }
        }
    }
}
