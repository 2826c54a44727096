// A customer: who is charged, on which terms, and what its calls have come to.

package import Money

/// Sums over all calls of a customer since it was opened.
package struct CustomerTotals: Sendable, Hashable {
    package var cost = Money.zero
    package var charge = Money.zero
    /// Burnt from grants, repaid debt included, given-back portions taken off.
    package var fromGrants = Money.zero
    package var billable = Money.zero
    package var absorbed = Money.zero
    package var overrun = Money.zero
    package var paid = Money.zero
    package var tokens: Int64 = 0
    package var reservedCount: Int64 = 0
    package var settledCount: Int64 = 0
    package var releasedCount: Int64 = 0
    package var expiredCount: Int64 = 0
    package var rejectedCount: Int64 = 0
    package var recordedCount: Int64 = 0
    package init() {}
}

/// What an operator says about a customer; no call changes it.
private struct CustomerProfile: Sendable, Hashable {
    var id: String
    var project: String
    var name: String?
    var plan: String
    var terms: Terms
    var status: CustomerStatus
    var statusReason: String?
    var stripeCustomer: String?
    var billingDay: Int64
    var openedAt: Instant
    var openedSequence: UInt64
}

package struct Customer: Sendable, Hashable {
    private var profile: Shared<CustomerProfile>
    /// All grants ever, in the order in which they were given.
    package var grants: [Grant]
    /// Charged beyond grants and not repaid (prepaid).
    package var debt: Money
    /// Held by open reservations and covered by no grant.
    package var heldUncovered: Money
    /// Held by open reservations in all.
    package var heldCharge: Money
    package var openReservations: Int64
    package var totals: CustomerTotals

    package init(
        id: String = "", project: String = "", name: String? = nil, plan: String = "",
        terms: Terms = Terms(), status: CustomerStatus = .active, statusReason: String? = nil,
        stripeCustomer: String? = nil, billingDay: Int64 = 1, openedAt: Instant = .zero,
        openedSequence: UInt64 = 0, grants: [Grant] = [], debt: Money = .zero,
        heldUncovered: Money = .zero,
        heldCharge: Money = .zero, openReservations: Int64 = 0,
        totals: CustomerTotals = CustomerTotals()
    ) {
        profile = Shared(
            CustomerProfile(
                id: id, project: project, name: name, plan: plan, terms: terms, status: status,
                statusReason: statusReason, stripeCustomer: stripeCustomer, billingDay: billingDay,
                openedAt: openedAt, openedSequence: openedSequence))
        self.grants = grants
        self.debt = debt
        self.heldUncovered = heldUncovered
        self.heldCharge = heldCharge
        self.openReservations = openReservations
        self.totals = totals
    }

    package var key: CustomerKey { CustomerKey(project: project, id: id) }
    /// Billed and not yet paid.
    package var owed: Money { totals.billable - totals.paid }
}

// The profile's fields, as the customer's own.
extension Customer {
    package var id: String {
        _read { yield profile.value.id }
        _modify { yield &profile.value.id }
    }

    package var project: String {
        _read { yield profile.value.project }
        _modify { yield &profile.value.project }
    }

    package var name: String? {
        _read { yield profile.value.name }
        _modify { yield &profile.value.name }
    }

    package var plan: String {
        _read { yield profile.value.plan }
        _modify { yield &profile.value.plan }
    }

    /// The customer's own terms; what they leave open comes from the plan.
    package var terms: Terms {
        _read { yield profile.value.terms }
        _modify { yield &profile.value.terms }
    }

    package var status: CustomerStatus {
        _read { yield profile.value.status }
        _modify { yield &profile.value.status }
    }

    package var statusReason: String? {
        _read { yield profile.value.statusReason }
        _modify { yield &profile.value.statusReason }
    }

    package var stripeCustomer: String? {
        _read { yield profile.value.stripeCustomer }
        _modify { yield &profile.value.stripeCustomer }
    }

    /// Day of the month on which its billing periods start.
    package var billingDay: Int64 {
        _read { yield profile.value.billingDay }
        _modify { yield &profile.value.billingDay }
    }

    package var openedAt: Instant {
        _read { yield profile.value.openedAt }
        _modify { yield &profile.value.openedAt }
    }

    /// Sequence number of `customer.opened`.
    package var openedSequence: UInt64 {
        _read { yield profile.value.openedSequence }
        _modify { yield &profile.value.openedSequence }
    }
}
