import CanonicalJSON
import StripeAPI
import Synchronization
import Testing

/// Answers from a list, and keeps what was sent.
private final class ScriptedTransport: StripeTransport {
    private let script: Mutex<[Result<TransportResponse, TransportError>]>
    private let requests = Mutex<[TransportRequest]>([])

    init(_ script: [Result<TransportResponse, TransportError>]) { self.script = Mutex(script) }

    var sent: [TransportRequest] { requests.withLock { $0 } }

    func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
        requests.withLock { $0.append(request) }
        let next = script.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        guard let next else { throw TransportError(.closed, "the script is over") }
        return try next.get()
    }

    func shutdown() async {}
}

/// Time passes by sleeping.
private final class JumpingSleeper: StripeSleeper {
    private let now = Atomic<Int64>(0)
    var slept: Int64 { now.load(ordering: .relaxed) }

    func sleep(microseconds: Int64) async { now.add(microseconds, ordering: .relaxed) }
    func monotonicMicroseconds() -> Int64 { now.load(ordering: .relaxed) }
}

struct StripeClientTests {
    private static func answer(
        _ status: Int, _ json: String = "{}", _ headers: [(name: String, value: String)] = []
    ) -> Result<TransportResponse, TransportError> {
        .success(TransportResponse(status: status, headers: headers, body: Array(json.utf8)))
    }

    private static func client(
        _ transport: ScriptedTransport, _ sleeper: JumpingSleeper = JumpingSleeper(),
        account: String? = nil
    ) throws -> StripeClient {
        var endpoint = StripeEndpoint()
        endpoint.account = account
        return StripeClient(
            transport: transport, key: try #require(StripeKey("sk_test_12345")),
            endpoint: endpoint, sleeper: sleeper)
    }

    @Test("Every request names key, version and account; a repeated one is the same bytes")
    func sendsHeaders() async throws {
        let transport = ScriptedTransport([
            .failure(TransportError(.broken, "")), Self.answer(500), Self.answer(200),
        ])
        let client = try Self.client(transport, account: "acct_1")
        let body = MeterEventBody(
            eventName: "m", stripeCustomer: "cus_1", value: 5, identifier: "i1",
            timestampSeconds: 9)
        _ = try await client.perform(body.call(identifier: "i1"))
        let sent = transport.sent
        #expect(sent.count == 3)
        #expect(sent[0] == sent[1] && sent[1] == sent[2])
        let headers = Dictionary(uniqueKeysWithValues: sent[0].headers.map { ($0.name, $0.value) })
        #expect(headers["Authorization"] == "Bearer sk_test_12345")
        #expect(headers["Stripe-Version"] == "2026-10-28.endive")
        #expect(headers["Stripe-Account"] == "acct_1")
        #expect(headers["Idempotency-Key"] == "i1")
        #expect(sent[0].url == "https://api.stripe.com/v1/billing/meter_events")
    }

    @Test("A call without a key is not repeated once something may have been done")
    func doesNotRepeatBlindly() async throws {
        let transport = ScriptedTransport([
            .failure(TransportError(.timeout, "")), Self.answer(200),
        ])
        let client = try Self.client(transport)
        await #expect {
            _ = try await client.perform(
                StripeCalls.createPortal(stripeCustomer: "cus_1", returnURL: "https://x.test"))
        } throws: { error in
            (error as? StripeFailure)?.mayBeDone == true
        }
        #expect(transport.sent.count == 1)
    }

    @Test("An answer that is no JSON is as good as lost")
    func distrustsOddAnswers() async throws {
        let transport = ScriptedTransport([Self.answer(200, "<html>")])
        let client = try Self.client(transport)
        await #expect {
            _ = try await client.performOnce(StripeMeter.list)
        } throws: { error in
            (error as? AttemptFailure)?.mayBeDone == true
        }
    }

    @Test("All pages of a list are read, each once, and a list that repeats itself ends")
    func readsPages() async throws {
        let transport = ScriptedTransport([
            Self.answer(200, #"{"data":[{"id":"a"},{"id":"b"}],"has_more":true}"#),
            Self.answer(200, #"{"data":[{"id":"c"}],"has_more":true}"#),
            Self.answer(200, #"{"data":[{"id":"c"}],"has_more":true}"#),
        ])
        let client = try Self.client(transport)
        var ids: [String] = []
        try await client.forEach(StripeMeter.list) { item in
            ids.append(item.objectID ?? "")
            return true
        }
        #expect(ids == ["a", "b", "c", "c"])
        #expect(
            transport.sent.map { $0.url.split(separator: "?").last.map(String.init) } == [
                "limit=100", "limit=100&starting_after=b", "limit=100&starting_after=c",
            ])
    }

    @Test("Calls keep to the rate of the key's mode")
    func keepsRate() async throws {
        let transport = ScriptedTransport(Array(repeating: Self.answer(200), count: 100))
        let sleeper = JumpingSleeper()
        let client = try Self.client(transport, sleeper)
        for _ in 0..<100 { _ = try await client.perform(StripeMeter.list) }
        // 20 a second, of which one second's worth at once.
        #expect((3_900_000...4_100_000).contains(sleeper.slept))
    }

    @Test("Keys are secret or restricted ones, and show nowhere")
    func hidesKeys() throws {
        #expect(StripeKey("pk_test_1234567") == nil)
        #expect(StripeKey("sk_test_") == nil)
        #expect(StripeKey("sk_test_12 345") == nil)
        let key = try #require(StripeKey(" rk_live_12345\n"))
        #expect(key.isLive)
        #expect(!"\(key) \(String(reflecting: key))".contains("12345"))
        var dumped = ""
        dump(key, to: &dumped)
        #expect(!dumped.contains("12345"))
    }
}
