// Which counters a call passes, and whether it fits.

import Money

/// A budget counter that a call must pass, as it stands before the call.
struct MatchedCounter {
    var line: BudgetLine
    var holds: HoldFigure
    var onExceed: OnExceed
    var earliestExpiry: Instant

    /// amount − spent − held, clamped to the range; nil without a limit.
    var available: Int64? {
        line.amount.map { $0.addingClamped(-line.spent).addingClamped(-line.held) }
    }

    /// Zero passes at exactly zero, nothing passes below zero.
    func fits(_ hold: Int64) -> Bool {
        guard let available else { return true }
        return available >= hold && available >= 0
    }

    /// Why `hold` does not fit.
    func refusal(_ hold: Int64) -> RejectionCode {
        guard let amount = line.amount else { return .exhausted }
        if hold > amount { return .requestTooLarge }
        if amount.addingClamped(-line.spent) < hold { return .exhausted }
        return .holdsFull
    }
}

extension LedgerState {
    /// The counters that a call must pass: budgets in the order of their ids, then its run's cap.
    func matchedCounters(
        _ subject: Subject, customer: Customer, model: String, _ facts: Facts
    ) -> [MatchedCounter] {
        var matched: [MatchedCounter] = []
        var found = matchingBudgets(subject, plan: customer.plan, model: model)
        // Sorted while they are small.
        if found.count > 1 { found.sort { $0.rule.id < $1.rule.id } }
        matched.reserveCapacity(found.count + 1)
        // Budgets are often by the same dimensions: their counters then have one and the same text.
        var last: (per: [BudgetDimension], scope: String)?
        for budget in found {
            let per = budget.rule.per
            let scope =
                last.flatMap { $0.per == per ? $0.scope : nil }
                ?? scopeText(per: per, subject: subject, plan: customer.plan, model: model)
            last = (per, scope)
            matched.append(counter(of: budget, scope: scope, customer: customer, facts))
        }
        if let key = subject.runKey, let run = runs[key] {
            let line = BudgetLine(
                budget: BudgetLine.runCap, generation: run.generation, scope: key.id,
                window: run.counter.window, measure: .charge, amount: run.cap?.nanos,
                spent: run.counter.spent, held: run.counter.held)
            matched.append(
                MatchedCounter(
                    line: line, holds: .bound, onExceed: .reject,
                    earliestExpiry: run.counter.earliestExpiry))
        }
        return matched
    }

    /// Of rules of one name only the most specific stands; of equally specific ones, the lowest id.
    private func matchingBudgets(_ subject: Subject, plan: String, model: String) -> [Budget] {
        var found: [Budget] = []
        budgetIndex.forEachCandidate(subject: subject, plan: plan) { id in
            guard let budget = budgets[id],
                budget.rule.match.matches(subject: subject, plan: plan, model: model),
                budget.rule.window != .run || subject.run != nil
            else { return }
            if let rival = found.firstIndex(where: { $0.rule.name == budget.rule.name }) {
                if budget.rule.wins(over: found[rival].rule) { found[rival] = budget }
            } else {
                found.append(budget)
            }
        }
        return found
    }

    private func counter(
        of budget: Budget, scope: String, customer: Customer, _ facts: Facts
    ) -> MatchedCounter {
        var line = BudgetLine(
            budget: budget.rule.id, generation: budget.generation, scope: scope,
            measure: budget.rule.measure, amount: budget.rule.amount)
        var earliest = Instant.max
        let old = budget.counters[ExactText(scope)]
        if let old, old.window.end.map({ facts.now < $0 }) ?? true {
            line.window = old.window
            line.spent = old.spent
            line.held = old.held
            earliest = old.earliestExpiry
        } else {
            line.window = window(of: budget.rule, customer: customer, after: old?.window, facts)
        }
        return MatchedCounter(
            line: line, holds: budget.rule.holds, onExceed: budget.rule.onExceed,
            earliestExpiry: earliest)
    }

    /// The window that opens now. It never reaches back into the one before it, whatever the time
    /// zone's rules have become since.
    func window(
        of rule: BudgetRule, customer: Customer, after old: Window?, _ facts: Facts
    ) -> Window {
        switch rule.window {
        case .run, .lifetime: return Window(start: .zero, end: nil)
        default:
            var window = facts.calendar.window(
                rule.window, containing: facts.now, timeZone: rule.timeZone,
                billingDay: customer.billingDay)
            if let end = old?.end, window.start < end { window.start = end }
            return window
        }
    }

    /// When a hold that is in the way of this counter ends, as far as can be told cheaply: exact
    /// when no more than `scanMax` reservations are open, else the earliest that it can be.
    func earliestHoldExpiry(on matched: MatchedCounter, _ facts: Facts) -> Instant? {
        let scanMax = 256
        if reservations.count <= scanMax {
            var earliest: Instant?
            for reservation in reservations.values {
                let isThere = reservation.lines.contains {
                    $0.budget == matched.line.budget
                        && ExactText($0.scope) == ExactText(matched.line.scope)
                        && $0.generation == matched.line.generation
                        && $0.window.start == matched.line.window.start
                }
                if isThere, reservation.expiresAt > facts.now {
                    earliest = min(earliest ?? .max, reservation.expiresAt)
                }
            }
            return earliest
        }
        if matched.earliestExpiry == .max { return nil }
        return max(matched.earliestExpiry, facts.now.advanced(bySeconds: 1))
    }
}

extension Quote {
    /// The figures at an output cap; `expected` never above it.
    func figures(maxOutputTokens: Int64) throws(CommandError) -> (
        bound: CallFigures, expected: CallFigures
    ) {
        let output = min(expectedOutputTokens, maxOutputTokens)
        do throws(MoneyError) {
            let total =
                (Int128(maxOutputTokens) + Int128(extraOutputTokens)) * Int128(completions)
                + Int128(maxInputTokens)
            if total > LedgerLimits.tokensMax { throw .overflow }
            var bound = CallFigures(
                cost: try boundCost.amount(outputTokens: maxOutputTokens),
                charge: try boundCharge.amount(outputTokens: maxOutputTokens),
                tokens: Int64(total), requests: 1)
            var expected = CallFigures(
                cost: try expectedCost.amount(outputTokens: output),
                charge: try expectedCharge.amount(outputTokens: output),
                tokens: inputTokens + output * completions, requests: 1)
            // A cheaper cache or tier makes `expected` the lower; never let it be the higher.
            expected.cost = min(expected.cost, bound.cost)
            expected.charge = min(expected.charge, bound.charge)
            if method == .amount {
                bound.tokens = 0
                expected.tokens = 0
            }
            if bound.charge > LedgerLimits.amountMax || bound.cost > LedgerLimits.amountMax {
                throw .overflow
            }
            return (bound, expected)
        } catch {
            throw CommandError(
                .overflow, "One call is at most 1,000,000 in money and 10¹² tokens.")
        }
    }

    /// The highest output cap whose hold on a counter is at most `available`; nil: none.
    func maxOutputTokens(
        affordableWith available: Int64, measure: BudgetMeasure, holds: HoldFigure
    ) -> Int64? {
        guard method != .amount, available >= 0 else { return nil }
        switch measure {
        case .charge:
            return (holds == .bound ? boundCharge : expectedCharge).maxOutputTokens(
                affordableWith: Money(nanos: available), cap: maxOutputTokens)
        case .cost:
            return (holds == .bound ? boundCost : expectedCost).maxOutputTokens(
                affordableWith: Money(nanos: available), cap: maxOutputTokens)
        case .tokens:
            let beyondCap = holds == .bound ? extraOutputTokens * completions : 0
            let room = available - (holds == .bound ? maxInputTokens : inputTokens) - beyondCap
            return room < 0 ? nil : min(room / max(completions, 1), maxOutputTokens)
        case .requests:
            return available >= 1 ? maxOutputTokens : nil
        }
    }
}
