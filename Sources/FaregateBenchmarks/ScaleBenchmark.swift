// How the engine grows: cost of a decision, memory and restart by customers and events, and how
// fast the log is folded again beside a bare scan of the same file.

import Billing
import CSQLite
import Engine
import EventLog
import Projections
import SQLiteEventLog
import TimeZones

struct ScaleBenchmark {
    let options: BenchmarkOptions
    private let file: String
    private let views: String
    private static let batch = 512

    init(_ options: BenchmarkOptions) {
        self.options = options
        file = options.directory + "/scale.db"
        views = file + ".views"
    }

    func run() async throws {
        try makeDirectory(options.directory)
        clean()
        defer { clean() }
        let empty = ProcessFigures.residentBytes()
        var rows = [
            ["events", "µs a decision", "lifecycles/s", "memory MB", "B/customer", "log MB"]
        ]
        try await grow(from: empty, &rows)
        print("\(options.customers) customers; µs a decision: the deciding thread's own time\n")
        print(aligned(rows) + "\n")
        try await restart(empty)
        try fold()
        try rebuildViews()
    }

    // MARK: Growth

    private func grow(from empty: Int, _ rows: inout [[String]]) async throws {
        let engine = try open(create: true)
        try await Genesis.open(engine)
        try await prepare(engine, customers: options.customers)
        let opened = ProcessFigures.residentBytes()
        let workload = Workload(choice: ZipfChoice(count: options.customers))
        var random = SplitMix64(state: 7)
        var number = 0
        // Once over, so that counters and windows exist, then at each mark.
        for mark in marks {
            var samples: [Double] = []
            var rates: [Double] = []
            while engine.store.head.sequence < mark {
                let first = number
                let before = ProcessFigures.threadNanoseconds(named: "fg-decide")
                var inEngine: UInt64 = 0
                while number - first < 20 * Self.batch, engine.store.head.sequence < mark {
                    inEngine += try await lifecycles(engine, workload, &random, from: number)
                    number += Self.batch
                }
                let spent = ProcessFigures.threadNanoseconds(named: "fg-decide") - before
                samples.append(Double(spent) / Double(2 * (number - first)) / 1000)
                rates.append(Double(number - first) / (Double(inEngine) / 1e9))
            }
            // The newest samples: those at this size of the log.
            let memory = ProcessFigures.residentBytes() - empty
            rows.append([
                grouped(Double(mark)), fixed(median(samples.suffix(11)), 2),
                grouped(median(rates.suffix(11))), fixed(Double(memory) / 1e6, 0),
                fixed(Double(memory) / Double(options.customers), 0),
                fixed(Double(ProcessFigures.fileBytes(file)) / 1e6, 0),
            ])
            note("at \(mark) events: \(samples.suffix(1).map { fixed($0, 2) }) µs a decision")
        }
        note("customers alone: \((opened - empty) / options.customers) B each")
        await engine.shutdown()
    }

    /// A tenth of the events, and all of them.
    private var marks: [UInt64] {
        let all = UInt64(options.events)
        return [max(all / 10, UInt64(options.customers) + 200_000), all].filter { $0 <= all }
    }

    /// Nanoseconds in the engine.
    private func lifecycles(
        _ engine: Engine, _ workload: Workload, _ random: inout SplitMix64, from number: Int
    ) async throws -> UInt64 {
        var reserves: [EngineRequest] = []
        var settles: [EngineRequest] = []
        for index in 0..<Self.batch {
            let id = "call-\(number + index)"
            let (request, input, output) = workload.reserve(id: id, &random)
            reserves.append(request)
            settles.append(workload.settle(id: id, input: input, output: output))
        }
        let before = monotonicNanoseconds()
        for result in await engine.submit(reserves) { _ = try result.get() }
        for result in await engine.submit(settles) { _ = try result.get() }
        return monotonicNanoseconds() - before
    }

    // MARK: Restart and replay

    private func restart(_ empty: Int) async throws {
        let start = monotonicNanoseconds()
        let engine = try open(create: false)
        let seconds = Double(monotonicNanoseconds() - start) / 1e9
        let memory = ProcessFigures.residentBytes()
        print(
            "restart with \(grouped(Double(engine.store.head.sequence))) events: "
                + "\(fixed(seconds, 2)) s, then \(fixed(Double(memory - empty) / 1e6, 0)) MB")
        await engine.shutdown()
    }

    private func fold() throws {
        let store = try SQLiteEventStore.openReadOnly(path: file)
        defer { store.close() }
        let events = Double(store.head.sequence)
        _ = try bareScan()
        let scan = try bareScan()
        let start = monotonicNanoseconds()
        let (state, _) = try EngineLoader.load(store, usingSnapshots: false)
        let seconds = Double(monotonicNanoseconds() - start) / 1e9
        guard state.sequence == store.head.sequence else { throw BenchmarkError.refused }
        print("bare scan: \(grouped(scan)) events/s")
        print(
            "state folded from nothing: \(grouped(events / seconds)) events/s, "
                + "\(fixed(events / seconds / scan, 2)) of the scan")
    }

    /// Events a second when SQLite hands out every row and each byte is looked at.
    private func bareScan() throws -> Double {
        var database: OpaquePointer?
        guard sqlite3_open_v2(file, &database, SQLITE_OPEN_READONLY, nil) == SQLITE_OK else {
            throw BenchmarkError.sqlite("open")
        }
        defer { sqlite3_close(database) }
        var statement: OpaquePointer?
        sqlite3_prepare_v2(
            database, "SELECT seq, body FROM events ORDER BY seq", -1, &statement, nil)
        defer { sqlite3_finalize(statement) }
        let start = monotonicNanoseconds()
        var count = 0
        var sum: UInt64 = 0
        while sqlite3_step(statement) == SQLITE_ROW {
            count += 1
            let bytes = UnsafeRawBufferPointer(
                start: sqlite3_column_blob(statement, 1),
                count: Int(sqlite3_column_bytes(statement, 1)))
            for byte in bytes { sum &+= UInt64(byte) }
        }
        guard sum > 0 else { throw BenchmarkError.sqlite("scan") }
        return Double(count) / (Double(monotonicNanoseconds() - start) / 1e9)
    }

    private func rebuildViews() throws {
        let store = try SQLiteEventStore.openReadOnly(path: file)
        defer { store.close() }
        let start = monotonicNanoseconds()
        let models = ReadModels(store: store, path: views) { note($0) }
        models.start()
        while !models.hasFolded(upTo: store.head.sequence) { usleepMilliseconds(20) }
        let seconds = Double(monotonicNanoseconds() - start) / 1e9
        let scan = try bareScan()
        let rate = Double(store.head.sequence) / seconds
        models.close()
        print(
            "read models built from nothing: \(grouped(rate)) events/s, \(fixed(rate / scan, 2)) "
                + "of the scan, \(fixed(Double(ProcessFigures.fileBytes(views)) / 1e6, 0)) MB")
    }

    // MARK: Files

    private func open(create: Bool) throws -> Engine {
        let clock = SystemClock()
        let new = NewLedger(
            identity: LedgerIdentity(ledgerID: "bench", currency: "USD", isTestClock: false),
            createdMicroseconds: clock.now().microseconds)
        let store = try SQLiteEventStore.open(path: file, create: create ? new : nil)
        return try Engine(
            store: store, clock: clock, calendar: BudgetCalendar(TimeZoneDatabase()))
    }

    private func clean() {
        removeDatabase(file)
        removeDatabase(views)
    }
}
