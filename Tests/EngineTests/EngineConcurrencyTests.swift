// Many callers on one engine. What is promised of the log must hold whichever way they interleave.

import Billing
import Engine
import EventLog
import FaregateTestSupport
import Money
import Testing

@Suite struct EngineConcurrencyTests {
    private static let limit: Int64 = 1_000

    /// What one caller does, all of it following from its seed; what it was charged in the end.
    private func caller(_ ledger: LedgerFixture, _ number: Int, rounds: Int) async throws -> Int64 {
        var random = SeededGenerator(seed: UInt64(number))
        var charged: Int64 = 0
        for round in 0..<rounds {
            let id = "r\(number).\(round)"
            let amount = random.number(1...120)
            let call = ledger.plain(
                "c\(random.number(0...3))", amount, run: number % 2 == 0 ? "run" : nil)
            guard try await ledger.reserve(id, call)?.reservation != nil else { continue }
            if random.chance(30) { await Task.yield() }
            switch random.number(0...9) {
            case ..<5: try await ledger.ask(.release(ledger.key(id), reason: nil))
            case 5: break
            default:
                // Never above the hold: whatever is above is an overrun and may pass the limit.
                let actual = random.number(0...amount / 8)
                try await ledger.settle(id, actual)
                charged += actual
            }
        }
        return charged
    }

    // However many callers reserve, settle and release at once: at no event of the log is a strict
    // budget above its limit, and at the end every sum is exact.
    @Test(arguments: [1, 2, 3])
    func neverAboveTheLimit(seed: Int) async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.set(BudgetRule(id: "all", window: .lifetime, amount: Self.limit))
        try await ledger.set(
            BudgetRule(id: "each", per: [.customer], measure: .cost, window: .lifetime, amount: 400)
        )
        try await ledger.ask(
            .startRun(
                RunRequest(key: RunKey(project: "default", id: "run"), cap: Money(nanos: 700))))
        let charged = try await withThrowingTaskGroup(of: Int64.self) { group in
            for number in 0..<32 {
                group.addTask {
                    try await caller(ledger, seed * 1000 + number, rounds: 25)
                }
            }
            return try await group.reduce(0, +)
        }
        let (events, worst) = try peaks(ledger.store)
        for (counter, peak) in worst {
            #expect(peak.used <= peak.limit, "\(counter) reached \(peak)")
        }
        #expect((worst["all"]?.used ?? 0) > Self.limit / 2)
        #expect(events > 800)
        let customers = try await ledger.engine.read { Array($0.state.customers.values) }
        #expect(customers.reduce(0) { $0 + $1.totals.charge.nanos } == charged)
        #expect(try await ledger.counter("all")?.spent == charged)
        #expect(try await ledger.failedChecks() == [])
    }

    private struct Peak {
        var used: Int64 = 0
        var limit: Int64 = 0
    }

    /// Adds the log up by itself: the highest spent + held of every counter at any event.
    private func peaks(_ store: any EventStore) throws -> (events: Int, worst: [String: Peak]) {
        var used: [String: Int64] = [:]
        var worst: [String: Peak] = [:]
        var open: [String: [BudgetLine]] = [:]
        let stored = try store.read(after: 0, limit: .max, maxBytes: .max)
        for event in try stored.map({ try EventCodec.decode($0.bytes) }) {
            let id = event.reservation ?? ""
            switch event.event {
            case .usageReserved(let reserved):
                open[id] = reserved.lines
                for line in reserved.lines {
                    let name = line.budget + (line.scope.isEmpty ? "" : " " + line.scope)
                    used[name, default: 0] += line.hold
                    let peak = Peak(
                        used: max(used[name] ?? 0, worst[name]?.used ?? 0),
                        limit: line.amount ?? .max)
                    worst[name] = peak
                }
            case .usageSettled(let settled):
                for line in open.removeValue(forKey: id) ?? [] {
                    let name = line.budget + (line.scope.isEmpty ? "" : " " + line.scope)
                    used[name, default: 0] += settled.rated.charge.nanos - line.hold
                }
            case .usageReleased:
                for line in open.removeValue(forKey: id) ?? [] {
                    let name = line.budget + (line.scope.isEmpty ? "" : " " + line.scope)
                    used[name, default: 0] -= line.hold
                }
            default: break
            }
        }
        return (stored.count, worst)
    }

    // A prepaid balance is not spent twice by callers that arrive together.
    @Test func aGrantIsSpentOnce() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.open("c", Terms(funding: .prepaid))
        for number in 0..<5 { try await ledger.grant("c", "g\(number)", nanos: 100) }
        let passed = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<100 {
                group.addTask {
                    let event = try await ledger.reserve("r\(number)", ledger.plain("c", 30))
                    if event?.reservation != nil { try await ledger.settle("r\(number)", 30) }
                    return event?.reservation != nil
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(passed == 16)
        let customer = try await ledger.customer("c")
        #expect(customer.totals.fromGrants.nanos == 480)
        #expect(customer.debt == .zero)
        #expect(try await ledger.failedChecks() == [])
    }

    // While appends fail under load every caller gets an answer, an acknowledged reservation is on
    // the log, one that was refused for the store's sake is not, and the engine goes on afterwards.
    @Test(arguments: [StoreError.Code.full, .inputOutput])
    func failingStoreUnderLoad(code: StoreError.Code) async throws {
        let store = InMemoryEventStore(identity: PlainLedger.identity)
        var configuration = EngineConfiguration()
        configuration.retryMicroseconds = 0
        let ledger = try await PlainLedger.fixture(store: store, configuration: configuration)
        let outcomes = await withTaskGroup(of: [(String, Bool)].self) { group in
            for number in 0..<16 {
                group.addTask {
                    var outcomes: [(String, Bool)] = []
                    for round in 0..<40 {
                        if number == 0, round % 5 == 0 {
                            store.failAppends(2, with: StoreError(code, "made to fail"))
                        }
                        let id = "r\(number).\(round)"
                        let event = try? await ledger.reserve(id, ledger.plain("c", 1))
                        outcomes.append((id, event?.reservation != nil))
                    }
                    return outcomes
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        store.failAppends(0, with: StoreError(code, "over"))
        #expect(try await ledger.reserve("after", ledger.plain("c", 1))?.reservation != nil)
        #expect(ledger.engine.health == .healthy)
        let open = try await ledger.engine.read { Set($0.state.reservations.keys.map(\.id)) }
        for (id, isAcknowledged) in outcomes {
            #expect(open.contains(id) == isAcknowledged, "\(id)")
        }
        #expect(outcomes.contains { !$0.1 })
        #expect(try await ledger.failedChecks() == [])
    }
}
