// A customer's balance as a state has it: the present one, or one folded up to some point.

import Billing
import CanonicalJSON
import Money

struct BalanceView: Sendable {
    var customer: Customer
    /// In force: the customer's own, then its plan's, then the ledger's.
    var terms: Terms
    var budgets: [CustomerBudget]
    var sequence: UInt64
    var time: Instant

    /// Nil when the state does not know the customer.
    init?(_ state: LedgerState, _ key: CustomerKey, at time: Instant) {
        guard let customer = state.customers[key] else { return nil }
        self.customer = customer
        self.time = time
        sequence = state.sequence
        terms = state.terms(of: customer)
        budgets = CustomerBudget.all(of: customer, state, at: time)
    }

    private var mode: FundingMode { terms.funding ?? .postpaid }

    /// In unrestricted grants or all of them, not held.
    private func granted(unrestrictedOnly: Bool) -> Money {
        customer.grants.reduce(.zero) { sum, grant in
            unrestrictedOnly && grant.terms.isRestricted ? sum : sum + grant.available
        }
    }

    /// What a new hold may take for any model; nil: no limit.
    private var available: Money? {
        if mode != .prepaid, customer.debt > .zero { return -customer.debt }
        let limit: Money
        let owed: Money
        switch mode {
        case .unfunded: return nil
        case .prepaid: (limit, owed) = (terms.creditLimit ?? .zero, customer.debt)
        case .postpaid:
            guard let creditLimit = terms.creditLimit else { return nil }
            (limit, owed) = (creditLimit, customer.owed)
        }
        return granted(unrestrictedOnly: true) + limit - owed - customer.heldUncovered
    }

    func body(currency: String) -> [UInt8] {
        JSONWriter.document(reservingCapacity: 2_048) { json in
            json.object("as_of") { json in
                json.member("sequence", sequence)
                json.member("time", time)
            }
            json.member("available", ifPresent: available)
            json.list("budgets", budgets) { json, budget in
                json.object { json in budget.write(to: &json) }
            }
            json.member("currency", currency)
            json.member("customer", customer.id)
            json.member("debt", customer.debt)
            json.member("funding", mode)
            json.list("grants", customer.grants) { json, grant in
                json.object { json in json.grant(grant) }
            }
            json.member("grants_available", granted(unrestrictedOnly: false))
            json.member("held", customer.heldCharge)
            json.member("held_uncovered", customer.heldUncovered)
            json.member("open_reservations", customer.openReservations)
            json.member("owed", customer.owed)
            json.member("plan", customer.plan)
            json.member("project", customer.project)
            json.member("status", customer.status)
            json.member("status_reason", ifPresent: customer.statusReason)
            json.terms(terms)
            json.totals(customer.totals)
        }
    }
}

extension JSONWriter {
    fileprivate mutating func totals(_ totals: CustomerTotals) {
        object("totals") { json in
            json.member("absorbed", totals.absorbed)
            json.member("billable", totals.billable)
            json.member("charge", totals.charge)
            json.member("cost", totals.cost)
            json.member("expired", totals.expiredCount)
            json.member("from_grants", totals.fromGrants)
            json.member("margin", totals.charge - totals.cost)
            json.member("overrun", totals.overrun)
            json.member("paid", totals.paid)
            json.member("recorded", totals.recordedCount)
            json.member("rejected", totals.rejectedCount)
            json.member("released", totals.releasedCount)
            json.member("reserved", totals.reservedCount)
            json.member("settled", totals.settledCount)
            json.member("tokens", totals.tokens)
        }
    }
}

/// A budget as it stands for one customer.
struct CustomerBudget: Sendable {
    var rule: BudgetRule
    var scope: String
    /// Nil: no call yet in the present window.
    var counter: Counter?
    var isOverridden = false

    /// Budgets whose counter the customer alone decides: those that count by user, run, model or
    /// tag have one for each of these.
    static func all(
        of customer: Customer, _ state: LedgerState, at now: Instant
    ) -> [CustomerBudget] {
        let subject = Subject(project: customer.project, customer: customer.id)
        var found: [CustomerBudget] = []
        state.budgetIndex.forEachCandidate(subject: subject, plan: customer.plan) { id in
            guard let budget = state.budgets[id], budget.rule.isAboutCustomers,
                budget.rule.match.mayMatch(customer)
            else { return }
            let scope = scopeText(
                per: budget.rule.per, subject: subject, plan: customer.plan, model: "")
            let counter = budget.counters[ExactText(scope)].flatMap { counter in
                counter.window.end.map { now < $0 } ?? true ? counter : nil
            }
            found.append(CustomerBudget(rule: budget.rule, scope: scope, counter: counter))
        }
        found.sort { $0.rule.id < $1.rule.id }
        for place in found.indices {
            found[place].isOverridden = found.contains { $0.rule.stands(before: found[place].rule) }
        }
        return found
    }

    func write(to json: inout JSONWriter) {
        let spent = counter?.spent ?? 0
        let held = counter?.held ?? 0
        json.member("amount", rule.amount, rule.measure)
        json.member(
            "available", rule.amount.addingClamped(-spent).addingClamped(-held), rule.measure)
        json.member("budget", rule.id)
        json.member("held", held, rule.measure)
        json.member("measure", rule.measure)
        json.member("model", ifPresent: rule.match.model)
        json.member("name", rule.name)
        json.member("on_exceed", rule.onExceed)
        json.member("overridden", isOverridden)
        json.member("per", rule.per.map(\.text))
        json.member("scope", scope)
        json.member("spent", spent, rule.measure)
        if !rule.match.tags.isEmpty { json.member("tags", rule.match.tags) }
        if let counter { json.window(counter.window) }
        json.member("window_kind", rule.window)
    }
}

extension BudgetRule {
    fileprivate var isAboutCustomers: Bool {
        window != .run
            && per.allSatisfy { $0 == .project || $0 == .plan || $0 == .customer }
    }

    /// Whether this rule takes the place of `other` for every call: same name, more specific, and
    /// no condition that a call might not meet.
    fileprivate func stands(before other: BudgetRule) -> Bool {
        guard name == other.name, id != other.id, match.model == nil, match.tags.isEmpty else {
            return false
        }
        let (mine, others) = (match.specificity, other.match.specificity)
        return mine == others ? id < other.id : mine > others
    }
}

extension BudgetMatch {
    /// Whether some call of the customer's may match.
    fileprivate func mayMatch(_ customer: Customer) -> Bool {
        user == nil && run == nil && (project.map { $0 == customer.project } ?? true)
            && (self.customer.map { $0 == customer.id } ?? true)
            && (plan.map { $0 == customer.plan } ?? true)
    }
}
