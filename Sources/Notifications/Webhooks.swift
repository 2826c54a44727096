// The webhooks of one ledger: a thread that follows the log, decides what is to be sent and notes
// what came of it. The sending itself waits for the network, and so is done by tasks: at most one
// for each endpoint, so that a dead one holds up nobody but itself.
//
// The thread is woken by commits, by answers, by whoever changed something, and by time. It holds
// nothing in memory but what is being sent.

package import Billing
package import Engine
package import EventLog
import Glibc
import Synchronization

package final class Webhooks: Sendable {
    private let shared: CourierThread

    /// Nothing is sent until `start`.
    ///
    /// - Parameters:
    ///   - path: of the webhooks' file; made when it is needed.
    ///   - log: called with sentences for the log.
    package init(
        store: any EventStore, path: String,
        settings: NotificationSettings = NotificationSettings(),
        clock: any LedgerClock = SystemClock(),
        log: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        shared = CourierThread(
            store: store, path: path, settings: settings, clock: clock, log: log)
    }

    deinit { shared.stop() }

    package var settings: NotificationSettings { shared.settings }
    package var ledgerID: String { shared.store.identity.ledgerID }
    package var counts: WebhookCounts { shared.counts.withLock { $0 } }
    package var head: UInt64 { shared.store.head.sequence }

    /// Wall-clock time: deliveries know no other, also on a ledger whose clock is set by tests.
    package var now: Instant { shared.clock.now() }

    /// Begins to follow the log and to send.
    package func start(_ transport: any WebhookTransport, wokenBy commits: CommitSignal) {
        let shared = shared
        let observation = commits.observe { [weak shared] in shared?.wake() }
        guard shared.begin(transport, observation) else { return }
        startThread(named: "fg-hooks") { shared.run() }
    }

    /// Looks at the file, or changes it. Blocks. What is changed is taken up at once.
    package func perform<Result: Sendable>(
        _ body: @Sendable (WebhookFile) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        defer { shared.wake() }
        return try shared.withFile(body)
    }

    /// Stops sending and closes the file. What is being sent is broken off, and sent again at the
    /// next start.
    package func close() async { await shared.close() }
}

/// What the thread and its owner share. The thread holds this and not the owner, so that it ends
/// when the owner goes away.
private final class CourierThread: @unchecked Sendable {
    // Unchecked: what is below `monitor` is only touched with its lock held, `file` with `fileLock`
    // held, which is never waited for while `monitor` is.
    let store: any EventStore
    let settings: NotificationSettings
    let clock: any LedgerClock
    let counts = Mutex(WebhookCounts())
    private let path: String
    private let log: @Sendable (String) -> Void
    private let fileLock = Mutex(())
    private var file: WebhookFile?

    private let monitor = Monitor()
    private var transport: (any WebhookTransport)?
    private var observation: CommitSignal.Observation?
    private var sending: [String: Task<Void, Never>] = [:]
    private var outcomes: [(request: WebhookRequest, outcome: AttemptOutcome)] = []
    private var isRunning = false
    private var isStopping = false
    private var isWoken = false

    /// Commits come close together, and a fold costs a transaction.
    private static let pauseMicroseconds: Int64 = 20_000
    private static let retryMicroseconds: Int64 = 1_000_000
    private static let tidyMicroseconds: Int64 = 600_000_000
    private static let sendingMax = 16

    init(
        store: any EventStore, path: String, settings: NotificationSettings,
        clock: any LedgerClock, log: @escaping @Sendable (String) -> Void
    ) {
        self.store = store
        self.path = path
        self.settings = settings
        self.clock = clock
        self.log = log
    }

    // MARK: Owner

    /// Whether the thread is to be made now.
    func begin(
        _ transport: any WebhookTransport, _ observation: CommitSignal.Observation
    ) -> Bool {
        monitor.withLock {
            if isRunning || isStopping { return false }
            isRunning = true
            self.transport = transport
            self.observation = observation
            return true
        }
    }

    func wake() {
        monitor.withLock {
            if isWoken { return }
            isWoken = true
            monitor.broadcast()
        }
    }

    func withFile<Result>(
        _ body: (WebhookFile) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try fileLock.withLock { _ throws(StoreError) in
            if let file { return try body(file) }
            if monitor.withLock({ isStopping }) {
                throw StoreError(.closed, "the webhooks were closed")
            }
            let opened = try WebhookFile.open(path: path, store: store, settings: settings)
            file = opened
            if let notice = opened.takeNotice() {
                log("the notifications are derived from the log anew: \(notice)")
            }
            return try body(opened)
        }
    }

    func stop() {
        monitor.withLock {
            isStopping = true
            observation = nil
            monitor.broadcast()
        }
    }

    func close() async {
        stop()
        let (tasks, transport) = monitor.withLock { (Array(sending.values), self.transport) }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
        await transport?.shutdown()
        // The thread may be in the middle of a transaction; it sees that it is to stop after it.
        while monitor.withLock({ isRunning }) { try? await Task.sleep(for: .milliseconds(2)) }
        fileLock.withLock { _ in file = nil }
    }

    // MARK: The thread

    func run() {
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
        var failure = ""
        var tidiedAt: Int64?
        while let (finished, busy) = next() {
            let now = clock.now()
            var wait: Int64?
            // Who has no webhooks gets no file for them.
            guard hasFile else {
                pause(atMost: Self.tidyMicroseconds, hasFailed: false)
                continue
            }
            do throws(StoreError) {
                wait = try withFile { file throws(StoreError) in
                    for (request, outcome) in finished { try note(request, outcome, file) }
                    if tidiedAt.map({ now.microseconds - $0 >= Self.tidyMicroseconds }) ?? true {
                        try file.tidy(now: now)
                        tidiedAt = now.microseconds
                    }
                    return try turn(file, busy)
                }
                failure = ""
            } catch {
                if error.description != failure { log("webhooks are not sent: \(error)") }
                failure = error.description
                recover()
                wait = Self.retryMicroseconds
            }
            pause(atMost: wait ?? Self.tidyMicroseconds, hasFailed: !failure.isEmpty)
        }
        monitor.withLock { isRunning = false }
    }

    private var hasFile: Bool {
        fileLock.withLock { _ in file != nil } || access(path, F_OK) == 0
    }

    /// What came of requests, and endpoints with one under way; nil at the end.
    private func next() -> (
        finished: [(request: WebhookRequest, outcome: AttemptOutcome)], busy: Set<String>
    )? {
        monitor.withLock {
            if isStopping { return nil }
            isWoken = false
            defer { outcomes = [] }
            return (outcomes, Set(sending.keys))
        }
    }

    private func note(
        _ request: WebhookRequest, _ outcome: AttemptOutcome, _ file: WebhookFile
    ) throws(StoreError) {
        var random = SystemRandomNumberGenerator()
        let reason = try file.finish(
            request.delivery, outcome, now: clock.now(), jitter: random.next())
        counts.withLock { $0.add(outcome) }
        if let reason {
            counts.withLock { $0.switchedOff += 1 }
            log("webhook '\(request.endpoint)' was switched off: \(reason.rawValue)")
        }
    }

    /// Folds what is new, and sends what is due.
    ///
    /// - Returns: microseconds until something is to be done; nil: nothing is, until it comes up.
    private func turn(_ file: WebhookFile, _ busy: Set<String>) throws(StoreError) -> Int64? {
        let folded = try file.fold(now: clock.now())
        let now = clock.now()
        let room = Self.sendingMax - busy.count
        let requests = room > 0 ? try file.due(now: now, busy: busy, limit: room) : []
        for request in requests { send(request) }
        let waiting = try file.waitingCount()
        counts.withLock { $0.waiting = waiting }
        if folded > 0 { return 0 }
        if requests.count == room { return nil }
        let nowBusy = busy.union(requests.map(\.endpoint))
        return try file.nextDue(busy: nowBusy).map { max(0, $0.microseconds - now.microseconds) }
    }

    private func send(_ request: WebhookRequest) {
        monitor.withLock {
            guard !isStopping, let transport else { return }
            sending[request.endpoint] = Task {
                let outcome = await transport.send(request)
                finish(request, outcome, isCancelled: Task.isCancelled)
            }
        }
    }

    private func finish(
        _ request: WebhookRequest, _ outcome: AttemptOutcome, isCancelled: Bool
    ) {
        monitor.withLock {
            sending[request.endpoint] = nil
            // Broken off by our own end: it counts for nothing, and is sent again.
            if isCancelled { return }
            outcomes.append((request, outcome))
            isWoken = true
            monitor.broadcast()
        }
    }

    private func pause(atMost microseconds: Int64, hasFailed: Bool) {
        monitor.withLock {
            if isStopping { return }
            // After a failure nothing but time helps.
            if !isWoken || hasFailed {
                if microseconds > 0 { monitor.wait(microseconds: microseconds) }
            }
            if isStopping || !outcomes.isEmpty || microseconds == 0 { return }
            monitor.wait(microseconds: Self.pauseMicroseconds)
        }
    }

    /// After an error the file is opened anew.
    private func recover() {
        fileLock.withLock { _ in file = nil }
    }
}
