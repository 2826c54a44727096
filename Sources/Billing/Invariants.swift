// What must hold of every state, at every step. Checked by the property tests and by `verify`.

import Money

/// One thing that is not as it must be; `text` names the entity and both figures.
package struct InvariantViolation: Sendable, Hashable, CustomStringConvertible {
    package var rule: String
    package var text: String
    package var description: String { "\(rule): \(text)" }
}

extension LedgerState {
    /// All violations; empty when the state is sound. Cost: one pass over everything.
    package func violations() -> [InvariantViolation] {
        var found: [InvariantViolation] = []
        let held = heldByOpenReservations()
        checkCounters(held.counters, &found)
        checkRuns(held.counters, &found)
        for customer in customers.values {
            checkCustomer(customer, held.customers[customer.key] ?? CustomerHolds(), &found)
        }
        for key in held.customers.keys where customers[key] == nil {
            found.append(.init(rule: "customer", text: "open reservation of unknown \(key)"))
        }
        return found
    }

    private struct CustomerHolds {
        var count: Int64 = 0
        var uncovered = Money.zero
        var charge = Money.zero
        var grants: [String: Money] = [:]
    }

    private struct CounterKey: Hashable {
        var budget: String
        var generation: UInt64
        var scope: ExactText
        var windowStart: Instant
    }

    private struct Holds {
        var counters: [CounterKey: (held: Int64, count: Int64)] = [:]
        var customers: [CustomerKey: CustomerHolds] = [:]
    }

    private func heldByOpenReservations() -> Holds {
        var result = Holds()
        for reservation in reservations.values {
            for line in reservation.lines {
                let project = line.budget == BudgetLine.runCap ? reservation.subject.project : ""
                let key = CounterKey(
                    budget: line.budget + project, generation: line.generation,
                    scope: ExactText(line.scope), windowStart: line.window.start)
                let old = result.counters[key] ?? (0, 0)
                result.counters[key] = (old.held + line.hold, old.count + 1)
            }
            var customer = result.customers[reservation.subject.customerKey] ?? CustomerHolds()
            customer.count += 1
            customer.uncovered += reservation.funding.uncovered
            customer.charge += reservation.fundingHeld
            for portion in reservation.funding.grants {
                customer.grants[portion.grant, default: .zero] += portion.amount
            }
            result.customers[reservation.subject.customerKey] = customer
        }
        return result
    }

    /// held = Σ open holds, for every counter; and no counter is negative.
    private func checkCounters(
        _ held: [CounterKey: (held: Int64, count: Int64)], _ found: inout [InvariantViolation]
    ) {
        func check(_ counter: Counter, _ budget: Budget, _ scope: ExactText) {
            let key = CounterKey(
                budget: budget.rule.id, generation: budget.generation, scope: scope,
                windowStart: counter.window.start)
            let expected = held[key] ?? (0, 0)
            if counter.held != expected.held || counter.openHolds != expected.count {
                found.append(
                    .init(
                        rule: "counter.held",
                        text: "budget \(budget.rule.id) scope '\(scope.text)': counter "
                            + "\(counter.held) (\(counter.openHolds)), open holds "
                            + "\(expected.held) (\(expected.count))"
                    ))
            }
            if counter.spent < 0 {
                found.append(
                    .init(
                        rule: "counter.spent",
                        text: "budget \(budget.rule.id) scope '\(scope.text)': \(counter.spent)"))
            }
        }
        for budget in budgets.values {
            for (scope, counter) in budget.counters { check(counter, budget, scope) }
            for (key, counter) in budget.closedCounters { check(counter, budget, key.scope) }
        }
    }

    private func checkRuns(
        _ held: [CounterKey: (held: Int64, count: Int64)], _ found: inout [InvariantViolation]
    ) {
        for run in runs.values {
            let key = CounterKey(
                budget: BudgetLine.runCap + run.project, generation: run.generation,
                scope: ExactText(run.id), windowStart: run.counter.window.start)
            let expected = held[key]?.held ?? 0
            if run.counter.held != expected {
                found.append(
                    .init(
                        rule: "run.held",
                        text: "run \(run.id): \(run.counter.held), holds \(expected)"))
            }
        }
    }

    private func checkCustomer(
        _ customer: Customer, _ holds: CustomerHolds, _ found: inout [InvariantViolation]
    ) {
        func expect(_ rule: String, _ a: Money, _ b: Money) {
            if a != b {
                found.append(
                    .init(
                        rule: rule,
                        text:
                            "customer \(customer.project)/\(customer.id): \(a.decimalText) ≠ \(b.decimalText)"
                    ))
            }
        }
        let totals = customer.totals
        expect(
            "charge = grants + billable + debt + absorbed", totals.charge,
            totals.fromGrants + totals.billable + customer.debt + totals.absorbed)
        expect("held", customer.heldCharge, holds.charge)
        expect("held beyond grants", customer.heldUncovered, holds.uncovered)
        var burnt = Money.zero
        for grant in customer.grants {
            burnt += grant.burnt
            expect(
                "grant \(grant.terms.id)", grant.terms.amount,
                grant.remaining + grant.burnt + grant.expired + grant.revoked)
            expect(
                "grant \(grant.terms.id) held", grant.held, holds.grants[grant.terms.id] ?? .zero)
            let isSound =
                !grant.held.isNegative && !grant.repaid.isNegative && grant.repaid <= grant.burnt
                && grant.held <= grant.remaining
                && (!grant.isEnded || grant.held == grant.remaining)
            if !isSound {
                found.append(
                    .init(
                        rule: "grant",
                        text: "\(customer.id) \(grant.terms.id): remaining "
                            + "\(grant.remaining.decimalText), held \(grant.held.decimalText)"))
            }
        }
        expect("Σ grants burnt", burnt, totals.fromGrants)
        if customer.openReservations != holds.count {
            found.append(
                .init(
                    rule: "open reservations",
                    text: "customer \(customer.id): \(customer.openReservations) ≠ \(holds.count)"))
        }
        if customer.debt.isNegative {
            found.append(.init(rule: "debt", text: "\(customer.id): \(customer.debt.decimalText)"))
        }
    }
}
