// Adds the log up a second time, by its own simple bookkeeping: what `evolve` made of it must
// agree.

import Billing
import Money

struct LogAudit {
    var resolutions = VerificationCheck(
        "resolutions", "every id is used once, every reservation resolves at most once")
    var decisions = VerificationCheck(
        "decisions", "each decision stands on the counters as they were; no strict limit was passed"
    )
    var sums = VerificationCheck(
        "sums", "charges, grants and counters add up to the totals in the state")

    private struct Life {
        var last: UInt64
        var status: ReservationStatus
        var lines: [BudgetLine] = []
        var actual = CallFigures.zero
    }

    private struct CounterKey: Hashable {
        var project: String
        var budget: String
        var generation: UInt64
        var scope: ExactText
        var windowStart: Instant
    }

    private struct CounterSum {
        var spent: Int64 = 0
        var held: Int64 = 0
    }

    private struct CustomerSum {
        var charge = Money.zero
        var cost = Money.zero
        var split = FundingSplit()
        var repaid = Money.zero
        var granted = Money.zero
        var paid = Money.zero
    }

    private var lives: [ReservationKey: Life] = [:]
    private var counters: [CounterKey: CounterSum] = [:]
    private var customers: [CustomerKey: CustomerSum] = [:]

    mutating func examine(_ recorded: RecordedEvent) {
        let project = recorded.project ?? ""
        let customer = CustomerKey(project: project, id: recorded.customer ?? "")
        let key = ReservationKey(project: project, id: recorded.reservation ?? "")
        switch recorded.event {
        case .creditGranted(let event):
            customers[customer, default: CustomerSum()].granted += event.grant.amount
            customers[customer, default: CustomerSum()].repaid += event.repaidDebt
        case .creditActivated(let event):
            customers[customer, default: CustomerSum()].repaid += event.repaidDebt
        case .paymentReceived(let event):
            customers[customer, default: CustomerSum()].paid += event.amount
        case .usageReserved(let event):
            begin(key, recorded, Life(last: recorded.sequence, status: .open, lines: event.lines))
            checkDecision(event.lines, recorded, project: project)
            for line in event.lines { change(line, project) { $0.held += line.hold } }
        case .usageRejected(let event):
            begin(key, recorded, Life(last: recorded.sequence, status: .rejected))
            checkDecision(event.lines, recorded, project: project)
        case .usageRecorded(let event):
            let actual = CallFigures(settled: event.rated)
            begin(
                key, recorded,
                Life(last: recorded.sequence, status: .recorded, lines: event.lines, actual: actual)
            )
            for line in event.lines {
                change(line, project) { $0.spent += actual.quantity(line.measure) }
            }
            charge(customer, actual, event.split)
        default: examineLater(recorded, key, customer)
        }
    }

    private mutating func examineLater(
        _ recorded: RecordedEvent, _ key: ReservationKey, _ customer: CustomerKey
    ) {
        switch recorded.event {
        case .usageExtended: step(key, recorded, from: [.open], to: .open)
        case .usageReleased(let event):
            resolve(key, recorded, from: [.open], to: .released, .zero)
            customers[customer, default: CustomerSum()].repaid += total(event.repaidDebt)
        case .usageExpired(let event):
            resolve(
                key, recorded, from: [.open], to: event.policy == .charge ? .charged : .expired,
                event.provisional)
            charge(customer, event.provisional, event.split)
            customers[customer, default: CustomerSum()].repaid += total(event.repaidDebt)
        case .usageSettled(let event):
            let actual = CallFigures(settled: event.rated)
            let before = lives[key]?.actual ?? .zero
            if event.replaced != before {
                sums.fail("event \(recorded.sequence) replaces other figures than were charged")
            }
            resolve(key, recorded, from: [.open, .expired, .charged], to: .settled, actual)
            charge(customer, actual - before, event.split)
            customers[customer, default: CustomerSum()].repaid += total(event.repaidDebt)
        case .usageAdjusted(let event):
            let status = lives[key]?.status ?? .settled
            let delta = CallFigures(cost: event.cost, charge: event.charge, tokens: event.tokens)
            let actual = (lives[key]?.actual ?? .zero) + delta
            resolve(key, recorded, from: [.settled, .charged, .recorded], to: status, actual)
            charge(customer, delta, event.split)
            customers[customer, default: CustomerSum()].repaid += total(event.repaidDebt)
        default: break
        }
    }

    // MARK: Lives

    private mutating func begin(_ key: ReservationKey, _ recorded: RecordedEvent, _ life: Life) {
        resolutions.examined += 1
        if lives[key] != nil {
            resolutions.fail("event \(recorded.sequence) uses id '\(key.id)' again")
        }
        lives[key] = life
    }

    private mutating func step(
        _ key: ReservationKey, _ recorded: RecordedEvent, from allowed: [ReservationStatus],
        to status: ReservationStatus
    ) {
        guard let life = lives[key] else {
            resolutions.fail("event \(recorded.sequence) is about '\(key.id)', which never began")
            return
        }
        if !allowed.contains(life.status) {
            resolutions.fail(
                "event \(recorded.sequence): '\(key.id)' was \(life.status.rawValue) already")
        }
        if Reservation.previous(of: recorded) != life.last {
            resolutions.fail(
                "event \(recorded.sequence) does not name \(life.last) as the one before")
        }
        lives[key]?.last = recorded.sequence
        lives[key]?.status = status
    }

    /// A step that changes what the call came to: moves it on all of its counters.
    private mutating func resolve(
        _ key: ReservationKey, _ recorded: RecordedEvent, from allowed: [ReservationStatus],
        to status: ReservationStatus, _ actual: CallFigures
    ) {
        let life = lives[key]
        step(key, recorded, from: allowed, to: status)
        guard let life else { return }
        for line in life.lines {
            change(line, key.project) { counter in
                if life.status == .open { counter.held -= line.hold }
                counter.spent += actual.quantity(line.measure) - life.actual.quantity(line.measure)
            }
        }
        lives[key]?.actual = actual
    }

    private mutating func change(
        _ line: BudgetLine, _ project: String, _ body: (inout CounterSum) -> Void
    ) {
        body(&counters[key(line, project), default: CounterSum()])
    }

    private func key(_ line: BudgetLine, _ project: String) -> CounterKey {
        CounterKey(
            project: line.budget == BudgetLine.runCap ? project : "", budget: line.budget,
            generation: line.generation, scope: ExactText(line.scope),
            windowStart: line.window.start)
    }

    // MARK: Sums

    private mutating func checkDecision(
        _ lines: [BudgetLine], _ recorded: RecordedEvent, project: String
    ) {
        for line in lines {
            decisions.examined += 1
            let counter = counters[key(line, project)] ?? CounterSum()
            if line.spent != counter.spent || line.held != counter.held {
                decisions.fail(
                    "event \(recorded.sequence): budget \(line.budget) '\(line.scope)' says spent "
                        + "\(line.spent) held \(line.held), the log says \(counter.spent), \(counter.held)"
                )
            }
            guard let amount = line.amount else { continue }
            let fits = amount - line.spent - line.held >= max(line.hold, 0)
            if (line.outcome == .fits || line.outcome == .clamped) != fits {
                decisions.fail(
                    "event \(recorded.sequence): budget \(line.budget) was judged wrongly")
            }
        }
    }

    private mutating func charge(
        _ customer: CustomerKey, _ change: CallFigures, _ split: FundingSplit
    ) {
        sums.examined += 1
        if split.fromGrants + split.billable + split.debt + split.absorbed != change.charge {
            sums.fail(
                "customer \(customer.id): a charge of \(change.charge.decimalText) is split wrongly"
            )
        }
        customers[customer, default: CustomerSum()].charge += change.charge
        customers[customer, default: CustomerSum()].cost += change.cost
        customers[customer, default: CustomerSum()].split.add(split)
    }

    private func total(_ portions: [GrantPortion]) -> Money {
        portions.reduce(.zero) { $0 + $1.amount }
    }

    mutating func compare(with state: LedgerState) {
        for (key, sum) in customers {
            guard let customer = state.customers[key] else {
                sums.fail("customer \(key.id) is charged but unknown")
                continue
            }
            let totals = customer.totals
            expect(totals.charge, sum.charge, "charge of \(key.id)")
            expect(totals.cost, sum.cost, "cost of \(key.id)")
            expect(totals.billable, sum.split.billable, "billable of \(key.id)")
            expect(totals.absorbed, sum.split.absorbed, "absorbed of \(key.id)")
            expect(totals.fromGrants, sum.split.fromGrants + sum.repaid, "from grants of \(key.id)")
            expect(customer.debt, sum.split.debt - sum.repaid, "debt of \(key.id)")
            expect(totals.paid, sum.paid, "payments of \(key.id)")
            let granted = customer.grants.reduce(Money.zero) { $0 + $1.terms.amount }
            expect(granted, sum.granted, "grants of \(key.id)")
        }
        compareCounters(with: state)
    }

    private mutating func compareCounters(with state: LedgerState) {
        func check(_ counter: Counter, _ key: CounterKey) {
            sums.examined += 1
            let sum = counters[key] ?? CounterSum()
            if counter.spent != sum.spent || counter.held != sum.held {
                sums.fail(
                    "budget \(key.budget) '\(key.scope.text)': state has spent \(counter.spent) held "
                        + "\(counter.held), the log says \(sum.spent), \(sum.held)")
            }
        }
        for (id, budget) in state.budgets {
            func key(_ scope: ExactText, _ start: Instant) -> CounterKey {
                CounterKey(
                    project: "", budget: id, generation: budget.generation, scope: scope,
                    windowStart: start)
            }
            for (scope, counter) in budget.counters {
                check(counter, key(scope, counter.window.start))
            }
            for (closed, counter) in budget.closedCounters {
                check(counter, key(closed.scope, closed.windowStart))
            }
        }
        for run in state.runs.values {
            check(
                run.counter,
                CounterKey(
                    project: run.project, budget: BudgetLine.runCap, generation: run.generation,
                    scope: ExactText(run.id), windowStart: run.counter.window.start))
        }
    }

    private mutating func expect(_ a: Money, _ b: Money, _ what: String) {
        sums.examined += 1
        if a != b { sums.fail("\(what): state \(a.decimalText), log \(b.decimalText)") }
    }
}
