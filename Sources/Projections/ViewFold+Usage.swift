// Calls: what was reserved, refused, used and corrected.

import Billing
import EventLog
import Money

extension WorkingSet {
    mutating func reserve(
        _ event: UsageReserved, _ recorded: RecordedEvent, _ customer: CustomerKey
    ) throws(StoreError) {
        try usage.change(
            UsageRow(customer, model: event.call.model, day: recorded.day), in: &source
        ) { $0.reserved.add(1) }
        let estimate = event.estimate
        let held = event.funding.grants.reduce(event.funding.uncovered.nanos) {
            $0.addingClamped($1.amount.nanos)
        }
        try open.change(OpenReservationRow(recorded.reservationKey), in: &source) { row in
            row.customer = customer.id
            row.user = event.call.user ?? ""
            row.run = event.call.run ?? ""
            row.model = event.call.model
            row.plan = event.call.plan
            row.reservedAt = recorded.time.microseconds
            row.expiresAt = event.expiresAt.microseconds
            row.onExpiry = event.onExpiry.rawValue
            row.sequence = Int64(clamping: recorded.sequence)
            row.boundCost = estimate.bound.cost.nanos
            row.boundCharge = estimate.bound.charge.nanos
            row.expectedCost = estimate.expected.cost.nanos
            row.expectedCharge = estimate.expected.charge.nanos
            row.held = held
        }
        try hold(event.lines, recorded)
        try takeFunds(event.funding, customer)
    }

    mutating func reject(
        _ event: UsageRejected, _ recorded: RecordedEvent, _ customer: CustomerKey
    ) throws(StoreError) {
        var blank = RefusalRow()
        blank.project = customer.project
        blank.customer = customer.id
        blank.model = event.call.model
        blank.day = recorded.day
        blank.rule = event.rule.rawValue
        blank.code = event.code.rawValue
        blank.budget = event.budget ?? ""
        try refusals.change(blank, in: &source) { row in
            row.refused.add(1)
            guard let estimate = event.estimate else { return row.unpriced.add(1) }
            row.boundCost.add(estimate.bound.cost.nanos)
            row.boundCharge.add(estimate.bound.charge.nanos)
            row.expectedCost.add(estimate.expected.cost.nanos)
            row.expectedCharge.add(estimate.expected.charge.nanos)
        }
        try refuse(event.lines, recorded)
    }

    /// Takes the call of `recorded` off the open ones; nil when it is not among them.
    mutating func closeHold(
        _ recorded: RecordedEvent, _ log: some EventLookup
    ) throws(StoreError) -> CallBefore? {
        let blank = OpenReservationRow(recorded.reservationKey)
        guard let row = try open.find(blank, in: &source) else { return nil }
        open.remove(blank)
        return try log.call(before: recorded, first: UInt64(clamping: row.sequence))
    }

    mutating func settle(
        _ event: UsageSettled, _ recorded: RecordedEvent, _ customer: CustomerKey,
        _ log: some EventLookup
    ) throws(StoreError) {
        let actual = CallFigures(settled: event.rated)
        let change: CallFigures
        let call: CallBefore
        if let open = try closeHold(recorded, log) {
            (call, change) = (open, actual)
            try unhold(call.history, actual, recorded)
            try resolveFunds(
                call.history.funding, event.split, event.repaidDebt, recorded, customer)
        } else {
            // Late: what its expiry charged is on its day already.
            call = try log.call(before: recorded)
            change = actual - event.replaced
            try addToWindows(event.counters, change, recorded)
            try resolveFunds(
                FundingHold(), event.split, event.repaidDebt, recorded, customer)
        }
        try book(change, event.split, recorded, customer)
        try usage.change(
            UsageRow(customer, model: call.history.model, day: recorded.day), in: &source
        ) { row in
            row.settled.add(1)
            if event.isLate { row.late.add(1) }
            row.overrun.add(event.overrun.nanos)
            row.add(change, from: call.counts, to: event.rated.counts)
            row.compare(event, with: call.history.estimate)
        }
        try learn(from: event, call.history, customer)
    }

    /// Keeps how long the answer was. A usage that was itself estimated, or an amount, says nothing
    /// about lengths; nor does usage without a hold, which may be that of many calls.
    private mutating func learn(
        from event: UsageSettled, _ call: Reservation, _ customer: CustomerKey
    ) throws(StoreError) {
        guard !event.rated.marks.contains(.usageEstimated), !event.rated.counts.lines.isEmpty
        else { return }
        let output = event.rated.counts.outputTokens
        let completions = max(call.estimate.completions, 1)
        let tokens = output / completions + (output % completions == 0 ? 0 : 1)
        for name in [customer.id, ""] {
            let row = OutputSizeRow(project: customer.project, customer: name, model: call.model)
            try outputSizes.change(row, in: &source) { $0.add(tokens: tokens) }
        }
    }

    mutating func expire(
        _ event: UsageExpired, _ recorded: RecordedEvent, _ customer: CustomerKey,
        _ log: some EventLookup
    ) throws(StoreError) {
        guard let call = try closeHold(recorded, log) else { return }
        try unhold(call.history, event.provisional, recorded)
        try resolveFunds(call.history.funding, event.split, event.repaidDebt, recorded, customer)
        try book(event.provisional, event.split, recorded, customer)
        try usage.change(
            UsageRow(customer, model: call.history.model, day: recorded.day), in: &source
        ) { row in
            row.expired.add(1)
            row.add(event.provisional, from: UsageCounts(), to: UsageCounts())
        }
    }

    mutating func adjust(
        _ event: UsageAdjusted, _ recorded: RecordedEvent, _ customer: CustomerKey,
        _ log: some EventLookup
    ) throws(StoreError) {
        let call = try log.call(before: recorded)
        let change = CallFigures(cost: event.cost, charge: event.charge, tokens: event.tokens)
        try addToWindows(event.counters, change, recorded)
        try resolveFunds(FundingHold(), event.split, event.repaidDebt, recorded, customer)
        try book(change, event.split, recorded, customer)
        try usage.change(
            UsageRow(customer, model: call.history.model, day: recorded.day), in: &source
        ) { row in
            row.adjusted.add(1)
            row.add(change, from: call.counts, to: event.rated?.counts ?? call.counts)
        }
    }

    mutating func record(
        _ event: UsageRecorded, _ recorded: RecordedEvent, _ customer: CustomerKey
    ) throws(StoreError) {
        let actual = CallFigures(settled: event.rated)
        try spend(event.lines, actual, recorded)
        try resolveFunds(FundingHold(), event.split, [], recorded, customer)
        try book(actual, event.split, recorded, customer)
        try usage.change(
            UsageRow(customer, model: event.call.model, day: recorded.day), in: &source
        ) { row in
            row.recorded.add(1)
            row.add(actual, from: UsageCounts(), to: event.rated.counts)
        }
    }
}

extension UsageRow {
    /// Adds what a call's figures changed by, and its counts, which were `old` and are now `new`.
    fileprivate mutating func add(
        _ change: CallFigures, from old: UsageCounts, to new: UsageCounts
    ) {
        requests.add(change.requests)
        tokens.add(change.tokens)
        cost.add(change.cost.nanos)
        charge.add(change.charge.nanos)
        units.add(old, sign: -1)
        units.add(new)
        units.unattributed.add(change.tokens)
        units.unattributed.add(old.totalTokens.addingClamped(-new.totalTokens))
    }

    /// Compares a settlement by true usage with what was estimated. A usage that was itself
    /// estimated says nothing about estimates.
    fileprivate mutating func compare(_ event: UsageSettled, with estimate: Estimate) {
        guard !event.rated.marks.contains(.usageEstimated) else { return }
        let actual = event.rated.cost.nanos
        let (expected, bound) = (estimate.expected.cost.nanos, estimate.bound.cost.nanos)
        estimates.add(1)
        actualCost.add(actual)
        expectedCost.add(expected)
        boundCost.add(bound)
        // Both are costs of one call, from zero to a million units: no overflow.
        absoluteError.add(actual > expected ? actual - expected : expected - actual)
        if actual > expected { aboveExpected.add(1) }
        if actual > bound { aboveBound.add(1) }
    }
}
