// What the fold knows of each customer, window, push and period. Amounts named `…Nanos` are
// nano-units of the currency, quantities are micro-units; `…_us` are microseconds since 1970 UTC.
// Empty texts and zero times stand for "none".

package import Projections

/// A customer that was ever billed or linked. At every moment
///
///     billed for good + pushed + carried + waiting in windows = billable
///
/// (in nano-units; pushed: in periods that are not closed, repairs aside).
package struct StripeCustomerRow: ViewRow, Equatable {
    package var project = ""
    package var customer = ""
    package var stripeCustomer = ""
    /// Everything that was ever billable.
    package var billableNanos: Int64 = 0
    /// On invoices of closed periods.
    package var billed: Int64 = 0
    /// To go into the next push; below zero: comes off it.
    package var carriedNanos: Int64 = 0
    /// Number of pushes planned so far.
    package var pushes: Int64 = 0
    /// Identifier of the push that has no end yet: there is one at a time.
    package var openPush = ""
    package var subscription = ""
    package var status = ""
    package var seenAt: Int64 = 0
    package var periodStart: Int64 = 0
    package var periodEnd: Int64 = 0
    package var endedAt: Int64 = 0
    /// Why nothing is pushed.
    package var blocked = ""
    /// Pushes rejected one after the other.
    package var rejections: Int64 = 0
    /// Price ids of its subscriptions' items that the meter feeds, separated by spaces.
    package var prices = ""
    /// Because a payment failed: 1: suspended; 2: limited by a budget.
    package var isDunned: Int64 = 0
    /// End of the last period that an invoice closed.
    package var closedEnd: Int64 = 0

    package init() {}

    package init(_ project: String, _ customer: String) {
        self.project = project
        self.customer = customer
    }

    package static let table = "customers"
    package static let keyColumns = 2

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.text("project", &project)
        visitor.text("customer", &customer)
        visitor.text("stripe_customer", &stripeCustomer)
        visitor.integer("billable", &billableNanos)
        visitor.integer("billed", &billed)
        visitor.integer("carried", &carriedNanos)
        visitor.integer("pushes", &pushes)
        visitor.text("open_push", &openPush)
        visitor.text("subscription", &subscription)
        visitor.text("status", &status)
        visitor.integer("seen_us", &seenAt)
        visitor.integer("period_start_us", &periodStart)
        visitor.integer("period_end_us", &periodEnd)
        visitor.integer("ended_us", &endedAt)
        visitor.text("blocked", &blocked)
        visitor.integer("rejections", &rejections)
        visitor.text("prices", &prices)
        visitor.integer("is_dunned", &isDunned)
        visitor.integer("closed_us", &closedEnd)
    }

    /// Whether usage is kept by windows: what will not be pushed as it comes is only added up.
    var keepsWindows: Bool {
        !stripeCustomer.isEmpty && !subscription.isEmpty && blocked.isEmpty && endedAt == 0
    }
}

/// Whose a Stripe customer is.
package struct StripeLinkRow: ViewRow {
    package var stripeCustomer = ""
    package var project = ""
    package var customer = ""

    package init() {}
    init(_ stripeCustomer: String) { self.stripeCustomer = stripeCustomer }

    package static let table = "links"
    package static let keyColumns = 1

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.text("stripe_customer", &stripeCustomer)
        visitor.text("project", &project)
        visitor.text("customer", &customer)
    }
}

/// A customer's usage of one window that is in no push yet.
package struct StripeWindowRow: ViewRow {
    package var project = ""
    package var customer = ""
    package var start: Int64 = 0
    package var end: Int64 = 0
    package var nanos: Int64 = 0

    package init() {}
    init(_ project: String, _ customer: String, start: Int64) {
        self.project = project
        self.customer = customer
        self.start = start
    }

    package static let table = "windows"
    package static let keyColumns = 3

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.text("project", &project)
        visitor.text("customer", &customer)
        visitor.integer("start_us", &start)
        visitor.integer("end_us", &end)
        visitor.integer("nanos", &nanos)
    }
}

package enum StripePushState: String, Sendable {
    /// Planned, and not known to be anywhere.
    case open
    case accepted
    /// Its usage is in another push, or waits.
    case rejected
    /// The invoice of its period has settled what became of it.
    case settled
}

package struct StripePushRow: ViewRow, Sendable {
    package var identifier = ""
    package var project = ""
    package var customer = ""
    package var stripeCustomer = ""
    package var state = StripePushState.open.rawValue
    package var kind = ""
    package var drift = ""
    package var quantity: Int64 = 0
    package var stamp: Int64 = 0
    package var plannedAt: Int64 = 0
    /// Since when its state is what it is.
    package var changedAt: Int64 = 0
    package var attempts: Int64 = 0
    /// Of the last failure or rejection.
    package var code = ""
    package var body = ""

    package init() {}
    init(_ identifier: String) { self.identifier = identifier }

    package static let table = "pushes"
    package static let keyColumns = 1

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.text("identifier", &identifier)
        visitor.text("project", &project)
        visitor.text("customer", &customer)
        visitor.text("stripe_customer", &stripeCustomer)
        visitor.text("state", &state)
        visitor.text("kind", &kind)
        visitor.text("drift", &drift)
        visitor.integer("quantity", &quantity)
        visitor.integer("stamp_us", &stamp)
        visitor.integer("planned_us", &plannedAt)
        visitor.integer("changed_us", &changedAt)
        visitor.integer("attempts", &attempts)
        visitor.text("code", &code)
        visitor.text("body", &body)
    }
}

/// A billing period of a customer's subscription.
package struct StripePeriodRow: ViewRow {
    package var project = ""
    package var customer = ""
    package var start: Int64 = 0
    package var end: Int64 = 0
    package var subscription = ""
    package var isClosed: Int64 = 0
    package var pushed: Int64 = 0
    package var billed: Int64 = 0
    package var invoice = ""
    /// 1: the invoice's amount is not what its quantity comes to.
    package var isOdd: Int64 = 0

    package init() {}
    init(_ project: String, _ customer: String, start: Int64) {
        self.project = project
        self.customer = customer
        self.start = start
    }

    package static let table = "periods"
    package static let keyColumns = 3

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.text("project", &project)
        visitor.text("customer", &customer)
        visitor.integer("start_us", &start)
        visitor.integer("end_us", &end)
        visitor.text("subscription", &subscription)
        visitor.integer("is_closed", &isClosed)
        visitor.integer("pushed", &pushed)
        visitor.integer("billed", &billed)
        visitor.text("invoice", &invoice)
        visitor.integer("is_odd", &isOdd)
    }
}

/// A difference between Stripe's sum and the ledger's.
package struct StripeDriftRow: ViewRow {
    package var drift = ""
    package var project = ""
    package var customer = ""
    package var periodStart: Int64 = 0
    package var through: Int64 = 0
    package var foundAt: Int64 = 0
    /// What is missing at Stripe; below zero: what it has too much.
    package var missing: Int64 = 0
    /// Part of it that no report of Stripe has explained.
    package var unexplained: Int64 = 0
    /// Identifier of the push that makes up for it.
    package var push = ""
    package var isOver: Int64 = 0

    package init() {}
    init(_ drift: String) { self.drift = drift }

    package static let table = "drifts"
    package static let keyColumns = 1

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.text("drift", &drift)
        visitor.text("project", &project)
        visitor.text("customer", &customer)
        visitor.integer("period_start_us", &periodStart)
        visitor.integer("through_us", &through)
        visitor.integer("found_us", &foundAt)
        visitor.integer("missing", &missing)
        visitor.integer("unexplained", &unexplained)
        visitor.text("push", &push)
        visitor.integer("is_over", &isOver)
    }
}

/// A webhook that was verified.
package struct StripeInboxRow: ViewRow {
    package var id = ""
    package var sequence: Int64 = 0
    package var type = ""
    package var isHandled: Int64 = 0

    package init() {}
    init(_ id: String) { self.id = id }

    package static let table = "inbox"
    package static let keyColumns = 1

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.text("id", &id)
        visitor.integer("seq", &sequence)
        visitor.text("type", &type)
        visitor.integer("is_handled", &isHandled)
    }
}

/// Credit that a payment bought.
package struct StripeTopUpRow: ViewRow {
    package var paymentIntent = ""
    package var project = ""
    package var customer = ""
    package var grant = ""
    package var amountNanos: Int64 = 0
    package var refundedMinorUnits: Int64 = 0

    package init() {}
    init(_ paymentIntent: String) { self.paymentIntent = paymentIntent }

    package static let table = "top_ups"
    package static let keyColumns = 1

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.text("payment_intent", &paymentIntent)
        visitor.text("project", &project)
        visitor.text("customer", &customer)
        visitor.text("grant_id", &grant)
        visitor.integer("amount", &amountNanos)
        visitor.integer("refunded", &refundedMinorUnits)
    }
}

package struct StripeDisputeRow: ViewRow {
    package var dispute = ""
    package var project = ""
    package var customer = ""
    package var dueBy: Int64 = 0
    /// Credit that is held back while it lasts.
    package var heldNanos: Int64 = 0
    package var status = ""

    package init() {}
    init(_ dispute: String) { self.dispute = dispute }

    package static let table = "disputes"
    package static let keyColumns = 1

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.text("dispute", &dispute)
        visitor.text("project", &project)
        visitor.text("customer", &customer)
        visitor.integer("due_us", &dueBy)
        visitor.integer("held", &heldNanos)
        visitor.text("status", &status)
    }
}

/// Whose a budget is that limits a customer who does not pay.
package struct StripeDunningRow: ViewRow {
    package var budget = ""
    package var project = ""
    package var customer = ""

    package init() {}
    init(_ budget: String) { self.budget = budget }

    package static let table = "dunning"
    package static let keyColumns = 1

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.text("budget", &budget)
        visitor.text("project", &project)
        visitor.text("customer", &customer)
    }
}

/// An invoice that a webhook told of.
package struct StripeInvoiceRow: ViewRow {
    package var invoice = ""
    /// 1: nothing is to be collected any more.
    package var isPaid: Int64 = 0

    package init() {}
    init(_ invoice: String) { self.invoice = invoice }

    package static let table = "invoices"
    package static let keyColumns = 1

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.text("invoice", &invoice)
        visitor.integer("is_paid", &isPaid)
    }
}

/// The last comparison of sums.
package struct StripeRunRow: ViewRow, Sendable, Equatable {
    /// Always 1.
    package var id: Int64 = 1
    /// Number of its event.
    package var sequence: Int64 = 0
    package var at: Int64 = 0
    package var checked: Int64 = 0
    package var equal: Int64 = 0
    package var differing: Int64 = 0
    package var pending: Int64 = 0
    package var failed: Int64 = 0

    package init() {}

    package static let table = "last_run"
    package static let keyColumns = 1

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.integer("id", &id)
        visitor.integer("seq", &sequence)
        visitor.integer("at_us", &at)
        visitor.integer("checked", &checked)
        visitor.integer("equal", &equal)
        visitor.integer("differing", &differing)
        visitor.integer("pending", &pending)
        visitor.integer("failed", &failed)
    }
}
