// How others got it wrong, as tests. A n and D n are rows of the failure catalogue that the project
// keeps: public bug reports of systems that do parts of this job.

import Billing
import Engine
import FaregateTestSupport
import Money
import Testing

@Suite struct FailureCatalogueTests {
    private func money(_ text: String) throws -> Money { try Money(decimal: text) }

    /// Reserves `count` times `amount` at once; how many passed.
    private func reserveAtOnce(
        _ ledger: LedgerFixture, count: Int, customer: String, amount: String
    ) async throws -> Int {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<count {
                group.addTask {
                    try await ledger.reserve("r\(number)", customer, amount: amount)?.reservation
                        != nil
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
    }

    // A1, D1: parallel calls cannot all pass one check: 20 × 75 on 500 → exactly 6.
    @Test func twentyHoldsOf75On500() async throws {
        let ledger = try await LedgerFixture()
        try await ledger.setBudget("cap", amount: "500", per: [.customer])
        #expect(try await reserveAtOnce(ledger, count: 20, customer: "c", amount: "75") == 6)
        #expect(try await ledger.verify().passed)
    }

    // D2: 50 × 100 on 1,000 → exactly 10.
    @Test func fiftyHoldsOf100On1000() async throws {
        let ledger = try await LedgerFixture()
        try await ledger.setBudget("cap", amount: "1000", per: [.customer])
        #expect(try await reserveAtOnce(ledger, count: 50, customer: "c", amount: "100") == 10)
    }

    // A2, D11: the default limit holds for the very first calls of a customer never seen before.
    @Test func firstCallsOfAnUnknownCustomer() async throws {
        let ledger = try await LedgerFixture()
        try await ledger.setBudget("default", amount: "1", per: [.customer])
        let passed = try await reserveAtOnce(ledger, count: 1000, customer: "new", amount: "0.03")
        #expect(passed == 33)
        let counter = try await ledger.counter("default", scope: "default/new")
        #expect(counter?.held == 990_000_000)
        #expect(try await ledger.customer("new").totals.rejectedCount == 967)
    }

    // A3: a model without a price is refused, not let through for nothing.
    @Test func unknownPriceIsRefused() async throws {
        let ledger = try await LedgerFixture()
        let event = try await ledger.reserve(
            "r", "c", model: "no-such-model", UsageEstimate(inputTokens: 10, maxOutputTokens: 10))
        #expect(event?.rejection?.code == .unknownPrice)
    }

    // A3: with a ceiling rate the call is held and charged at the ceiling, and marked.
    @Test func unknownPriceAtTheCeiling() async throws {
        let ledger = try await LedgerFixture()
        var project = Project(id: Project.builtIn)
        project.ceilingRates = CeilingRates(
            input: Rate(picos: 10_000_000), output: Rate(picos: 50_000_000))
        try await ledger.ask(.setProject(project))
        let event = try await ledger.reserve(
            "r", "c", model: "no-such-model", UsageEstimate(inputTokens: 100, maxOutputTokens: 10))
        #expect(event?.reservation?.estimate.bound.charge == (try money("0.0015")))
        var usage = ReportedUsage()
        usage.inputTokens = 100
        usage.outputTokens = 2
        let settled = try await ledger.engine.submit(ledger.settleRequest("r", .usage(usage)))
            .event?.event
        #expect(settled?.settlement?.rated.charge == (try money("0.0011")))
        #expect(settled?.settlement?.rated.marks == [.ceilingRate])
    }

    // A4, A5, D3: with `expected` a large output cap does not lock money up; with `bound` the
    // refusal says which cap would have passed.
    @Test func largeOutputCaps() async throws {
        let ledger = try await LedgerFixture()
        let estimate = UsageEstimate(
            inputTokens: 1000, maxOutputTokens: 128_000, expectedOutputTokens: 500)
        try await ledger.setBudget(
            "expected", amount: "1", match: BudgetMatch(customer: "a"), holds: .expected)
        let held = try await ledger.reserve("r1", "a", model: "gpt-4o", estimate)
        #expect(held?.reservation?.lines.first?.hold == 7_500_000)
        try await ledger.setBudget("bound", amount: "1", match: BudgetMatch(customer: "b"))
        let refused = try await ledger.reserve("r2", "b", model: "gpt-4o", estimate)?.rejection
        #expect(refused?.code == .requestTooLarge)
        let tokens = try #require(refused?.affordableMaxTokens)
        #expect(tokens == 99_750)
        let smaller = UsageEstimate(inputTokens: 1000, maxOutputTokens: tokens)
        #expect(try await ledger.reserve("r3", "b", model: "gpt-4o", smaller)?.reservation != nil)
    }

    // A6: an estimate above the headroom is refused, never trimmed to the headroom and let in.
    @Test func estimateAboveHeadroomIsRefused() async throws {
        let ledger = try await LedgerFixture()
        try await ledger.setBudget("cap", amount: "10", per: [.customer])
        try await ledger.reserve("r1", "c", amount: "9")
        let refused = try await ledger.reserve("r2", "c", amount: "2")?.rejection
        #expect(refused?.code == .holdsFull)
        #expect(refused?.available == 1_000_000_000)
        #expect(refused?.need == 2_000_000_000)
    }

    // A7, D8: the long-context price counts already in the hold.
    @Test func longContextInTheHold() async throws {
        let ledger = try await LedgerFixture()
        let small = UsageEstimate(inputTokens: 272_000, maxOutputTokens: 0)
        let large = UsageEstimate(inputTokens: 272_001, maxOutputTokens: 0)
        let first = try await ledger.reserve("a", "c", model: "gpt-5.5", small)?.reservation
        let second = try await ledger.reserve("b", "c", model: "gpt-5.5", large)?.reservation
        let a = try #require(first?.estimate.bound.cost)
        let b = try #require(second?.estimate.bound.cost)
        #expect(b.nanos > a.nanos * 19 / 10)
    }

    // A8, A15, D5: a hold that nobody resolved is resolved by its rule at its instant; the log says
    // why.
    @Test func abandonedHoldExpires() async throws {
        let ledger = try await LedgerFixture()
        try await ledger.setBudget("cap", amount: "1", per: [.customer])
        try await ledger.reserve("r1", "c", amount: "1", seconds: 60)
        let full = try await ledger.reserve("r2", "c", amount: "1")?.rejection
        #expect(full?.code == .holdsFull)
        #expect(full?.freesAt == LedgerFixture.start.advanced(bySeconds: 60))
        ledger.clock.advance(seconds: 59)
        #expect(try await ledger.reserve("r3", "c", amount: "1")?.rejection != nil)
        ledger.clock.advance(seconds: 1)
        #expect(try await ledger.reserve("r4", "c", amount: "1")?.reservation != nil)
        let key = ledger.key("r1")
        let history = try await ledger.engine.read { view throws(EngineError) in
            try view.history(of: key)
        }
        guard case .usageExpired(let expired) = try #require(history.last).event else {
            Issue.record("the last event is not the expiry")
            return
        }
        #expect(expired.expiredAt == LedgerFixture.start.advanced(bySeconds: 60))
        #expect(expired.policy == .release)
    }

    // A12: a dispatched call whose hold runs out is charged, and corrected by the truth.
    @Test func expiryThatCharges() async throws {
        let ledger = try await LedgerFixture()
        try await ledger.reserve("r", "c", amount: "3", seconds: 10, onExpiry: .charge)
        ledger.clock.advance(seconds: 10)
        #expect(try await ledger.customer("c").totals.charge == (try money("3")))
        let settled = try await ledger.settle("r", amount: "1.25")?.settlement
        #expect(settled?.isLate == true)
        #expect(settled?.replaced.charge == (try money("3")))
        #expect(try await ledger.customer("c").totals.charge == (try money("1.25")))
        #expect(try await ledger.verify().passed)
    }

    // A13: an overrun never touches another call's hold.
    @Test func overrunLeavesOtherHoldsAlone() async throws {
        let ledger = try await LedgerFixture()
        try await ledger.open("c", Terms(funding: .prepaid))
        try await ledger.grant("c", "g", "10")
        try await ledger.reserve("other", "c", amount: "4")
        try await ledger.reserve("over", "c", amount: "6")
        try await ledger.settle("over", amount: "9")
        #expect(try await ledger.customer("c").debt == (try money("3")))
        let other = try await ledger.settle("other", amount: "4")?.settlement
        #expect(other?.split.fromGrants == (try money("4")))
        #expect(other?.split.debt == .zero)
        #expect(try await ledger.verify().passed)
    }

    // A14: expiry and a late settlement cannot both give money back.
    @Test func lateSettleAfterExpiryRefundsOnce() async throws {
        let ledger = try await LedgerFixture()
        try await ledger.open("c", Terms(funding: .prepaid))
        try await ledger.grant("c", "g", "10")
        try await ledger.reserve("r", "c", amount: "6", seconds: 5)
        ledger.clock.advance(seconds: 6)
        try await ledger.settle("r", amount: "2")
        let customer = try await ledger.customer("c")
        #expect(customer.grants[0].available == (try money("8")))
        #expect(customer.grants[0].held == .zero)
        #expect(try await ledger.verify().passed)
    }

    // A16, A17, D15: spent, held and available are told apart; counter and log agree at every step.
    @Test func heldIsNotSpent() async throws {
        let ledger = try await LedgerFixture()
        try await ledger.setBudget("cap", amount: "10", per: [.customer])
        try await ledger.reserve("r", "c", amount: "4")
        var counter = try await ledger.counter("cap", scope: "default/c")
        #expect(counter?.spent == 0)
        #expect(counter?.held == 4_000_000_000)
        try await ledger.ask(.release(ledger.key("r"), reason: "provider error"))
        counter = try await ledger.counter("cap", scope: "default/c")
        #expect(counter?.spent == 0)
        #expect(counter?.held == 0)
        #expect(try await ledger.verify().passed)
    }

    // A20: a settlement after the expiry is accepted, flagged and charged.
    @Test func lateSettlementIsCharged() async throws {
        let ledger = try await LedgerFixture()
        try await ledger.setBudget("cap", amount: "10", per: [.customer])
        try await ledger.reserve("r", "c", amount: "5", seconds: 1)
        ledger.clock.advance(seconds: 100)
        let settled = try await ledger.settle("r", amount: "4")?.settlement
        #expect(settled?.isLate == true)
        #expect(try await ledger.counter("cap", scope: "default/c")?.spent == 4_000_000_000)
    }

    // D9: what counts is the tier served, not the one asked for.
    @Test func servedTierIsCharged() async throws {
        let ledger = try await LedgerFixture()
        let estimate = UsageEstimate(
            inputTokens: 1000, maxOutputTokens: 1000, serviceTier: .priority)
        let held = try await ledger.reserve("r", "c", model: "gpt-4o", estimate)?.reservation
        #expect(held?.estimate.tier == .priority)
        var usage = ReportedUsage()
        usage.inputTokens = 1000
        usage.outputTokens = 1000
        usage.servedTier = "default"
        let settled = try await ledger.engine.submit(ledger.settleRequest("r", .usage(usage)))
            .event?.event
        #expect(settled?.settlement?.rated.cost == (try money("0.0125")))
    }

    // D10: explicit zero is zero; missing usage is estimated and marked.
    @Test func zeroIsNotMissing() async throws {
        let ledger = try await LedgerFixture()
        let estimate = UsageEstimate(
            inputTokens: 1000, maxOutputTokens: 1000, expectedOutputTokens: 100)
        try await ledger.reserve("zero", "c", model: "gpt-4o", estimate)
        try await ledger.reserve("missing", "c", model: "gpt-4o", estimate)
        var usage = ReportedUsage()
        usage.inputTokens = 0
        usage.outputTokens = 0
        let zero = try await ledger.engine.submit(ledger.settleRequest("zero", .usage(usage)))
            .event?.event
        #expect(zero?.settlement?.rated.charge == .zero)
        #expect(zero?.settlement?.rated.marks == [])
        let missing = try await ledger.engine.submit(ledger.settleRequest("missing", .missing))
            .event?.event
        #expect(missing?.settlement?.rated.charge == (try money("0.0035")))
        #expect(missing?.settlement?.rated.marks == [.usageEstimated])
    }

    // D12: same id and body, same answer; another body is refused.
    @Test func sameIdSameAnswer() async throws {
        let ledger = try await LedgerFixture()
        try await ledger.setBudget("cap", amount: "5", per: [.customer])
        let first = try await ledger.engine.submit(ledger.reserveRequest("r", "c", amount: "4"))
        let again = try await ledger.engine.submit(ledger.reserveRequest("r", "c", amount: "4"))
        #expect(again.isReplay)
        #expect(again.event == first.event)
        let refused = try await ledger.engine.submit(ledger.reserveRequest("x", "c", amount: "4"))
        try await ledger.ask(.release(ledger.key("r"), reason: nil))
        let refusedAgain = try await ledger.engine.submit(
            ledger.reserveRequest("x", "c", amount: "4"))
        #expect(refusedAgain.isReplay)
        #expect(refusedAgain.event == refused.event)
        await #expect(throws: EngineError.self) {
            try await ledger.engine.submit(ledger.reserveRequest("r", "c", amount: "3"))
        }
    }

    // D14: settle 7 on a hold of 5 with nothing left: recorded, balance −2, next call refused.
    @Test func settlementAboveTheBalance() async throws {
        let ledger = try await LedgerFixture()
        try await ledger.open("c", Terms(funding: .prepaid))
        try await ledger.grant("c", "g", "5")
        try await ledger.reserve("r", "c", amount: "5")
        let settled = try await ledger.settle("r", amount: "7")?.settlement
        #expect(settled?.overrun == (try money("2")))
        #expect(try await ledger.customer("c").debt == (try money("2")))
        let next = try await ledger.reserve("next", "c", amount: "0")?.rejection
        #expect(next?.rule == .debt)
        try await ledger.grant("c", "g2", "3")
        #expect(try await ledger.customer("c").debt == .zero)
        #expect(try await ledger.customer("c").grants[1].available == (try money("1")))
        #expect(try await ledger.verify().passed)
    }
}
