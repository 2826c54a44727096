// `verify`: does the log prove what it says?
//
// Every figure is recomputed from the stored bytes alone, and the sums a second time by a path of
// their own (`LogAudit`) that shares nothing with `evolve` but the event types.

package import Billing
package import EventLog

/// One named check with how much it looked at and what it found.
package struct VerificationCheck: Sendable, Hashable {
    package var name: String
    package var explanation: String
    package var examined: UInt64
    /// At most 20 kept; `violationCount` has them all.
    package var violations: [String]
    package var violationCount: UInt64

    package var passed: Bool { violationCount == 0 }

    init(_ name: String, _ explanation: String) {
        self.name = name
        self.explanation = explanation
        examined = 0
        violations = []
        violationCount = 0
    }

    mutating func fail(_ text: @autoclosure () -> String) {
        violationCount += 1
        if violations.count < 20 { violations.append(text()) }
    }
}

package struct VerificationReport: Sendable {
    package var head: LogHead
    package var eventCount: UInt64
    package var checks: [VerificationCheck]

    package var passed: Bool { checks.allSatisfy(\.passed) }
}

package enum LedgerVerifier {
    /// Checks every invariant that a log alone can prove, and, where given, that `liveState` is its
    /// fold byte for byte.
    ///
    /// - Parameter progress: events done, events in all.
    /// - Throws: `.unreadable` when the store cannot be read at all; damage inside is a violation.
    package static func verify(
        _ store: any EventStore, liveState: LedgerState? = nil,
        progress: (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(EngineError) -> VerificationReport {
        var run = VerificationRun(store, head: store.head)
        try run.readLog(progress: progress)
        try run.finish(liveState: liveState)
        return VerificationReport(
            head: run.head, eventCount: run.state.sequence, checks: run.checks)
    }
}

private struct VerificationRun {
    let store: any EventStore
    let head: LogHead
    var state = LedgerState()
    var audit = LogAudit()
    var frontier = MerkleFrontier()
    var pendingCheckpoints: [StoredCheckpoint] = []
    var lastCheckpoint: UInt64 = 0
    var snapshot: StoredSnapshot?
    var envelopes = VerificationCheck(
        "envelopes", "stored bytes are canonical, sequence gapless, time never goes back")
    var merkle = VerificationCheck(
        "merkle", "the tree over the stored bytes has the root of every checkpoint")
    var snapshots = VerificationCheck(
        "snapshots", "the newest snapshot is the fold of the log up to it")
    var replay = VerificationCheck("replay", "the live state is the fold of the log, byte for byte")
    var invariants = VerificationCheck(
        "invariants", "held = Σ open holds; charge = Σ where it went; grants add up")

    init(_ store: any EventStore, head: LogHead) {
        self.store = store
        self.head = head
    }

    var checks: [VerificationCheck] {
        [
            envelopes, merkle, audit.resolutions, audit.decisions, audit.sums, invariants,
            snapshots, replay,
        ]
    }

    mutating func readLog(progress: (UInt64, UInt64) -> Void) throws(EngineError) {
        do {
            snapshot = try store.newestSnapshot(
                format: EngineLoader.snapshotFormat, atOrBefore: head.sequence)
        } catch {
            snapshots.fail("\(error)")
        }
        while state.sequence < head.sequence {
            let page: [StoredEvent]
            do {
                page = try store.read(after: state.sequence, limit: 10_000, maxBytes: 16 << 20)
            } catch {
                throw .unreadable("\(error)")
            }
            if page.isEmpty {
                envelopes.fail("event \(state.sequence + 1) is missing")
                return
            }
            for stored in page where stored.sequence <= head.sequence {
                guard check(stored) else { return }
            }
            progress(state.sequence, head.sequence)
        }
    }

    /// False when nothing after this event can be judged.
    private mutating func check(_ stored: StoredEvent) -> Bool {
        envelopes.examined += 1
        let event: RecordedEvent
        do {
            event = try EventCodec.decode(stored.bytes)
        } catch {
            envelopes.fail("event \(stored.sequence): \(error)")
            return false
        }
        var again: [UInt8] = []
        EventCodec.encode(event, into: &again)
        if again != stored.bytes { envelopes.fail("event \(stored.sequence) is not canonical") }
        if event.sequence != state.sequence + 1 || stored.sequence != event.sequence {
            envelopes.fail("event \(stored.sequence) says it is \(event.sequence)")
            return false
        }
        if event.time < state.time {
            envelopes.fail("event \(event.sequence) is earlier than the one before")
        }
        frontier.append(MerkleHash.leaf(stored.bytes)) { _ in }
        checkRoot()
        audit.examine(event)
        state.evolve(event)
        if let snapshot, snapshot.sequence == state.sequence { compare(snapshot) }
        return true
    }

    private mutating func checkRoot() {
        if pendingCheckpoints.isEmpty, lastCheckpoint < frontier.size {
            do {
                pendingCheckpoints = try store.checkpoints(after: lastCheckpoint, limit: 1000)
                    .reversed()
            } catch {
                merkle.fail("\(error)")
            }
        }
        guard let next = pendingCheckpoints.last, next.head.sequence == frontier.size else {
            return
        }
        pendingCheckpoints.removeLast()
        lastCheckpoint = next.head.sequence
        merkle.examined += 1
        if next.head.root != frontier.root { merkle.fail("root at size \(frontier.size) differs") }
    }

    private mutating func compare(_ snapshot: StoredSnapshot) {
        snapshots.examined += 1
        let bytes = snapshot.parts.first { $0.name == EngineLoader.statePart }?.bytes
        if bytes != StateSnapshot.encode(state) {
            snapshots.fail("the snapshot at \(snapshot.sequence) differs from the fold")
        }
    }

    mutating func finish(liveState: LedgerState?) throws(EngineError) {
        if frontier.root != head.root { merkle.fail("the root at the head differs") }
        if lastCheckpoint != head.sequence { merkle.fail("the head has no checkpoint") }
        audit.compare(with: state)
        invariants.examined = UInt64(state.customers.count + state.reservations.count)
        for violation in state.violations() { invariants.fail(violation.description) }
        guard let liveState else { return }
        replay.examined = state.sequence
        if StateSnapshot.encode(liveState) != StateSnapshot.encode(state) {
            replay.fail(StateSnapshot.describeDifference(liveState, state) ?? "the states differ")
        }
    }
}
