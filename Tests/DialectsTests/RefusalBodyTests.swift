import CanonicalJSON
import Dialects
import Testing

@Suite struct RefusalBodyTests {
    private let refusal = RefusalBody(
        status: 402, code: "exhausted", message: "Nothing \"left\".\nReally.", type: "spend_limit",
        fields: bytes(
            "{ \"affordable_max_tokens\": 210,\n\"code\":\"other\", \"estimate\":{\"bound\":\"1\"}}"
        ))

    // OpenAI's form, with our own type and the machine fields beside it; what a field is named
    // like one of the error's own is not taken.
    @Test func openAI() throws {
        #expect(
            text(refusal.body(for: .openAI))
                == #"{"error":{"type":"spend_limit","message":"Nothing \"left\".\nReally.","code":"exhausted","param":null,"affordable_max_tokens":210,"estimate":{"bound":"1"}}}"#
        )
    }

    // Anthropic's form, whose types are its own.
    @Test func anthropic() throws {
        #expect(
            text(refusal.body(for: .anthropic))
                == #"{"type":"error","error":{"type":"billing_error","message":"Nothing \"left\".\nReally.","code":"exhausted","affordable_max_tokens":210,"estimate":{"bound":"1"}}}"#
        )
    }

    @Test(arguments: [
        (400, "invalid_request_error", "invalid_request_error"),
        (401, "authentication_error", "authentication_error"),
        (402, "insufficient_quota", "billing_error"), (403, "permission_error", "permission_error"),
        (404, "invalid_request_error", "not_found_error"),
        (413, "invalid_request_error", "request_too_large"),
        (422, "invalid_request_error", "invalid_request_error"),
        (429, "rate_limit_error", "rate_limit_error"), (500, "server_error", "api_error"),
        (502, "server_error", "api_error"), (503, "server_error", "overloaded_error"),
        (504, "server_error", "timeout_error"), (529, "server_error", "overloaded_error"),
    ])
    func types(_ status: Int, _ openAI: String, _ anthropic: String) {
        let refusal = RefusalBody(status: status, code: "c", message: "m")
        #expect(text(refusal.body(for: .openAI)).contains("\"type\":\"\(openAI)\""))
        #expect(
            text(refusal.body(for: .anthropic)).contains("\"error\":{\"type\":\"\(anthropic)\""))
    }

    // The libraries send again by themselves what says so, after the time that it says.
    @Test func headers() {
        #expect(
            refusal.headers.map { "\($0.name): \($0.value)" } == [
                "content-type: application/json", "x-should-retry: false",
            ])
        let full = RefusalBody(
            status: 429, code: "holds_full", message: "m", retryAfterSeconds: 3)
        #expect(
            full.headers.map { "\($0.name): \($0.value)" } == [
                "content-type: application/json", "x-should-retry: true", "retry-after: 3",
            ])
    }

    // In a stream an error is one event of one line of data, which our own meters read as one.
    @Test(arguments: CallDialect.allCases)
    func events(_ dialect: CallDialect) throws {
        let event = refusal.event(for: dialect, sequenceNumber: 7)
        let lines = text(event).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.suffix(2) == ["", ""])
        let data = try #require(lines.first { $0.hasPrefix("data: ") }).dropFirst(6)
        #expect(lines.count == (dialect.family == .openAI && dialect != .openAIResponses ? 3 : 4))
        guard case .object(let object) = try StrictJSON.parse(String(data)) else {
            Issue.record("no object")
            return
        }
        #expect(object["error"] != nil)
        if dialect == .openAIResponses { #expect(object["sequence_number"] == .integer(7)) }
        let stream = try MeteredStream.of(dialect, text(event))
        #expect(stream.meter.state == .failed)
    }

    // Fields that are no object are left out, as is a second member of one name; the body stays
    // well-formed.
    @Test(arguments: ["", "[]", "{", "{\"a\":1,\"a\":2}", "{\"a\":}", "{\"a\":1} x", "null"])
    func fields(_ fields: String) throws {
        var refusal = refusal
        refusal.param = "model"
        refusal.fields = bytes(fields)
        for family in ProviderFamily.allCases {
            let body = text(refusal.body(for: family))
            #expect(throws: Never.self) { try StrictJSON.parse(body) }
            #expect(body.contains("\"a\":1") == (fields == "{\"a\":1,\"a\":2}"))
            #expect(body.contains("\"param\":\"model\""))
        }
    }
}
