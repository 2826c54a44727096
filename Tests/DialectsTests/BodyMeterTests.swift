import Billing
import Dialects
import Testing

@Suite struct BodyMeterTests {
    // A chat completion in one piece.
    @Test func chat() throws {
        let (reading, text) = meteredBody(
            .openAIChat,
            """
            {
              "id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-5.4-2026-03-01",
              "choices": [
                {"index": 0, "message": {"role": "assistant", "content": "Hi", "refusal": null,
                 "annotations": []}, "logprobs": null, "finish_reason": "stop"},
                {"index": 1, "message": {"role": "assistant", "content": null, "tool_calls": [
                 {"id": "call_1", "type": "function", "function": {"name": "f",
                  "arguments": "{}"}}]}, "finish_reason": "tool_calls"}
              ],
              "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21},
              "service_tier": "flex"
            }
            """)
        #expect(text == "Hif{}")
        #expect(reading.outcome == .completeWithUsage)
        #expect(reading.finishReason == "stop")
        #expect(reading.report?.usage.inputTokens == 9)
        #expect(reading.report?.usage.outputTokens == 12)
        #expect(reading.servedTier == "flex")
        #expect(reading.servedModel == "gpt-5.4-2026-03-01")
        #expect(reading.output.toolCalls.pieces == 2)
    }

    // A response in one piece, with a search and reasoning in its items.
    @Test func responses() throws {
        let (reading, text) = meteredBody(
            .openAIResponses,
            """
            {"id":"resp_1","object":"response","status":"completed","error":null,
             "incomplete_details":null,"model":"gpt-5.4","service_tier":"default","output":[
              {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"S"}]},
              {"type":"web_search_call","id":"ws_1","status":"completed"},
              {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
              {"id":"msg_1","content":[{"type":"output_text","text":"T","annotations":[]}],
               "type":"message"}],
             "usage":{"input_tokens":8,"output_tokens":3,"total_tokens":11}}
            """)
        #expect(text == "Sf{}T")
        #expect(reading.outcome == .completeWithUsage)
        #expect(reading.report?.usage.webSearches == 1)
        #expect(reading.output.reasoning.pieces == 1)
        #expect(reading.output.visible.pieces == 1)
    }

    // A response that goes on in the background has no end yet.
    @Test(arguments: ["queued", "in_progress"])
    func pending(_ status: String) {
        let (reading, _) = meteredBody(
            .openAIResponses,
            #"{"id":"resp_1","status":"\#(status)","background":true,"output":[],"usage":null}"#)
        #expect(reading.outcome == .pending)
        #expect(reading.responseID == "resp_1")
    }

    // Embeddings have a prompt and nothing else.
    @Test func embeddings() {
        let (reading, text) = meteredBody(
            .openAIEmbeddings,
            """
            {"object":"list","data":[{"object":"embedding","index":0,
             "embedding":[-0.006929283495992422,1e-05]}],"model":"text-embedding-3-small",
             "usage":{"prompt_tokens":5,"total_tokens":5}}
            """)
        #expect(text.isEmpty)
        #expect(reading.outcome == .completeWithUsage)
        #expect(reading.report?.usage.inputTokens == 5)
        #expect(reading.report?.usage.outputTokens == nil)
    }

    // A message in one piece; the arguments of a tool are a value.
    @Test func messages() {
        let (reading, text) = meteredBody(
            .anthropicMessages,
            """
            {"id":"msg_1","type":"message","role":"assistant","model":"claude-opus-4-8",
             "content":[{"type":"thinking","thinking":"h","signature":"x"},
              {"type":"text","text":"t"},
              {"type":"tool_use","id":"toolu_1","name":"n","input":{"a": 1}}],
             "stop_reason":"tool_use","stop_sequence":null,
             "usage":{"input_tokens":10,"cache_creation_input_tokens":0,
              "cache_read_input_tokens":90,"output_tokens":30,"service_tier":"batch"}}
            """)
        #expect(text == "htn{\"a\": 1}")
        #expect(reading.outcome == .completeWithUsage)
        #expect(reading.finishReason == "tool_use")
        #expect(reading.report?.usage.inputTokens == 100)
        #expect(reading.servedTier == "batch")
    }

    // Errors, in every form they come in; messages are not kept.
    @Test(
        arguments: [
            (
                #"{"error":{"message":"m","type":"invalid_request_error","param":"model","code":"model_not_found"}}"#,
                404, "invalid_request_error", "model_not_found"
            ),
            (
                #"{"type":"error","error":{"type":"billing_error","message":"m"},"request_id":"r"}"#,
                402, "billing_error", nil
            ),
            (#"{"error":"model not found"}"#, 404, nil, nil),
            (
                #"{"object":"error","message":"m","type":"BadRequestError","code":400}"#, 400,
                "BadRequestError", "400"
            ),
            ("<html>Bad gateway</html>", 502, nil, nil), ("", 500, nil, nil),
            (#"{"error":{"code":429,"message":"m"}}"#, 200, nil, "429"),
        ] as [(String, Int, String?, String?)])
    func errors(_ body: String, _ status: Int, _ type: String?, _ code: String?) {
        let (reading, _) = meteredBody(.openAIChat, body, status: status)
        #expect(reading.outcome == .providerError(ProviderError(type: type, code: code)))
        #expect(!reading.hasFirstToken)
        #expect(reading.report == nil)
    }

    // An error inside of a success, as each dialect has it.
    @Test func failedBodies() {
        let failed = meteredBody(
            .openAIResponses,
            #"{"id":"r","status":"failed","error":{"code":"server_error","message":"m"},"usage":null}"#
        )
        #expect(failed.reading.outcome == .providerError(ProviderError(code: "server_error")))
        let error = meteredBody(
            .anthropicMessages, #"{"type":"error","error":{"type":"api_error","message":"m"}}"#)
        #expect(error.reading.outcome == .providerError(ProviderError(type: "api_error")))
    }

    // A body that breaks off is cut, with what could be read of it; one without usage is whole.
    @Test func damaged() {
        let cut = meteredBody(
            .openAIChat, #"{"choices":[{"message":{"content":"Hello"}}],"usage":{"prompt_tok"#)
        #expect(cut.reading.outcome == .cut)
        #expect(cut.text == "Hello")
        #expect(cut.reading.hasFirstToken)
        #expect(meteredBody(.openAIChat, "").reading.outcome == .cut)
        #expect(meteredBody(.openAIChat, "[]").reading.outcome == .cut)
        let bare = meteredBody(.openAIChat, #"{"choices":[{"message":{"content":"Hello"}}]}"#)
        #expect(bare.reading.outcome == .completeWithoutUsage)
        #expect(meteredBody(.openAIChat, #"{"usage":5}"#).reading.outcome == .completeWithoutUsage)
    }
}
