import Billing
import Money
import Pricing
import Testing

struct UnitFallbackTests {
    /// What a thousand units of one kind cost, in millionths of a dollar, and the marks.
    private func price(
        _ model: PriceEntry, tier: String? = nil, _ fill: (inout ReportedUsage) -> Void
    ) throws -> (micros: Int64, marks: [RatingMark]) {
        var call = usage(fill)
        call.servedTier = tier
        let rated = try Rating.rate(call, terms: terms(model))
        return (rated.cost.nanos / 1_000, rated.marks)
    }

    // No cache price means ordinary input; no reasoning price means output; images count as prompt
    // tokens. That is what publishing no price says, so nothing is marked.
    @Test func ordinaryFallbacksAreNotMarked() throws {
        let model = try entry("m", ["input": "2", "output": "10"])
        var result = try price(model) {
            $0.inputTokens = 1_000
            $0.cachedInputTokens = 1_000
        }
        #expect(result == (2_000, []))
        result = try price(model) { $0.cacheWriteTokens = 1_000 }
        #expect(result == (2_000, []))
        result = try price(model) { $0.cacheWrite1hTokens = 1_000 }
        #expect(result == (2_000, []))
        result = try price(model) { $0.inputImageTokens = 1_000 }
        #expect(result == (2_000, []))
        result = try price(model) { $0.reasoningTokens = 1_000 }
        #expect(result == (10_000, []))
    }

    // Long-lived cache writes without a price of their own take that of the next shorter ones,
    // marked: the real one is likely higher.
    @Test func longCacheWritesTakeTheShorterOnesRate() throws {
        let model = try entry("m", ["input": "2", "cache_write_5m": "2.5", "output": "10"])
        #expect(try price(model) { $0.cacheWrite1hTokens = 1_000 } == (2_500, [.unitFallback]))
        #expect(try price(model) { $0.cacheWrite12hTokens = 1_000 } == (2_500, [.unitFallback]))
        let hour = try entry(
            "m", ["input": "2", "cache_write_5m": "2.5", "cache_write_1h": "4", "output": "10"])
        #expect(try price(hour) { $0.cacheWrite12hTokens = 1_000 } == (4_000, [.unitFallback]))
        #expect(try price(hour) { $0.cacheWrite1hTokens = 1_000 } == (4_000, []))
    }

    // Audio and generated images at text rates are marked.
    @Test func audioAtTextRatesIsMarked() throws {
        let model = try entry("m", ["input": "2", "cache_read": "1", "output": "10"])
        #expect(try price(model) { $0.inputAudioTokens = 1_000 } == (2_000, [.unitFallback]))
        #expect(try price(model) { $0.cachedInputAudioTokens = 1_000 } == (1_000, [.unitFallback]))
        #expect(try price(model) { $0.outputAudioTokens = 1_000 } == (10_000, [.unitFallback]))
        #expect(try price(model) { $0.outputImageTokens = 1_000 } == (10_000, [.unitFallback]))
    }

    // A tier that lacks a unit takes the standard tier's rate of the unit, marked.
    @Test func tiersWithoutAUnitTakeTheStandardRate() throws {
        let model = try entry(
            "m", ["input": "2", "cache_read": "0.5", "output": "10", "input@batch": "1"])
        let cached: (inout ReportedUsage) -> Void = {
            $0.inputTokens = 1_000
            $0.cachedInputTokens = 1_000
        }
        #expect(try price(model, tier: "batch", cached) == (500, [.servedTierUnpriced]))
    }

    // Where standard prices reasoning just as output, a tier's output rate is its reasoning rate:
    // otherwise a batch would pay for its thoughts double.
    @Test func tiersKeepUnitsTogetherThatStandardKeepsTogether() throws {
        let model = try entry(
            "m", ["input": "2", "output": "10", "reasoning": "10", "output@batch": "5"])
        #expect(
            try price(model, tier: "batch") { $0.reasoningTokens = 1_000 } == (5_000, []))
        let apart = try entry(
            "m", ["input": "2", "output": "10", "reasoning": "12", "output@batch": "5"])
        #expect(
            try price(apart, tier: "batch") { $0.reasoningTokens = 1_000 }
                == (12_000, [.servedTierUnpriced]))
    }

    // A unit that has a price somewhere in the entry is never free: the dearest there is stands in.
    @Test func neverSkippedNeverZero() throws {
        let priorityOnly = try entry(
            "m", ["input@priority": "1.2", "output@priority": "4", "input@flex": "0.6"])
        #expect(
            try price(priorityOnly) { $0.inputTokens = 1_000 } == (1_200, [.servedTierUnpriced]))
        let onlyAbove = try entry("m", ["input": "2", "output>1000": "10", "output>5000": "20"])
        #expect(
            try price(onlyAbove) { $0.outputTokens = 1_000 } == (20_000, [.servedTierUnpriced]))
        let embedding = try entry("m", mode: "embedding", ["input": "2"])
        #expect(try price(embedding) { $0.outputTokens = 1_000 } == (2_000, [.unitFallback]))
    }

    // A model priced by the call alone has free tokens; that is marked, too.
    @Test func callsPricedAsAWhole() throws {
        let model = try entry("m", ["request": "5000"])
        let result = try price(model) { $0.inputTokens = 1_000 }
        #expect(result == (5_000, [.unitUnpriced]))
    }

    // The highest threshold that the prompt passes is found for each unit by itself.
    @Test func thresholdsAreFoundForEachUnit() throws {
        let model = try entry(
            "m", ["input": "2", "input>100": "4", "input>1000": "3", "output": "10"])
        #expect(try price(model) { $0.inputTokens = 100 }.micros == 200)
        #expect(try price(model) { $0.inputTokens = 1_000 }.micros == 4_000)
        #expect(try price(model) { $0.inputTokens = 2_000 }.micros == 6_000)
        let output = try price(model) {
            $0.inputTokens = 2_000
            $0.outputTokens = 100
        }
        #expect(output.micros == 7_000)
    }
}
