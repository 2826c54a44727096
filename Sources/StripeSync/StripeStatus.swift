// Where Stripe and the ledger stand: numbers for people and metrics.

package import Billing
package import EventLog
import Projections

/// One customer's part. Amounts are nano-units of the currency, quantities micro-units.
package struct StripeStanding: Sendable, Equatable {
    package var billableNanos: Int64 = 0
    /// On invoices.
    package var billed: Int64 = 0
    /// Sent to Stripe, or about to be, in periods that are not invoiced yet.
    package var pushed: Int64 = 0
    package var carriedNanos: Int64 = 0
    /// In windows that are in no push yet.
    package var waitingNanos: Int64 = 0
    package var stripeCustomer = ""
    package var subscription = ""
    package var subscriptionStatus = ""
    package var periodStart: Instant?
    package var periodEnd: Instant?
    /// Why nothing can be billed; empty: it can.
    package var blocked = ""

    package init() {}

    /// Every nano is somewhere, once.
    package var isBalanced: Bool {
        Int128(billableNanos)
            == (Int128(billed) + Int128(pushed)) * 1_000 + Int128(carriedNanos)
            + Int128(waitingNanos)
    }
}

/// All customers together.
package struct StripeStatus: Sendable, Equatable {
    package var sequence: UInt64 = 0
    package var linkedCustomers: Int64 = 0
    package var billableNanos: Int64 = 0
    package var billed: Int64 = 0
    package var pushed: Int64 = 0
    package var openPushes: Int64 = 0
    package var oldestOpenPush: Instant?
    package var carriedNanos: Int64 = 0
    package var waitingNanos: Int64 = 0
    package var oldestWindow: Instant?
    package var standingDrifts: Int64 = 0
    package var driftQuantity: Int64 = 0
    /// Customers of whom Stripe takes nothing until somebody has seen to it.
    package var blockedCustomers: Int64 = 0
    /// Customers whose subscription ended with something left to bill.
    package var endedCustomers: Int64 = 0
    /// What those two have in all.
    package var stuckNanos: Int64 = 0
    /// What is billable of customers that have no Stripe customer or no subscription; part of
    /// what is carried.
    package var unsubscribedNanos: Int64 = 0
    /// Invoices that charge something else than their quantity comes to.
    package var oddInvoices: Int64 = 0
    package var waitingWebhooks: Int64 = 0
    package var openDisputes: Int64 = 0
    package var nextDisputeDue: Instant?
    package var lastRun: StripeRunRow?
    /// The meter's event name and its id at Stripe; empty: not found out.
    package var meter = ""
    package var meterID = ""
    /// By how much this machine's clock is ahead of Stripe's; nil: it is not known.
    package var clockSkewSeconds: Int64?
    /// Why nothing goes on at present.
    package var problem: String?
}

extension StripeFile {
    private static let pushedSQL = """
        SELECT coalesce(sum(quantity), 0) FROM pushes WHERE kind = 'usage'
            AND state IN ('open', 'accepted', 'settled') AND NOT EXISTS (
                SELECT 1 FROM periods p WHERE p.project = pushes.project
                AND p.customer = pushes.customer AND p.is_closed = 1
                AND p.start_us <= pushes.stamp_us AND p.end_us > pushes.stamp_us)
        """

    package func standing(of key: CustomerKey) throws(StoreError) -> StripeStanding? {
        guard let row = try customer(key.project, key.id) else { return nil }
        var standing = StripeStanding()
        standing.billableNanos = row.billableNanos
        standing.billed = row.billed
        standing.carriedNanos = row.carriedNanos
        standing.stripeCustomer = row.stripeCustomer
        standing.subscription = row.subscription
        standing.subscriptionStatus = row.status
        if row.periodEnd > 0 {
            standing.periodStart = Instant(microseconds: row.periodStart)
            standing.periodEnd = Instant(microseconds: row.periodEnd)
        }
        standing.blocked =
            row.endedAt > 0 && row.blocked.isEmpty ? "subscription_ended" : row.blocked
        standing.pushed = try number(
            Self.pushedSQL + " AND project = ? AND customer = ?",
            [.text(key.project), .text(key.id)])
        standing.waitingNanos = try number(
            "SELECT coalesce(sum(nanos), 0) FROM windows WHERE project = ? AND customer = ?",
            [.text(key.project), .text(key.id)])
        return standing
    }

    /// Sums over customers and what is waiting; what was pushed in open periods is the rest.
    package func status() throws(StoreError) -> StripeStatus {
        var status = StripeStatus()
        status.sequence = sequence
        let sums = try numbers(
            """
            SELECT coalesce(sum(billable), 0), coalesce(sum(billed), 0), coalesce(sum(carried), 0),
                coalesce(sum(blocked <> ''), 0),
                coalesce(sum(blocked = '' AND ended_us > 0
                    AND carried NOT BETWEEN -999 AND 999), 0),
                coalesce(sum(CASE WHEN blocked <> '' OR ended_us > 0 THEN carried END), 0),
                coalesce(sum(CASE WHEN stripe_customer = '' OR subscription = ''
                    THEN carried END), 0)
                FROM customers
            """, count: 7)
        status.billableNanos = sums[0]
        status.billed = sums[1]
        status.carriedNanos = sums[2]
        status.blockedCustomers = sums[3]
        status.endedCustomers = sums[4]
        status.stuckNanos = sums[5]
        status.unsubscribedNanos = sums[6]
        let windows = try numbers(
            "SELECT coalesce(sum(nanos), 0), coalesce(min(start_us), 0) FROM windows", count: 2)
        status.waitingNanos = windows[0]
        status.oldestWindow = windows[1] > 0 ? Instant(microseconds: windows[1]) : nil
        let rest =
            Int128(sums[0]) - Int128(sums[2]) - Int128(windows[0]) - Int128(sums[1]) * 1_000
        status.pushed = Int64(clamping: rest / 1_000)
        status.linkedCustomers = try number("SELECT count(*) FROM links WHERE customer <> ''")
        let open = try numbers(
            """
            SELECT count(*), coalesce(min(planned_us), 0) FROM pushes WHERE state = 'open'
            """, count: 2)
        status.openPushes = open[0]
        status.oldestOpenPush = open[1] > 0 ? Instant(microseconds: open[1]) : nil
        let drifts = try numbers(
            "SELECT count(*), coalesce(sum(abs(missing)), 0) FROM drifts WHERE is_over = 0",
            count: 2)
        (status.standingDrifts, status.driftQuantity) = (drifts[0], drifts[1])
        status.oddInvoices = try number("SELECT count(*) FROM periods WHERE is_odd = 1")
        status.waitingWebhooks = try number(
            "SELECT count(*) FROM inbox WHERE is_handled = 0 AND seq > 0")
        let disputes = try numbers(
            """
            SELECT count(*), coalesce(min(nullif(due_us, 0)), 0) FROM disputes
                WHERE status IN ('needs_response', 'warning_needs_response')
            """, count: 2)
        status.openDisputes = disputes[0]
        status.nextDisputeDue = disputes[1] > 0 ? Instant(microseconds: disputes[1]) : nil
        status.lastRun = try find(StripeRunRow())
        return status
    }
}

extension StripeSync {
    package func standing(of key: CustomerKey) throws(StripeProblem) -> StripeStanding? {
        try foldAll()
        return try reading { (file: StripeFile) throws(StoreError) in try file.standing(of: key) }
    }

    package func status() throws(StripeProblem) -> StripeStatus {
        try foldAll()
        var status = try reading { (file: StripeFile) throws(StoreError) in try file.status() }
        status.clockSkewSeconds = client.clockSkewSeconds
        status.meter = settings.meter
        status.meterID = settings.meterID
        status.problem = lastProblem ?? meterProblem
        return status
    }
}
