// OpenAI Responses.
//
// Chat's rules hold for what frames the text. What is different: turns may lie at the provider
// (`previous_response_id`, `conversation`, `prompt`, references), and its own tools run within the
// call, each run a further prompt of the model's with what the tool gave. Both are bounded by the
// model's largest prompt: once, or once for each run that `max_tool_calls` allows and once more.
// Expected is what the request carries, and for a search 8,000 tokens of results: the block that
// OpenAI bills at a fixed size where it does so at all.

import Billing
import CanonicalJSON

extension Sizer {
    mutating func readResponses(_ body: JSONObject) throws(SizingError) {
        frame(3, max: Framing.request)
        // A stored prompt may bring tools of the provider's, and compaction is a pass of its own.
        for name in ["prompt", "context_management"] { markUnbounded(name, of: body) }
        for name in ["previous_response_id", "conversation", "prompt"] {
            try member(name, of: body) { (sizer, _) throws(SizingError) in
                sizer.needFullContexts(1)
            }
        }
        try member("instructions", of: body) { (sizer, value) throws(SizingError) in
            sizer.frame(4, max: Framing.message)
            try sizer.readResponsesInput(value)
        }
        try member("input", of: body) { (sizer, value) throws(SizingError) in
            if case .string = value { sizer.frame(4, max: Framing.message) }
            try sizer.readResponsesInput(value)
        }
        try readResponsesTools(body)
        try member("tool_choice", of: body) { (sizer, _) throws(SizingError) in
            sizer.frame(0, max: Framing.toolCall)
        }
        try member("text", of: body) { (sizer, value) throws(SizingError) in
            try sizer.readFormat("format", of: try sizer.object(value))
        }
        usage.maxOutputTokens = try count("max_output_tokens", of: body, from: 1)
        try readStreaming(body)
        // Its streams end with the usage, asked for or not.
        asksForUsageInStream = isStreaming
        isBackground = try flag("background", of: body)
        try readTier(body)
        try readUsers(body)
    }

    // MARK: Input

    private mutating func readResponsesInput(_ value: JSONValue) throws(SizingError) {
        if case .string(let text) = value { return read(text) }
        try elements(value) { (sizer, value) throws(SizingError) in
            try sizer.readResponsesItem(value, try sizer.object(value))
        }
    }

    private mutating func readResponsesItem(
        _ value: JSONValue, _ item: JSONObject
    ) throws(SizingError) {
        // An item that is nothing but an id stands for one that the provider has.
        let isReference = item["role"] == nil && item["id"] != nil
        switch try text("type", of: item) ?? (isReference ? "item_reference" : "message") {
        case "message":
            frame(3, max: Framing.message)
            try readText("role", of: item)
            try readResponsesContent("content", of: item)
            readRest(of: item, except: ["type", "role", "content", "id", "status"])
        case "function_call", "custom_tool_call":
            frame(3, max: Framing.message)
            try readFunctionCall(item)
        case "function_call_output", "custom_tool_call_output", "local_shell_call_output",
            "shell_call_output", "apply_patch_call_output":
            frame(4, max: Framing.message)
            try readText("call_id", of: item)
            try readResponsesContent("output", of: item)
        case "computer_call_output":
            frame(4, max: Framing.message)
            try member("output", of: item) { (sizer, value) throws(SizingError) in
                try sizer.readResponsesPart(try sizer.object(value))
            }
        case "reasoning", "compaction":
            try readResponsesContent("summary", of: item)
            try readResponsesContent("content", of: item)
            if let text = try text("encrypted_content", of: item) { readOpaque(text) }
            frame(3, max: Framing.message)
        case "item_reference": needFullContexts(1)
        case "image_generation_call":
            if let image = try text("result", of: item) { addImage(base64: image) }
        case "web_search_call", "file_search_call", "computer_call", "code_interpreter_call",
            "local_shell_call", "shell_call", "apply_patch_call", "mcp_call", "mcp_list_tools",
            "mcp_approval_request", "mcp_approval_response":
            frame(4, max: Framing.message)
            readJSON(value)
        default: markUnbounded()
        }
    }

    /// Text, or parts.
    private mutating func readResponsesContent(
        _ name: String, of item: JSONObject
    ) throws(SizingError) {
        try member(name, of: item) { (sizer, value) throws(SizingError) in
            if case .string(let text) = value { return sizer.read(text) }
            try sizer.elements(value) { (sizer, value) throws(SizingError) in
                try sizer.readResponsesPart(try sizer.object(value))
            }
        }
    }

    private mutating func readResponsesPart(_ part: JSONObject) throws(SizingError) {
        switch try text("type", of: part) ?? "input_text" {
        case "input_text", "output_text", "text", "summary_text", "reasoning_text":
            try readText("text", of: part)
        case "refusal": try readText("refusal", of: part)
        case "input_image", "computer_screenshot":
            let detail = try detail(of: part)
            if let address = try text("image_url", of: part) {
                addImage(at: address, detail: detail)
            } else {
                addImageOfUnknownSize(detail: detail)
            }
        case "input_file": try readFile(part)
        case "input_audio":
            try required("input_audio", of: part) { (sizer, value) throws(SizingError) in
                try sizer.readSound(try sizer.object(value))
            }
        default: markUnbounded()
        }
    }

    // MARK: Tools

    private mutating func readResponsesTools(_ body: JSONObject) throws(SizingError) {
        let calls = try count("max_tool_calls", of: body)
        var functions = FunctionList()
        try member("tools", of: body) { (sizer, value) throws(SizingError) in
            try sizer.elements(value) { (sizer, value) throws(SizingError) in
                let tool = try sizer.object(value)
                let type = try sizer.text("type", of: tool) ?? ""
                switch type {
                case "function": try sizer.add(tool, to: &functions)
                // Run by the caller: the call ends with a wish.
                case "custom", "computer_use_preview", "computer", "local_shell", "apply_patch":
                    sizer.readTool(value)
                case _ where type.utf8.starts(with: "web_search".utf8):
                    sizer.readTool(value)
                    sizer.addSearches(atMost: calls)
                case "mcp":
                    sizer.readTool(value)
                    sizer.addRounds(atMost: calls)
                // Fees by the session, the query or the picture, for which the book has no price;
                // and whatever there will be.
                default: sizer.markUnbounded()
                }
            }
        }
        read(functions, hasSystem: body["instructions"] != nil)
        // The limit is on the calls of all tools together.
        if let calls { rounds = min(rounds, calls) }
    }
}
