import Billing
import CanonicalJSON
import Estimation
import Testing

/// What each part of a chat request adds. `gpt-4o` counts exactly, so that figures can be told.
@Suite struct ChatSizingTests {
    private func request(_ message: String, _ more: String = "") -> String {
        #"{"model":"gpt-4o","messages":[\#(message)]\#(more)}"#
    }

    private static let plain = #"{"role":"user","content":"hi"}"#

    private func tokens(_ message: String, _ more: String = "") throws -> Int64 {
        try sized(request(message, more)).usage.inputTokens
    }

    // Three that begin the answer, three for the message, one each for role and text.
    @Test func plainMessage() throws {
        #expect(try tokens(Self.plain) == 8)
        #expect(try tokens(#"{"role":"user","content":[{"type":"text","text":"hi"}]}"#) == 8)
        #expect(try tokens(#"{"role":"user","content":"hi","name":"jo"}"#) == 10)
        #expect(try tokens(#"{"role":"user","content":null}"#) == 7)
        #expect(try tokens(#"{"role":"assistant","refusal":"no"}"#) == 8)
        #expect(try tokens("\(Self.plain),\(Self.plain)") == 13)
    }

    // Calls of tools and their results are part of the prompt.
    @Test func toolCalls() throws {
        let call = #"{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}"#
        #expect(try tokens(#"{"role":"assistant","tool_calls":[\#(call)]}"#) == 12)
        #expect(try tokens(#"{"role":"tool","tool_call_id":"c","content":"hi"}"#) == 9)
        #expect(
            try tokens(#"{"role":"assistant","function_call":{"name":"f","arguments":"{}"}}"#)
                == 12)
    }

    // Choosing a tool costs as OpenAI's users measured: none 1, a named one 7 and its name.
    @Test func toolChoice() throws {
        #expect(try tokens(Self.plain, #","tool_choice":"none""#) == 9)
        #expect(try tokens(Self.plain, #","tool_choice":"auto""#) == 8)
        let named = #","tool_choice":{"type":"function","function":{"name":"f"}}"#
        #expect(try tokens(Self.plain, named) == 16)
    }

    // Caps, answers, tier, user and streaming are taken over as they stand.
    @Test func parameters() throws {
        let sized = try sized(
            request(
                Self.plain,
                #","max_tokens":5,"max_completion_tokens":7,"n":3,"service_tier":"flex","#
                    + #""user":"u","safety_identifier":"s","metadata":{"user_id":"m"},"#
                    + #""stream":true,"stream_options":{"include_usage":true}"#))
        #expect(sized.usage.maxOutputTokens == 7)
        #expect(sized.statedOutputCap == 7)
        #expect(sized.usage.completions == 3)
        #expect(sized.usage.serviceTier == .flex)
        #expect(sized.user == "u")
        #expect(sized.safetyIdentifier == "s")
        #expect(sized.metadataUserID == "m")
        #expect(sized.isStreaming && sized.asksForUsageInStream)
        #expect(sized.usage.expectedOutputTokens == nil)
        #expect(sized.priorOutputTokens == 7)
        let open = try self.sizedPlain("")
        #expect(open.statedOutputCap == nil && open.priorOutputTokens == 4_096)
        #expect(try self.sizedPlain(#","service_tier":"default""#).usage.serviceTier == .standard)
        #expect(try self.sizedPlain(#","service_tier":"auto""#).usage.serviceTier == .auto)
        #expect(try self.sizedPlain(#","service_tier":"turbo""#).usage.serviceTier == .auto)
    }

    private func sizedPlain(_ more: String) throws -> SizedRequest {
        try sized(request(Self.plain, more))
    }

    // A prediction that is rejected is billed as output, beyond the cap.
    @Test func prediction() throws {
        let sized = try sizedPlain(
            #","max_tokens":5,"prediction":{"type":"content","content":"hi hi hi"}"#)
        #expect(sized.usage.extraOutputTokens == 3)
        #expect(sized.usage.inputTokens == 8)
    }

    // Images count by the model's rule, and are told apart from text.
    @Test func images() throws {
        let url = #"{"type":"image_url","image_url":{"url":"https://x/y.png","detail":"low"}}"#
        let sized = try sized(request(#"{"role":"user","content":[\#(url)]}"#))
        #expect(sized.usage.inputImageTokens == 85)
        #expect(sized.usage.maxInputImageTokens == 85)
        #expect(sized.usage.inputTokens == 7 + 85)
    }

    // Sound has tokens of its own, and so may the answer.
    @Test func audio() throws {
        let data = String(repeating: "A", count: 64_000)
        let part = #"{"type":"input_audio","input_audio":{"data":"\#(data)","format":"wav"}}"#
        let sized = try sized(
            request(#"{"role":"user","content":[\#(part)]}"#, #","modalities":["text","audio"]"#))
        #expect(sized.usage.inputAudioTokens == 10)
        #expect(sized.usage.maxInputAudioTokens == 481)
        #expect(sized.usage.mayOutputAudio)
    }

    // A document is bounded by what the model can read, a search is one search.
    @Test func documentsAndSearch() throws {
        let part = #"{"type":"file","file":{"file_id":"file-1"}}"#
        let document = try sized(request(#"{"role":"user","content":[\#(part)]}"#))
        #expect(document.usage.fullContexts == 1)
        #expect(document.unbounded == [])
        #expect(try sizedPlain(#","web_search_options":{}"#).usage.webSearches == 1)
    }

    // A JSON schema is read by the model.
    @Test func schema() throws {
        let format =
            #","response_format":{"type":"json_schema","json_schema":{"name":"n","schema":"#
            + #"{"type":"object","properties":{"a":{"type":"string"}}}}}"#
        #expect(try tokens(Self.plain, format) > 30)
        #expect(try tokens(Self.plain, #","response_format":{"type":"json_object"}"#) == 8)
    }

    // What is not known and may cost anything is named.
    @Test(arguments: [
        (#","tools":[{"type":"oracle"}]"#, "tools[0]"),
        (#","models":["a","b"]"#, "models"), (#","plugins":[{"id":"web"}]"#, "plugins"),
        (#","modalities":["image"]"#, "modalities[0]"),
    ])
    func unbounded(more: String, place: String) throws {
        #expect(try sizedPlain(more).unbounded == [place])
    }

    @Test func unknownParts() throws {
        let part = #"{"type":"hologram"}"#
        let sized = try sized(request("\(Self.plain),{\"role\":\"user\",\"content\":[\(part)]}"))
        #expect(sized.unbounded == ["messages[1].content[0]"])
    }

    // What is not known may cost anything, unless there is nothing in it or the operator allows it.
    // So may a known name in another case, which servers in Go take for the same.
    @Test(arguments: ["zap", "Max_Tokens", "MESSAGES", "search_parameters", "extra_body"])
    func unknownMembers(name: String) throws {
        #expect(try sized(request(Self.plain, #","\#(name)":{"a":1}"#)).unbounded == [name])
        #expect(try sized(request(Self.plain, #","\#(name)":{}"#)).unbounded == [])
        let allowed = try RequestSizing.size(
            Array(request(Self.plain, #","\#(name)":{"a":1}"#).utf8), dialect: .openAIChat,
            allowed: [name])
        #expect(allowed.unbounded == [])
    }

    // What SDKs and other servers send beside it is known.
    @Test func knownMembers() throws {
        let more = #","seed":1,"top_k":5,"min_p":0.1,"chat_template_kwargs":{"a":1},"store":true"#
        #expect(try sized(request(Self.plain, more)).unbounded == [])
    }

    // A message may carry what a template shows to the model: by its bytes at most.
    @Test(arguments: ["reasoning", "reasoning_details", "whatever"])
    func restOfMessages(name: String) throws {
        let long = String(repeating: "x ", count: 4_000)
        let message = #"{"role":"user","content":"a","\#(name)":"\#(long)"}"#
        #expect(try sized(request(message)).usage.maxInputTokens! >= 4_000)
    }

    // Models that search do so without being asked, and each search has its price.
    @Test(arguments: ["gpt-4o-search-preview", "gpt-5-search-api", "perplexity/sonar-pro"])
    func searching(model: String) throws {
        let body = #"{"model":"\#(model)","messages":[{"role":"user","content":"a"}]}"#
        #expect(try sized(body).usage.webSearches == 1)
    }

    // Servers take a cap of nothing for no cap.
    @Test(arguments: ["max_tokens", "max_completion_tokens"])
    func noCap(name: String) throws {
        #expect(throws: SizingError.self) { try sized(request(Self.plain, #","\#(name)":0"#)) }
    }

    // The bound is never below what is expected, and for other tokenizers is the bytes.
    @Test func bounds() throws {
        for model in ["gpt-4o", "gpt-4", "claude-opus-4-8", "gemini-2.5-pro", "odd"] {
            let text = String(repeating: "Grüße aus 東京! ", count: 50)
            let sized = try sized(
                #"{"model":"\#(model)","messages":[{"role":"user","content":"\#(text)"}]}"#)
            #expect(sized.usage.inputTokens >= 50)
            if !model.hasPrefix("gpt") {
                #expect(sized.usage.maxInputTokens! >= text.utf8.count)
            }
        }
    }

    // What is wrong is named by its place.
    @Test(arguments: [
        (#"{"messages":[]}"#, "model"), (#"{"model":1,"messages":[]}"#, "model"),
        (#"{"model":""}"#, "model"), (#"{"model":"m"}"#, "messages"),
        (#"{"model":"m","messages":{}}"#, "messages"),
        (#"{"model":"m","messages":[1]}"#, "messages[0]"),
        (#"{"model":"m","messages":[{"role":"user","content":7}]}"#, "messages[0].content"),
        (
            #"{"model":"m","messages":[{},{},{"content":[{"type":"image_url","image_url":{"url":1}}]}]}"#,
            "messages[2].content[0].image_url.url"
        ),
        (#"{"model":"m","messages":[],"max_tokens":"5"}"#, "max_tokens"),
        (#"{"model":"m","messages":[],"max_tokens":-1}"#, "max_tokens"),
        (#"{"model":"m","messages":[],"n":0}"#, "n"),
        (#"{"model":"m","messages":[],"stream":1}"#, "stream"),
        (#"{"model":"m","messages":[],"tools":[{"type":"function"}]}"#, "tools[0].function"),
        (#"{"model":"m","model":"m","messages":[]}"#, "model"),
    ])
    func errors(body: String, param: String) {
        #expect(refusal(body)?.param == param)
        #expect(refusal(body)?.message.isEmpty == false)
    }

    @Test func notAnObject() {
        #expect(refusal("[]") != nil)
        #expect(refusal("[]")?.param == nil)
        #expect(refusal("") != nil)
    }
}
