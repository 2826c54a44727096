// From events to what is to be pushed: a pure fold. What it looks at is the event and rows that it
// has made of earlier ones. Total: an event on the log is true, so nothing here refuses or traps.
//
// Usage belongs to the window of its event's time. A window ends where a billing period does, so
// that nothing is pushed across that line. A push takes exactly the shares that its event names:
// usage that came to a window between planning and recording stays there and goes into the next
// push.

package import Billing
package import EventLog
import Money
package import Projections
import StripeAPI

package struct StripeFold<Source: RowSource> {
    var source: Source
    let windowMicroseconds: Int64
    let minorUnitsPerUnit: Int64
    package internal(set) var customers = TouchedRows<StripeCustomerRow>()
    package internal(set) var links = TouchedRows<StripeLinkRow>()
    package internal(set) var windows = TouchedRows<StripeWindowRow>()
    package internal(set) var pushes = TouchedRows<StripePushRow>()
    package internal(set) var periods = TouchedRows<StripePeriodRow>()
    package internal(set) var drifts = TouchedRows<StripeDriftRow>()
    package internal(set) var inbox = TouchedRows<StripeInboxRow>()
    package internal(set) var topUps = TouchedRows<StripeTopUpRow>()
    package internal(set) var disputes = TouchedRows<StripeDisputeRow>()
    package internal(set) var invoices = TouchedRows<StripeInvoiceRow>()
    package internal(set) var runs = TouchedRows<StripeRunRow>()
    package internal(set) var dunning = TouchedRows<StripeDunningRow>()

    /// - Parameter currency: of the ledger.
    package init(_ source: Source, windowSeconds: Int64, currency: String) {
        self.source = source
        minorUnitsPerUnit = StripeCurrency.minorUnitsPerUnit(currency)
        windowMicroseconds = max(windowSeconds, 60) * 1_000_000
    }

    /// Folds one event in.
    ///
    /// - Throws: when rows cannot be read.
    package mutating func fold(_ recorded: RecordedEvent) throws(StoreError) {
        switch recorded.event {
        case .usageSettled(let event): try bill(event.split, recorded)
        case .usageExpired(let event): try bill(event.split, recorded)
        case .usageAdjusted(let event): try bill(event.split, recorded)
        case .usageRecorded(let event): try bill(event.split, recorded)
        case .customerLinked(let event): try link(event, recorded)
        case .creditGranted(let event): try topUp(event.grant, recorded)
        case .creditRevoked(let event):
            guard let dispute = StripeReference.dispute(in: event.reason) else { break }
            try disputes.change(StripeDisputeRow(dispute), in: &source) {
                $0.heldNanos.add(event.amount.nanos)
            }
        case .customerSuspended(let event):
            let isDunned = event.reason.hasPrefix(StripeReference.paymentFailed)
            try customers.change(blank(recorded), in: &source) { $0.isDunned = isDunned ? 1 : 0 }
        case .customerResumed:
            try customers.change(blank(recorded), in: &source) { $0.isDunned = 0 }
        case .budgetSet(let event): try limit(event.rule)
        case .budgetRemoved(let event): try unlimit(event.budget)
        case .stripe(let fact): try fold(fact, recorded)
        default: break
        }
    }

    private mutating func fold(
        _ fact: StripeFact, _ recorded: RecordedEvent
    ) throws(StoreError) {
        switch fact {
        case .pushPlanned(let event): try plan(event, recorded)
        case .pushAccepted(let event): try accept(event, recorded)
        case .pushFailed(let event):
            try pushes.change(StripePushRow(event.identifier), in: &source) { row in
                row.attempts = event.attempts
                row.code = event.code
            }
        case .pushRejected(let event): try reject(event, recorded)
        case .subscriptionSeen(let event): try see(event, recorded)
        case .periodClosed(let event): try close(event, recorded)
        case .driftFound(let event): try findDrift(event, recorded)
        case .repaired(let event):
            try drifts.change(StripeDriftRow(event.drift), in: &source) { $0.isOver = 1 }
        case .reconciled(let event):
            try runs.change(StripeRunRow(), in: &source) { row in
                row.sequence = Int64(clamping: recorded.sequence)
                row.at = recorded.time.microseconds
                (row.checked, row.equal, row.differing) =
                    (event.checked, event.equal, event.differing)
                (row.pending, row.failed) = (event.pending, event.failed)
            }
        case .webhookReceived(let event):
            try inbox.change(StripeInboxRow(event.id), in: &source) { row in
                row.sequence = Int64(clamping: recorded.sequence)
                row.type = event.type
            }
            if event.type == "invoice.paid", let invoice = event.objectID {
                try invoices.change(StripeInvoiceRow(invoice), in: &source) { $0.isPaid = 1 }
            }
        case .webhookHandled(let event):
            try inbox.change(StripeInboxRow(event.id), in: &source) { $0.isHandled = 1 }
        case .disputeOpened(let event):
            try disputes.change(StripeDisputeRow(event.dispute), in: &source) { row in
                row.project = recorded.project ?? ""
                row.customer = recorded.customer ?? ""
                row.dueBy = event.dueBy?.microseconds ?? 0
                row.status = event.status
            }
        case .paymentRefunded(let event):
            try topUps.change(StripeTopUpRow(event.paymentIntent), in: &source) {
                $0.refundedMinorUnits = event.refundedMinorUnits
            }
        case .disputeClosed(let event):
            try disputes.change(StripeDisputeRow(event.dispute), in: &source) {
                $0.status = event.status
            }
        }
    }

    private func blank(_ recorded: RecordedEvent) -> StripeCustomerRow {
        StripeCustomerRow(recorded.project ?? "", recorded.customer ?? "")
    }

    // MARK: Usage

    private mutating func bill(
        _ split: FundingSplit, _ recorded: RecordedEvent
    ) throws(StoreError) {
        let nanos = split.billable.nanos
        guard nanos != 0 else { return }
        let blank = blank(recorded)
        let row = try customers.find(blank, in: &source) ?? blank
        try customers.change(blank, in: &source) { row in
            row.billableNanos.add(nanos)
            if !row.keepsWindows { row.carriedNanos.add(nanos) }
        }
        guard row.keepsWindows else { return }
        let span = window(of: recorded.time.microseconds, row)
        try windows.change(
            StripeWindowRow(row.project, row.customer, start: span.lowerBound), in: &source
        ) { window in
            window.end = span.upperBound
            window.nanos.add(nanos)
        }
    }

    /// The window of an instant: of the clock's grid, cut where the billing period begins or ends.
    private func window(of time: Int64, _ row: StripeCustomerRow) -> Range<Int64> {
        let (quotient, remainder) = time.quotientAndRemainder(dividingBy: windowMicroseconds)
        var start = (remainder < 0 ? quotient - 1 : quotient) * windowMicroseconds
        var end = start + windowMicroseconds
        for edge in [row.periodStart, row.periodEnd] where edge > start && edge < end {
            if edge <= time { start = edge } else { end = edge }
        }
        return start..<end
    }

    // MARK: Customers

    private mutating func link(
        _ event: CustomerLinked, _ recorded: RecordedEvent
    ) throws(StoreError) {
        let blank = blank(recorded)
        let before = try customers.find(blank, in: &source)?.stripeCustomer ?? ""
        try customers.change(blank, in: &source) { row in
            if row.stripeCustomer != event.stripeCustomer {
                row.subscription = ""
                row.status = ""
                (row.seenAt, row.periodStart, row.periodEnd, row.endedAt) = (0, 0, 0, 0)
            }
            row.stripeCustomer = event.stripeCustomer
            // Whoever links, has seen to what was wrong.
            row.blocked = ""
            row.rejections = 0
        }
        if !before.isEmpty, before != event.stripeCustomer { links.remove(StripeLinkRow(before)) }
        try links.change(StripeLinkRow(event.stripeCustomer), in: &source) { row in
            row.project = blank.project
            row.customer = blank.customer
        }
    }

    private mutating func limit(_ rule: BudgetRule) throws(StoreError) {
        guard rule.id.hasPrefix(StripeReference.dunningBudget), let customer = rule.match.customer,
            let project = rule.match.project
        else { return }
        try dunning.change(StripeDunningRow(rule.id), in: &source) { row in
            row.project = project
            row.customer = customer
        }
        try customers.change(StripeCustomerRow(project, customer), in: &source) { $0.isDunned = 2 }
    }

    private mutating func unlimit(_ budget: String) throws(StoreError) {
        guard budget.hasPrefix(StripeReference.dunningBudget),
            let known = try dunning.find(StripeDunningRow(budget), in: &source)
        else { return }
        dunning.remove(StripeDunningRow(budget))
        try customers.change(StripeCustomerRow(known.project, known.customer), in: &source) { row in
            if row.isDunned == 2 { row.isDunned = 0 }
        }
    }

    private mutating func see(
        _ event: StripeSubscriptionSeen, _ recorded: RecordedEvent
    ) throws(StoreError) {
        let blank = blank(recorded)
        let row = try customers.find(blank, in: &source) ?? blank
        try periods.change(
            StripePeriodRow(row.project, row.customer, start: event.periodStart.microseconds),
            in: &source
        ) { period in
            if period.isClosed == 0 {
                period.end = min(
                    event.endedAt?.microseconds ?? .max, event.periodEnd.microseconds)
            }
            period.subscription = event.subscription
        }
        if row.subscription == event.subscription {
            if event.seenAt.microseconds < row.seenAt { return }
        } else if event.endedAt != nil, !row.subscription.isEmpty, row.endedAt == 0 {
            // Another subscription's end says nothing of the one that goes on.
            return
        }
        try customers.change(blank, in: &source) { row in
            row.subscription = event.subscription
            row.status = event.status
            row.seenAt = event.seenAt.microseconds
            row.periodStart = event.periodStart.microseconds
            row.periodEnd = event.periodEnd.microseconds
            row.endedAt = event.endedAt?.microseconds ?? 0
            let known = row.prices.split(separator: " ")
            if !event.price.isEmpty, !known.contains(where: { $0 == event.price }) {
                row.prices = (known.suffix(19) + [event.price[...]]).joined(separator: " ")
            }
        }
    }

    private mutating func topUp(
        _ grant: GrantTerms, _ recorded: RecordedEvent
    ) throws(StoreError) {
        guard grant.source == .stripeCheckout, let reference = grant.sourceReference,
            let payment = StripeReference.paymentIntent(in: reference)
        else { return }
        try topUps.change(StripeTopUpRow(payment), in: &source) { row in
            row.project = recorded.project ?? ""
            row.customer = recorded.customer ?? ""
            row.grant = grant.id
            row.amountNanos = grant.amount.nanos
        }
    }
}

/// What a grant that was bought says of where it comes from: `cs_… pi_…`.
package enum StripeReference {
    package static func text(session: String, paymentIntent: String?) -> String {
        paymentIntent.map { "\(session) \($0)" } ?? session
    }

    static let paymentFailed = "payment failed"

    /// Before the digest that names the customer.
    static let dunningBudget = "stripe-dunning:"

    static func disputeReason(_ dispute: String) -> String { "disputed: \(dispute)" }

    static func dispute(in reason: String?) -> String? {
        guard let reason, reason.hasPrefix("disputed: ") else { return nil }
        return String(reason.dropFirst(10))
    }

    static func paymentIntent(in reference: String) -> String? {
        reference.split(separator: " ").first { $0.hasPrefix("pi_") }.map { String($0) }
    }
}

extension Int64 {
    /// Adds, and stays at the end of the range where the sum would pass it.
    mutating func add(_ other: Int64) {
        let (sum, overflow) = addingReportingOverflow(other)
        self = overflow ? (other < 0 ? .min : .max) : sum
    }
}
