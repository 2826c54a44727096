// A `response` object, and the stream of typed events that builds it. Every event has its type
// twice (as the event's name and as a member) and a `sequence_number`.
//
// The output is at most a reasoning item without text, then one message or one function call.

import CanonicalJSON

struct ResponsesAnswer: Rendering {
    let call: Call
    let composition: Composition
    let labels: Labels
    private var sequence = 0
    /// The item that pieces belong to has been opened.
    private var isOpen = false
    private var written = ""

    init(_ call: Call, _ composition: Composition, _ labels: Labels) {
        self.call = call
        self.composition = composition
        self.labels = labels
    }

    // MARK: Whole

    func whole(_ usage: Usage?) -> JSONValue {
        response(status: finalStatus, output: items, usage)
    }

    private var isCut: Bool { composition.finishes[0] == .length }
    private var finalStatus: String { isCut ? "incomplete" : "completed" }
    private var reasoningItem: JSONValue? {
        guard composition.hiddenReasoning > 0 else { return nil }
        return json([
            "id": .string("rs_" + labels.id), "type": .string("reasoning"), "summary": .array([]),
        ])
    }

    private var items: [JSONValue] {
        var items = reasoningItem.map { [$0] } ?? []
        if let call = composition.toolCall(of: 0) {
            items.append(functionCall(call.id, call.name, call.arguments, finalStatus))
        } else if !composition.pieces.isEmpty {
            items.append(message(composition.text(.text, of: 0), finalStatus))
        }
        return items
    }

    private func message(_ text: String?, _ status: String) -> JSONValue {
        json([
            "id": .string("msg_" + labels.id), "type": .string("message"),
            "role": .string("assistant"), "status": .string(status),
            "content": .array(text.map { [Self.part($0)] } ?? []),
        ])
    }

    private static func part(_ text: String) -> JSONValue {
        json([
            "type": .string("output_text"), "text": .string(text), "annotations": .array([]),
            "logprobs": .array([]),
        ])
    }

    private func functionCall(
        _ id: String, _ name: String, _ arguments: String, _ status: String
    ) -> JSONValue {
        json([
            "id": .string("fc_" + labels.id), "type": .string("function_call"),
            "call_id": .string(id), "name": .string(name), "arguments": .string(arguments),
            "status": .string(status),
        ])
    }

    private func response(status: String, output: [JSONValue], _ usage: Usage?) -> JSONValue {
        var object = JSONObject([
            ("id", .string(labels.id)), ("object", .string("response")),
            ("created_at", count(labels.created)), ("status", .string(status)),
            ("background", .bool(false)), ("error", .null),
            (
                "incomplete_details",
                status == "incomplete" ? json(["reason": .string("max_output_tokens")]) : .null
            ),
            ("instructions", .null), ("metadata", json([:])), ("model", .string(labels.model)),
            ("output", .array(output)), ("parallel_tool_calls", .bool(true)),
            ("temperature", .integer(1)), ("tool_choice", .string("auto")), ("tools", .array([])),
            ("top_p", .integer(1)), ("usage", usage.map(Self.usage) ?? .null),
        ])
        if let most = call.wish.outputMax { object.append("max_output_tokens", count(most)) }
        if let tier = labels.tier { object.append("service_tier", .string(tier)) }
        return .object(object)
    }

    static func usage(_ usage: Usage) -> JSONValue {
        var object = JSONObject([
            ("input_tokens", count(usage.input.total)),
            ("input_tokens_details", json(["cached_tokens": count(usage.input.cacheRead)])),
            ("output_tokens", count(usage.output)),
            ("output_tokens_details", json(["reasoning_tokens": count(usage.thinking)])),
            ("total_tokens", count(usage.input.total + usage.output)),
        ])
        if let cost = usage.cost { object.append("cost", .number(cost)) }
        return .object(object)
    }

    // MARK: Stream

    mutating func opening(_ usage: Usage?) -> [Event] {
        let begun = response(status: "in_progress", output: [], nil)
        var events = [
            event("response.created", json(["response": begun])),
            event("response.in_progress", json(["response": begun])),
        ]
        if let item = reasoningItem {
            for kind in ["response.output_item.added", "response.output_item.done"] {
                events.append(event(kind, json(["output_index": .integer(0), "item": item])))
            }
        }
        return events
    }

    private var place: JSONValue { count(composition.hiddenReasoning > 0 ? 1 : 0) }
    private var itemID: JSONValue {
        .string((composition.toolCall(of: 0) == nil ? "msg_" : "fc_") + labels.id)
    }

    mutating func events(for piece: Piece, _ usage: Usage?) -> [Event] {
        switch piece.part {
        case .thinking: return []
        case .tool(let id):
            isOpen = true
            let item = functionCall(id, piece.text, "", "in_progress")
            return [
                event("response.output_item.added", json(["output_index": place, "item": item]))
            ]
        case .arguments:
            written += piece.text
            return [
                event(
                    "response.function_call_arguments.delta",
                    json([
                        "item_id": itemID, "output_index": place, "delta": .string(piece.text),
                    ]))
            ]
        case .text:
            let opened = isOpen ? [] : openMessage()
            written += piece.text
            return opened + [
                event(
                    "response.output_text.delta",
                    json([
                        "item_id": itemID, "output_index": place, "content_index": .integer(0),
                        "delta": .string(piece.text), "logprobs": .array([]),
                    ]))
            ]
        }
    }

    private mutating func openMessage() -> [Event] {
        isOpen = true
        return [
            event(
                "response.output_item.added",
                json(["output_index": place, "item": message(nil, "in_progress")])),
            event(
                "response.content_part.added",
                json([
                    "item_id": itemID, "output_index": place, "content_index": .integer(0),
                    "part": Self.part(""),
                ])),
        ]
    }

    mutating func closing(_ usage: Usage?) -> [Event] {
        var events: [Event] = []
        if isOpen, let item = items.last {
            if let call = composition.toolCall(of: 0) {
                events.append(
                    event(
                        "response.function_call_arguments.done",
                        json([
                            "item_id": itemID, "output_index": place,
                            "name": .string(call.name), "arguments": .string(written),
                        ])))
            } else {
                events += closeMessage()
            }
            events.append(
                event("response.output_item.done", json(["output_index": place, "item": item])))
        }
        events.append(event("response." + finalStatus, json(["response": whole(usage)])))
        return events
    }

    private mutating func closeMessage() -> [Event] {
        [
            event(
                "response.output_text.done",
                json([
                    "item_id": itemID, "output_index": place, "content_index": .integer(0),
                    "text": .string(written), "logprobs": .array([]),
                ])),
            event(
                "response.content_part.done",
                json([
                    "item_id": itemID, "output_index": place, "content_index": .integer(0),
                    "part": Self.part(written),
                ])),
        ]
    }

    /// `response.completed` is the end.
    func end() -> [Event] { [] }

    func failure(_ error: ProviderError) -> [Event] {
        let value = json([
            "type": .string("error"), "code": optional(error.code ?? error.type),
            "message": .string(error.message), "param": .null,
            "sequence_number": count(sequence),
        ])
        return [Event(value, name: "error")]
    }

    private mutating func event(_ type: String, _ members: JSONValue) -> Event {
        var object = JSONObject([("type", .string(type)), ("sequence_number", count(sequence))])
        for (name, value) in members.members { object.append(name, value) }
        sequence += 1
        return Event(.object(object), name: type)
    }
}
