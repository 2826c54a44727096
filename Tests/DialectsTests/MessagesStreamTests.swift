import Billing
import Dialects
import Testing

@Suite struct MessagesStreamTests {
    private static let start = (
        name: "message_start",
        data:
            #"{"type":"message_start","message":{"id":"msg_01","type":"message","role":"assistant","model":"claude-opus-4-8-20260301","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":100,"cache_creation_input_tokens":40,"cache_read_input_tokens":900,"cache_creation":{"ephemeral_5m_input_tokens":30,"ephemeral_1h_input_tokens":10},"output_tokens":1,"service_tier":"standard"}}}"#
    )
    private static let block = (
        name: "content_block_start",
        data:
            #"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#
    )
    private static let ping = (name: "ping", data: #"{"type": "ping"}"#)
    private static let hello = (
        name: "content_block_delta",
        data:
            #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello\n"}}"#
    )
    private static let stopBlock = (
        name: "content_block_stop", data: #"{"type":"content_block_stop","index":0}"#
    )
    private static let delta = (
        name: "message_delta",
        data:
            #"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":57}}"#
    )
    private static let stop = (name: "message_stop", data: #"{"type":"message_stop"}"#)

    // Usage is cumulative: 57 tokens of output, not 58; the input comes from the start.
    @Test func complete() throws {
        let all = namedStream(
            Self.start, Self.block, Self.ping, Self.hello, Self.stopBlock, Self.delta, Self.stop)
        let stream = try MeteredStream.of(.anthropicMessages, all)
        #expect(text(stream.relayed) == all)
        #expect(stream.visible == "Hello\n")
        #expect(stream.reading.outcome == .completeWithUsage)
        #expect(stream.reading.finishReason == "end_turn")
        #expect(stream.meter.state == .finished)
        #expect(stream.usage?.inputTokens == 1_040)
        #expect(stream.usage?.cachedInputTokens == 900)
        #expect(stream.usage?.cacheWriteTokens == 30)
        #expect(stream.usage?.cacheWrite1hTokens == 10)
        #expect(stream.usage?.outputTokens == 57)
        #expect(stream.usage?.servedTier == "standard")
        #expect(stream.usage?.servedModel == "claude-opus-4-8-20260301")
    }

    // A stream that breaks off has only the usage of its start, which is not the last word.
    @Test func cut() throws {
        var stream = MeteredStream(.anthropicMessages)
        try stream.receive(bytes(namedStream(Self.start, Self.block, Self.ping)))
        #expect(stream.meter.state == .waiting)
        try stream.receive(bytes(namedStream(Self.hello)))
        #expect(stream.meter.state == .flowing)
        stream.end()
        #expect(stream.reading.outcome == .cut)
        #expect(!stream.reading.isUsageFinal)
        #expect(stream.usage?.inputTokens == 1_040)
        #expect(stream.usage?.outputTokens == 1)
    }

    // A stream that ends without usage of its own after the start has no count of its output.
    @Test func missing() throws {
        let bare = (
            name: "message_delta",
            data: #"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#
        )
        let stream = try MeteredStream.of(
            .anthropicMessages, namedStream(Self.start, Self.hello, bare, Self.stop))
        #expect(stream.reading.outcome == .completeWithoutUsage)
        let late = (
            name: "message_delta", data: #"{"type":"message_delta","usage":{"output_tokens":5}}"#
        )
        let clone = try MeteredStream.of(
            .anthropicMessages, namedStream(Self.start, Self.hello, late, Self.stop))
        #expect(clone.reading.outcome == .completeWithUsage)
        #expect(clone.usage?.outputTokens == 5)
    }

    // A clone may send all of its input at the end, and count the cache as a part of it.
    @Test func inclusiveClone() throws {
        let start = (
            name: "message_start",
            data:
                #"{"type":"message_start","message":{"id":"m","model":"kimi-k2","content":[],"usage":{"input_tokens":0,"output_tokens":0}}}"#
        )
        let delta = (
            name: "message_delta",
            data:
                #"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":1000,"cache_read_input_tokens":900,"output_tokens":8}}"#
        )
        let stream = try MeteredStream.of(
            .anthropicMessages, namedStream(start, Self.hello, delta, Self.stop),
            MeterSettings(convention: .inclusive))
        #expect(stream.usage?.inputTokens == 1_000)
        #expect(stream.usage?.cachedInputTokens == 900)
        #expect(stream.usage?.outputTokens == 8)
    }

    // Errors come as events of their own.
    @Test func errors() throws {
        let error = (
            name: "error",
            data: #"{"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}"#
        )
        let early = try MeteredStream.of(.anthropicMessages, namedStream(Self.start, error))
        #expect(early.reading.outcome == .providerError(ProviderError(type: "overloaded_error")))
        #expect(!early.reading.hasFirstToken)
        let late = try MeteredStream.of(
            .anthropicMessages, namedStream(Self.start, Self.hello, error))
        #expect(late.reading.hasFirstToken)
        #expect(late.meter.state == .failed)
    }

    // Tool calls, thinking and searches are output.
    @Test func otherOutput() throws {
        let stream = try MeteredStream.of(
            .anthropicMessages,
            chatStream(
                #"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
                #"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}"#,
                #"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQB"}}"#,
                #"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_1","name":"get","input":{}}}"#,
                #"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\": 1}"}}"#,
                #"{"type":"content_block_start","index":2,"content_block":{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}}"#
            ))
        #expect(stream.reasoning == "hm")
        #expect(stream.toolCalls == "get{\"a\": 1}web_search")
        #expect(stream.reading.webSearches == 1)
        #expect(stream.reading.hasFirstToken)
    }
}
