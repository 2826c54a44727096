import Dialects
import Testing

@Suite struct HeaderPolicyTests {
    private func lines(_ headers: HeaderPolicy.Headers) -> [String] {
        headers.map { "\($0.name): \($0.value)" }
    }

    // Nothing that is between the client and us goes on: its key, cookies, our own headers, those
    // of the connection. What names the client and the version does. The key is the upstream's.
    @Test func upstreamRequest() {
        let headers: HeaderPolicy.Headers = [
            ("Host", "gw"), ("Authorization", "Bearer fg_secret"), ("X-Api-Key", "fg_secret"),
            ("Api-Key", "fg_secret"), ("Cookie", "session=1"), ("X-Faregate-Customer", "c"),
            ("Connection", "keep-alive, X-Request-Id"), ("Keep-Alive", "5"), ("TE", "trailers"),
            ("Transfer-Encoding", "chunked"), ("Content-Length", "5"), ("Expect", "100-continue"),
            ("Accept-Encoding", "gzip, br"), ("X-Forwarded-For", "10.0.0.1"), ("Via", "x"),
            ("Anything-Else", "x"), ("X-Request-Id", "r"), ("Content-Type", "application/json"),
            ("Anthropic-Version", "2023-06-01"), ("anthropic-beta", "a"), ("Anthropic-Beta", "b"),
            ("OpenAI-Organization", "org"), ("OpenAI-Project", "p"), ("OpenAI-Beta", "v2"),
            ("X-Stainless-Lang", "python"), ("User-Agent", "OpenAI/Python"),
            ("Idempotency-Key", "k"), ("X-Operator", "yes"), ("Accept", "application/json"),
        ]
        let sent = HeaderPolicy.upstreamRequest(
            headers, key: "sk-up", credential: .bearer,
            extra: ["x-operator", "cookie", "authorization", "x-faregate-customer", "via"])
        #expect(
            lines(sent) == [
                "via: x", "content-type: application/json", "anthropic-version: 2023-06-01",
                "anthropic-beta: a", "anthropic-beta: b", "openai-beta: v2",
                "x-stainless-lang: python",
                "user-agent: OpenAI/Python", "idempotency-key: k", "x-operator: yes",
                "accept: application/json", "authorization: Bearer sk-up",
                "accept-encoding: identity",
            ])
    }

    // Each provider is given its key where it looks for it; a local server may need none.
    @Test func credentials() {
        func sent(_ key: String?, _ credential: UpstreamCredential) -> [String] {
            lines(HeaderPolicy.upstreamRequest([], key: key, credential: credential))
        }
        #expect(sent("k", .bearer) == ["authorization: Bearer k", "accept-encoding: identity"])
        #expect(sent("k", .xAPIKey) == ["x-api-key: k", "accept-encoding: identity"])
        #expect(sent("k", .apiKey) == ["api-key: k", "accept-encoding: identity"])
        #expect(sent(nil, .bearer) == ["accept-encoding: identity"])
        #expect(UpstreamCredential(.anthropic) == .xAPIKey)
        #expect(UpstreamCredential(.openAI) == .bearer)
    }

    // Rate limits and ids come back; cookies, what is about the upstream's host, and headers that
    // only we set do not.
    @Test func clientResponse() {
        let headers: HeaderPolicy.Headers = [
            ("Content-Type", "text/event-stream"), ("Content-Length", "5"),
            ("Content-Encoding", "identity"), ("Transfer-Encoding", "chunked"),
            ("Connection", "close, X-Hop"), ("X-Hop", "1"), ("Set-Cookie", "__cf_bm=1"),
            ("Alt-Svc", "h3"), ("Strict-Transport-Security", "max-age=1"), ("Date", "now"),
            ("WWW-Authenticate", "Bearer"), ("openai-organization", "o"), ("OpenAI-Project", "p"),
            ("X-Faregate-Charge", "0"), ("x-request-id", "req_1"), ("request-id", "req_2"),
            ("x-ratelimit-remaining-tokens", "9"), ("anthropic-ratelimit-tokens-limit", "8"),
            ("retry-after", "3"), ("x-should-retry", "true"), ("openai-processing-ms", "5"),
        ]
        let kept = [
            "x-request-id: req_1", "request-id: req_2", "x-ratelimit-remaining-tokens: 9",
            "anthropic-ratelimit-tokens-limit: 8", "retry-after: 3", "x-should-retry: true",
            "openai-processing-ms: 5",
        ]
        #expect(
            lines(HeaderPolicy.clientResponse(headers, isBodyChanged: true))
                == ["content-type: text/event-stream"] + kept)
        #expect(
            lines(HeaderPolicy.clientResponse(headers, isBodyChanged: false))
                == ["content-type: text/event-stream", "content-length: 5"] + kept)
    }

    // The name of an encoding goes only with the encoding.
    @Test func encoding() {
        func kept(_ value: String) -> [String] {
            lines(HeaderPolicy.clientResponse([("Content-Encoding", value)], isBodyChanged: false))
        }
        #expect(kept("gzip") == ["content-encoding: gzip"])
        #expect(kept("Identity").isEmpty)
    }

    // A compressed body cannot be metered; a stream is known by its type.
    @Test func kinds() {
        #expect(HeaderPolicy.isReadable([]))
        #expect(HeaderPolicy.isReadable([("Content-Encoding", "identity")]))
        #expect(!HeaderPolicy.isReadable([("content-encoding", "identity, GZIP")]))
        #expect(HeaderPolicy.isEventStream([("Content-Type", "Text/Event-Stream ; charset=x")]))
        #expect(!HeaderPolicy.isEventStream([("Content-Type", "application/json")]))
        #expect(!HeaderPolicy.isEventStream([("Content-Type", "")]))
    }
}
