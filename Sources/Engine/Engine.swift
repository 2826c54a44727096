// The engine: one thread decides, one thread writes the log.
//
//   callers ──► queue (bounded) ──► decider ──► decided jobs ──► writer ──► answers
//
// The decider takes what is there, decides it on the state in memory and goes on with the next
// while the writer makes the last durable. The writer takes all jobs decided so far and appends
// them in one transaction (group commit), then the answers leave: never before.
//
// When an append fails, the callers of everything decided since get the error, the decider throws
// its state away and folds the log again, and writes are refused for a moment before the next one
// is tried. Reads go on throughout.

package import Billing
package import EventLog
import Pricing

package struct EngineConfiguration: Sendable {
    /// Requests that may wait; more are refused as `overloaded`.
    package var queueMax = 32_768
    /// Events decided and not yet durable; the decider waits beyond.
    package var undurableMax = 16_384
    /// Least number of events between snapshots; a quarter of the log when that is more.
    package var snapshotEvents: UInt64 = 200_000
    /// How long writes are refused after the store failed, microseconds.
    package var retryMicroseconds: Int64 = 1_000_000

    package init() {}
}

package final class Engine: Sendable {
    let shared: EngineShared
    package let store: any EventStore
    package let clock: any LedgerClock

    /// Loads the ledger and starts the threads. Blocks while the log is folded.
    package init(
        store: any EventStore, clock: any LedgerClock, calendar: any WindowCalendar,
        configuration: EngineConfiguration = EngineConfiguration(),
        progress: (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(EngineError) {
        let (state, index) = try EngineLoader.load(store, progress: progress)
        self.store = store
        self.clock = clock
        let core = EngineCore(state: state, index: index, store: store, calendar: calendar)
        shared = EngineShared(configuration: configuration, keys: state.keys)
        if let manual = clock as? ManualClock, manual.now() < state.time { manual.set(state.time) }
        let writer = LogWriter(store: store, shared: shared)
        Decider.start(Decider(core: core, shared: shared, clock: clock))
        startThread(named: "fg-log") { writer.run() }
    }

    /// Carries out one command. Answers after its events are durable.
    package func submit(_ request: EngineRequest) async throws(EngineError) -> CommandReply {
        let result = await withCheckedContinuation { continuation in
            enqueue(.command(request, continuation))
        }
        HandOver.take()
        return try result.get()
    }

    /// Carries out several commands in order, each with its own answer; all take one hop.
    package func submit(_ requests: [EngineRequest]) async -> [Result<CommandReply, EngineError>] {
        if requests.isEmpty { return [] }
        let results = await withCheckedContinuation { continuation in
            enqueue(.commands(requests, continuation))
        }
        HandOver.take()
        return results
    }

    /// Reads the state as of now: what is due has been settled, what is seen is durable.
    package func read<T: Sendable>(
        _ body: @escaping @Sendable (borrowing EngineView) throws(EngineError) -> T
    ) async throws(EngineError) -> T {
        let result: Result<T, EngineError> = await withCheckedContinuation { continuation in
            let query = Work.Query(
                look: { core in
                    let result: Result<T, EngineError>
                    do throws(EngineError) {
                        result = .success(try body(EngineView(core: core)))
                    } catch {
                        result = .failure(error)
                    }
                    return { continuation.resume(returning: result) }
                },
                fail: { continuation.resume(returning: .failure($0)) })
            enqueue(.query(query))
        }
        HandOver.take()
        return try result.get()
    }

    private func enqueue(_ work: Work) {
        if let refusal = shared.enqueue(work) { work.fail(refusal) }
    }

    /// Speaks after every commit.
    package var commits: CommitSignal { shared.commits }

    package var health: EngineHealth { shared.health }

    /// Requests waiting to be decided.
    package var queueDepth: Int { shared.queueDepth }
    /// Requests that may wait to be decided.
    package var queueCapacity: Int { shared.configuration.queueMax }
    /// Events decided and not yet durable.
    package var undurableEvents: Int { shared.undurableEvents }
    /// Requests decided whose callers wait until everything before them is durable.
    package var waitingAnswers: Int { shared.waitingAnswers }
    package var metrics: EngineMetrics { shared.metrics }

    /// The key with this secret, by its hash; also revoked ones. Never waits.
    package func key(secretHash: String) -> APIKey? { shared.key(secretHash: secretHash) }

    /// Finishes what was accepted, takes a snapshot if one is worth it, and closes the store.
    package func shutdown() async {
        await withCheckedContinuation { continuation in shared.stop(continuation) }
        HandOver.take()
    }
}

/// What a query may look at.
package struct EngineView: ~Copyable {
    fileprivate let core: EngineCore

    fileprivate init(core: EngineCore) { self.core = core }

    package var state: LedgerState { core.state }

    /// A reservation, open or resolved, or a usage record; nil when the id is unknown.
    package func reservation(_ key: ReservationKey) throws(EngineError) -> Reservation? {
        try core.reservation(key)
    }

    /// All events of a reservation, oldest first; empty when the id is unknown.
    package func history(of key: ReservationKey) throws(EngineError) -> [RecordedEvent] {
        guard let reservation = try core.reservation(key) else { return [] }
        return try core.history(from: reservation.lastSequence)
    }

    /// The version of the price book in force.
    package func priceVersion(at now: Instant) -> Int64? {
        core.catalog.version(at: now.microseconds)
    }
}
