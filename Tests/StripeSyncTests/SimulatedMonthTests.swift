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
    /// `FAREGATE_SEEDS=100..<120` names others.
    private static var seeds: Range<UInt64> {
        let environment = ProcessInfo.processInfo.environment
        let ends = environment["FAREGATE_SEEDS"]?.split(separator: ".").compactMap {
            UInt64($0.drop { $0 == "<" })
        }
        if let ends, ends.count == 2, ends[0] < ends[1] { return ends[0]..<ends[1] }
        return environment["FAREGATE_SLOW"] == nil ? 0..<6 : 0..<500
    }

    private static var manySeeds: Range<UInt64> {
        ProcessInfo.processInfo.environment["FAREGATE_SLOW"] == nil ? 0..<0 : 0..<10
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
        for hour in 0..<hours {
            try await month.step(minutes: 60, hasTraffic: true, canCrash: true)
            switch hour {
            case 200, 350, 600:
                try await Self.undisturbed(month) { try await month.topUp("c0", cents: 2_500) }
            case 150, 450: try await Self.undisturbed(month) { try await month.changePrice("c1") }
            case 250: month.cancel("c3", invoiceNow: true)
            case 420: month.cancel("c4", invoiceNow: false)
            case 500: month.delete("c5")
            default: break
            }
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

    /// What people do at Stripe, who try until it answers.
    private static func undisturbed(
        _ month: SimulatedMonth, _ body: () async throws -> Void
    ) async throws {
        let faults = month.stripe.account.withLock { account in
            defer { account.faults = StripeFaults() }
            return account.faults
        }
        try await body()
        month.stripe.account.withLock { $0.faults = faults }
    }

    // What a line at an unknown price bills is billed, and not once more.
    @Test("A price that no webhook told of is asked for before its line is passed over")
    func unknownPrice() async throws {
        let month = try await SimulatedMonth(seed: 3, customers: 1)
        for hour in 0..<33 * 24 {
            try await month.step(minutes: 60, hasTraffic: hour < 31 * 24, canCrash: false)
            if hour == 20 { month.lostTypes = ["customer.subscription.updated"] }
            if hour == 200 || hour == 400 { try await month.changePrice("c0") }
        }
        for _ in 0..<64 * 6 {
            try await month.step(minutes: 240, hasTraffic: false, canCrash: false)
        }
        let billed = month.stripe.account.withLock { $0.billedQuantities }
        let key = CustomerKey(project: LedgerFixture.project, id: "c0")
        let standing = try #require(try await month.process().standing(of: key))
        #expect(standing.billed == billed[month.stripeIDs["c0"] ?? ""])
        #expect(standing.billed == standing.billableNanos / 1_000)
        #expect(standing.isBalanced)
        await month.sync?.stop()
        await month.fixture.engine.shutdown()
    }

    @Test("Hundreds of customers are billed exactly", arguments: manySeeds)
    func manyCustomers(seed: UInt64) async throws {
        let month = try await SimulatedMonth(seed: seed, customers: 200)
        let faults = Self.faults(month)
        month.stripe.account.withLock { $0.faults = faults }
        for _ in 0..<33 * 4 {
            try await month.step(minutes: 360, hasTraffic: true, canCrash: true)
        }
        month.stripe.account.withLock { $0.faults = StripeFaults() }
        for _ in 0..<64 * 2 {
            try await month.step(minutes: 720, hasTraffic: false, canCrash: false)
        }
        try await Self.compare(month)
        await month.sync?.stop()
        await month.fixture.engine.shutdown()
    }

    private static func compare(_ month: SimulatedMonth) async throws {
        let billed = month.stripe.account.withLock { $0.billedQuantities }
        let status = try await month.process().status()
        #expect(status.standingDrifts == 0)
        #expect(status.waitingWebhooks == 0)
        for (name, id) in month.stripeIDs.sorted(by: { $0.key < $1.key }) {
            let key = CustomerKey(project: LedgerFixture.project, id: name)
            let customer = try await month.fixture.engine.read { $0.state.customers[key] }
            let billable = try #require(customer).totals.billable.nanos
            let standing = try #require(try await month.process().standing(of: key))
            let words = "seed \(month.seed), \(name): \(standing), crashes \(month.crashes)"
            #expect(billable > 0)
            #expect(standing.billableNanos == billable, "\(words)")
            #expect(standing.isBalanced, "\(words)")
            #expect(standing.billed == billed[id] ?? 0, "\(words)")
            #expect(standing.pushed == 0, "\(words)")
            // Every top-up was granted, once.
            let granted =
                customer?.grants.filter { $0.terms.source == .stripeCheckout }
                .reduce(0 as Int64) { $0 + $1.terms.amount.nanos } ?? 0
            #expect(granted == (month.paid[name] ?? 0) * 1_000, "\(words)")
            if month.endedNames.contains(name) {
                // What cannot be billed any more is listed, and why.
                #expect(!standing.blocked.isEmpty, "\(words)")
            } else {
                #expect(standing.waitingNanos == 0, "\(words)")
                #expect((0..<1_000).contains(standing.carriedNanos), "\(words)")
            }
        }
        #expect(month.crashes > 0)
    }

    @Test("With identifiers broken on purpose, the comparison fails")
    func noticesDoubleCounting() async throws {
        let month = try await SimulatedMonth(seed: 1, customers: 2)
        month.settings.repairsDrift = false
        month.stripe.losesIdentifiers.store(true, ordering: .relaxed)
        month.stripe.account.withLock { $0.faults.lostAnswer = 200 }
        for _ in 0..<33 * 12 {
            try await month.step(minutes: 120, hasTraffic: true, canCrash: false)
        }
        month.stripe.account.withLock { $0.faults = StripeFaults() }
        for _ in 0..<64 * 3 {
            try await month.step(minutes: 480, hasTraffic: false, canCrash: false)
        }
        var isWrong = false
        for name in month.stripeIDs.keys {
            let key = CustomerKey(project: LedgerFixture.project, id: name)
            let standing = try #require(try await month.process().standing(of: key))
            if !(0..<1_000).contains(standing.carriedNanos) { isWrong = true }
        }
        #expect(isWrong)
        await month.sync?.stop()
        await month.fixture.engine.shutdown()
    }
}
