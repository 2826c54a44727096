// Reserving: all limits and the funds in one step, or a refusal that says why and what would help.

import Money

extension LedgerState {
    func decideEstimate(_ call: CallRequest, _ facts: Facts) throws(CommandError) -> [EventDraft] {
        let (customer, _) = try customerOrOpening(call.subject.customerKey)
        var event = UsageEstimated()
        event.call = description(of: call, plan: customer.plan)
        event.estimate = try estimate(try quote(facts), facts, maxOutputTokens: nil)
        return [draft(.usageEstimated(event), call.subject.customerKey)]
    }

    func decideReserve(
        _ request: ReserveRequest, _ facts: Facts
    ) throws(CommandError) -> [EventDraft] {
        let call = request.call
        let project = try existing(project: call.subject.project)
        let key = call.subject.customerKey
        let (customer, opening) = try customerOrOpening(key)
        try checkRange(of: customer)
        if let refusal = refusedByStatus(customer, call, facts) {
            return opening + [draft(.usageRejected(refusal), key, request.id)]
        }
        if case .failure(.unknownPrice) = facts.quote {
            var refusal = rejection(of: call, plan: customer.plan, .unknownPrice, .price)
            refusal.reason = "No price for model '\(call.model)'."
            return opening + [draft(.usageRejected(refusal), key, request.id)]
        }
        let quote = try quote(facts)
        var attempt = try Attempt(
            quote, matchedCounters(call.subject, customer: customer, model: call.model, facts))
        try attempt.clamp()
        var funding = try fund(&attempt, customer: customer, model: call.model, facts)
        funding.refuseForDebt(of: customer)
        let estimate = try estimate(quote, facts, maxOutputTokens: attempt.maxOutputTokens)
        if var refusal = refusal(of: attempt, funding, call: call, plan: customer.plan, facts) {
            refusal.estimate = estimate
            refusal.lines = attempt.lines
            refusal.funds = funding.view
            return opening + [draft(.usageRejected(refusal), key, request.id)]
        }
        var event = UsageReserved()
        event.call = description(of: call, plan: customer.plan)
        event.estimate = estimate
        event.lines = attempt.lines
        event.funding = funding.hold
        event.funds = funding.view
        event.expiresAt = facts.now.advanced(bySeconds: request.holdSeconds ?? project.holdSeconds)
        event.onExpiry = request.onExpiry ?? project.onExpiry
        event.allowsAmountSettlement = project.allowsAmountSettlement || quote.method == .amount
        if attempt.maxOutputTokens < quote.maxOutputTokens {
            event.clampedFrom = quote.maxOutputTokens
        }
        return opening + [draft(.usageReserved(event), key, request.id)]
    }

    /// Refuses new business long before a sum could leave its range.
    func checkRange(of customer: Customer) throws(CommandError) {
        let limit = LedgerLimits.totalMax
        if customer.totals.charge > limit || customer.totals.cost > limit
            || customer.heldCharge > limit
        {
            throw CommandError(
                .overflow, "The customer's totals are at the end of the ledger's range.")
        }
    }

    private func refusedByStatus(
        _ customer: Customer, _ call: CallRequest, _ facts: Facts
    ) -> UsageRejected? {
        func refused(_ code: RejectionCode, _ rule: RejectionRule, _ reason: String?)
            -> UsageRejected
        {
            var event = rejection(of: call, plan: customer.plan, code, rule)
            event.reason = reason
            return event
        }
        switch customer.status {
        case .active: break
        case .suspended: return refused(.suspended, .customerSuspended, customer.statusReason)
        case .closed: return refused(.policy, .customerClosed, customer.statusReason)
        }
        guard let key = call.subject.runKey, let run = runs[key] else { return nil }
        switch run.status {
        case .active: return nil
        case .stopped: return refused(.policy, .runStopped, run.statusReason)
        case .ended: return refused(.policy, .runEnded, run.statusReason)
        }
    }

    private func rejection(
        of call: CallRequest, plan: String, _ code: RejectionCode, _ rule: RejectionRule
    ) -> UsageRejected {
        var event = UsageRejected()
        event.call = description(of: call, plan: plan)
        event.code = code
        event.rule = rule
        return event
    }

    func description(of call: CallRequest, plan: String) -> CallDescription {
        describe(call.subject, model: call.model, plan: plan, occurredAt: call.occurredAt)
    }

    func describe(
        _ subject: Subject, model: String, plan: String, occurredAt: Instant?
    ) -> CallDescription {
        var result = CallDescription()
        result.user = subject.user
        result.run = subject.run
        result.tags = subject.tags
        result.model = model
        result.plan = plan
        result.occurredAt = occurredAt
        return result
    }

    func quote(_ facts: Facts) throws(CommandError) -> Quote {
        switch facts.quote {
        case .success(let quote): return quote
        case .failure(.unknownPrice(let model)):
            throw CommandError(
                .unknownPrice, "There is no price for model '\(model)'.", param: "model")
        case .failure(.outputCapRequired(let model)):
            throw CommandError(
                .invalid, "Model '\(model)' has no known output maximum: state the cap.",
                param: "usage_estimate.max_output_tokens")
        case .failure(.inputMaximumRequired(let model)):
            throw CommandError(
                .invalid,
                "What the call may read at the provider is bounded by the model's input maximum, "
                    + "which is not known of '\(model)'.", param: "model")
        case .failure(.overflow), nil:
            throw CommandError(
                .overflow, "The estimate is out of the ledger's range.", param: "usage_estimate")
        }
    }

    private func estimate(
        _ quote: Quote, _ facts: Facts, maxOutputTokens: Int64?
    ) throws(CommandError) -> Estimate {
        let cap = maxOutputTokens ?? quote.maxOutputTokens
        let figures = try quote.figures(maxOutputTokens: cap)
        var estimate = Estimate(
            bound: figures.bound, expected: figures.expected, inputTokens: quote.inputTokens,
            maxOutputTokens: cap, expectedOutputTokens: min(quote.expectedOutputTokens, cap),
            completions: quote.completions, tier: quote.tier, method: quote.method,
            price: quote.price, cardPrice: quote.cardPrice, ceiling: facts.ceiling,
            markupPartsPerMillion: facts.markupPartsPerMillion, marks: quote.marks)
        if quote.maxInputTokens > quote.inputTokens {
            estimate.maxInputTokens = quote.maxInputTokens
        }
        func some(_ count: Int64) -> Int64? { count == 0 ? nil : count }
        estimate.inputImageTokens = some(quote.inputImageTokens)
        estimate.inputAudioTokens = some(quote.inputAudioTokens)
        estimate.fullContexts = some(quote.fullContexts)
        estimate.extraOutputTokens = some(quote.extraOutputTokens)
        estimate.source = quote.source
        return estimate
    }

    // MARK: Funds

    private struct Funding {
        var hold: FundingHold
        var view: FundsView
        /// Set when the funds refuse: code, rule, and the refusing figures.
        var refusal: (RejectionCode, RejectionRule)?
        var available: Money

        /// Debt blocks every hold, whatever the customer's funding has become since it arose. Only
        /// a prepaid credit limit tolerates debt, up to its amount: elsewhere the limit is on what
        /// is billed, and debt is never billed.
        mutating func refuseForDebt(of customer: Customer) {
            let tolerated = view.mode == .prepaid ? view.creditLimit ?? .zero : .zero
            guard customer.debt > tolerated else { return }
            refusal = (.exhausted, .debt)
            view.owed = customer.debt
            if view.mode != .prepaid { view.creditLimit = nil }
            available = tolerated - customer.debt - customer.heldUncovered
        }
    }

    /// Checks the funds for the call as clamped so far.
    private func fund(
        _ attempt: inout Attempt, customer: Customer, model: String, _ facts: Facts
    ) throws(CommandError) -> Funding {
        let terms = terms(of: customer)
        let mode = terms.funding ?? .postpaid
        let holds = terms.fundingHolds ?? .bound
        let need = (holds == .bound ? attempt.bound : attempt.expected).charge
        attempt.fundingHolds = holds
        var view = FundsView()
        view.mode = mode
        view.need = need
        view.creditLimit = terms.creditLimit
        view.heldUncovered = customer.heldUncovered
        if mode == .unfunded {
            return Funding(
                hold: FundingHold(mode: mode, grants: [], uncovered: need), view: view,
                refusal: nil, available: .max)
        }
        let (portions, uncovered) = customer.cover(need, model: model, at: facts.now)
        let usable = customer.usableGrants(model: model, at: facts.now)
        view.grantsAvailable = usable.reduce(.zero) { $0 + customer.grants[$1].available }
        view.owed = mode == .prepaid ? customer.debt : customer.owed
        let hold = FundingHold(mode: mode, grants: portions, uncovered: uncovered)
        let limit = mode == .prepaid ? terms.creditLimit ?? .zero : terms.creditLimit
        guard let limit else {
            return Funding(hold: hold, view: view, refusal: nil, available: .max)
        }
        let room = limit - view.owed
        let available = Self.available(
            inGrants: view.grantsAvailable, room: room - customer.heldUncovered)
        var result = Funding(hold: hold, view: view, refusal: nil, available: available)
        if available < need || available.isNegative {
            let rule = mode == .prepaid ? RejectionRule.prepaidFunds : .creditLimit
            let whenFree = Self.available(
                inGrants: usableRemaining(customer, model: model, facts), room: room)
            let isOnlyHeld = need <= whenFree && !whenFree.isNegative
            result.refusal = (isOnlyHeld ? .holdsFull : .exhausted, rule)
        }
        return result
    }

    /// The most that passes: what grants have free is not lost to what is owed beyond them.
    private static func available(inGrants free: Money, room: Money) -> Money {
        free > .zero ? free.addingClamped(max(room, .zero)) : room
    }

    private func usableRemaining(_ customer: Customer, model: String, _ facts: Facts) -> Money {
        customer.grants.reduce(.zero) { sum, grant in
            grant.isUsable(at: facts.now) && grant.terms.covers(model: model)
                ? sum + grant.remaining : sum
        }
    }

    // MARK: Refusal

    /// The refusal, when a counter or the funds refuse. Of several the one with the least hope is
    /// named: too large, then exhausted, then full.
    private func refusal(
        of attempt: Attempt, _ funding: Funding, call: CallRequest, plan: String, _ facts: Facts
    ) -> UsageRejected? {
        func severity(_ code: RejectionCode) -> Int {
            switch code {
            case .requestTooLarge: 3
            case .exhausted: 2
            default: 1
            }
        }
        var worst: (code: RejectionCode, counter: MatchedCounter?)?
        var affordable: Int64? = .max
        for counter in attempt.counters where counter.line.outcome == .refused {
            let code = counter.refusal(counter.line.hold)
            if worst.map({ severity(code) > severity($0.code) }) ?? true { worst = (code, counter) }
            affordable = lower(affordable, attempt.affordable(counter))
        }
        if let (code, rule) = funding.refusal {
            if worst.map({ severity(code) > severity($0.code) }) ?? true { worst = (code, nil) }
            // Debt refuses calls of any size.
            affordable =
                rule == .debt ? nil : lower(affordable, attempt.affordable(funding.available))
        }
        guard let worst else { return nil }
        var event = rejection(of: call, plan: plan, worst.code, .budget)
        event.affordableMaxTokens = affordable
        if let counter = worst.counter {
            event.fill(from: counter)
            if worst.code == .holdsFull { event.freesAt = earliestHoldExpiry(on: counter, facts) }
        } else if let (_, rule) = funding.refusal {
            event.rule = rule
            event.measure = .charge
            event.amount = funding.view.creditLimit?.nanos
            event.spent = funding.view.owed.nanos
            event.held = funding.view.heldUncovered.nanos
            event.available = funding.available.nanos
            event.need = funding.view.need.nanos
        }
        return event
    }

    private func lower(_ a: Int64?, _ b: Int64?) -> Int64? {
        guard let a, let b else { return nil }
        return min(a, b)
    }
}

extension UsageRejected {
    fileprivate mutating func fill(from counter: MatchedCounter) {
        let line = counter.line
        rule = line.budget == BudgetLine.runCap ? .runCap : .budget
        budget = line.budget == BudgetLine.runCap ? nil : line.budget
        measure = line.measure
        amount = line.amount
        spent = line.spent
        held = line.held
        available = counter.available
        need = line.hold
        if code == .exhausted { freesAt = line.window.end }
    }
}

/// A call being fitted to its counters.
struct Attempt {
    let quote: Quote
    var counters: [MatchedCounter]
    var maxOutputTokens: Int64
    var bound: CallFigures
    var expected: CallFigures
    var fundingHolds = HoldFigure.bound

    init(_ quote: Quote, _ counters: [MatchedCounter]) throws(CommandError) {
        self.quote = quote
        self.counters = counters
        maxOutputTokens = quote.maxOutputTokens
        (bound, expected) = try quote.figures(maxOutputTokens: maxOutputTokens)
    }

    var lines: [BudgetLine] { counters.map(\.line) }

    /// Lowers the output cap to what the `clamp` counters can bear, then marks every counter with
    /// what it holds and how it took the call.
    mutating func clamp() throws(CommandError) {
        for counter in counters where counter.onExceed == .clamp {
            guard !counter.fits(need(counter)),
                let tokens = affordable(counter), tokens > 0
            else { continue }
            maxOutputTokens = min(maxOutputTokens, tokens)
        }
        let isClamped = maxOutputTokens < quote.maxOutputTokens
        let before = (bound, expected)
        if isClamped { (bound, expected) = try quote.figures(maxOutputTokens: maxOutputTokens) }
        for index in counters.indices {
            let counter = counters[index]
            let hold = need(counter)
            counters[index].line.hold = hold
            let asked = (counter.holds == .bound ? before.0 : before.1).quantity(
                counter.line.measure)
            counters[index].line.outcome = outcome(counter, hold, asked: asked)
        }
    }

    private func outcome(_ counter: MatchedCounter, _ hold: Int64, asked: Int64) -> LineOutcome {
        if counter.line.amount == nil { return .counted }
        if counter.fits(hold) {
            return counter.onExceed == .clamp && !counter.fits(asked) ? .clamped : .fits
        }
        switch counter.onExceed {
        case .reject, .clamp: return .refused
        case .warn: return .warned
        case .shadow: return .shadowed
        }
    }

    private func need(_ counter: MatchedCounter) -> Int64 {
        (counter.holds == .bound ? bound : expected).quantity(counter.line.measure)
    }

    func affordable(_ counter: MatchedCounter) -> Int64? {
        quote.maxOutputTokens(
            affordableWith: counter.available ?? .max, measure: counter.line.measure,
            holds: counter.holds)
    }

    func affordable(_ funds: Money) -> Int64? {
        quote.maxOutputTokens(
            affordableWith: funds.nanos, measure: .charge, holds: fundingHolds)
    }
}
