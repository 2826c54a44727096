// Anthropic's `message`, and the stream that builds it: message_start with the input's usage and a
// first output token, ping, blocks, message_delta with the stop reason and usage that is
// cumulative, message_stop.

import CanonicalJSON

struct MessagesAnswer: Rendering {
    let call: Call
    let composition: Composition
    let labels: Labels
    private var block = -1
    private var openPart: Piece.Part?

    init(_ call: Call, _ composition: Composition, _ labels: Labels) {
        self.call = call
        self.composition = composition
        self.labels = labels
    }

    // MARK: Whole

    func whole(_ usage: Usage?) -> JSONValue {
        var content: [JSONValue] = []
        let thinking = composition.text(.thinking, of: 0)
        if !thinking.isEmpty {
            content.append(
                json([
                    "type": .string("thinking"), "thinking": .string(thinking),
                    "signature": .string(Self.signature),
                ]))
        }
        if let call = composition.toolCall(of: 0) {
            // A call that was cut has no arguments that could be read.
            let input = try? StrictJSON.parse(call.arguments)
            content.append(Self.toolUse(call.id, call.name, input ?? json([:])))
        } else {
            let text = composition.text(.text, of: 0)
            if !text.isEmpty { content.append(Self.text(text)) }
        }
        return message(content, stopReason: stopReason, usage)
    }

    private static let signature = "c2ltdWxhdGVk"

    private static func text(_ text: String) -> JSONValue {
        json(["type": .string("text"), "text": .string(text)])
    }

    private static func toolUse(_ id: String, _ name: String, _ input: JSONValue) -> JSONValue {
        json([
            "type": .string("tool_use"), "id": .string(id), "name": .string(name), "input": input,
        ])
    }

    private func message(
        _ content: [JSONValue], stopReason: String?, _ usage: Usage?
    ) -> JSONValue {
        var object = JSONObject([
            ("id", .string(labels.id)), ("type", .string("message")),
            ("role", .string("assistant")), ("model", .string(labels.model)),
            ("content", .array(content)), ("stop_reason", optional(stopReason)),
            ("stop_sequence", .null),
        ])
        if let usage { object.append("usage", self.usage(usage)) }
        return .object(object)
    }

    private var stopReason: String {
        switch composition.finishes[0] {
        case .stop: "end_turn"
        case .length: "max_tokens"
        case .tools: "tool_use"
        }
    }

    private func usage(_ usage: Usage) -> JSONValue {
        json([
            "input_tokens": count(usage.input.fresh),
            "cache_creation_input_tokens": count(usage.input.cacheWrite),
            "cache_read_input_tokens": count(usage.input.cacheRead),
            "cache_creation": json([
                "ephemeral_5m_input_tokens": count(usage.input.cacheWrite5m),
                "ephemeral_1h_input_tokens": count(usage.input.cacheWrite1h),
            ]),
            "output_tokens": count(usage.output), "service_tier": optional(labels.tier),
        ])
    }

    // MARK: Stream

    mutating func opening(_ usage: Usage?) -> [Event] {
        [
            event("message_start", json(["message": message([], stopReason: nil, usage)])),
            event("ping", json([:])),
        ]
    }

    mutating func events(for piece: Piece, _ usage: Usage?) -> [Event] {
        var events: [Event] = []
        let continues = piece.part == .arguments || piece.part == openPart
        if !continues {
            events += closeBlock()
            block += 1
            openPart = piece.part
            events.append(
                event(
                    "content_block_start",
                    json(["index": count(block), "content_block": Self.start(piece)])))
        }
        if let delta = Self.delta(piece) {
            events.append(
                event("content_block_delta", json(["index": count(block), "delta": delta])))
        }
        return events
    }

    private static func start(_ piece: Piece) -> JSONValue {
        switch piece.part {
        case .thinking:
            json([
                "type": .string("thinking"), "thinking": .string(""), "signature": .string(""),
            ])
        case .tool(let id): toolUse(id, piece.text, json([:]))
        case .text, .arguments: text("")
        }
    }

    private static func delta(_ piece: Piece) -> JSONValue? {
        switch piece.part {
        case .thinking:
            json(["type": .string("thinking_delta"), "thinking": .string(piece.text)])
        case .text: json(["type": .string("text_delta"), "text": .string(piece.text)])
        case .tool: nil
        case .arguments:
            json(["type": .string("input_json_delta"), "partial_json": .string(piece.text)])
        }
    }

    private mutating func closeBlock() -> [Event] {
        guard let part = openPart else { return [] }
        openPart = nil
        var events: [Event] = []
        if part == .thinking {
            let delta = json([
                "type": .string("signature_delta"), "signature": .string(Self.signature),
            ])
            events.append(
                event("content_block_delta", json(["index": count(block), "delta": delta])))
        }
        events.append(event("content_block_stop", json(["index": count(block)])))
        return events
    }

    mutating func closing(_ usage: Usage?) -> [Event] {
        var members: [(String, JSONValue)] = [
            (
                "delta", json(["stop_reason": .string(stopReason), "stop_sequence": .null])
            )
        ]
        if let usage { members.append(("usage", self.usage(usage))) }
        return closeBlock() + [event("message_delta", .object(JSONObject(members)))]
    }

    func end() -> [Event] { [event("message_stop", json([:]))] }

    func failure(_ error: ProviderError) -> [Event] {
        [Event(error.body(.anthropic), name: "error")]
    }

    private func event(_ type: String, _ members: JSONValue) -> Event {
        var object = JSONObject([("type", .string(type))])
        for (name, value) in members.members { object.append(name, value) }
        return Event(.object(object), name: type)
    }
}
