// The life of a push: planned, then accepted or rejected, and settled by the invoice of its period.

import Billing
import EventLog
import Money
import Projections

extension StripeFold {
    mutating func plan(
        _ event: StripePushPlanned, _ recorded: RecordedEvent
    ) throws(StoreError) {
        let (project, customer) = (recorded.project ?? "", recorded.customer ?? "")
        try pushes.change(StripePushRow(event.identifier), in: &source) { row in
            row.project = project
            row.customer = customer
            row.stripeCustomer = event.stripeCustomer
            row.kind = event.kind.rawValue
            row.drift = event.drift ?? ""
            row.quantity = event.quantity
            row.stamp = event.timestamp.microseconds
            row.plannedAt = recorded.time.microseconds
            row.changedAt = recorded.time.microseconds
            row.body = event.body
        }
        try customers.change(StripeCustomerRow(project, customer), in: &source) { row in
            row.pushes.add(1)
            row.openPush = event.identifier
            if event.kind == .usage {
                row.carriedNanos.add(event.carriedAfter.nanos - event.carriedBefore.nanos)
            }
        }
        if let drift = event.drift {
            try drifts.change(StripeDriftRow(drift), in: &source) { $0.push = event.identifier }
        }
        for share in event.windows {
            let blank = StripeWindowRow(project, customer, start: share.start.microseconds)
            let left = try windows.find(blank, in: &source)?.nanos ?? 0
            if left == share.billable.nanos {
                windows.remove(blank)
            } else {
                try windows.change(blank, in: &source) { $0.nanos.add(-share.billable.nanos) }
            }
        }
    }

    mutating func accept(
        _ event: StripePushAccepted, _ recorded: RecordedEvent
    ) throws(StoreError) {
        guard let push = try end(event.identifier, .accepted, recorded) else { return }
        try customers.change(StripeCustomerRow(push.project, push.customer), in: &source) {
            $0.rejections = 0
        }
    }

    mutating func reject(
        _ event: StripePushRejected, _ recorded: RecordedEvent
    ) throws(StoreError) {
        let blank = StripePushRow(event.identifier)
        guard let push = try pushes.find(blank, in: &source) else { return }
        let customer = StripeCustomerRow(push.project, push.customer)
        if event.disposition == .covered {
            // It counts as if it had arrived: something else has made up for it.
            _ = try end(event.identifier, .accepted, recorded)
            try pushes.change(blank, in: &source) { $0.code = event.code }
            if let drift = event.drift {
                try drifts.change(StripeDriftRow(drift), in: &source) {
                    $0.unexplained.add(-push.quantity)
                }
            }
            return
        }
        // A push that was rejected, or settled by an invoice, gives nothing back again.
        let isNews =
            push.state == StripePushState.open.rawValue
            || push.state == StripePushState.accepted.rawValue
        guard isNews else { return }
        _ = try end(event.identifier, .rejected, recorded)
        try pushes.change(blank, in: &source) { $0.code = event.code }
        try customers.change(customer, in: &source) { row in
            if push.kind == StripePushKind.usage.rawValue {
                row.carriedNanos.add(push.quantity * 1_000)
            }
            row.rejections.add(1)
            if event.disposition == .blocked { row.blocked = event.code }
        }
    }

    /// Gives a push its next state, and its customer the way free for the next one.
    @discardableResult
    private mutating func end(
        _ identifier: String, _ state: StripePushState, _ recorded: RecordedEvent
    ) throws(StoreError) -> StripePushRow? {
        let blank = StripePushRow(identifier)
        guard let push = try pushes.find(blank, in: &source) else { return nil }
        // What the invoice has settled stays so.
        guard push.state != StripePushState.settled.rawValue else { return nil }
        try pushes.change(blank, in: &source) { row in
            row.state = state.rawValue
            row.changedAt = recorded.time.microseconds
            row.code = ""
            row.body = ""
        }
        try customers.change(StripeCustomerRow(push.project, push.customer), in: &source) { row in
            if row.openPush == identifier { row.openPush = "" }
        }
        return push
    }

    /// Whether the invoice charges something else than a millionth for each unit: more than a minor
    /// unit apart, which rounding cannot be.
    private func isOdd(_ event: StripePeriodClosed) -> Bool {
        guard event.invoice != nil, let amount = event.amountMinorUnits else { return false }
        let wanted = Int128(event.billed) * Int128(minorUnitsPerUnit)
        return (Int128(amount) * 1_000_000 - wanted).magnitude > 1_000_000
    }

    mutating func close(
        _ event: StripePeriodClosed, _ recorded: RecordedEvent
    ) throws(StoreError) {
        let (project, customer) = (recorded.project ?? "", recorded.customer ?? "")
        let start = event.periodStart.microseconds
        let end = event.periodEnd.microseconds
        let blank = StripePeriodRow(project, customer, start: start)
        let before = try periods.find(blank, in: &source)
        let wasClosed = before?.isClosed == 1
        let isOdd = isOdd(event)
        try periods.change(blank, in: &source) { row in
            row.end = end
            row.isClosed = 1
            row.pushed = event.pushed
            row.billed = event.billed
            row.invoice = event.invoice ?? ""
            row.isOdd = isOdd ? 1 : 0
            if let subscription = event.subscription { row.subscription = subscription }
        }
        // A period that was given up, and invoiced after all, counts by the invoice alone.
        let carriedBefore = wasClosed ? (before?.pushed ?? 0) - (before?.billed ?? 0) : 0
        let billedBefore = wasClosed ? before?.billed ?? 0 : 0
        var open = ""
        try customers.change(StripeCustomerRow(project, customer), in: &source) { row in
            // What Stripe says it billed may be any number.
            let rest = Int128(event.pushed) - Int128(event.billed) - Int128(carriedBefore)
            row.carriedNanos.add(Int64(clamping: rest * 1_000))
            row.billed.add(Int64(clamping: Int128(event.billed) - Int128(billedBefore)))
            row.closedEnd = max(row.closedEnd, end)
            open = row.openPush
        }
        guard !open.isEmpty, let push = try pushes.find(StripePushRow(open), in: &source),
            push.stamp >= start, push.stamp < end
        else { return }
        try self.end(open, .settled, recorded)
    }

    mutating func findDrift(
        _ event: StripeDriftFound, _ recorded: RecordedEvent
    ) throws(StoreError) {
        try drifts.change(StripeDriftRow(event.drift), in: &source) { row in
            row.project = recorded.project ?? ""
            row.customer = recorded.customer ?? ""
            row.periodStart = event.periodStart.microseconds
            row.through = event.through.microseconds
            row.foundAt = recorded.time.microseconds
            row.missing = Int64(clamping: Int128(event.ledger) - Int128(event.stripe))
            row.unexplained = row.missing
        }
    }
}
