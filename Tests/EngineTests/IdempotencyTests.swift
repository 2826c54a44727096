// Same id and body, same answer: for ever.

import Billing
import Engine
import EventLog
import FaregateTestSupport
import Money
import Testing

@Suite struct IdempotencyTests {
    // Asked again among a great many other ids, and after restarts with a snapshot and without, a
    // request gets the answer it got, refusals included; another body under its id never passes.
    @Test func amongManyOthers() async throws {
        let count = TestSettings.isSlow ? 1_000_000 : 100_000
        let store = ReopenableStore(InMemoryEventStore(identity: PlainLedger.identity))
        var configuration = EngineConfiguration()
        configuration.snapshotEvents = UInt64(count) / 2
        let ledger = try await PlainLedger.fixture(store: store, configuration: configuration)
        try await ledger.set(
            BudgetRule(id: "b", match: BudgetMatch(customer: "c"), window: .lifetime, amount: 10))
        let kept = ledger.request("kept", ledger.plain("c", 7))
        let refused = ledger.request("refused", ledger.plain("c", 8))
        var granted = EngineRequest(.setPlan(Plan(id: "p", name: "P")))
        granted.idempotencyKey = Fingerprint(.idempotencyKey, "default", "a key")
        granted.requestHash = Fingerprint(.request, "default", "a body")
        let settled = ledger.settleRequest("kept", .missing)
        let requests = [kept, refused, granted, settled]
        var answers: [RecordedEvent] = []
        for request in requests {
            answers.append(try #require(try await ledger.engine.submit(request).event))
        }
        let chunk = 2_000
        for start in stride(from: 0, to: count, by: chunk) {
            // Reservation ids and Idempotency-Keys are kept in one table; the latter are quicker to
            // fill.
            let others = (start..<start + chunk).map { number in
                number < chunk
                    ? ledger.request("other \(number)", ledger.flat("o", output: 1, model: "none"))
                    : EngineRequest(
                        .resumeCustomer(ledger.customerKey("o")),
                        idempotencyKey: Fingerprint(.idempotencyKey, "default", "\(number)"),
                        requestHash: kept.requestHash)
            }
            let replies = await ledger.engine.submit(others)
            #expect(replies.allSatisfy { (try? $0.get().isReplay) == false })
        }
        try await check(ledger.engine, requests, answers)
        await ledger.engine.shutdown()

        let again = try await PlainLedger.reopened(store)
        try await check(again.engine, requests, answers)
        let other = again.request("other 17", again.flat("o", output: 1, model: "none"))
        #expect(try await again.engine.submit(other).isReplay)
        await again.engine.shutdown()
        #expect(!store.snapshots.isEmpty)
        #expect(store.snapshots.allSatisfy { $0.sequence > 20 })
    }

    // A snapshot that was begun is kept also when the engine is stopped before it is ready: the
    // next start need not fold what it holds.
    @Test func snapshotUnderwayAtShutdown() async throws {
        let store = ReopenableStore(InMemoryEventStore(identity: PlainLedger.identity))
        var configuration = EngineConfiguration()
        configuration.snapshotEvents = 10_000
        let ledger = try await PlainLedger.fixture(store: store, configuration: configuration)
        let requests = (0..<10_000).map { number in
            ledger.request("call \(number)", ledger.flat("customer \(number)", output: 1))
        }
        for result in await ledger.engine.submit(requests) { _ = try result.get() }
        await ledger.engine.shutdown()
        let snapshot = try #require(store.snapshots.first)
        #expect(snapshot.sequence + 20_000 > store.head.sequence)
    }

    private func check(
        _ engine: Engine, _ requests: [EngineRequest], _ answers: [RecordedEvent]
    ) async throws {
        for (request, answer) in zip(requests, answers) {
            let reply = try await engine.submit(request)
            #expect(reply.isReplay)
            #expect(reply.event == answer)
            #expect(reply.appended.isEmpty)
            if case .settle = request.command { continue }
            var other = request
            other.requestHash = Fingerprint(.request, "default", "another body")
            do {
                _ = try await engine.submit(other)
                Issue.record("another body passed under the id of event \(answer.sequence)")
            } catch EngineError.idempotencyMismatch {
                // As it should be.
            }
        }
    }

    // The answer is the one of then: also after the reservation was settled, its customer closed,
    // its budget removed and the answer read from a replayed log.
    @Test func answersDoNotAge() async throws {
        let store = ReopenableStore(InMemoryEventStore(identity: PlainLedger.identity))
        let ledger = try await PlainLedger.fixture(store: store)
        try await ledger.set(BudgetRule(id: "b", window: .lifetime, amount: 10))
        let request = ledger.request("r", ledger.plain("c", 7), seconds: 60)
        let first = try await ledger.engine.submit(request)
        try await ledger.ask(.extend(ledger.key("r"), seconds: 600))
        try await ledger.settle("r", 9)
        try await ledger.adjust("r", -2)
        try await ledger.ask(.closeCustomer(ledger.customerKey("c"), reason: "left"))
        try await ledger.ask(.removeBudget(id: "b"))
        await ledger.engine.shutdown()
        let again = try await PlainLedger.reopened(store)
        let reply = try await again.engine.submit(request)
        #expect(reply.isReplay)
        #expect(reply.event == first.event)
        #expect(reply.reservation == first.reservation)
        await again.engine.shutdown()
    }

    // The same request many times at once is carried out once.
    @Test func atOnce() async throws {
        let ledger = try await PlainLedger.fixture()
        let request = ledger.request("r", ledger.plain("c", 7))
        let replies = try await withThrowingTaskGroup(of: CommandReply.self) { group in
            for _ in 0..<64 { group.addTask { try await ledger.engine.submit(request) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(replies.filter { !$0.isReplay }.count == 1)
        #expect(Set(replies.map(\.event)).count == 1)
        #expect(try await ledger.customer("c").totals.reservedCount == 1)
    }

    // One id, used by a reservation and then by direct usage, is one id.
    @Test func reservationsAndUsageShareIDs() async throws {
        let ledger = try await PlainLedger.fixture()
        try await ledger.reserve("r", ledger.plain("c", 7))
        var usage = EngineRequest(
            .recordUsage(
                UsageRequest(
                    id: "r", subject: ledger.subject("c"), model: "flat-small",
                    actual: .amount(.zero))))
        usage.requestHash = Fingerprint(.request, "default", "usage")
        await #expect(throws: EngineError.self) { try await ledger.engine.submit(usage) }
        var elsewhere = ledger.plain("c", 7)
        elsewhere.subject.project = "other"
        try await ledger.ask(.setProject(Project(id: "other", name: "Other")))
        #expect(try await ledger.reserve("r", elsewhere)?.reservation != nil)
    }
}
