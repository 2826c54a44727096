// Everything about the ledger but its calls, plainly.

import Billing
import Money

extension NaiveLedger {
    mutating func change(_ command: Command, _ now: Instant) throws -> NaiveAnswer {
        switch command {
        case .openLedger: return NaiveAnswer("ledger.opened")
        case .advanceClock(let to):
            if to < time { throw NaiveRefusal(.invalid) }
            return NaiveAnswer("clock.advanced")
        case .publishPrices: return NaiveAnswer("price_book.published")
        case .setProject(let project):
            if plans[project.defaultPlan] == nil { throw NaiveRefusal(.invalid) }
            projects[project.id] = project
            return NaiveAnswer("project.set")
        case .setPlan(let plan):
            plans[plan.id] = plan
            return NaiveAnswer("plan.set")
        case .setBudget(let rule): return try set(rule)
        case .removeBudget(let id):
            if budgets.removeValue(forKey: id) == nil { throw NaiveRefusal(.notFound) }
            return NaiveAnswer("budget.removed")
        case .openCustomer(let settings): return try open(settings)
        case .updateCustomer(let settings):
            let plans = plans
            return try changeCustomer(settings.key, "customer.updated") { customer in
                customer.plan = settings.plan ?? customer.plan
                customer.terms = settings.terms ?? customer.terms
                customer.billingDay = settings.billingDay ?? customer.billingDay
                if plans[customer.plan] == nil { throw NaiveRefusal(.invalid) }
            }
        case .suspendCustomer(let key, _):
            return try changeCustomer(key, "customer.suspended") {
                if $0.status == .closed { throw NaiveRefusal(.closed) }
                $0.status = .suspended
            }
        case .resumeCustomer(let key):
            return try changeCustomer(key, "customer.resumed") {
                if $0.status == .closed { throw NaiveRefusal(.closed) }
                $0.status = .active
            }
        case .closeCustomer(let key, _):
            return try changeCustomer(key, "customer.closed") { $0.status = .closed }
        case .receivePayment(let key, let amount, _):
            return try changeCustomer(key, "payment.received") {
                if amount.isZero { throw NaiveRefusal(.invalid) }
                $0.payments.append(amount.nanos)
            }
        default: return try changeMoneyOrRun(command, now)
        }
    }

    private mutating func changeMoneyOrRun(
        _ command: Command, _ now: Instant
    ) throws -> NaiveAnswer {
        switch command {
        case .grantCredit(let key, let terms): return try grant(terms, to: key, now)
        case .revokeCredit(let key, let id, _):
            guard let customer = customers[key],
                let index = customer.grants.firstIndex(where: { $0.terms.id == id })
            else { throw NaiveRefusal(.notFound) }
            if customer.grants[index].isEnded { return NaiveAnswer("nothing") }
            end(index, of: key, isRevoked: true)
            return NaiveAnswer("credit.revoked")
        case .startRun(let request):
            if projects[request.key.project] == nil { throw NaiveRefusal(.notFound) }
            if runs[request.key] != nil { throw NaiveRefusal(.alreadyExists) }
            runs[request.key] = NaiveRun(cap: request.cap?.nanos)
            return NaiveAnswer("run.started")
        case .stopRun(let key, _):
            if let run = runs[key], run.status != .active { return NaiveAnswer("nothing") }
            runs[key, default: NaiveRun()].status = .stopped
            return NaiveAnswer("run.stopped")
        case .endRun(let key):
            guard let run = runs[key] else { throw NaiveRefusal(.notFound) }
            if run.isEnded { return NaiveAnswer("nothing") }
            if run.status == .active { runs[key]?.status = .ended }
            runs[key]?.isEnded = true
            return NaiveAnswer("run.ended")
        default: preconditionFailure("the model was not taught \(command)")
        }
    }

    private mutating func open(_ settings: CustomerSettings) throws -> NaiveAnswer {
        guard let project = projects[settings.key.project] else { throw NaiveRefusal(.notFound) }
        if customers[settings.key] != nil { throw NaiveRefusal(.alreadyExists) }
        let plan = settings.plan ?? project.defaultPlan
        if plans[plan] == nil { throw NaiveRefusal(.invalid) }
        customers[settings.key] = NaiveCustomer(
            key: settings.key, plan: plan, terms: settings.terms ?? Terms(),
            billingDay: settings.billingDay ?? 1)
        return NaiveAnswer("customer.opened")
    }

    private mutating func changeCustomer(
        _ key: CustomerKey, _ kind: String, _ body: (inout NaiveCustomer) throws -> Void
    ) throws -> NaiveAnswer {
        guard var customer = customers[key] else { throw NaiveRefusal(.notFound) }
        try body(&customer)
        customers[key] = customer
        return NaiveAnswer(kind)
    }

    /// A changed amount, reaction or match keeps what was spent; a changed unit or calendar starts
    /// anew.
    private mutating func set(_ asked: BudgetRule) throws -> NaiveAnswer {
        var rule = asked
        if rule.onExceed == .clamp, rule.measure == .requests { throw NaiveRefusal(.invalid) }
        if !calendar.knows(timeZone: rule.timeZone) { throw NaiveRefusal(.invalid) }
        if rule.window == .billingPeriod, !rule.per.contains(.customer) {
            throw NaiveRefusal(.invalid)
        }
        if rule.window == .run { rule.per.append(.run) }
        rule.per = Set(rule.per).sorted()
        var incarnation = incarnations
        if let old = budgets[rule.id], old.rule.per == rule.per, old.rule.measure == rule.measure,
            old.rule.window == rule.window, old.rule.timeZone == rule.timeZone
        {
            incarnation = old.incarnation
        } else {
            incarnations += 1
        }
        budgets[rule.id] = NaiveBudget(rule: rule, incarnation: incarnation)
        return NaiveAnswer("budget.set")
    }

    private mutating func grant(
        _ terms: GrantTerms, to key: CustomerKey, _ now: Instant
    ) throws -> NaiveAnswer {
        try sight(key)
        guard let customer = customers[key] else { throw NaiveRefusal(.notFound) }
        if customer.status == .closed { throw NaiveRefusal(.closed) }
        if let expiry = terms.expiresAt, expiry <= now || expiry <= terms.effectiveAt {
            throw NaiveRefusal(.invalid)
        }
        if terms.amount.nanos <= 0 { throw NaiveRefusal(.invalid) }
        if customer.grants.contains(where: { $0.terms.id == terms.id }) {
            throw NaiveRefusal(.alreadyExists)
        }
        give(terms, to: key, now)
        return NaiveAnswer("credit.granted")
    }
}
