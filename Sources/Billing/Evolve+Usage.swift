// Folding `usage.*` events: counters, holds, funds and totals.

import Money

extension LedgerState {
    mutating func evolveUsage(_ recorded: RecordedEvent) {
        let customer = CustomerKey(project: recorded.project ?? "", id: recorded.customer ?? "")
        let key = ReservationKey(project: customer.project, id: recorded.reservation ?? "")
        switch recorded.event {
        case .usageReserved(let event):
            guard let reservation = Reservation(first: recorded) else { return }
            for line in event.lines {
                hold(line, run: reservation.subject.runKey, until: event.expiresAt)
            }
            customers[customer]?.reserve(event)
            reservations[key] = reservation
        case .usageExtended(let event):
            guard var reservation = reservations.removeValue(forKey: key) else { return }
            reservation.apply(recorded)
            for line in reservation.lines {
                changeCounter(CounterReference(line), run: reservation.subject.runKey) { counter in
                    counter.earliestExpiry = min(counter.earliestExpiry, event.expiresAt)
                }
            }
            reservations[key] = reservation
        case .usageSettled(let event):
            settle(event, recorded, key: key, customer: customer)
        case .usageReleased(let event):
            guard let reservation = reservations.removeValue(forKey: key) else { return }
            unhold(reservation, actual: .zero)
            customers[customer]?.resolve(reservation, split: FundingSplit(), actual: .zero) {
                $0.totals.releasedCount += 1
                $0.repay(event.repaidDebt)
            }
        case .usageExpired(let event):
            guard let reservation = reservations.removeValue(forKey: key) else { return }
            unhold(reservation, actual: event.provisional)
            customers[customer]?.resolve(reservation, split: event.split, actual: event.provisional)
            {
                $0.totals.expiredCount += 1
                $0.repay(event.repaidDebt)
            }
        case .usageAdjusted(let event):
            let change = CallFigures(cost: event.cost, charge: event.charge, tokens: event.tokens)
            addToCounters(event.counters, project: customer.project, change)
            customers[customer]?.add(change)
            customers[customer]?.burn(event.split)
            customers[customer]?.repay(event.repaidDebt)
        case .usageRecorded(let event):
            record(event, recorded, customer: customer)
        case .usageRejected(let event):
            customers[customer]?.totals.rejectedCount += 1
            if event.rule == .runCap, let run = event.call.run {
                runs[RunKey(project: customer.project, id: run)]?.wasCapExceeded = true
            }
        default: break
        }
    }

    private mutating func settle(
        _ event: UsageSettled, _ recorded: RecordedEvent, key: ReservationKey, customer: CustomerKey
    ) {
        let actual = CallFigures(settled: event.rated)
        if let reservation = reservations.removeValue(forKey: key) {
            unhold(reservation, actual: actual)
            customers[customer]?.resolve(reservation, split: event.split, actual: actual) {
                $0.totals.settledCount += 1
                $0.totals.overrun += event.overrun
                $0.repay(event.repaidDebt)
            }
        } else {
            let change = actual - event.replaced
            addToCounters(event.counters, project: customer.project, change)
            customers[customer]?.add(change)
            customers[customer]?.burn(event.split)
            customers[customer]?.repay(event.repaidDebt)
            customers[customer]?.totals.settledCount += 1
            customers[customer]?.totals.overrun += event.overrun
        }
    }

    private mutating func record(
        _ event: UsageRecorded, _ recorded: RecordedEvent, customer: CustomerKey
    ) {
        let actual = CallFigures(settled: event.rated)
        let run = event.call.run.map { RunKey(project: customer.project, id: $0) }
        for line in event.lines {
            changeCounter(CounterReference(line), run: run, opening: line.window) {
                $0.spent = $0.spent.addingClamped(actual.quantity(line.measure))
            }
        }
        customers[customer]?.add(actual)
        customers[customer]?.burn(event.split)
        customers[customer]?.totals.recordedCount += 1
    }

    // MARK: Counters

    private mutating func hold(_ line: BudgetLine, run: RunKey?, until expiry: Instant) {
        changeCounter(CounterReference(line), run: run, opening: line.window) { counter in
            counter.held = counter.held.addingClamped(line.hold)
            counter.openHolds += 1
            counter.earliestExpiry = min(counter.earliestExpiry, expiry)
        }
    }

    private mutating func unhold(_ reservation: Reservation, actual: CallFigures) {
        let run = reservation.subject.runKey
        reservation.lines.withUnsafeBufferPointer { lines in
            for index in lines.indices {
                let hold = lines[index].hold
                let used = actual.quantity(lines[index].measure)
                changeCounter(CounterReference(lines[index]), run: run) { counter in
                    counter.held = counter.held.addingClamped(-hold)
                    counter.spent = counter.spent.addingClamped(used)
                    counter.openHolds -= 1
                    if counter.openHolds == 0 { counter.earliestExpiry = .max }
                }
            }
        }
    }

    private mutating func addToCounters(
        _ counters: [CounterReference], project: String, _ change: CallFigures
    ) {
        for reference in counters {
            let run = RunKey(project: project, id: reference.scope)
            changeCounter(reference, run: run) {
                $0.spent = $0.spent.addingClamped(change.quantity(reference.measure))
            }
        }
    }

    /// Changes the counter that `reference` names, wherever it is; nothing when it is gone.
    ///
    /// - Parameter opening: what becomes the counter's present window first, where it is not yet.
    private mutating func changeCounter(
        _ reference: CounterReference, run: RunKey?, opening: Window? = nil,
        _ change: (inout Counter) -> Void
    ) {
        if reference.budget == BudgetLine.runCap {
            guard let run, let index = runs.index(forKey: run),
                runs.values[index].generation == reference.generation
            else { return }
            change(&runs.values[index].counter)
            return
        }
        guard let place = budgets.index(forKey: reference.budget) else { return }
        budgets.values[place].changeCounter(reference, opening: opening, change)
    }
}

extension Budget {
    /// See `LedgerState.changeCounter`. The counter of the window before an opened one is kept
    /// while reservations of that window are open, and dropped otherwise.
    fileprivate mutating func changeCounter(
        _ reference: CounterReference, opening: Window?, _ change: (inout Counter) -> Void
    ) {
        guard generation == reference.generation else { return }
        let scope = ExactText(reference.scope)
        if let place = counters.index(forKey: scope) {
            let present = counters.values[place]
            if present.window.start == reference.windowStart {
                change(&counters.values[place])
                return
            }
            if let opening {
                if present.openHolds > 0 {
                    let key = ClosedCounterKey(scope: scope, windowStart: present.window.start)
                    closedCounters[key] = present
                }
                counters.values[place] = Counter(window: opening)
                change(&counters.values[place])
                return
            }
        } else if let opening {
            var counter = Counter(window: opening)
            change(&counter)
            counters[scope] = counter
            return
        }
        let key = ClosedCounterKey(scope: scope, windowStart: reference.windowStart)
        guard let place = closedCounters.index(forKey: key) else { return }
        change(&closedCounters.values[place])
        if closedCounters.values[place].openHolds == 0 { closedCounters.remove(at: place) }
    }
}

extension Customer {
    fileprivate mutating func reserve(_ event: UsageReserved) {
        take(event.funding)
        openReservations += 1
        totals.reservedCount += 1
    }

    fileprivate mutating func resolve(
        _ reservation: Reservation, split: FundingSplit, actual: CallFigures,
        _ more: (inout Customer) -> Void
    ) {
        resolve(reservation.funding, split: split)
        openReservations -= 1
        add(actual)
        more(&self)
    }

    fileprivate mutating func add(_ figures: CallFigures) {
        totals.cost += figures.cost
        totals.charge += figures.charge
        totals.tokens = totals.tokens.addingClamped(figures.tokens)
    }
}

extension CallFigures {
    /// What a rated call counts for: one request.
    package init(settled rated: RatedUsage) {
        self.init(
            cost: rated.cost, charge: rated.charge, tokens: rated.counts.totalTokens, requests: 1)
    }

    package static func - (a: CallFigures, b: CallFigures) -> CallFigures {
        CallFigures(
            cost: a.cost - b.cost, charge: a.charge - b.charge, tokens: a.tokens - b.tokens,
            requests: a.requests - b.requests)
    }

    package static func + (a: CallFigures, b: CallFigures) -> CallFigures {
        CallFigures(
            cost: a.cost + b.cost, charge: a.charge + b.charge, tokens: a.tokens + b.tokens,
            requests: a.requests + b.requests)
    }
}

extension Int64 {
    /// The sum, or the nearest end of the range: folding must not trap. `decide` refuses what would
    /// come near.
    package func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        if !overflow { return sum }
        return other < 0 ? .min : .max
    }
}

extension Money {
    func addingClamped(_ other: Money) -> Money {
        Money(nanos: nanos.addingClamped(other.nanos))
    }
}
