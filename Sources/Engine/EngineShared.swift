// The state that the engine's threads and its callers share, behind one lock.

import Billing
import EventLog
import Synchronization

final class EngineShared: @unchecked Sendable {
    // Unchecked: everything below `monitor` is only touched with its lock held.
    let configuration: EngineConfiguration
    let commits = CommitSignal()
    let metrics = EngineMetrics()
    private let monitor = Monitor(conditions: 2)
    /// What each of the two threads waits for.
    private static let work = 0
    private static let decided = 1
    private var queue: [Work] = []
    private var queued = 0
    /// When the oldest of `queue` came, nanoseconds of the monotonic clock.
    private var oldestQueued: Int64 = 0
    private var jobs: [CommitJob] = []
    /// Beside the lock: the decider looks at it after every decision.
    private let isWriterWaiting = Atomic(false)
    private var undurable = 0
    /// Callers whose request is decided and who wait for the writer, and how many of them the
    /// writer has in hand.
    private var unanswered = 0
    private var beingAnswered = 0
    private var durableHead: UInt64 = 0
    private var failure: StoreError?
    private var currentHealth = EngineHealth.healthy
    private var stopped: [CheckedContinuation<Void, Never>] = []
    private var isStopping = false
    private var isDeciderDone = false
    private var isClosed = false
    private var keysByHash: [String: APIKey] = [:]

    init(configuration: EngineConfiguration, keys: [String: APIKey]) {
        self.configuration = configuration
        for key in keys.values { keysByHash[key.secretHash] = key }
    }

    // MARK: Callers

    /// Puts work in; a refusal when it cannot be taken.
    func enqueue(_ work: Work) -> EngineError? {
        monitor.withLock {
            if isStopping { return .shuttingDown }
            // Alone a batch always fits, or a large one could never get in.
            if queued > 0, queued + work.size > configuration.queueMax {
                metrics.overloaded()
                return .overloaded
            }
            if queue.isEmpty { oldestQueued = monotonicNanos() }
            queue.append(work)
            queued += work.size
            if queue.count == 1 { monitor.broadcast(Self.work) }
            return nil
        }
    }

    var queueDepth: Int { monitor.withLock { queued } }
    var undurableEvents: Int { monitor.withLock { undurable } }
    var waitingAnswers: Int { monitor.withLock { unanswered } }
    var health: EngineHealth { monitor.withLock { isStopping ? .stopping : currentHealth } }

    func key(secretHash: String) -> APIKey? { monitor.withLock { keysByHash[secretHash] } }

    func stop(_ continuation: CheckedContinuation<Void, Never>) {
        let isOver = monitor.withLock {
            isStopping = true
            if !isClosed { stopped.append(continuation) }
            monitor.broadcast(Self.work)
            return isClosed
        }
        if isOver { continuation.resume() }
    }

    // MARK: Decider

    struct Intake {
        var work: [Work]
        var durableHead: UInt64
        var failure: StoreError?
        /// Nothing more will come.
        var isLast: Bool
        var times: BatchTimes
    }

    /// Waits for work, a failure, the end, or until `microseconds` have passed.
    func takeWork(waitingAtMost microseconds: Int64?) -> Intake {
        monitor.withLock {
            if queue.isEmpty && failure == nil && !isStopping {
                monitor.wait(for: Self.work, microseconds: microseconds)
            }
            // Queries, repeats and refused commands append nothing, and wait all the same: without
            // the second bound they would pile up behind a commit that hangs.
            while failure == nil,
                undurable >= configuration.undurableMax || unanswered >= configuration.queueMax
            {
                monitor.wait(for: Self.work)
            }
            let now = monotonicNanos()
            let intake = Intake(
                work: queue, durableHead: durableHead, failure: failure, isLast: isStopping,
                times: BatchTimes(queued: queue.isEmpty ? now : oldestQueued, taken: now))
            queue = []
            queued = 0
            failure = nil
            return intake
        }
    }

    func hand(_ job: CommitJob) {
        monitor.withLock {
            undurable += job.batch.events.count
            unanswered += job.completions.count
            jobs.append(job)
            isWriterWaiting.store(false, ordering: .relaxed)
            if jobs.count == 1 { monitor.broadcast(Self.decided) }
        }
    }

    /// Whether a job handed over now would be taken at once.
    var isWriterIdle: Bool { isWriterWaiting.load(ordering: .relaxed) }

    func setHealth(_ health: EngineHealth) { monitor.withLock { currentHealth = health } }

    func setKeys(_ keys: [String: APIKey]) {
        monitor.withLock {
            keysByHash = [:]
            for key in keys.values { keysByHash[key.secretHash] = key }
        }
    }

    /// Puts queries of a failed batch back at the front.
    func requeue(_ work: [Work]) {
        monitor.withLock {
            if queue.isEmpty { oldestQueued = monotonicNanos() }
            queue.insert(contentsOf: work, at: 0)
            queued += work.count
            monitor.broadcast(Self.work)
        }
    }

    func deciderIsDone() {
        monitor.withLock {
            isDeciderDone = true
            monitor.broadcast(Self.decided)
        }
    }

    // MARK: Writer

    /// All jobs decided so far; nil at the end; empty when `microseconds` have passed without any.
    func takeJobs(waitingAtMost microseconds: Int64?) -> [CommitJob]? {
        monitor.withLock {
            // What was taken the last time is answered by now.
            if beingAnswered > 0, unanswered >= configuration.queueMax {
                monitor.broadcast(Self.work)
            }
            unanswered -= beingAnswered
            beingAnswered = 0
            if jobs.isEmpty && !isDeciderDone {
                isWriterWaiting.store(true, ordering: .relaxed)
                monitor.wait(for: Self.decided, microseconds: microseconds)
            }
            if jobs.isEmpty { return isDeciderDone ? nil : [] }
            let taken = jobs
            jobs = []
            beingAnswered = unanswered
            return taken
        }
    }

    func appended(_ count: Int, head: UInt64) {
        monitor.withLock {
            durableHead = head
            // Only a decider that was held up waits for this.
            if undurable >= configuration.undurableMax { monitor.broadcast(Self.work) }
            undurable -= count
            if currentHealth != .healthy { currentHealth = .healthy }
        }
    }

    func dropped(_ count: Int, failure error: StoreError?) {
        monitor.withLock {
            undurable -= count
            if let error { failure = error }
            monitor.broadcast(Self.work)
        }
    }

    func closed() {
        let waiting = monitor.withLock {
            isClosed = true
            defer { stopped = [] }
            return stopped
        }
        HandOver.give()
        for continuation in waiting { continuation.resume() }
    }
}
