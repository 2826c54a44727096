import Billing
import Money
import Pricing
import Testing

struct RatingTests {
    // Every unit has its own rate, units do not overlap, and the sum is rounded once.
    @Test func sumsDisjointUnits() throws {
        let model = try entry(
            "m", ["input": "2", "cache_read": "0.5", "cache_write_5m": "3", "output": "10"])
        let rated = try Rating.rate(
            usage {
                $0.inputTokens = 1_000
                $0.cachedInputTokens = 600
                $0.cacheWriteTokens = 100
                $0.outputTokens = 50
                $0.reasoningTokens = 20
            }, terms: terms(model))
        #expect(
            rated.counts
                == counts([
                    .input: 300, .cacheRead: 600, .cacheWrite5m: 100, .output: 30, .reasoning: 20,
                ]))
        // 300 × 2 + 600 × 0.5 + 100 × 3 + 50 × 10, in millionths of a dollar.
        #expect(rated.cost == Money(nanos: 1_700_000))
        #expect(rated.charge == rated.cost)
        #expect(rated.marks == [])
        #expect(rated.price?.entry == "m")
    }

    // D7, C13: a Gemini prompt of 10,000 of which 9,000 were cached is 1,000 fresh and 9,000
    // cached, never 10,000 and 9,000; thoughts are output.
    @Test func d7_cachedTokensAreNotCountedTwice() throws {
        let rated = try Rating.rate(
            usage {
                $0.inputTokens = 10_000
                $0.cachedInputTokens = 9_000
                $0.outputTokens = 1_500
                $0.reasoningTokens = 1_000
            }, terms: try builtInTerms("gemini-2.5-pro"))
        #expect(rated.counts[.input] == 1_000)
        #expect(rated.counts[.cacheRead] == 9_000)
        #expect(rated.counts.promptTokens == 10_000)
        // 1,000 × 1.25 + 9,000 × 0.125 + 1,500 × 10.
        #expect(rated.cost == Money(nanos: 17_375_000))
    }

    // C14: tokens written to the cache are charged as writes, and not as input as well.
    @Test func c14_cacheWritesAreNotChargedTwice() throws {
        let rated = try Rating.rate(
            usage {
                $0.inputTokens = 10_000
                $0.cacheWriteTokens = 8_000
                $0.cacheWrite1hTokens = 1_000
                $0.outputTokens = 0
            }, terms: try builtInTerms("claude-opus-5"))
        #expect(
            rated.counts == counts([.input: 1_000, .cacheWrite5m: 8_000, .cacheWrite1h: 1_000]))
        // 1,000 × 5 + 8,000 × 6.25 + 1,000 × 10.
        #expect(rated.cost == Money(nanos: 65_000_000))
        #expect(rated.marks == [])
    }

    // D8, C21: above the threshold on the whole prompt, cache included, all tokens get the
    // long-context rates, output too.
    @Test func d8_longContextRepricesTheWholeRequest() throws {
        let rated = try Rating.rate(
            usage {
                $0.inputTokens = 280_000
                $0.cachedInputTokens = 275_000
                $0.outputTokens = 1_000
            }, terms: try builtInTerms("gpt-5.5"))
        // 5,000 × 10 + 275,000 × 1 + 1,000 × 45.
        #expect(rated.cost == Money(nanos: 370_000_000))
        #expect(rated.abovePromptTokens == 272_000)
    }

    // The threshold itself still has the lower rates: strictly greater counts.
    @Test(
        arguments: [
            (271_999, 1_359_995_000, 0), (272_000, 1_360_000_000, 0),
            (272_001, 2_720_010_000, 272_000),
        ] as [(Int64, Int64, Int64)])
    func c21_theThresholdIsExclusive(prompt: Int64, nanos: Int64, above: Int64) throws {
        let rated = try Rating.rate(
            usage { $0.inputTokens = prompt }, terms: try builtInTerms("gpt-5.5"))
        #expect(rated.cost == Money(nanos: nanos))
        #expect(rated.abovePromptTokens == above)
    }

    // D9: priority asked and default served is charged at the standard price; what counts is the
    // tier that answered.
    @Test(
        arguments: [
            (nil, 5_000_000, .standard), ("default", 5_000_000, .standard),
            ("auto", 5_000_000, .standard), ("priority", 12_500_000, .priority),
            ("flex", 2_500_000, .flex), ("batch", 2_500_000, .batch),
            ("Priority", 12_500_000, .priority),
        ] as [(String?, Int64, ServiceTier)])
    func d9_theServedTierIsCharged(tier: String?, nanos: Int64, rated: ServiceTier) throws {
        let result = try Rating.rate(
            usage {
                $0.inputTokens = 1_000
                $0.servedTier = tier
            }, terms: try builtInTerms("gpt-5.5"))
        #expect(result.cost == Money(nanos: nanos))
        #expect(result.tier == rated)
        #expect(result.marks == [])
    }

    // A served tier that the entry, or nobody, prices is charged at standard and marked.
    @Test(arguments: ["priority", "scale", "ultrafast"])
    func unpricedTiersAreStandardAndMarked(tier: String) throws {
        let model = try entry("m", ["input": "2", "output": "10", "input@batch": "1"])
        let rated = try Rating.rate(
            usage {
                $0.inputTokens = 1_000
                $0.servedTier = tier
            }, terms: terms(model))
        #expect(rated.cost == Money(nanos: 2_000_000))
        #expect(rated.tier == .standard)
        #expect(rated.marks == [.servedTierUnpriced])
    }

    // D10: explicit zero usage costs nothing, also where a call has a fee of its own.
    @Test func d10_explicitZeroIsZero() throws {
        let model = try entry("m", ["input": "2", "output": "10", "request": "5000"])
        let zero = usage {
            $0.inputTokens = 0
            $0.outputTokens = 0
        }
        #expect(!zero.isMissing)
        let rated = try Rating.rate(zero, terms: terms(model))
        #expect(rated.cost == .zero && rated.charge == .zero)
        #expect(rated.counts == UsageCounts())
        #expect(rated.marks == [])
    }

    // A fee for the call is due once when anything was used, and stands among the counts.
    @Test func requestFeesAreDueOnce() throws {
        let model = try entry("m", ["input": "2", "output": "10", "request": "5000"])
        let rated = try Rating.rate(usage { $0.outputTokens = 1 }, terms: terms(model))
        #expect(rated.counts == counts([.output: 1, .request: 1]))
        #expect(rated.cost == Money(nanos: 5_010_000))
    }

    // Web searches are a fee; where the entry has none they are zero and marked, not forgotten.
    @Test func webSearchesAreFees() throws {
        let searching = usage {
            $0.inputTokens = 1_000
            $0.webSearches = 3
            $0.servedTier = "flex"
        }
        let rated = try Rating.rate(searching, terms: try builtInTerms("gpt-5.5"))
        #expect(rated.cost == Money(nanos: 2_500_000 + 30_000_000))
        #expect(rated.marks == [])

        let plain = try entry("m", ["input": "2", "output": "10", "input@flex": "1"])
        let unpriced = try Rating.rate(searching, terms: terms(plain))
        #expect(unpriced.cost == Money(nanos: 1_000_000))
        #expect(unpriced.marks == [.unitUnpriced])
    }

    // Cost and charge are rounded once each, from the exact sum: the markup comes before the
    // rounding.
    @Test func markupComesBeforeTheRounding() throws {
        // One token costs 0.4 nano; with 50 % on it, 0.6.
        let model = try entry("m", ["input": "0.0004", "output": "1"])
        let rated = try Rating.rate(
            usage { $0.inputTokens = 1 }, terms: terms(model, markup: 500_000))
        #expect(rated.cost == .zero)
        #expect(rated.charge == Money(nanos: 1))
    }

    // A markup may be a discount down to nothing, and no further.
    @Test func discountsEndAtNothing() throws {
        let model = try entry("m", ["input": "2", "output": "10"])
        let call = usage { $0.inputTokens = 1_000 }
        let half = try Rating.rate(call, terms: terms(model, markup: -500_000))
        #expect(half.charge == Money(nanos: 1_000_000))
        let free = try Rating.rate(call, terms: terms(model, markup: -1_000_000))
        #expect(free.charge == .zero && free.cost == Money(nanos: 2_000_000))
        #expect(throws: MoneyError.overflow) {
            try Rating.rate(call, terms: terms(model, markup: -1_000_001))
        }
        #expect(throws: MoneyError.overflow) {
            try Rating.rate(call, terms: terms(model, markup: .max))
        }
    }

    // A rate card makes the charge from the same counts, at its own rates and without the markup.
    @Test func rateCardsMakeTheCharge() throws {
        let model = try entry("m", ["input": "2", "cache_read": "0.5", "output": "10"])
        let card = try entry("m", card: "gold", ["input": "3", "output": "12"])
        let rated = try Rating.rate(
            usage {
                $0.inputTokens = 1_000
                $0.cachedInputTokens = 400
                $0.outputTokens = 100
            }, terms: terms(model, card: card, markup: 900_000))
        #expect(rated.cost == Money(nanos: 2_400_000))
        // The card has no cache price: cached tokens are input there.
        #expect(rated.charge == Money(nanos: 4_200_000))
        #expect(rated.cardPrice?.card == "gold")
        #expect(rated.marks == [])
    }

    // Counts out of range are refused, not summed.
    @Test(arguments: [-1, (1 << 40) + 1, .max, .min] as [Int64])
    func refusesCountsOutOfRange(count: Int64) throws {
        let model = terms(try entry("m", ["input": "2", "output": "10"]))
        #expect(throws: MoneyError.overflow) {
            try Rating.rate(usage { $0.inputTokens = count }, terms: model)
        }
        #expect(throws: MoneyError.overflow) {
            try Rating.rate(usage { $0.webSearches = count }, terms: model)
        }
    }

    // Money that does not fit is an error, whatever the entry says.
    @Test func refusesMoneyOutOfRange() throws {
        let model = try entry("m", ["input": "1000000000", "output": "1"])
        #expect(throws: MoneyError.overflow) {
            try Rating.rate(usage { $0.inputTokens = 1 << 40 }, terms: terms(model))
        }
    }

    // A settlement by amount is its own cost, and the charge has the markup.
    @Test func amountsAreCosts() throws {
        let rated = try Rating.amount(Money(nanos: 1_000_001), markupPartsPerMillion: 500_000)
        #expect(rated.cost == Money(nanos: 1_000_001))
        #expect(rated.charge == Money(nanos: 1_500_002))
        #expect(rated.price == nil && rated.counts == UsageCounts())
    }

    // Where an entry prices all units at all tiers and bands, cost is plainly Σ rate × count:
    // checked against a table kept apart.
    @Test func agreesWithANaiveSum() throws {
        var random = SplitMix64(seed: 11)
        let units: [UsageUnit] = [.input, .cacheRead, .cacheWrite5m, .output, .reasoning]
        for _ in 0..<500 {
            var table: [UsageUnit: [(above: Int64, picos: Int64)]] = [:]
            var model = PriceEntry(model: "m", mode: "chat")
            for unit in units {
                for above in [0, 1_000, 5_000] as [Int64] {
                    let picos = random.int(0...90_000_000)
                    table[unit, default: []].append((above, picos))
                    model.rates.append(
                        PriceRate(unit: unit, abovePromptTokens: above, rate: Rate(picos: picos)))
                }
            }
            let input = random.int(0...9_000)
            let cached = random.int(0...input)
            let written = random.int(0...(input - cached))
            let output = random.int(0...9_000)
            let reasoning = random.int(0...output)
            let rated = try Rating.rate(
                usage {
                    $0.inputTokens = input
                    $0.cachedInputTokens = cached
                    $0.cacheWriteTokens = written
                    $0.outputTokens = output
                    $0.reasoningTokens = reasoning
                }, terms: terms(try model.checked()))
            let band = input > 5_000 ? 2 : input > 1_000 ? 1 : 0
            let amounts = [
                input - cached - written, cached, written, output - reasoning, reasoning,
            ]
            var sum: Int128 = 0
            for (unit, amount) in zip(units, amounts) {
                sum += Int128(table[unit]?[band].picos ?? 0) * Int128(amount)
            }
            #expect(Int128(rated.cost.nanos) == roundedHalfToEven(sum, dividedBy: 1_000))
        }
    }
}
