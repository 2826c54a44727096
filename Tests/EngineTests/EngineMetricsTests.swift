import Billing
import Engine
import EventLog
import FaregateTestSupport
import Telemetry
import Testing

@Suite struct EngineMetricsTests {
    private func phaseSum(_ metrics: EngineMetrics) -> Int64 {
        EngineMetrics.Phase.allCases.reduce(0) { $0 + metrics.reading($1).sum }
    }

    // The phases of a batch make the whole of it: their sums are equal, to the nanosecond, and each
    // has as many values as there were batches.
    @Test func phasesMakeTheWhole() async throws {
        let ledger = try await PlainLedger.fixture()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<16 {
                group.addTask {
                    for round in 0..<20 {
                        try await ledger.reserve("r\(caller).\(round)", ledger.plain("c", 1))
                        _ = try await ledger.engine.read { $0.state.sequence }
                    }
                }
            }
            try await group.waitForAll()
        }
        await ledger.engine.shutdown()
        let metrics = ledger.engine.metrics
        #expect(metrics.wholeReading.sum > 0)
        #expect(phaseSum(metrics) == metrics.wholeReading.sum)
        for phase in EngineMetrics.Phase.allCases {
            #expect(metrics.reading(phase).count == metrics.wholeReading.count)
            #expect(metrics.reading(phase).sum >= 0)
        }
        // Every event and every answer is in some batch.
        #expect(metrics.batchEventsReading.sum == Int64(ledger.store.head.sequence))
        #expect(metrics.batchAnswersReading.sum >= 640)
        #expect(
            metrics.eventCounts.reduce(0) { $0 + $1.count } == Int64(ledger.store.head.sequence))
    }

    // Decisions are counted by what came of them, and a repeated request is one decision and one
    // replay.
    @Test func decisions() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.set(BudgetRule(id: "all", window: .lifetime, amount: 100))
        try await ledger.reserve("a", ledger.plain("c", 60))
        try await ledger.reserve("a", ledger.plain("c", 60))
        try await ledger.reserve("b", ledger.plain("c", 60))
        try await ledger.settle("a", 50)
        await #expect(throws: EngineError.self) { try await ledger.settle("none", 1) }
        await ledger.engine.shutdown()
        let metrics = ledger.engine.metrics
        let counts = Dictionary(
            uniqueKeysWithValues: metrics.decisionCounts.map { ($0.decision, $0.count) })
        #expect(counts[.reserved] == 1)
        #expect(counts[.rejected] == 1)
        #expect(counts[.settled] == 1)
        #expect(metrics.replayCount == 1)
        #expect(metrics.openHolds == 0)
        let rejections = metrics.rejectionCounts
        #expect(rejections.count == 1)
        #expect(rejections.first?.rule == .budget)
        #expect(rejections.first?.count == 1)
        #expect(metrics.rejectedCharges.first { $0.rule == .budget }?.nanos == 60)
        #expect(metrics.failureCounts.first { $0.code == "not_found" }?.count == 1)
    }

    // Every type of event has a place of its own, under its own name.
    @Test func eventPlaces() {
        var seen: Set<Int> = []
        var random = RandomEvents(seed: 7)
        for type in Event.types {
            let event = random.event(of: type).event
            #expect(event.type == type)
            #expect(Event.types[event.typePlace] == type)
            seen.insert(event.typePlace)
        }
        #expect(seen.count == Event.types.count)
        #expect(Set(Event.types).count == Event.types.count)
    }

    // A batch of more commands than may wait is taken when nothing else waits: refused, it could
    // never get in.
    @Test func batchLargerThanTheQueue() async throws {
        var configuration = EngineConfiguration()
        configuration.queueMax = 4
        let ledger = try await LedgerFixture(configuration: configuration)
        let replies = await ledger.engine.submit(
            (0..<9).map { EngineRequest(.setBudget(BudgetRule(id: "b\($0)"))) })
        #expect(replies.count == 9)
        for reply in replies { #expect(throws: Never.self) { try reply.get() } }
    }

    // While a commit hangs its age is told, and what comes in beyond the queue is refused at once:
    // commands, and also queries, which append nothing and so fill no batch.
    @Test(arguments: [true, false])
    func fullQueueBehindAHangingCommit(asking: Bool) async throws {
        let store = HangingStore()
        var configuration = EngineConfiguration()
        configuration.queueMax = 64
        configuration.undurableMax = 64
        let ledger = try await LedgerFixture(store: store, configuration: configuration)
        let clock = ContinuousClock()
        store.hang()
        let first = Task { try? await ledger.ask(.setBudget(BudgetRule(id: "first"))) }
        while store.waiting == 0 { try await Task.sleep(for: .milliseconds(1)) }
        #expect(ledger.engine.metrics.writeNanoseconds > 0)
        let results = await withTaskGroup(of: (isRefused: Bool, took: Duration).self) { group in
            for number in 0..<400 {
                group.addTask {
                    let start = clock.now
                    do throws(EngineError) {
                        if asking {
                            _ = try await ledger.engine.read { $0.state.sequence }
                        } else {
                            try await ledger.ask(.setBudget(BudgetRule(id: "b\(number)")))
                        }
                    } catch {
                        if case .overloaded = error { return (true, start.duration(to: clock.now)) }
                    }
                    return (false, start.duration(to: clock.now))
                }
            }
            group.addTask {
                while ledger.engine.metrics.overloadCount < 100 {
                    try? await Task.sleep(for: .milliseconds(1))
                }
                store.goOn()
                return (false, .zero)
            }
            var all: [(isRefused: Bool, took: Duration)] = []
            for await result in group { all.append(result) }
            return all
        }
        _ = await first.value
        let refused = results.filter(\.isRefused)
        #expect(refused.count >= 100)
        #expect(Int64(refused.count) == ledger.engine.metrics.overloadCount)
        for refusal in refused { #expect(refusal.took < .seconds(5)) }
        // What was taken is answered once the commit goes on.
        #expect(results.count - refused.count > 64)
        await ledger.engine.shutdown()
        #expect(ledger.engine.metrics.writeNanoseconds == 0)
        #expect(phaseSum(ledger.engine.metrics) == ledger.engine.metrics.wholeReading.sum)
    }
}
