// What the engine counts about itself. Recorded once a batch, by the thread that writes the log,
// when the batch is durable: an answer that nobody got is not in the figures. Reading waits for
// nobody, also while a commit hangs.
//
// A batch goes through five phases, measured between six moments of one monotonic clock, in
// nanoseconds. Each phase ends where the next begins, so that their sums make the whole, exactly:
//
//   queue    the oldest request of the batch came in … the deciding thread took it
//   decide   … handed to the writing thread
//   append   … waited for the batch before, was encoded
//   commit   … was written and synced
//   reply    … the last of its callers was resumed

package import Billing
import Glibc
import Money
package import Telemetry

/// When a batch came to each point.
struct BatchTimes: Sendable {
    var queued: Int64 = 0
    var taken: Int64 = 0
    var handed: Int64 = 0

    /// These, handed over now.
    func handedNow() -> BatchTimes {
        BatchTimes(queued: queued, taken: taken, handed: monotonicNanos())
    }
}

package final class EngineMetrics: Sendable {
    package enum Phase: Int, CaseIterable, Sendable {
        case queue, decide, append, commit, reply

        package var name: String { "\(self)" }
    }

    /// What was decided and is durable, as events say it.
    package enum Decision: Int, CaseIterable, Sendable {
        case reserved, rejected, settled, released, extended, expired, recorded, adjusted, estimated

        package var name: String { "\(self)" }
    }

    private let phases = HistogramTable(
        bounds: HistogramTable.latencyBounds, rows: Phase.allCases.count)
    private let whole = HistogramTable(bounds: HistogramTable.latencyBounds)
    private let batchEvents = HistogramTable(bounds: HistogramTable.sizeBounds)
    private let batchAnswers = HistogramTable(bounds: HistogramTable.sizeBounds)
    private let events = CounterTable(Event.types.count)
    private let decisions = CounterTable(Decision.allCases.count)
    private let late = CounterTable(1)
    private static let codes = RejectionCode.allCases
    private static let rules = RejectionRule.allCases
    private let rejections = CounterTable(rules.count * codes.count)
    /// Charge that rejected calls could have cost, nano units, by rule.
    private let rejectedNanos = CounterTable(rules.count)
    private let replays = CounterTable(1)
    private static let failureCodes =
        CommandError.Code.allCases.map(\.rawValue) + [
            "idempotency_mismatch", "store_unavailable", "unreadable",
        ]
    private let failures = CounterTable(failureCodes.count)
    private let commitFailures = CounterTable(1)
    private let overloads = CounterTable(1)
    /// Gauges, each set by one thread.
    private let holds = CounterTable(1)
    private let writeBegan = CounterTable(1)
    private let snapshot = CounterTable(3)

    package init() {}

    // MARK: Recording

    /// A repeated request was answered as before. By the deciding thread.
    func replayed() { replays.addAlone(1) }

    /// A command came to nothing. By the deciding thread.
    func failed(_ error: EngineError) {
        let code: String
        switch error {
        case .command(let error): code = error.code.rawValue
        case .idempotencyMismatch: code = "idempotency_mismatch"
        case .storeUnavailable: code = "store_unavailable"
        case .overloaded, .shuttingDown, .unreadable: code = "unreadable"
        }
        if let place = Self.failureCodes.firstIndex(of: code) { failures.addAlone(1, at: place) }
    }

    /// The queue was full. By any thread.
    func overloaded() { overloads.add(1) }

    /// Reservations that are open. By the deciding thread.
    func setOpenHolds(_ count: Int) { holds.set(Int64(count)) }

    /// Something is being written besides commits, which they wait for: snapshots, and moving the
    /// write-ahead log into the file. By the writing thread, as all below.
    func writing<T>(_ body: () -> T) -> T {
        writeBegan.set(monotonicNanos())
        defer { writeBegan.set(0) }
        return body()
    }

    /// A commit begins; when.
    func beginCommit(events count: Int) -> Int64 {
        let now = monotonicNanos()
        if count > 0 { writeBegan.set(now) }
        return now
    }

    /// A commit ended; when.
    func endCommit(isDone: Bool, events count: Int) -> Int64 {
        writeBegan.set(0)
        if isDone { batchEvents.recordAlone(Int64(count)) } else { commitFailures.addAlone(1) }
        return monotonicNanos()
    }

    /// The callers of a job have their answers.
    func answered(_ job: CommitJob, committing: Int64, committed: Int64) {
        if job.batch.events.isEmpty && job.completions.isEmpty { return }
        count(job.batch.events)
        batchAnswers.recordAlone(Int64(job.completions.count))
        let (times, now) = (job.times, monotonicNanos())
        record(.queue, times.taken - times.queued)
        record(.decide, times.handed - times.taken)
        record(.append, committing - times.handed)
        record(.commit, committed - committing)
        record(.reply, now - committed)
        whole.recordAlone(now - times.queued)
    }

    private func record(_ phase: Phase, _ nanoseconds: Int64) {
        phases.recordAlone(nanoseconds, row: phase.rawValue)
    }

    func savedSnapshot(sequence: UInt64, bytes: Int, microseconds: Int64) {
        snapshot.set(Int64(clamping: sequence), at: 0)
        snapshot.set(Int64(bytes), at: 1)
        snapshot.set(microseconds, at: 2)
    }

    private func count(_ list: [RecordedEvent]) {
        for place in list.indices {
            events.addAlone(1, at: list[place].event.typePlace)
            switch list[place].event {
            case .usageReserved: decided(.reserved)
            case .usageSettled(let event):
                decided(.settled)
                if event.isLate { late.addAlone(1) }
            case .usageRejected(let event):
                decided(.rejected)
                reject(event)
            case .usageReleased: decided(.released)
            case .usageExtended: decided(.extended)
            case .usageExpired: decided(.expired)
            case .usageRecorded: decided(.recorded)
            case .usageAdjusted: decided(.adjusted)
            case .usageEstimated: decided(.estimated)
            default: break
            }
        }
    }

    private func decided(_ decision: Decision) {
        decisions.addAlone(1, at: decision.rawValue)
    }

    private func reject(_ event: UsageRejected) {
        guard let rule = Self.rules.firstIndex(of: event.rule),
            let code = Self.codes.firstIndex(of: event.code)
        else { return }
        rejections.addAlone(1, at: rule * Self.codes.count + code)
        if let bound = event.estimate?.bound.charge {
            rejectedNanos.addAlone(bound.nanos, at: rule)
        }
    }

    // MARK: Reading

    package func reading(_ phase: Phase) -> HistogramReading { phases.reading(phase.rawValue) }
    package var wholeReading: HistogramReading { whole.reading() }
    package var batchEventsReading: HistogramReading { batchEvents.reading() }
    package var batchAnswersReading: HistogramReading { batchAnswers.reading() }

    /// Events made durable since the process began, by type.
    package var eventCounts: [(type: String, count: Int64)] {
        Event.types.indices.map { (Event.types[$0], events[$0]) }
    }

    package var decisionCounts: [(decision: Decision, count: Int64)] {
        Decision.allCases.indices.map { (Decision.allCases[$0], decisions[$0]) }
    }

    package var lateSettlements: Int64 { late[0] }

    /// Rejections by rule and code, those that happened.
    package var rejectionCounts: [(rule: RejectionRule, code: RejectionCode, count: Int64)] {
        var found: [(RejectionRule, RejectionCode, Int64)] = []
        for (rule, name) in Self.rules.enumerated() {
            for (code, reason) in Self.codes.enumerated() {
                let count = rejections[rule * Self.codes.count + code]
                if count > 0 { found.append((name, reason, count)) }
            }
        }
        return found
    }

    /// What rejected calls could have been charged, nano units, by rule.
    package var rejectedCharges: [(rule: RejectionRule, nanos: Int64)] {
        Self.rules.indices.map { (Self.rules[$0], rejectedNanos[$0]) }
    }

    package var replayCount: Int64 { replays[0] }

    /// Commands that came to nothing, by error code.
    package var failureCounts: [(code: String, count: Int64)] {
        Self.failureCodes.indices.map { (Self.failureCodes[$0], failures[$0]) }
    }

    package var commitFailureCount: Int64 { commitFailures[0] }
    package var overloadCount: Int64 { overloads[0] }
    package var openHolds: Int64 { holds[0] }

    /// For how long the commit, or what it waits for, has been under way, nanoseconds; 0: nothing
    /// is being written.
    package var writeNanoseconds: Int64 {
        let began = writeBegan[0]
        return began == 0 ? 0 : max(0, monotonicNanos() - began)
    }

    /// The snapshot saved last by this process; nil: none yet.
    package var lastSnapshot: (sequence: UInt64, bytes: Int64, microseconds: Int64)? {
        guard snapshot[2] > 0 else { return nil }
        return (UInt64(snapshot[0]), snapshot[1], snapshot[2])
    }
}

/// Nanoseconds of the machine's monotonic clock.
package func monotonicNanos() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
