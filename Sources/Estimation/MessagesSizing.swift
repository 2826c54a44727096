// Anthropic Messages.
//
// No tokenizer is public: text is counted with a factor and bounded by its bytes (`Tokenizers`).
// Around it: 3 tokens for the request and 4 for each message, which is what `count_tokens` shows
// for short ones. With tools a system prompt of the provider's is added; its size, and that of the
// tools which the provider defines, is published ("Tool use with Claude", pricing).
//
// Tools that run at the provider (`web_search_…`, `web_fetch_…`) each begin a further prompt of the
// model's: bounded by its largest prompt, once for each use allowed and once more.
//
// `cache_control` has everything before it written to the cache, or read from it, which is cheaper.
// The provider puts tools first, then system and messages, and they are read in that order.

import Billing
import CanonicalJSON

extension Sizer {
    mutating func readMessages(_ body: JSONObject) throws(SizingError) {
        frame(3, max: Framing.request)
        try readMessagesTools(body)
        try member("system", of: body) { (sizer, value) throws(SizingError) in
            sizer.frame(2, max: Framing.message)
            try sizer.readBlocks(value)
        }
        try required("messages", of: body) { (sizer, value) throws(SizingError) in
            try sizer.elements(value) { (sizer, value) throws(SizingError) in
                let message = try sizer.object(value)
                sizer.frame(4, max: Framing.message)
                try sizer.required("content", of: message) { (sizer, value) throws(SizingError) in
                    try sizer.readBlocks(value)
                }
            }
        }
        try readCacheControl(body)
        try readMessagesOutput(body)
        try readStreaming(body)
        // Its streams begin and end with usage, asked for or not.
        asksForUsageInStream = isStreaming
        try readUsers(body)
        try readServing(body)
        for name in ["mcp_servers", "container"] { markUnbounded(name, of: body) }
        try readEdits(body)
    }

    /// What is cleared from the prompt costs nothing; compaction is a pass of its own.
    private mutating func readEdits(_ body: JSONObject) throws(SizingError) {
        try member("context_management", of: body) { (sizer, value) throws(SizingError) in
            let management = try sizer.object(value)
            guard case .array(let edits)? = management["edits"] else { return }
            let clears = edits.allSatisfy { edit in
                guard case .object(let edit) = edit else { return false }
                return edit["type"]?.text?.utf8.starts(with: "clear_".utf8) ?? false
            }
            if !clears, !sizer.allowedMembers.contains("context_management") {
                sizer.markUnbounded()
            }
        }
    }

    // MARK: Output, tier, place

    private mutating func readMessagesOutput(_ body: JSONObject) throws(SizingError) {
        usage.maxOutputTokens = try count("max_tokens", of: body)
        try member("thinking", of: body) { (sizer, value) throws(SizingError) in
            let thinking = try sizer.object(value)
            sizer.thinkingTokens = try sizer.count("budget_tokens", of: thinking)
            // Thinking between calls of tools may go beyond the cap, up to the whole context.
            if let cap = sizer.usage.maxOutputTokens, let budget = sizer.thinkingTokens,
                budget >= cap
            {
                sizer.path.enter("budget_tokens")
                throw sizer.error("must be less than max_tokens, which is what bounds the answer")
            }
        }
        try member("output_config", of: body) { (sizer, value) throws(SizingError) in
            try sizer.readFormat("format", of: try sizer.object(value))
        }
        try readFormat("output_format", of: body)
    }

    /// `service_tier` is "auto" or "standard_only", the first when it is absent.
    private mutating func readServing(_ body: JSONObject) throws(SizingError) {
        let tier = try text("service_tier", of: body)
        usage.serviceTier = tier == "standard_only" ? .standard : .auto
        // Dearer by a factor that the price book may not have: for whoever has put it there.
        if let speed = try text("speed", of: body), speed != "standard" {
            try addAttribute("speed", speed)
            markUnbounded("speed", of: body)
        }
        if let geo = try text("inference_geo", of: body), geo != "global", geo != "not_available" {
            try addAttribute("region", geo)
            markUnbounded("inference_geo", of: body)
        }
    }

    private mutating func addAttribute(
        _ name: String, _ value: String
    ) throws(SizingError) {
        guard (1...128).contains(value.utf8.count),
            value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "=") })
        else {
            path.enter(name == "region" ? "inference_geo" : name)
            throw error("must have 1 to 128 bytes without = and control characters")
        }
        usage.attributes.append("\(name)=\(value)")
        usage.attributes.sort()
    }

    // MARK: Blocks

    /// Text, or blocks.
    private mutating func readBlocks(_ value: JSONValue) throws(SizingError) {
        if case .string(let text) = value { return read(text) }
        try elements(value) { (sizer, value) throws(SizingError) in
            let block = try sizer.object(value)
            try sizer.readBlock(value, block)
            try sizer.readCacheControl(block)
        }
    }

    private mutating func readBlock(
        _ value: JSONValue, _ block: JSONObject
    ) throws(SizingError) {
        switch try text("type", of: block) ?? "text" {
        case "text":
            try readText("text", of: block)
            // Where an answer is quoted back, its citations are read again.
            try member("citations", of: block) { (sizer, value) throws(SizingError) in
                sizer.readJSON(value)
            }
        case "image": try readImageBlock(block)
        case "document": try readDocumentBlock(block)
        case "tool_use", "server_tool_use", "mcp_tool_use":
            frame(8, max: Framing.toolCall)
            try readText("id", of: block)
            try readText("name", of: block)
            if let input = block["input"] { readJSON(input) }
        case "tool_result", "mcp_tool_result":
            frame(8, max: Framing.toolCall)
            try readText("tool_use_id", of: block)
            try member("content", of: block) { (sizer, value) throws(SizingError) in
                try sizer.readBlocks(value)
            }
        case "thinking":
            try readText("thinking", of: block)
            frame(2, max: Framing.toolCall)
            // The signature may be the whole thought, encrypted.
            readRest(of: block, except: ["type", "thinking", "cache_control"])
        case "redacted_thinking":
            if let data = try text("data", of: block) { readOpaque(data) }
        case "search_result":
            try readText("source", of: block)
            try readText("title", of: block)
            try member("content", of: block) { (sizer, value) throws(SizingError) in
                try sizer.readBlocks(value)
            }
        case "web_search_tool_result", "web_fetch_tool_result", "code_execution_tool_result",
            "bash_code_execution_tool_result", "text_editor_code_execution_tool_result",
            "tool_search_tool_result", "tool_reference", "compaction":
            frame(8, max: Framing.toolCall)
            readJSON(value)
        default: markUnbounded()
        }
    }

    private mutating func readImageBlock(_ block: JSONObject) throws(SizingError) {
        try required("source", of: block) { (sizer, value) throws(SizingError) in
            let source = try sizer.object(value)
            guard let data = try sizer.text("data", of: source) else {
                return sizer.addImageOfUnknownSize()
            }
            sizer.addImage(base64: data)
        }
    }

    private mutating func readDocumentBlock(_ block: JSONObject) throws(SizingError) {
        try readText("title", of: block)
        try readText("context", of: block)
        frame(8, max: Framing.toolCall)
        try required("source", of: block) { (sizer, value) throws(SizingError) in
            let source = try sizer.object(value)
            switch try sizer.text("type", of: source) {
            case "text"?: try sizer.readText("data", of: source)
            case "content"?:
                try sizer.member("content", of: source) { (sizer, value) throws(SizingError) in
                    try sizer.readBlocks(value)
                }
            case "base64"?: sizer.addDocument(base64: try sizer.text("data", of: source) ?? "")
            default: sizer.addDocumentOfUnknownSize()
            }
        }
    }

    /// `{"type":"ephemeral","ttl":"5m"}`; without `ttl` it is five minutes.
    mutating func readCacheControl(_ object: JSONObject) throws(SizingError) {
        try member("cache_control", of: object) { (sizer, value) throws(SizingError) in
            let control = try sizer.object(value)
            let isHour = try sizer.text("ttl", of: control) == "1h"
            sizer.keepInCache(isHour ? .hour : .fiveMinutes)
        }
    }

    // MARK: Tools

    private mutating func readMessagesTools(_ body: JSONObject) throws(SizingError) {
        var isFirst = true
        try member("tools", of: body) { (sizer, value) throws(SizingError) in
            try sizer.elements(value) { (sizer, value) throws(SizingError) in
                // "auto" and "none" add 346 tokens, being made to use one adds 313; Claude 3 Opus
                // adds 530.
                if isFirst { sizer.frame(346, max: 600) }
                isFirst = false
                let tool = try sizer.object(value)
                try sizer.readMessagesTool(value, tool)
                try sizer.readCacheControl(tool)
            }
        }
        try member("tool_choice", of: body) { (sizer, value) throws(SizingError) in
            if let name = try sizer.object(value)["name"]?.text { sizer.read(name) }
        }
    }

    private mutating func readMessagesTool(
        _ value: JSONValue, _ tool: JSONObject
    ) throws(SizingError) {
        let type = try text("type", of: tool) ?? "custom"
        func isVersion(of name: String) -> Bool { type.utf8.starts(with: name.utf8) }
        if type == "custom" {
            readTool(value)
        } else if isVersion(of: "bash_2") {
            frame(245, max: 400)
        } else if isVersion(of: "text_editor_") {
            frame(700, max: 1_000)
        } else if isVersion(of: "computer_2") {
            frame(1_200, max: 2_000)
        } else if isVersion(of: "memory_") {
            frame(700, max: 2_000)
        } else if isVersion(of: "web_search_") {
            readTool(value)
            addSearches(atMost: try count("max_uses", of: tool))
        } else if isVersion(of: "web_fetch_") {
            readTool(value)
            addRounds(atMost: try count("max_uses", of: tool))
        } else {
            markUnbounded()
        }
    }
}
