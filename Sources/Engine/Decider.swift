// The deciding thread.
//
// A struct that its thread owns, not a class: what is asked of the state is then asked in place,
// without a copy of the core's dozen tables for each question.

import Billing
import EventLog

struct Decider: ~Copyable {
    private var core: EngineCore
    private let shared: EngineShared
    private let clock: any LedgerClock
    private var epoch = 0
    private var times = BatchTimes()
    private var completions: [Completion] = []
    private var refusing: (error: StoreError, untilMicroseconds: Int64, headSequence: UInt64)?
    private var lastSnapshot: UInt64
    private var snapshotUnderway: SnapshotTask?
    /// Set when the log could not be folded again: there is no state to read.
    private var unreadable: EngineError?
    /// While the writer has nothing to do, answers are handed over in the middle of a round, this
    /// many together: fewer would not be worth a commit.
    private static let handOverAtLeast = 16

    init(core: consuming EngineCore, shared: EngineShared, clock: any LedgerClock) {
        lastSnapshot = core.state.sequence
        self.core = core
        self.shared = shared
        self.clock = clock
    }

    /// Hands the decider to a thread of its own.
    static func start(_ decider: consuming Decider) {
        let handover = Handover(decider)
        startThread(named: "fg-decide") {
            guard var decider = handover.take() else { return }
            decider.run()
        }
    }

    private final class Handover: @unchecked Sendable {
        // Unchecked: filled before its thread begins, emptied by it.
        private var decider: Decider?

        init(_ decider: consuming Decider) { self.decider = consume decider }

        func take() -> Decider? { decider.take() }
    }

    private mutating func run() {
        while true {
            let intake = shared.takeWork(waitingAtMost: patience())
            times = intake.times
            if let failure = intake.failure { rollBack(failure) }
            core.markDurable(upTo: intake.durableHead)
            if let refusing, intake.durableHead > refusing.headSequence { self.refusing = nil }
            let now = core.time(clock)
            if mayWrite(), core.settleDue(now, limit: 4096) { flush() }
            for work in intake.work {
                decide(work)
                if completions.count >= Self.handOverAtLeast, shared.isWriterIdle { flush() }
            }
            flush()
            keepSnapshot()
            if intake.isLast && intake.work.isEmpty { break }
        }
        finish()
    }

    /// How long to wait for work: until the next timer, at most a second; on a manual clock for
    /// ever.
    private func patience() -> Int64? {
        if snapshotUnderway != nil { return 50_000 }
        guard clock.isReal else { return nil }
        guard let earliest = core.timers.earliest else { return 1_000_000 }
        return min(max(earliest.microseconds - clock.now().microseconds, 1_000), 1_000_000)
    }

    private func mayWrite() -> Bool {
        if unreadable != nil { return false }
        guard let refusing else { return true }
        return monotonicMicroseconds() >= refusing.untilMicroseconds
    }

    private mutating func decide(_ work: Work) {
        if let unreadable {
            work.fail(unreadable)
            return
        }
        switch work {
        case .command(let request, let continuation):
            completions.append(.command(continuation, answer(request)))
        case .commands(let requests, let continuation):
            completions.append(.commands(continuation, requests.map { answer($0) }))
        case .query(let query):
            completions.append(.query(query, query.look(core)))
        }
    }

    private mutating func answer(_ request: EngineRequest) -> Result<CommandReply, EngineError> {
        if !request.isDryRun, !mayWrite(), let refusing {
            shared.metrics.failed(.storeUnavailable(refusing.error))
            return .failure(.storeUnavailable(refusing.error))
        }
        var now = core.time(clock)
        if case .advanceClock(let to) = request.command, to > now, core.state.ledger.isTestClock {
            now = to
        }
        if mayWrite() { while core.settleDue(now, limit: 4096) { flush() } }
        do throws(EngineError) {
            let reply = try core.process(request, now: now)
            if case .advanceClock(let to) = request.command { (clock as? ManualClock)?.set(to) }
            switch reply.event?.event {
            case .keyCreated, .keyRevoked: shared.setKeys(core.state.keys)
            default: break
            }
            if reply.isReplay { shared.metrics.replayed() }
            return .success(reply)
        } catch {
            shared.metrics.failed(error)
            return .failure(error)
        }
    }

    /// Hands everything decided so far to the writer.
    private mutating func flush() {
        let batch = core.takeBatch()
        if batch.events.isEmpty && completions.isEmpty { return }
        let waiting = completions
        completions = []
        shared.metrics.setOpenHolds(core.state.reservations.count)
        shared.hand(
            CommitJob(
                epoch: epoch, batch: batch, completions: waiting, times: times.handedNow()))
    }

    // MARK: Failure

    private mutating func rollBack(_ failure: StoreError) {
        epoch += 1
        switch failure.code {
        case .full, .inputOutput:
            shared.setHealth(.degraded(failure))
            refusing = (
                failure, monotonicMicroseconds() + shared.configuration.retryMicroseconds,
                core.store.head.sequence
            )
        default:
            shared.setHealth(.halted(failure))
            refusing = (failure, .max, .max)
        }
        do throws(EngineError) {
            let (state, index) = try EngineLoader.load(core.store)
            core = EngineCore(
                state: state, index: index, store: core.store, calendar: core.calendar)
            shared.setKeys(core.state.keys)
        } catch {
            unreadable = error
        }
    }

    // MARK: Snapshots

    /// A snapshot now and then, at ever longer distances, so that all of them together cost no more
    /// than a constant for each event.
    private mutating func keepSnapshot() {
        if let task = snapshotUnderway {
            guard let snapshot = task.result else { return }
            snapshotUnderway = nil
            if task.epoch == epoch { hand(snapshot) }
            return
        }
        let distance = max(shared.configuration.snapshotEvents, core.state.sequence / 4)
        // After a roll-back the last snapshot may be ahead of the state.
        let tail = core.state.sequence - min(lastSnapshot, core.state.sequence)
        guard tail >= distance else { return }
        lastSnapshot = core.state.sequence
        snapshotUnderway = SnapshotTask(core.state, core.index, epoch: epoch)
    }

    private func hand(_ snapshot: StoredSnapshot) {
        shared.hand(
            CommitJob(
                epoch: epoch, batch: DecidedBatch(expectedHead: core.state.sequence),
                completions: [], snapshot: snapshot))
    }

    private mutating func finish() {
        // It is most of what the next start needs, and the log goes on from it.
        if let task = snapshotUnderway, task.epoch == epoch, refusing == nil {
            hand(task.waitForResult())
        }
        // Worth it when folding the tail at the next start would take longer than a moment.
        let tail = core.state.sequence - min(lastSnapshot, core.state.sequence)
        if unreadable == nil, refusing == nil, tail >= 20_000 {
            hand(EngineLoader.snapshot(of: core.state, core.index))
        }
        shared.deciderIsDone()
    }
}

/// Encodes a snapshot on a thread of its own from a copy of the state, while the original goes on.
final class SnapshotTask: @unchecked Sendable {
    // Unchecked: `stored` is only touched with the monitor's lock held.
    let epoch: Int
    private let monitor = Monitor()
    private var stored: StoredSnapshot?

    init(_ state: LedgerState, _ index: FingerprintIndex, epoch: Int) {
        self.epoch = epoch
        startThread(named: "fg-snapshot") { [self] in
            let snapshot = EngineLoader.snapshot(of: state, index)
            monitor.withLock {
                stored = snapshot
                monitor.broadcast()
            }
        }
    }

    var result: StoredSnapshot? { monitor.withLock { stored } }

    func waitForResult() -> StoredSnapshot {
        monitor.withLock {
            while true {
                if let stored { return stored }
                monitor.wait()
            }
        }
    }
}
