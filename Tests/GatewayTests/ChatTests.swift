import AsyncHTTPClient
import Billing
import CanonicalJSON
import FaregateTestSupport
import Money
import NIOCore
import NIOHTTP1
import Testing

@testable import Gateway

/// OpenAI's chat completions end to end, against a provider that does as it is told.
@Suite struct ChatTests {
    static let answer = #"""
        {"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o-2024-08-06","choices":[{"index":0,
        "message":{"role":"assistant","content":"Hello there."},"finish_reason":"stop"}],
        "usage":{"prompt_tokens":10,"completion_tokens":4,"total_tokens":14}}
        """#

    static func chunk(_ text: String) -> FakeUpstream.Step {
        .text(
            #"data: {"id":"c","object":"chat.completion.chunk","model":"gpt-4o-2024-08-06","#
                + #""choices":[{"index":0,"delta":{"content":"\#(text)"},"finish_reason":null}]}"#
                + "\n\n")
    }

    static let finish = FakeUpstream.Step.text(
        #"data: {"id":"c","model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{},"#
            + #""finish_reason":"stop"}]}"# + "\n\n")
    static let usage = FakeUpstream.Step.text(
        #"data: {"id":"c","model":"gpt-4o-2024-08-06","choices":[],"usage":{"prompt_tokens":10,"#
            + #""completion_tokens":2,"total_tokens":12}}"# + "\n\n")
    static let done = FakeUpstream.Step.text("data: [DONE]\n\n")

    // A whole answer: the provider's bytes, the charge in a header, the ledger's settlement equal
    // to the usage, nothing held any longer.
    @Test func wholeAnswer() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(.json(Self.answer))
            let reply = try await fixture.chat()
            #expect(reply.status == 200)
            #expect(reply.text == Self.answer)
            let settled = try await fixture.settlement()
            // 10 × 2.50 + 4 × 10.00 per million.
            #expect(settled.rated.charge == (try Money(decimal: "0.000065")))
            #expect(reply.header("x-faregate-charge") == "0.000065")
            #expect(reply.header("x-faregate-remaining") == nil)
            #expect(settled.rated.marks == [])
            let id = try #require(reply.header("x-faregate-reservation"))
            #expect(try await fixture.history(id).count == 2)
            #expect(try await fixture.openHolds() == 0)
        }
    }

    // A stream: relayed piece by piece, usage asked for and its chunk kept back, settled by it.
    @Test func stream() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(
                .stream([
                    Self.chunk("Hel"), .hold, Self.chunk("lo"), Self.finish, Self.usage, Self.done,
                ]))
            let response = try await fixture.open(
                fixture.request(
                    "/openai/v1/chat/completions",
                    GatewayFixture.chatBody(#","max_tokens":50,"stream":true"#)))
            #expect(response.status.code == 200)
            #expect(
                response.headers.first(name: "content-type")?.hasPrefix("text/event-stream") == true
            )
            var text = ""
            var pieces = response.body.makeAsyncIterator()
            // The first piece is there while the provider has not gone on.
            let first = try #require(try await pieces.next())
            #expect(String(buffer: first).contains("Hel"))
            fixture.upstream.release()
            text += String(buffer: first)
            while let piece = try await pieces.next() { text += String(buffer: piece) }
            #expect(text.hasSuffix("data: [DONE]\n\n"))
            #expect(!text.contains("prompt_tokens"))
            let settled = try await fixture.settlement()
            #expect(settled.rated.charge == (try Money(decimal: "0.000045")))
            #expect(settled.rated.marks == [])
            let sent = try #require(fixture.upstream.received.first)
            #expect(sent.body.contains(#""include_usage":true"#))
        }
    }

    // Who asks for usage gets its chunk.
    @Test func usageChunkForWhoAsks() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(.stream([Self.chunk("Hi"), Self.usage, Self.done]))
            let reply = try await fixture.chat(
                #","max_tokens":50,"stream":true,"stream_options":{"include_usage":true}"#)
            #expect(reply.text.contains("prompt_tokens"))
            _ = try await fixture.settlement()
        }
    }

    // When the last event of a stream is there, its money is free: the next call finds it.
    @Test func settledBeforeTheLastEvent() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(.stream([Self.chunk("Hi"), Self.usage, Self.done, .hold]))
            let response = try await fixture.open(
                fixture.request(
                    "/openai/v1/chat/completions",
                    GatewayFixture.chatBody(#","max_tokens":50,"stream":true"#)))
            var text = ""
            for try await piece in response.body {
                text += String(buffer: piece)
                if text.hasSuffix("[DONE]\n\n") { break }
            }
            #expect(try await fixture.openHolds() == 0)
        }
    }

    // A model without a known maximum needs a cap, which is asked for by the caller's name for it.
    @Test func capRequired() async throws {
        try await GatewayFixture.with { fixture in
            let reply = try await fixture.chat("", model: "azure/eu/gpt-4.1")
            #expect(reply.status == 400)
            #expect(reply.string("error.param") == "max_tokens")
        }
    }

    // A server whose own limit is the cap is given none that the caller has not, unless a budget
    // lowers it.
    @Test func noCapAdded() async throws {
        try await GatewayFixture.with(
            change: { settings in
                for place in settings.upstreams.indices {
                    settings.upstreams[place].addsCap = false
                }
            }
        ) { fixture in
            fixture.upstream.answers(.json(Self.answer))
            _ = try await fixture.chat("")
            #expect(fixture.upstream.received[0].body == GatewayFixture.chatBody(""))
            try await fixture.ledger.setBudget("small", amount: "0.001", onExceed: .clamp)
            _ = try await fixture.chat("")
            #expect(fixture.upstream.received[1].body.contains(#""max_tokens":"#))
        }
    }

    // The output cap that was held for is sent where the caller has none, and clamped where a
    // budget says so.
    @Test func outputCap() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(.json(Self.answer))
            _ = try await fixture.chat("")
            #expect(fixture.upstream.received[0].body.contains(#""max_tokens":16384"#))
            _ = try await fixture.chat(#","max_tokens":100"#)
            #expect(
                fixture.upstream.received[1].body == GatewayFixture.chatBody(#","max_tokens":100"#))
            try await fixture.ledger.setBudget("small", amount: "0.001", onExceed: .clamp)
            _ = try await fixture.chat(#","max_tokens":16000"#)
            let body = fixture.upstream.received[2].body
            #expect(!body.contains("16000") && body.contains(#""max_tokens":"#))
        }
    }

    // A refusal in the words of OpenAI's library, which does not try it again, with the figures.
    @Test func refused() async throws {
        try await GatewayFixture.with { fixture in
            try await fixture.ledger.setBudget("tiny", amount: "0.0000001")
            let reply = try await fixture.chat()
            #expect(reply.status == 402)
            #expect(reply.header("x-should-retry") == "false")
            #expect(reply.string("error.type") == "spend_limit")
            #expect(reply.string("error.code") == "request_too_large")
            #expect(reply.string("error.budget") == "tiny")
            #expect(reply.string("error.amount") == "0.0000001")
            #expect(reply.header("x-faregate-reservation") == reply.string("error.reservation"))
            #expect(fixture.upstream.received.isEmpty)
        }
    }

    // Holds in the way are the one refusal that is worth another try.
    @Test func holdsFull() async throws {
        try await GatewayFixture.with { fixture in
            try await fixture.ledger.setBudget("one", amount: "0.0015")
            fixture.upstream.answers(.stream([Self.chunk("Hi"), .hold, Self.usage, Self.done]))
            let first = try await fixture.open(
                fixture.request(
                    "/openai/v1/chat/completions",
                    GatewayFixture.chatBody(#","max_tokens":100,"stream":true"#)))
            let reply = try await fixture.chat()
            #expect(reply.status == 429)
            #expect(reply.string("error.code") == "holds_full")
            #expect(reply.header("x-should-retry") == "true")
            #expect(reply.header("retry-after") != nil)
            fixture.upstream.release()
            #expect(try await GatewayReply(first).isBroken == false)
            _ = try await fixture.settled()
        }
    }

    // What is left is told: with the hold for streams, after the charge for whole answers.
    @Test func remaining() async throws {
        try await GatewayFixture.with { fixture in
            try await fixture.ledger.setBudget("month", amount: "1")
            fixture.upstream.answers(.json(Self.answer))
            #expect(try await fixture.chat().header("x-faregate-remaining") == "0.999935")
        }
    }
}
