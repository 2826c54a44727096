// From usage as reported to disjoint counts.
//
// `ReportedUsage` counts inclusively: `inputTokens` is the whole prompt, and the cached,
// cache-written, audio and image tokens are parts of it; cached audio is part of both the cached
// and the audio tokens. `outputTokens` is the whole completion with its reasoning, audio and image
// parts. The three cache write counts (five minutes, one hour, twelve hours) exclude one another. A
// total that is absent is the sum of its parts.
//
// Parts that add up to more than their total contradict it. Then there are two readings: the parts
// are right and the total is their sum, or the total is right and of the plainest unit. The dearer
// one is charged. A third, that the total excludes the parts, is not considered: the convention is
// stated, and guessing another one charges cached prompts twice.

import Billing
import Money

/// Counts that usage may mean; more than one only where it contradicts itself.
struct UsageReadings {
    var inputs: [UsageCounts]
    var outputs: [UsageCounts]
    var isContradictory: Bool
    var webSearches: Int64

    /// More of anything than this in one call is not usage but a mistake; it also keeps every sum
    /// and product in range.
    static let maxCount: Int64 = 1 << 40

    /// - Throws: `.overflow` for a count below zero or above `maxCount`.
    init(_ usage: ReportedUsage) throws(MoneyError) {
        try Self.check(usage)
        isContradictory = false

        let audioRead = usage.cachedInputAudioTokens ?? 0
        let audio = usage.inputAudioTokens ?? audioRead
        let cached = usage.cachedInputTokens ?? audioRead
        if audioRead > audio || audioRead > cached { isContradictory = true }
        var input = UsageCounts()
        input[.cacheReadAudio] = audioRead
        input[.cacheRead] = max(0, cached - audioRead)
        input[.inputAudio] = max(0, audio - audioRead)
        input[.cacheWrite5m] = usage.cacheWriteTokens ?? 0
        input[.cacheWrite1h] = usage.cacheWrite1hTokens ?? 0
        input[.cacheWrite12h] = usage.cacheWrite12hTokens ?? 0
        input[.inputImage] = usage.inputImageTokens ?? 0
        inputs = Self.readings(total: usage.inputTokens, parts: input, rest: .input)

        var output = UsageCounts()
        output[.reasoning] = usage.reasoningTokens ?? 0
        output[.outputAudio] = usage.outputAudioTokens ?? 0
        output[.outputImage] = usage.outputImageTokens ?? 0
        outputs = Self.readings(total: usage.outputTokens, parts: output, rest: .output)

        webSearches = usage.webSearches ?? 0
        if inputs.count > 1 || outputs.count > 1 { isContradictory = true }
    }

    /// One reading of the prompt and one of the completion, put together.
    func counts(input: UsageCounts, output: UsageCounts) -> UsageCounts {
        // Every output unit comes after every input unit in line order, and web searches last.
        var lines = input.lines + output.lines
        if webSearches != 0 { lines.append(.init(unit: .webSearch, count: webSearches)) }
        return UsageCounts(sortedLines: lines)
    }

    private static func check(_ usage: ReportedUsage) throws(MoneyError) {
        let counts = [
            usage.inputTokens, usage.cachedInputTokens, usage.cacheWriteTokens,
            usage.cacheWrite1hTokens, usage.cacheWrite12hTokens, usage.inputAudioTokens,
            usage.inputImageTokens, usage.cachedInputAudioTokens, usage.outputTokens,
            usage.reasoningTokens, usage.outputAudioTokens, usage.outputImageTokens,
            usage.webSearches,
        ]
        for case let count? in counts where !(0...maxCount).contains(count) { throw .overflow }
    }

    private static func readings(
        total: Int64?, parts: UsageCounts, rest: UsageUnit
    ) -> [UsageCounts] {
        let sum = parts.totalTokens
        guard let total, total != sum else { return [parts] }
        if total > sum {
            var whole = parts
            whole[rest] = total - sum
            return [whole]
        }
        var plain = UsageCounts()
        plain[rest] = total
        return [parts, plain]
    }
}
