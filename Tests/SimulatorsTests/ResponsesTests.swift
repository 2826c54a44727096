import CanonicalJSON
import Testing

@testable import Simulators

@Suite struct SimulatedResponsesTests {
    // A whole response: reasoning, then a message, and usage of both.
    @Test func whole() async throws {
        try await SimulatorFixture.run { fixture in
            let json = try await fixture.responses("", prompt: "Hello [[output=6]]").json
            #expect(json["status"]?.text == "completed")
            #expect(
                at(json, "output")?.items.compactMap { $0["type"]?.text } == [
                    "reasoning", "message",
                ])
            #expect(at(json, "usage", "output_tokens")?.integer == 70)
            #expect(at(json, "usage", "output_tokens_details", "reasoning_tokens")?.integer == 64)
        }
    }

    // The stream builds the same: numbered without gaps, usage in its last event.
    @Test func stream() async throws {
        try await SimulatorFixture.run { fixture in
            let events = try await fixture.responses(
                #""stream":true"#, prompt: "Hello [[output=4]]"
            ).events
            #expect(events.compactMap { $0["sequence_number"]?.integer } == Array(events.indices))
            #expect(events.first?["type"]?.text == "response.created")
            let last = try #require(events.last)
            #expect(last["type"]?.text == "response.completed")
            #expect(at(last, "response", "usage", "output_tokens")?.integer == 68)
            let text = events.filter { $0["type"]?.text == "response.output_text.delta" }
                .compactMap { $0["delta"]?.text }.joined()
            #expect(at(last, "response", "output", "1", "content", "0", "text")?.text == text)
        }
    }

    // A response that its limit ended is incomplete, in a stream as well.
    @Test func limit() async throws {
        try await SimulatorFixture.run { fixture in
            let members = #""max_output_tokens":66,"stream":true"#
            let last = try #require(
                try await fixture.responses(members, prompt: "[[output=90]]").events.last)
            #expect(last["type"]?.text == "response.incomplete")
            #expect(at(last, "response", "usage", "output_tokens")?.integer == 66)
            #expect(
                at(last, "response", "incomplete_details", "reason")?.text == "max_output_tokens")
        }
    }

    // What was said before is part of the prompt; an id that never was is an error.
    @Test func previous() async throws {
        try await SimulatorFixture.run { fixture in
            let first = try await fixture.responses("", prompt: "Hello [[output=9]]").json
            let id = try #require(first["id"]?.text)
            let before = try #require(at(first, "usage", "input_tokens")?.integer)
            let second = try await fixture.responses(#""previous_response_id":"\#(id)""#).json
            // Hello is eight tokens; what went before it and its answer (without the reasoning).
            #expect(at(second, "usage", "input_tokens")?.integer == 8 + before + 9)
            let none = try await fixture.responses(#""previous_response_id":"resp_x""#)
            #expect(none.status == 404)
        }
    }

    // Function calls stream their arguments.
    @Test func functions() async throws {
        try await SimulatorFixture.run { fixture in
            let events = try await fixture.responses(
                #""stream":true,"tool_choice":"required","tools":[{"type":"function","name":"find","parameters":{"type":"object","properties":{"n":{"type":"integer"}}}}]"#
            ).events
            let arguments =
                events
                .filter { $0["type"]?.text == "response.function_call_arguments.delta" }
                .compactMap { $0["delta"]?.text }.joined()
            #expect(arguments == #"{"n":7}"#)
        }
    }

    // Counting says what answering bills, and costs nothing.
    @Test func counting() async throws {
        try await SimulatorFixture.run { fixture in
            let body = #"{"model":"gpt-5-mini","input":"Hello"}"#
            let counted = try await fixture.post("/v1/responses/input_tokens", body).json
            #expect(try await fixture.newest().tokens == 0)
            let billed = try await fixture.post("/v1/responses", body).json
            #expect(counted["input_tokens"] == at(billed, "usage", "input_tokens"))
        }
    }

    // Texts and token ids are counted; vectors come as numbers or as base64 of floats.
    @Test func embeddings() async throws {
        try await SimulatorFixture.run { fixture in
            let model = #""model":"text-embedding-3-small","dimensions":2"#
            let texts = try await fixture.post(
                "/v1/embeddings", #"{\#(model),"input":["one two","three"]}"#
            ).json
            #expect(at(texts, "usage", "prompt_tokens")?.integer == 3)
            #expect(at(texts, "data", "0", "embedding")?.items.count == 2)
            let ids = try await fixture.post(
                "/v1/embeddings", #"{\#(model),"input":[1,2,3,4],"encoding_format":"base64"}"#
            ).json
            #expect(at(ids, "usage", "total_tokens")?.integer == 4)
            #expect(at(ids, "data", "0", "embedding")?.text?.utf8.count == 12)
        }
        #expect(EmbeddingsAnswer.base64([1, -0.5]) == "AACAPwAAAL8=")
    }
}
