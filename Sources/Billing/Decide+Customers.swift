// Customers, credit and payments.

import Money

extension LedgerState {
    func decideOpen(_ settings: CustomerSettings) throws(CommandError) -> [EventDraft] {
        let project = try existing(project: settings.key.project)
        guard customers[settings.key] == nil else {
            throw CommandError(
                .alreadyExists, "Customer '\(settings.key.id)' exists already.", param: "id")
        }
        let event = try opening(settings, plan: settings.plan ?? project.defaultPlan)
        return [draft(.customerOpened(event), settings.key)]
    }

    private func opening(
        _ settings: CustomerSettings, plan: String
    ) throws(CommandError) -> CustomerOpened {
        try check(settings, plan: plan)
        var event = CustomerOpened()
        event.plan = plan
        event.name = settings.name
        event.terms = settings.terms ?? Terms()
        event.billingDay = settings.billingDay ?? 1
        return event
    }

    private func check(_ settings: CustomerSettings, plan: String) throws(CommandError) {
        guard plans[plan] != nil else {
            throw CommandError(.invalid, "There is no plan '\(plan)'.", param: "plan")
        }
        if let terms = settings.terms { try check(terms) }
        if let day = settings.billingDay, !(1...31).contains(day) {
            throw CommandError(.invalid, "A billing day is 1 to 31.", param: "billing_day")
        }
    }

    func decideUpdate(_ settings: CustomerSettings) throws(CommandError) -> [EventDraft] {
        let customer = try existing(customer: settings.key)
        var event = CustomerUpdated()
        event.plan = settings.plan ?? customer.plan
        event.name = settings.name ?? customer.name
        event.terms = settings.terms ?? customer.terms
        event.billingDay = settings.billingDay ?? customer.billingDay
        try check(settings, plan: event.plan)
        return [draft(.customerUpdated(event), settings.key)]
    }

    func decideSuspend(_ key: CustomerKey, _ reason: String) throws(CommandError) -> [EventDraft] {
        let customer = try existing(customer: key)
        guard customer.status != .closed else { throw closed(key) }
        var event = CustomerSuspended()
        event.reason = reason
        return [draft(.customerSuspended(event), key)]
    }

    func decideResume(_ key: CustomerKey) throws(CommandError) -> [EventDraft] {
        let customer = try existing(customer: key)
        guard customer.status != .closed else { throw closed(key) }
        return [draft(.customerResumed(CustomerResumed()), key)]
    }

    func decideClose(_ key: CustomerKey, _ reason: String) throws(CommandError) -> [EventDraft] {
        _ = try existing(customer: key)
        var event = CustomerClosed()
        event.reason = reason
        return [draft(.customerClosed(event), key)]
    }

    func decideLink(
        _ key: CustomerKey, _ stripeCustomer: String
    ) throws(CommandError) -> [EventDraft] {
        _ = try existing(customer: key)
        var event = CustomerLinked()
        event.stripeCustomer = stripeCustomer
        return [draft(.customerLinked(event), key)]
    }

    func decideGrant(
        _ key: CustomerKey, _ terms: GrantTerms, _ facts: Facts
    ) throws(CommandError) -> [EventDraft] {
        let (customer, drafts) = try customerOrOpening(key)
        guard customer.status != .closed else { throw closed(key) }
        guard terms.amount > .zero, terms.amount <= LedgerLimits.amountMax else {
            throw CommandError(
                .invalid, "A grant is above zero and at most 1,000,000.", param: "amount")
        }
        if let expiry = terms.expiresAt, expiry <= terms.effectiveAt || expiry <= facts.now {
            throw CommandError(
                .invalid, "A grant expires after now and after it takes effect.",
                param: "expires_at")
        }
        guard !customer.grants.contains(where: { $0.terms.id == terms.id }) else {
            throw CommandError(.alreadyExists, "There is a grant '\(terms.id)'.", param: "id")
        }
        let standing = customer.grants.reduce(Money.zero) { $0 + $1.remaining }
        guard standing < LedgerLimits.totalMax else {
            throw CommandError(.overflow, "The customer's grants exceed the ledger's range.")
        }
        return drafts + [draft(.creditGranted(granting(terms, to: customer, facts)), key)]
    }

    /// The event of a new grant, with what it repays at once: unrestricted grants repay debt first.
    func granting(_ terms: GrantTerms, to customer: Customer, _ facts: Facts) -> CreditGranted {
        var event = CreditGranted()
        event.grant = terms
        if terms.effectiveAt <= facts.now, !terms.isRestricted {
            event.repaidDebt = min(terms.amount, max(customer.debt, .zero))
        }
        return event
    }

    func decideRevoke(
        _ key: CustomerKey, _ id: String, _ reason: String?
    ) throws(CommandError) -> [EventDraft] {
        let customer = try existing(customer: key)
        guard let grant = customer.grants.first(where: { $0.terms.id == id }) else {
            throw CommandError(.notFound, "There is no grant '\(id)'.", param: "grant")
        }
        if grant.isEnded { return [] }
        var event = CreditEnded()
        event.grant = id
        event.amount = grant.remaining - grant.held
        event.reason = reason
        return [draft(.creditRevoked(event), key)]
    }

    func decideActivate(_ key: CustomerKey, _ id: String, _ facts: Facts) -> [EventDraft] {
        guard let customer = customers[key],
            let grant = customer.grants.first(where: { $0.terms.id == id }),
            !grant.isActive, !grant.isEnded
        else { return [] }
        var event = CreditActivated()
        event.grant = id
        if !grant.terms.isRestricted {
            event.repaidDebt = min(grant.remaining, max(customer.debt, .zero))
        }
        return [draft(.creditActivated(event), key)]
    }

    func decideExpireCredit(_ key: CustomerKey, _ id: String) -> [EventDraft] {
        guard let grant = customers[key]?.grants.first(where: { $0.terms.id == id }),
            !grant.isEnded
        else { return [] }
        var event = CreditEnded()
        event.grant = id
        event.amount = grant.remaining - grant.held
        return [draft(.creditExpired(event), key)]
    }

    func decidePayment(
        _ key: CustomerKey, _ amount: Money, _ reference: String?
    ) throws(CommandError) -> [EventDraft] {
        let customer = try existing(customer: key)
        guard amount != .zero, amount <= LedgerLimits.amountMax, amount >= -LedgerLimits.amountMax
        else {
            throw CommandError(
                .invalid, "A payment is not zero and at most 1,000,000.", param: "amount")
        }
        guard customer.totals.paid < LedgerLimits.totalMax,
            customer.totals.paid > -LedgerLimits.totalMax
        else {
            throw CommandError(.overflow, "The customer's payments exceed the ledger's range.")
        }
        var event = PaymentReceived()
        event.amount = amount
        event.reference = reference
        return [draft(.paymentReceived(event), key)]
    }

    /// The customer, or the one that its first call opens under the project's default plan, with
    /// the event that does so. Its limits hold for that very call.
    func customerOrOpening(
        _ key: CustomerKey
    ) throws(CommandError) -> (Customer, [EventDraft]) {
        if let customer = customers[key] { return (customer, []) }
        let project = try existing(project: key.project)
        var event = CustomerOpened()
        event.plan = project.defaultPlan
        event.isFirstSight = true
        let customer = Customer(id: key.id, project: key.project, plan: project.defaultPlan)
        return (customer, [draft(.customerOpened(event), key)])
    }

    func draft(_ event: Event, _ key: CustomerKey, _ reservation: String? = nil) -> EventDraft {
        EventDraft(event, project: key.project, customer: key.id, reservation: reservation)
    }

    private func closed(_ key: CustomerKey) -> CommandError {
        CommandError(.closed, "Customer '\(key.id)' is closed.", param: "customer")
    }
}
