// `chat.completion` and its stream of `chat.completion.chunk`.
//
// Usage in a stream is as OpenAI has it: with `stream_options.include_usage` every chunk has
// `"usage": null`, and one more comes before `[DONE]` with no choices and the usage of the whole.
// Without it no chunk has the member.

import CanonicalJSON

struct ChatAnswer: Rendering {
    let call: Call
    let composition: Composition
    let labels: Labels

    init(_ call: Call, _ composition: Composition, _ labels: Labels) {
        self.call = call
        self.composition = composition
        self.labels = labels
    }

    // MARK: Whole

    func whole(_ usage: Usage?) -> JSONValue {
        let choices = composition.finishes.indices.map { choice -> JSONValue in
            json([
                "index": count(choice), "message": message(choice), "logprobs": .null,
                "finish_reason": .string(Self.reason(composition.finishes[choice])),
            ])
        }
        var object = head("chat.completion")
        object.append("choices", .array(choices))
        if let usage { object.append("usage", Self.usage(usage)) }
        return .object(object)
    }

    private func message(_ choice: Int) -> JSONValue {
        var message = JSONObject([("role", .string("assistant"))])
        if let call = composition.toolCall(of: choice) {
            message.append("content", .null)
            message.append(
                "tool_calls", .array([Self.toolCall(call.id, call.name, call.arguments)]))
        } else {
            message.append("content", .string(composition.text(.text, of: choice)))
        }
        message.append("refusal", .null)
        return .object(message)
    }

    private static func toolCall(_ id: String, _ name: String, _ arguments: String) -> JSONValue {
        json([
            "id": .string(id), "type": .string("function"),
            "function": json(["name": .string(name), "arguments": .string(arguments)]),
        ])
    }

    // MARK: Stream

    mutating func opening(_ usage: Usage?) -> [Event] {
        composition.finishes.indices.map { choice in
            chunk(
                choice,
                json([
                    "role": .string("assistant"), "content": .string(""), "refusal": .null,
                ]), nil, usage)
        }
    }

    mutating func events(for piece: Piece, _ usage: Usage?) -> [Event] {
        let delta: JSONValue
        switch piece.part {
        case .thinking: delta = json(["reasoning_content": .string(piece.text)])
        case .text: delta = json(["content": .string(piece.text)])
        case .tool(let id):
            var call = JSONObject([("index", .integer(0))])
            for (name, value) in Self.toolCall(id, piece.text, "").members {
                call.append(name, value)
            }
            delta = json(["tool_calls": .array([.object(call)])])
        case .arguments:
            delta = json([
                "tool_calls": .array([
                    json([
                        "index": .integer(0), "function": json(["arguments": .string(piece.text)]),
                    ])
                ])
            ])
        }
        return [chunk(piece.choice, delta, nil, usage)]
    }

    mutating func closing(_ usage: Usage?) -> [Event] {
        var events = composition.finishes.enumerated().map { choice, finish in
            chunk(choice, json([:]), Self.reason(finish), nil)
        }
        if call.wantsUsage, let usage {
            var object = head("chat.completion.chunk")
            object.append("choices", .array([]))
            object.append("usage", Self.usage(usage))
            events.append(Event(.object(object)))
        }
        return events
    }

    func end() -> [Event] { [Event(text: "[DONE]")] }

    func failure(_ error: ProviderError) -> [Event] { [Event(error.body(.openAI))] }

    private func chunk(
        _ choice: Int, _ delta: JSONValue, _ reason: String?, _ usage: Usage?
    ) -> Event {
        var object = head("chat.completion.chunk")
        object.append(
            "choices",
            .array([
                json([
                    "index": count(choice), "delta": delta, "logprobs": .null,
                    "finish_reason": optional(reason),
                ])
            ]))
        if let usage {
            object.append("usage", Self.usage(usage))
        } else if call.wantsUsage {
            object.append("usage", .null)
        }
        return Event(.object(object))
    }

    // MARK: Both

    private func head(_ kind: String) -> JSONObject {
        var object = JSONObject([
            ("id", .string(labels.id)), ("object", .string(kind)),
            ("created", count(labels.created)), ("model", .string(labels.model)),
            ("system_fingerprint", .string("fp_simulated")),
        ])
        if let tier = labels.tier { object.append("service_tier", .string(tier)) }
        return object
    }

    private static func reason(_ finish: Composition.Finish) -> String {
        switch finish {
        case .stop: "stop"
        case .length: "length"
        case .tools: "tool_calls"
        }
    }

    static func usage(_ usage: Usage) -> JSONValue {
        var object = JSONObject([
            ("prompt_tokens", count(usage.input.total)),
            ("completion_tokens", count(usage.output)),
            ("total_tokens", count(usage.input.total + usage.output)),
            (
                "prompt_tokens_details",
                json(["cached_tokens": count(usage.input.cacheRead), "audio_tokens": .integer(0)])
            ),
            (
                "completion_tokens_details",
                json([
                    "reasoning_tokens": count(usage.thinking), "audio_tokens": .integer(0),
                    "accepted_prediction_tokens": .integer(0),
                    "rejected_prediction_tokens": .integer(0),
                ])
            ),
        ])
        if let cost = usage.cost { object.append("cost", .number(cost)) }
        return .object(object)
    }
}
