import Billing
import CanonicalJSON
import Estimation
import Testing

@Suite struct ResponsesSizingTests {
    private func sizedInput(_ input: String, _ more: String = "") throws -> SizedRequest {
        try sized(#"{"model":"gpt-4o","input":\#(input)\#(more)}"#, .openAIResponses)
    }

    // Text, a message and a list of messages.
    @Test func input() throws {
        #expect(try sizedInput(#""hi""#).usage.inputTokens == 8)
        #expect(try sizedInput(#"[{"role":"user","content":"hi"}]"#).usage.inputTokens == 8)
        let parts = #"[{"role":"user","content":[{"type":"input_text","text":"hi"}]}]"#
        #expect(try sizedInput(parts).usage.inputTokens == 8)
        #expect(try sizedInput(#""hi""#, #","instructions":"hi""#).usage.inputTokens == 13)
    }

    // Calls and their results.
    @Test func calls() throws {
        let call = #"{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}"#
        let output = #"{"type":"function_call_output","call_id":"c","output":"hi"}"#
        #expect(try sizedInput("[\(call)]").usage.inputTokens == 11)
        #expect(try sizedInput("[\(output)]").usage.inputTokens == 9)
    }

    // What lies at the provider is bounded by the model's largest prompt.
    @Test(arguments: [
        #""previous_response_id":"r""#, #""conversation":"c""#,
    ])
    func byRule(more: String) throws {
        let sized = try sizedInput(#""hi""#, ",\(more)")
        #expect(sized.usage.fullContexts == 1)
        #expect(sized.usage.inputTokens == 8)
        #expect(sized.unbounded == [])
    }

    // Searches need a limit; with one they are bounded, each a prompt of its own.
    @Test func searches() throws {
        let tools = #","tools":[{"type":"web_search"}]"#
        #expect(try sizedInput(#""hi""#, tools).unbounded == ["tools[0]"])
        let bounded = try sizedInput(#""hi""#, tools + #","max_tool_calls":3"#)
        #expect(bounded.unbounded == [])
        #expect(bounded.usage.webSearches == 1)
        #expect(bounded.usage.maxWebSearches == 3)
        #expect(bounded.usage.fullContexts == 4)
        let two = #","tools":[{"type":"web_search"},{"type":"mcp","server_url":"u"}]"#
        #expect(
            try sizedInput(#""hi""#, two + #","max_tool_calls":3"#).usage.fullContexts == 4)
    }

    // Tools with fees of their own have no bound; functions of the caller's do.
    @Test func tools() throws {
        for type in ["file_search", "code_interpreter", "image_generation", "shell", "new"] {
            let sized = try sizedInput(#""hi""#, #","tools":[{"type":"\#(type)"}]"#)
            #expect(sized.unbounded == ["tools[0]"])
        }
        let own = #","tools":[{"type":"function","name":"f","parameters":{}},{"type":"custom"}]"#
        #expect(try sizedInput(#""hi""#, own).unbounded == [])
    }

    @Test func output() throws {
        let sized = try sizedInput(#""hi""#, #","max_output_tokens":9,"stream":true"#)
        #expect(sized.statedOutputCap == 9)
        #expect(sized.isStreaming && sized.asksForUsageInStream)
    }

    @Test func images() throws {
        let part = #"{"type":"input_image","image_url":"https://x","detail":"low"}"#
        let sized = try sizedInput(#"[{"role":"user","content":[\#(part)]}]"#)
        #expect(sized.usage.inputImageTokens == 85)
    }
}

@Suite struct EmbeddingsSizingTests {
    // Text is counted, ids are counted; nothing comes out.
    @Test(arguments: [
        (#""hi""#, 1), (#"["hi","hi hi"]"#, 3), ("[1,2,3]", 3), ("[[1,2],[3]]", 3), ("[]", 0),
    ])
    func inputs(input: String, tokens: Int64) throws {
        let sized = try sized(
            #"{"model":"text-embedding-3-small","input":\#(input)}"#, .openAIEmbeddings)
        #expect(sized.usage.inputTokens == tokens)
        #expect(sized.usage.maxOutputTokens == 0)
        #expect(sized.priorOutputTokens == 0)
        #expect(sized.statedOutputCap == nil)
    }

    @Test(arguments: [("[[1,\"a\"]]", "input[0][1]"), ("[true]", "input[0]"), ("{}", "input")])
    func errors(input: String, param: String) {
        #expect(refusal(#"{"model":"m","input":\#(input)}"#, .openAIEmbeddings)?.param == param)
    }
}

@Suite struct MessagesSizingTests {
    private func sizedMessages(
        _ content: String, _ more: String = "", model: String = "claude-sonnet-4-5"
    ) throws -> SizedRequest {
        try sized(
            #"{"model":"\#(model)","max_tokens":50,"messages":[{"role":"user","content":\#(content)}]\#(more)}"#,
            .anthropicMessages)
    }

    // Text counts with the family's factor, and its bytes bound it.
    @Test func text() throws {
        let text = String(repeating: "word ", count: 1_000)
        let old = try sizedMessages(#""\#(text)""#).usage
        let new = try sizedMessages(#""\#(text)""#, model: "claude-opus-4-8").usage
        #expect((1_180...1_195).contains(old.inputTokens))
        #expect((1_530...1_545).contains(new.inputTokens))
        #expect(old.maxInputTokens! >= 5_000)
        #expect(old.source?.tokenizer == "o200k_base*1.18")
    }

    // Caps, thinking, tier, speed and place.
    @Test func parameters() throws {
        let sized = try sizedMessages(
            #""hi""#,
            #","thinking":{"type":"enabled","budget_tokens":20},"service_tier":"standard_only","#
                + #""speed":"fast","inference_geo":"us","metadata":{"user_id":"u"}"#)
        #expect(sized.statedOutputCap == 50)
        #expect(sized.thinkingTokens == 20)
        #expect(sized.priorOutputTokens == 50)
        #expect(sized.usage.serviceTier == .standard)
        #expect(sized.usage.attributes == ["region=us", "speed=fast"])
        #expect(sized.metadataUserID == "u")
        #expect(try sizedMessages(#""hi""#).usage.serviceTier == .auto)
    }

    // Everything before a mark is written to the cache; the lifetimes are told apart.
    @Test func cacheControl() throws {
        let text = String(repeating: "word ", count: 1_000)
        let system =
            #","system":[{"type":"text","text":"\#(text)","#
            + #""cache_control":{"type":"ephemeral","ttl":"1h"}}]"#
        let hour = try sizedMessages(#""hi""#, system).usage
        #expect(hour.cacheWriteTokens == nil)
        #expect((1_180...1_200).contains(try #require(hour.cacheWrite1hTokens)))
        let block = #"[{"type":"text","text":"\#(text)","cache_control":{"type":"ephemeral"}}]"#
        let both = try sizedMessages(block, system).usage
        #expect((1_180...1_200).contains(try #require(both.cacheWriteTokens)))
        #expect(both.cacheWrite1hTokens == hour.cacheWrite1hTokens)
        let whole = try sizedMessages(#""\#(text)""#, #","cache_control":{"type":"ephemeral"}"#)
        #expect(whole.usage.cacheWriteTokens == whole.usage.inputTokens)
        #expect(try sizedMessages(block).usage.cacheWrite1hTokens == nil)
    }

    // Blocks of every kind that clients send.
    @Test(arguments: [
        #"{"type":"text","text":"hi"}"#,
        #"{"type":"image","source":{"type":"url","url":"https://x"}}"#,
        #"{"type":"document","source":{"type":"text","media_type":"text/plain","data":"hi"}}"#,
        #"{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"AAAA"}}"#,
        #"{"type":"tool_use","id":"t","name":"f","input":{"a":1}}"#,
        #"{"type":"tool_result","tool_use_id":"t","content":"hi"}"#,
        #"{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"hi"}]}"#,
        #"{"type":"thinking","thinking":"hm","signature":"s"}"#,
        #"{"type":"redacted_thinking","data":"abcd"}"#,
        #"{"type":"search_result","source":"s","title":"t","content":[{"type":"text","text":"x"}]}"#,
    ])
    func blocks(block: String) throws {
        let sized = try sizedMessages("[\(block)]")
        #expect(sized.usage.inputTokens > 7 || block.contains("redacted"))
        #expect(sized.unbounded == [])
        #expect(sized.usage.maxInputTokens! >= sized.usage.inputTokens)
    }

    // The provider's own tools: each use is a prompt more, and needs a limit.
    @Test func serverTools() throws {
        func tool(_ type: String, _ more: String = "") -> String {
            #"{"type":"\#(type)","name":"n"\#(more)}"#
        }
        func sizedTools(_ tools: String...) throws -> SizedRequest {
            try sizedMessages(#""hi""#, #","tools":[\#(tools.joined(separator: ","))]"#)
        }
        let search = tool("web_search_20250305", #","max_uses":2"#)
        let fetch = tool("web_fetch_20250910", #","max_uses":3"#)
        let both = try sizedTools(search, fetch)
        #expect(both.usage.fullContexts == 6)
        #expect(both.usage.maxWebSearches == 2)
        #expect(both.unbounded == [])
        #expect(try sizedTools(tool("web_search_20250305")).unbounded == ["tools[0]"])
        #expect(try sizedTools(search, tool("code_execution_20250825")).unbounded == ["tools[1]"])
        #expect(try sizedTools(tool("bash_20250124")).unbounded == [])
        #expect(try sizedMessages(#""hi""#, #","mcp_servers":[{}]"#).unbounded == ["mcp_servers"])
    }

    // With tools a system prompt of the provider's is added.
    @Test func ownTools() throws {
        let tool = #"{"name":"f","input_schema":{"type":"object"}}"#
        let plain = try sizedMessages(#""hi""#).usage.inputTokens
        let withTool = try sizedMessages(#""hi""#, #","tools":[\#(tool)]"#).usage.inputTokens
        #expect((346...390).contains(withTool - plain))
    }
}

@Suite struct DialectInferenceTests {
    // What can only be one dialect is found out, what cannot is not guessed.
    @Test(arguments: [
        (#"{"model":"gpt-4o","messages":[]}"#, RequestDialect.openAIChat),
        (#"{"model":"claude-x","messages":[],"system":"s"}"#, .anthropicMessages),
        (#"{"model":"claude-x","messages":[],"tools":[{"input_schema":{}}]}"#, .anthropicMessages),
        (#"{"model":"claude-x","messages":[{"role":"system"}]}"#, .openAIChat),
        (#"{"model":"claude-x","messages":[],"stream_options":{}}"#, .openAIChat),
        (#"{"model":"claude-x","messages":[]}"#, nil),
        (#"{"model":"m","messages":[],"system":"s","n":1}"#, nil),
        (#"{"model":"gpt-5","input":"x"}"#, .openAIResponses),
        (#"{"model":"gpt-5","input":[{"role":"user"}]}"#, .openAIResponses),
        (#"{"model":"text-embedding-3-small","input":"x"}"#, .openAIEmbeddings),
        (#"{"model":"m","input":[1,2]}"#, .openAIEmbeddings),
        (#"{"model":"m","input":["x"],"dimensions":8}"#, .openAIEmbeddings),
        (#"{"model":"m","prompt":{"id":"p"}}"#, .openAIResponses),
        (#"{"model":"m"}"#, nil), ("[]", nil),
    ])
    func inference(body: String, dialect: RequestDialect?) throws {
        #expect(RequestDialect.inferred(from: try StrictJSON.parse(body)) == dialect)
    }
}
