// Which dialect a body is written in, where nobody says.
//
//   `messages`  one of Anthropic's own members, or a tool with `input_schema`, makes it Messages.
//               One of OpenAI's own, or a message of a role that only OpenAI has, makes it Chat.
//               Where there is neither it is Chat, unless the model is a Claude: that is called by
//               both
//   `input`     one of Responses' own members, or an item that is an object, makes it Responses.
//               One of Embeddings' own, or token ids, makes it Embeddings. Where there is neither,
//               the model's name decides: embedding models have "embed" in theirs
//   `prompt`, `previous_response_id`, `conversation`, without both: Responses
//
// Anything else, and what has marks of both, is not guessed: the two dialects count differently.

package import CanonicalJSON

extension RequestDialect {
    /// The only dialect that the body can be written in; nil: it must be named.
    package static func inferred(from body: JSONValue, model: String? = nil) -> RequestDialect? {
        guard case .object(let object) = body else { return nil }
        let model = (model ?? object["model"]?.text ?? "").lowercased()
        func has(_ names: Set<String>) -> Bool {
            object.members.contains { names.contains($0.key) && !$0.value.isNull }
        }
        if object["messages"] != nil {
            let isAnthropic = has(messagesOnly) || hasInputSchema(object)
            let isOpenAI = has(chatOnly) || hasOpenAIRole(object)
            if isAnthropic != isOpenAI { return isAnthropic ? .anthropicMessages : .openAIChat }
            return isAnthropic || model.contains("claude") ? nil : .openAIChat
        }
        if let input = object["input"] {
            let isResponses = has(responsesOnly) || input.first?.object != nil
            let isEmbeddings = has(embeddingsOnly) || input.first.map(\.isIDs) ?? false
            if isResponses != isEmbeddings {
                return isResponses ? .openAIResponses : .openAIEmbeddings
            }
            if isResponses { return nil }
            return model.contains("embed") ? .openAIEmbeddings : .openAIResponses
        }
        return has(["prompt", "previous_response_id", "conversation"]) ? .openAIResponses : nil
    }

    /// Those that a body of which it does not show may be written in.
    package static func candidates(for body: JSONValue) -> [RequestDialect] {
        guard case .object(let object) = body else { return allCases }
        if object["messages"] != nil { return [.openAIChat, .anthropicMessages] }
        return object["input"] != nil ? [.openAIResponses, .openAIEmbeddings] : allCases
    }

    private static let messagesOnly: Set<String> = [
        "system", "stop_sequences", "thinking", "top_k", "anthropic_version", "mcp_servers",
        "inference_geo", "container", "context_management",
    ]

    private static let chatOnly: Set<String> = [
        "max_completion_tokens", "n", "response_format", "stream_options", "functions",
        "function_call", "logprobs", "top_logprobs", "logit_bias", "frequency_penalty",
        "presence_penalty", "seed", "stop", "modalities", "audio", "prediction",
        "reasoning_effort", "web_search_options", "parallel_tool_calls",
    ]

    private static let responsesOnly: Set<String> = [
        "instructions", "max_output_tokens", "max_tool_calls", "tools", "tool_choice",
        "previous_response_id", "conversation", "prompt", "reasoning", "text", "truncation",
        "background", "include", "stream", "temperature", "top_p", "store",
    ]

    private static let embeddingsOnly: Set<String> = ["dimensions", "encoding_format"]

    private static func hasInputSchema(_ body: JSONObject) -> Bool {
        guard case .array(let tools)? = body["tools"] else { return false }
        return tools.contains { $0["input_schema"] != nil }
    }

    private static func hasOpenAIRole(_ body: JSONObject) -> Bool {
        guard case .array(let messages)? = body["messages"] else { return false }
        return messages.contains {
            ["system", "developer", "tool", "function"].contains($0["role"]?.text)
        }
    }
}

extension JSONValue {
    fileprivate var first: JSONValue? {
        if case .array(let elements) = self { return elements.first }
        return nil
    }

    /// A token id, or a list of them.
    fileprivate var isIDs: Bool {
        switch self {
        case .integer: true
        case .array: true
        default: false
        }
    }
}
