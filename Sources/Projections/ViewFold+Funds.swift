// Money: revenue by day, and grants as they are held, burn and end. The rules of grants are those
// of `Customer+Funds.swift`; the tests compare every grant with the engine's.

import Billing
import EventLog
import Money

extension WorkingSet {
    /// What one event charged, and who bears it.
    mutating func book(
        _ change: CallFigures, _ split: FundingSplit, _ recorded: RecordedEvent,
        _ customer: CustomerKey
    ) throws(StoreError) {
        if change == .zero, split == FundingSplit() { return }
        try revenue.change(RevenueRow(customer, day: recorded.day), in: &source) { row in
            row.cost.add(change.cost.nanos)
            row.charge.add(change.charge.nanos)
            for portion in split.grants { row.fromGrants.add(portion.amount.nanos) }
            row.billable.add(split.billable.nanos)
            row.debt.add(split.debt.nanos)
            row.absorbed.add(split.absorbed.nanos)
        }
    }

    mutating func takeFunds(_ hold: FundingHold, _ customer: CustomerKey) throws(StoreError) {
        for portion in hold.grants {
            try grants.change(GrantRow(customer, portion.grant), in: &source) {
                $0.held.add(portion.amount.nanos)
            }
        }
    }

    /// Ends a hold: burns what `split` says, gives the rest back, and repays debt with it.
    mutating func resolveFunds(
        _ hold: FundingHold, _ split: FundingSplit, _ repaidDebt: [GrantPortion],
        _ recorded: RecordedEvent, _ customer: CustomerKey
    ) throws(StoreError) {
        for portion in hold.grants {
            try grants.change(GrantRow(customer, portion.grant), in: &source) {
                $0.held.add(-portion.amount.nanos)
            }
        }
        for portion in split.grants {
            try changeGrant(portion.grant, recorded, customer) { grant, day in
                grant.burn(portion.amount.nanos, &day)
            }
        }
        for portion in hold.grants {
            try changeGrant(portion.grant, recorded, customer) { grant, day in
                grant.dropIfEnded(&day)
            }
        }
        try repay(repaidDebt, recorded, customer)
    }

    mutating func repay(
        _ portions: [GrantPortion], _ recorded: RecordedEvent, _ customer: CustomerKey
    ) throws(StoreError) {
        for portion in portions {
            let amount = portion.amount.nanos
            try changeGrant(portion.grant, recorded, customer) { grant, day in
                grant.repaid.add(amount)
                day.repaid.add(amount)
                grant.burn(amount, &day)
            }
            try revenue.change(RevenueRow(customer, day: recorded.day), in: &source) {
                $0.repaidDebt.add(amount)
            }
        }
    }

    mutating func grant(
        _ event: CreditGranted, _ recorded: RecordedEvent, _ customer: CustomerKey
    ) throws(StoreError) {
        let terms = event.grant
        try changeGrant(terms.id, recorded, customer) { grant, day in
            grant.sequence = Int64(clamping: recorded.sequence)
            grant.amount = terms.amount.nanos
            grant.category = terms.category.rawValue
            grant.grantedAt = recorded.time.microseconds
            grant.expiresAt = terms.expiresAt?.microseconds
            grant.remaining = terms.amount.nanos
            day.granted.add(terms.amount.nanos)
        }
        // What a correction gives back was granted before.
        if terms.source != .correction {
            try revenue.change(RevenueRow(customer, day: recorded.day), in: &source) { row in
                switch terms.category {
                case .paid: row.grantedPaid.add(terms.amount.nanos)
                case .promotional: row.grantedPromotional.add(terms.amount.nanos)
                }
            }
        }
        if event.repaidDebt > .zero {
            try repay(
                [GrantPortion(grant: terms.id, amount: event.repaidDebt)], recorded, customer)
        }
    }

    mutating func end(
        _ event: CreditEnded, _ recorded: RecordedEvent, _ customer: CustomerKey
    ) throws(StoreError) {
        try changeGrant(event.grant, recorded, customer) { grant, day in
            grant.ended = 1
            grant.lose(event.amount.nanos, &day)
        }
    }

    /// Changes a grant and its row of the day, which is left alone if nothing came of it.
    private mutating func changeGrant(
        _ id: String, _ recorded: RecordedEvent, _ customer: CustomerKey,
        _ body: (inout GrantRow, inout GrantDayRow) -> Void
    ) throws(StoreError) {
        let blank = GrantRow(customer, id)
        var grant = try grants.find(blank, in: &source) ?? blank
        let blankDay = GrantDayRow(blank, day: recorded.day)
        var day = try grantDays.find(blankDay, in: &source) ?? blankDay
        let (oldGrant, oldDay) = (grant, day)
        body(&grant, &day)
        if grant != oldGrant { try grants.change(blank, in: &source) { $0 = grant } }
        if day != oldDay || grant.remaining != oldGrant.remaining {
            day.remaining = grant.remaining
            try grantDays.change(blankDay, in: &source) { $0 = day }
        }
        let burnt = grant.burnt.addingClamped(-oldGrant.burnt)
        if burnt != 0, grant.category == GrantCategory.promotional.rawValue {
            try revenue.change(RevenueRow(customer, day: recorded.day), in: &source) {
                $0.fromPromotional.add(burnt)
            }
        }
    }
}

extension GrantRow {
    /// Burns; below zero, gives back (which is lost again where the grant has ended).
    fileprivate mutating func burn(_ amount: Int64, _ day: inout GrantDayRow) {
        remaining.add(-amount)
        burnt.add(amount)
        day.burnt.add(amount)
        if amount < 0 { dropIfEnded(&day) }
    }

    /// An ended grant keeps only what open reservations hold of it.
    fileprivate mutating func dropIfEnded(_ day: inout GrantDayRow) {
        guard ended != 0 else { return }
        lose(remaining.addingClamped(-held), &day)
    }

    fileprivate mutating func lose(_ amount: Int64, _ day: inout GrantDayRow) {
        remaining.add(-amount)
        lost.add(amount)
        day.lost.add(amount)
    }
}
