import CanonicalJSON
import FaregateTestSupport
import HTTPAPI
import Testing

/// Estimates and holds made of the body that goes to the provider.
@Suite struct SizedRequestTests {
    static let chat = """
        {"model":"gpt-4o","messages":[{"role":"user","content":"Say hi."}],"max_tokens":100}
        """

    // Estimate and reservation count the same, name what was sized, and keep nothing of the text.
    @Test func sizes() async throws {
        let fixture = try await APIFixture()
        let estimate = await fixture.post(
            "/v1/estimates", #"{"customer":"acme","request":\#(Self.chat)}"#)
        #expect(estimate.status == 200)
        #expect(estimate.string("model") == "gpt-4o")
        #expect(estimate.string("would_be") == "reserved")
        #expect(estimate.integer("affordable_max_tokens") == 100)
        #expect(estimate.string("estimate.method") == "request")
        #expect(estimate.integer("estimate.input_tokens") == 10)
        #expect(estimate.integer("estimate.max_output_tokens") == 100)
        #expect(estimate.integer("estimate.expected_output_tokens") == 100)
        #expect(estimate.string("estimate.source.dialect") == "openai.chat")
        #expect(estimate.string("estimate.source.tokenizer") == "o200k_base")
        #expect(estimate.string("estimate.source.request_sha256")?.utf8.count == 64)
        let most = try #require(estimate.integer("estimate.max_input_tokens"))
        #expect(estimate.integer("estimate.bound.tokens") == most + 100)
        #expect(estimate.integer("estimate.expected.tokens") == 110)

        let reserved = await fixture.post(
            "/v1/reservations",
            #"{"id":"r1","customer":"acme","tags":{"team":"search"},"request":\#(Self.chat)}"#)
        #expect(reserved.status == 201)
        #expect(reserved.integer("estimate.max_input_tokens") == most)
        #expect(reserved.integer("hold.tokens") == most + 100)
        let explained = await fixture.ask("GET", "/v1/reservations/r1/explain")
        let text = try #require(explained.string("text"))
        #expect(text.contains("10 input tokens (at most \(most); counted by o200k_base in a"))
        #expect(text.contains(", tag 'team=search' asked to call"))
        let events = await fixture.ask("GET", "/v1/events")
        #expect(!String(decoding: events.response.body, as: UTF8.self).contains("Say hi"))
    }

    // The id answers for ever for the same request however it is spaced; not for another one.
    @Test func idempotency() async throws {
        let fixture = try await APIFixture()
        let first = await fixture.post(
            "/v1/reservations", #"{"id":"r1","customer":"acme","request":\#(Self.chat)}"#)
        let spaced = Self.chat.replacing(":", with: " : ")
        let again = await fixture.post(
            "/v1/reservations", #"{"id":"r1","customer":"acme","request":\#(spaced)}"#)
        #expect(again.response.header("Idempotent-Replayed") == "true")
        #expect(again.response.body == first.response.body)
        let other = Self.chat.replacing("Say hi", with: "Say ho")
        let mismatch = await fixture.post(
            "/v1/reservations", #"{"id":"r1","customer":"acme","request":\#(other)}"#)
        #expect(mismatch.code == "409 idempotency_mismatch")
    }

    // In a batch as alone.
    @Test func batch() async throws {
        let fixture = try await APIFixture()
        let answer = await fixture.post(
            "/v1/reservations/batch",
            #"{"commands":[{"op":"reserve","id":"b1","customer":"acme","request":\#(Self.chat)},"#
                + #"{"op":"reserve","id":"b2","customer":"acme","request":{"model":"gpt-4o"}}]}"#)
        #expect(answer.integer("results[0].status") == 201)
        #expect(answer.integer("results[1].status") == 422)
    }

    // What cannot be bounded is named and refused, and passes only when the caller says so.
    @Test func unbounded() async throws {
        let fixture = try await APIFixture()
        let request = """
            {"model":"gpt-4o","input":"x","max_output_tokens":10,
            "tools":[{"type":"code_interpreter"}]}
            """
        let body = #""customer":"acme","request":\#(request)"#
        let refused = await fixture.post("/v1/reservations", #"{"id":"r1",\#(body)}"#)
        #expect(refused.code == "422 unbounded_request")
        #expect(refused.string("error.param") == "request.tools[0]")
        let estimate = await fixture.post("/v1/estimates", "{\(body)}")
        #expect(estimate.string("would_be") == "unbounded")
        #expect(estimate.string("unbounded[0]") == "request.tools[0]")
        let allowed = await fixture.post(
            "/v1/reservations", #"{"id":"r1",\#(body),"allow_unbounded":true}"#)
        #expect(allowed.status == 201)
        #expect(allowed.string("estimate.source.unbounded[0]") == "tools[0]")
    }

    // Turns that lie at the provider are bounded by the model's largest prompt.
    @Test func earlierTurns() async throws {
        let fixture = try await APIFixture()
        let answer = await fixture.post(
            "/v1/estimates",
            #"{"customer":"acme","request":{"model":"gpt-4o","input":"x","max_output_tokens":10,"#
                + #""previous_response_id":"resp_1"}}"#)
        #expect(answer.integer("estimate.full_contexts") == 1)
        #expect(answer.integer("estimate.max_input_tokens") == 128_000)
    }

    // Wrong ways to say the size name the field.
    @Test(arguments: [
        (#""request":{"model":"m","messages":[{"role":1}]}"#, "request.messages[0].role"),
        (#""request":{"messages":[]}"#, "request.model"),
        (#""request":{"model":"claude-x","messages":[]}"#, "dialect"),
        (#""request":{"model":"m"}"#, "dialect"),
        (#""model":"m","request":{"messages":[]},"amount":"1""#, "request"),
        (#""model":"m","request":{"messages":[]},"usage_estimate":{"input_tokens":1}"#, "request"),
    ])
    func wrongSizes(members: String, param: String) async throws {
        let fixture = try await APIFixture.shared.value
        let answer = await fixture.post("/v1/estimates", #"{"customer":"acme",\#(members)}"#)
        #expect(answer.code == "422 invalid_request")
        #expect(answer.string("error.param") == param)
    }

    // A request of three megabytes fits; fields of our own stay as short as they were.
    @Test func large() async throws {
        let fixture = try await APIFixture.shared.value
        let text = String(repeating: "A sentence of words. ", count: 150_000)
        let large = await fixture.post(
            "/v1/estimates",
            #"{"customer":"acme","request":{"model":"gpt-4o","max_tokens":1,"messages":"#
                + #"[{"role":"user","content":"\#(text)"}]}}"#)
        #expect(large.status == 200)
        #expect(large.integer("estimate.source.request_bytes")! > 3_000_000)
        let long = await fixture.post(
            "/v1/estimates", #"{"customer":"\#(text)","request":\#(Self.chat)}"#)
        #expect(long.string("error.param") == "customer")
    }
}
