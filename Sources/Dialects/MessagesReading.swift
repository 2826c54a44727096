// Anthropic Messages.
//
//   body   {"type": "message", "id", "model", "content": [block…], "stop_reason", "usage"}
//   block  {"type": "text", "text"} | {"type": "thinking", "thinking"} | {"type": "tool_use" |
//          "server_tool_use", "name", "input"} | …
//   event  {"type": "message_start", "message": body without content}
//          {"type": "content_block_start", "content_block": block}
//          {"type": "content_block_delta", "delta": {"text"} | {"partial_json"} | {"thinking"} |
//          {"signature"} | {"citation"}}
//          {"type": "message_delta", "delta": {"stop_reason"}, "usage"}
//          `content_block_stop`, `message_stop`, `ping`
//          {"type": "error", "error": {"type", "message"}}
//
// Usage is cumulative: that of `message_start` has the input and a first token or so of output,
// that of the last `message_delta` the output and, lately, all of the input again. They are merged
// (`UsageObject.merge`), never added.

import CanonicalJSON

extension MeterState {
    mutating func readMessagesEvent(
        _ data: UnsafeRawBufferPointer, _ sink: TextSink
    ) throws(JSONError) {
        var reader = JSONReader(data, strings: .lenient)
        var type: String?
        var delta: JSONReader?
        var block: JSONReader?
        var message: JSONReader?
        var seenError: ProviderError?
        var usage: UsageObject?
        try reader.enterObject()
        while let name = try reader.nextMember() {
            if reader.is(name, "type") {
                type = try reader.readShortText()
                continue
            } else if reader.is(name, "usage") {
                usage = try UsageObject(&reader)
                continue
            } else if reader.is(name, "error") {
                seenError = try Self.readError(&reader)
                continue
            } else if reader.is(name, "delta") {
                delta = reader
            } else if reader.is(name, "content_block") {
                block = reader
            } else if reader.is(name, "message") {
                message = reader
            }
            try reader.skipValue()
        }
        try reader.finish()
        // All values were stepped over: they are well-formed, and reading them again cannot fail.
        switch type {
        case "content_block_delta":
            if var delta { try readMessageDelta(&delta, sink) }
        case "content_block_start":
            if var block { try readBlock(&block, sink) }
        case "message_start":
            if var message { try readMessage(&message, sink) }
        case "message_delta":
            var isLast = false
            if var delta { isLast = try readStopReason(&delta) }
            if let usage, !usage.isEmpty {
                mergeUsage(usage)
                hasClosingUsage = hasClosingUsage || usage.output != nil
                isUsageFinal = isLast && usage.output != nil
            }
            if isLast { finishedChoices = choices }
        case "message_stop":
            isFinished = true
            isUsageFinal = isUsageFinal || hasClosingUsage
        case "error": error = error ?? seenError ?? ProviderError(type: "error")
        default:
            if let seenError { error = error ?? seenError }
        }
    }

    private mutating func mergeUsage(_ later: UsageObject) {
        if usage == nil { usage = later } else { usage?.merge(later: later) }
    }

    private mutating func readStopReason(_ reader: inout JSONReader) throws(JSONError) -> Bool {
        guard try reader.kind() == .object else { return false }
        var isStopped = false
        try reader.enterObject()
        while let name = try reader.nextMember() {
            if reader.is(name, "stop_reason") {
                isStopped = try readFinishReason(&reader)
            } else {
                try reader.skipValue()
            }
        }
        return isStopped
    }

    private mutating func readMessageDelta(
        _ reader: inout JSONReader, _ sink: TextSink
    ) throws(JSONError) {
        guard try reader.kind() == .object else { return }
        try reader.enterObject()
        while let name = try reader.nextMember() {
            if reader.is(name, "text") {
                try countText(&reader, .visible, sink)
            } else if reader.is(name, "partial_json") {
                try countText(&reader, .toolCall, sink)
            } else if reader.is(name, "thinking") {
                try countText(&reader, .reasoning, sink)
            } else if reader.is(name, "signature") {
                // Thinking that is not shown.
                hasFirstToken = true
                try reader.skipValue()
            } else {
                try reader.skipValue()
            }
        }
    }

    /// A whole body, or the message that a stream starts with.
    mutating func readMessage(
        _ reader: inout JSONReader, _ sink: TextSink
    ) throws(JSONError) {
        guard try reader.kind() == .object else {
            try reader.skipValue()
            return
        }
        choices = 1
        try reader.enterObject()
        while let name = try reader.nextMember() {
            if reader.is(name, "usage") {
                if let found = try UsageObject(&reader), !found.isEmpty { mergeUsage(found) }
            } else if reader.is(name, "model") {
                try readModel(&reader)
            } else if reader.is(name, "id") {
                try readResponseID(&reader)
            } else if reader.is(name, "stop_reason") {
                if try readFinishReason(&reader) { finishedChoices = choices }
            } else if reader.is(name, "content") {
                try readBlocks(&reader, sink)
            } else if reader.is(name, "error") {
                if let seen = try Self.readError(&reader) { error = error ?? seen }
            } else {
                try reader.skipValue()
            }
        }
    }

    private mutating func readBlocks(
        _ reader: inout JSONReader, _ sink: TextSink
    ) throws(JSONError) {
        guard try reader.kind() == .array else {
            try reader.skipValue()
            return
        }
        try reader.enterArray()
        while try reader.nextElement() { try readBlock(&reader, sink) }
    }

    private mutating func readBlock(
        _ reader: inout JSONReader, _ sink: TextSink
    ) throws(JSONError) {
        guard try reader.kind() == .object else {
            try reader.skipValue()
            return
        }
        var type = ""
        var isWebSearch = false
        try reader.enterObject()
        while let name = try reader.nextMember() {
            if reader.is(name, "type") {
                type = try reader.readShortText() ?? ""
            } else if reader.is(name, "text") {
                try countText(&reader, .visible, sink)
            } else if reader.is(name, "thinking") {
                try countText(&reader, .reasoning, sink)
            } else if reader.is(name, "name"), try reader.kind() == .string {
                var again = reader
                isWebSearch = reader.is(try reader.readText(), "web_search")
                try countText(&again, .toolCall, sink)
            } else if reader.is(name, "input") {
                // Arguments are a value here, not a string of JSON. Streams start with `{}`.
                let input = reader.source(try reader.skipValue())
                if input.count > 2 { count(input, .toolCall, sink) }
            } else {
                try reader.skipValue()
            }
        }
        if type == "server_tool_use" && isWebSearch { webSearches += 1 }
        if type != "text" && type != "thinking" { hasFirstToken = true }
    }
}
