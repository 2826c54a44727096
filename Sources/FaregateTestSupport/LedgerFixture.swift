// A ledger in memory with a clock that the test sets.

package import Billing
package import Engine
package import EventLog
import Money
import TimeZones

/// An engine on an in-memory (or given) store, a manual clock and short ways to ask it things.
package struct LedgerFixture: Sendable {
    package let engine: Engine
    package let clock: ManualClock
    package let store: any EventStore

    /// 2026-03-02T12:00:00Z, a Monday.
    package static let start = Instant(microseconds: 1_772_452_800_000_000)

    /// Opens a ledger with the default project, plan and the built-in prices.
    package init(
        store: (any EventStore)? = nil, start: Instant = LedgerFixture.start,
        configuration: EngineConfiguration = EngineConfiguration()
    ) async throws {
        let store = store ?? InMemoryEventStore(identity: LedgerFixture.identity)
        let clock = ManualClock(start)
        self.store = store
        self.clock = clock
        engine = try Engine(
            store: store, clock: clock, calendar: BudgetCalendar(TimeZoneDatabase()),
            configuration: configuration)
        try await Genesis.open(engine)
    }

    package static let identity = LedgerIdentity(
        ledgerID: "test-ledger", currency: "USD", isTestClock: true)

    package static let project = Project.builtIn

    @discardableResult
    package func ask(_ command: Command) async throws(EngineError) -> CommandReply {
        try await engine.submit(EngineRequest(command))
    }

    /// Sets a budget; `amount` in major units for money, else a count.
    package func setBudget(
        _ id: String, amount: String, match: BudgetMatch = BudgetMatch(),
        per: [BudgetDimension] = [], measure: BudgetMeasure = .charge,
        window: BudgetWindow = .lifetime, timeZone: String = "UTC",
        holds: HoldFigure = .bound, onExceed: OnExceed = .reject, name: String? = nil
    ) async throws {
        let quantity = measure.isMoney ? try Money(decimal: amount).nanos : Int64(amount) ?? 0
        try await ask(
            .setBudget(
                BudgetRule(
                    id: id, name: name ?? id, match: match, per: per, measure: measure,
                    window: window, timeZone: timeZone, amount: quantity, holds: holds,
                    onExceed: onExceed)))
    }

    /// Opens a customer with terms.
    package func open(_ customer: String, _ terms: Terms) async throws {
        try await ask(
            .openCustomer(
                CustomerSettings(
                    key: CustomerKey(project: Self.project, id: customer), terms: terms)))
    }

    /// Grants credit from now.
    package func grant(
        _ customer: String, _ id: String, _ amount: String, priority: Int64 = 0,
        effectiveAfter: Int64 = 0, expiresAfter: Int64? = nil, models: [String] = []
    ) async throws {
        let terms = GrantTerms(
            id: id, amount: try Money(decimal: amount), priority: priority,
            effectiveAt: clock.now().advanced(bySeconds: effectiveAfter),
            expiresAt: expiresAfter.map { clock.now().advanced(bySeconds: $0) }, models: models)
        try await ask(.grantCredit(CustomerKey(project: Self.project, id: customer), terms))
    }

    package func subject(_ customer: String, run: String? = nil, user: String? = nil) -> Subject {
        Subject(project: Self.project, customer: customer, user: user, run: run)
    }

    /// A reservation by amount.
    package func reserveRequest(
        _ id: String, _ customer: String, amount: String, run: String? = nil, seconds: Int64? = nil,
        onExpiry: ExpiryPolicy? = nil
    ) throws -> EngineRequest {
        let call = CallRequest(
            subject: subject(customer, run: run), model: "gpt-4o",
            size: .amount(try Money(decimal: amount)))
        return EngineRequest(
            .reserve(ReserveRequest(id: id, call: call, holdSeconds: seconds, onExpiry: onExpiry)),
            requestHash: Fingerprint(.request, customer, "reserve \(id) \(amount)"))
    }

    @discardableResult
    package func reserve(
        _ id: String, _ customer: String, amount: String, run: String? = nil, seconds: Int64? = nil,
        onExpiry: ExpiryPolicy? = nil
    ) async throws -> Event? {
        let request = try reserveRequest(
            id, customer, amount: amount, run: run, seconds: seconds, onExpiry: onExpiry)
        return try await engine.submit(request).event?.event
    }

    /// A reservation by token counts.
    @discardableResult
    package func reserve(
        _ id: String, _ customer: String, model: String, _ estimate: UsageEstimate
    ) async throws -> Event? {
        let call = CallRequest(subject: subject(customer), model: model, size: .counts(estimate))
        let request = EngineRequest(
            .reserve(ReserveRequest(id: id, call: call)),
            requestHash: Fingerprint(.request, customer, "reserve \(id) \(model) \(estimate)"))
        return try await engine.submit(request).event?.event
    }

    package func settleRequest(_ id: String, _ actual: ActualUsage) -> EngineRequest {
        EngineRequest(
            .settle(SettleRequest(key: key(id), actual: actual)),
            requestHash: Fingerprint(.request, id, "settle \(actual)"))
    }

    @discardableResult
    package func settle(_ id: String, amount: String) async throws -> Event? {
        let actual = ActualUsage.amount(try Money(decimal: amount))
        return try await engine.submit(settleRequest(id, actual)).event?.event
    }

    package func key(_ id: String) -> ReservationKey {
        ReservationKey(project: Self.project, id: id)
    }

    package func customer(_ id: String) async throws -> Customer {
        let key = CustomerKey(project: Self.project, id: id)
        let found = try await engine.read { $0.state.customers[key] }
        guard let found else { throw FixtureError.noCustomer(id) }
        return found
    }

    /// The only counter, or the one of `scope`, of a budget.
    package func counter(_ budget: String, scope: String = "") async throws -> Counter? {
        try await engine.read { $0.state.budgets[budget]?.counters[ExactText(scope)] }
    }

    /// All checks of `verify`, against the live state.
    package func verify() async throws -> VerificationReport {
        let state = try await engine.read { $0.state }
        return try LedgerVerifier.verify(store, liveState: state)
    }
}

package enum FixtureError: Error {
    case noCustomer(String)
    case noFolder(String)
}

extension Event {
    package var rejection: UsageRejected? {
        if case .usageRejected(let event) = self { event } else { nil }
    }

    package var reservation: UsageReserved? {
        if case .usageReserved(let event) = self { event } else { nil }
    }

    package var settlement: UsageSettled? {
        if case .usageSettled(let event) = self { event } else { nil }
    }
}
