// What a meter has seen of one answer, whatever its dialect and whether it streams or not.

import Billing
import CanonicalJSON

package typealias TextSink = (OutputKind, UnsafeRawBufferPointer) -> Void

struct MeterState: Sendable {
    let dialect: CallDialect
    let settings: MeterSettings

    var hasFirstToken = false
    var output = OutputSizes()
    var finishReason: String?
    var responseID: String?
    var model: String?
    var tier: String?
    var error: ProviderError?
    /// Seen as they happened; usage may say the same, later.
    var webSearches: Int64 = 0
    /// The provider said that the answer is at its end.
    var isFinished = false
    /// The provider works on after this answer.
    var isPending = false
    var usage: UsageObject?
    /// The usage is the provider's last word.
    var isUsageFinal = false
    /// Anthropic: usage with output has come after the one that the stream starts with.
    var hasClosingUsage = false
    /// Chat: choices seen, and those of them that gave their finish reason.
    var choices = 0
    var finishedChoices = 0

    var scratch: [UInt8] = []

    init(_ dialect: CallDialect, _ settings: MeterSettings) {
        self.dialect = dialect
        self.settings = settings
    }

    // MARK: Output

    /// Counts the string that the reader is at as output; other values are stepped over.
    mutating func countText(
        _ reader: inout JSONReader, _ kind: OutputKind, _ sink: TextSink
    ) throws(JSONError) {
        guard try reader.kind() == .string else {
            try reader.skipValue()
            return
        }
        let text = try reader.readText()
        if text.range.isEmpty { return }
        var scratch: [UInt8] = []
        swap(&scratch, &self.scratch)
        reader.withUnescaped(text, scratch: &scratch) { count($0, kind, sink) }
        if scratch.capacity <= ServerSentEventSplitter.keptCapacity {
            swap(&scratch, &self.scratch)
        }
    }

    /// Counts output that passes.
    mutating func count(_ text: UnsafeRawBufferPointer, _ kind: OutputKind, _ sink: TextSink) {
        if text.isEmpty { return }
        hasFirstToken = true
        switch kind {
        case .visible: output.visible.add(text)
        case .toolCall: output.toolCalls.add(text)
        case .reasoning: output.reasoning.add(text)
        }
        sink(kind, text)
    }

    // MARK: Facts

    /// Names that stay the same are read once.
    mutating func readModel(_ reader: inout JSONReader) throws(JSONError) {
        if model == nil { model = try reader.readShortText() } else { try reader.skipValue() }
    }

    mutating func readResponseID(_ reader: inout JSONReader) throws(JSONError) {
        if responseID == nil {
            responseID = try reader.readShortText()
        } else {
            try reader.skipValue()
        }
    }

    /// The tier asked for may come first; the one served is said last.
    mutating func readTier(_ reader: inout JSONReader) throws(JSONError) {
        tier = try reader.readShortText() ?? tier
    }

    mutating func readFinishReason(_ reader: inout JSONReader) throws(JSONError) -> Bool {
        guard let reason = try reader.readShortText() else { return false }
        if finishReason == nil { finishReason = reason }
        return true
    }

    /// An `error` member; nil for null, false and an empty object or string, which say that there
    /// was none.
    static func readError(_ reader: inout JSONReader) throws(JSONError) -> ProviderError? {
        switch try reader.kind() {
        case .object:
            var error = ProviderError()
            var isEmpty = true
            try reader.enterObject()
            while let name = try reader.nextMember() {
                isEmpty = false
                if reader.is(name, "type") {
                    error.type = try reader.readShortText()
                } else if reader.is(name, "code") {
                    error.code = try readCode(&reader)
                } else {
                    try reader.skipValue()
                }
            }
            return isEmpty ? nil : error
        case .string: return try reader.readText().range.isEmpty ? nil : ProviderError()
        case .bool: return try reader.readBool() ? ProviderError() : nil
        case .null:
            try reader.skipValue()
            return nil
        case .array, .number:
            try reader.skipValue()
            return ProviderError()
        }
    }

    /// A name or a number.
    static func readCode(_ reader: inout JSONReader) throws(JSONError) -> String? {
        if try reader.kind() == .number {
            return try reader.readNumber().integer.map { String($0) }
        }
        return try reader.readShortText()
    }

    // MARK: Result

    var report: UsageReport? {
        guard let usage else { return nil }
        var report = usage.report(
            family: dialect.family, convention: settings.convention,
            hasOutput: dialect != .openAIEmbeddings)
        // A search that failed is seen, too, and not billed: where the provider counts, its count.
        if report.usage.webSearches == nil, webSearches > 0 {
            report.usage.webSearches = webSearches
        }
        report.usage.servedModel = model
        report.usage.servedTier = tier ?? report.usage.servedTier
        return report
    }

    func reading() -> CallReading {
        let report = report
        var hasWholeUsage = isUsageFinal && report?.usage.inputTokens != nil
        if dialect != .openAIEmbeddings && report?.usage.outputTokens == nil {
            hasWholeUsage = false
        }
        let outcome: CallOutcome =
            if let error {
                .providerError(error)
            } else if isPending {
                .pending
            } else if isComplete {
                hasWholeUsage ? .completeWithUsage : .completeWithoutUsage
            } else {
                .cut
            }
        var reading = CallReading(outcome: outcome)
        reading.hasFirstToken = hasFirstToken
        reading.report = report
        reading.isUsageFinal = hasWholeUsage
        reading.output = output
        reading.finishReason = finishReason
        reading.responseID = responseID
        reading.servedModel = model
        reading.servedTier = report?.usage.servedTier ?? tier
        reading.webSearches = webSearches
        return reading
    }

    /// Some servers end a chat without its `[DONE]`: what they finished is finished.
    private var isComplete: Bool { isFinished || (choices > 0 && finishedChoices >= choices) }
}

extension OutputSizes.Size {
    mutating func add(_ text: UnsafeRawBufferPointer) {
        bytes += Int64(text.count)
        // Every byte of UTF-8 but a continuation begins a code point.
        var continuations = 0
        for byte in text where byte & 0xC0 == 0x80 { continuations &+= 1 }
        characters += Int64(text.count - continuations)
        pieces += 1
    }
}
