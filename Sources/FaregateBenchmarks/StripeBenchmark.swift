// Pushing an hour's usage of many customers to a Stripe that answers after a fixed time, and what
// it takes from reservations meanwhile.

import Billing
import CanonicalJSON
import Engine
import EventLog
import Glibc
import Money
import SQLiteEventLog
import StripeAPI
import StripeSync
import Synchronization
import TimeZones

/// Takes every meter event after `milliseconds`; has one meter and no sums.
private final class SteadyStripe: StripeCaller {
    private let milliseconds: Int
    let taken = Atomic<Int>(0)

    init(milliseconds: Int) { self.milliseconds = milliseconds }

    func performOnce(_ call: StripeCall) async throws(AttemptFailure) -> StripeAnswer {
        if milliseconds > 0 { try? await Task.sleep(for: .milliseconds(milliseconds)) }
        taken.add(1, ordering: .relaxed)
        return StripeAnswer(body: .null, requestID: "req_1", isReplayed: false)
    }

    func perform(_ call: StripeCall) async throws(StripeFailure) -> StripeAnswer {
        StripeAnswer(body: .null, requestID: nil, isReplayed: false)
    }

    func forEach(
        _ call: StripeCall, _ body: (JSONValue) throws(StripeFailure) -> Bool
    ) async throws(StripeFailure) {
        guard call.path == StripeMeter.list.path else { return }
        _ = try body(
            .object(
                JSONObject([
                    ("id", .string("mtr_1")), ("event_name", .string("faregate_usage")),
                    ("status", .string("active")),
                ])))
    }
}

struct StripeBenchmark {
    let options: BenchmarkOptions

    /// 2026-03-01T00:00:00Z.
    private static let start = Instant(microseconds: 1_772_323_200_000_000)

    init(_ options: BenchmarkOptions) { self.options = options }

    func run() async throws {
        let file = options.directory + "/stripe.db"
        try makeDirectory(options.directory)
        removeDatabase(file)
        removeDatabase(file + ".stripe")
        let clock = ManualClock(Self.start)
        let store = try SQLiteEventStore.open(
            path: file,
            create: NewLedger(
                identity: LedgerIdentity(ledgerID: "bench", currency: "USD", isTestClock: true),
                createdMicroseconds: Self.start.microseconds))
        let engine = try Engine(
            store: store, clock: clock, calendar: BudgetCalendar(TimeZoneDatabase()))
        try await Genesis.open(engine)
        try await prepare(engine, customers: options.customers)
        try await subscribe(engine)
        note("\(grouped(Double(options.customers))) customers subscribed")
        let alone = try await reserve(engine, run: "alone")
        var rows = [["answers after", "folded", "first push", "all pushed", "pushes/s"]]
        var pushing: [[UInt32]] = []
        for (round, milliseconds) in [0, 50, 150].enumerated() {
            try await use(engine, round: round)
            clock.advance(seconds: 3_900)
            let result = try await push(
                engine, store, clock, file, milliseconds: milliseconds, round: round)
            rows.append(result.cells)
            pushing.append(result.reserves)
        }
        let after = try await reserve(engine, run: "after")
        print(
            "An hour's usage of \(grouped(Double(options.customers))) customers, one push each, 64"
                + " requests under way\n")
        print(aligned(rows))
        print(
            "\nReserve and settle of 16 callers, milliseconds, while nothing and while all that is pushed\n"
        )
        var table = [["", "p50", "p99", "lifecycles"]]
        table.append(cells("nothing, before", alone))
        for (index, samples) in pushing.enumerated() {
            table.append(cells("pushing, \([0, 50, 150][index]) ms", samples))
        }
        table.append(cells("nothing, after", after))
        print(aligned(table))
        await engine.shutdown()
        removeDatabase(file)
        removeDatabase(file + ".stripe")
    }

    private func cells(_ name: String, _ samples: [UInt32]) -> [String] {
        [
            name, fixed(Double(percentile(samples, 0.5)) / 1_000, 2),
            fixed(Double(percentile(samples, 0.99)) / 1_000, 2), grouped(Double(samples.count)),
        ]
    }

    // MARK: What happens

    private func subscribe(_ engine: Engine) async throws {
        try await each(engine) { number, key in
            var seen = StripeSubscriptionSeen()
            seen.subscription = "sub_\(number)"
            seen.status = "active"
            seen.price = "price_1"
            seen.periodStart = Self.start
            seen.periodEnd = Self.start.advanced(bySeconds: 31 * 86_400)
            seen.seenAt = Self.start
            return [
                .updateCustomer(
                    CustomerSettings(key: key, terms: Terms(funding: .postpaid))),
                .linkCustomer(key, stripeCustomer: "cus_\(number)"),
                .recordStripe(.subscriptionSeen(seen), key),
            ]
        }
    }

    private func use(_ engine: Engine, round: Int) async throws {
        try await each(engine) { number, key in
            [
                .recordUsage(
                    UsageRequest(
                        id: "u\(round)-\(number)",
                        subject: Subject(project: key.project, customer: key.id),
                        model: "gpt-4o", actual: .amount(Money(nanos: 1_000_000 + Int64(number)))))
            ]
        }
    }

    private func each(
        _ engine: Engine, _ commands: (Int, CustomerKey) -> [Command]
    ) async throws {
        for start in stride(from: 0, to: options.customers, by: 1_000) {
            let requests = (start..<min(start + 1_000, options.customers)).flatMap { number in
                commands(
                    number,
                    CustomerKey(project: Workload.project, id: Workload.customer(number))
                ).map { EngineRequest($0) }
            }
            for result in await engine.submit(requests) { _ = try result.get() }
        }
    }

    /// Sixteen callers for the options' seconds; microseconds of each reserve and settle.
    private func reserve(
        _ engine: Engine, run: String
    ) async throws -> [UInt32] {
        let workload = Workload(choice: ZipfChoice(count: options.customers))
        let end = monotonicNanoseconds() + UInt64(options.seconds) * 1_000_000_000
        return try await withThrowingTaskGroup(of: [UInt32].self) { group in
            for caller in 0..<16 {
                let lifecycles = Lifecycles(workload, id: "\(run)-\(caller)", prepared: 4_096)
                group.addTask { try await call(engine, lifecycles, until: end).0 }
            }
            var all: [UInt32] = []
            for try await samples in group { all += samples }
            return all.sorted()
        }
    }

    private func push(
        _ engine: Engine, _ store: SQLiteEventStore, _ clock: ManualClock, _ file: String,
        milliseconds: Int, round: Int
    ) async throws -> (cells: [String], reserves: [UInt32]) {
        let stripe = SteadyStripe(milliseconds: milliseconds)
        var settings = StripeSettings()
        // Sums are another matter.
        settings.reconcileSeconds = 604_800
        let sync = StripeSync(
            ledger: engine, store: store, client: stripe, path: file + ".stripe",
            settings: settings, clock: clock)
        let start = monotonicNanoseconds()
        _ = try await sync.status()
        let folded = monotonicNanoseconds()
        await sync.start(wokenBy: engine.commits)
        async let reserves = reserve(engine, run: "pushing-\(round)")
        var first: UInt64?
        let wanted = options.customers
        while stripe.taken.load(ordering: .relaxed) < wanted {
            if first == nil, stripe.taken.load(ordering: .relaxed) > 0 {
                first = monotonicNanoseconds()
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        let sent = monotonicNanoseconds()
        let samples = try await reserves
        while try await sync.status().openPushes > 0 {
            try await Task.sleep(for: .milliseconds(20))
        }
        await sync.stop()
        func seconds(_ from: UInt64, _ to: UInt64) -> Double { Double(to - from) / 1e9 }
        return (
            [
                "\(milliseconds) ms", fixed(seconds(start, folded), 2) + " s",
                fixed(seconds(folded, first ?? sent), 2) + " s",
                fixed(seconds(folded, sent), 1) + " s",
                grouped(Double(wanted) / seconds(first ?? folded, sent)),
            ], samples
        )
    }
}
