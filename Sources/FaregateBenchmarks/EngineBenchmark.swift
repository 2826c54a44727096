// Reserve + settle lifecycles through the engine at several numbers of callers, beside the ceiling.

import Billing
import CSQLite
import Engine
import EventLog
import Glibc
import SQLiteEventLog
import TimeZones

struct LevelResult {
    var lifecyclesPerSecond: Double
    var reserveMicroseconds: [UInt32]
    var settleMicroseconds: [UInt32]
    var eventsPerBatch: Double
    var bytesPerEvent: Double
    var ceilingEventsPerSecond: Double
}

struct EngineBenchmark {
    let options: BenchmarkOptions

    init(_ options: BenchmarkOptions) { self.options = options }

    func run() async throws {
        let file = options.directory + "/engine.db"
        try makeDirectory(options.directory)
        removeDatabase(file)
        printMachine()
        let store = try SQLiteEventStore.open(
            path: file,
            create: NewLedger(
                identity: LedgerIdentity(ledgerID: "bench", currency: "USD", isTestClock: false),
                createdMicroseconds: SystemClock().now().microseconds))
        let engine = try Engine(
            store: store, clock: SystemClock(), calendar: BudgetCalendar(TimeZoneDatabase()))
        try await Genesis.open(engine)
        try await prepare(engine, customers: options.customers)
        let workload = Workload(choice: ZipfChoice(count: options.customers))
        var results: [Int: [LevelResult]] = [:]
        for round in 0..<options.repeats {
            for callers in options.callers {
                let result = try await measure(
                    engine, store, workload, callers: callers, run: "\(round)-\(callers)")
                results[callers, default: []].append(result)
                note(
                    "round \(round + 1)/\(options.repeats), \(callers) callers: \(Int(result.lifecyclesPerSecond))/s"
                )
            }
        }
        await engine.shutdown()
        printTable(results)
        removeDatabase(file)
    }

    private func measure(
        _ engine: Engine, _ store: SQLiteEventStore, _ workload: Workload, callers: Int, run: String
    ) async throws -> LevelResult {
        let before = store.head.sequence
        // Made before the clock starts: the ceiling's rows are, too.
        let prepared = (0..<callers).map { caller in
            Lifecycles(
                workload, id: "\(run)-\(caller)",
                prepared: 64 + 25_000 * options.seconds / callers)
        }
        let start = monotonicNanoseconds()
        let end = start + UInt64(options.seconds) * 1_000_000_000
        var reserves: [UInt32] = []
        var settles: [UInt32] = []
        try await withThrowingTaskGroup(of: ([UInt32], [UInt32]).self) { group in
            for lifecycles in prepared {
                group.addTask { try await call(engine, lifecycles, until: end) }
            }
            for try await (reserve, settle) in group {
                reserves += reserve
                settles += settle
            }
        }
        let seconds = Double(monotonicNanoseconds() - start) / 1e9
        let after = store.head.sequence
        let batches = try countCheckpoints(store, after: before)
        let perBatch = Double(after - before) / Double(max(batches, 1))
        let ceiling = try Ceiling(options.directory + "/ceiling.db").run(
            store, after: before, batch: max(Int(perBatch.rounded()), 1), seconds: options.seconds)
        return LevelResult(
            lifecyclesPerSecond: Double(settles.count) / seconds,
            reserveMicroseconds: reserves.sorted(), settleMicroseconds: settles.sorted(),
            eventsPerBatch: perBatch, bytesPerEvent: ceiling.bytesPerEvent,
            ceilingEventsPerSecond: ceiling.eventsPerSecond)
    }

    private func countCheckpoints(_ store: SQLiteEventStore, after: UInt64) throws -> Int {
        var count = 0
        var last = after
        while true {
            let page = try store.checkpoints(after: last, limit: 10_000)
            guard let newest = page.last else { return count }
            count += page.count
            last = newest.head.sequence
        }
    }

    // MARK: Output

    private func printMachine() {
        var name = utsname()
        uname(&name)
        let release = withUnsafeBytes(of: &name.release) { raw in
            String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
        }
        print(
            "Machine: \(sysconf(Int32(_SC_NPROCESSORS_ONLN))) cores, Linux \(release), SQLite \(String(cString: sqlite3_libversion()))"
        )
        print(
            "Engine: \(options.customers) customers (zipf 1.0), 4 budgets a call, synchronous=FULL, "
                + "\(options.repeats) × \(options.seconds) s a level, medians")
        print("Ceiling: the same rows, hashed, in the same batch size, inserted by a bare loop\n")
    }

    private func printTable(_ results: [Int: [LevelResult]]) {
        let head = [
            "callers", "lifecycles/s", "events/s", "ev/batch", "B/event", "reserve p50", "p99",
            "settle p50", "p99", "ceiling ev/s", "of ceiling",
        ]
        var rows = [head]
        for callers in options.callers {
            guard let runs = results[callers] else { continue }
            let rate = median(runs.map(\.lifecyclesPerSecond))
            let ceiling = median(runs.map(\.ceilingEventsPerSecond))
            let ratio = median(runs.map { $0.lifecyclesPerSecond * 2 / $0.ceilingEventsPerSecond })
            func time(_ samples: KeyPath<LevelResult, [UInt32]>, _ share: Double) -> String {
                let microseconds = median(
                    runs.map { Double(percentile($0[keyPath: samples], share)) })
                return fixed(microseconds / 1000, 2) + " ms"
            }
            rows.append([
                "\(callers)", grouped(rate), grouped(rate * 2),
                fixed(median(runs.map(\.eventsPerBatch)), 1),
                fixed(median(runs.map(\.bytesPerEvent)), 0),
                time(\.reserveMicroseconds, 0.5), time(\.reserveMicroseconds, 0.99),
                time(\.settleMicroseconds, 0.5), time(\.settleMicroseconds, 0.99),
                grouped(ceiling), fixed(ratio, 2),
            ])
        }
        print(aligned(rows))
    }
}

/// Opens the workload's budgets and customers.
func prepare(_ engine: Engine, customers: Int) async throws {
    for rule in Workload.budgets() {
        _ = try await engine.submit(EngineRequest(.setBudget(rule)))
    }
    for start in stride(from: 0, to: customers, by: 2000) {
        let requests = (start..<min(start + 2000, customers)).map { number in
            let key = CustomerKey(project: Workload.project, id: Workload.customer(number))
            return EngineRequest(.openCustomer(CustomerSettings(key: key)))
        }
        for result in await engine.submit(requests) { _ = try result.get() }
    }
}

/// One caller: reserve, settle, again, until the time is over. Microseconds of each.
func call(
    _ engine: Engine, _ lifecycles: Lifecycles, until end: UInt64
) async throws -> ([UInt32], [UInt32]) {
    var lifecycles = lifecycles
    var reserves: [UInt32] = []
    var settles: [UInt32] = []
    var now = monotonicNanoseconds()
    while now < end {
        let lifecycle = lifecycles.next()
        let reply = try await engine.submit(lifecycle.reserve)
        guard case .usageReserved = reply.event?.event else { throw BenchmarkError.refused }
        let reserved = monotonicNanoseconds()
        reserves.append(UInt32((reserved - now) / 1000))
        _ = try await engine.submit(lifecycle.settle)
        now = monotonicNanoseconds()
        settles.append(UInt32((now - reserved) / 1000))
    }
    return (reserves, settles)
}

enum BenchmarkError: Error {
    case refused
    case sqlite(String)
}

func removeDatabase(_ path: String) {
    for suffix in ["", "-wal", "-shm", ".lock"] { unlink(path + suffix) }
}

func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

func makeDirectory(_ directory: String) throws {
    var path = ""
    for part in directory.split(separator: "/", omittingEmptySubsequences: false) {
        path += path.isEmpty && part.isEmpty ? "/" : (path.isEmpty || path == "/" ? "" : "/") + part
        if path != "/" { mkdir(path, 0o755) }
    }
}

func usleepMilliseconds(_ milliseconds: UInt32) { usleep(milliseconds * 1000) }
