// Deciding: command + state + facts → events. Pure: equal inputs give equal events, and nothing
// here reads a clock, draws a random number or waits.
//
// A refusal for lack of money is an event like any other (`usage.rejected`). A `CommandError` means
// that the command makes no sense here: nothing is recorded.

package import Money

/// Bounds on single figures, so that sums of them stay in range.
package enum LedgerLimits {
    /// One call, grant or payment: a million major units.
    package static let amountMax = Money(nanos: 1_000_000 * Money.nanosPerUnit)
    /// Everything a customer was ever charged: four billion major units.
    package static let totalMax = Money(nanos: 4_000_000_000 * Money.nanosPerUnit)
    /// Tokens of one call.
    package static let tokensMax: Int64 = 1_000_000_000_000
    /// Life of a hold: a week.
    package static let holdSecondsMax: Int64 = 604_800
}

extension LedgerState {
    /// Decides `command`. The events are not folded in yet.
    package func decide(_ command: Command, _ facts: Facts) throws(CommandError) -> [EventDraft] {
        switch command {
        case .openLedger(let event): return [EventDraft(.ledgerOpened(event))]
        case .advanceClock(let to): return try decideAdvanceClock(to)
        case .setProject(let project): return try decideSetProject(project)
        case .setPlan(let plan): return try decideSetPlan(plan)
        case .setBudget(let rule): return try decideSetBudget(rule, facts)
        case .removeBudget(let id): return try decideRemoveBudget(id)
        case .publishPrices(let event): return try decidePublish(event)
        case .createKey(let event): return try decideCreateKey(event)
        case .revokeKey(let id): return try decideRevokeKey(id)
        case .openCustomer(let settings): return try decideOpen(settings)
        case .updateCustomer(let settings): return try decideUpdate(settings)
        case .suspendCustomer(let key, let reason): return try decideSuspend(key, reason)
        case .resumeCustomer(let key): return try decideResume(key)
        case .closeCustomer(let key, let reason): return try decideClose(key, reason)
        case .linkCustomer(let key, let stripeCustomer): return try decideLink(key, stripeCustomer)
        case .grantCredit(let key, let terms): return try decideGrant(key, terms, facts)
        case .revokeCredit(let key, let grant, let reason):
            return try decideRevoke(key, grant, reason)
        case .receivePayment(let key, let amount, let reference):
            return try decidePayment(key, amount, reference)
        case .startRun(let request): return try decideStart(request)
        case .stopRun(let key, let reason): return try decideStop(key, reason)
        case .endRun(let key): return try decideEnd(key)
        case .estimate(let call): return try decideEstimate(call, facts)
        case .reserve(let request): return try decideReserve(request, facts)
        case .extend(let key, let seconds): return try decideExtend(key, seconds, facts)
        case .settle(let request): return try decideSettle(request, facts)
        case .release(let key, let reason): return try decideRelease(key, reason, facts)
        case .adjust(let request): return try decideAdjust(request, facts)
        case .recordUsage(let request): return try decideRecord(request, facts)
        case .recordStripe(let fact, let key):
            guard let key else { return [EventDraft(.stripe(fact))] }
            _ = try existing(customer: key)
            return [draft(.stripe(fact), key)]
        case .expire(let key): return try decideExpire(key, facts)
        case .activateCredit(let key, let grant): return decideActivate(key, grant, facts)
        case .expireCredit(let key, let grant): return decideExpireCredit(key, grant)
        }
    }

    private func decideAdvanceClock(_ to: Instant) throws(CommandError) -> [EventDraft] {
        guard ledger.isTestClock else {
            throw CommandError(.noTestClock, "This ledger follows the real clock.")
        }
        guard to >= time else {
            throw CommandError(.invalid, "The clock cannot go back.", param: "now")
        }
        var event = ClockAdvanced()
        event.to = to
        return [EventDraft(.clockAdvanced(event))]
    }

    private func decideSetProject(_ project: Project) throws(CommandError) -> [EventDraft] {
        guard plans[project.defaultPlan] != nil else {
            throw CommandError(
                .invalid, "There is no plan '\(project.defaultPlan)'.", param: "default_plan")
        }
        guard (1...LedgerLimits.holdSecondsMax).contains(project.holdSeconds) else {
            throw CommandError(
                .invalid, "A hold lives 1 to \(LedgerLimits.holdSecondsMax) seconds.",
                param: "hold_seconds")
        }
        if let rates = project.ceilingRates, rates.input < .zero || rates.output < .zero {
            throw CommandError(.invalid, "Rates are not negative.", param: "ceiling_rates")
        }
        var event = ProjectSet()
        event.project = project
        return [EventDraft(.projectSet(event), project: project.id)]
    }

    private func decideSetPlan(_ plan: Plan) throws(CommandError) -> [EventDraft] {
        try check(plan.terms)
        var event = PlanSet()
        event.plan = plan
        return [EventDraft(.planSet(event))]
    }

    func check(_ terms: Terms) throws(CommandError) {
        if let limit = terms.creditLimit, limit.isNegative || limit > LedgerLimits.totalMax {
            throw CommandError(
                .invalid, "A credit limit is zero to 4,000,000,000.", param: "credit_limit")
        }
        // Up to a hundredfold; down to free.
        if let markup = terms.markupPartsPerMillion, !(-1_000_000...100_000_000).contains(markup) {
            throw CommandError(.invalid, "A markup is −100 % to 10,000 %.", param: "markup")
        }
    }

    private func decideSetBudget(
        _ rule: BudgetRule, _ facts: Facts
    ) throws(CommandError) -> [EventDraft] {
        guard rule.id != BudgetLine.runCap else {
            throw CommandError(.invalid, "'\(rule.id)' is reserved.", param: "id")
        }
        guard rule.amount >= 0 else {
            throw CommandError(.invalid, "A limit is not negative.", param: "amount")
        }
        if rule.measure.isMoney, Money(nanos: rule.amount) > LedgerLimits.totalMax {
            throw CommandError(.invalid, "A limit is at most 4,000,000,000.", param: "amount")
        }
        guard facts.calendar.knows(timeZone: rule.timeZone) else {
            throw CommandError(
                .invalid, "'\(rule.timeZone)' is not a known IANA time zone.", param: "time_zone")
        }
        if let project = rule.match.project, projects[project] == nil {
            throw CommandError(
                .invalid, "There is no project '\(project)'.", param: "match.project")
        }
        if let plan = rule.match.plan, plans[plan] == nil {
            throw CommandError(.invalid, "There is no plan '\(plan)'.", param: "match.plan")
        }
        if rule.onExceed == .clamp, rule.measure == .requests {
            throw CommandError(
                .invalid,
                "A limit on requests cannot clamp: a call cannot be made smaller than one.",
                param: "on_exceed")
        }
        var rule = rule
        rule.per = Array(Set(rule.per)).sorted()
        if rule.window == .run, !rule.per.contains(.run) { rule.per = (rule.per + [.run]).sorted() }
        if rule.window == .billingPeriod, !rule.per.contains(.customer) {
            throw CommandError(
                .invalid, "A billing period is a customer's own: add 'customer' to per.",
                param: "per")
        }
        var event = BudgetSet()
        event.rule = rule
        return [EventDraft(.budgetSet(event), project: rule.match.project)]
    }

    private func decideRemoveBudget(_ id: String) throws(CommandError) -> [EventDraft] {
        guard let budget = budgets[id] else {
            throw CommandError(.notFound, "There is no budget '\(id)'.", param: "budget")
        }
        var event = BudgetRemoved()
        event.budget = id
        return [EventDraft(.budgetRemoved(event), project: budget.rule.match.project)]
    }

    private func decidePublish(_ event: PriceBookPublished) throws(CommandError) -> [EventDraft] {
        guard event.version == Int64(priceBook.count) + 1 else {
            throw CommandError(
                .invalid, "The next version is \(priceBook.count + 1), not \(event.version).",
                param: "version")
        }
        // Versions accumulate: one that took effect earlier would bring what is scheduled with it.
        if let last = priceBook.last, event.effectiveAt < last.effectiveAt {
            throw CommandError(
                .invalid, "A version cannot take effect before version \(last.version) does.",
                param: "effective_at")
        }
        return [EventDraft(.priceBookPublished(event))]
    }

    private func decideCreateKey(_ event: KeyCreated) throws(CommandError) -> [EventDraft] {
        guard keys[event.id] == nil else {
            throw CommandError(.alreadyExists, "There is a key '\(event.id)'.", param: "id")
        }
        if let project = event.project { _ = try existing(project: project) }
        return [EventDraft(.keyCreated(event), project: event.project)]
    }

    private func decideRevokeKey(_ id: String) throws(CommandError) -> [EventDraft] {
        guard let key = keys[id] else {
            throw CommandError(.notFound, "There is no key '\(id)'.", param: "key")
        }
        if key.revokedAt != nil { return [] }
        var event = KeyRevoked()
        event.id = id
        return [EventDraft(.keyRevoked(event), project: key.project)]
    }

    func existing(project id: String) throws(CommandError) -> Project {
        guard let project = projects[id] else {
            throw CommandError(.notFound, "There is no project '\(id)'.", param: "project")
        }
        return project
    }

    func existing(customer key: CustomerKey) throws(CommandError) -> Customer {
        guard let customer = customers[key] else {
            throw CommandError(
                .notFound, "There is no customer '\(key.id)' in project '\(key.project)'.",
                param: "customer")
        }
        return customer
    }
}
