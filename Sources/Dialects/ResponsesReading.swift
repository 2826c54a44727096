// OpenAI Responses.
//
//   response  {"id", "model", "service_tier", "status", "error", "incomplete_details":
//             {"reason"}, "output": [item…], "usage"}
//   item      {"type": "message", "content": [{"text"} | {"refusal"}]} | {"type":
//             "function_call", "name", "arguments"} | {"type": "custom_tool_call", "name",
//             "input"} | {"type": "reasoning", "summary": [{"text"}], "content": [{"text"}]} |
//             {"type": "web_search_call", "action": {"type"}} | …
//   event     {"type": "response.created" …, "response": response} | {"type":
//             "response.….delta", "delta": string | object} | {"type":
//             "response.output_item.added" | "response.output_item.done", "item": item} |
//             {"type": "error", "code", "message"} | …
//
// Events that end a stream are `response.completed`, `response.incomplete` and `response.failed`;
// only their response has usage. The event's type is read from the data: the `event` field repeats
// it, and not every server sends it. Members may come in any order, so the places of those that
// matter are found first.
//
// A search is billed by the call, an opened page is not: `web_search_call` items count unless
// their action says that it was no search.

import CanonicalJSON

extension MeterState {
    mutating func readResponsesEvent(
        _ data: UnsafeRawBufferPointer, _ sink: TextSink
    ) throws(JSONError) {
        var reader = JSONReader(data, strings: .lenient)
        var type: String?
        var delta: JSONReader?
        var response: JSONReader?
        var item: JSONReader?
        var error: ProviderError?
        var code: String?
        try reader.enterObject()
        while let name = try reader.nextMember() {
            if reader.is(name, "type") {
                type = try reader.readShortText()
                continue
            } else if reader.is(name, "delta") {
                delta = reader
            } else if reader.is(name, "response") {
                response = reader
            } else if reader.is(name, "item") {
                item = reader
            } else if reader.is(name, "error") {
                error = try Self.readError(&reader)
                continue
            } else if reader.is(name, "code") {
                code = try Self.readCode(&reader)
                continue
            }
            try reader.skipValue()
        }
        try reader.finish()
        // All values were stepped over: they are well-formed, and reading them again cannot fail.
        guard let type else {
            // Some servers answer with a chat's error.
            if let error { self.error = self.error ?? error }
            return
        }
        if var delta {
            try readDelta(&delta, of: type, sink)
        } else if var item {
            try readItemEvent(&item, isDone: type == "response.output_item.done")
        } else if var response {
            try readResponse(&response, isBody: false, sink)
        }
        switch type {
        case "response.completed", "response.incomplete", "response.failed", "response.cancelled":
            isFinished = true
            isPending = false
            isUsageFinal = usage != nil
        case "error": self.error = self.error ?? error ?? ProviderError(type: type, code: code)
        case "response.image_generation_call.partial_image": hasFirstToken = true
        default: break
        }
    }

    private mutating func readDelta(
        _ reader: inout JSONReader, of type: String, _ sink: TextSink
    ) throws(JSONError) {
        guard type.hasSuffix(".delta") else { return }
        if type == "response.audio.delta" || type == "response.output_audio.delta" {
            // Base64 of sound.
            hasFirstToken = true
            return
        }
        let kind: OutputKind =
            if type.hasPrefix("response.reasoning") {
                .reasoning
            } else if type == "response.output_text.delta" || type.contains("refusal")
                || type.contains("transcript")
            {
                .visible
            } else {
                .toolCall
            }
        try countText(&reader, kind, sink)
    }

    /// An item begins or is whole; its text has come or will come in deltas.
    private mutating func readItemEvent(
        _ reader: inout JSONReader, isDone: Bool
    ) throws(JSONError) {
        let item = try ResponsesItem(&reader)
        if item.isToolCall { hasFirstToken = true }
        if isDone && item.isBilledSearch { webSearches += 1 }
    }

    /// - Parameter isBody: the text of the items is counted; in a stream it has been.
    mutating func readResponse(
        _ reader: inout JSONReader, isBody: Bool, _ sink: TextSink
    ) throws(JSONError) {
        guard try reader.kind() == .object else {
            try reader.skipValue()
            return
        }
        var status: String?
        var seenError: ProviderError?
        var reason: String?
        // A stream of a response that does not run in the background ends with its connection.
        var isBackground = isBody
        try reader.enterObject()
        while let name = try reader.nextMember() {
            if reader.is(name, "usage") {
                if let found = try UsageObject(&reader), !found.isEmpty { usage = found }
            } else if reader.is(name, "model") {
                model = try reader.readShortText() ?? model
            } else if reader.is(name, "service_tier") {
                try readTier(&reader)
            } else if reader.is(name, "id") {
                try readResponseID(&reader)
            } else if reader.is(name, "status") {
                status = try reader.readShortText()
            } else if reader.is(name, "error") {
                seenError = try Self.readError(&reader)
            } else if reader.is(name, "incomplete_details") {
                reason = try Self.readReason(&reader)
            } else if reader.is(name, "background"), try reader.kind() == .bool {
                isBackground = try reader.readBool() || isBackground
            } else if reader.is(name, "output") {
                try readOutput(&reader, isBody: isBody, sink)
            } else {
                try reader.skipValue()
            }
        }
        if let seenError { error = error ?? seenError }
        if status == "failed" { error = error ?? ProviderError(type: "failed") }
        if let reason { finishReason = reason }
        if finishReason == nil, let status, ["completed", "cancelled"].contains(status) {
            finishReason = status
        }
        isPending = isBackground && (status == "queued" || status == "in_progress")
    }

    private static func readReason(_ reader: inout JSONReader) throws(JSONError) -> String? {
        guard try reader.kind() == .object else {
            try reader.skipValue()
            return nil
        }
        var reason: String?
        try reader.enterObject()
        while let name = try reader.nextMember() {
            if reader.is(name, "reason") {
                reason = try reader.readShortText()
            } else {
                try reader.skipValue()
            }
        }
        return reason
    }

    /// The whole list corrects the count of searches that was made on the way.
    private mutating func readOutput(
        _ reader: inout JSONReader, isBody: Bool, _ sink: TextSink
    ) throws(JSONError) {
        guard try reader.kind() == .array else {
            try reader.skipValue()
            return
        }
        var searches: Int64 = 0
        try reader.enterArray()
        while try reader.nextElement() {
            var again = reader
            let item = try ResponsesItem(&reader)
            if item.isBilledSearch { searches += 1 }
            guard isBody else { continue }
            if item.isToolCall { hasFirstToken = true }
            try readItemText(&again, item, sink)
        }
        webSearches = max(webSearches, searches)
    }

    private mutating func readItemText(
        _ reader: inout JSONReader, _ item: ResponsesItem, _ sink: TextSink
    ) throws(JSONError) {
        guard item.isObject else { return }
        let kind: OutputKind = item.type == "reasoning" ? .reasoning : .visible
        try reader.enterObject()
        while let name = try reader.nextMember() {
            if reader.is(name, "content") || reader.is(name, "summary") {
                try readParts(&reader, kind, sink)
            } else if item.isToolCall,
                reader.is(name, "name") || reader.is(name, "arguments")
                    || reader.is(name, "input") || reader.is(name, "code")
            {
                try countText(&reader, .toolCall, sink)
            } else {
                try reader.skipValue()
            }
        }
    }

    private mutating func readParts(
        _ reader: inout JSONReader, _ kind: OutputKind, _ sink: TextSink
    ) throws(JSONError) {
        guard try reader.kind() == .array else {
            try reader.skipValue()
            return
        }
        try reader.enterArray()
        while try reader.nextElement() {
            guard try reader.kind() == .object else {
                try reader.skipValue()
                continue
            }
            try reader.enterObject()
            while let name = try reader.nextMember() {
                if reader.is(name, "text") || reader.is(name, "refusal") {
                    try countText(&reader, kind, sink)
                } else {
                    try reader.skipValue()
                }
            }
        }
    }
}

/// What kind of thing an item of the output is.
private struct ResponsesItem {
    var isObject = false
    var type = ""
    var action: String?

    init(_ reader: inout JSONReader) throws(JSONError) {
        guard try reader.kind() == .object else {
            try reader.skipValue()
            return
        }
        isObject = true
        try reader.enterObject()
        while let name = try reader.nextMember() {
            if reader.is(name, "type") {
                type = try reader.readShortText() ?? ""
            } else if reader.is(name, "action"), try reader.kind() == .object {
                try reader.enterObject()
                while let name = try reader.nextMember() {
                    if reader.is(name, "type") {
                        action = try reader.readShortText()
                    } else {
                        try reader.skipValue()
                    }
                }
            } else {
                try reader.skipValue()
            }
        }
    }

    /// The model has called something, of the caller's or of the provider's.
    var isToolCall: Bool { type.hasSuffix("_call") }

    var isBilledSearch: Bool {
        type == "web_search_call" && (action == nil || action == "search")
    }
}
