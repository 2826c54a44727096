// Keeps Stripe and the ledger together: an actor on a thread of its own that follows the log. In
// turns it
//
//   folds what is new on the log → records what came of requests → handles webhooks → plans pushes
//   → sends what is due
//
// Whatever it decides is on the log before anything is sent, and what it holds in memory is only
// when to try again; so it may be stopped at any instant and goes on from the log. Recording and
// planning never overlap, so that a period's pushes are counted and its invoice recorded with
// nothing in between.

import Billing
import CanonicalJSON
package import Engine
package import EventLog
import Glibc
import StripeAPI
import Synchronization

package actor StripeSync {
    let ledger: any StripeLedger
    let store: any EventStore
    let client: any StripeCaller
    let clock: any LedgerClock
    let path: String
    let log: @Sendable (String) -> Void
    private nonisolated let executor: ThreadExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    var settings: StripeSettings
    private var openedFile: StripeFile?
    let judge = PushJudge()
    /// Nil: no webhooks are taken.
    package nonisolated let webhooks: WebhookGate?
    package nonisolated let counts = StripeCounts()
    private nonisolated let latest = Mutex<StripeStatus?>(nil)
    /// Nil: figures are to be looked at anew.
    var lookedAt: ContinuousClock.Instant?

    /// When a push is sent next, microseconds, and how often it was in vain.
    var dueAt: [String: Int64] = [:]
    var attempts: [String: Int64] = [:]
    var busy: Set<StripeJob> = []
    var outcomes: [StripeOutcome] = []
    /// When something that is done now and then is done again.
    var nextAt: [StripeJob: Int64] = [:]
    var plannedAt: Int64 = .min
    var reconciliation = Reconciliation()
    var fetched: [String: JSONValue] = [:]
    /// Whether our meter feeds a price, by its id.
    var feeds: [String: Bool] = [:]
    package internal(set) var lastProblem: String?
    /// What is wrong with the meter; nil: nothing is known to be.
    var meterProblem: String?

    /// Jobs are done one by one within the turn, for simulations.
    let isInline: Bool
    private var isStopping = false
    private nonisolated let isWoken = Atomic<Bool>(false)
    private var observation: CommitSignal.Observation?
    private var tasks: [StripeJob: Task<Void, Never>] = [:]
    private var loop: Task<Void, Never>?

    /// - Parameters:
    ///   - path: of its file; made when it is needed.
    ///   - log: called with sentences for the log.
    package init(
        ledger: any StripeLedger, store: any EventStore, client: any StripeCaller, path: String,
        settings: StripeSettings, webhooks: WebhookGate? = nil,
        clock: any LedgerClock = SystemClock(), isInline: Bool = false,
        log: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.ledger = ledger
        self.store = store
        self.client = client
        self.path = path
        self.settings = settings
        self.webhooks = webhooks
        self.clock = clock
        self.isInline = isInline
        self.log = log
        executor = ThreadExecutor(name: "fg-stripe")
    }

    deinit { executor.end() }

    // MARK: Owner

    /// Begins to follow the log.
    package func start(wokenBy commits: CommitSignal) {
        guard loop == nil, !isStopping else { return }
        observation = commits.observe { [weak self] in
            self?.isWoken.store(true, ordering: .relaxed)
        }
        loop = Task { await self.run() }
    }

    /// Breaks off what is under way; it is sent again at the next start.
    package func stop() async {
        isStopping = true
        observation = nil
        for task in tasks.values { task.cancel() }
        for task in tasks.values { await task.value }
        loop?.cancel()
        await loop?.value
        openedFile = nil
    }

    /// Has sums compared at the next turn.
    package func reconcileSoon() {
        reconciliation.nextRunAt = 0
        wake()
    }

    package nonisolated func wake() { isWoken.store(true, ordering: .relaxed) }

    /// As of some seconds ago; nil: nothing was looked at yet. Waits for nothing.
    package nonisolated var lastStatus: StripeStatus? { latest.withLock { $0 } }

    /// Looking means adding up over all customers: not at every turn.
    private func lookAround() throws(StripeProblem) {
        if let lookedAt, lookedAt.duration(to: .now) < .seconds(10) { return }
        lookedAt = .now
        let status = try status()
        latest.withLock { $0 = status }
    }

    private static let pollMilliseconds: Int64 = 50

    private func run() async {
        while !isStopping {
            var wait: Int64 = 1_000_000
            do throws(StripeProblem) {
                wait = try await turn()
                lastProblem = nil
                try lookAround()
            } catch {
                if lastProblem != error.description { log("Stripe: \(error)") }
                lastProblem = error.description
                openedFile = nil
            }
            let until = clock.now().microseconds.addingClamped(max(wait, 0))
            repeat {
                try? await Task.sleep(for: .milliseconds(Self.pollMilliseconds))
                if isStopping || isWoken.exchange(false, ordering: .relaxed) { break }
                if !outcomes.isEmpty { break }
            } while clock.now().microseconds < until
        }
    }

    func file() throws(StripeProblem) -> StripeFile {
        if let openedFile { return openedFile }
        do throws(StoreError) {
            let file = try StripeFile.open(
                path: path, store: store, windowSeconds: settings.windowSeconds)
            if let notice = file.notice {
                log("what is to be pushed is derived from the log anew: \(notice)")
            }
            openedFile = file
            return file
        } catch {
            throw .store(error)
        }
    }

    /// Looks at the file.
    func reading<T>(
        _ body: (StripeFile) throws(StoreError) -> T
    ) throws(StripeProblem) -> T {
        let file = try file()
        do throws(StoreError) {
            return try body(file)
        } catch {
            throw .store(error)
        }
    }

    // MARK: A turn

    /// Does what is to be done now.
    ///
    /// - Returns: microseconds until the next turn, unless something comes up.
    @discardableResult
    package func turn() async throws(StripeProblem) -> Int64 {
        try foldAll()
        try await takeOutcomes()
        try await handleWebhooks()
        let now = clock.now()
        if now.microseconds >= plannedAt.addingClamped(1_000_000) || isInline {
            plannedAt = now.microseconds
            try await plan()
        }
        try await startJobs()
        try await endRun()
        if !outcomes.isEmpty { return 0 }
        return min(nextDue(now), 1_000_000)
    }

    func foldAll() throws(StripeProblem) {
        try reading { (file: StripeFile) throws(StoreError) in
            while try file.fold() > 0 {}
        }
    }

    /// Records requests, in order, and folds what came of them.
    @discardableResult
    func record(_ requests: [EngineRequest]) async throws(StripeProblem) -> [CommandError?] {
        if requests.isEmpty { return [] }
        var errors: [CommandError?] = []
        for result in await ledger.submit(requests) {
            switch result {
            case .success: errors.append(nil)
            case .failure(.command(let error)): errors.append(error)
            case .failure(let error): throw .engine(error)
            }
        }
        try foldAll()
        return errors
    }

    // MARK: Jobs

    private func startJobs() async throws(StripeProblem) {
        let jobs = try jobsDue()
        for (job, fetch) in jobs {
            busy.insert(job)
            if isInline {
                let result = await Self.carryOut(job, fetch, client)
                outcomes.append(StripeOutcome(job: job, result: result))
                busy.remove(job)
                try await takeOutcomes()
            } else {
                let client = client
                tasks[job] = Task {
                    let result = await Self.carryOut(job, fetch, client)
                    self.finish(StripeOutcome(job: job, result: result), Task.isCancelled)
                }
            }
        }
    }

    private nonisolated static func carryOut(
        _ job: StripeJob, _ fetch: StripeFetch, _ client: any StripeCaller
    ) async -> Result<StripeAnswer, AttemptFailure> {
        guard case .push = job, case .once(let call) = fetch else {
            return await client.fetch(fetch)
        }
        do throws(AttemptFailure) {
            return .success(try await client.performOnce(call))
        } catch {
            return .failure(error)
        }
    }

    private func finish(_ outcome: StripeOutcome, _ isCancelled: Bool) {
        tasks[outcome.job] = nil
        busy.remove(outcome.job)
        if !isCancelled { outcomes.append(outcome) }
    }

    /// Microseconds until something is due by its time alone.
    private func nextDue(_ now: Instant) -> Int64 {
        let times = dueAt.values.filter { $0 > now.microseconds }
        return (times.min() ?? .max).addingClamped(-now.microseconds)
    }
}

/// Why a turn was broken off. The next one begins from the log.
package enum StripeProblem: Error, Sendable, CustomStringConvertible {
    case store(StoreError)
    case engine(EngineError)

    package var description: String {
        switch self {
        case .store(let error): "\(error)"
        case .engine(let error): "the ledger refuses: \(error)"
        }
    }
}

extension Int64 {
    func addingClamped(_ other: Int64) -> Int64 {
        var sum = self
        sum.add(other)
        return sum
    }
}
