// How holds and charges move a customer's money. `decide` runs these on a copy to know what an
// event must say; `evolve` runs them on the state with what the event says.

import Money

extension Customer {
    /// Indexes of the grants that may pay for `model` now, in burn order.
    func usableGrants(model: String, at now: Instant) -> [Int] {
        if grants.isEmpty { return [] }
        return grants.indices
            .filter { index in
                let grant = grants[index]
                return grant.available > .zero && grant.isUsable(at: now)
                    && grant.terms.covers(model: model)
            }
            .sorted { Grant.burnsBefore(grants[$0], grants[$1]) }
    }

    /// Splits `amount` over usable grants; what they do not cover is the second result.
    func cover(_ amount: Money, model: String, at now: Instant) -> ([GrantPortion], Money) {
        var portions: [GrantPortion] = []
        var rest = amount
        if rest > .zero {
            for index in usableGrants(model: model, at: now) {
                let portion = min(rest, grants[index].available)
                portions.append(GrantPortion(grant: grants[index].terms.id, amount: portion))
                rest -= portion
                if rest == .zero { break }
            }
        }
        return (portions, rest)
    }

    /// Where a charge goes: first what its hold has taken, then other usable grants, then the
    /// bucket of the funding mode.
    func split(
        charge: Money, hold: FundingHold?, mode: FundingMode, model: String, at now: Instant
    ) -> FundingSplit {
        var result = FundingSplit()
        if mode == .unfunded, hold?.grants.isEmpty ?? true {
            result.absorbed = charge
            return result
        }
        var rest = charge
        for portion in hold?.grants ?? [] where rest > .zero {
            let used = min(rest, portion.amount)
            result.grants.append(GrantPortion(grant: portion.grant, amount: used))
            rest -= used
        }
        if rest > .zero, mode != .unfunded {
            let (more, uncovered) = cover(rest, model: model, at: now)
            for portion in more {
                if let index = result.grants.firstIndex(where: { $0.grant == portion.grant }) {
                    result.grants[index].amount += portion.amount
                } else {
                    result.grants.append(portion)
                }
            }
            rest = uncovered
        }
        switch mode {
        case .prepaid: result.debt = rest
        case .postpaid: result.billable = rest
        case .unfunded: result.absorbed = rest
        }
        return result
    }

    /// Takes `amount` back out of where `past` went, last burnt first. The split's figures are
    /// negative. Debt that grants have repaid since comes back to the grants that repaid: such
    /// repayments are undone, newest grant first, and are negative too.
    func giveBack(
        _ amount: Money, from past: FundingSplit
    ) -> (split: FundingSplit, undone: [GrantPortion]) {
        var result = FundingSplit()
        var undone: [GrantPortion] = []
        var rest = amount
        func take(_ available: Money) -> Money {
            let portion = min(rest, max(available, .zero))
            rest -= portion
            return -portion
        }
        result.billable = take(past.billable)
        result.absorbed = take(past.absorbed)
        result.debt = take(min(past.debt, debt))
        var repaid = past.debt + result.debt
        for grant in grants.reversed() where repaid > .zero && grant.repaid > .zero {
            let back = take(min(repaid, grant.repaid))
            if back.isNegative { undone.append(GrantPortion(grant: grant.terms.id, amount: back)) }
            result.debt += back
            repaid += back
        }
        for portion in past.grants.reversed() where rest > .zero && portion.amount > .zero {
            result.grants.append(
                GrantPortion(grant: portion.grant, amount: take(portion.amount)))
        }
        // More than was ever charged: the customer is credited in its own mode's bucket.
        if rest > .zero { result.billable -= rest }
        return (result, undone)
    }

    /// What unrestricted grants can repay of the debt now.
    func repayments(at now: Instant) -> [GrantPortion] {
        guard debt > .zero else { return [] }
        var result: [GrantPortion] = []
        var rest = debt
        let order = grants.indices
            .filter {
                grants[$0].available > .zero && grants[$0].isUsable(at: now)
                    && !grants[$0].terms.isRestricted
            }
            .sorted { Grant.burnsBefore(grants[$0], grants[$1]) }
        for index in order where rest > .zero {
            let portion = min(rest, grants[index].available)
            result.append(GrantPortion(grant: grants[index].terms.id, amount: portion))
            rest -= portion
        }
        return result
    }

    mutating func take(_ hold: FundingHold) {
        for portion in hold.grants {
            changeGrant(portion.grant) { $0.held += portion.amount }
            heldCharge += portion.amount
        }
        heldUncovered += hold.uncovered
        heldCharge += hold.uncovered
    }

    /// Ends a hold: burns what `split` says, gives the rest back.
    mutating func resolve(_ hold: FundingHold, split: FundingSplit) {
        for portion in hold.grants {
            changeGrant(portion.grant) { $0.held -= portion.amount }
            heldCharge -= portion.amount
        }
        heldUncovered -= hold.uncovered
        heldCharge -= hold.uncovered
        burn(split)
        for portion in hold.grants { changeGrant(portion.grant) { $0.dropIfEnded() } }
    }

    /// Books a split; negative portions come back (and are lost again where the grant has ended).
    mutating func burn(_ split: FundingSplit) {
        for portion in split.grants {
            changeGrant(portion.grant) { grant in
                grant.remaining -= portion.amount
                grant.burnt += portion.amount
                if portion.amount.isNegative { grant.dropIfEnded() }
            }
            totals.fromGrants += portion.amount
        }
        debt += split.debt
        totals.billable += split.billable
        totals.absorbed += split.absorbed
    }

    /// Books repayments of debt; negative ones are undone.
    mutating func repay(_ portions: [GrantPortion]) {
        for portion in portions {
            changeGrant(portion.grant) { grant in
                grant.remaining -= portion.amount
                grant.burnt += portion.amount
                grant.repaid += portion.amount
                if portion.amount.isNegative { grant.dropIfEnded() }
            }
            debt -= portion.amount
            totals.fromGrants += portion.amount
        }
    }

    private mutating func changeGrant(_ id: String, _ change: (inout Grant) -> Void) {
        guard let index = grants.firstIndex(where: { $0.terms.id == id }) else { return }
        change(&grants[index])
    }
}

extension Grant {
    func isUsable(at now: Instant) -> Bool {
        !isEnded && isActive && (terms.expiresAt.map { now < $0 } ?? true)
    }

    /// An ended grant keeps only what open reservations hold of it; anything else is lost with it.
    mutating func dropIfEnded() {
        guard isEnded else { return }
        let lost = remaining - held
        remaining -= lost
        expired += lost
    }
}
