// OpenAI Chat Completions, and everybody who speaks it.
//
//   body    {"id", "model", "service_tier"?, "choices": [choice…], "usage"?, "error"?}
//   choice  {"index", "message": output, "finish_reason"}
//   chunk   the same with "delta" for "message"; fields that a chunk has nothing to say about are
//           absent, null or empty
//   output  {"content", "reasoning_content" | "reasoning", "refusal", "tool_calls": [{"function":
//           {"name", "arguments"}}], "function_call": {…}, "audio": {"transcript", "data"}}
//
// `content` is a string, null, or a list of parts ({"type", "text"} and {"type": "thinking",
// "thinking": [parts]} at Mistral). `reasoning_details` (OpenRouter) repeats `reasoning`.
//
// Usage: the last object that says anything. It comes in a chunk of its own with `choices: []`
// (OpenAI), in the last chunk with a choice, in every chunk, cumulative (vLLM), or in `x_groq`. A
// chunk may also have neither choice nor usage (Azure's `prompt_filter_results`).

import CanonicalJSON

/// What else a chunk is, besides what it adds to the state.
struct ChatChunk {
    /// `choices` was there, and empty.
    var hasNoChoice = false
    var hasUsage = false

    var isUsageOnly: Bool { hasNoChoice && hasUsage }
}

extension MeterState {
    /// Reads a body or a chunk. What was counted before a fault stays counted: it has passed.
    mutating func readChat(
        _ reader: inout JSONReader, _ sink: TextSink
    ) throws(JSONError) -> ChatChunk {
        var chunk = ChatChunk()
        var found: UsageObject?
        let outputBefore = output
        var isUsageByGroq = false
        var seenError: ProviderError?
        try reader.enterObject()
        while let name = try reader.nextMember() {
            if reader.is(name, "choices") {
                chunk.hasNoChoice = try readChoices(&reader, sink, &seenError)
            } else if reader.is(name, "usage") {
                if let usage = try UsageObject(&reader), !usage.isEmpty {
                    found = usage
                    isUsageByGroq = false
                }
            } else if reader.is(name, "model") {
                try readModel(&reader)
            } else if reader.is(name, "service_tier") {
                try readTier(&reader)
            } else if reader.is(name, "id") {
                try readResponseID(&reader)
            } else if reader.is(name, "error") {
                seenError = try Self.readError(&reader) ?? seenError
            } else if reader.is(name, "x_groq") {
                if let usage = try Self.readGroqUsage(&reader), found == nil {
                    found = usage
                    isUsageByGroq = true
                }
            } else {
                try reader.skipValue()
            }
        }
        try reader.finish()
        if let found {
            usage = found
            chunk.hasUsage = !isUsageByGroq
            // Before the end of the choices it is an interim count.
            isUsageFinal = chunk.hasNoChoice || isEveryChoiceFinished
        } else if output != outputBefore {
            // Output that came after it is not in it.
            isUsageFinal = false
        }
        if let seenError { error = error ?? seenError }
        return chunk
    }

    var isEveryChoiceFinished: Bool { choices > 0 && finishedChoices >= choices }

    /// - Returns: whether the list was empty.
    private mutating func readChoices(
        _ reader: inout JSONReader, _ sink: TextSink, _ error: inout ProviderError?
    ) throws(JSONError) -> Bool {
        guard try reader.kind() == .array else {
            try reader.skipValue()
            return false
        }
        var isEmpty = true
        try reader.enterArray()
        while try reader.nextElement() {
            isEmpty = false
            guard try reader.kind() == .object else {
                try reader.skipValue()
                continue
            }
            try readChoice(&reader, sink, &error)
        }
        return isEmpty
    }

    private mutating func readChoice(
        _ reader: inout JSONReader, _ sink: TextSink, _ error: inout ProviderError?
    ) throws(JSONError) {
        choices = max(choices, 1)
        try reader.enterObject()
        while let name = try reader.nextMember() {
            if reader.is(name, "delta") || reader.is(name, "message") {
                try readChatOutput(&reader, sink)
            } else if reader.is(name, "finish_reason") {
                if try readFinishReason(&reader) { finishedChoices += 1 }
            } else if reader.is(name, "index"), try reader.kind() == .number {
                let index = try reader.readNumber().integer ?? 0
                if (0..<1_000_000).contains(index) { choices = max(choices, Int(index) + 1) }
            } else if reader.is(name, "text") {
                try countText(&reader, .visible, sink)
            } else if reader.is(name, "error") {
                error = try Self.readError(&reader) ?? error
            } else {
                try reader.skipValue()
            }
        }
    }

    private mutating func readChatOutput(
        _ reader: inout JSONReader, _ sink: TextSink
    ) throws(JSONError) {
        guard try reader.kind() == .object else {
            try reader.skipValue()
            return
        }
        try reader.enterObject()
        while let name = try reader.nextMember() {
            if reader.is(name, "content") {
                try readContent(&reader, .visible, sink, depth: 0)
            } else if reader.is(name, "reasoning_content") || reader.is(name, "reasoning") {
                try readContent(&reader, .reasoning, sink, depth: 0)
            } else if reader.is(name, "refusal") {
                try countText(&reader, .visible, sink)
            } else if reader.is(name, "tool_calls") {
                try readToolCalls(&reader, sink)
            } else if reader.is(name, "function_call") {
                try readFunction(&reader, sink)
            } else if reader.is(name, "audio") {
                try readAudio(&reader, sink)
            } else if reader.is(name, "images") {
                if try reader.kind() == .array { hasFirstToken = true }
                try reader.skipValue()
            } else {
                try reader.skipValue()
            }
        }
    }

    /// A string, or parts; parts of thinking may hold parts again.
    private mutating func readContent(
        _ reader: inout JSONReader, _ kind: OutputKind, _ sink: TextSink, depth: Int
    ) throws(JSONError) {
        guard try reader.kind() == .array, depth < 4 else {
            try countText(&reader, kind, sink)
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
                if reader.is(name, "text") {
                    try countText(&reader, kind, sink)
                } else if reader.is(name, "thinking") {
                    try readContent(&reader, .reasoning, sink, depth: depth + 1)
                } else {
                    try reader.skipValue()
                }
            }
        }
    }

    private mutating func readToolCalls(
        _ reader: inout JSONReader, _ sink: TextSink
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
                if reader.is(name, "function") || reader.is(name, "custom") {
                    try readFunction(&reader, sink)
                } else {
                    try reader.skipValue()
                }
            }
        }
    }

    private mutating func readFunction(
        _ reader: inout JSONReader, _ sink: TextSink
    ) throws(JSONError) {
        guard try reader.kind() == .object else {
            try reader.skipValue()
            return
        }
        try reader.enterObject()
        while let name = try reader.nextMember() {
            if reader.is(name, "name") || reader.is(name, "arguments") || reader.is(name, "input") {
                try countText(&reader, .toolCall, sink)
            } else {
                try reader.skipValue()
            }
        }
    }

    /// Sound itself has no text to count, but it is output.
    private mutating func readAudio(
        _ reader: inout JSONReader, _ sink: TextSink
    ) throws(JSONError) {
        guard try reader.kind() == .object else {
            try reader.skipValue()
            return
        }
        try reader.enterObject()
        while let name = try reader.nextMember() {
            if reader.is(name, "transcript") {
                try countText(&reader, .visible, sink)
            } else if reader.is(name, "data") {
                if try !reader.readNull() {
                    try reader.skipValue()
                    hasFirstToken = true
                }
            } else {
                try reader.skipValue()
            }
        }
    }

    private static func readGroqUsage(
        _ reader: inout JSONReader
    ) throws(JSONError) -> UsageObject? {
        guard try reader.kind() == .object else {
            try reader.skipValue()
            return nil
        }
        var usage: UsageObject?
        try reader.enterObject()
        while let name = try reader.nextMember() {
            if reader.is(name, "usage") {
                usage = try UsageObject(&reader)
            } else {
                try reader.skipValue()
            }
        }
        return usage.flatMap { $0.isEmpty ? nil : $0 }
    }
}
