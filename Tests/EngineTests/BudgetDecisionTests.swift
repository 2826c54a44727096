// What budgets do to a call, as tables. Amounts are nano units; flat-small costs 4 an input token
// and 8 an output token.

import Billing
import Engine
import FaregateTestSupport
import Money
import Testing

@Suite struct BudgetDecisionTests {
    struct Reaction: Sendable {
        var onExceed: OnExceed
        var outcome: LineOutcome
        var maxOutputTokens: Int64?
        var hold: Int64
    }

    // A call of 1,640 on a limit of 1,000: refused, made smaller, let through marked, let through
    // noted.
    @Test(arguments: [
        Reaction(onExceed: .reject, outcome: .refused, maxOutputTokens: nil, hold: 1640),
        Reaction(onExceed: .clamp, outcome: .clamped, maxOutputTokens: 120, hold: 1000),
        Reaction(onExceed: .warn, outcome: .warned, maxOutputTokens: 200, hold: 1640),
        Reaction(onExceed: .shadow, outcome: .shadowed, maxOutputTokens: 200, hold: 1640),
    ])
    func reactions(_ reaction: Reaction) async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.set(
            BudgetRule(id: "b", window: .lifetime, amount: 1000, onExceed: reaction.onExceed))
        let event = try await ledger.reserve("r", ledger.flat("c", input: 10, output: 200))
        let line = event?.reservation?.lines.first ?? event?.rejection?.lines.first
        #expect(line?.outcome == reaction.outcome)
        #expect(line?.hold == reaction.hold)
        #expect(event?.reservation?.estimate.maxOutputTokens == reaction.maxOutputTokens)
        #expect(event?.reservation?.clampedFrom == (reaction.onExceed == .clamp ? 200 : nil))
        #expect(event?.rejection?.affordableMaxTokens == (reaction.onExceed == .reject ? 120 : nil))
        let held = try await ledger.counter("b")?.held
        #expect(held == (reaction.onExceed == .reject ? nil : reaction.hold))
        #expect(try await ledger.failedChecks() == [])
    }

    struct Clamp: Sendable {
        var measure: BudgetMeasure
        var holds: HoldFigure
        var amount: Int64
        /// Nil: refused.
        var maxOutputTokens: Int64?
    }

    // A cap is lowered as far as the measure and the held figure ask, and no further; to nothing,
    // never.
    @Test(arguments: [
        Clamp(measure: .cost, holds: .bound, amount: 1000, maxOutputTokens: 120),
        Clamp(measure: .cost, holds: .bound, amount: 1007, maxOutputTokens: 120),
        Clamp(measure: .cost, holds: .bound, amount: 1008, maxOutputTokens: 121),
        Clamp(measure: .tokens, holds: .bound, amount: 100, maxOutputTokens: 90),
        Clamp(measure: .charge, holds: .expected, amount: 840, maxOutputTokens: 200),
        Clamp(measure: .charge, holds: .expected, amount: 839, maxOutputTokens: 99),
        Clamp(measure: .tokens, holds: .expected, amount: 60, maxOutputTokens: 50),
        Clamp(measure: .charge, holds: .bound, amount: 48, maxOutputTokens: 1),
        Clamp(measure: .charge, holds: .bound, amount: 47, maxOutputTokens: nil),
        Clamp(measure: .charge, holds: .bound, amount: 0, maxOutputTokens: nil),
    ])
    func clamping(_ clamp: Clamp) async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.set(
            BudgetRule(
                id: "b", measure: clamp.measure, window: .lifetime, amount: clamp.amount,
                holds: clamp.holds, onExceed: .clamp))
        let call = ledger.flat("c", input: 10, output: 200, expected: 100)
        let event = try await ledger.reserve("r", call)
        #expect(event?.reservation?.estimate.maxOutputTokens == clamp.maxOutputTokens)
        #expect((event?.rejection != nil) == (clamp.maxOutputTokens == nil))
    }

    struct Refusal: Sendable {
        var limit: Int64
        var spent: Int64
        var held: Int64
        var need: Int64
        var code: RejectionCode?
    }

    // Too large for ever, used up for now, or only held: at the boundary and one beyond it.
    @Test(arguments: [
        Refusal(limit: 100, spent: 0, held: 0, need: 100, code: nil),
        Refusal(limit: 100, spent: 0, held: 0, need: 101, code: .requestTooLarge),
        Refusal(limit: 100, spent: 60, held: 0, need: 40, code: nil),
        Refusal(limit: 100, spent: 60, held: 0, need: 41, code: .exhausted),
        Refusal(limit: 100, spent: 60, held: 10, need: 31, code: .holdsFull),
        Refusal(limit: 100, spent: 60, held: 10, need: 40, code: .holdsFull),
        Refusal(limit: 100, spent: 60, held: 10, need: 41, code: .exhausted),
        Refusal(limit: 100, spent: 60, held: 40, need: 101, code: .requestTooLarge),
        Refusal(limit: 100, spent: 100, held: 0, need: 0, code: nil),
        Refusal(limit: 100, spent: 101, held: 0, need: 0, code: .exhausted),
        Refusal(limit: 0, spent: 0, held: 0, need: 0, code: nil),
        Refusal(limit: 0, spent: 0, held: 0, need: 1, code: .requestTooLarge),
    ])
    func refusals(_ row: Refusal) async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.set(BudgetRule(id: "b", window: .day, amount: row.limit))
        if row.spent > 0 { try await ledger.record("u", ledger.plain("c", 0), row.spent) }
        if row.held > 0 {
            try await ledger.reserve("h1", ledger.plain("c", row.held - 1), seconds: 90)
            try await ledger.reserve("h2", ledger.plain("c", 1), seconds: 40)
        }
        let refused = try await ledger.reserve("r", ledger.plain("c", row.need))?.rejection
        #expect(refused?.code == row.code)
        guard let refused else { return }
        #expect(refused.rule == .budget)
        #expect(refused.budget == "b")
        #expect([refused.amount, refused.spent, refused.held] == [row.limit, row.spent, row.held])
        #expect(refused.available == row.limit - row.spent - row.held)
        switch refused.code {
        case .exhausted: #expect(refused.freesAt == LedgerFixture.start.advanced(bySeconds: 43_200))
        case .holdsFull: #expect(refused.freesAt == LedgerFixture.start.advanced(bySeconds: 40))
        default: #expect(refused.freesAt == nil)
        }
    }

    // A hold on counters that a new rule has replaced, or on another project's run of the same
    // name, is not in the way and does not date a refusal.
    @Test func holdsElsewhereAreNotInTheWay() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.ask(.setProject(Project(id: "other", name: "Other")))
        try await ledger.set(BudgetRule(id: "b", window: .lifetime, amount: 100))
        try await ledger.reserve("old", ledger.plain("c", 10), seconds: 5)
        try await ledger.ask(.removeBudget(id: "b"))
        try await ledger.set(BudgetRule(id: "b", window: .lifetime, amount: 100))
        try await ledger.reserve("new", ledger.plain("c", 60), seconds: 50)
        let refused = try await ledger.reserve("r", ledger.plain("c", 60))?.rejection
        #expect(refused?.code == .holdsFull)
        #expect(refused?.freesAt == LedgerFixture.start.advanced(bySeconds: 50))
        try await ledger.ask(.removeBudget(id: "b"))

        for project in ["default", "other"] {
            let key = RunKey(project: project, id: "run")
            try await ledger.ask(.startRun(RunRequest(key: key, cap: Money(nanos: 100))))
        }
        var elsewhere = ledger.plain("c", 10, run: "run")
        elsewhere.subject.project = "other"
        try await ledger.reserve("a", elsewhere, seconds: 7)
        try await ledger.reserve("b", ledger.plain("c", 60, run: "run"), seconds: 70)
        let capped = try await ledger.reserve("d", ledger.plain("c", 60, run: "run"))?.rejection
        #expect(capped?.rule == .runCap)
        #expect(capped?.freesAt == LedgerFixture.start.advanced(bySeconds: 70))
    }

    // A call passes all of its budgets or leaves no hold on any.
    @Test func allOrNone() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.set(BudgetRule(id: "a", window: .lifetime, amount: 1000))
        try await ledger.set(BudgetRule(id: "b", measure: .requests, window: .lifetime, amount: 0))
        #expect(try await ledger.reserve("r", ledger.plain("c", 10))?.rejection?.budget == "b")
        #expect(try await ledger.counter("a") == nil)
    }

    // A smaller limit or another reaction keeps what was spent; another unit starts at zero, and
    // holds of before do not come back to it.
    @Test func changedBudgets() async throws {
        let ledger = try await PlainLedger.fixture()
        var rule = BudgetRule(id: "b", window: .lifetime, amount: 100)
        try await ledger.set(rule)
        try await ledger.record("u", ledger.plain("c", 0), 30)
        try await ledger.reserve("h", ledger.plain("c", 20))
        rule.amount = 40
        rule.onExceed = .warn
        try await ledger.set(rule)
        #expect(try await ledger.counter("b")?.spent == 30)
        #expect(try await ledger.counter("b")?.held == 20)
        rule.measure = .cost
        try await ledger.set(rule)
        #expect(try await ledger.counter("b") == nil)
        try await ledger.reserve("n", ledger.plain("c", 5))
        try await ledger.settle("h", 20)
        #expect(try await ledger.counter("b")?.spent == 0)
        #expect(try await ledger.counter("b")?.held == 5)
        try await ledger.ask(.removeBudget(id: "b"))
        try await ledger.settle("n", 5)
        #expect(try await ledger.failedChecks() == [])
    }

    // What a refusal calls affordable passes, and one token more does not.
    @Test(arguments: 1...40)
    func affordableIsTrue(seed: Int) async throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let ledger = try await PlainLedger.fixture()
        try await ledger.open(
            "c",
            Terms(
                funding: random.chance(50) ? .prepaid : .postpaid,
                creditLimit: Money(nanos: random.number(0...900)),
                fundingHolds: random.chance(30) ? .expected : .bound))
        for index in 0..<random.number(0...2) {
            try await ledger.grant("c", "g\(index)", nanos: random.number(1...500))
        }
        for index in 0..<random.number(0...3) {
            try await ledger.set(
                BudgetRule(
                    id: "b\(index)", measure: random.one(of: [.charge, .cost, .tokens]),
                    window: .lifetime, amount: random.number(20...900),
                    holds: random.chance(30) ? .expected : .bound))
        }
        try await ledger.record("u", ledger.plain("c", 0), random.number(0...400))
        try await ledger.reserve("h", ledger.plain("c", random.number(0...300)))
        let input = random.number(0...20)
        let expected = random.chance(50) ? random.number(0...150) : nil
        func call(_ cap: Int64) -> CallRequest {
            ledger.flat("c", input: input, output: cap, expected: expected.map { min($0, cap) })
        }
        let refused = try await ledger.reserve("r", call(150))?.rejection
        guard let cap = refused?.affordableMaxTokens else { return }
        let above = try await ledger.engine.submit(
            EngineRequest(
                .reserve(ReserveRequest(id: "above", call: call(cap + 1))), isDryRun: true))
        #expect(above.event?.event.rejection != nil, "seed \(seed): \(cap + 1) passes too")
        #expect(
            try await ledger.reserve("at", call(cap))?.reservation != nil, "seed \(seed): \(cap)")
    }
}
