// Corrections of what was charged, and usage without a hold.

import Money

/// A change to a charge, spread over where the charge had gone.
struct ChargeCorrection {
    var split = FundingSplit()
    var repaidDebt: [GrantPortion] = []
    /// New grants for what came out of grants that have ended since.
    var regrants: [EventDraft] = []
}

extension LedgerState {
    func decideAdjust(
        _ request: AdjustRequest, _ facts: Facts
    ) throws(CommandError) -> [EventDraft] {
        guard let reservation = reservations[request.key] ?? facts.resolved else {
            throw CommandError(
                .notFound, "There is no reservation '\(request.key.id)'.", param: "reservation")
        }
        switch reservation.status {
        case .settled, .charged, .recorded: break
        case .open:
            throw CommandError(.invalid, "'\(reservation.id)' is still open: settle it.")
        default:
            throw CommandError(.notReserved, "Nothing was charged for '\(reservation.id)'.")
        }
        var event = UsageAdjusted()
        event.previous = reservation.lastSequence
        event.corrects = reservation.firstSequence
        event.reason = request.reason
        event.author = request.author
        event.counters = reservation.lines.map(CounterReference.init)
        switch request.correction {
        case .usage:
            let rated = try rated(facts)
            event.rated = rated
            let change = CallFigures(settled: rated) - reservation.actual
            (event.cost, event.charge, event.tokens) = (change.cost, change.charge, change.tokens)
        case .delta(let cost, let charge):
            (event.cost, event.charge) = (cost, charge)
        }
        try check(event, reservation)
        let correction = correct(event.charge, reservation, facts)
        event.split = correction.split
        event.repaidDebt = correction.repaidDebt
        return [
            draft(.usageAdjusted(event), reservation.subject.customerKey, request.key.id)
        ] + correction.regrants
    }

    private func check(
        _ event: UsageAdjusted, _ reservation: Reservation
    ) throws(CommandError) {
        let range = -LedgerLimits.amountMax...LedgerLimits.amountMax
        guard range.contains(event.cost), range.contains(event.charge) else {
            throw CommandError(
                .invalid, "A correction is at most 1,000,000.", param: "charge_delta")
        }
        guard reservation.actual.charge + event.charge >= .zero else {
            throw CommandError(
                .invalid, "The correction would make the charge negative.", param: "charge_delta")
        }
        guard reservation.actual.cost + event.cost >= .zero else {
            throw CommandError(
                .invalid, "The correction would make the cost negative.", param: "cost_delta")
        }
    }

    /// Spreads a change of charge: more is funded like a settlement without a hold, less goes back
    /// to where it came from, last burnt first.
    func correct(_ change: Money, _ reservation: Reservation, _ facts: Facts) -> ChargeCorrection {
        var result = ChargeCorrection()
        guard change != .zero, var customer = customers[reservation.subject.customerKey] else {
            return result
        }
        if change > .zero {
            result.split = customer.split(
                charge: change, hold: nil, mode: reservation.funding.mode,
                model: reservation.model, at: facts.now)
            return result
        }
        let back = customer.giveBack(-change, from: reservation.split)
        result.split = back.split
        customer.burn(back.split)
        customer.repay(back.undone)
        let repayments = customer.repayments(at: facts.now)
        customer.repay(repayments)
        result.repaidDebt = back.undone + repayments
        for portion in merged(back.undone + back.split.grants) {
            guard let grant = customer.grants.first(where: { $0.terms.id == portion.grant }),
                !grant.isUsable(at: facts.now)
            else { continue }
            var terms = grant.terms
            terms.id = "\(grant.terms.id)~\(sequence + 2 + UInt64(result.regrants.count))"
            terms.amount = -portion.amount
            terms.effectiveAt = facts.now
            terms.expiresAt = nil
            terms.source = .correction
            terms.sourceReference = reservation.id
            let event = granting(terms, to: customer, facts)
            customer.debt -= event.repaidDebt
            result.regrants.append(draft(.creditGranted(event), customer.key))
        }
        return result
    }

    func decideRecord(
        _ request: UsageRequest, _ facts: Facts
    ) throws(CommandError) -> [EventDraft] {
        _ = try existing(project: request.subject.project)
        let key = request.subject.customerKey
        let (customer, opening) = try customerOrOpening(key)
        try checkRange(of: customer)
        var event = UsageRecorded()
        event.call = describe(
            request.subject, model: request.model, plan: customer.plan,
            occurredAt: request.occurredAt)
        switch request.actual {
        case .usage: event.rated = try rated(facts)
        case .amount(let amount): event.rated = try amountRated(amount, like: Estimate())
        case .missing, .missingAtMost:
            throw CommandError(
                .invalid, "Usage without a hold needs its usage or an amount.", param: "usage")
        }
        event.markupPartsPerMillion = facts.markupPartsPerMillion
        event.ceiling = facts.ceiling
        event.lines = matchedCounters(
            request.subject, customer: customer, model: request.model, facts
        ).map { counter in
            var line = counter.line
            line.outcome = .counted
            return line
        }
        event.mode = terms(of: customer).funding ?? .postpaid
        event.split = customer.split(
            charge: event.rated.charge, hold: nil, mode: event.mode, model: request.model,
            at: facts.now)
        return opening + [draft(.usageRecorded(event), key, request.id)]
    }
}

/// One portion for each grant, in the order of its first.
private func merged(_ portions: [GrantPortion]) -> [GrantPortion] {
    var result: [GrantPortion] = []
    for portion in portions {
        if let index = result.firstIndex(where: { $0.grant == portion.grant }) {
            result[index].amount += portion.amount
        } else {
            result.append(portion)
        }
    }
    return result
}
