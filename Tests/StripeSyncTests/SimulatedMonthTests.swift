import Billing
import Engine
import EventLog
import FaregateTestSupport
import Foundation
import Money
import Simulators
import StripeSync
import Synchronization
import Testing

func removeFile(_ path: String) throws { try FileManager.default.removeItem(atPath: path) }

struct SimulatedMonthTests {
    private static var seeds: Range<UInt64> {
        ProcessInfo.processInfo.environment["FAREGATE_SLOW"] == nil ? 0..<6 : 0..<500
    }

    private static func faults(_ month: SimulatedMonth) -> StripeFaults {
        var faults = StripeFaults()
        faults.lostAnswer = 20 + month.random.below(60)
        faults.refused = month.random.below(40)
        faults.limited = month.random.below(40)
        faults.locked = month.random.below(20)
        faults.failed = month.random.below(40)
        faults.failedAndKept = month.random.below(15)
        faults.conflict = month.random.below(20)
        faults.silentRejection = month.random.below(30)
        faults.aggregationLag = 0...Int64(1 + month.random.below(10)) * 60_000_000
        faults.webhookDuplicate = 100
        faults.webhookLost = 100
        faults.webhookDelay = 0...Int64(1 + month.random.below(120)) * 60_000_000
        faults.paymentFailed = 100
        faults.duplicatesAreSilent = month.random.below(3) == 0
        // Stripe is away for a day.
        let from = SimulatedMonth.start.advanced(
            bySeconds: Int64(5 + month.random.below(15)) * 86_400)
        faults.outages = [
            from.microseconds..<from.advanced(bySeconds: 90_000).microseconds
        ]
        return faults
    }

    @Test(
        "After a month of everything going wrong, invoices bill what the ledger says",
        arguments: seeds)
    func billsExactly(seed: UInt64) async throws {
        let month = try await SimulatedMonth(seed: seed, customers: 6)
        let faults = Self.faults(month)
        month.stripe.account.withLock { $0.faults = faults }
        let hours = 33 * 24
        for _ in 0..<hours {
            try await month.step(minutes: 60, hasTraffic: true, canCrash: true)
        }
        month.stripe.account.withLock { $0.faults = StripeFaults() }
        // Two more months in peace: what was carried over is billed.
        for _ in 0..<64 * 6 {
            try await month.step(minutes: 240, hasTraffic: false, canCrash: false)
        }
        try await Self.compare(month)
        await month.sync?.stop()
        await month.fixture.engine.shutdown()
    }

    private static func compare(_ month: SimulatedMonth) async throws {
        let billed = month.stripe.account.withLock { $0.billedQuantities }
        let status = try await month.process().status()
        #expect(status.standingDrifts == 0)
        for (name, id) in month.stripeIDs.sorted(by: { $0.key < $1.key }) {
            let key = CustomerKey(project: LedgerFixture.project, id: name)
            let billable = try await month.fixture.engine.read {
                $0.state.customers[key]?.totals.billable.nanos ?? 0
            }
            let standing = try #require(try await month.process().standing(of: key))
            #expect(billable > 0)
            #expect(standing.isBalanced, "\(name): \(standing)")
            #expect(
                (billed[id] ?? 0) * 1_000 + standing.carriedNanos == billable,
                "seed \(month.seed), \(name): \(standing)")
            #expect((0..<1_000).contains(standing.carriedNanos), "\(name): \(standing)")
        }
    }
}
