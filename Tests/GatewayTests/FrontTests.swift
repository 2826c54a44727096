import AsyncHTTPClient
import Billing
import CanonicalJSON
import EventLog
import FaregateTestSupport
import HTTPTypes
import Money
import NIOHTTP1
import Telemetry
import Testing

@testable import Gateway
@testable import HTTPAPI

/// What is decided before anything is sent: who asks, which route, whom it is charged to, and what
/// passes of the headers.
@Suite struct FrontTests {
    static let message = #"""
        {"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":
        [{"type":"text","text":"Hello."}],"stop_reason":"end_turn","usage":{"input_tokens":10,
        "output_tokens":4}}
        """#
    private let messages = #"""
        {"model":"claude-sonnet-4-5","max_tokens":100,"messages":[{"role":"user","content":"Hi"}]}
        """#

    // Our key never goes upstream, the upstream's never comes back, and neither do cookies or our
    // headers; what providers and their users look for passes both ways.
    @Test func headers() async throws {
        try await GatewayFixture.with { fixture in
            var answer = FakeUpstream.Answer.json(ChatTests.answer)
            answer.headers += [
                ("x-request-id", "theirs"), ("x-ratelimit-remaining-tokens", "7"),
                ("set-cookie", "a=b"), ("x-faregate-charge", "0"), ("server", "cloud"),
            ]
            fixture.upstream.answers(answer)
            let reply = try await fixture.chat(headers: [
                ("Cookie", "session=1"), ("X-Faregate-Run", "r1"), ("OpenAI-Organization", "org"),
                ("Accept-Encoding", "gzip"), ("X-Request-Id", "mine"),
            ])
            let sent = try #require(fixture.upstream.received.first)
            let all = sent.headers.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
            #expect(!all.contains(GatewayFixture.secret))
            #expect(sent.headers[.authorization] == "Bearer \(GatewayFixture.upstreamSecret)")
            #expect(!all.lowercased().contains("faregate"))
            #expect(!all.lowercased().contains("cookie"))
            #expect(!all.lowercased().contains("openai-organization"))
            #expect(sent.headers[.acceptEncoding] == "identity")
            let back = reply.headers.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
            #expect(!(back + reply.text).contains("canary"))
            #expect(reply.header("set-cookie") == nil)
            #expect(reply.header("x-faregate-charge") == "0.000065")
            // One id each, under names of their own: a library joins two values of one header.
            #expect(reply.headers["x-request-id"] == ["theirs"])
            #expect(reply.headers["x-faregate-request-id"] == ["mine"])
            #expect(reply.header("x-ratelimit-remaining-tokens") == "7")
        }
    }

    // Neither the log line nor an event has a key or a word of prompt or answer in it.
    @Test func nothingIsTold() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(.json(ChatTests.answer))
            _ = try await fixture.chat()
            _ = try await fixture.settlement()
            let stored = try fixture.ledger.store.read(after: 0, limit: .max, maxBytes: .max)
            let log = stored.map { String(decoding: $0.bytes, as: UTF8.self) }.joined()
            for word in ["canary", GatewayFixture.secret, "Say hello", "Hello there"] {
                #expect(!log.contains(word))
            }
        }
    }

    // A key may come as each of the libraries sends it.
    @Test func keysOfTheLibraries() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(.json(Self.message))
            let reply = try await fixture.ask(
                "/anthropic/v1/messages", messages, headers: [("x-api-key", GatewayFixture.secret)],
                key: nil)
            #expect(reply.status == 200)
            #expect(reply.header("x-faregate-charge") == "0.00009")
            let sent = try #require(fixture.upstream.received.first)
            #expect(sent.headers[.xAPIKey] == GatewayFixture.upstreamSecret)
            #expect(sent.headers[.authorization] == nil)
        }
    }

    // Refusals and errors have the form of the caller's library.
    @Test func errorsOfTheLibraries() async throws {
        try await GatewayFixture.with { fixture in
            let anthropic = try await fixture.ask("/anthropic/v1/messages", messages, key: "fg_no")
            #expect(anthropic.status == 401)
            #expect(anthropic.string("type") == "error")
            #expect(anthropic.string("error.type") == "authentication_error")
            let openAI = try await fixture.ask("/openai/v1/chat/completions", "{}", key: nil)
            #expect(openAI.status == 401)
            #expect(openAI.string("error.code") == "unauthenticated")
            try await fixture.ledger.setBudget("tiny", amount: "0.0000001")
            let refused = try await fixture.ask("/anthropic/v1/messages", messages)
            #expect(refused.status == 402)
            #expect(refused.string("error.type") == "billing_error")
            #expect(refused.string("error.budget") == "tiny")
            #expect(refused.header("x-should-retry") == "false")
        }
    }

    // A key that may only read may not spend.
    @Test func roles() async throws {
        try await GatewayFixture.with { fixture in
            try await fixture.addKey("key_read", "fg_read-secret", .read)
            let reply = try await fixture.ask(
                "/openai/v1/chat/completions", GatewayFixture.chatBody(""), key: "fg_read-secret")
            #expect(reply.status == 403)
        }
    }

    // Nobody is charged by guess: the header is asked for by its name.
    @Test func customerIsRequired() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(.json(ChatTests.answer))
            let reply = try await fixture.chat(
                #","max_tokens":9,"user":"from-body""#, customer: nil)
            #expect(reply.status == 400)
            #expect(reply.string("error.code") == "missing_customer")
            #expect(reply.string("error.message")?.contains("X-Faregate-Customer") == true)
            #expect(fixture.upstream.received.isEmpty)
        }
    }

    // A field of the body names the customer where its project lets it; the header goes first.
    @Test func customerFromTheBody() async throws {
        try await GatewayFixture.with(
            change: { $0.customerFrom = ["default": [.user]] },
            { (fixture) async throws in
                fixture.upstream.answers(.json(ChatTests.answer))
                let body = #","max_tokens":9,"user":"from-body""#
                #expect(try await fixture.chat(body, customer: nil).status == 200)
                #expect(try await fixture.ledger.customer("from-body").totals.charge > .zero)
                #expect(try await fixture.chat(body, customer: "from-header").status == 200)
                #expect(try await fixture.ledger.customer("from-header").totals.charge > .zero)
            })
    }

    // User, run, tags and project are on the event as the headers say.
    @Test func subject() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(.json(ChatTests.answer))
            _ = try await fixture.chat(headers: [
                ("X-Faregate-User", "u1"), ("X-Faregate-Run", "r1"),
                ("X-Faregate-Tags", "team=search, region=eu%2Cwest"),
            ])
            let event = try #require(try await fixture.history().first?.reservation)
            #expect(event.call.user == "u1")
            #expect(event.call.run == "r1")
            #expect(
                event.call.tags == [
                    Tag(key: "region", value: "eu,west"), Tag(key: "team", value: "search"),
                ])
            #expect(event.onExpiry == .charge)
            try await fixture.addKey("key_bound", "fg_bound-secret", project: "default")
            let reply = try await fixture.ask(
                "/openai/v1/chat/completions", GatewayFixture.chatBody(""),
                headers: [("X-Faregate-Project", "other")], key: "fg_bound-secret")
            #expect(reply.status == 403)
            let bad = try await fixture.chat(headers: [("X-Faregate-Tags", "team")])
            #expect(bad.status == 400)
            #expect(bad.string("error.param") == "X-Faregate-Tags")
        }
    }

    // What costs nothing passes without a customer and without a hold.
    @Test func freeRoutes() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(.json(#"{"data":[]}"#))
            let models = try await fixture.ask(
                "/openai/v1/models?limit=3", customer: nil, method: "GET")
            #expect(models.text == #"{"data":[]}"#)
            #expect(fixture.upstream.received[0].path == "/v1/models?limit=3")
            let count = try await fixture.ask(
                "/anthropic/v1/messages/count_tokens", messages, customer: nil)
            #expect(count.status == 200)
            #expect(fixture.upstream.received[1].body == messages)
            try await fixture.settled()
            #expect(try await fixture.history().isEmpty)
        }
    }

    // What is not understood is closed. The answer says how what is known is opened; for a path
    // that is misspelt, or of another dialect, it says what there is instead.
    @Test(arguments: [
        ("POST", "/openai/v1/images/generations", "\"POST /v1/images/generations\" to unmetered"),
        ("POST", "/openai/v1/batches", "\"POST /v1/batches\" to unmetered"),
        ("POST", "/anthropic/v1/messages/batches", "to unmetered"),
        ("GET", "/openai/v1/responses/resp_1", "\"GET /v1/responses/*\" to unmetered"),
        ("GET", "/openai/v1/chat/completions", "\"GET /v1/chat/completions\" to unmetered"),
        ("POST", "/openai/v1/chat/completion", "POST /openai/v1/chat/completions, "),
        ("POST", "/openai/v1/messages", "dialect 'openai', and this path is of 'anthropic'. It "),
        ("POST", "/anthropic/v1/chat/completions", "It serves POST /anthropic/v1/messages, "),
    ])
    func closedRoutes(method: String, path: String, told: String) async throws {
        try await GatewayFixture.with { fixture in
            let reply = try await fixture.ask(path, "{}", method: method)
            #expect(reply.status == 403)
            #expect(reply.string("error.code") == "route_closed")
            let message = reply.string("error.message") ?? ""
            #expect(message.contains(told), "\(message)")
            #expect(message.contains("unmetered") == told.contains("unmetered"))
            #expect(fixture.upstream.received.isEmpty)
        }
    }

    // The base URL itself is no route, and whoever opens it is told what is there.
    @Test(arguments: ["/openai", "/openai/"]) func baseURL(path: String) async throws {
        try await GatewayFixture.with { fixture in
            let reply = try await fixture.ask(path, method: "GET")
            #expect(reply.status == 404)
            #expect(reply.string("error.message")?.contains("/openai/v1/responses") == true)
        }
    }

    // The operator may open a route at its own cost; a path that leads elsewhere is not it.
    @Test func unmeteredRoutes() async throws {
        try await GatewayFixture.with(
            change: { settings in
                for place in settings.upstreams.indices {
                    settings.upstreams[place].unmetered = [
                        UnmeteredRoute(method: "POST", path: "/v1/files/", isPrefix: true)
                    ]
                }
            },
            { (fixture) async throws in
                fixture.upstream.answers(.json("{}"))
                #expect(try await fixture.ask("/openai/v1/files/x", "{}").status == 200)
                for path in ["/v1/files/%2e%2e/responses", "/v1/files/..%2fresponses"] {
                    let reply = try await fixture.ask("/openai" + path, "{}")
                    #expect(reply.status == 400)
                }
                #expect(fixture.upstream.received.count == 1)
            })
    }

    // Dear prompts are counted by the provider, whose count is held for; without its answer, ours.
    @Test func providersCount() async throws {
        try await GatewayFixture.with(
            change: { settings in
                for place in settings.upstreams.indices {
                    settings.upstreams[place].countAbove = .zero
                }
            },
            { (fixture) async throws in
                fixture.upstream.answers(
                    .json(#"{"input_tokens":42}"#), .json(Self.message), .json("{}", status: 500),
                    .json(Self.message))
                #expect(try await fixture.ask("/anthropic/v1/messages", messages).status == 200)
                #expect(try await fixture.ask("/anthropic/v1/messages", messages).status == 200)
                let sent = fixture.upstream.received
                #expect(
                    sent.map(\.path) == [
                        "/v1/messages/count_tokens", "/v1/messages", "/v1/messages/count_tokens",
                        "/v1/messages",
                    ])
                #expect(!sent[0].body.contains("max_tokens"))
                #expect(sent[1].body == messages)
                try await fixture.settled()
                let estimates = try await fixture.history().compactMap(\.reservation?.estimate)
                #expect(estimates.first?.inputTokens == 42)
                #expect(estimates.last?.inputTokens != 42)
                // Whose count it is, and what the bound makes of it.
                #expect(estimates.first?.source?.tokenizer == "provider")
                #expect(estimates.last?.source?.tokenizer != "provider")
                #expect(PromptCount.bound(2_000) == 2_132)
            })
    }

    // Azure: the deployment stands for the model, the key is in its own header, the version passes.
    @Test func azure() async throws {
        try await GatewayFixture.with(
            change: { settings in
                for place in settings.upstreams.indices {
                    settings.upstreams[place].models = ["mine": "gpt-4o"]
                }
            },
            { (fixture) async throws in
                fixture.upstream.answers(.json(ChatTests.answer))
                let path = "/openai/deployments/mine/chat/completions?api-version=2024-10-21"
                let reply = try await fixture.ask(
                    "/azure" + path,
                    #"{"messages":[{"role":"user","content":"Hi"}],"max_tokens":9}"#)
                #expect(reply.status == 200)
                let sent = try #require(fixture.upstream.received.first)
                #expect(sent.path == path)
                #expect(sent.headers[.azureKey] == GatewayFixture.upstreamSecret)
                #expect(sent.headers[.authorization] == nil)
                #expect(try await fixture.history().first?.reservation?.call.model == "gpt-4o")
            })
    }

    // A deployment's own name says nothing of its tokenizer: its price's name does.
    @Test func sizedByThePricesName() async throws {
        try await GatewayFixture.with(
            change: { settings in
                for place in settings.upstreams.indices {
                    settings.upstreams[place].models = ["mine": "gpt-4o"]
                }
            },
            { (fixture) async throws in
                fixture.upstream.answers(.json(ChatTests.answer))
                #expect(try await fixture.chat().status == 200)
                #expect(try await fixture.chat(model: "mine").status == 200)
                #expect(fixture.upstream.received[1].body.contains("\"mine\""))
                let estimates = try await fixture.history().compactMap(\.reservation?.estimate)
                #expect(estimates.map(\.source?.tokenizer) == ["o200k_base", "o200k_base"])
                #expect(estimates[0].inputTokens == estimates[1].inputTokens)
                #expect(estimates[0].maxInputTokens == estimates[1].maxInputTokens)
            })
    }

    // Bodies have a limit, alone and together.
    @Test func bodyLimits() async throws {
        try await GatewayFixture.with(api: { $0.maxBodyBytes = 1_000 }) { fixture in
            let reply = try await fixture.chat(#","x":"\#(String(repeating: "a", count: 1_000))""#)
            #expect(reply.status == 413)
        }
        try await GatewayFixture.with(api: { $0.bodiesBytesMax = 10 }) { fixture in
            let reply = try await fixture.chat()
            #expect(reply.status == 503)
            #expect(reply.string("error.code") == "overloaded")
            #expect(reply.header("retry-after") == "1")
        }
    }

    // Rates of keys hold here as for the API, with its headers.
    @Test func rates() async throws {
        try await GatewayFixture.with(
            api: { configuration in
                configuration.rateLimit = .init(requestsPerSecond: 1, burst: 1)
                configuration.monotonicClock = { 0 }
            },
            { (fixture) async throws in
                fixture.upstream.answers(.json(ChatTests.answer))
                #expect(try await fixture.chat().header("RateLimit") != nil)
                let reply = try await fixture.chat()
                #expect(reply.status == 429)
                #expect(reply.string("error.code") == "rate_limited")
                #expect(reply.header("x-should-retry") == "true")
            })
    }

    // A model without a price is refused, not passed for nothing.
    @Test func unknownModel() async throws {
        try await GatewayFixture.with { fixture in
            let reply = try await fixture.chat(model: "no-such-model")
            #expect(reply.status == 402)
            #expect(reply.string("error.code") == "unknown_price")
            #expect(fixture.upstream.received.isEmpty)
        }
    }

    // Each request is counted once, by what became of it, and each settlement by its kind.
    @Test func figures() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(.json(ChatTests.answer))
            _ = try await fixture.chat()
            _ = try await fixture.chat(customer: nil)
            fixture.upstream.answers(.json("{}", status: 500))
            _ = try await fixture.chat()
            try await fixture.settled()
            let lines = fixture.figures.split(separator: "\n")
            let labels = #"{upstream="openai",dialect="openai",outcome="#
            for (outcome, count) in [("answered", 1), ("invalid", 1), ("declined", 1), ("cut", 0)] {
                let name = "faregate_gateway_requests_total"
                #expect(lines.contains("\(name)\(labels)\"\(outcome)\"} \(count)"))
            }
            for (kind, count) in [("usage", 1), ("released", 1), ("estimated", 0)] {
                let name = "faregate_gateway_settlements_total"
                #expect(lines.contains("\(name){upstream=\"openai\",kind=\"\(kind)\"} \(count)"))
            }
            #expect(lines.contains(#"faregate_gateway_upstream_errors_total{upstream="openai"} 1"#))
            #expect(lines.contains(#"faregate_gateway_calls_live{upstream="openai"} 0"#))
        }
    }

    // Both ids of the trace are the caller's, and the request's id is given back.
    @Test func ids() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(.json(ChatTests.answer))
            let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
            let reply = try await fixture.chat(headers: [
                ("X-Request-Id", "req-17"), ("traceparent", trace),
            ])
            #expect(reply.headers["x-request-id"] == ["req-17"])
            #expect(reply.headers["x-faregate-request-id"] == ["req-17"])
            let ours = try await fixture.chat(headers: [("X-Request-Id", "req-18")], customer: nil)
            #expect(ours.headers["x-request-id"] == ["req-18"])
            #expect(ours.headers["x-faregate-request-id"] == ["req-18"])
            #expect(
                reply.header("traceparent")?.contains("4bf92f3577b34da6a3ce929d0e0e4736") == true)
        }
    }
}
