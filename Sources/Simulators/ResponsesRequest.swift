// `POST /v1/responses`, what is asked.
//
// `input` is a text or a list of items: messages, function calls and their outputs. What an earlier
// response held is part of the prompt when `previous_response_id` names it.

import CanonicalJSON
import Synchronization

enum ResponsesRequest {
    static func read(
        _ body: JSONValue, _ conversations: Conversations
    ) throws(ProviderError) -> Call {
        let (model, suffix) = try ChatRequest.modelName(body, nil, .openAI)
        var size = PromptSize(model)
        if let instructions = body["instructions"]?.text {
            size.message(role: "system", content: .string(instructions))
        }
        switch body["input"] {
        case .string(let text): size.message(role: "user", content: .string(text))
        case .array(let items): for item in items { add(item, to: &size) }
        default:
            if body["previous_response_id"] == nil {
                throw .invalid("Missing required parameter: 'input'.", param: "input")
            }
        }
        if let previous = body["previous_response_id"]?.text {
            guard let tokens = conversations.tokens(of: previous) else {
                throw ProviderError(
                    status: 404, message: "Previous response with id '\(previous)' not found.",
                    code: "previous_response_not_found", param: "previous_response_id")
            }
            size.add(tokens: tokens)
        }
        let functions = (body["tools"]?.items ?? []).filter { $0["type"]?.text == "function" }
        size.tools(functions)
        let format = body["text"]?["format"]
        size.schema(format?["schema"])
        var wish = Wish(model: model)
        wish.outputMax = try ChatRequest.number(body, "max_output_tokens", 1...10_000_000)
        wish.reasoning = Effort.tokens(body["reasoning"]?["effort"]?.text, model)
        wish.schema = format?["schema"]
        if format?["type"]?.text == "json_object" { wish.schema = ChatRequest.anyObject }
        let choice = body["tool_choice"]
        wish.firstTool = functions.first.map(ChatRequest.tool)
        wish.tool = ToolChoice(tools: functions.map(ChatRequest.tool)).chosen(
            isForced: choice?.text == "required", named: choice?["name"]?.text,
            isForbidden: choice?.text == "none", prompt: size.lastText,
            afterResult: size.endsWithToolResult)
        var call = Call(
            dialect: .responses, wish: wish, suffix: suffix, input: InputCount(fresh: size.tokens))
        call.lastText = size.lastText
        call.isStreaming = body["stream"]?.flag ?? false
        call.askedTier = body["service_tier"]?.text
        return call
    }

    private static func add(_ item: JSONValue, to size: inout PromptSize) {
        switch item["type"]?.text {
        case "function_call":
            size.toolCall(
                name: item["name"]?.text ?? "", arguments: item["arguments"]?.text ?? "")
        case "function_call_output": size.toolResult(item["output"])
        case "reasoning": break
        default: size.message(role: item["role"]?.text ?? "user", content: item["content"])
        }
    }
}

/// What the simulator remembers of responses: how many tokens each conversation had.
final class Conversations: Sendable {
    private static let most = 10_000

    private let state = Mutex<(tokens: [String: Int], order: [String])>(([:], []))

    func tokens(of id: String) -> Int? { state.withLock { $0.tokens[id] } }

    func remember(_ id: String, tokens: Int) {
        state.withLock { state in
            if state.order.count >= Self.most {
                for old in state.order.prefix(Self.most / 2) { state.tokens[old] = nil }
                state.order.removeFirst(Self.most / 2)
            }
            state.tokens[id] = tokens
            state.order.append(id)
        }
    }
}
