// Reads a body and adds up what it amounts to. The dialects (`Chat*`, `Responses*`, `Messages*`,
// `Embeddings`) say what to look at and what frames it.

import Billing
import CanonicalJSON
import Tokenizers

/// Two counts of the same thing.
struct Span {
    var expected = 0
    var max = 0

    mutating func add(_ expected: Int, max: Int) {
        self.expected += expected
        self.max += Swift.max(max, expected)
    }
}

/// Where the text so far stood when the provider's cache was told to keep it.
enum CacheLifetime { case fiveMinutes, hour }

struct Sizer {
    let model: String
    private let family: TokenizerFamily
    private let tokenizer: Tokenizer
    var path = FieldPath()

    /// Text: tokens of the family's encoding, which its factor is for, and the bound.
    private var text = Span()
    /// Tokens that are no text: what frames it, and what a rule says.
    private var framing = Span()
    private var images = Span()
    private var audio = Span()
    private var cachedUpTo: (fiveMinutes: Int, hour: Int) = (0, 0)

    var usage = UsageEstimate()
    /// Prompts that the provider's own tools may begin, after the first.
    var rounds: Int64 = 0
    var unbounded: [String] = []
    /// Members that the operator vouches for although they are not known, or nothing bounds them.
    var allowedMembers: Set<String> = []
    var isStreaming = false
    var isBackground = false
    var asksForUsageInStream = false
    var thinkingTokens: Int64?
    var user: String?
    var safetyIdentifier: String?
    var metadataUserID: String?

    init(model: String) {
        self.model = model
        family = TokenizerFamily(model: model)
        tokenizer = Tokenizer.named(family.encoding)
    }

    // MARK: Adding up

    /// Text that the model reads.
    mutating func read(_ text: String) {
        let tokens = tokenizer.count(text)
        self.text.add(tokens, max: family.isExact ? tokens : bytesBound(text.utf8.count))
    }

    /// The same text in two forms; which of them the model reads is not published. The first is
    /// expected, the longer one bounds.
    mutating func read(expecting bytes: [UInt8], or other: [UInt8]) {
        let tokens = bytes.withUnsafeBufferPointer { tokenizer.count($0) }
        guard family.isExact else {
            return text.add(tokens, max: bytesBound(max(bytes.count, other.count)))
        }
        text.add(tokens, max: max(tokens, other.withUnsafeBufferPointer { tokenizer.count($0) }))
    }

    /// A value that the model reads as JSON, or in a form that is not longer.
    mutating func readJSON(_ value: JSONValue) {
        let bytes = CompactJSON.bytes(of: value)
        read(expecting: bytes, or: bytes)
    }

    /// What only the provider can read (encrypted reasoning …): base64 of something that is at
    /// least a byte a token, and usually four.
    mutating func readOpaque(_ text: String) {
        let bytes = text.utf8.count
        self.text.add(bytes / 6, max: bytes)
    }

    mutating func frame(_ expected: Int, max: Int) { framing.add(expected, max: max) }

    mutating func addImage(_ count: (expected: Int, max: Int)) {
        images.add(count.expected, max: count.max)
    }

    mutating func addAudio(_ expected: Int, max: Int) { audio.add(expected, max: max) }

    /// All that was read so far is to be written to the cache.
    mutating func keepInCache(_ lifetime: CacheLifetime) {
        switch lifetime {
        case .fiveMinutes: cachedUpTo.fiveMinutes = expectedTokens
        case .hour: cachedUpTo.hour = expectedTokens
        }
    }

    /// The model will read what the request does not carry, up to its largest prompt.
    mutating func needFullContexts(_ count: Int64) {
        usage.fullContexts = max(usage.fullContexts ?? 0, count)
    }

    /// What the reader is at costs something that nothing bounds.
    mutating func markUnbounded() {
        // Who is refused for the first mends them one after the other.
        if unbounded.count < 16 { unbounded.append(path.text) }
    }

    private func bytesBound(_ count: Int) -> Int { count == 0 ? 0 : count + 1 }

    /// The most tokens that the text so far can have.
    var largestText: Int64 { Int64(text.max) }

    private var textExpected: Int { (text.expected * family.perMille + 999) / 1000 }

    private var expectedTokens: Int {
        min(textExpected, text.max) + framing.expected + images.expected + audio.expected
    }

    private var maxTokens: Int { text.max + framing.max + images.max + audio.max }

    // MARK: The result

    consuming func finish(dialect: RequestDialect, requestBytes: Int) -> SizedRequest {
        if rounds > 0 { needFullContexts(rounds + 1) }
        usage.inputTokens = Int64(expectedTokens)
        usage.maxInputTokens = Int64(max(maxTokens, expectedTokens))
        if images.max > 0 {
            usage.inputImageTokens = Int64(images.expected)
            usage.maxInputImageTokens = Int64(images.max)
        }
        if audio.max > 0 {
            usage.inputAudioTokens = Int64(audio.expected)
            usage.maxInputAudioTokens = Int64(audio.max)
        }
        if cachedUpTo.hour > 0 { usage.cacheWrite1hTokens = Int64(cachedUpTo.hour) }
        if cachedUpTo.fiveMinutes > cachedUpTo.hour {
            usage.cacheWriteTokens = Int64(cachedUpTo.fiveMinutes - cachedUpTo.hour)
        }
        usage.source = EstimateSource(
            dialect: dialect.rawValue, tokenizer: family.name, requestBytes: Int64(requestBytes))
        var sized = SizedRequest(dialect: dialect, model: model, usage: usage)
        sized.isStreaming = isStreaming
        sized.isBackground = isBackground
        sized.asksForUsageInStream = asksForUsageInStream
        sized.statedOutputCap = dialect == .openAIEmbeddings ? nil : usage.maxOutputTokens
        sized.thinkingTokens = thinkingTokens
        sized.user = user
        sized.safetyIdentifier = safetyIdentifier
        sized.metadataUserID = metadataUserID
        sized.unbounded = unbounded
        return sized
    }
}
