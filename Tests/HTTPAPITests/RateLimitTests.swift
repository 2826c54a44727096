import Billing
import Engine
import EventLog
import FaregateTestSupport
import HTTPAPI
import Synchronization
import Telemetry
import Testing

@Suite struct RateLimitTests {
    /// A clock that the test sets, nanoseconds.
    private final class TestClock: Sendable {
        private let now = Atomic<Int64>(1_000_000_000)
        func advance(milliseconds: Int64) {
            now.wrappingAdd(milliseconds * 1_000_000, ordering: .relaxed)
        }
        var read: @Sendable () -> Int64 { { self.now.load(ordering: .relaxed) } }
    }

    private func fixture(_ clock: TestClock) async throws -> APIFixture {
        try await APIFixture { configuration in
            configuration.rateLimit = RateLimit(requestsPerSecond: 2, burst: 3)
            configuration.rateLimitByKey = [
                "key_read": nil, "key_meter": RateLimit(requestsPerSecond: 1, burst: 1),
            ]
            configuration.monotonicClock = clock.read
        }
    }

    // A key has its burst, then 429 with the time to wait, then tokens again as time passes; the
    // headers say where it stands.
    @Test func overTheRate() async throws {
        let clock = TestClock()
        let fixture = try await fixture(clock)
        for (left, full) in [(2, 1), (1, 1), (0, 2)] {
            let answer = await fixture.get("/v1/plans")
            #expect(answer.status == 200)
            #expect(answer.response.header("RateLimit-Policy") == #""key";q=3;w=2"#)
            #expect(answer.response.header("RateLimit") == #""key";r=\#(left);t=\#(full)"#)
        }
        let refused = await fixture.get("/v1/plans")
        #expect(refused.code == "429 rate_limited")
        #expect(refused.string("error.type") == "rate_limit")
        #expect(refused.response.header("Retry-After") == "1")
        #expect(refused.response.header("x-should-retry") == "true")
        #expect(refused.response.header("RateLimit") == #""key";r=0;t=2"#)
        clock.advance(milliseconds: 499)
        #expect(await fixture.get("/v1/plans").status == 429)
        clock.advance(milliseconds: 1)
        #expect(await fixture.get("/v1/plans").status == 200)
        #expect(await fixture.get("/v1/plans").status == 429)
    }

    // A refused request does nothing: its id is still free.
    @Test func nothingIsRecorded() async throws {
        let clock = TestClock()
        let fixture = try await fixture(clock)
        let secret = APIFixture.secrets[.meter]
        let body = #"{"id":"a","customer":"c","model":"m","amount":"1"}"#
        #expect(await fixture.get("/v1/plans", secret: secret).status == 200)
        let head = fixture.ledger.store.head.sequence
        #expect(await fixture.post("/v1/reservations", body, secret: secret).status == 429)
        #expect(fixture.ledger.store.head.sequence == head)
        clock.advance(milliseconds: 1_000)
        #expect(await fixture.post("/v1/reservations", body, secret: secret).status == 201)
    }

    // Keys do not share a bucket, a key may have no limit at all, and what needs no key has none.
    @Test func keysAreApart() async throws {
        let fixture = try await fixture(TestClock())
        for _ in 0..<20 {
            let answer = await fixture.get("/v1/plans", secret: APIFixture.secrets[.read])
            #expect(answer.status == 200)
            #expect(answer.response.header("RateLimit") == nil)
            #expect(await fixture.get("/readyz").status == 200)
        }
        let meter = APIFixture.secrets[.meter]
        #expect(await fixture.get("/v1/plans", secret: meter).status == 200)
        #expect(await fixture.get("/v1/plans", secret: meter).status == 429)
        #expect(await fixture.get("/v1/plans").status == 200)
    }

    // Without limits there are no headers about them.
    @Test func unlimited() async throws {
        let fixture = try await APIFixture.shared.value
        let answer = await fixture.get("/v1/plans")
        #expect(answer.response.header("RateLimit") == nil)
        #expect(answer.response.header("RateLimit-Policy") == nil)
    }
}
