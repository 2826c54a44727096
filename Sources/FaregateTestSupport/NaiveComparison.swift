// Brings the engine's answers and its state into the model's words, and says where the two differ.

package import Billing
package import Engine
import Money

extension NaiveAnswer {
    /// What the engine answered. `state` is read for the places of grants in their customers'
    /// lists.
    package init(_ result: Result<CommandReply, EngineError>, _ state: LedgerState) {
        self.init()
        switch result {
        case .failure(.command(let error)): kind = "error " + error.code.rawValue
        case .failure(let error): kind = "failure \(error)"
        case .success(let reply):
            guard let recorded = reply.event else {
                kind = "nothing"
                return
            }
            kind = recorded.event.type
            let key = CustomerKey(project: recorded.project ?? "", id: recorded.customer ?? "")
            read(recorded.event, grants: state.customers[key]?.grants.map(\.terms.id) ?? [])
        }
    }

    private mutating func read(_ event: Event, grants: [String]) {
        func portions(_ portions: [GrantPortion]) -> [String] {
            Self.portions(
                portions.map {
                    NaivePortion(
                        index: grants.firstIndex(of: $0.grant) ?? -1, amount: $0.amount.nanos)
                })
        }
        switch event {
        case .usageReserved(let event):
            lines = event.lines.map(Self.text)
            holds = portions(event.funding.grants)
            uncovered = event.funding.uncovered.nanos
            maxOutput = event.estimate.maxOutputTokens
            show(event.estimate)
            expiresAt = event.expiresAt
        case .usageRejected(let event):
            rejection = event.code
            rule = event.rule
            budget = event.budget
            freesAt = event.freesAt
            affordableMaxTokens = event.affordableMaxTokens
            if let estimate = event.estimate { show(estimate) }
            lines = event.lines.map(Self.text)
        case .usageExtended(let event): expiresAt = event.expiresAt
        case .usageReleased(let event): repaid = portions(event.repaidDebt)
        case .usageSettled(let event):
            isLate = event.isLate
            overrun = event.overrun.nanos
            show(event.rated)
            show(event.split, portions(event.split.grants))
            repaid = portions(event.repaidDebt)
        case .usageAdjusted(let event):
            figures = NaiveFigures(
                cost: event.cost.nanos, charge: event.charge.nanos, tokens: event.tokens)
            isCeiling = event.rated?.marks.contains(.ceilingRate) ?? false
            show(event.split, portions(event.split.grants))
            repaid = portions(event.repaidDebt)
        case .usageRecorded(let event):
            show(event.rated)
            lines = event.lines.map(Self.text)
            show(event.split, portions(event.split.grants))
        default: break
        }
    }

    private mutating func show(_ estimate: Estimate) {
        switch estimate.method {
        case .amount: rating = "amount"
        case .counts, .request: rating = "book"
        case .ceiling: rating = "ceiling"
        }
        if let card = estimate.cardPrice?.card { rating += ", card \(card)" }
        bound = NaiveFigures(estimate.bound)
        expected = NaiveFigures(estimate.expected)
    }

    private mutating func show(_ rated: RatedUsage) {
        figures = NaiveFigures(
            cost: rated.cost.nanos, charge: rated.charge.nanos,
            tokens: rated.counts.totalTokens, requests: 1)
        isCeiling = rated.marks.contains(.ceilingRate)
    }

    private mutating func show(_ split: FundingSplit, _ grants: [String]) {
        burnt = grants
        billable = split.billable.nanos
        debt = split.debt.nanos
        absorbed = split.absorbed.nanos
    }

    private static func text(_ line: BudgetLine) -> String {
        let end = line.window.end.map { "\($0.microseconds)" } ?? "ever"
        return "\(line.budget) '\(line.scope)' \(line.window.start.microseconds)…\(end) "
            + "\(line.measure.rawValue) limit \(line.amount.map { "\($0)" } ?? "none") "
            + "spent \(line.spent) held \(line.held) hold \(line.hold) \(line.outcome.rawValue)"
    }
}

extension NaiveFigures {
    init(_ figures: CallFigures) {
        self.init(
            cost: figures.cost.nanos, charge: figures.charge.nanos, tokens: figures.tokens,
            requests: figures.requests)
    }
}

extension NaiveLedger {
    /// Where the engine's state says something else than the model; empty when they agree on every
    /// balance.
    package func differences(from state: LedgerState) -> [String] {
        var found: [String] = []
        func expect<T: Equatable>(_ what: @autoclosure () -> String, _ engine: T, _ model: T) {
            if engine != model { found.append("\(what()): engine \(engine), model \(model)") }
        }
        expect("time", state.time.microseconds, time.microseconds)
        expect("customers", state.customers.keys.sorted(), customers.keys.sorted())
        expect(
            "open reservations",
            state.reservations.values.map { "\($0.key) until \($0.expiresAt)" }.sorted(),
            calls.filter(\.isOpen).map { "\($0.key) until \($0.expiresAt)" }.sorted())
        for key in customers.keys.sorted() {
            guard let customer = state.customers[key] else { continue }
            for (figure, pair) in compare(customer) where pair.engine != pair.model {
                found.append(
                    "\(key.project)/\(key.id) \(figure): engine \(pair.engine), model \(pair.model)"
                )
            }
        }
        expect("budgets", state.budgets.keys.sorted(), budgets.keys.sorted())
        for (id, budget) in budgets.sorted(by: { $0.key < $1.key }) {
            expect(
                "counters of budget \(id)", Self.counters(state.budgets[id]), counters(of: budget))
        }
        expect("runs", state.runs.keys.sorted(), runs.keys.sorted())
        for (key, run) in runs {
            let (spent, held) = sums(of: Self.line(ofRun: key), key.project)
            let model =
                "\(run.status) ended \(run.isEnded) exceeded \(run.wasCapExceeded) cap "
                + "\(run.cap ?? -1) spent \(spent) held \(held)"
            expect("run \(key)", Self.text(state.runs[key]), model)
        }
        return found
    }

    private typealias Pair = (engine: Int64, model: Int64)

    /// Every figure of a customer as the engine keeps it, and as the model adds it up.
    private func compare(_ customer: Customer) -> [(String, Pair)] {
        let key = customer.key
        guard let mine = customers[key] else { return [] }
        let calls = calls(of: key)
        func sum(_ figure: (NaiveCall) -> Int64) -> Int64 { calls.reduce(0) { $0 + figure($1) } }
        func count(_ isOne: (NaiveCall) -> Bool) -> Int64 { Int64(calls.filter(isOne).count) }
        let totals = customer.totals
        let repaid = mine.repayments.reduce(0) { $0 + $1.amount }
        var pairs: [(String, Pair)] = [
            ("status", (customer.status == mine.status ? 0 : 1, 0)),
            ("plan", (customer.plan == mine.plan ? 0 : 1, 0)),
            ("debt", (customer.debt.nanos, debt(of: key))),
            ("owed", (customer.owed.nanos, owed(by: key))),
            ("held beyond grants", (customer.heldUncovered.nanos, heldUncovered(of: key))),
            ("held", (customer.heldCharge.nanos, sum { $0.isOpen ? $0.heldInAll : 0 })),
            ("open", (customer.openReservations, count(\.isOpen))),
            ("cost", (totals.cost.nanos, sum(\.actual.cost))),
            ("charge", (totals.charge.nanos, sum(\.actual.charge))),
            ("tokens", (totals.tokens, sum(\.actual.tokens))),
            ("billable", (totals.billable.nanos, sum(\.billable))),
            ("absorbed", (totals.absorbed.nanos, sum(\.absorbed))),
            ("overrun", (totals.overrun.nanos, sum(\.overrun))),
            ("paid", (totals.paid.nanos, mine.payments.reduce(0, +))),
            (
                "from grants",
                (totals.fromGrants.nanos, sum { $0.burnt.reduce(0) { $0 + $1.amount } } + repaid)
            ),
            ("reserved", (totals.reservedCount, count(\.wasReserved))),
            ("settled", (totals.settledCount, count { $0.status == .settled })),
            ("released", (totals.releasedCount, count { $0.status == .released })),
            ("expired", (totals.expiredCount, count(\.wasExpired))),
            ("rejected", (totals.rejectedCount, count { $0.status == .rejected })),
            ("recorded", (totals.recordedCount, count { $0.status == .recorded })),
            ("grants", (Int64(customer.grants.count), Int64(mine.grants.count))),
        ]
        for (index, (grant, own)) in zip(customer.grants, mine.grants).enumerated() {
            pairs += [
                ("grant #\(index) amount", (grant.terms.amount.nanos, own.terms.amount.nanos)),
                ("grant #\(index) remaining", (grant.remaining.nanos, remaining(index, of: key))),
                ("grant #\(index) held", (grant.held.nanos, held(index, of: key))),
                ("grant #\(index) burnt", (grant.burnt.nanos, burnt(index, of: key))),
                ("grant #\(index) expired", (grant.expired.nanos, own.lostByExpiry)),
                ("grant #\(index) revoked", (grant.revoked.nanos, own.lostByRevocation)),
                ("grant #\(index) ended", (grant.isEnded ? 1 : 0, own.isEnded ? 1 : 0)),
                ("grant #\(index) active", (grant.isActive ? 1 : 0, own.isActive ? 1 : 0)),
            ]
        }
        return pairs
    }

    /// The budget's counters in their present windows, and those of windows that are over while
    /// calls of them are open: `scope start: spent held open`, sorted.
    private func counters(of budget: NaiveBudget) -> [String] {
        var seen: [NaiveLine] = []
        for call in calls {
            for line in call.lines
            where line.budget == budget.rule.id && line.incarnation == budget.incarnation
                && !seen.contains(where: { Self.isSame($0, line) })
            {
                seen.append(line)
            }
        }
        return seen.compactMap { line -> String? in
            let (spent, held) = sums(of: line, "")
            let open = calls.filter { call in
                call.isOpen && call.lines.contains { Self.isSame($0, line) }
            }.count
            let last = lastWindow(
                budget: line.budget, incarnation: line.incarnation, scope: line.scope)
            guard open > 0 || last?.start == line.window.start else { return nil }
            return "'\(line.scope)' \(line.window.start.microseconds): spent \(spent) "
                + "held \(held) open \(open)"
        }.sorted()
    }

    private static func counters(_ budget: Budget?) -> [String] {
        func text(_ scope: String, _ counter: Counter) -> String {
            "'\(scope)' \(counter.window.start.microseconds): spent \(counter.spent) "
                + "held \(counter.held) open \(counter.openHolds)"
        }
        let present = budget?.counters.map { text($0.key.text, $0.value) } ?? []
        let over = budget?.closedCounters.map { text($0.key.scope.text, $0.value) } ?? []
        return (present + over).sorted()
    }

    private static func line(ofRun key: RunKey) -> NaiveLine {
        NaiveLine(
            budget: runCap, incarnation: 0, scope: key.id, window: Window(), measure: .charge)
    }

    private static func text(_ run: Run?) -> String {
        guard let run else { return "none" }
        return "\(run.status) ended \(run.endedAt != nil) exceeded \(run.wasCapExceeded) cap "
            + "\(run.cap?.nanos ?? -1) spent \(run.counter.spent) held \(run.counter.held)"
    }
}
