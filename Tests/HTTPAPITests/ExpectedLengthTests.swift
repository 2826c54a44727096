import CanonicalJSON
import Synchronization
import Testing

@testable import HTTPAPI

@Suite struct ExpectedLengthTests {
    private func expected(
        _ api: APIFixture, _ customer: String, cap: Int = 4_000, more: String = ""
    ) async -> Int64? {
        let body =
            #"{"customer":"\#(customer)","model":"gpt-4o-mini","usage_estimate":"#
            + #"{"input_tokens":1000,"max_output_tokens":\#(cap)\#(more)}}"#
        return await api.post("/v1/estimates", body).integer(
            "estimate.expected_output_tokens")
    }

    private func settle(_ api: APIFixture, _ id: String, _ customer: String, output: Int) async {
        await api.reserveTokens(id, customer, model: "gpt-4o-mini")
        let answer = await api.post(
            "/v1/reservations/\(id)/settle",
            #"{"usage":{"input_tokens":900,"output_tokens":\#(output)}}"#)
        #expect(answer.status == 200)
    }

    // Rule (domain.md 5): expected output comes from what was settled: the customer's own answers,
    // before there are enough of them those of the project; and before those, the cap. What the
    // caller states wins, and the cap is never exceeded.
    @Test func expectsWhatWasSettled() async throws {
        let time = TestNanos()
        let api = try await APIFixture { $0.monotonicClock = { time.value } }
        #expect(await expected(api, "acme") == 4_000)
        for index in 0..<19 { await settle(api, "a\(index)", "acme", output: 200) }
        await settle(api, "last", "acme", output: 390)
        _ = await api.get("/v1/usage")
        // What is not known is looked for again after five seconds only.
        #expect(await expected(api, "acme") == 4_000)
        time.advance(seconds: 5)
        // 95 of 100 are the 19 of 20 with 200 tokens, whose bucket ends at 207.
        #expect(await expected(api, "acme") == 207)
        #expect(await expected(api, "stranger") == 207)
        #expect(await expected(api, "acme", cap: 150) == 150)
        #expect(
            await expected(api, "acme", more: #","expected_output_tokens":33"#) == 33)

        for index in 0..<20 { await settle(api, "z\(index)", "zoe", output: 15) }
        _ = await api.get("/v1/usage")
        // What was known of the project when the first of them began is kept for a minute.
        #expect(await expected(api, "zoe") == 207)
        time.advance(seconds: 60)
        #expect(await expected(api, "zoe") == 15)
        // The project's 40 answers, of which 38 have 200 tokens at most.
        #expect(await expected(api, "other") == 207)
    }

    // Rule: the figure used is on the event, and the batch and a single call get the same one.
    @Test func isOnTheEvent() async throws {
        let api = try await APIFixture()
        for index in 0..<20 { await settle(api, "a\(index)", "acme", output: 100) }
        _ = await api.get("/v1/usage")
        await api.reserveTokens("one", "fresh", model: "gpt-4o-mini")
        let single = await api.get("/v1/reservations/one")
        #expect(single.integer("estimate.expected_output_tokens") == 103)
        let batch = await api.post(
            "/v1/reservations/batch",
            #"{"commands":[{"op":"reserve","id":"two","customer":"fresh","model":"gpt-4o-mini","#
                + #""usage_estimate":{"input_tokens":1000,"max_output_tokens":500}}]}"#)
        #expect(
            batch.integer("results[0].body.estimate.expected_output_tokens") == 103)
    }

    // Rule: answers that say nothing of lengths are not learned from: estimated usage and amounts.
    @Test func learnsFromTrueUsageOnly() async throws {
        let api = try await APIFixture()
        for index in 0..<30 {
            await api.reserveTokens("m\(index)", "acme", model: "gpt-4o-mini")
            _ = await api.post("/v1/reservations/m\(index)/settle")
        }
        _ = await api.get("/v1/usage")
        #expect(await expected(api, "acme") == 4_000)
    }

    // Rule: learning can be turned off.
    @Test func canBeTurnedOff() async throws {
        let api = try await APIFixture { $0.expectedOutputPerThousand = 0 }
        for index in 0..<20 { await settle(api, "a\(index)", "acme", output: 100) }
        _ = await api.get("/v1/usage")
        #expect(await expected(api, "acme") == 4_000)
    }
}

/// A monotonic clock that a test turns.
private final class TestNanos: Sendable {
    private let nanos = Atomic<Int64>(1)
    var value: Int64 { nanos.load(ordering: .relaxed) }
    func advance(seconds: Int64) {
        nanos.wrappingAdd(seconds * 1_000_000_000, ordering: .relaxed)
    }
}
