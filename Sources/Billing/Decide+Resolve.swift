// Resolving: extend, settle, release, expire; and what may still come after.

import Money

extension LedgerState {
    /// The reservation, open or folded from the log.
    private func reservation(
        _ key: ReservationKey, _ facts: Facts
    ) throws(CommandError) -> Reservation {
        guard let reservation = reservations[key] ?? facts.resolved else {
            throw CommandError(
                .notFound, "There is no reservation '\(key.id)' in project '\(key.project)'.",
                param: "reservation")
        }
        if reservation.status == .rejected || reservation.status == .recorded {
            let what = reservation.status == .rejected ? "was refused" : "is usage without a hold"
            throw CommandError(.notReserved, "'\(key.id)' \(what): it holds nothing.")
        }
        return reservation
    }

    func decideExtend(
        _ key: ReservationKey, _ seconds: Int64, _ facts: Facts
    ) throws(CommandError) -> [EventDraft] {
        let reservation = try reservation(key, facts)
        switch reservation.status {
        case .open: break
        case .settled: throw alreadySettled(key)
        case .released: throw alreadyReleased(key)
        default:
            throw CommandError(
                .expired, "The hold of '\(key.id)' is over; settle it, or reserve anew.")
        }
        var event = UsageExtended()
        event.previous = reservation.lastSequence
        event.expiresAt = facts.now.advanced(bySeconds: seconds)
        return [draft(.usageExtended(event), reservation.subject.customerKey, key.id)]
    }

    func decideSettle(
        _ request: SettleRequest, _ facts: Facts
    ) throws(CommandError) -> [EventDraft] {
        let key = request.key
        let reservation = try reservation(key, facts)
        if reservation.status == .settled { throw alreadySettled(key) }
        if reservation.status == .released { throw alreadyReleased(key) }
        var event = UsageSettled()
        event.previous = reservation.lastSequence
        event.occurredAt = request.occurredAt
        event.rated = try rated(request.actual, for: reservation, facts)
        if request.isEstimated, !event.rated.marks.contains(.usageEstimated) {
            event.rated.marks = (event.rated.marks + [.usageEstimated]).sorted()
        }
        event.isLate = reservation.status != .open
        let charge = event.rated.charge
        if charge > reservation.fundingHeld { event.overrun = charge - reservation.fundingHeld }
        event.expectedRatio = ratio(event.rated.cost, reservation.estimate.expected.cost)
        event.boundRatio = ratio(event.rated.cost, reservation.estimate.bound.cost)
        if reservation.status == .open {
            return settleOpen(event, reservation, facts)
        }
        event.replaced = reservation.actual
        event.counters = reservation.lines.map(CounterReference.init)
        let change = charge - event.replaced.charge
        let correction = correct(change, reservation, facts)
        event.split = correction.split
        event.repaidDebt = correction.repaidDebt
        return [draft(.usageSettled(event), reservation.subject.customerKey, key.id)]
            + correction.regrants
    }

    private func settleOpen(
        _ event: UsageSettled, _ reservation: Reservation, _ facts: Facts
    ) -> [EventDraft] {
        var event = event
        let key = reservation.subject.customerKey
        if var customer = customers[key] {
            event.split = customer.split(
                charge: event.rated.charge, hold: reservation.funding,
                mode: reservation.funding.mode, model: reservation.model, at: facts.now)
            if needsRepaymentCheck(customer, event.split) {
                customer.resolve(reservation.funding, split: event.split)
                event.repaidDebt = customer.repayments(at: facts.now)
            }
        }
        return [draft(.usageSettled(event), key, reservation.id)]
    }

    private func needsRepaymentCheck(_ customer: Customer, _ split: FundingSplit) -> Bool {
        !customer.grants.isEmpty && (customer.debt > .zero || split.debt > .zero)
    }

    func decideRelease(
        _ key: ReservationKey, _ reason: String?, _ facts: Facts
    ) throws(CommandError) -> [EventDraft] {
        let reservation = try reservation(key, facts)
        switch reservation.status {
        case .open: break
        case .settled: throw alreadySettled(key)
        case .charged:
            throw CommandError(
                .expiredCharged,
                "The hold of '\(key.id)' expired and was charged: settle it with the true usage.")
        default: return []
        }
        var event = UsageReleased()
        event.previous = reservation.lastSequence
        event.reason = reason
        event.repaidDebt = repaymentsAfter(reservation, split: FundingSplit(), facts)
        return [draft(.usageReleased(event), reservation.subject.customerKey, key.id)]
    }

    func decideExpire(_ key: ReservationKey, _ facts: Facts) throws(CommandError) -> [EventDraft] {
        guard let reservation = reservations[key], reservation.expiresAt <= facts.now else {
            return []
        }
        var event = UsageExpired()
        event.previous = reservation.lastSequence
        event.expiredAt = reservation.expiresAt
        event.policy = reservation.onExpiry
        if event.policy == .charge, let customer = customers[reservation.subject.customerKey] {
            event.provisional = reservation.estimate.expected
            event.split = customer.split(
                charge: event.provisional.charge, hold: reservation.funding,
                mode: reservation.funding.mode, model: reservation.model, at: facts.now)
        }
        event.repaidDebt = repaymentsAfter(reservation, split: event.split, facts)
        return [draft(.usageExpired(event), reservation.subject.customerKey, key.id)]
    }

    private func repaymentsAfter(
        _ reservation: Reservation, split: FundingSplit, _ facts: Facts
    ) -> [GrantPortion] {
        guard var customer = customers[reservation.subject.customerKey],
            needsRepaymentCheck(customer, split)
        else { return [] }
        customer.resolve(reservation.funding, split: split)
        return customer.repayments(at: facts.now)
    }

    /// The rated usage, or the amount, or, where nobody knows, the expected estimate, marked.
    private func rated(
        _ actual: ActualUsage, for reservation: Reservation, _ facts: Facts
    ) throws(CommandError) -> RatedUsage {
        switch actual {
        case .usage:
            return try rated(facts)
        case .amount(let amount):
            guard reservation.allowsAmountSettlement else {
                throw CommandError(
                    .invalid,
                    "'\(reservation.id)' was reserved by token counts: settle it with usage.",
                    param: "amount")
            }
            return try amountRated(amount, like: reservation.estimate)
        case .missing:
            let estimate = reservation.estimate
            return assumed(
                estimate.expected, input: estimate.inputTokens,
                output: estimate.expectedOutputTokens, of: estimate)
        case .missingAtMost:
            let estimate = reservation.estimate
            return assumed(
                estimate.bound, input: estimate.maxInputTokens ?? estimate.inputTokens,
                output: estimate.maxOutputTokens + (estimate.extraOutputTokens ?? 0), of: estimate)
        }
    }

    private func assumed(
        _ figures: CallFigures, input: Int64, output: Int64, of estimate: Estimate
    ) -> RatedUsage {
        var rated = RatedUsage(
            price: estimate.price, cardPrice: estimate.cardPrice, tier: estimate.tier,
            cost: figures.cost, charge: figures.charge,
            marks: (estimate.marks + [.usageEstimated]).sorted())
        if estimate.method != .amount {
            rated.counts[.input] = input
            rated.counts[.output] =
                output.multipliedReportingOverflow(by: estimate.completions)
                .partialValue
        }
        return rated
    }

    func rated(_ facts: Facts) throws(CommandError) -> RatedUsage {
        switch facts.rated {
        case .success(let rated):
            guard rated.charge <= LedgerLimits.amountMax, rated.cost <= LedgerLimits.amountMax,
                rated.counts.totalTokens <= LedgerLimits.tokensMax
            else { throw usageTooLarge() }
            return rated
        case .failure(.unknownPrice(let model)):
            throw CommandError(
                .unknownPrice, "There is no price for model '\(model)'.", param: "model")
        case .failure, nil: throw usageTooLarge()
        }
    }

    func amountRated(
        _ amount: Money, like estimate: Estimate
    ) throws(CommandError) -> RatedUsage {
        guard !amount.isNegative, amount <= LedgerLimits.amountMax else {
            throw CommandError(.invalid, "An amount is zero to 1,000,000.", param: "amount")
        }
        return RatedUsage(
            price: estimate.price, cardPrice: estimate.cardPrice, tier: estimate.tier,
            cost: amount, charge: amount)
    }

    private func usageTooLarge() -> CommandError {
        CommandError(
            .overflow, "One call is at most 1,000,000 in money and 10¹² tokens.", param: "usage")
    }

    private func alreadySettled(_ key: ReservationKey) -> CommandError {
        CommandError(
            .alreadySettled, "'\(key.id)' is settled already; correct it by an adjustment.")
    }

    private func alreadyReleased(_ key: ReservationKey) -> CommandError {
        CommandError(
            .alreadyReleased, "'\(key.id)' was released; record the usage without a hold.")
    }
}

/// `a` ÷ `b` in parts per million, at most 10¹²; nil when `b` is zero.
func ratio(_ a: Money, _ b: Money) -> Int64? {
    guard b.nanos > 0 else { return nil }
    return Int64(clamping: min(Int128(a.nanos) * 1_000_000 / Int128(b.nanos), 1_000_000_000_000))
}
