import AsyncHTTPClient
import CanonicalJSON
import NIOCore
import NIOHTTP1
import Testing

@testable import Simulators

@Suite struct SimulatedFaultTests {
    private static let stream = #""stream":true,"stream_options":{"include_usage":true}"#

    // A stream that is cut has no end, and the books have the pieces that were written.
    @Test func cuts() async throws {
        try await SimulatorFixture.run { fixture in
            let after = try await fixture.chat(Self.stream, prompt: "[[output=20,cut_after=3]]")
            #expect(after.isBroken)
            #expect(!after.text.contains("[DONE]") && !after.text.contains("completion_tokens"))
            var served = try await fixture.newest()
            #expect(served.end == .cut && served.outputTokens == 3)
            let within = try await fixture.chat(
                Self.stream, prompt: "[[output=20,cut_mid_event=3]]")
            #expect(within.isBroken && within.events.count <= 4)
            served = try await fixture.newest()
            #expect(served.end == .cut && served.outputTokens == 4)
        }
    }

    // A whole answer that is cut was written whole.
    @Test func cutBody() async throws {
        try await SimulatorFixture.run { fixture in
            let answer = try await fixture.chat("", prompt: "[[output=20,cut_after=0]]")
            #expect(answer.isBroken)
            #expect(try await fixture.newest().outputTokens == 20)
        }
    }

    // An error within a stream ends it; what was written before is billed.
    @Test func errorEvents() async throws {
        try await SimulatorFixture.run { fixture in
            let chat = try await fixture.chat(Self.stream, prompt: "[[output=20,error_event=2]]")
            #expect(!chat.isBroken)
            #expect(at(try #require(chat.events.last), "error", "type")?.text == "server_error")
            #expect(try await fixture.newest().outputTokens == 2)
            let message = try await fixture.message(
                #""stream":true"#, prompt: "[[error_event=0]]")
            #expect(message.events.last?["type"]?.text == "error")
            #expect(message.text.contains("event: error\n"))
        }
    }

    // Usage that is missing, wrong, on every chunk, or beside a cost; the books have the truth.
    @Test func usage() async throws {
        try await SimulatorFixture.run { fixture in
            let none = try await fixture.chat("", prompt: "[[no_usage,output=5]]").json
            #expect(none["usage"] == nil)
            let wrong = try await fixture.chat("", prompt: "[[wrong_usage=99,output=5]]").json
            #expect(at(wrong, "usage", "completion_tokens")?.integer == 99)
            #expect(try await fixture.newest().outputTokens == 5)
            let every = try await fixture.chat(
                #""stream":true"#, prompt: "[[usage_every_chunk,output=4]]")
            #expect(
                every.events.compactMap { at($0, "usage", "completion_tokens")?.integer } == [
                    1, 1, 2, 3, 4,
                ])
            let cost = try await fixture.chat("", prompt: "[[cost=0.00125,cached=3]]").json
            #expect(at(cost, "usage", "cost") == .number("0.00125"))
            #expect(at(cost, "usage", "prompt_tokens_details", "cached_tokens")?.integer == 3)
            #expect(try await fixture.newest().cacheReadTokens == 3)
        }
    }

    // Errors with and without a time to wait.
    @Test(arguments: [402, 429, 500, 503])
    func statuses(status: Int) async throws {
        try await SimulatorFixture.run { fixture in
            let plain = try await fixture.chat("", headers: ["x-simulate": "status=\(status)"])
            #expect(plain.status == status && plain.headers["retry-after"] == nil)
            let later = try await fixture.chat(
                "", headers: ["x-simulate": "status=\(status),retry_after=2"])
            #expect(later.headers["retry-after"] == "2")
            #expect(try await fixture.newest().tokens == 0)
            #expect(try await fixture.newest().end == .refused)
        }
    }

    // The connection closes before any answer.
    @Test func noAnswer() async throws {
        try await SimulatorFixture.run { fixture in
            await #expect(throws: (any Error).self) {
                try await fixture.chat("", headers: ["x-simulate": "close_before_headers"])
            }
            let served = try await fixture.newest()
            #expect(served.end == .cut)
        }
    }

    // A caller that leaves is noticed, also while nothing is written; what was written is billed.
    @Test(arguments: ["hang", "hang_after=2", "tokens_per_second=20,output=400"])
    func leaving(orders: String) async throws {
        try await SimulatorFixture.run { fixture in
            var request = HTTPClientRequest(url: fixture.url + "/v1/chat/completions")
            request.method = .POST
            request.headers.add(name: "authorization", value: "Bearer \(SimulatorFixture.key)")
            request.headers.add(name: "x-simulate", value: orders)
            request.body = .bytes(
                ByteBuffer(
                    string:
                        #"{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"x"}]}"#
                ))
            if orders == "hang" {
                let asked = request
                await #expect(throws: (any Error).self) {
                    try await HTTPClient.shared.execute(asked, timeout: .milliseconds(400))
                }
            } else {
                let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
                // The opening and a piece have come when the second part has.
                var parts = 0
                for try await _ in response.body {
                    parts += 1
                    if parts == 2 { break }
                }
            }
            let served = try await fixture.newest()
            #expect(served.end == .clientGone)
            #expect(orders == "hang" ? served.tokens == 0 : served.outputTokens > 0)
            #expect(served.outputTokens < 400)
        }
    }

    // Bytes that are no JSON, a stream without an end, comments, one large piece, bytes one by one.
    @Test func shapes() async throws {
        try await SimulatorFixture.run { fixture in
            let body = try await fixture.chat("", prompt: "[[invalid_json]]")
            #expect(body.status == 200 && (try? body.json) == nil)
            let event = try await fixture.chat(#""stream":true"#, prompt: "[[invalid_json]]")
            #expect(event.data.count > event.events.count + 1)
            let endless = try await fixture.chat(#""stream":true"#, prompt: "[[no_done]]")
            #expect(!endless.text.contains("[DONE]") && !endless.isBroken)
            let comments = try await fixture.chat(#""stream":true"#, prompt: "[[comments]]")
            #expect(comments.text.hasPrefix(": SIMULATOR"))
            let huge = try await fixture.chat(
                #""stream":true"#, prompt: "[[huge_chunk=100000,output=0]]")
            #expect(huge.data.contains { $0.utf8.count > 100_000 })
            // The provider obeys its caller's cap, and bills what it wrote.
            let capped = try await fixture.chat(
                #""max_tokens":500"#, prompt: "[[huge_chunk=100000]]"
            ).json
            let tokens = try #require(capped["usage"]?["completion_tokens"]?.integer)
            #expect((490...500).contains(tokens))
            #expect(try await fixture.newest().outputTokens == Int(tokens))
            let slow = try await fixture.chat(
                #""stream":true"#, prompt: "[[slow_loris=0,output=2]]")
            #expect(slow.data.last == "[DONE]")
        }
    }

    // What is not there is missed in the dialect of its path, whichever headers a client sends.
    @Test func unknownPaths() async throws {
        try await SimulatorFixture.run { fixture in
            let headers = ["anthropic-version": "2023-06-01"]
            let openAI = try await fixture.post("/v1/moderations", "{}", headers: headers)
            #expect(openAI.status == 404)
            #expect(try openAI.json["type"] == nil)
            #expect(try openAI.json["error"]?["type"]?.text == "invalid_request_error")
            let anthropic = try await fixture.post("/v1/messages/batches", "{}")
            #expect(anthropic.status == 404)
            #expect(try anthropic.json["type"]?.text == "error")
        }
    }

    // The answer names another model and another tier than were asked for.
    @Test func served() async throws {
        try await SimulatorFixture.run { fixture in
            let json = try await fixture.chat(
                #""service_tier":"flex""#,
                prompt: "[[served_model=gpt-4o-2024-05-13,served_tier=default]]"
            ).json
            #expect(json["model"]?.text == "gpt-4o-2024-05-13")
            #expect(json["service_tier"]?.text == "default")
            let served = try await fixture.newest()
            #expect(served.askedTier == "flex" && served.servedTier == "default")
        }
    }
}
