// Where the money came from and went: revenue by day, and what became of every grant. Money is in
// nano units; days are days of UTC by the time of the event.

import Billing

/// What one customer was charged on one day, and who bears it.
/// charge = from_grants + billable + debt + absorbed.
package struct RevenueRow: ViewRow, Hashable {
    package static let table = "revenue"
    package static let keyColumns = 3

    package var project = ""
    package var customer = ""
    package var day: Int64 = 0
    package var cost: Int64 = 0
    package var charge: Int64 = 0
    package var fromGrants: Int64 = 0
    /// Billed to the customer.
    package var billable: Int64 = 0
    /// Beyond the grants of a prepaid customer.
    package var debt: Int64 = 0
    /// Borne by the operator.
    package var absorbed: Int64 = 0
    /// Debt, of whatever day, that grants repaid on this one.
    package var repaidDebt: Int64 = 0
    /// The part of `fromGrants` and `repaidDebt` that promotional grants paid.
    package var fromPromotional: Int64 = 0
    /// Payments received.
    package var paid: Int64 = 0
    /// Credit given, by category.
    package var grantedPaid: Int64 = 0
    package var grantedPromotional: Int64 = 0

    package init() {}

    init(_ customer: CustomerKey, day: Int64) {
        project = customer.project
        self.customer = customer.id
        self.day = day
    }

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.text("project", &project)
        visitor.text("customer", &customer)
        visitor.integer("day", &day)
        visitor.integer("cost", &cost)
        visitor.integer("charge", &charge)
        visitor.integer("from_grants", &fromGrants)
        visitor.integer("billable", &billable)
        visitor.integer("debt", &debt)
        visitor.integer("absorbed", &absorbed)
        visitor.integer("repaid_debt", &repaidDebt)
        visitor.integer("from_promotional", &fromPromotional)
        visitor.integer("paid", &paid)
        visitor.integer("granted_paid", &grantedPaid)
        visitor.integer("granted_promotional", &grantedPromotional)
    }
}

/// A credit grant as it is. amount = remaining + burnt + lost.
package struct GrantRow: ViewRow, Hashable {
    package static let table = "grants"
    package static let keyColumns = 3

    package var project = ""
    package var customer = ""
    package var id = ""
    /// Number of its `credit.granted`.
    package var sequence: Int64 = 0
    package var amount: Int64 = 0
    /// `GrantCategory`.
    package var category = ""
    /// Microseconds since 1970 UTC.
    package var grantedAt: Int64 = 0
    package var expiresAt: Int64?
    /// Includes `held`.
    package var remaining: Int64 = 0
    package var held: Int64 = 0
    package var burnt: Int64 = 0
    /// Of `burnt`: repaid debt.
    package var repaid: Int64 = 0
    /// Expired or revoked.
    package var lost: Int64 = 0
    /// 1: expired or revoked, on the log.
    package var ended: Int64 = 0

    package init() {}

    init(_ customer: CustomerKey, _ id: String) {
        project = customer.project
        self.customer = customer.id
        self.id = id
    }

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.text("project", &project)
        visitor.text("customer", &customer)
        visitor.text("id", &id)
        visitor.integer("seq", &sequence)
        visitor.integer("amount", &amount)
        visitor.text("category", &category)
        visitor.integer("granted_us", &grantedAt)
        visitor.optional("expires_us", &expiresAt)
        visitor.integer("remaining", &remaining)
        visitor.integer("held", &held)
        visitor.integer("burnt", &burnt)
        visitor.integer("repaid", &repaid)
        visitor.integer("lost", &lost)
        visitor.integer("ended", &ended)
    }
}

/// How far one grant burnt down on one day; days without a change have no row.
package struct GrantDayRow: ViewRow, Hashable {
    package static let table = "grant_days"
    package static let keyColumns = 4

    package var project = ""
    package var customer = ""
    package var id = ""
    package var day: Int64 = 0
    /// Given on this day.
    package var granted: Int64 = 0
    package var burnt: Int64 = 0
    package var repaid: Int64 = 0
    package var lost: Int64 = 0
    /// What was left after the day's last change.
    package var remaining: Int64 = 0

    package init() {}

    init(_ grant: GrantRow, day: Int64) {
        project = grant.project
        customer = grant.customer
        id = grant.id
        self.day = day
    }

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.text("project", &project)
        visitor.text("customer", &customer)
        visitor.text("id", &id)
        visitor.integer("day", &day)
        visitor.integer("granted", &granted)
        visitor.integer("burnt", &burnt)
        visitor.integer("repaid", &repaid)
        visitor.integer("lost", &lost)
        visitor.integer("remaining", &remaining)
    }
}

/// One counter of a budget in one of its windows, also long after that.
package struct BudgetWindowRow: ViewRow, Hashable {
    package static let table = "budget_windows"
    package static let keyColumns = 4

    package var budget = ""
    /// Number of the event since which the budget's counters counted.
    package var generation: Int64 = 0
    package var scope = ""
    /// Microseconds since 1970 UTC.
    package var windowStart: Int64 = 0
    package var windowEnd: Int64?
    /// `BudgetMeasure`; the figures below are in it, money in nano units.
    package var measure = ""
    /// The limit as it was at the last call.
    package var amount: Int64?
    package var spent: Int64 = 0
    package var held: Int64 = 0
    /// The most that was held at one time.
    package var heldPeak: Int64 = 0
    package var openHolds: Int64 = 0
    /// Calls that held or spent something here.
    package var calls: Int64 = 0
    package var refused: Int64 = 0
    /// Let through although they did not fit: a rule that warns, or a shadow rule.
    package var exceeded: Int64 = 0
    /// Number of the last event that changed the row.
    package var lastSequence: Int64 = 0

    package init() {}

    init(_ reference: CounterReference) {
        budget = reference.budget
        generation = Int64(clamping: reference.generation)
        scope = reference.scope
        windowStart = reference.windowStart.microseconds
        measure = reference.measure.rawValue
    }

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.text("budget", &budget)
        visitor.integer("generation", &generation)
        visitor.text("scope", &scope)
        visitor.integer("window_start_us", &windowStart)
        visitor.optional("window_end_us", &windowEnd)
        visitor.text("measure", &measure)
        visitor.optional("amount", &amount)
        visitor.integer("spent", &spent)
        visitor.integer("held", &held)
        visitor.integer("held_peak", &heldPeak)
        visitor.integer("open_holds", &openHolds)
        visitor.integer("calls", &calls)
        visitor.integer("refused", &refused)
        visitor.integer("exceeded", &exceeded)
        visitor.integer("last_seq", &lastSequence)
    }
}
