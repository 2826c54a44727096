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
    /// Why nothing can be billed; empty: it can.
    package var blocked = ""

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
    package var blockedCustomers: Int64 = 0
    package var waitingWebhooks: Int64 = 0
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

    package func status() throws(StoreError) -> StripeStatus {
        var status = StripeStatus()
        status.sequence = sequence
        status.linkedCustomers = try number("SELECT count(*) FROM links WHERE customer <> ''")
        status.billableNanos = try number("SELECT coalesce(sum(billable), 0) FROM customers")
        status.billed = try number("SELECT coalesce(sum(billed), 0) FROM customers")
        status.pushed = try number(Self.pushedSQL)
        status.carriedNanos = try number("SELECT coalesce(sum(carried), 0) FROM customers")
        status.waitingNanos = try number("SELECT coalesce(sum(nanos), 0) FROM windows")
        status.openPushes = try number("SELECT count(*) FROM pushes WHERE state = 'open'")
        let oldest = try number(
            "SELECT coalesce(min(planned_us), 0) FROM pushes WHERE state = 'open'")
        if oldest > 0 { status.oldestOpenPush = Instant(microseconds: oldest) }
        let window = try number("SELECT coalesce(min(start_us), 0) FROM windows")
        if window > 0 { status.oldestWindow = Instant(microseconds: window) }
        status.standingDrifts = try number("SELECT count(*) FROM drifts WHERE is_over = 0")
        status.driftQuantity = try number(
            "SELECT coalesce(sum(abs(missing)), 0) FROM drifts WHERE is_over = 0")
        status.blockedCustomers = try number(
            "SELECT count(*) FROM customers WHERE blocked <> '' OR ended_us > 0")
        status.waitingWebhooks = try number(
            "SELECT count(*) FROM inbox WHERE is_handled = 0 AND seq > 0")
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
        return try reading { (file: StripeFile) throws(StoreError) in try file.status() }
    }
}
