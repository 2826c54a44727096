// Names are their bytes. A letter with an accent can be written as one scalar or as two; Swift's
// strings are then equal, but ids that callers, the log and the memory of ids tell apart must stay
// apart.

import Billing
import Engine
import EventLog
import FaregateTestSupport
import Money
import Testing

private let composed = "caf\u{e9}"
private let decomposed = "cafe\u{301}"

@Suite struct ExactNameTests {
    // Two spellings are two reservations: neither settles, repeats or releases the other.
    @Test func reservations() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.reserve(composed, ledger.plain("c", 5))
        let other = SettleRequest(key: ledger.key(decomposed), actual: .amount(Money(nanos: 4)))
        #expect(try await ledger.refusal(.settle(other)) == .notFound)
        try await ledger.settle(composed, 4)
        #expect(try await ledger.refusal(.settle(other)) == .notFound)
        #expect(try await ledger.reserve(decomposed, ledger.plain("c", 5))?.reservation != nil)
        try await ledger.settle(decomposed, 3)
        #expect(try await ledger.customer("c").totals.charge.nanos == 7)
        #expect(try await ledger.failedChecks() == [])
    }

    // Two spellings are two customers and two runs, with balances and caps of their own.
    @Test func customersAndRuns() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.open(composed, Terms(funding: .prepaid))
        try await ledger.grant(composed, "g", nanos: 10)
        try await ledger.open(decomposed, Terms(funding: .prepaid))
        #expect(try await ledger.reserve("r", ledger.plain(decomposed, 1))?.rejection != nil)
        #expect(try await ledger.free(composed) == ["g 10"])
        let run = RunKey(project: "default", id: composed)
        try await ledger.ask(.stopRun(run, reason: nil))
        let call = ledger.plain(composed, 1, run: decomposed)
        #expect(try await ledger.reserve("s", call)?.reservation != nil)
        #expect(try await ledger.failedChecks() == [])
    }

    // Two spellings have counters of their own wherever a budget counts for each customer, user,
    // run, model or tag value: what one uses up is not missing for the other, nor after a restart.
    @Test(arguments: [BudgetDimension.customer, .user, .run, .model, .tag("t")])
    func counters(per dimension: BudgetDimension) async throws {
        let store = ReopenableStore(InMemoryEventStore(identity: PlainLedger.identity))
        let ledger = try await PlainLedger.fixture(store: store)
        try await ledger.set(
            BudgetRule(id: "b", per: [dimension], window: .lifetime, amount: 10))
        func call(_ name: String, _ nanos: Int64) -> CallRequest {
            ledger.plain(
                dimension == .customer ? name : "c", nanos,
                model: dimension == .model ? name : "flat-small",
                run: dimension == .run ? name : nil, user: dimension == .user ? name : nil,
                tags: [Tag(key: "t", value: dimension == .tag("t") ? name : "v")])
        }
        #expect(try await ledger.reserve("r1", call(composed, 7))?.reservation != nil)
        #expect(try await ledger.reserve("r2", call(decomposed, 8))?.reservation != nil)
        #expect(try await ledger.reserve("r3", call(composed, 4))?.rejection?.budget == "b")
        let held = try await ledger.engine.read { view in
            view.state.budgets["b"]?.counters.values.map(\.held).sorted()
        }
        #expect(held == [7, 8])
        #expect(try await ledger.failedChecks() == [])
        await ledger.engine.shutdown()
        let again = try await PlainLedger.reopened(store)
        #expect(try await again.reserve("r4", call(decomposed, 2))?.reservation != nil)
        #expect(try await again.reserve("r5", call(decomposed, 1))?.rejection?.budget == "b")
        await again.engine.shutdown()
    }

    // A budget for one spelling is not met by the other.
    @Test func matches() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.set(
            BudgetRule(
                id: "customer", match: BudgetMatch(customer: composed), window: .lifetime, amount: 0
            ))
        try await ledger.set(
            BudgetRule(id: "user", match: BudgetMatch(user: composed), window: .lifetime, amount: 0)
        )
        try await ledger.set(
            BudgetRule(id: "run", match: BudgetMatch(run: composed), window: .lifetime, amount: 0))
        try await ledger.set(
            BudgetRule(
                id: "tag", match: BudgetMatch(tags: [Tag(key: "t", value: composed)]),
                window: .lifetime, amount: 0))
        let call = ledger.plain(
            decomposed, 1, run: decomposed, user: decomposed,
            tags: [Tag(key: "t", value: decomposed)])
        let reserved = try await ledger.reserve("r", call)?.reservation
        #expect(reserved?.lines.map(\.budget) == [])
    }

    // Keys that differ in a byte differ, hash apart and stand in one order; the split between
    // project and id counts.
    @Test func keys() {
        let keys = [("a", "bc"), ("ab", "c"), ("p", composed), ("p", decomposed)].map {
            ReservationKey(project: $0.0, id: $0.1)
        }
        #expect(Set(keys).count == keys.count)
        for (a, b) in zip(keys, keys.dropFirst()) { #expect((a < b) != (b < a)) }
        #expect(keys.sorted() == keys.reversed().sorted())
    }
}
