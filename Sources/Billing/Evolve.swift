// Folding events into the state. Total: an event that is on the log is true, so nothing here
// throws, traps on an event's figures or refuses. What `decide` guarantees is not checked again.

import Money

extension LedgerState {
    /// Folds one event in.
    package mutating func evolve(_ recorded: RecordedEvent) {
        sequence = recorded.sequence
        time = recorded.time
        switch recorded.event {
        case .ledgerOpened(let event): ledger = event
        case .clockAdvanced, .stripe: break
        case .projectSet(let event): projects[event.project.id] = event.project
        case .planSet(let event): plans[event.plan.id] = event.plan
        case .budgetSet(let event): set(event.rule, at: recorded.sequence)
        case .budgetRemoved(let event): removeBudget(event.budget)
        case .priceBookPublished(let event): priceBook.append(event)
        case .keyCreated(let event):
            keys[event.id] = APIKey(
                id: event.id, name: event.name, role: event.role, project: event.project,
                secretHash: event.secretHash, createdAt: recorded.time)
        case .keyRevoked(let event): keys[event.id]?.revokedAt = recorded.time
        case .runStarted(let event): start(event, recorded)
        case .runStopped(let event): stop(event, recorded)
        case .runEnded(let event):
            changeRun(recorded, event.run) { run in
                if run.status == .active { run.status = .ended }
                run.endedAt = recorded.time
            }
        case .customerOpened, .customerUpdated, .customerSuspended, .customerResumed,
            .customerClosed, .customerLinked, .creditGranted, .creditActivated, .creditExpired,
            .creditRevoked, .paymentReceived:
            evolveCustomer(recorded)
        case .usageEstimated, .usageReserved, .usageRejected, .usageExtended, .usageSettled,
            .usageReleased, .usageExpired, .usageAdjusted, .usageRecorded:
            evolveUsage(recorded)
        }
    }

    private mutating func set(_ rule: BudgetRule, at sequence: UInt64) {
        if let old = budgets[rule.id]?.rule {
            budgetIndex.remove(old)
            budgets[rule.id]?.rule = rule
            if !rule.keepsCounters(of: old) {
                budgets[rule.id] = Budget(rule: rule, generation: sequence)
            }
        } else {
            budgets[rule.id] = Budget(rule: rule, generation: sequence)
        }
        budgetIndex.insert(rule)
    }

    private mutating func removeBudget(_ id: String) {
        guard let old = budgets.removeValue(forKey: id) else { return }
        budgetIndex.remove(old.rule)
    }

    private mutating func start(_ event: RunStarted, _ recorded: RecordedEvent) {
        let run = Run(
            id: event.run, project: recorded.project ?? "", customer: recorded.customer,
            user: event.user, cap: event.cap, metadata: event.metadata, startedAt: recorded.time,
            counter: Counter(window: Window(start: .zero, end: nil)), generation: recorded.sequence)
        runs[run.key] = run
    }

    private mutating func stop(_ event: RunStopped, _ recorded: RecordedEvent) {
        let key = RunKey(project: recorded.project ?? "", id: event.run)
        if runs[key] == nil {
            // Stopped before it was ever started: remembered, so that its calls are refused.
            runs[key] = Run(
                id: key.id, project: key.project, startedAt: recorded.time,
                generation: recorded.sequence)
        }
        changeRun(recorded, event.run) { run in
            run.status = .stopped
            run.statusReason = event.reason
            run.stoppedAt = recorded.time
        }
    }

    private mutating func changeRun(
        _ recorded: RecordedEvent, _ id: String, _ change: (inout Run) -> Void
    ) {
        let key = RunKey(project: recorded.project ?? "", id: id)
        guard var run = runs[key] else { return }
        change(&run)
        runs[key] = run
    }

    private mutating func evolveCustomer(_ recorded: RecordedEvent) {
        let key = CustomerKey(project: recorded.project ?? "", id: recorded.customer ?? "")
        if case .customerOpened(let event) = recorded.event {
            customers[key] = Customer(
                id: key.id, project: key.project, name: event.name, plan: event.plan,
                terms: event.terms, billingDay: event.billingDay, openedAt: recorded.time,
                openedSequence: recorded.sequence)
            customersByOpening.append(key)
            return
        }
        customers[key]?.apply(recorded)
    }
}

extension Customer {
    /// Everything about a customer but its opening and its calls.
    fileprivate mutating func apply(_ recorded: RecordedEvent) {
        switch recorded.event {
        case .customerUpdated(let event):
            plan = event.plan
            name = event.name
            terms = event.terms
            billingDay = event.billingDay
        case .customerSuspended(let event):
            status = .suspended
            statusReason = event.reason
        case .customerResumed:
            status = .active
            statusReason = nil
        case .customerClosed(let event):
            status = .closed
            statusReason = event.reason
        case .customerLinked(let event): stripeCustomer = event.stripeCustomer
        case .creditGranted(let event): give(event, recorded)
        case .creditActivated(let event):
            if let index = grants.firstIndex(where: { $0.terms.id == event.grant }) {
                grants[index].isActive = true
            }
            if event.repaidDebt > .zero {
                repay([GrantPortion(grant: event.grant, amount: event.repaidDebt)])
            }
        case .creditExpired(let event): end(event, isRevoked: false)
        case .creditRevoked(let event): end(event, isRevoked: true)
        case .paymentReceived(let event): totals.paid += event.amount
        default: break
        }
    }

    private mutating func give(_ event: CreditGranted, _ recorded: RecordedEvent) {
        grants.append(
            Grant(
                terms: event.grant, createdSequence: recorded.sequence,
                remaining: event.grant.amount,
                isActive: event.grant.effectiveAt <= recorded.time))
        if event.repaidDebt > .zero {
            repay([GrantPortion(grant: event.grant.id, amount: event.repaidDebt)])
        }
    }

    private mutating func end(_ event: CreditEnded, isRevoked: Bool) {
        guard let index = grants.firstIndex(where: { $0.terms.id == event.grant }) else { return }
        grants[index].isEnded = true
        grants[index].remaining -= event.amount
        if isRevoked {
            grants[index].revoked += event.amount
        } else {
            grants[index].expired += event.amount
        }
    }
}
