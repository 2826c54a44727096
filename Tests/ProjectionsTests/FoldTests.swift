// The rows against the engine's state, after random walks: what is folded twice by different code
// must come to the same.

import Billing
import Engine
import EventLog
import FaregateTestSupport
import Money
import Testing

@testable import Projections

@Suite struct FoldTests {
    private static let seeds: [UInt64] = Array(7_000..<7_000 + (TestSettings.isSlow ? 60 : 5))

    private struct Walk: Sendable {
        var rows: Rows
        var state: LedgerState
    }

    /// One walk for each seed, whichever test asks first: walks cost more than the tests.
    private static let walks: [UInt64: Task<Walk, any Error>] = Dictionary(
        uniqueKeysWithValues: seeds.map { seed in
            (
                seed,
                Task {
                    let store = try await randomLog(seed: seed, steps: 220)
                    let rows = Rows(try LoggedEvents(store).folded())
                    return Walk(rows: rows, state: try EngineLoader.load(store).state)
                }
            )
        })

    private func walk(_ seed: UInt64) async throws -> Walk {
        try await #require(Self.walks[seed]).value
    }

    // The sum of a customer's usage over models and days is what the engine knows of it in total.
    @Test(arguments: FoldTests.seeds)
    func usageAddsUpToTheTotals(seed: UInt64) async throws {
        let walk = try await walk(seed)
        let (rows, state) = (walk.rows, walk.state)
        var usage: [CustomerKey: UsageRow] = [:]
        for row in rows.usage {
            let key = CustomerKey(project: row.project, id: row.customer)
            usage[key] = usage[key, default: UsageRow()].adding(row)
        }
        #expect(Set(usage.keys).isSubset(of: state.customers.keys))
        for (key, customer) in state.customers {
            let (sum, totals) = (usage[key] ?? UsageRow(), customer.totals)
            #expect(sum.cost == totals.cost.nanos, "\(key)")
            #expect(sum.charge == totals.charge.nanos, "\(key)")
            #expect(sum.tokens == totals.tokens, "\(key)")
            #expect(sum.overrun == totals.overrun.nanos, "\(key)")
            #expect(sum.reserved == totals.reservedCount, "\(key)")
            #expect(sum.settled == totals.settledCount, "\(key)")
            #expect(sum.released == totals.releasedCount, "\(key)")
            #expect(sum.expired == totals.expiredCount, "\(key)")
            #expect(sum.recorded == totals.recordedCount, "\(key)")
            let refused = rows.refusals
                .filter { CustomerKey(project: $0.project, id: $0.customer) == key }
                .reduce(0) { $0 + $1.refused }
            #expect(refused == totals.rejectedCount, "\(key)")
        }
    }

    // Tokens by kind, with what is known only as a sum, are all tokens; and none is left behind
    // when a correction gives true counts.
    @Test(arguments: FoldTests.seeds)
    func kindsAddUpToTokens(seed: UInt64) async throws {
        for row in try await walk(seed).rows.usage {
            let units = row.units
            let prompt =
                units.input + units.cacheRead + units.cacheWrite5m + units.cacheWrite1h
                + units.cacheWrite12h + units.inputAudio + units.inputImage + units.cacheReadAudio
            let output = units.output + units.reasoning + units.outputAudio + units.outputImage
            #expect(prompt + output + units.unattributed == row.tokens, "\(row)")
        }
    }

    // Every charge is borne by somebody, on every day; and each bearer's sum is the engine's.
    @Test(arguments: FoldTests.seeds)
    func revenueIsWhollySplit(seed: UInt64) async throws {
        let walk = try await walk(seed)
        let (rows, state) = (walk.rows, walk.state)
        // By bytes: two customers of the walks have names that Swift's strings take for one.
        func day(_ project: String, _ customer: String, _ day: some Any) -> ExactText {
            ExactText("\(project)\n\(customer)\n\(day)")
        }
        var charges: [ExactText: Int64] = [:]
        for row in rows.usage {
            charges[day(row.project, row.customer, row.day), default: 0] += row.charge
        }
        var sums: [CustomerKey: RevenueRow] = [:]
        for row in rows.revenue {
            #expect(
                row.charge == row.fromGrants + row.billable + row.debt + row.absorbed, "\(row)")
            #expect(
                row.charge == charges[day(row.project, row.customer, row.day)] ?? 0, "\(row)")
            let key = CustomerKey(project: row.project, id: row.customer)
            sums[key] = sums[key, default: RevenueRow()].adding(row)
        }
        for (key, customer) in state.customers {
            let (sum, totals) = (sums[key] ?? RevenueRow(), customer.totals)
            #expect(sum.billable == totals.billable.nanos, "\(key)")
            #expect(sum.absorbed == totals.absorbed.nanos, "\(key)")
            #expect(sum.paid == totals.paid.nanos, "\(key)")
            #expect(sum.fromGrants + sum.repaidDebt == totals.fromGrants.nanos, "\(key)")
            #expect(sum.debt - sum.repaidDebt == customer.debt.nanos, "\(key)")
            let promotional = customer.grants.filter { $0.terms.category == .promotional }
            #expect(sum.fromPromotional == promotional.reduce(0) { $0 + $1.burnt.nanos }, "\(key)")
        }
    }

    // Every grant is what the engine says, and its days add up to it.
    @Test(arguments: FoldTests.seeds)
    func grantsBurnDownAsTheEngineSays(seed: UInt64) async throws {
        let walk = try await walk(seed)
        let (rows, state) = (walk.rows, walk.state)
        let known = state.customers.values.reduce(0) { $0 + $1.grants.count }
        #expect(rows.grants.count == known)
        for row in rows.grants {
            let key = CustomerKey(project: row.project, id: row.customer)
            let grant = try #require(state.customers[key]?.grants.first { $0.terms.id == row.id })
            #expect(row.amount == grant.terms.amount.nanos, "\(row)")
            #expect(row.remaining == grant.remaining.nanos, "\(row)")
            #expect(row.held == grant.held.nanos, "\(row)")
            #expect(row.burnt == grant.burnt.nanos, "\(row)")
            #expect(row.repaid == grant.repaid.nanos, "\(row)")
            #expect(row.lost == (grant.expired + grant.revoked).nanos, "\(row)")
            #expect((row.ended != 0) == grant.isEnded, "\(row)")
            let days = rows.grantDays
                .filter { CustomerKey(project: $0.project, id: $0.customer) == key }
                .filter { $0.id == row.id }.sorted { $0.day < $1.day }
            #expect(days.last?.remaining == row.remaining, "\(row)")
            var left: Int64 = 0
            for day in days {
                left += day.granted - day.burnt - day.lost
                #expect(day.remaining == left, "\(day)")
            }
        }
    }

    // The open reservations are those that the engine holds money for.
    @Test(arguments: FoldTests.seeds)
    func openReservationsAreTheEngines(seed: UInt64) async throws {
        let walk = try await walk(seed)
        let (rows, state) = (walk.rows, walk.state)
        let open = rows.open
        #expect(open.count == state.reservations.count)
        for row in open {
            let key = ReservationKey(project: row.project, id: row.id)
            let reservation = try #require(state.reservations[key])
            #expect(row.customer == reservation.subject.customer)
            #expect(row.model == reservation.model)
            #expect(row.expiresAt == reservation.expiresAt.microseconds)
            #expect(row.held == reservation.fundingHeld.nanos)
            #expect(UInt64(row.sequence) == reservation.firstSequence)
        }
    }

    // Every counter that the engine still has reads the same here; those it has dropped stay.
    @Test(arguments: FoldTests.seeds)
    func windowsAreTheEnginesCounters(seed: UInt64) async throws {
        let walk = try await walk(seed)
        let (rows, state) = (walk.rows, walk.state)
        var found: [RowKey: BudgetWindowRow] = [:]
        for row in rows.windows {
            found[row.key] = row
            #expect(row.heldPeak >= row.held, "\(row)")
        }
        func check(_ counter: Counter, _ budget: Budget, _ scope: String) throws {
            var reference = CounterReference(BudgetLine())
            reference.budget = budget.rule.id
            reference.generation = budget.generation
            reference.scope = scope
            reference.windowStart = counter.window.start
            let row = try #require(found[BudgetWindowRow(reference).key])
            #expect(row.held == counter.held, "\(row)")
            #expect(row.openHolds == counter.openHolds, "\(row)")
            #expect(row.spent == counter.spent, "\(row)")
        }
        // A customer's billing day may go back and forth: then a window comes twice, for the engine
        // each time from zero.
        for budget in state.budgets.values where budget.rule.window != .billingPeriod {
            for (scope, counter) in budget.counters { try check(counter, budget, scope.text) }
            for (key, counter) in budget.closedCounters {
                try check(counter, budget, key.scope.text)
            }
        }
    }

    // The walks meet what the tests are about.
    @Test func walksMeetEverything() async throws {
        var sum = UsageRow()
        var (refused, lost, open, exceeded): (Int64, Int64, Int, Int64) = (0, 0, 0, 0)
        for seed in Self.seeds {
            let rows = try await walk(seed).rows
            for row in rows.usage { sum = sum.adding(row) }
            for row in rows.refusals { refused += row.refused }
            for row in rows.grants { lost += row.lost }
            for row in rows.windows { exceeded += row.exceeded }
            open += rows.open.count
        }
        for count in [
            sum.late, sum.released, sum.expired, sum.recorded, sum.adjusted, sum.estimates,
            sum.aboveExpected, sum.units.unattributed.magnitude == 0 ? 0 : 1, refused, lost,
            Int64(open), exceeded,
        ] { #expect(count > 0) }
    }
}

/// All rows, in no order.
private struct Rows: Sendable {
    var usage: [UsageRow]
    var refusals: [RefusalRow]
    var open: [OpenReservationRow]
    var revenue: [RevenueRow]
    var grants: [GrantRow]
    var grantDays: [GrantDayRow]
    var windows: [BudgetWindowRow]

    init(_ set: WorkingSet<NoRows>) {
        usage = set.usage.present
        refusals = set.refusals.present
        open = set.open.present
        revenue = set.revenue.present
        grants = set.grants.present
        grantDays = set.grantDays.present
        windows = set.windows.present
    }
}

extension ViewRow {
    /// The row with all numbers of `other` added, the key's left alone.
    func adding(_ other: Self) -> Self {
        Self(
            zip(values, other.values).enumerated().map { place, pair in
                guard place >= Self.keyColumns, case (.integer(let a), .integer(let b)) = pair
                else { return pair.0 }
                return .integer(a + b)
            })
    }
}
