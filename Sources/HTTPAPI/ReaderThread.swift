// A thread of its own for reads of the log, which block: never on the cooperative pool.
//
// The queue is bounded; what does not fit is refused as overloaded. The thread holds only the
// queue, so that it ends when its owner goes away.

import Engine

final class ReaderThread: Sendable {
    private let queue: Queue

    init(queueMax: Int) {
        queue = Queue(max: queueMax)
        let queue = queue
        startThread(named: "fg-read") {
            while let job = queue.next() { job() }
        }
    }

    deinit { queue.close() }

    /// Runs `body` on the thread.
    func run<T: Sendable>(
        _ body: @escaping @Sendable () throws(APIError) -> T
    ) async throws(APIError) -> T {
        let result: Result<T, APIError> = await withCheckedContinuation { continuation in
            let isTaken = queue.add {
                let result: Result<T, APIError>
                do throws(APIError) {
                    result = .success(try body())
                } catch {
                    result = .failure(error)
                }
                HandOver.give()
                continuation.resume(returning: result)
            }
            if !isTaken { continuation.resume(returning: .failure(.overloaded)) }
        }
        HandOver.take()
        return try result.get()
    }
}

private final class Queue: @unchecked Sendable {
    // Unchecked: `jobs` and `isClosed` are only touched with the monitor's lock held.
    private let monitor = Monitor()
    private let max: Int
    private var jobs: [@Sendable () -> Void] = []
    private var isClosed = false

    init(max: Int) { self.max = max }

    /// False when there is no room.
    func add(_ job: @escaping @Sendable () -> Void) -> Bool {
        monitor.withLock {
            if isClosed || jobs.count >= max { return false }
            jobs.append(job)
            monitor.broadcast()
            return true
        }
    }

    /// Waits for the next job; nil at the end.
    func next() -> (@Sendable () -> Void)? {
        monitor.withLock {
            while jobs.isEmpty && !isClosed { monitor.wait() }
            return jobs.isEmpty ? nil : jobs.removeFirst()
        }
    }

    func close() {
        monitor.withLock {
            isClosed = true
            monitor.broadcast()
        }
    }
}
