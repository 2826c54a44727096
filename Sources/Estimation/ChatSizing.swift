// OpenAI Chat Completions.
//
// What frames the text, after OpenAI's cookbook ("How to count tokens with tiktoken"): 3 tokens for
// each message, one for a name, 3 that begin the answer. The maximum has room for what the cookbook
// does not cover (`Framing`): tool calls, roles of later models, a preamble of the provider's.

import Billing
import CanonicalJSON

extension Sizer {
    mutating func readChat(_ body: JSONObject) throws(SizingError) {
        frame(3, max: Framing.request)
        var hasSystem = false
        try required("messages", of: body) { (sizer, value) throws(SizingError) in
            try sizer.elements(value) { (sizer, value) throws(SizingError) in
                let role = try sizer.readChatMessage(try sizer.object(value))
                if role == "system" || role == "developer" { hasSystem = true }
            }
        }
        // What a template makes of it is at most what it is.
        if let value = body["chat_template_kwargs"], !value.isNull {
            read(expecting: [], or: CompactJSON.bytes(of: value))
        }
        try readChatTools(body, hasSystem: hasSystem)
        try readFormat("response_format", of: body)
        try readChatOutput(body)
        try readStreaming(body)
        try readTier(body)
        try readUsers(body)
        try readRouting(body)
    }

    // MARK: Messages

    private mutating func readChatMessage(_ message: JSONObject) throws(SizingError) -> String {
        frame(3, max: Framing.message)
        let role = try text("role", of: message) ?? ""
        read(role)
        if let name = try text("name", of: message) {
            read(name)
            frame(1, max: 2)
        }
        try member("content", of: message) { (sizer, value) throws(SizingError) in
            if case .string(let text) = value { return sizer.read(text) }
            try sizer.elements(value) { (sizer, value) throws(SizingError) in
                try sizer.readChatPart(try sizer.object(value))
            }
        }
        try readText("refusal", of: message)
        try readText("reasoning_content", of: message)
        try readText("tool_call_id", of: message)
        try member("tool_calls", of: message) { (sizer, value) throws(SizingError) in
            try sizer.elements(value) { (sizer, value) throws(SizingError) in
                try sizer.readChatToolCall(try sizer.object(value))
            }
        }
        try member("function_call", of: message) { (sizer, value) throws(SizingError) in
            try sizer.readFunctionCall(try sizer.object(value))
        }
        // Sound that an earlier answer held: it is at the provider.
        try member("audio", of: message) { (sizer, _) throws(SizingError) in
            sizer.needFullContexts(1)
        }
        try readCacheControl(message)
        readRest(of: message, except: Self.messageMembers)
        return role
    }

    private static let messageMembers: Set<String> = [
        "role", "name", "content", "refusal", "reasoning_content", "tool_call_id", "tool_calls",
        "function_call", "audio", "cache_control",
    ]

    private mutating func readChatPart(_ part: JSONObject) throws(SizingError) {
        try readChatContent(part)
        try readCacheControl(part)
    }

    private mutating func readChatContent(_ part: JSONObject) throws(SizingError) {
        switch try text("type", of: part) ?? "text" {
        case "text": try readText("text", of: part)
        case "refusal": try readText("refusal", of: part)
        case "image_url":
            try required("image_url", of: part) { (sizer, value) throws(SizingError) in
                // Some servers take the address without an object around it.
                if case .string(let address) = value { return sizer.addImage(at: address) }
                let image = try sizer.object(value)
                let detail = try sizer.detail(of: image)
                try sizer.required("url", of: image) { (sizer, value) throws(SizingError) in
                    sizer.addImage(at: try sizer.string(value), detail: detail)
                }
            }
        case "input_audio":
            try required("input_audio", of: part) { (sizer, value) throws(SizingError) in
                try sizer.readSound(try sizer.object(value))
            }
        case "file":
            try required("file", of: part) { (sizer, value) throws(SizingError) in
                try sizer.readFile(try sizer.object(value))
            }
        default: markUnbounded()
        }
    }

    mutating func readSound(_ sound: JSONObject) throws(SizingError) {
        let format = try text("format", of: sound)
        try required("data", of: sound) { (sizer, value) throws(SizingError) in
            sizer.addSound(base64: try sizer.string(value), format: format)
        }
    }

    /// `file_data` in base64, or `file_id` or `file_url`.
    mutating func readFile(_ file: JSONObject) throws(SizingError) {
        try readText("filename", of: file)
        let isElsewhere = ["file_id", "file_url"].contains { name in
            file[name].map { !$0.isNull } ?? false
        }
        if let data = try text("file_data", of: file), !isElsewhere {
            addDocument(base64: data)
        } else {
            addDocumentOfUnknownSize()
        }
    }

    private mutating func readChatToolCall(_ call: JSONObject) throws(SizingError) {
        try member("function", of: call) { (sizer, value) throws(SizingError) in
            try sizer.readFunctionCall(try sizer.object(value))
        }
        try member("custom", of: call) { (sizer, value) throws(SizingError) in
            try sizer.readFunctionCall(try sizer.object(value))
        }
    }

    /// `name` with `arguments`, or, where they are free text, `input`.
    mutating func readFunctionCall(_ call: JSONObject) throws(SizingError) {
        frame(3, max: Framing.toolCall)
        try readText("name", of: call)
        try readText("arguments", of: call)
        try readText("input", of: call)
    }

    // MARK: Tools

    private mutating func readChatTools(
        _ body: JSONObject, hasSystem: Bool
    ) throws(SizingError) {
        var functions = FunctionList()
        try member("tools", of: body) { (sizer, value) throws(SizingError) in
            try sizer.elements(value) { (sizer, value) throws(SizingError) in
                let tool = try sizer.object(value)
                switch try sizer.text("type", of: tool) ?? "function" {
                case "function":
                    try sizer.required("function", of: tool) { (sizer, value) throws(SizingError) in
                        try sizer.add(try sizer.object(value), to: &functions)
                    }
                case "custom": sizer.readTool(value)
                default: sizer.markUnbounded()
                }
            }
        }
        try member("functions", of: body) { (sizer, value) throws(SizingError) in
            try sizer.elements(value) { (sizer, value) throws(SizingError) in
                try sizer.add(try sizer.object(value), to: &functions)
            }
        }
        read(functions, hasSystem: hasSystem)
        try readToolChoice("tool_choice", of: body)
        try readToolChoice("function_call", of: body)
        // Models that search do so once, before they answer, asked to or not.
        let isAsked = body["web_search_options"].map { !$0.isNull } ?? false
        if isAsked || alwaysSearches {
            usage.webSearches = 1
            frame(0, max: Framing.request)
        }
    }

    private var alwaysSearches: Bool {
        ["-search-preview", "-search-api", "sonar"].contains { model.utf8.contains($0.utf8) }
    }

    private mutating func readToolChoice(
        _ name: String, of body: JSONObject
    ) throws(SizingError) {
        try member(name, of: body) { (sizer, value) throws(SizingError) in
            if case .string(let choice) = value {
                if choice == "none" { sizer.frame(1, max: 2) }
                return
            }
            let choice = try sizer.object(value)
            sizer.frame(7, max: Framing.toolCall)
            let function = choice["function"]?.object ?? choice["custom"]?.object ?? choice
            if let name = function["name"]?.text { sizer.read(name) }
        }
    }

    // MARK: Output

    private mutating func readChatOutput(_ body: JSONObject) throws(SizingError) {
        let caps = [
            // Servers take zero, and what is below, for no limit.
            try count("max_completion_tokens", of: body, from: 1),
            try count("max_tokens", of: body, from: 1),
        ].compactMap(\.self)
        usage.maxOutputTokens = caps.max()
        usage.completions = try count("n", of: body, from: 1)
        try member("modalities", of: body) { (sizer, value) throws(SizingError) in
            try sizer.elements(value) { (sizer, value) throws(SizingError) in
                switch try sizer.string(value) {
                case "text": break
                case "audio": sizer.usage.mayOutputAudio = true
                default: sizer.markUnbounded()
                }
            }
        }
        try member("prediction", of: body) { (sizer, value) throws(SizingError) in
            let prediction = try sizer.object(value)
            try sizer.member("content", of: prediction) { (sizer, value) throws(SizingError) in
                // What is not used of it is billed as output, and the cap does not hold it back.
                var tokens = Sizer(model: sizer.model)
                tokens.path = sizer.path
                if case .string(let text) = value {
                    tokens.read(text)
                } else {
                    try tokens.elements(value) { (part, value) throws(SizingError) in
                        try part.readText("text", of: try part.object(value))
                    }
                }
                sizer.usage.extraOutputTokens = tokens.largestText
            }
        }
    }

    // MARK: What other dialects of OpenAI have too

    /// `{"type":"json_schema", …}`: the schema is shown to the model.
    mutating func readFormat(_ name: String, of body: JSONObject) throws(SizingError) {
        try member(name, of: body) { (sizer, value) throws(SizingError) in
            let format = try sizer.object(value)
            switch try sizer.text("type", of: format) {
            case "json_schema"?:
                sizer.frame(8, max: Framing.request)
                sizer.readJSON(format["json_schema"] ?? value)
            case "grammar"?: sizer.readJSON(value)
            default: sizer.frame(0, max: Framing.toolCall)
            }
        }
    }

    /// "default" is OpenAI's word for standard. A name that is not known may be any tier.
    mutating func readTier(_ body: JSONObject) throws(SizingError) {
        usage.serviceTier =
            switch try text("service_tier", of: body) {
            case nil: nil
            case "default", "standard", "scale", "on_demand": .standard
            case "flex": .flex
            case "priority", "fast": .priority
            case "batch": .batch
            default: .auto
            }
    }

    /// Routers' own members: another model than the one named may serve, or something be added that
    /// costs money.
    private mutating func readRouting(_ body: JSONObject) throws(SizingError) {
        for name in ["models", "fallbacks", "plugins"] { markUnbounded(name, of: body) }
        if model.utf8.suffix(7).elementsEqual(":online".utf8) {
            path.enter("model")
            markUnbounded()
            path.leave()
        }
    }
}
