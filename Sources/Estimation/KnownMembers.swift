// The members of a request whose cost is understood: counted, bounded, or without any.
//
// What is on no list is refused, as routes are: closed unless understood. A member that a provider
// adds tomorrow may buy a search, another model or a further pass. It is also how a name in
// another case is caught (`Max_Tokens`): servers in Go take it for the one that was counted. An
// operator who knows better names the member in `allowed_members` of the upstream.
//
// Sources: OpenAI's and Anthropic's OpenAPI files; the sampling parameters of vLLM, llama.cpp,
// Ollama, Mistral, Groq and OpenRouter, as their documentation lists them.

import CanonicalJSON

enum KnownMembers {
    static func of(_ dialect: RequestDialect) -> Set<String> {
        switch dialect {
        case .openAIChat: chat
        case .openAIResponses: responses
        case .openAIEmbeddings: embeddings
        case .anthropicMessages: messages
        }
    }

    private static let openAI: Set<String> = [
        "metadata", "model", "parallel_tool_calls", "prompt_cache_key", "prompt_cache_options",
        "prompt_cache_retention", "safety_identifier", "service_tier", "store", "stream",
        "stream_options", "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user",
    ]

    private static let chat = openAI.union([
        "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs",
        "max_completion_tokens", "max_tokens", "messages", "modalities", "n", "prediction",
        "presence_penalty", "reasoning_effort", "response_format", "seed", "stop", "verbosity",
        "web_search_options",
        // Refused with a reason of their own.
        "fallbacks", "models", "plugins",
        // Others': how the next token is chosen, and how what is put out is written.
        "add_generation_prompt", "add_special_tokens", "allowed_token_ids", "bad_words",
        "chat_template_kwargs", "continue_final_message", "dynatemp_exponent", "dynatemp_range",
        "early_stopping", "echo", "enable_thinking", "guided_choice", "guided_decoding_backend",
        "guided_grammar", "guided_json", "guided_regex", "ignore_eos", "include_reasoning",
        "include_stop_str_in_output", "keep_alive", "length_penalty", "logits_processors", "min_p",
        "min_tokens", "mirostat", "mirostat_eta", "mirostat_tau", "priority", "prompt_logprobs",
        "random_seed", "reasoning", "reasoning_format", "reasoning_split", "repeat_last_n",
        "repeat_penalty", "repetition_penalty", "request_id", "return_token_ids",
        "return_tokens_as_token_ids", "safe_prompt", "skip_special_tokens",
        "spaces_between_special_tokens", "stop_token_ids", "structured_outputs", "thinking",
        "thinking_budget", "top_a", "top_k", "transforms", "truncate_prompt_tokens", "typical_p",
        "usage",
    ])

    private static let responses = openAI.union([
        "background", "context_management", "conversation", "include", "input", "instructions",
        "max_output_tokens", "max_tool_calls", "previous_response_id", "prompt", "reasoning",
        "text", "truncation",
    ])

    private static let embeddings: Set<String> = [
        "add_special_tokens", "dimensions", "embedding_type", "encoding_format", "input",
        "input_type", "late_chunking", "metadata", "model", "normalized", "output_dimension",
        "output_dtype", "priority", "task", "truncate", "truncate_prompt_tokens", "user",
    ]

    private static let messages: Set<String> = [
        "cache_control", "container", "inference_geo", "max_tokens", "mcp_servers", "messages",
        "metadata", "model", "output_config", "output_format", "service_tier", "speed",
        "stop_sequences", "stream", "system", "temperature", "thinking", "tool_choice", "tools",
        "top_k", "top_p", "context_management",
    ]
}

extension Sizer {
    /// Marks what is not known of a request as unbounded.
    mutating func checkMembers(of body: JSONObject, _ dialect: RequestDialect) {
        let known = KnownMembers.of(dialect)
        for member in body.members where !known.contains(member.key) {
            guard !isNothing(member.value) else { continue }
            markUnbounded(member.key)
        }
    }

    /// Marks a member that costs what nobody can bound, unless there is nothing in it.
    mutating func markUnbounded(_ name: String, of body: JSONObject) {
        if let value = body[name], !isNothing(value) { markUnbounded(name) }
    }

    private mutating func markUnbounded(_ name: String) {
        if allowedMembers.contains(name) { return }
        path.enter(name)
        markUnbounded()
        path.leave()
    }

    private func isNothing(_ value: JSONValue) -> Bool {
        switch value {
        case .null, .bool(false): true
        case .array(let elements): elements.isEmpty
        case .object(let object): object.members.isEmpty
        default: false
        }
    }

    /// What a message or a part of one has beside the members that were read: at most it is read as
    /// it was sent.
    mutating func readRest(of object: JSONObject, except known: Set<String>) {
        for member in object.members where !known.contains(member.key) {
            if isNothing(member.value) { continue }
            read(expecting: [], or: CompactJSON.bytes(of: member.value))
        }
    }
}
