// Grants, debt, credit limits and where a charge goes. Amounts are nano units.

import Billing
import Engine
import FaregateTestSupport
import Money
import Testing

@Suite struct FundingDecisionTests {
    private func prepaid(_ limit: Int64? = nil) -> Terms {
        Terms(funding: .prepaid, creditLimit: limit.map { Money(nanos: $0) })
    }

    private func postpaid(_ limit: Int64? = nil) -> Terms {
        Terms(funding: .postpaid, creditLimit: limit.map { Money(nanos: $0) })
    }

    // Grants burn by priority, then earlier expiry (none last), then earlier creation; ones that
    // are not yet in effect or for other models are passed over.
    @Test func burnOrder() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.open("c", prepaid())
        try await ledger.grant("c", "later-created", nanos: 10, priority: 1)
        try await ledger.grant("c", "last", nanos: 10, priority: 2, expiresAfter: 5)
        try await ledger.grant("c", "expires-late", nanos: 10, priority: 1, expiresAfter: 90)
        try await ledger.grant("c", "expires-soon", nanos: 10, priority: 1, expiresAfter: 60)
        try await ledger.grant("c", "created-last", nanos: 10, priority: 1)
        try await ledger.grant("c", "first", nanos: 10, priority: 0)
        try await ledger.grant("c", "future", nanos: 10, priority: 0, effectiveAfter: 10)
        try await ledger.grant("c", "other-model", nanos: 10, priority: 0, models: ["flat-large"])
        try await ledger.grant(
            "c", "this-model", nanos: 10, priority: 1, expiresAfter: 70, models: ["*-small"])
        let held = try await ledger.reserve("r", ledger.plain("c", 65))?.reservation?.funding
        #expect(
            held?.grants.map { "\($0.grant) \($0.amount.nanos)" } == [
                "first 10", "expires-soon 10", "this-model 10", "expires-late 10",
                "later-created 10",
                "created-last 10", "last 5",
            ])
        #expect(try await ledger.reserve("r2", ledger.plain("c", 6))?.rejection?.code == .holdsFull)
        let settled = try await ledger.settle("r", 25)?.settlement
        #expect(settled?.split.grantTexts == ["first 10", "expires-soon 10", "this-model 5"])
        #expect(
            try await ledger.free("c") == [
                "later-created 10", "last 10", "expires-late 10", "created-last 10",
                "other-model 10",
                "this-model 5",
            ])
        #expect(try await ledger.failedChecks() == [])
    }

    // A restricted grant neither repays debt nor lifts its block; an unrestricted one does both,
    // and only the rest of it is free.
    @Test func restrictedGrantsAndDebt() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.open("c", prepaid())
        try await ledger.record("u", ledger.plain("c", 0), 30)
        try await ledger.grant("c", "restricted", nanos: 100, models: ["flat-small"])
        let blocked = try await ledger.reserve("r1", ledger.plain("c", 1))?.rejection
        #expect(blocked?.rule == .debt)
        #expect(blocked?.code == .exhausted)
        try await ledger.grant("c", "small", nanos: 20)
        #expect(try await ledger.customer("c").debt.nanos == 10)
        #expect(try await ledger.reserve("r2", ledger.plain("c", 1))?.rejection?.rule == .debt)
        try await ledger.grant("c", "large", nanos: 50)
        #expect(try await ledger.customer("c").debt.nanos == 0)
        #expect(try await ledger.free("c") == ["restricted 100", "large 40"])
        #expect(try await ledger.reserve("r3", ledger.plain("c", 140))?.reservation != nil)
        #expect(try await ledger.failedChecks() == [])
    }

    // A debt refuses calls of any size: no cap is called affordable.
    @Test func debtNamesNoAffordableCap() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.open("c", prepaid())
        try await ledger.record("u", ledger.plain("c", 0), 30)
        try await ledger.grant("c", "restricted", nanos: 10_000, models: ["flat-small"])
        let refused = try await ledger.reserve("r", ledger.flat("c", output: 10))?.rejection
        #expect(refused?.rule == .debt)
        #expect(refused?.affordableMaxTokens == nil)
    }

    // Debt blocks whatever the customer's funding has become, whatever its credit limit there, and
    // in the words of its rule. A new unrestricted grant repays it and lifts the block.
    @Test(arguments: [
        Terms(funding: .postpaid), Terms(funding: .postpaid, creditLimit: Money(nanos: 1_000)),
        Terms(funding: .unfunded), Terms(funding: .unfunded, creditLimit: Money(nanos: 1_000)),
    ])
    func debtOutlivesPrepaid(_ later: Terms) async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.open("c", prepaid())
        try await ledger.record("u", ledger.plain("c", 0), 30)
        let key = ledger.customerKey("c")
        try await ledger.ask(.updateCustomer(CustomerSettings(key: key, terms: later)))
        let refused = try #require(try await ledger.reserve("r", ledger.plain("c", 0))?.rejection)
        #expect(refused.rule == .debt)
        #expect(refused.code == .exhausted)
        #expect([refused.spent, refused.available, refused.amount] == [30, -30, nil])
        #expect(refused.funds?.owed.nanos == 30)
        try await ledger.ask(.receivePayment(key, amount: Money(nanos: 500), reference: nil))
        try await ledger.grant("c", "restricted", nanos: 100, models: ["flat-small"])
        #expect(try await ledger.reserve("r2", ledger.plain("c", 1))?.rejection?.rule == .debt)
        try await ledger.grant("c", "g", nanos: 40)
        #expect(try await ledger.free("c") == ["restricted 100", "g 10"])
        #expect(try await ledger.reserve("r3", ledger.plain("c", 1))?.reservation != nil)
        #expect(try await ledger.failedChecks() == [])
    }

    // A prepaid credit limit tolerates debt up to its amount and not beyond.
    @Test(arguments: [(30, true), (29, false)])
    func prepaidLimitToleratesDebt(limit: Int64, passes: Bool) async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.open("c", prepaid(limit))
        try await ledger.record("u", ledger.plain("c", 0), 30)
        let event = try await ledger.reserve("r", ledger.plain("c", 0))
        #expect((event?.reservation != nil) == passes)
        #expect(event?.rejection?.rule == (passes ? nil : .debt))
    }

    // A grant that takes effect later repays debt at that instant, not before.
    @Test func laterGrantRepaysAtItsInstant() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.open("c", prepaid())
        try await ledger.record("u", ledger.plain("c", 0), 30)
        try await ledger.grant("c", "g", nanos: 50, effectiveAfter: 100)
        ledger.clock.advance(seconds: 99)
        #expect(try await ledger.customer("c").debt.nanos == 30)
        #expect(try await ledger.customer("c").grants[0].available.nanos == 0)
        ledger.clock.advance(seconds: 1)
        #expect(try await ledger.customer("c").debt.nanos == 0)
        #expect(try await ledger.free("c") == ["g 20"])
        #expect(try await ledger.failedChecks() == [])
    }

    // What a hold has taken stays good for it past the grant's expiry or revocation; what comes
    // back after is lost with the grant.
    @Test(arguments: [true, false])
    func holdOnAnEndingGrant(isRevoked: Bool) async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.open("c", prepaid())
        try await ledger.grant("c", "g", nanos: 100, expiresAfter: 60)
        try await ledger.reserve("r", ledger.plain("c", 70), seconds: 500)
        if isRevoked {
            try await ledger.ask(.revokeCredit(ledger.customerKey("c"), grant: "g", reason: nil))
        }
        ledger.clock.advance(seconds: 60)
        #expect(try await ledger.reserve("no", ledger.plain("c", 1))?.rejection != nil)
        var grant = try await ledger.customer("c").grants[0]
        #expect([grant.remaining.nanos, grant.held.nanos] == [70, 70])
        let settled = try await ledger.settle("r", 50)?.settlement
        #expect(settled?.split.grantTexts == ["g 50"])
        grant = try await ledger.customer("c").grants[0]
        #expect([grant.remaining.nanos, grant.burnt.nanos] == [0, 50])
        #expect((grant.expired + grant.revoked).nanos == 50)
        #expect(grant.revoked.nanos == (isRevoked ? 30 : 0))
        #expect(try await ledger.failedChecks() == [])
    }

    // A downward correction returns to where the charge came from: the bill first, then the grants,
    // last burnt first.
    @Test func correctionsReturnLastBurntFirst() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.open("c", postpaid())
        try await ledger.grant("c", "a", nanos: 10, priority: 0)
        try await ledger.grant("c", "b", nanos: 10, priority: 1)
        try await ledger.reserve("r", ledger.plain("c", 25))
        try await ledger.settle("r", 25)
        try await ledger.adjust("r", -3)
        #expect(try await ledger.customer("c").owed.nanos == 2)
        try await ledger.adjust("r", -8)
        #expect(try await ledger.customer("c").owed.nanos == 0)
        #expect(try await ledger.free("c") == ["b 6"])
        try await ledger.adjust("r", -9)
        #expect(try await ledger.free("c") == ["a 5", "b 10"])
        try await ledger.adjust("r", 4)
        #expect(try await ledger.free("c") == ["a 1", "b 10"])
        #expect(try await ledger.refusal(adjusting(ledger, -10)) == .invalid)
        try await ledger.adjust("r", -9)
        #expect(try await ledger.free("c") == ["a 10", "b 10"])
        #expect(try await ledger.customer("c").totals.charge.nanos == 0)
        #expect(try await ledger.failedChecks() == [])
    }

    private func adjusting(_ ledger: LedgerFixture, _ nanos: Int64) -> Command {
        let correction = Correction.delta(cost: .zero, charge: Money(nanos: nanos))
        return .adjust(
            AdjustRequest(key: ledger.key("r"), correction: correction, reason: "", author: ""))
    }

    // Where the grant has expired since, what comes back is a new grant of the same category and
    // restriction, without expiry, that names the reservation.
    @Test func correctionToAnExpiredGrant() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.open("c", prepaid())
        let terms = GrantTerms(
            id: "g", amount: Money(nanos: 100), priority: 7, effectiveAt: LedgerFixture.start,
            expiresAt: LedgerFixture.start.advanced(bySeconds: 60), category: .promotional,
            models: ["flat-*"])
        try await ledger.ask(.grantCredit(ledger.customerKey("c"), terms))
        try await ledger.reserve("r", ledger.plain("c", 80))
        try await ledger.settle("r", 80)
        ledger.clock.advance(seconds: 60)
        let reply = try await ledger.adjust("r", -30)
        #expect(reply.event?.event.type == "usage.adjusted")
        let grants = try await ledger.customer("c").grants
        #expect(grants.count == 2)
        #expect(grants[0].remaining.nanos == 0)
        #expect(grants[0].expired.nanos == 50)
        #expect(grants[1].available.nanos == 30)
        #expect(grants[1].terms.expiresAt == nil)
        #expect(grants[1].terms.category == .promotional)
        #expect(grants[1].terms.models == ["flat-*"])
        #expect(grants[1].terms.priority == 7)
        #expect(grants[1].terms.source == .correction)
        #expect(grants[1].terms.sourceReference == "r")
        ledger.clock.advance(seconds: 86_400_000)
        #expect(try await ledger.reserve("n", ledger.plain("c", 30))?.reservation != nil)
        #expect(try await ledger.failedChecks() == [])
    }

    // A charge that became debt and was repaid since comes back to the grants that repaid it, and
    // to those only; later corrections of other calls find theirs as they left it.
    @Test func correctionOfARepaidDebt() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.open("c", prepaid())
        try await ledger.record("owing", ledger.plain("c", 0), 3)
        try await ledger.grant("c", "repays", nanos: 3)
        try await ledger.grant("c", "other", nanos: 5)
        try await ledger.record("paid", ledger.plain("c", 0), 5)
        try await ledger.adjust("owing", -3)
        #expect(try await ledger.free("c") == ["repays 3"])
        try await ledger.adjust("paid", -5)
        #expect(try await ledger.free("c") == ["repays 3", "other 5"])
        try await ledger.adjust("owing", 2)
        #expect(try await ledger.free("c") == ["repays 1", "other 5"])
        try await ledger.adjust("owing", -2)
        #expect(try await ledger.free("c") == ["repays 3", "other 5"])
        #expect(try await ledger.customer("c").debt.nanos == 0)
        #expect(try await ledger.failedChecks() == [])
    }

    // The credit limit of a postpaid customer is on what is owed and held; payments make room.
    @Test func postpaidLimitAndPayments() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.open("c", postpaid(100))
        try await ledger.reserve("r1", ledger.plain("c", 60))
        let full = try await ledger.reserve("r2", ledger.plain("c", 41))?.rejection
        #expect(full?.code == .holdsFull)
        #expect(full?.rule == .creditLimit)
        #expect(full?.available == 40)
        #expect(try await ledger.reserve("r3", ledger.plain("c", 40))?.reservation != nil)
        try await ledger.settle("r1", 90)
        try await ledger.settle("r3", 40)
        #expect(try await ledger.customer("c").owed.nanos == 130)
        #expect(try await ledger.reserve("r4", ledger.plain("c", 0))?.rejection?.code == .exhausted)
        try await ledger.ask(
            .receivePayment(ledger.customerKey("c"), amount: Money(nanos: 80), reference: "in_1"))
        #expect(try await ledger.customer("c").owed.nanos == 50)
        #expect(
            try await ledger.reserve("r5", ledger.plain("c", 51))?.rejection?.code == .exhausted)
        #expect(try await ledger.reserve("r6", ledger.plain("c", 50))?.reservation != nil)
        #expect(try await ledger.failedChecks() == [])
    }

    // What grants have free is usable beyond the credit limit: by a free call too, and a refusal
    // that only holds stand in the way of says so.
    @Test func grantsBeyondTheCreditLimit() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.open("c", postpaid(10))
        try await ledger.record("u", ledger.plain("c", 0), 30)
        #expect(
            try await ledger.reserve("r0", ledger.plain("c", 0))?.rejection?.rule == .creditLimit)
        try await ledger.grant("c", "g", nanos: 50)
        #expect(try await ledger.reserve("r1", ledger.plain("c", 0))?.reservation != nil)
        #expect(try await ledger.reserve("r2", ledger.plain("c", 45))?.reservation != nil)
        let full = try await ledger.reserve("r3", ledger.plain("c", 40))?.rejection
        #expect(full?.code == .holdsFull)
        #expect(full?.available == 5)
        #expect(
            try await ledger.reserve("r4", ledger.plain("c", 51))?.rejection?.code == .exhausted)
    }

    // A prepaid customer may go below zero as far as its credit limit says.
    @Test func prepaidCreditLimit() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.open("c", prepaid(20))
        try await ledger.grant("c", "g", nanos: 10)
        #expect(
            try await ledger.reserve("r1", ledger.plain("c", 31))?.rejection?.code == .exhausted)
        let held = try await ledger.reserve("r2", ledger.plain("c", 30))?.reservation?.funding
        #expect(held?.uncovered.nanos == 20)
        #expect(try await ledger.settle("r2", 30)?.settlement?.split.debt.nanos == 20)
        #expect(try await ledger.reserve("r3", ledger.plain("c", 0))?.reservation != nil)
        #expect(try await ledger.settle("r3", 1)?.settlement?.overrun.nanos == 1)
        #expect(try await ledger.reserve("r4", ledger.plain("c", 0))?.rejection?.rule == .debt)
    }

    // Unfunded: nothing is billed, no grant is burnt, the charge is on the operator.
    @Test func unfunded() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.open("c", Terms(funding: .unfunded))
        try await ledger.grant("c", "g", nanos: 10)
        try await ledger.reserve("r", ledger.plain("c", 1_000_000))
        let split = try await ledger.settle("r", 7)?.settlement?.split
        #expect(split?.absorbed.nanos == 7)
        #expect(try await ledger.free("c") == ["g 10"])
        #expect(try await ledger.customer("c").owed.nanos == 0)
    }

    // A hold that gives money back repays debt first.
    @Test func releasedMoneyRepaysDebt() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.open("c", prepaid())
        try await ledger.grant("c", "g", nanos: 100)
        try await ledger.reserve("r1", ledger.plain("c", 60))
        try await ledger.reserve("r2", ledger.plain("c", 40))
        try await ledger.settle("r2", 65)
        #expect(try await ledger.customer("c").debt.nanos == 25)
        let reply = try await ledger.ask(.release(ledger.key("r1"), reason: nil))
        #expect(reply.reservation?.status == .released)
        #expect(try await ledger.customer("c").debt.nanos == 0)
        #expect(try await ledger.free("c") == ["g 35"])
        #expect(try await ledger.failedChecks() == [])
    }
}
