import Billing
import EventLog
import FaregateTestSupport
import Testing

@testable import Notifications

/// The webhooks' file: what is decided, sent and noted, without threads and sockets.
@Suite struct DeliveryTests {
    private let now = WebhookFile.now

    /// Three refusals.
    private func refusals() async throws -> LedgerFixture {
        let ledger = try await LedgerFixture()
        try await ledger.setBudget("b", amount: "0.10")
        for number in 0..<3 { try await ledger.reserve("r\(number)", "c", amount: "0.50") }
        return ledger
    }

    // Folded in batches of any size, and by a file that is opened anew after each, there is one
    // delivery for each notification and endpoint, with the ids of the pure fold.
    @Test(arguments: [1, 2, 7, 2_000]) func restartsBetweenBatches(batch: Int) async throws {
        let rig = try await ModelRig(seed: 9_200)
        try await rig.run(steps: 120)
        let expected = try LoggedEvents(rig.store).notifications().map(\.body)
        let folder = try TemporaryFolder()
        func open() throws -> WebhookFile {
            try WebhookFile.open(
                path: folder.file, store: rig.store, settings: NotificationSettings())
        }
        var file: WebhookFile? = try open()
        try file?.add("one")
        try file?.add("two", types: [.usageRejected])
        while try file?.fold(now: now, batchEvents: batch) ?? 0 > 0 {
            if batch < 2_000 {
                file = nil
                file = try open()
            }
        }
        let all = try #require(file).all()
        let bodies = all.filter { $0.endpoint == "one" }.map { Array($0.body.utf8) }
        #expect(bodies == expected)
        #expect(Set(all.map(\.id)).count == all.count)
        let refused = all.filter { $0.type == "usage.rejected" && $0.endpoint == "one" }
        #expect(
            all.filter { $0.endpoint == "two" }.map(\.notification)
                == refused.map(\.notification))
    }

    // What was decided and not sent is still there after a restart, and is sent with the same id;
    // what was sent and not noted is sent again with the same id.
    @Test func restartBetweenDecideAndSend() async throws {
        let ledger = try await refusals()
        let folder = try TemporaryFolder()
        var file: WebhookFile? = try ledger.webhookFile(folder)
        try file?.add("e")
        try file?.foldAll()
        let first = try #require(try file?.due(now: now, busy: [], limit: 9).first)
        file = nil
        file = try ledger.webhookFile(folder)
        let again = try #require(try file?.due(now: now, busy: [], limit: 9).first)
        #expect(first == again)
        _ = try file?.finish(
            again.delivery, .answered(status: 204, retryAfter: nil), now: now, jitter: 0)
        file = nil
        file = try ledger.webhookFile(folder)
        let next = try #require(try file?.due(now: now, busy: [], limit: 9).first)
        #expect(next.delivery != again.delivery)
        #expect(try file?.fold(now: now) == 0)
    }

    // Deliveries go out in the order of the log; a failed one steps aside until its time.
    @Test func order() async throws {
        let ledger = try await refusals()
        let folder = try TemporaryFolder()
        let file = try ledger.webhookFile(folder)
        try file.add("e")
        try file.foldAll()
        let ids = try file.all().map(\.id)
        #expect(ids.count == 3)
        func next(_ seconds: Int64) throws -> String? {
            try file.due(now: now.advanced(bySeconds: seconds), busy: [], limit: 9).first?.delivery
        }
        #expect(try next(0) == ids[0])
        #expect(try file.due(now: now, busy: ["e"], limit: 9).isEmpty)
        _ = try file.finish(ids[0], .failed("refused"), now: now, jitter: 0)
        for id in ids.dropFirst() {
            #expect(try next(0) == id)
            _ = try file.finish(
                id, .answered(status: 200, retryAfter: nil), now: now, jitter: 0)
        }
        #expect(try next(4) == nil)
        #expect(try file.nextDue(busy: []) == now.advanced(bySeconds: 5))
        #expect(try next(5) == ids[0])
        let failed = try #require(try file.delivery(ids[0]))
        #expect(failed.lastError == "refused")
        #expect(failed.attempts == 1)
    }

    // After eight failed attempts a delivery is given up; sent again, it has all of them again and
    // keeps its id.
    @Test func giveUpAndResend() async throws {
        let ledger = try await refusals()
        let folder = try TemporaryFolder()
        let file = try ledger.webhookFile(folder)
        try file.add("e")
        try file.foldAll()
        let id = try #require(try file.all().first?.id)
        var time = now
        for attempt in 1...8 {
            #expect(try file.delivery(id)?.state == .waiting)
            _ = try file.finish(
                id, .answered(status: 500, retryAfter: nil), now: time, jitter: 0)
            let delivery = try #require(try file.delivery(id))
            #expect(delivery.attempts == Int64(attempt))
            time = delivery.dueAt
        }
        #expect(try file.delivery(id)?.state == .failed)
        let again = try #require(try file.resend(id, now: time))
        #expect(again.state == .waiting)
        #expect(again.dueAt == time)
        _ = try file.finish(
            id, .answered(status: 500, retryAfter: nil), now: time, jitter: 0)
        #expect(try file.delivery(id)?.dueAt == time.advanced(bySeconds: 5))
    }

    // 410 switches the endpoint off: nothing is sent, and nothing new is kept for it. A test still
    // goes out; switched on again, it gets what comes from then on.
    @Test func gone() async throws {
        let ledger = try await refusals()
        let folder = try TemporaryFolder()
        let file = try ledger.webhookFile(folder)
        try file.add("e")
        try file.add("f")
        try file.foldAll()
        let id = try #require(try file.all().first { $0.endpoint == "e" }?.id)
        let reason = try file.finish(
            id, .answered(status: 410, retryAfter: nil), now: now, jitter: 0)
        #expect(reason == .gone)
        #expect(try file.endpoint("e")?.isEnabled == false)
        #expect(try file.delivery(id)?.state == .failed)
        #expect(try file.due(now: now, busy: [], limit: 9).map(\.endpoint) == ["f"])
        let before = try file.all().count
        try await ledger.reserve("more", "c", amount: "0.50")
        try file.foldAll()
        #expect(try file.all().count == before + 1)
        let endpoint = try #require(try file.endpoint("e"))
        let test = try #require(try file.addTest(to: endpoint, id: "ntf_test", now: now))
        #expect(
            Set(try file.due(now: now, busy: [], limit: 9).map(\.delivery)).contains(test.id))
    }

    // An endpoint at which nothing arrives for five days is switched off, a success in between
    // begins the count anew.
    @Test func failingForLong() async throws {
        let ledger = try await refusals()
        let folder = try TemporaryFolder()
        let file = try ledger.webhookFile(folder)
        try file.add("e")
        try file.foldAll()
        let ids = try file.all().map(\.id)
        func finish(_ index: Int, day: Int64, _ status: Int) throws -> Endpoint.DisabledReason? {
            try file.finish(
                ids[index], .answered(status: status, retryAfter: nil),
                now: now.advanced(bySeconds: day * 86_400), jitter: 0)
        }
        #expect(try finish(0, day: 0, 500) == nil)
        #expect(try finish(1, day: 4, 200) == nil)
        #expect(try finish(0, day: 6, 500) == nil)
        #expect(try finish(2, day: 10, 500) == nil)
        #expect(try finish(2, day: 11, 500) == .failing)
        #expect(try file.endpoint("e")?.disabledReason == .failing)
    }

    // After a rotation both secrets sign until the overlap is over, then the new one alone.
    @Test func rotation() async throws {
        let ledger = try await refusals()
        let folder = try TemporaryFolder()
        let file = try ledger.webhookFile(folder)
        try file.add("e")
        try file.foldAll()
        var endpoint = try #require(try file.endpoint("e"))
        let old = endpoint.secret
        var random = SeededGenerator(seed: 8)
        endpoint.oldSecret = old
        endpoint.oldSecretUntil = now.advanced(bySeconds: 60)
        endpoint.secret = WebhookSecret(random: &random)
        try file.save(endpoint)
        func signatures(_ time: Instant) throws -> [String] {
            let request = try #require(try file.due(now: time, busy: [], limit: 1).first)
            let header = request.headers.first { $0.name == "webhook-signature" }
            return try #require(header).value.split(separator: " ").map { String($0) }
        }
        let request = try #require(try file.due(now: now, busy: [], limit: 1).first)
        let id = try #require(request.headers.first { $0.name == "webhook-id" }).value
        let seconds = now.microseconds / 1_000_000
        #expect(
            try signatures(now)
                == [endpoint.secret, old].map {
                    $0.signature(id: id, timestamp: seconds, body: request.body)
                })
        #expect(try signatures(now.advanced(bySeconds: 60)).count == 1)
    }

    // An endpoint hears of what comes after it was made, in its project, of its types.
    @Test func whatIsWanted() async throws {
        let ledger = try await refusals()
        let folder = try TemporaryFolder()
        let file = try ledger.webhookFile(folder)
        try file.add("later", after: ledger.store.head.sequence)
        try file.add("elsewhere", project: "blue")
        try file.add("other", types: [.runSpike])
        try file.foldAll()
        #expect(try file.all().isEmpty)
        try await ledger.reserve("more", "c", amount: "0.50")
        try file.foldAll()
        #expect(try file.all().map(\.endpoint) == ["later"])
    }

    // A file that was deleted holds no endpoints, and a new one begins with what comes next; the
    // same happening has the same id in it.
    @Test func deletedFile() async throws {
        let ledger = try await refusals()
        let first = try TemporaryFolder()
        let file = try ledger.webhookFile(first)
        try file.add("e")
        try file.foldAll()
        let second = try TemporaryFolder()
        let other = try ledger.webhookFile(second)
        #expect(try other.endpoints().isEmpty)
        #expect(try other.fold(now: now) == 0)
        try other.add("e")
        try other.foldAll()
        #expect(try other.all() == file.all())
    }

    // A log that was put back to an earlier state is folded anew, and nothing of it is notified a
    // second time.
    @Test func restoredLog() async throws {
        let ledger = try await refusals()
        let folder = try TemporaryFolder()
        var file: WebhookFile? = try ledger.webhookFile(folder)
        try file?.add("e")
        try file?.foldAll()
        let count = try file?.all().count
        file = nil
        let older = try await LedgerFixture()
        try await older.setBudget("b", amount: "0.10")
        try await older.reserve("x0", "c", amount: "0.50")
        let restored = try older.webhookFile(folder)
        #expect(restored.takeNotice() != nil)
        try restored.foldAll()
        #expect(try restored.all().count == count)
        try await older.reserve("x1", "c", amount: "0.50")
        try restored.foldAll()
        #expect(try restored.all().count == (count ?? 0) + 1)
    }

    // What ended is forgotten after a week; what waits is not.
    @Test func tidying() async throws {
        let ledger = try await refusals()
        let folder = try TemporaryFolder()
        let file = try ledger.webhookFile(folder)
        try file.add("e")
        try file.foldAll()
        let ids = try file.all().map(\.id)
        _ = try file.finish(
            ids[0], .answered(status: 200, retryAfter: nil), now: now, jitter: 0)
        try file.tidy(now: now.advanced(bySeconds: 6 * 86_400))
        #expect(try file.all().count == 3)
        try file.tidy(now: now.advanced(bySeconds: 8 * 86_400))
        #expect(try file.all().map(\.id) == Array(ids.dropFirst()))
        #expect(try file.removeEndpoint("e"))
        #expect(try file.all().isEmpty)
        #expect(try !file.removeEndpoint("e"))
    }
}
