import Billing
import Dialects
import Testing

@Suite struct ChatStreamTests {
    private static let opening =
        #"{"id":"chatcmpl-B9","object":"chat.completion.chunk","created":1741569952,"model":"gpt-4o-2024-08-06","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"x1"}"#
    private static let hello =
        #"{"id":"chatcmpl-B9","object":"chat.completion.chunk","created":1741569952,"model":"gpt-4o-2024-08-06","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":"Hello"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"bc"}"#
    private static let world =
        #"{"id":"chatcmpl-B9","object":"chat.completion.chunk","created":1741569952,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{"content":" \"w\u00f6rld\" \ud83d\ude00"},"finish_reason":null}],"usage":null}"#
    private static let stop =
        #"{"id":"chatcmpl-B9","object":"chat.completion.chunk","created":1741569952,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}"#
    private static let usage =
        #"{"id":"chatcmpl-B9","object":"chat.completion.chunk","created":1741569952,"model":"gpt-4o-2024-08-06","service_tier":"priority","choices":[],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}"#

    private let whole = chatStream(
        Self.opening, Self.hello, Self.world, Self.stop, Self.usage, "[DONE]")
    private let dropping = MeterSettings(dropsUsageChunk: true)

    // A stream as OpenAI sends it: relayed byte for byte, counted unescaped, settled by its usage
    // and by the tier and model that were served.
    @Test func complete() throws {
        let stream = try MeteredStream.of(.openAIChat, whole)
        #expect(text(stream.relayed) == whole)
        #expect(stream.visible == "Hello \"wörld\" 😀")
        let reading = stream.reading
        #expect(reading.outcome == .completeWithUsage)
        #expect(reading.isUsageFinal)
        #expect(reading.hasFirstToken)
        #expect(reading.finishReason == "stop")
        #expect(reading.responseID == "chatcmpl-B9")
        #expect(reading.output.visible.pieces == 2)
        #expect(reading.output.visible.characters == 15)
        #expect(reading.output.visible.bytes == 19)
        #expect(stream.usage?.inputTokens == 19)
        #expect(stream.usage?.outputTokens == 10)
        #expect(stream.usage?.servedTier == "priority")
        #expect(stream.usage?.servedModel == "gpt-4o-2024-08-06")
        #expect(stream.meter.state == .finished)
    }

    // The chunk that we asked for does not reach the client; all others do, unchanged.
    @Test func droppedUsage() throws {
        let stream = try MeteredStream.of(.openAIChat, whole, dropping)
        #expect(
            text(stream.relayed)
                == chatStream(Self.opening, Self.hello, Self.world, Self.stop, "[DONE]"))
        #expect(stream.reading.outcome == .completeWithUsage)
        #expect(stream.usage?.outputTokens == 10)
    }

    // However the stream is cut, the same is relayed and read.
    @Test(arguments: [1, 2, 3, 7, 64, 1_000])
    func chunks(_ size: Int) throws {
        let expected = try MeteredStream.of(.openAIChat, whole, dropping)
        var stream = MeteredStream(.openAIChat, dropping)
        var rest = bytes(whole)[...]
        while !rest.isEmpty {
            try stream.receive(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        stream.end()
        #expect(stream.relayed == expected.relayed)
        #expect(stream.reading == expected.reading)
        #expect(stream.visible == expected.visible)
    }

    // States: waiting until output has passed, flowing until the provider says it is done.
    @Test func states() throws {
        var stream = MeteredStream(.openAIChat)
        try stream.receive(bytes(": keep-alive\n\n" + chatStream(Self.opening)))
        #expect(stream.meter.state == .waiting)
        #expect(!stream.reading.hasFirstToken)
        #expect(stream.reading.outcome == .cut)
        try stream.receive(bytes(chatStream(Self.hello)))
        #expect(stream.meter.state == .flowing)
        #expect(stream.reading.outcome == .cut)
        try stream.receive(bytes(chatStream(Self.stop, Self.usage)))
        #expect(stream.meter.state == .flowing)
        try stream.receive(bytes("data: [DONE]\n\n"))
        #expect(stream.meter.state == .finished)
    }

    // Usage that never comes is missing, not zero; explicit zeros are zero.
    @Test func missingAndZero() throws {
        let missing = try MeteredStream.of(
            .openAIChat, chatStream(Self.opening, Self.hello, Self.stop, "[DONE]"))
        #expect(missing.reading.outcome == .completeWithoutUsage)
        #expect(missing.reading.report == nil)
        let zero = try MeteredStream.of(
            .openAIChat,
            chatStream(
                Self.stop, #"{"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0}}"#,
                "[DONE]"))
        #expect(zero.reading.outcome == .completeWithUsage)
        #expect(zero.usage?.inputTokens == 0)
        #expect(zero.usage?.outputTokens == 0)
    }

    // A server without `[DONE]` is done when every choice has its finish reason.
    @Test func withoutDone() throws {
        let done = try MeteredStream.of(.openAIChat, chatStream(Self.hello, Self.stop, Self.usage))
        #expect(done.reading.outcome == .completeWithUsage)
        let second = Self.stop.replacing(#""index":0"#, with: #""index":1"#)
        let one = Self.hello.replacing(#""index":0"#, with: #""index":1"#)
        let half = try MeteredStream.of(.openAIChat, chatStream(Self.hello, one, second))
        #expect(half.reading.outcome == .cut)
        let both = try MeteredStream.of(.openAIChat, chatStream(Self.hello, one, second, Self.stop))
        #expect(both.reading.outcome == .completeWithoutUsage)
    }

    // vLLM with forced usage puts it, cumulative, on the chunks that carry the text: they are
    // relayed, the last one counts, and until the end it is an interim count.
    @Test func usageOnContent() throws {
        func chunk(_ content: String, _ finish: String, _ output: Int) -> String {
            #"{"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"\#(content)"},"finish_reason":\#(finish)}],"usage":{"prompt_tokens":7,"completion_tokens":\#(output),"total_tokens":\#(7 + output)}}"#
        }
        let parts = [chunk("a", "null", 1), chunk("b", "null", 2), chunk("", "\"stop\"", 3)]
        let all = chatStream(parts[0], parts[1], parts[2], "[DONE]")
        let stream = try MeteredStream.of(.openAIChat, all, dropping)
        #expect(text(stream.relayed) == all)
        #expect(stream.usage?.outputTokens == 3)
        #expect(stream.reading.outcome == .completeWithUsage)
        let cut = try MeteredStream.of(.openAIChat, chatStream(parts[0], parts[1]), dropping)
        #expect(cut.reading.outcome == .cut)
        #expect(!cut.reading.isUsageFinal)
        #expect(cut.usage?.outputTokens == 2)
    }

    // Azure's first chunk has neither choice nor usage, and no model: it is relayed and names
    // nothing.
    @Test func azure() throws {
        let filter =
            #"{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}}}]}"#
        let nulled = filter.dropLast() + #","usage":null}"#
        let all = chatStream(filter, String(nulled), Self.hello, Self.stop, Self.usage, "[DONE]")
        let stream = try MeteredStream.of(.openAIChat, all, dropping)
        #expect(
            text(stream.relayed)
                == chatStream(filter, String(nulled), Self.hello, Self.stop, "[DONE]"))
        #expect(stream.reading.servedModel == "gpt-4o-2024-08-06")
        #expect(stream.reading.responseID == "chatcmpl-B9")
    }

    // Tool calls and reasoning are output, too, in every field that servers put them in.
    @Test func otherOutput() throws {
        let stream = try MeteredStream.of(
            .openAIChat,
            chatStream(
                #"{"choices":[{"index":0,"delta":{"reasoning_content":"th"},"finish_reason":null}]}"#,
                #"{"choices":[{"index":0,"delta":{"reasoning":"ink","reasoning_details":[{"type":"reasoning.text","text":"ink"}]}}]}"#,
                #"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"get","arguments":""}}]}}]}"#,
                #"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]}}]}"#,
                #"{"choices":[{"index":0,"delta":{"function_call":{"name":"f","arguments":"1}"}}}]}"#,
                #"{"choices":[{"index":0,"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"!"}]},{"type":"text","text":"seen"}]}}]}"#,
                #"{"choices":[{"index":0,"delta":{"refusal":" no","audio":{"transcript":" said","data":"AAAA"}},"finish_reason":"tool_calls"}]}"#,
                "[DONE]"))
        #expect(stream.reasoning == "think!")
        #expect(stream.toolCalls == "get{\"a\":f1}")
        #expect(stream.visible == "seen no said")
        #expect(stream.reading.output.reasoning.pieces == 3)
        #expect(stream.reading.output.pieces == 10)
        #expect(stream.reading.finishReason == "tool_calls")
    }

    // An error in the stream is the provider's, with what had passed before it.
    @Test func errors() throws {
        let error =
            #"{"error":{"message":"quoted prompt","type":"server_error","param":null,"code":"overloaded"}}"#
        let early = try MeteredStream.of(.openAIChat, chatStream(Self.opening, error))
        #expect(
            early.reading.outcome
                == .providerError(ProviderError(type: "server_error", code: "overloaded")))
        #expect(!early.reading.hasFirstToken)
        #expect(early.meter.state == .failed)
        let late = try MeteredStream.of(.openAIChat, chatStream(Self.hello, error, "[DONE]"))
        #expect(late.reading.hasFirstToken)
        #expect(late.meter.state == .failed)
        #expect(text(late.relayed) == chatStream(Self.hello, error, "[DONE]"))
        // OpenRouter: beside a choice, with a number for a code.
        let beside = try MeteredStream.of(
            .openAIChat,
            chatStream(
                #"{"id":"g","error":{"code":502,"message":"m"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"#
            ))
        #expect(beside.reading.outcome == .providerError(ProviderError(code: "502")))
        let none = try MeteredStream.of(
            .openAIChat,
            chatStream(#"{"error":null,"choices":[{"index":0,"finish_reason":"stop"}]}"#))
        #expect(none.reading.outcome == .completeWithoutUsage)
    }

    // Groq's older place for usage is read where the usual one is empty.
    @Test func groq() throws {
        let stream = try MeteredStream.of(
            .openAIChat,
            chatStream(
                #"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"r","usage":{"queue_time":0.1,"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}}"#,
                "[DONE]"), dropping)
        #expect(stream.usage?.inputTokens == 5)
        #expect(stream.reading.outcome == .completeWithUsage)
    }

    // Data that is no JSON is relayed, and counts as output; half an event at the end does not.
    @Test func unreadable() throws {
        let stream = try MeteredStream.of(
            .openAIChat, "data: <oops>\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"hal")
        #expect(stream.meter.unreadableEvents == 1)
        #expect(stream.visible == "<oops>")
        #expect(stream.reading.outcome == .cut)
        #expect(text(stream.relayed).hasSuffix("\"hal"))
    }

    // Where we end a stream, with an event of our own, part of an event is not given back; nor is
    // one that was too large.
    @Test func ownEnd() throws {
        var stream = MeteredStream(.openAIChat, MeterSettings(maxEventBytes: 400))
        try stream.receive(bytes(chatStream(Self.hello) + "data: {\"choices\":["))
        var cut = stream
        cut.end(dropsPart: true)
        #expect(text(cut.relayed) == chatStream(Self.hello))
        #expect(throws: StreamFault.eventTooLarge(limit: 400)) {
            try stream.receive([UInt8](repeating: 0x20, count: 400))
        }
        stream.end()
        #expect(text(stream.relayed) == chatStream(Self.hello))
        #expect(stream.reading.outcome == .cut)
        #expect(stream.reading.hasFirstToken)
    }

    // Names that could not be ids in the log name nothing.
    @Test(arguments: ["", "a\\nb", "\\u0000", String(repeating: "m", count: 257)])
    func names(_ model: String) throws {
        let stream = try MeteredStream.of(
            .openAIChat, chatStream("{\"model\":\"\(model)\",\"choices\":[]}"))
        #expect(stream.reading.servedModel == nil)
        #expect(stream.meter.unreadableEvents == 0)
    }

    // Half a surrogate pair in each of two chunks is read as two unknown characters.
    @Test func halfCharacters() throws {
        let stream = try MeteredStream.of(
            .openAIChat,
            chatStream(
                #"{"choices":[{"index":0,"delta":{"content":"\ud83d"}}]}"#,
                #"{"choices":[{"index":0,"delta":{"content":"\ude00"}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
                "[DONE]"))
        #expect(stream.visible == "\u{FFFD}\u{FFFD}")
        #expect(stream.meter.unreadableEvents == 0)
        #expect(stream.reading.outcome == .completeWithUsage)
    }
}
