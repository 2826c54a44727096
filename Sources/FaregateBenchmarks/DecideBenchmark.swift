// What deciding costs without a disk: lifecycles in large batches by one caller, so that neither
// hops between threads nor commits are in the way. The log is kept in memory.

import Billing
import Engine
import EventLog
import TimeZones

struct DecideBenchmark {
    let options: BenchmarkOptions
    private static let batch = 512

    init(_ options: BenchmarkOptions) { self.options = options }

    func run() async throws {
        let store = InMemoryEventStore(
            identity: LedgerIdentity(ledgerID: "bench", currency: "USD", isTestClock: false))
        let engine = try Engine(
            store: store, clock: SystemClock(), calendar: BudgetCalendar(TimeZoneDatabase()))
        try await Genesis.open(engine)
        try await prepare(engine, customers: options.customers)
        let workload = Workload(choice: ZipfChoice(count: options.customers))
        var random = SplitMix64(state: 7)
        for round in 0..<options.repeats {
            var number = 0
            let start = monotonicNanoseconds()
            let end = start + UInt64(options.seconds) * 1_000_000_000
            var inEngine: UInt64 = 0
            while monotonicNanoseconds() < end {
                var reserves: [EngineRequest] = []
                var settles: [EngineRequest] = []
                for index in 0..<Self.batch {
                    let id = "\(round)-\(number + index)"
                    let (request, input, output) = workload.reserve(id: id, &random)
                    reserves.append(request)
                    settles.append(workload.settle(id: id, input: input, output: output))
                }
                number += Self.batch
                let before = monotonicNanoseconds()
                for result in await engine.submit(reserves) { _ = try result.get() }
                for result in await engine.submit(settles) { _ = try result.get() }
                inEngine += monotonicNanoseconds() - before
            }
            note(
                "round \(round + 1)/\(options.repeats), batches of \(Self.batch): "
                    + "\(fixed(Double(inEngine) / Double(number) / 1000, 2)) µs a lifecycle")
        }
        await engine.shutdown()
    }
}
