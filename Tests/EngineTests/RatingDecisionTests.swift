// What a call is rated by, where more than one thing has a say: book, rate card, ceiling, markup.

import Billing
import Engine
import FaregateTestSupport
import Money
import Testing

@Suite struct RatingDecisionTests {
    /// Customer `c` has a card and a markup; its project a ceiling of 20 and 60 nano units a token.
    private func ledger() async throws -> LedgerFixture {
        let ledger = try await PlainLedger.fixture()
        let cards = ["vip": ["flat-small": NaivePrice(input: 1_000, output: 2_000)]]
        var card = NaiveBook(cards: cards)
        card.cards["vip"]?["unpriced"] = NaivePrice(input: 3_000, output: 5_000)
        try await ledger.ask(card.published(version: 2))
        try await ledger.open(
            "c", Terms(markupPartsPerMillion: 500_000, rateCard: "vip"))
        var project = Project(id: LedgerFixture.project)
        project.ceilingRates = CeilingRates(input: Rate(picos: 20_000), output: Rate(picos: 60_000))
        try await ledger.ask(.setProject(project))
        return ledger
    }

    private func text(_ figures: CallFigures) -> String {
        "\(figures.cost.nanos) \(figures.charge.nanos)"
    }

    private func text(_ rated: RatedUsage?) -> String {
        rated.map { "\($0.cost.nanos) \($0.charge.nanos)" } ?? "none"
    }

    // The customer's card makes the charge also where the cost is the project's ceiling: when
    // reserving, settling, recording and correcting.
    @Test func cardOverCeiling() async throws {
        let ledger = try await ledger()
        let call = ledger.flat("c", input: 10, output: 10, model: "unpriced")
        let reserved = try #require(try await ledger.reserve("r", call)?.reservation)
        #expect(text(reserved.estimate.bound) == "800 80")
        #expect(reserved.estimate.method == .ceiling)
        #expect(reserved.estimate.cardPrice?.card == "vip")
        let settled = try #require(try await ledger.settle("r", input: 2, output: 1)?.settlement)
        #expect(text(settled.rated) == "100 11")
        #expect(settled.rated.marks == [.ceilingRate])

        var usage = ReportedUsage()
        usage.inputTokens = 4
        let record = UsageRequest(
            id: "u", subject: call.subject, model: "unpriced", actual: .usage(usage))
        let recorded = try await ledger.ask(.recordUsage(record)).event?.event
        guard case .usageRecorded(let event)? = recorded else {
            Issue.record("\(String(describing: recorded))")
            return
        }
        #expect(text(event.rated) == "80 12")
        usage.inputTokens = 5
        let correction = AdjustRequest(
            key: ledger.key("u"), correction: .usage(usage), reason: "test", author: "test")
        let adjusted = try await ledger.ask(.adjust(correction)).event?.event
        guard case .usageAdjusted(let change)? = adjusted else {
            Issue.record("\(String(describing: adjusted))")
            return
        }
        #expect(text(change.rated) == "100 15")
        #expect(try await ledger.failedChecks() == [])
    }

    // A ceiling and a card count as they were when the call was reserved.
    @Test func pinnedWhenReserved() async throws {
        let ledger = try await ledger()
        try await ledger.reserve(
            "r", ledger.flat("c", input: 10, output: 10, model: "unpriced"))
        try await ledger.ask(.setProject(Project(id: LedgerFixture.project)))
        try await ledger.ask(
            .updateCustomer(CustomerSettings(key: ledger.customerKey("c"), terms: Terms())))
        try await ledger.ask(
            NaiveBook(cards: ["vip": ["unpriced": NaivePrice(input: 1, output: 1)]])
                .published(version: 3))
        let settled = try #require(try await ledger.settle("r", input: 2, output: 1)?.settlement)
        #expect(text(settled.rated) == "100 11")
    }

    // What is not on the card is charged at cost with markup, a ceiling's cost too.
    @Test func whatIsNotOnTheCard() async throws {
        let ledger = try await ledger()
        let booked = ledger.flat("c", input: 1, output: 0, model: "flat-large")
        #expect(
            try await ledger.reserve("r1", booked)?.reservation.map { text($0.estimate.bound) }
                == "40 60")
        let unknown = ledger.flat("c", input: 1, output: 0, model: "brand-new")
        #expect(
            try await ledger.reserve("r2", unknown)?.reservation.map { text($0.estimate.bound) }
                == "20 30")
    }

    // Usage that never arrives is charged as expected, and both things about it are marked.
    @Test func missingUsageUnderACeiling() async throws {
        let ledger = try await ledger()
        try await ledger.reserve(
            "r", ledger.flat("c", input: 1, output: 2, expected: 1, model: "brand-new"))
        let request = ledger.settleRequest("r", .missing)
        let settled = try await ledger.engine.submit(request).event?.event.settlement
        #expect(text(settled?.rated) == "80 120")
        #expect(settled?.rated.marks == [.ceilingRate, .usageEstimated])
    }

    // Half a nano unit goes to the even neighbour, after the markup and not before.
    @Test(arguments: [
        // 4 × 1.125 = 4.5, 12 × 1.125 = 13.5, 20 × 1.125 = 22.5
        (1, "4 4"), (3, "12 14"), (5, "20 22"),
    ])
    func halvesGoToTheEven(tokens: Int64, expected: String) async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.open("c", Terms(markupPartsPerMillion: 125_000))
        try await ledger.reserve("r", ledger.flat("c", input: 9, output: 0))
        let settled = try await ledger.settle("r", input: tokens, output: 0)?.settlement
        #expect(text(settled?.rated) == expected)
    }
}
