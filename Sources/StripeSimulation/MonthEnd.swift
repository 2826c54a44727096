// What a billing period's end would bring, seen on copies: a ledger and a simulated account go on
// alone, with a clock that is moved, until the invoices are final.

package import Billing
package import Engine
package import EventLog
package import Simulators
import StripeAPI
package import StripeSync
import Synchronization

package struct MonthEnd {
    /// One customer of the ledger beside what Stripe billed it.
    package struct Row: Sendable, Equatable {
        package var key: CustomerKey
        /// Everything that was ever billable.
        package var billableNanos: Int64
        /// Σ quantity of the final invoices, as the account itself has it; micro-units.
        package var invoiced: Int64
        /// Σ amount of them, in minor units.
        package var amountMinorUnits: Int64
        package var invoices: Int
        package var isBalanced: Bool
    }

    private let engine: Engine
    private let sync: StripeSync
    private let stripe: SimulatedStripe
    private let clock: ManualClock

    /// - Parameters:
    ///   - store: a copy, which is written to.
    ///   - path: of the file for what is to be pushed; made.
    /// Blocks while the log is read.
    package init(
        store: any EventStore, calendar: any WindowCalendar, account: StripeAccount, path: String,
        settings: StripeSettings
    ) throws(EngineError) {
        let clock = ManualClock(Instant(microseconds: account.now))
        self.clock = clock
        engine = try Engine(store: store, clock: clock, calendar: calendar)
        stripe = SimulatedStripe(account) { clock.now().microseconds }
        sync = StripeSync(
            ledger: engine, store: store, client: stripe.client(), path: path, settings: settings,
            clock: clock, isInline: true)
    }

    /// Lets time go on until every invoice of the present periods is final.
    package func run(keys: [CustomerKey]) async throws -> [Row] {
        let start = clock.now()
        try await live(until: start.advanced(bySeconds: 3_600 + 300))
        var end = start
        for key in keys {
            if let last = try await sync.standing(of: key)?.periodEnd { end = max(end, last) }
        }
        for minutes in [5, 65, 130, 200] as [Int64] {
            try await live(until: end.advanced(bySeconds: minutes * 60))
        }
        var rows: [Row] = []
        for key in keys {
            guard let standing = try await sync.standing(of: key) else { continue }
            rows.append(row(key, standing))
        }
        await sync.stop()
        await engine.shutdown()
        return rows
    }

    private func row(_ key: CustomerKey, _ standing: StripeStanding) -> Row {
        let (quantity, invoices) = stripe.account.withLock { account in
            (
                account.billedQuantities[standing.stripeCustomer] ?? 0,
                account.finalAmounts(ofCustomer: standing.stripeCustomer)
            )
        }
        return Row(
            key: key, billableNanos: standing.billableNanos, invoiced: quantity,
            amountMinorUnits: invoices.reduce(0, +), invoices: invoices.count,
            isBalanced: standing.isBalanced)
    }

    private func live(until time: Instant) async throws {
        clock.set(time)
        // Each turn may bring webhooks, and each of those something to do.
        for _ in 0..<6 {
            try await deliver()
            try await sync.turn()
        }
    }

    private func deliver() async throws {
        let now = clock.now().microseconds
        for delivery in stripe.account.withLock({ $0.dueDeliveries(at: now) }) {
            let event = try StripeEvent(body: delivery.body)
            _ = try await StripeSync.receive(event, body: delivery.body, into: engine)
            stripe.account.withLock { $0.delivered(delivery.id, status: 200, at: now) }
        }
    }
}
