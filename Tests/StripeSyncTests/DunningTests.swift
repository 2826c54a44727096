import Billing
import Engine
import FaregateTestSupport
import Money
import Simulators
import StripeSync
import Synchronization
import Testing

/// What becomes of customers whose invoices cannot be collected.
@Suite struct DunningTests {
    private static let key = CustomerKey(project: LedgerFixture.project, id: "c0")

    /// A month of usage whose invoice fails five times, a day apart, and is paid the sixth.
    private func month(dailyNanos: Int64?) async throws -> SimulatedMonth {
        let month = try await SimulatedMonth(seed: 5, customers: 1)
        month.settings.suspendAfterAttempts = 3
        month.settings.dunningDailyNanos = dailyNanos
        month.stripe.account.withLock { $0.faults.paymentFailed = 1_000 }
        for _ in 0..<32 * 2 {
            try await month.step(minutes: 720, hasTraffic: true, canCrash: false)
        }
        return month
    }

    private func status(_ month: SimulatedMonth) async throws -> CustomerStatus? {
        try await month.fixture.engine.read { $0.state.customers[Self.key]?.status }
    }

    private func budgets(_ month: SimulatedMonth) async throws -> [BudgetRule] {
        try await month.fixture.engine.read { view in
            view.state.budgets.values.map(\.rule).filter { $0.id.hasPrefix("stripe-dunning:") }
        }
    }

    private func days(_ count: Int, _ month: SimulatedMonth) async throws {
        for _ in 0..<count * 2 {
            try await month.step(minutes: 720, hasTraffic: false, canCrash: false)
        }
    }

    private func end(_ month: SimulatedMonth) async {
        await month.sync?.stop()
        await month.fixture.engine.shutdown()
    }

    // After so many failed attempts a customer is suspended; when it has paid, it is resumed.
    @Test func suspends() async throws {
        let month = try await month(dailyNanos: nil)
        #expect(try await status(month) == .active)
        try await days(4, month)
        #expect(try await status(month) == .suspended)
        try await days(6, month)
        #expect(try await status(month) == .active)
        await end(month)
    }

    // Where a limit is set for it, it stays active under a budget of its own until it has paid.
    @Test func limits() async throws {
        let month = try await month(dailyNanos: 5_000_000_000)
        #expect(try await budgets(month).isEmpty)
        try await days(4, month)
        #expect(try await status(month) == .active)
        let rule = try #require(try await budgets(month).first)
        #expect(rule.match.customer == "c0")
        #expect(rule.amount == 5_000_000_000)
        #expect(rule.window == .day)
        try await days(6, month)
        #expect(try await budgets(month).isEmpty)
        await end(month)
    }
}
