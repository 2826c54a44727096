import CanonicalJSON
import Testing
import Tokenizers

@testable import Simulators

@Suite struct SimulatedMessagesTests {
    // The stream is what Anthropic sends: input first, cumulative output last, every block closed.
    @Test func stream() async throws {
        try await SimulatorFixture.run { fixture in
            let events = try await fixture.message(
                #""stream":true"#, prompt: "Hello [[output=12]]"
            ).events
            let types = events.compactMap { $0["type"]?.text }
            #expect(
                types.filter { $0 != "content_block_delta" } == [
                    "message_start", "ping", "content_block_start", "content_block_stop",
                    "message_delta", "message_stop",
                ])
            let start = try #require(at(events[0], "message", "usage"))
            let end = try #require(events.first { $0["type"]?.text == "message_delta" }?["usage"])
            #expect(start["output_tokens"]?.integer == 1)
            // Ten words of a tokenizer that needs 1.18 of Claude's.
            #expect(end["output_tokens"]?.integer == 12)
            #expect(start["input_tokens"] == end["input_tokens"])
        }
    }

    // Thinking is a block before the text, signed, and billed as output.
    @Test func thinking() async throws {
        try await SimulatorFixture.run { fixture in
            let json = try await fixture.message(
                #""thinking":{"type":"enabled","budget_tokens":1024}"#
            ).json
            #expect(at(json, "content", "0", "type")?.text == "thinking")
            #expect(at(json, "content", "0", "signature")?.text?.isEmpty == false)
            #expect(at(json, "content", "1", "type")?.text == "text")
        }
    }

    // Arguments of tools come as pieces of JSON that make an object together.
    @Test func tools() async throws {
        try await SimulatorFixture.run { fixture in
            let events = try await fixture.message(
                #""stream":true,"tool_choice":{"type":"any"},"tools":[{"name":"find","input_schema":{"type":"object","properties":{"n":{"type":"integer"}}}}]"#
            ).events
            let json = events.compactMap { at($0, "delta", "partial_json")?.text }.joined()
            #expect(json == #"{"n":7}"#)
            #expect(
                events.compactMap { at($0, "delta", "stop_reason")?.text } == ["tool_use"])
        }
    }

    // A marked prefix is written once and read after, for each lifetime; what follows is fresh.
    @Test func caching() async throws {
        try await SimulatorFixture.run { fixture in
            func ask(_ ttl: String, _ prompt: String) async throws -> JSONValue {
                let long = String(repeating: "long ", count: 1_200) + ttl
                let system =
                    #""system":[{"type":"text","text":"\#(long)","cache_control":{"type":"ephemeral","ttl":"\#(ttl)"}}]"#
                return try #require(try await fixture.message(system, prompt: prompt).json["usage"])
            }
            let first = try await ask("5m", "one")
            let written = try #require(
                at(first, "cache_creation", "ephemeral_5m_input_tokens")?.integer)
            #expect(written > 1_400)
            #expect(first["cache_read_input_tokens"]?.integer == 0)
            let second = try await ask("5m", "two")
            #expect(second["cache_read_input_tokens"]?.integer == written)
            #expect(second["cache_creation_input_tokens"]?.integer == 0)
            #expect(second["input_tokens"] == first["input_tokens"])
            let other = try await ask("1h", "one")
            #expect(at(other, "cache_creation", "ephemeral_1h_input_tokens")?.integer != 0)
            #expect(at(other, "cache_creation", "ephemeral_5m_input_tokens")?.integer == 0)
            let served = try await fixture.newest()
            #expect(served.cacheWrite1hTokens > 1_400)
        }
    }

    // A prefix below the least size is not cached.
    @Test func shortPrefix() async throws {
        try await SimulatorFixture.run { fixture in
            let json = try await fixture.message(
                #""system":[{"type":"text","text":"short","cache_control":{"type":"ephemeral"}}]"#
            ).json
            #expect(at(json, "usage", "cache_creation_input_tokens")?.integer == 0)
        }
    }

    // Counting says what answering bills, and costs nothing.
    @Test func counting() async throws {
        try await SimulatorFixture.run { fixture in
            let version = ["anthropic-version": "2023-06-01"]
            let counted = try await fixture.post(
                "/v1/messages/count_tokens",
                #"{"model":"claude-haiku-4-5","messages":[{"role":"user","content":"Hello"}]}"#,
                headers: version
            ).json
            #expect(try await fixture.newest().tokens == 0)
            let billed = try await fixture.message("").json
            #expect(counted["input_tokens"] == at(billed, "usage", "input_tokens"))
            let models = try await fixture.get("/v1/models", headers: version).json
            #expect(at(models, "data", "0", "type")?.text == "model")
        }
    }

    // Key, version and max_tokens are required, and errors are Anthropic's.
    @Test func refusals() async throws {
        try await SimulatorFixture.run { fixture in
            let noKey = try await fixture.post(
                "/v1/messages", "{}", headers: ["anthropic-version": "2023-06-01"], key: nil)
            #expect(noKey.status == 401)
            #expect(at(try noKey.json, "error", "type")?.text == "authentication_error")
            let noVersion = try await fixture.post("/v1/messages", "{}")
            #expect(noVersion.status == 400)
            let noLimit = try await fixture.post(
                "/v1/messages",
                #"{"model":"claude-haiku-4-5","messages":[{"role":"user","content":"x"}]}"#,
                headers: ["anthropic-version": "2023-06-01"])
            #expect(noLimit.text.contains("max_tokens"))
            let busy = try await fixture.message("", prompt: "[[status=529]]")
            #expect(busy.status == 529)
            #expect(at(try busy.json, "error", "type")?.text == "overloaded_error")
        }
    }

    // The newer generation of tokenizers needs more tokens for the same text.
    @Test func generations() {
        #expect(SimulatedModel("claude-3-5-sonnet-20241022", .anthropic).percent == 118)
        #expect(SimulatedModel("claude-sonnet-4-5", .anthropic).percent == 118)
        #expect(SimulatedModel("claude-opus-4-8", .anthropic).percent == 153)
        #expect(SimulatedModel("claude-opus-5", .anthropic).percent == 153)
        #expect(SimulatedModel("gpt-4", .openAI).encoding == .cl100kBase)
        #expect(SimulatedModel("gpt-4.1-mini", .openAI).encoding == .o200kBase)
    }
}
