import Billing
import Dialects
import Testing

@Suite struct ResponsesStreamTests {
    private static func response(_ status: String, _ rest: String) -> String {
        #"{"id":"resp_67","object":"response","created_at":1741290958,"status":"\#(status)","background":false,"error":null,"incomplete_details":null,"model":"gpt-4.1-2025-04-14","#
            + rest + "}"
    }

    private static let created = (
        name: "response.created",
        data: #"{"type":"response.created","sequence_number":0,"response":"#
            + response("in_progress", #""output":[],"service_tier":"auto","usage":null"#) + "}"
    )
    private static let item = (
        name: "response.output_item.added",
        data:
            #"{"type":"response.output_item.added","sequence_number":2,"output_index":0,"item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}}"#
    )
    private static let delta = (
        name: "response.output_text.delta",
        data:
            #"{"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_1","output_index":0,"content_index":0,"delta":"Hi","logprobs":[],"obfuscation":"q"}"#
    )
    private static let done = (
        name: "response.output_text.done",
        data:
            #"{"type":"response.output_text.done","sequence_number":5,"item_id":"msg_1","output_index":0,"content_index":0,"text":"Hi"}"#
    )
    private static let usage =
        #""usage":{"input_tokens":37,"input_tokens_details":{"cached_tokens":7},"output_tokens":11,"output_tokens_details":{"reasoning_tokens":5},"total_tokens":48}"#
    private static let completed = (
        name: "response.completed",
        data: #"{"type":"response.completed","sequence_number":6,"response":"#
            + response(
                "completed",
                #""output":[{"id":"ws_1","type":"web_search_call","status":"completed","action":{"type":"search","query":"q"}},{"id":"ws_2","type":"web_search_call","action":{"type":"open_page","url":"u"}},{"type":"message","content":[{"type":"output_text","text":"Hi"}]}],"service_tier":"default","#
                    + usage) + "}"
    )

    // The response that ends the stream has the usage, the tier as served and the searches; its
    // text was counted as it came.
    @Test func complete() throws {
        let all = namedStream(Self.created, Self.item, Self.delta, Self.done, Self.completed)
        let stream = try MeteredStream.of(
            .openAIResponses, all, MeterSettings(dropsUsageChunk: true))
        #expect(text(stream.relayed) == all)
        #expect(stream.visible == "Hi")
        #expect(stream.reading.outcome == .completeWithUsage)
        #expect(stream.reading.finishReason == "completed")
        #expect(stream.reading.responseID == "resp_67")
        #expect(stream.usage?.inputTokens == 37)
        #expect(stream.usage?.cachedInputTokens == 7)
        #expect(stream.usage?.outputTokens == 11)
        #expect(stream.usage?.reasoningTokens == 5)
        #expect(stream.usage?.servedTier == "default")
        #expect(stream.usage?.servedModel == "gpt-4.1-2025-04-14")
        #expect(stream.usage?.webSearches == 1)
    }

    // Until an end event a stream is cut, before or after its first token.
    @Test func cut() throws {
        let early = try MeteredStream.of(.openAIResponses, namedStream(Self.created, Self.item))
        #expect(early.reading.outcome == .cut)
        #expect(!early.reading.hasFirstToken)
        let late = try MeteredStream.of(
            .openAIResponses, namedStream(Self.created, Self.delta, Self.done))
        #expect(late.reading.outcome == .cut)
        #expect(late.meter.state == .flowing)
        #expect(late.reading.report == nil)
    }

    // An incomplete response is at its end; a failed one is the provider's error, with its usage.
    @Test func otherEnds() throws {
        let incomplete = try MeteredStream.of(
            .openAIResponses,
            namedStream(
                Self.delta,
                (
                    name: "response.incomplete",
                    data:
                        #"{"type":"response.incomplete","response":{"id":"r","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"error":null,"#
                        + Self.usage + "}}"
                )))
        #expect(incomplete.reading.outcome == .completeWithUsage)
        #expect(incomplete.reading.finishReason == "max_output_tokens")
        let failed = try MeteredStream.of(
            .openAIResponses,
            namedStream(
                (
                    name: "response.failed",
                    data:
                        #"{"type":"response.failed","response":{"id":"r","status":"failed","error":{"code":"server_error","message":"m"},"#
                        + Self.usage + "}}"
                )))
        #expect(failed.reading.outcome == .providerError(ProviderError(code: "server_error")))
        #expect(failed.reading.isUsageFinal)
        #expect(!failed.reading.hasFirstToken)
    }

    // The error event has its code beside its type, or an error as chats have.
    @Test(arguments: [
        #"{"type":"error","code":"ERR_1","message":"m","param":null,"sequence_number":1}"#,
        #"{"type":"error","error":{"type":"e","code":"ERR_1","message":"m"},"sequence_number":1}"#,
        #"{"error":{"code":"ERR_1"}}"#,
    ])
    func errors(_ data: String) throws {
        let stream = try MeteredStream.of(
            .openAIResponses, namedStream((name: "error", data: data)))
        guard case .providerError(let error) = stream.reading.outcome else {
            Issue.record("not an error: \(stream.reading.outcome)")
            return
        }
        #expect(error.code == "ERR_1")
        #expect(stream.meter.state == .failed)
    }

    // Every kind of delta is output; calls are seen when they begin; members come in any order.
    @Test func deltas() throws {
        let stream = try MeteredStream.of(
            .openAIResponses,
            chatStream(
                #"{"delta":"r1","type":"response.reasoning_summary_text.delta"}"#,
                #"{"type":"response.reasoning_text.delta","delta":"r2"}"#,
                #"{"type":"response.function_call_arguments.delta","delta":"{}"}"#,
                #"{"type":"response.custom_tool_call_input.delta","delta":"in"}"#,
                #"{"type":"response.refusal.delta","delta":"no"}"#,
                #"{"type":"response.output_text.done","text":"again"}"#,
                #"{"type":"response.some_new.delta","delta":{"x":"y"}}"#))
        #expect(stream.reasoning == "r1r2")
        #expect(stream.toolCalls == "{}in")
        #expect(stream.visible == "no")
        let call = try MeteredStream.of(
            .openAIResponses,
            chatStream(
                #"{"type":"response.output_item.done","item":{"type":"web_search_call","status":"completed"}}"#
            ))
        #expect(call.reading.hasFirstToken)
        #expect(call.reading.webSearches == 1)
    }

    // What runs in the background goes on when its stream breaks off.
    @Test func background() throws {
        let stream = try MeteredStream.of(
            .openAIResponses,
            chatStream(
                #"{"type":"response.created","response":{"id":"r","status":"queued","background":true}}"#
            ))
        #expect(stream.reading.outcome == .pending)
        #expect(stream.reading.responseID == "r")
    }
}
