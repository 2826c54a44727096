import Billing
import Engine
import EventLog
import FaregateTestSupport
import Synchronization
import Testing

@testable import Notifications

/// Answers what it is told to, at once or never.
private final class FakeTransport: WebhookTransport {
    private let status: @Sendable (WebhookRequest) -> Int?
    let sent = Mutex<[WebhookRequest]>([])

    init(_ status: @escaping @Sendable (WebhookRequest) -> Int?) { self.status = status }

    @concurrent
    func send(_ request: WebhookRequest) async -> AttemptOutcome {
        sent.withLock { $0.append(request) }
        if let status = status(request) { return .answered(status: status, retryAfter: nil) }
        try? await Task.sleep(for: .seconds(3_600))
        return .failed("cancelled")
    }

    func shutdown() async {}

    func ids(_ endpoint: String) -> [String] {
        sent.withLock { $0.filter { $0.endpoint == endpoint }.map(\.delivery) }
    }
}

@Suite struct WebhooksTests {
    // The thread is woken by commits: what happens is sent without being asked for. An endpoint
    // that never answers holds up neither the other one nor the end.
    @Test func deadEndpoint() async throws {
        let ledger = try await LedgerFixture()
        try await ledger.setBudget("b", amount: "0.10")
        let folder = try TemporaryFolder()
        let webhooks = Webhooks(store: ledger.store, path: folder.file)
        let transport = FakeTransport { $0.endpoint == "dead" ? nil : 200 }
        try webhooks.perform { file throws(StoreError) in
            var random = SystemRandomNumberGenerator()
            for id in ["dead", "live"] {
                try file.save(
                    Endpoint(
                        id: id, url: "https://example.com", createdAt: .zero, afterSequence: 0,
                        secret: WebhookSecret(random: &random)))
            }
        }
        webhooks.start(transport, wokenBy: ledger.engine.commits)
        for number in 0..<30 { try await ledger.reserve("r\(number)", "c", amount: "0.50") }
        for _ in 0..<1_000 where transport.ids("live").count < 30 {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(Set(transport.ids("live")).count == 30)
        #expect(transport.ids("dead").count == 1)
        await webhooks.close()
        // What was broken off waits for the next start, with no attempt counted.
        let file = try ledger.webhookFile(folder)
        let waiting = try file.all(state: .waiting)
        #expect(waiting.count == 30)
        #expect(waiting.allSatisfy { $0.endpoint == "dead" && $0.attempts == 0 })
    }

    // A second start, on the same file, sends what waits and nothing that was delivered.
    @Test func restart() async throws {
        let ledger = try await LedgerFixture()
        try await ledger.setBudget("b", amount: "0.10")
        for number in 0..<5 { try await ledger.reserve("r\(number)", "c", amount: "0.50") }
        let folder = try TemporaryFolder()
        let file = try ledger.webhookFile(folder)
        try file.add("e")
        try file.foldAll()
        let ids = try file.all().map(\.id)
        for id in ids.prefix(2) {
            _ = try file.finish(
                id, .answered(status: 200, retryAfter: nil), now: WebhookFile.now, jitter: 0)
        }
        let webhooks = Webhooks(
            store: ledger.store, path: folder.file, clock: ManualClock(WebhookFile.now))
        let transport = FakeTransport { _ in 200 }
        webhooks.start(transport, wokenBy: ledger.engine.commits)
        for _ in 0..<1_000 where transport.ids("e").count < 3 {
            try await Task.sleep(for: .milliseconds(10))
        }
        await webhooks.close()
        #expect(transport.ids("e") == Array(ids.dropFirst(2)))
    }
}
