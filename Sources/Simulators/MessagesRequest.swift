// `POST /v1/messages`, what is asked.
//
// The prompt is a row of blocks: tools, then system, then the content of the messages. A block with
// `cache_control` ends a prefix that is to be cached, for five minutes or an hour.

import CanonicalJSON
import Tokenizers

enum MessagesRequest {
    /// - Parameter cache: nil: only count.
    static func read(_ body: JSONValue, _ cache: PromptCache?) throws(ProviderError) -> Call {
        let (model, suffix) = try ChatRequest.modelName(body, nil, .anthropic)
        guard case .array(let messages) = body["messages"], !messages.isEmpty else {
            throw .invalid("messages: Field required")
        }
        var wish = Wish(model: model)
        wish.idPrefix = "toolu_"
        if cache != nil {
            guard let most = try ChatRequest.number(body, "max_tokens", 1...10_000_000) else {
                throw .invalid("max_tokens: Field required")
            }
            wish.outputMax = most
        }
        let blocks = blocks(of: body, messages)
        let thinking = body["thinking"]
        if thinking?["type"]?.text == "enabled" || thinking?["type"]?.text == "adaptive" {
            wish.showsThinking = true
            wish.reasoning = min(thinking?["budget_tokens"]?.integer ?? 48, 48)
        }
        let format = body["output_config"]?["format"] ?? body["output_format"]
        wish.schema = format?["schema"]
        let tools = (body["tools"]?.items ?? [])
            .filter { $0["input_schema"] != nil }
            .map { ($0["name"]?.text ?? "", $0["input_schema"] ?? json([:])) }
        let choice = body["tool_choice"]
        let last = lastMessage(messages)
        wish.firstTool = tools.first
        wish.tool = ToolChoice(tools: tools).chosen(
            isForced: choice?["type"]?.text == "any", named: choice?["name"]?.text,
            isForbidden: choice?["type"]?.text == "none", prompt: last.text,
            afterResult: last.isToolResult)
        var call = Call(
            dialect: .messages, wish: wish, suffix: suffix,
            input: PromptCache.count(blocks, model, cache))
        call.lastText = last.text
        call.isStreaming = body["stream"]?.flag ?? false
        call.askedTier = body["service_tier"]?.text
        return call
    }

    private static func blocks(
        of body: JSONValue, _ messages: [JSONValue]
    ) -> [PromptCache.Block] {
        var blocks: [PromptCache.Block] = []
        for tool in body["tools"]?.items ?? [] {
            blocks.append(.init(text: tool.json, lifetime: lifetime(tool)))
        }
        if let text = body["system"]?.text {
            blocks.append(.init(text: text, lifetime: nil))
        }
        for block in body["system"]?.items ?? [] {
            blocks.append(.init(text: block["text"]?.text ?? "", lifetime: lifetime(block)))
        }
        if let schema = (body["output_config"]?["format"] ?? body["output_format"])?["schema"] {
            blocks.append(.init(text: schema.json, lifetime: nil))
        }
        for message in messages {
            blocks.append(.init(text: message["role"]?.text ?? "", lifetime: nil, overhead: 3))
            if let text = message["content"]?.text {
                blocks.append(.init(text: text, lifetime: nil))
            }
            for block in message["content"]?.items ?? [] {
                blocks.append(
                    .init(text: text(of: block), lifetime: lifetime(block), overhead: image(block)))
            }
        }
        return blocks
    }

    /// All that a model reads of a block.
    private static func text(of block: JSONValue) -> String {
        switch block["type"]?.text {
        case "text", "thinking": return block["text"]?.text ?? block["thinking"]?.text ?? ""
        case "tool_use": return (block["name"]?.text ?? "") + (block["input"]?.json ?? "")
        case "tool_result":
            if let text = block["content"]?.text { return text }
            return (block["content"]?.items ?? []).map(text).joined()
        case "document": return block["source"]?["data"]?.text ?? ""
        default: return ""
        }
    }

    /// An image of 1092 by 1092.
    private static func image(_ block: JSONValue) -> Int {
        block["type"]?.text == "image" ? 1_521 : 0
    }

    private static func lifetime(_ block: JSONValue) -> PromptCache.Lifetime? {
        guard let control = block["cache_control"] else { return nil }
        return control["ttl"]?.text == "1h" ? .hour : .fiveMinutes
    }

    private static func lastMessage(_ messages: [JSONValue]) -> (text: String, isToolResult: Bool) {
        let content = messages.last?["content"]
        if let text = content?.text { return (text, false) }
        let items = content?.items ?? []
        let isToolResult = items.contains { $0["type"]?.text == "tool_result" }
        return (items.compactMap { $0["text"]?.text }.joined(), isToolResult)
    }
}
