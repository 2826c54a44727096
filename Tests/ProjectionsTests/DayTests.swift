// What is booked when, and as what, in cases with figures that can be read.

import Billing
import Engine
import EventLog
import FaregateTestSupport
import Testing

@testable import Projections

@Suite struct DayTests {
    private func rows(_ ledger: LedgerFixture) throws -> [UsageRow] {
        try LoggedEvents(ledger.store).folded().usage.present.sorted { $0.day < $1.day }
    }

    private static let noon = ViewDay.day(of: LedgerFixture.start)

    // A call settled after midnight is reserved on one day and used on the next; a correction is
    // of the day on which it was made.
    @Test func eachEventHasItsOwnDay() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.reserve("r", ledger.plain("acme", 900), seconds: 90_000)
        ledger.clock.advance(seconds: 86_400)
        try await ledger.settle("r", 500)
        ledger.clock.advance(seconds: 86_400)
        try await ledger.adjust("r", -200)
        let rows = try rows(ledger)
        #expect(rows.map(\.day) == [Self.noon, Self.noon + 1, Self.noon + 2])
        #expect(rows.map(\.reserved) == [1, 0, 0])
        #expect(rows.map(\.settled) == [0, 1, 0])
        #expect(rows.map(\.charge) == [0, 500, -200])
        #expect(rows.map(\.requests) == [0, 1, 0])
    }

    // What an expiry charged stays on its day; the late usage books the difference on its own.
    @Test func lateUsageBooksTheDifference() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.reserve(
            "r", ledger.flat("acme", input: 10, output: 20), seconds: 60, onExpiry: .charge)
        ledger.clock.advance(seconds: 100)
        // Looking settles what is due.
        _ = try await ledger.customer("acme")
        ledger.clock.advance(seconds: 86_400)
        try await ledger.settle("r", input: 10, output: 5)
        let rows = try rows(ledger)
        #expect(rows.map(\.charge) == [200, -120])
        #expect(rows.map(\.tokens) == [30, -15])
        #expect(rows.map(\.units.unattributed) == [30, -30])
        #expect(rows.map(\.units.input) == [0, 10])
        #expect(rows.map(\.units.output) == [0, 5])
        #expect(rows.map(\.requests) == [1, 0])
        #expect(rows.map(\.late) == [0, 1])
    }

    // A correction with true counts takes the old counts off, kind by kind.
    @Test func correctedCountsReplaceTheOld() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.reserve("r", ledger.flat("acme", input: 10, output: 20))
        try await ledger.settle("r", input: 10, output: 20)
        var usage = ReportedUsage()
        usage.inputTokens = 7
        usage.outputTokens = 1
        try await ledger.ask(
            .adjust(
                AdjustRequest(
                    key: ledger.key("r"), correction: .usage(usage), reason: "test",
                    author: "test")))
        let row = try #require(try rows(ledger).first)
        #expect((row.units.input, row.units.output) == (7, 1))
        #expect((row.tokens, row.units.unattributed, row.adjusted) == (8, 0, 1))
        #expect(row.charge == 7 * 4 + 1 * 8)
    }

    // The error of estimates is that of calls with true usage: expected, actual, and how far apart.
    @Test func estimateErrors() async throws {
        let ledger = try await PlainLedger.fixture()
        for (id, output) in [("a", 5), ("b", 15)] as [(String, Int64)] {
            try await ledger.reserve(id, ledger.flat("acme", output: 20, expected: 10))
            try await ledger.settle(id, input: 0, output: output)
        }
        try await ledger.reserve("missing", ledger.flat("acme", output: 20, expected: 10))
        _ = try await ledger.engine.submit(ledger.settleRequest("missing", .missing))
        let row = try #require(try rows(ledger).first)
        #expect((row.settled, row.estimates) == (3, 2))
        #expect(row.actualCost == row.expectedCost)
        #expect(row.boundCost == 2 * row.expectedCost)
        #expect(row.absoluteError * 2 == row.expectedCost)
        #expect((row.aboveExpected, row.aboveBound) == (1, 0))
    }

    // A refusal is booked with what it would have cost, by rule, code and budget.
    @Test func refusalsSayWhatTheyAvoided() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.set(
            BudgetRule(id: "small", per: [.customer], window: .lifetime, amount: 1_000))
        for id in ["a", "b"] { try await ledger.reserve(id, ledger.plain("acme", 5_000)) }
        try await ledger.reserve(
            "c",
            CallRequest(
                subject: ledger.subject("acme"), model: "no-such",
                size: .counts(UsageEstimate(inputTokens: 1, maxOutputTokens: 1))))
        let rows = try LoggedEvents(ledger.store).folded()
        let refusals = rows.refusals.present.sorted { $0.model < $1.model }
        #expect(refusals.map(\.rule) == ["budget", "price"])
        #expect(refusals.map(\.code) == ["request_too_large", "unknown_price"])
        #expect(refusals.map(\.budget) == ["small", ""])
        #expect(refusals.map(\.refused) == [2, 1])
        #expect(refusals.map(\.unpriced) == [0, 1])
        #expect(refusals.map(\.boundCharge) == [10_000, 0])
        #expect(rows.windows.present.map(\.refused) == [2])
    }

    // The peak of what was held is that of the moments in between, not of the ends.
    @Test func heldPeakIsRemembered() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.set(
            BudgetRule(id: "b", per: [.customer], window: .lifetime, amount: 1_000))
        for id in ["a", "b", "c"] { try await ledger.reserve(id, ledger.plain("acme", 300)) }
        for id in ["a", "b", "c"] { try await ledger.settle(id, 100) }
        let row = try #require(try LoggedEvents(ledger.store).folded().windows.present.first)
        #expect((row.held, row.heldPeak, row.spent, row.calls) == (0, 900, 300, 3))
        #expect(row.amount == 1_000)
    }

    // Days of UTC begin at midnight, also before 1970.
    @Test func daysBeginAtMidnight() {
        #expect(ViewDay.day(of: Instant(microseconds: 0)) == 0)
        #expect(ViewDay.day(of: Instant(microseconds: -1)) == -1)
        #expect(ViewDay.day(of: Instant(microseconds: 86_399_999_999)) == 0)
        #expect(ViewDay.day(of: Instant(microseconds: 86_400_000_000)) == 1)
        #expect(ViewDay.start(of: 20_000).microseconds == 20_000 * 86_400_000_000)
    }
}
