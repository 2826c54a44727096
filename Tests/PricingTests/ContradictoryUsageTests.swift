import Billing
import Money
import Pricing
import Testing

struct ContradictoryUsageTests {
    private let model = ["input": "2", "cache_read": "0.5", "output": "10"]

    // More cached than input: either all 100 are input (200) or 900 are cached (450). The dearer.
    @Test func moreCachedThanInput() throws {
        let rated = try Rating.rate(
            usage {
                $0.inputTokens = 100
                $0.cachedInputTokens = 900
            }, terms: terms(try entry("m", model)))
        #expect(rated.counts == counts([.cacheRead: 900]))
        #expect(rated.cost == Money(nanos: 450_000))
        #expect(rated.marks == [.contradictoryUsage])
    }

    // Slightly more cached than input: the plain reading is the dearer one here.
    @Test func slightlyMoreCachedThanInput() throws {
        let rated = try Rating.rate(
            usage {
                $0.inputTokens = 100
                $0.cachedInputTokens = 101
            }, terms: terms(try entry("m", model)))
        #expect(rated.counts == counts([.input: 100]))
        #expect(rated.cost == Money(nanos: 200_000))
        #expect(rated.marks == [.contradictoryUsage])
    }

    // More reasoning than output.
    @Test func moreReasoningThanOutput() throws {
        let rated = try Rating.rate(
            usage {
                $0.inputTokens = 0
                $0.outputTokens = 10
                $0.reasoningTokens = 30
            }, terms: terms(try entry("m", model)))
        #expect(rated.counts == counts([.reasoning: 30]))
        #expect(rated.cost == Money(nanos: 300_000))
        #expect(rated.marks == [.contradictoryUsage])
    }

    // Which reading of the prompt is dearer may hang on the output, by the threshold it passes.
    @Test func readingsAreComparedAsWholeRequests() throws {
        let model = try entry(
            "m", ["input": "2", "cache_read": "0", "output": "10", "output>500": "20"])
        let rated = try Rating.rate(
            usage {
                $0.inputTokens = 400
                $0.cachedInputTokens = 900
                $0.outputTokens = 1_000
            }, terms: terms(model))
        #expect(rated.counts == counts([.cacheRead: 900, .output: 1_000]))
        #expect(rated.cost == Money(nanos: 20_000_000))
    }

    // Cached audio is part of the cached and of the audio tokens; more of it than of either is a
    // contradiction.
    @Test func cachedAudioBelongsToBoth() throws {
        let model = try entry(
            "m",
            [
                "input": "2", "cache_read": "0.5", "input_audio": "8", "cache_read_audio": "1",
                "output": "10",
            ])
        let rated = try Rating.rate(
            usage {
                $0.inputTokens = 1_000
                $0.cachedInputTokens = 500
                $0.inputAudioTokens = 300
                $0.cachedInputAudioTokens = 100
            }, terms: terms(model))
        #expect(
            rated.counts
                == counts([.input: 300, .cacheRead: 400, .inputAudio: 200, .cacheReadAudio: 100]))
        #expect(rated.marks == [])

        let broken = try Rating.rate(
            usage {
                $0.inputTokens = 1_000
                $0.cachedInputTokens = 50
                $0.cachedInputAudioTokens = 100
            }, terms: terms(model))
        #expect(broken.counts == counts([.input: 900, .cacheReadAudio: 100]))
        #expect(broken.marks == [.contradictoryUsage])
    }

    // Totals that were not reported are the sums of their parts: nothing contradicts them.
    @Test func absentTotalsAreSums() throws {
        let rated = try Rating.rate(
            usage {
                $0.cachedInputTokens = 70
                $0.cacheWriteTokens = 30
                $0.reasoningTokens = 5
            }, terms: terms(try entry("m", model)))
        #expect(rated.counts == counts([.cacheRead: 70, .cacheWrite5m: 30, .reasoning: 5]))
        #expect(rated.marks == [])
    }

    // Normalising alone gives the counts and the one mark that belongs to them.
    @Test func normalizes() throws {
        let result = try Rating.normalize(
            usage {
                $0.inputTokens = 100
                $0.cachedInputTokens = 900
                $0.servedTier = "unheard-of"
            }, terms: terms(try entry("m", model)))
        #expect(result.counts == counts([.cacheRead: 900]))
        #expect(result.marks == [.contradictoryUsage])
    }

    // Of two readings the dearer is charged, whatever the figures.
    @Test func theDearerReadingIsCharged() throws {
        var random = SplitMix64(seed: 21)
        for _ in 0..<500 {
            let model = try entry(
                "m",
                [
                    "input": "\(random.int(0...9))", "cache_read": "\(random.int(0...9))",
                    "output": "1",
                ])
            let total = random.int(0...1_000)
            let cached = total + random.int(1...1_000)
            let rated = try Rating.rate(
                usage {
                    $0.inputTokens = total
                    $0.cachedInputTokens = cached
                }, terms: terms(model))
            let asInput = try Rating.rate(usage { $0.inputTokens = total }, terms: terms(model))
            let asCached = try Rating.rate(
                usage { $0.cachedInputTokens = cached }, terms: terms(model))
            #expect(rated.cost == max(asInput.cost, asCached.cost))
            #expect(rated.marks == [.contradictoryUsage])
        }
    }
}
