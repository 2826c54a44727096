// `POST /v1/chat/completions`, what is asked.

import CanonicalJSON

enum ChatRequest {
    static func read(_ body: JSONValue, model name: String?) throws(ProviderError) -> Call {
        let (model, suffix) = try modelName(body, name, .openAI)
        guard case .array(let messages) = body["messages"], !messages.isEmpty else {
            throw .invalid("Missing required parameter: 'messages'.", param: "messages")
        }
        var size = PromptSize(model)
        for (index, message) in messages.enumerated() {
            guard let role = message["role"]?.text else {
                throw .invalid(
                    "Missing required parameter: 'messages[\(index)].role'.",
                    param: "messages[\(index)].role")
            }
            size.message(role: role, content: message["content"], name: message["name"]?.text)
            for call in message["tool_calls"]?.items ?? [] {
                let function = call["function"]
                size.toolCall(
                    name: function?["name"]?.text ?? "",
                    arguments: function?["arguments"]?.text ?? "")
            }
        }
        let functions = (body["tools"]?.items ?? []).compactMap { $0["function"] }
        size.tools(functions)
        let format = body["response_format"]
        let schema = format?["json_schema"]?["schema"]
        size.schema(schema)
        var wish = Wish(model: model)
        wish.choices = try number(body, "n", 1...128) ?? 1
        wish.outputMax = try number(body, "max_tokens", 1...10_000_000)
        if let most = try number(body, "max_completion_tokens", 1...10_000_000) {
            wish.outputMax = most
        }
        wish.reasoning = Effort.tokens(body["reasoning_effort"]?.text, model)
        wish.schema = schema
        if schema == nil, format?["type"]?.text == "json_object" { wish.schema = anyObject }
        let choice = body["tool_choice"]
        wish.firstTool = functions.first.map(tool)
        wish.tool = ToolChoice(tools: functions.map(tool)).chosen(
            isForced: choice?.text == "required", named: choice?["function"]?["name"]?.text,
            isForbidden: choice?.text == "none", prompt: size.lastText,
            afterResult: size.endsWithToolResult)
        var call = Call(
            dialect: .chat, wish: wish, suffix: suffix, input: InputCount(fresh: size.tokens))
        call.lastText = size.lastText
        call.isStreaming = body["stream"]?.flag ?? false
        call.wantsUsage = body["stream_options"]?["include_usage"]?.flag ?? false
        call.askedTier = body["service_tier"]?.text
        return call
    }

    /// What a model writes that was only told to write JSON.
    static let anyObject = json([
        "type": .string("object"),
        "properties": json(["answer": json(["type": .string("string")])]),
    ])

    static func tool(_ function: JSONValue) -> (name: String, schema: JSONValue) {
        (function["name"]?.text ?? "", function["parameters"] ?? json([:]))
    }

    /// The model with what stands behind a `+` in its name.
    static func modelName(
        _ body: JSONValue, _ fromPath: String?, _ family: ProviderFamily
    ) throws(ProviderError) -> (SimulatedModel, suffix: String?) {
        guard let name = fromPath ?? body["model"]?.text, !name.isEmpty else {
            throw .invalid("you must provide a model parameter", param: "model")
        }
        let parts = name.split(separator: "+", maxSplits: 1).map(String.init)
        guard let first = parts.first else {
            throw .invalid("you must provide a model parameter", param: "model")
        }
        return (SimulatedModel(first, family), parts.count == 2 ? parts[1] : nil)
    }

    static func number(
        _ body: JSONValue, _ name: String, _ range: ClosedRange<Int>
    ) throws(ProviderError) -> Int? {
        guard let value = body[name] else { return nil }
        guard let number = value.integer, range.contains(number) else {
            throw .invalid(
                "Invalid '\(name)': expected an integer from \(range.lowerBound).", param: name)
        }
        return number
    }
}
