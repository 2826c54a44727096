// What may be asked of a reservation in each of its states, and of runs and customers in theirs.

import Billing
import Engine
import FaregateTestSupport
import Money
import Testing

/// Where a reservation stands when something is asked of it.
enum Standing: String, CaseIterable, Sendable {
    case unknown, open, settled, released, expired, charged, rejected, recorded
}

enum Question: String, CaseIterable, Sendable {
    case settle, extend, release, adjust
}

@Suite struct LifecycleDecisionTests {
    /// Nil: carried out, with an event. `nothing`: carried out, nothing to do.
    private static let answers: [Standing: [Question: String]] = [
        .unknown: [
            .settle: "not_found", .extend: "not_found", .release: "not_found",
            .adjust: "not_found",
        ],
        .open: [.adjust: "invalid_request"],
        .settled: [
            .settle: "already_settled", .extend: "already_settled", .release: "already_settled",
        ],
        .released: [
            .settle: "already_released", .extend: "already_released", .release: "nothing",
            .adjust: "not_reserved",
        ],
        .expired: [.extend: "expired", .release: "nothing", .adjust: "not_reserved"],
        .charged: [.extend: "expired", .release: "expired_charged"],
        .rejected: [
            .settle: "not_reserved", .extend: "not_reserved", .release: "not_reserved",
            .adjust: "not_reserved",
        ],
        .recorded: [
            .settle: "not_reserved", .extend: "not_reserved", .release: "not_reserved",
        ],
    ]

    private func bring(_ ledger: LedgerFixture, to standing: Standing) async throws {
        switch standing {
        case .unknown: return
        case .recorded: try await ledger.record("r", ledger.plain("c", 0), 50)
        case .rejected:
            try await ledger.set(BudgetRule(id: "b", window: .lifetime, amount: 1))
            try await ledger.reserve("r", ledger.plain("c", 50))
        default:
            let policy: ExpiryPolicy = standing == .charged ? .charge : .release
            try await ledger.reserve("r", ledger.plain("c", 50), seconds: 10, onExpiry: policy)
            switch standing {
            case .settled: try await ledger.settle("r", 40)
            case .released: try await ledger.ask(.release(ledger.key("r"), reason: nil))
            case .expired, .charged: ledger.clock.advance(seconds: 10)
            default: break
            }
        }
    }

    // Each question in each state has the answer of the table; a refused one leaves no trace, and a
    // carried-out one answers with the reservation as it then is.
    @Test(arguments: Standing.allCases, Question.allCases)
    func questions(_ standing: Standing, _ question: Question) async throws {
        let ledger = try await PlainLedger.fixture()
        try await bring(ledger, to: standing)
        let key = ledger.key("r")
        let correction = Correction.delta(cost: .zero, charge: Money(nanos: -1))
        let command: Command =
            switch question {
            case .settle: .settle(SettleRequest(key: key, actual: .amount(Money(nanos: 30))))
            case .extend: .extend(key, seconds: 60)
            case .release: .release(key, reason: nil)
            case .adjust:
                .adjust(AdjustRequest(key: key, correction: correction, reason: "", author: ""))
            }
        let before = try await ledger.engine.read { $0.state.sequence }
        let expected = Self.answers[standing]?[question]
        do {
            let reply = try await ledger.ask(command)
            #expect((reply.event == nil ? "nothing" : nil) == expected)
            let after: ReservationStatus? =
                switch question {
                case .settle: .settled
                case .extend: .open
                case .release: standing == .expired ? .expired : .released
                case .adjust: ReservationStatus(rawValue: standing.rawValue)
                }
            #expect(reply.reservation?.status == after)
        } catch EngineError.command(let error) {
            #expect(error.code.rawValue == expected)
            #expect(try await ledger.engine.read { $0.state.sequence } == before)
        }
        #expect(try await ledger.failedChecks() == [])
    }

    // A hold ends at its instant, to the microsecond, whether anything is asked in between or not.
    @Test(arguments: [ExpiryPolicy.release, .charge])
    func expiryAtTheInstant(policy: ExpiryPolicy) async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.set(BudgetRule(id: "b", window: .lifetime, amount: 100))
        let call = ledger.flat("c", output: 12, expected: 5)
        try await ledger.reserve("r", call, seconds: 10, onExpiry: policy)
        let end = LedgerFixture.start.advanced(bySeconds: 10)
        ledger.clock.set(Instant(microseconds: end.microseconds - 1))
        #expect(try await ledger.counter("b")?.held == 96)
        #expect(try await ledger.reserve("n1", ledger.plain("c", 60))?.rejection?.freesAt == end)
        ledger.clock.set(end)
        #expect(try await ledger.reserve("n2", ledger.plain("c", 60))?.reservation != nil)
        let counter = try await ledger.counter("b")
        #expect(counter?.held == 60)
        // Provisionally charged is what was expected.
        #expect(counter?.spent == (policy == .charge ? 40 : 0))
        let late = try await ledger.settle("r", input: 0, output: 2)?.settlement
        #expect(late?.isLate == true)
        #expect(late?.replaced.charge.nanos == (policy == .charge ? 40 : 0))
        #expect(try await ledger.counter("b")?.spent == 16)
        #expect(try await ledger.failedChecks() == [])
    }

    // An extended hold lives from the moment of extending; its first end passes without effect.
    @Test func extending() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.reserve("r", ledger.plain("c", 5), seconds: 10)
        ledger.clock.advance(seconds: 9)
        try await ledger.ask(.extend(ledger.key("r"), seconds: 10))
        ledger.clock.advance(seconds: 9)
        #expect(try await ledger.engine.read { $0.state.reservations.count } == 1)
        ledger.clock.advance(seconds: 1)
        #expect(try await ledger.engine.read { $0.state.reservations.count } == 0)
    }

    // A dry run and an invalid request leave the id free; a refusal uses it up.
    @Test func whatUsesUpAnID() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.set(BudgetRule(id: "b", window: .lifetime, amount: 10))
        var dry = ledger.request("r", ledger.plain("c", 5))
        dry.isDryRun = true
        #expect(try await ledger.engine.submit(dry).event?.event.reservation != nil)
        #expect(try await ledger.engine.read { $0.state.customers.isEmpty })
        var wrong = ledger.plain("c", 5)
        wrong.subject.project = "nowhere"
        #expect(
            try await ledger.refusal(.reserve(ReserveRequest(id: "r", call: wrong))) == .notFound)
        #expect(try await ledger.reserve("r", ledger.plain("c", 20))?.rejection != nil)
        await #expect(throws: EngineError.self) {
            try await ledger.reserve("r", ledger.plain("c", 5))
        }
        #expect(try await ledger.reserve("r2", ledger.plain("c", 5))?.reservation != nil)
    }

    // A run's cap is a limit like any other; a stop refuses later calls and lets open ones settle,
    // also when it comes before the run was ever seen.
    @Test func runs() async throws {
        let ledger = try await PlainLedger.fixture()
        let run = RunKey(project: "default", id: "run")
        try await ledger.ask(.startRun(RunRequest(key: run, cap: Money(nanos: 100))))
        try await ledger.reserve("r1", ledger.plain("c", 60, run: "run"))
        let refused = try await ledger.reserve("r2", ledger.plain("c", 41, run: "run"))?.rejection
        #expect(refused?.rule == .runCap)
        #expect(refused?.code == .holdsFull)
        #expect(try await ledger.engine.read { $0.state.runs[run]?.wasCapExceeded } == true)
        let large = try await ledger.reserve("r3", ledger.plain("c", 101, run: "run"))?.rejection
        #expect(large?.code == .requestTooLarge)
        try await ledger.ask(.stopRun(run, reason: "enough"))
        let stopped = try await ledger.reserve("r4", ledger.plain("c", 1, run: "run"))?.rejection
        #expect(stopped?.rule == .runStopped)
        #expect(stopped?.reason == "enough")
        #expect(try await ledger.settle("r1", 70)?.settlement?.rated.charge.nanos == 70)
        #expect(try await ledger.engine.read { $0.state.runs[run]?.counter.spent } == 70)
        #expect(try await ledger.ask(.stopRun(run, reason: nil)).event == nil)

        let early = RunKey(project: "default", id: "early")
        try await ledger.ask(.stopRun(early, reason: nil))
        let never = try await ledger.reserve("r5", ledger.plain("c", 1, run: "early"))?.rejection
        #expect(never?.rule == .runStopped)
        #expect(try await ledger.refusal(.startRun(RunRequest(key: early))) == .alreadyExists)

        let done = RunKey(project: "default", id: "done")
        try await ledger.ask(.startRun(RunRequest(key: done)))
        try await ledger.ask(.endRun(done))
        let ended = try await ledger.reserve("r6", ledger.plain("c", 1, run: "done"))?.rejection
        #expect(ended?.rule == .runEnded)
        #expect(try await ledger.failedChecks() == [])
    }

    // Suspended and closed customers get no new hold, but everything that was begun can be
    // finished.
    @Test(arguments: [true, false])
    func closedDoors(isClosed: Bool) async throws {
        let ledger = try await PlainLedger.fixture()
        let key = ledger.customerKey("c")
        for id in ["settle", "release", "late"] {
            try await ledger.reserve(id, ledger.plain("c", 10), seconds: id == "late" ? 5 : 500)
        }
        try await ledger.ask(
            isClosed ? .closeCustomer(key, reason: "left") : .suspendCustomer(key, reason: "unpaid")
        )
        let refused = try await ledger.reserve("r", ledger.plain("c", 1))?.rejection
        #expect(refused?.code == (isClosed ? .policy : .suspended))
        #expect(refused?.rule == (isClosed ? .customerClosed : .customerSuspended))
        #expect(refused?.reason == (isClosed ? "left" : "unpaid"))
        ledger.clock.advance(seconds: 5)
        #expect(try await ledger.settle("settle", 9)?.settlement?.isLate == false)
        #expect(try await ledger.settle("late", 8)?.settlement?.isLate == true)
        #expect(try await ledger.refusal(.release(ledger.key("release"), reason: nil)) == nil)
        try await ledger.record("u", ledger.plain("c", 0), 7)
        try await ledger.adjust("u", -2)
        #expect(try await ledger.customer("c").totals.charge.nanos == 22)
        #expect(try await ledger.refusal(.resumeCustomer(key)) == (isClosed ? .closed : nil))
        #expect(try await ledger.failedChecks() == [])
    }

    // A settlement of a call reserved by token counts is by usage; an amount only where the project
    // allows it.
    @Test func amountSettlements() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.reserve("r1", ledger.flat("c", output: 10))
        let amount = ActualUsage.amount(Money(nanos: 5))
        #expect(
            try await ledger.refusal(.settle(SettleRequest(key: ledger.key("r1"), actual: amount)))
                == .invalid)
        var project = Project(id: Project.builtIn, name: "Default")
        project.allowsAmountSettlement = true
        try await ledger.ask(.setProject(project))
        try await ledger.reserve("r2", ledger.flat("c", output: 10))
        #expect(try await ledger.settle("r2", 5)?.settlement?.rated.charge.nanos == 5)
        #expect(
            try await ledger.settle("r1", input: 0, output: 0)?.settlement?.rated.charge == .zero)
    }
}
