// What the simulator is told to do with a request, over what the request itself asks.
//
// One line of text, comma-separated, each `name` or `name=value`:
//
//     status=429,retry_after=2      answer with an error (402, 429, 500, 503 … also 400 to 599)
//     close_before_headers          close the connection without an answer
//     hang                          take the request and never answer
//     hang_after=3                  fall silent after three pieces of the stream
//     cut_after=3                   close after three pieces of the stream, without an end
//     cut_mid_event=3               close within the fourth piece's event
//     error_event=3                 an error event after three pieces, then the end
//     no_usage                      the answer has no usage
//     wrong_usage=7                 the answer claims seven output tokens
//     usage_every_chunk             cumulative usage on every chunk (vLLM)
//     slow_loris=20                 the stream's bytes one by one, 20 ms between them
//     huge_chunk=1000000            the first piece is a text of that many bytes, or of as many
//                                   as the output cap lets
//     invalid_json                  the body, or the third event of a stream, is no JSON
//     no_done                       the stream ends without [DONE] or message_stop
//     comments                      a comment line before every event (OpenRouter)
//     served_model=gpt-4o-2024-08-06  the model that the answer names
//     served_tier=default           the service tier that the answer names
//     cost=0.0012                   usage.cost (OpenRouter)
//     cached=1024                   input tokens that came from the provider's own cache
//     output=200 · reasoning=64     how many tokens to write, and to think before
//     tool                          call the first tool
//     first_token_ms=300 · tokens_per_second=50

package struct Instructions: Sendable, Equatable {
    package var status: Int?
    package var retryAfter: String?
    package var closesBeforeHeaders = false
    package var hangs = false
    package var hangsAfter: Int?
    package var cutsAfter: Int?
    package var cutsMidEvent: Int?
    package var errorEvent: Int?
    package var hasNoUsage = false
    package var wrongUsage: Int?
    package var hasUsageOnEveryChunk = false
    package var slowLorisMilliseconds: Int?
    package var hugeChunk: Int?
    package var isInvalidJSON = false
    package var hasNoDone = false
    package var hasComments = false
    package var servedModel: String?
    package var servedTier: String?
    package var cost: String?
    package var cached: Int?
    package var output: Int?
    package var reasoning: Int?
    package var callsTool = false
    package var firstTokenMilliseconds: Int?
    package var tokensPerSecond: Int?
    /// As it was given, for the books.
    package private(set) var text = ""

    package init() {}

    /// - Throws: an `InstructionError` that names what it does not know.
    package init(_ text: String) throws(InstructionError) {
        self.text = text
        for part in text.split(separator: ",") {
            let part = part.trimmed
            if part.isEmpty { continue }
            let pieces = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = pieces[0].trimmed
            let value = pieces.count == 2 ? pieces[1].trimmed : nil
            if try take(word: name, value) { continue }
            if try take(number: name, value) { continue }
            if try take(text: name, value) { continue }
            throw InstructionError("'\(name)' is no instruction for the simulator")
        }
    }

    private mutating func take(word: String, _ value: String?) throws(InstructionError) -> Bool {
        guard let path = Self.words[word] else { return false }
        if value != nil { throw InstructionError("'\(word)' takes no value") }
        self[keyPath: path] = true
        return true
    }

    private mutating func take(number: String, _ value: String?) throws(InstructionError) -> Bool {
        guard let (path, range) = Self.numbers[number] else { return false }
        guard let integer = value.flatMap({ Int($0) }), range.contains(integer) else {
            throw InstructionError(
                "'\(number)' needs a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        self[keyPath: path] = integer
        return true
    }

    private mutating func take(text: String, _ value: String?) throws(InstructionError) -> Bool {
        guard let path = Self.texts[text] else { return false }
        guard let value, !value.isEmpty else { throw InstructionError("'\(text)' needs a value") }
        if text == "cost" || text == "retry_after", Double(value)?.isFinite != true {
            throw InstructionError("'\(text)' needs a number")
        }
        self[keyPath: path] = value
        return true
    }

    private typealias Path<Value> = WritableKeyPath<Instructions, Value> & Sendable

    private static let words: [String: any Path<Bool>] = [
        "close_before_headers": \.closesBeforeHeaders, "hang": \.hangs, "no_usage": \.hasNoUsage,
        "usage_every_chunk": \.hasUsageOnEveryChunk, "invalid_json": \.isInvalidJSON,
        "no_done": \.hasNoDone, "comments": \.hasComments, "tool": \.callsTool,
    ]

    private static let numbers: [String: (path: any Path<Int?>, range: ClosedRange<Int>)] = [
        "status": (\.status, 400...599), "hang_after": (\.hangsAfter, 0...1_000_000),
        "cut_after": (\.cutsAfter, 0...1_000_000),
        "cut_mid_event": (\.cutsMidEvent, 0...1_000_000),
        "error_event": (\.errorEvent, 0...1_000_000),
        "wrong_usage": (\.wrongUsage, -1_000_000_000...1_000_000_000),
        "slow_loris": (\.slowLorisMilliseconds, 0...60_000),
        "huge_chunk": (\.hugeChunk, 1...64_000_000), "cached": (\.cached, 0...10_000_000),
        "output": (\.output, 0...1_000_000), "reasoning": (\.reasoning, 0...1_000_000),
        "first_token_ms": (\.firstTokenMilliseconds, 0...600_000),
        "tokens_per_second": (\.tokensPerSecond, 0...1_000_000),
    ]

    private static let texts: [String: any Path<String?>] = [
        "retry_after": \.retryAfter, "served_model": \.servedModel,
        "served_tier": \.servedTier, "cost": \.cost,
    ]

    /// These over `self`: what is said twice is said by `other`.
    package func overridden(by other: Instructions) -> Instructions {
        var merged = self
        for path in Self.words.values where other[keyPath: path] { merged[keyPath: path] = true }
        for (path, _) in Self.numbers.values {
            if let value = other[keyPath: path] { merged[keyPath: path] = value }
        }
        for path in Self.texts.values {
            if let value = other[keyPath: path] { merged[keyPath: path] = value }
        }
        merged.text = [text, other.text].filter { !$0.isEmpty }.joined(separator: ",")
        return merged
    }
}

package struct InstructionError: Error, Sendable, Equatable, CustomStringConvertible {
    package var description: String
    init(_ description: String) { self.description = description }
}

extension StringProtocol {
    /// Without blanks around it.
    fileprivate var trimmed: String {
        let end = lastIndex { $0 != " " }
        guard let end else { return "" }
        return String(self[...end].drop { $0 == " " })
    }
}
