// The `usage` object of an answer, in any of the forms that are about.
//
//   input   `prompt_tokens` | `input_tokens`
//   output  `completion_tokens` | `output_tokens`
//   total   `total_tokens`
//   parts of the input, in `prompt_tokens_details` | `input_tokens_details`:
//           `cached_tokens`, `cache_write_tokens` [`cache_write_tokens_details`
//           {`ttl_30m_tokens`, `ttl_12h_tokens`}], `audio_tokens`, `image_tokens`
//   parts of the output, in `completion_tokens_details` | `output_tokens_details`:
//           `reasoning_tokens` | `thinking_tokens`, `audio_tokens`, `image_tokens`
//   cache as Anthropic counts it: `cache_read_input_tokens`, `cache_creation_input_tokens`,
//           `cache_creation` {`ephemeral_5m_input_tokens`, `ephemeral_1h_input_tokens`}
//   cache as others say it: `prompt_cache_hit_tokens` and `prompt_cache_miss_tokens` (DeepSeek),
//           `cached_tokens` (Kimi)
//   tools   `server_tool_use` {`web_search_requests`}, `num_search_queries` (Perplexity)
//   and     `service_tier`, `inference_geo`, `speed`, `cost` (OpenRouter), `iterations`
//
// A count is a JSON number that is whole and from 0 to 2^40: `12` or `12.0`, not `"12"`, `1.2e1`,
// `-1`. Any other value but null is as good as absent, and that is marked. Of two members of one
// name the last one counts, as in the client's own reader. What is not listed is stepped over.

import CanonicalJSON

/// One usage object as it was written. Nil is absent or null; zero is zero.
struct UsageObject: Sendable, Hashable {
    var input: Int64?
    var output: Int64?
    var total: Int64?
    var cached: Int64?
    var cacheWrite: Int64?
    var cacheWrite12h: Int64?
    var inputAudio: Int64?
    var inputImage: Int64?
    var reasoning: Int64?
    var outputAudio: Int64?
    var outputImage: Int64?
    var cacheHit: Int64?
    var cacheMiss: Int64?
    var cacheRead: Int64?
    var cacheCreation: Int64?
    var cacheCreation5m: Int64?
    var cacheCreation1h: Int64?
    var webSearches: Int64?
    var serviceTier: String?
    var geo: String?
    var speed: String?
    var cost: String?
    /// Steps that the counts above leave out.
    var steps: [UsageObject] = []
    var hasUnreadable = false

    /// No count at all was given.
    var isEmpty: Bool {
        input == nil && output == nil && total == nil && cacheHit == nil && cacheRead == nil
            && cacheCreation == nil && webSearches == nil
    }

    init() {}

    /// Reads the value that the reader is at; nil when that is no object.
    init?(_ reader: inout JSONReader) throws(JSONError) {
        guard try reader.kind() == .object else {
            try reader.skipValue()
            return nil
        }
        try self.init(members: &reader, depth: 0)
    }

    private init(members reader: inout JSONReader, depth: Int) throws(JSONError) {
        try reader.enterObject()
        while let name = try reader.nextMember() {
            if try readTotals(name, &reader) { continue }
            if try readCache(name, &reader) { continue }
            if reader.is(name, "prompt_tokens_details")
                || reader.is(name, "input_tokens_details")
            {
                try readInputDetails(&reader)
            } else if reader.is(name, "completion_tokens_details")
                || reader.is(name, "output_tokens_details")
            {
                try readOutputDetails(&reader)
            } else if reader.is(name, "server_tool_use") {
                try readObject(&reader) { (usage, name, reader) throws(JSONError) in
                    guard reader.is(name, "web_search_requests") else { return false }
                    usage.webSearches = try usage.count(&reader)
                    return true
                }
            } else if reader.is(name, "num_search_queries") {
                webSearches = try count(&reader)
            } else if reader.is(name, "service_tier") {
                serviceTier = try reader.readShortText() ?? serviceTier
            } else if reader.is(name, "inference_geo") {
                geo = try reader.readShortText() ?? geo
            } else if reader.is(name, "speed") {
                speed = try reader.readShortText() ?? speed
            } else if reader.is(name, "cost") {
                cost = try Self.cost(&reader)
            } else if depth == 0, reader.is(name, "iterations") {
                try readSteps(&reader)
            } else {
                try reader.skipValue()
            }
        }
    }

    private mutating func readTotals(
        _ name: JSONReader.Text, _ reader: inout JSONReader
    ) throws(JSONError) -> Bool {
        if reader.is(name, "prompt_tokens") || reader.is(name, "input_tokens") {
            input = try count(&reader) ?? input
        } else if reader.is(name, "completion_tokens") || reader.is(name, "output_tokens") {
            output = try count(&reader) ?? output
        } else if reader.is(name, "total_tokens") {
            total = try count(&reader)
        } else {
            return false
        }
        return true
    }

    private mutating func readCache(
        _ name: JSONReader.Text, _ reader: inout JSONReader
    ) throws(JSONError) -> Bool {
        if reader.is(name, "cache_read_input_tokens") {
            cacheRead = try count(&reader)
        } else if reader.is(name, "cache_creation_input_tokens") {
            cacheCreation = try count(&reader)
        } else if reader.is(name, "cache_creation") {
            try readObject(&reader) { (usage, name, reader) throws(JSONError) in
                if reader.is(name, "ephemeral_5m_input_tokens") {
                    usage.cacheCreation5m = try usage.count(&reader)
                } else if reader.is(name, "ephemeral_1h_input_tokens") {
                    usage.cacheCreation1h = try usage.count(&reader)
                } else {
                    return false
                }
                return true
            }
        } else if reader.is(name, "prompt_cache_hit_tokens") {
            cacheHit = try count(&reader)
        } else if reader.is(name, "prompt_cache_miss_tokens") {
            cacheMiss = try count(&reader)
        } else if reader.is(name, "cached_tokens") {
            cacheHit = try count(&reader) ?? cacheHit
        } else {
            return false
        }
        return true
    }

    private mutating func readInputDetails(_ reader: inout JSONReader) throws(JSONError) {
        try readObject(&reader) { (usage, name, reader) throws(JSONError) in
            if reader.is(name, "cached_tokens") {
                usage.cached = try usage.count(&reader)
            } else if reader.is(name, "cache_write_tokens") {
                usage.cacheWrite = try usage.count(&reader)
            } else if reader.is(name, "audio_tokens") {
                usage.inputAudio = try usage.count(&reader)
            } else if reader.is(name, "image_tokens") {
                usage.inputImage = try usage.count(&reader)
            } else if reader.is(name, "cache_write_tokens_details") {
                try usage.readObject(&reader) { (usage, name, reader) throws(JSONError) in
                    guard reader.is(name, "ttl_12h_tokens") else { return false }
                    usage.cacheWrite12h = try usage.count(&reader)
                    return true
                }
            } else {
                return false
            }
            return true
        }
    }

    private mutating func readOutputDetails(_ reader: inout JSONReader) throws(JSONError) {
        try readObject(&reader) { (usage, name, reader) throws(JSONError) in
            if reader.is(name, "reasoning_tokens") || reader.is(name, "thinking_tokens") {
                usage.reasoning = try usage.count(&reader)
            } else if reader.is(name, "audio_tokens") {
                usage.outputAudio = try usage.count(&reader)
            } else if reader.is(name, "image_tokens") {
                usage.outputImage = try usage.count(&reader)
            } else {
                return false
            }
            return true
        }
    }

    /// Anthropic's `iterations`: entries of the types `compaction` and `advisor_message` are left
    /// out of the totals; those of the model's own turns (`message`, `fallback_message`) are in
    /// them.
    private mutating func readSteps(_ reader: inout JSONReader) throws(JSONError) {
        guard try reader.kind() == .array else {
            try reader.skipValue()
            return
        }
        steps = []
        try reader.enterArray()
        while try reader.nextElement() {
            guard try reader.kind() == .object else {
                try reader.skipValue()
                continue
            }
            // The type may come after the counts: look for it first.
            var ahead = reader
            var isLeftOut = false
            try ahead.enterObject()
            while let name = try ahead.nextMember() {
                if ahead.is(name, "type"), try ahead.kind() == .string {
                    let type = try ahead.readText()
                    isLeftOut = ahead.is(type, "compaction") || ahead.is(type, "advisor_message")
                } else {
                    try ahead.skipValue()
                }
            }
            let step = try UsageObject(members: &reader, depth: 1)
            hasUnreadable = hasUnreadable || step.hasUnreadable
            if isLeftOut && !step.isEmpty && steps.count < Self.stepsMax { steps.append(step) }
        }
    }

    private static let stepsMax = 10_000

    /// Lends each member of the object to `body`, which says whether it has read it; any other
    /// value is stepped over.
    private mutating func readObject(
        _ reader: inout JSONReader,
        _ body: (inout UsageObject, JSONReader.Text, inout JSONReader) throws(JSONError) -> Bool
    ) throws(JSONError) {
        guard try reader.kind() == .object else {
            try reader.skipValue()
            return
        }
        try reader.enterObject()
        while let name = try reader.nextMember() {
            if try !body(&self, name, &reader) { try reader.skipValue() }
        }
    }

    // MARK: Values

    /// More of anything than this in one call is not usage but a mistake.
    static let maxCount: Int64 = 1 << 40

    private mutating func count(_ reader: inout JSONReader) throws(JSONError) -> Int64? {
        switch try reader.kind() {
        case .null:
            try reader.skipValue()
            return nil
        case .number:
            let (integer, range) = try reader.readNumber()
            if let count = integer ?? Self.wholeNumber(reader.source(range)),
                (0...Self.maxCount).contains(count)
            {
                return count
            }
        default: try reader.skipValue()
        }
        hasUnreadable = true
        return nil
    }

    /// `12.0`, `12.00` … as 12.
    private static func wholeNumber(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard text.count <= 32, let point = text.firstIndex(of: UInt8(ascii: ".")),
            text[(point + 1)...].allSatisfy({ $0 == UInt8(ascii: "0") })
        else { return nil }
        return Int64(String(decoding: text[..<point], as: UTF8.self))
    }

    /// A number as it was written.
    private static func cost(_ reader: inout JSONReader) throws(JSONError) -> String? {
        guard try reader.kind() == .number else {
            try reader.skipValue()
            return nil
        }
        let text = reader.source(try reader.readNumber().range)
        return text.count <= 40 ? String(decoding: text, as: UTF8.self) : nil
    }
}

extension JSONReader {
    /// A name: a string of 1 to 256 bytes without control characters, as ids are in the log; nil
    /// for any other value.
    mutating func readShortText() throws(JSONError) -> String? {
        guard try kind() == .string else {
            try skipValue()
            return nil
        }
        let text = try readText()
        // What it stands for is at most three times as long, where bytes are no UTF-8.
        guard (1...256).contains(text.range.count) else { return nil }
        let name = string(text)
        guard name.utf8.count <= 256, name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else { return nil }
        return name
    }
}
