import CanonicalJSON
import Testing
import Tokenizers

@testable import Simulators

@Suite struct SimulatedChatTests {
    // A whole answer has what OpenAI's has, and its counts are the tokenizer's.
    @Test func whole() async throws {
        try await SimulatorFixture.run { fixture in
            let json = try await fixture.chat("", prompt: "Hello").json
            #expect(at(json, "object")?.text == "chat.completion")
            #expect(at(json, "model")?.text == "gpt-4o-2024-08-06")
            #expect(at(json, "choices", "0", "finish_reason")?.text == "stop")
            let text = try #require(at(json, "choices", "0", "message", "content")?.text)
            let tokenizer = Tokenizer.named(.o200kBase)
            #expect(at(json, "usage", "completion_tokens")?.integer == tokenizer.count(text))
            // Three to a message, "user", "Hello", three before the answer.
            #expect(at(json, "usage", "prompt_tokens")?.integer == 8)
        }
    }

    // The same request gets the same text, another seed another.
    @Test func deterministic() async throws {
        let texts = Recorder()
        for seed in [1, 1, 2] as [UInt64] {
            try await SimulatorFixture.run({ $0.seed = seed }) { fixture in
                let json = try await fixture.chat("").json
                texts.add(at(json, "choices", "0", "message", "content")?.text ?? "")
            }
        }
        #expect(texts.all[0] == texts.all[1])
        #expect(texts.all[0] != texts.all[2])
    }

    // Without include_usage no chunk has the member; with it all have null and one more has it all.
    @Test func usageInStreams() async throws {
        try await SimulatorFixture.run { fixture in
            let plain = try await fixture.chat(#""stream":true"#)
            #expect(plain.data.last == "[DONE]")
            #expect(
                plain.events.allSatisfy { event in !event.members.contains { $0.key == "usage" } })
            let asked = try await fixture.chat(
                #""stream":true,"stream_options":{"include_usage":true}"#,
                prompt: "Hello [[output=7]]")
            let events = asked.events
            let last = try #require(events.last)
            #expect(last["choices"]?.items.isEmpty == true)
            #expect(at(last, "usage", "completion_tokens")?.integer == 7)
            #expect(
                events.dropLast().allSatisfy { event in
                    event.members.contains { $0.key == "usage" } && event["usage"] == nil
                })
            #expect(events.filter { at($0, "choices", "0", "delta", "content") != nil }.count == 8)
        }
    }

    // Each name of the output limit is obeyed, and the reason says so.
    @Test(arguments: ["max_tokens", "max_completion_tokens"])
    func outputLimit(name: String) async throws {
        try await SimulatorFixture.run { fixture in
            let json = try await fixture.chat(#""\#(name)":3"#, prompt: "Hello [[output=50]]").json
            #expect(at(json, "usage", "completion_tokens")?.integer == 3)
            #expect(at(json, "choices", "0", "finish_reason")?.text == "length")
        }
    }

    // Every choice is billed.
    @Test func choices() async throws {
        try await SimulatorFixture.run { fixture in
            let json = try await fixture.chat(#""n":3"#, prompt: "Hello [[output=5]]").json
            #expect(at(json, "choices")?.items.count == 3)
            #expect(at(json, "usage", "completion_tokens")?.integer == 15)
        }
    }

    // Reasoning is billed and not shown; where it takes all the room there is no text.
    @Test func reasoning() async throws {
        try await SimulatorFixture.run { fixture in
            let body =
                #"{"model":"gpt-5","messages":[{"role":"user","content":"[[output=5]]"}],"reasoning_effort":"low""#
            let json = try await fixture.post("/v1/chat/completions", body + "}").json
            #expect(at(json, "usage", "completion_tokens")?.integer == 37)
            #expect(
                at(json, "usage", "completion_tokens_details", "reasoning_tokens")?.integer == 32)
            let cut = try await fixture.post(
                "/v1/chat/completions", body + #","max_completion_tokens":20}"#
            ).json
            #expect(at(cut, "usage", "completion_tokens")?.integer == 20)
            #expect(at(cut, "choices", "0", "message", "content")?.text == "")
            #expect(at(cut, "choices", "0", "finish_reason")?.text == "length")
        }
    }

    private static let tools =
        #""tools":[{"type":"function","function":{"name":"find","parameters":{"type":"object","properties":{"what":{"type":"string"}}}}}]"#

    // A tool is called when it must be, or when the last message names it; not after its result.
    @Test func tools() async throws {
        try await SimulatorFixture.run { fixture in
            let forced = try await fixture.chat(Self.tools + #","tool_choice":"required""#).json
            let call = try #require(at(forced, "choices", "0", "message", "tool_calls", "0"))
            #expect(at(call, "function", "arguments")?.text == #"{"what":"some what"}"#)
            #expect(at(forced, "choices", "0", "finish_reason")?.text == "tool_calls")
            let named = try await fixture.chat(Self.tools, prompt: "Please find it").json
            #expect(at(named, "choices", "0", "message", "tool_calls") != nil)
            let free = try await fixture.chat(Self.tools).json
            #expect(at(free, "choices", "0", "message", "tool_calls") == nil)
            let after = try await fixture.post(
                "/v1/chat/completions",
                #"{"model":"gpt-4o","messages":[{"role":"user","content":"find"},{"role":"tool","tool_call_id":"x","content":"find"}],\#(Self.tools)}"#
            ).json
            #expect(at(after, "choices", "0", "message", "tool_calls") == nil)
        }
    }

    // A schema is kept to.
    @Test func schema() async throws {
        try await SimulatorFixture.run { fixture in
            let json = try await fixture.chat(
                #""response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"object","properties":{"n":{"type":"integer","minimum":12}}}}}"#
            ).json
            #expect(at(json, "choices", "0", "message", "content")?.text == #"{"n":12}"#)
        }
    }

    // What is wrong is refused as OpenAI refuses it.
    @Test func refusals() async throws {
        try await SimulatorFixture.run { fixture in
            let none = try await fixture.post("/v1/chat/completions", #"{"model":"gpt-4o"}"#)
            #expect(none.status == 400)
            #expect(at(try none.json, "error", "param")?.text == "messages")
            let broken = try await fixture.post("/v1/chat/completions", "{")
            #expect(broken.status == 400)
            let unknown = try await fixture.post("/v1/nothing", "{}")
            #expect(unknown.status == 404)
            let other = try await fixture.post("/v1/chat/completions", "{}", key: "another")
            #expect(other.status == 401)
            #expect(at(try other.json, "error", "code")?.text == "invalid_api_key")
        }
    }

    // Azure's path names the model, and its key comes in a header of its own.
    @Test func azure() async throws {
        try await SimulatorFixture.run { fixture in
            let answer = try await fixture.post(
                "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
                #"{"messages":[{"role":"user","content":"Hello"}]}"#,
                headers: ["api-key": SimulatorFixture.key], key: nil)
            #expect(at(try answer.json, "model")?.text == "gpt-4o-2024-08-06")
        }
    }
}
