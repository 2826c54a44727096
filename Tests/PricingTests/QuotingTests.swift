import Billing
import Money
import Pricing
import Testing

struct QuotingTests {
    private func bound(_ estimate: UsageEstimate, _ terms: RatingTerms) throws -> Money {
        let quote = try Quoting.quote(estimate, terms: terms)
        return try quote.boundCost.amount(outputTokens: quote.maxOutputTokens)
    }

    // A7: a prompt that passes the long-context threshold is held at the long-context rates.
    @Test func a7_theBoundUsesLongContextRates() throws {
        let estimate = UsageEstimate(inputTokens: 300_000, maxOutputTokens: 10_000)
        // 300,000 × 10 + 10,000 × 45.
        #expect(try bound(estimate, try builtInTerms("gpt-5.5")) == Money(nanos: 3_450_000_000))
    }

    // A7: a tier that may be served and is dearer makes the bound.
    @Test(
        arguments: [
            (nil, 5_000_000, .standard), (.standard, 5_000_000, .standard),
            (.auto, 12_500_000, .priority), (.priority, 12_500_000, .priority),
            (.flex, 5_000_000, .standard), (.batch, 2_500_000, .batch),
        ] as [(UsageEstimate.RequestedTier?, Int64, ServiceTier)])
    func a7_theBoundUsesTheDearestTier(
        asked: UsageEstimate.RequestedTier?, nanos: Int64, tier: ServiceTier
    ) throws {
        let estimate = UsageEstimate(inputTokens: 1_000, maxOutputTokens: 0, serviceTier: asked)
        let quote = try Quoting.quote(estimate, terms: try builtInTerms("gpt-5.5"))
        #expect(try quote.boundCost.amount(outputTokens: 0) == Money(nanos: nanos))
        #expect(quote.tier == tier)
    }

    // The expected figure is at the tier asked for, with the caller's split and output.
    @Test func expectedFollowsTheCaller() throws {
        let estimate = UsageEstimate(
            inputTokens: 1_000, cachedInputTokens: 800, maxOutputTokens: 500,
            expectedOutputTokens: 100, serviceTier: .priority)
        let quote = try Quoting.quote(estimate, terms: try builtInTerms("gpt-5.5"))
        #expect(quote.expectedOutputTokens == 100)
        // 200 × 12.5 + 800 × 1.25 + 100 × 75.
        #expect(try quote.expectedCost.amount(outputTokens: 100) == Money(nanos: 11_000_000))
        // All as fresh input: 1,000 × 12.5 + 500 × 75.
        #expect(try quote.boundCost.amount(outputTokens: 500) == Money(nanos: 50_000_000))
    }

    // Expected output is the cap when not stated, and never above it; parts never exceed the
    // prompt.
    @Test func expectedIsClipped() throws {
        let model = terms(
            try entry(
                "m", ["input": "2", "cache_read": "1", "cache_write_5m": "3", "output": "10"]))
        var estimate = UsageEstimate(inputTokens: 100, maxOutputTokens: 50)
        #expect(try Quoting.quote(estimate, terms: model).expectedOutputTokens == 50)
        estimate.expectedOutputTokens = 70
        estimate.cachedInputTokens = 80
        estimate.cacheWriteTokens = 80
        let quote = try Quoting.quote(estimate, terms: model)
        #expect(quote.expectedOutputTokens == 50)
        // 80 cached, 20 written, none left as input.
        #expect(try quote.expectedCost.amount(outputTokens: 0) == Money(nanos: 140_000))
    }

    // Cache writes count in the bound where the call may write: when it says so, or when it says
    // nothing and the provider writes by itself.
    @Test(
        arguments: [
            ("openai", nil, 2_500), ("openai", 0, 2_000), ("openai", 1, 2_500),
            ("anthropic", nil, 2_000), ("anthropic", 0, 2_000), ("anthropic", 1, 2_500),
            ("bedrock_converse", nil, 2_000), ("", nil, 2_500),
        ] as [(String, Int64?, Int64)])
    func cacheWritesInTheBound(provider: String, writes: Int64?, micros: Int64) throws {
        let model = try entry(
            "m", provider: provider, ["input": "2", "cache_write_5m": "2.5", "output": "10"])
        let estimate = UsageEstimate(
            inputTokens: 1_000, cacheWriteTokens: writes, maxOutputTokens: 0)
        #expect(try bound(estimate, terms(model)) == Money(nanos: micros * 1_000))
    }

    // A cache price above the input price (there are such models) makes the bound.
    @Test func theBoundIsNeverBelowCacheReads() throws {
        let model = try entry("m", ["input": "2", "cache_read": "3", "output": "10"])
        let estimate = UsageEstimate(inputTokens: 1_000, maxOutputTokens: 0)
        #expect(try bound(estimate, terms(model)) == Money(nanos: 3_000_000))
    }

    // A smaller prompt may be the dearer one: the bound looks at all bands up to the prompt's size.
    @Test func theBoundLooksAtLowerBands() throws {
        let model = try entry("m", ["input": "9", "input>500": "2", "output": "10"])
        let estimate = UsageEstimate(inputTokens: 1_000, maxOutputTokens: 0)
        #expect(try bound(estimate, terms(model)) == Money(nanos: 9_000_000))
    }

    // Completions multiply the output; searches, fees and multipliers are in both figures.
    @Test func completionsFeesAndMultipliers() throws {
        let model = try entry(
            "m",
            [
                "input": "2", "output": "10", "reasoning": "12", "web_search": "10000",
                "request": "1000",
            ],
            multipliers: ["region=us": 1_100_000])
        let estimate = UsageEstimate(
            inputTokens: 1_000, maxOutputTokens: 100, completions: 3, webSearches: 2,
            attributes: ["region=us"])
        let quote = try Quoting.quote(estimate, terms: terms(model, markup: 1_000_000))
        // (1,000 × 2 + 300 × 12 + 2 × 10,000 + 1,000) × 1.1
        #expect(try quote.boundCost.amount(outputTokens: 100) == Money(nanos: 29_260_000))
        #expect(try quote.boundCharge.amount(outputTokens: 100) == Money(nanos: 58_520_000))
        // (1,000 × 2 + 300 × 10 + 2 × 10,000 + 1,000) × 1.1
        #expect(try quote.expectedCost.amount(outputTokens: 100) == Money(nanos: 28_600_000))
        #expect(quote.completions == 3)
        #expect(quote.marks == [])
    }

    // The charge of a customer with a rate card is quoted at the card's rates.
    @Test func rateCardsAreQuoted() throws {
        let model = try entry("m", ["input": "2", "output": "10"])
        let card = try entry("m", card: "gold", ["input": "3", "output": "12"])
        let quote = try Quoting.quote(
            UsageEstimate(inputTokens: 1_000, maxOutputTokens: 100),
            terms: terms(model, card: card, markup: 900_000))
        #expect(try quote.boundCost.amount(outputTokens: 100) == Money(nanos: 3_000_000))
        #expect(try quote.boundCharge.amount(outputTokens: 100) == Money(nanos: 4_200_000))
        #expect(quote.cardPrice?.card == "gold" && quote.price?.card == "")
    }

    // Without a cap in the request the model's maximum is the cap; without that there is no bound.
    @Test func outputCaps() throws {
        let capped = try entry("m", maxOutput: 4_096, ["input": "2", "output": "10"])
        let uncapped = try entry("m", ["input": "2", "output": "10"])
        let embedding = try entry("m", mode: "embedding", maxOutput: 9, ["input": "2"])
        let open = UsageEstimate(inputTokens: 1_000)
        #expect(try Quoting.quote(open, terms: terms(capped)).maxOutputTokens == 4_096)
        #expect(throws: QuoteError.outputCapRequired(model: "m")) {
            try Quoting.quote(open, terms: terms(uncapped))
        }
        let quote = try Quoting.quote(open, terms: terms(embedding))
        #expect(quote.maxOutputTokens == 0)
        #expect(try quote.boundCost.amount(outputTokens: 0) == Money(nanos: 2_000_000))
    }

    // Counts out of range are refused, the output of all completions together too.
    @Test func refusesCountsOutOfRange() throws {
        let model = terms(try entry("m", ["input": "2", "output": "10"]))
        let estimates = [
            UsageEstimate(inputTokens: -1, maxOutputTokens: 1),
            UsageEstimate(inputTokens: .max, maxOutputTokens: 1),
            UsageEstimate(inputTokens: 1, maxOutputTokens: -1),
            UsageEstimate(inputTokens: 1, maxOutputTokens: 1 << 30, completions: 1 << 30),
            UsageEstimate(inputTokens: 1, maxOutputTokens: 1, webSearches: .min),
        ]
        for estimate in estimates {
            #expect(throws: QuoteError.overflow) { try Quoting.quote(estimate, terms: model) }
        }
    }

    // An amount is its own quote, whatever the output.
    @Test func amountQuotes() throws {
        let quote = try Quoting.quote(
            amount: Money(nanos: 1_000_001), markupPartsPerMillion: 500_000)
        #expect(quote.method == .amount && quote.price == nil)
        for line in [quote.boundCost, quote.expectedCost] {
            #expect(try line.amount(outputTokens: 0) == Money(nanos: 1_000_001))
            #expect(try line.amount(outputTokens: 9_999) == Money(nanos: 1_000_001))
        }
        for line in [quote.boundCharge, quote.expectedCharge] {
            #expect(try line.amount(outputTokens: 0) == Money(nanos: 1_500_002))
        }
        #expect(throws: QuoteError.overflow) {
            try Quoting.quote(amount: .zero, markupPartsPerMillion: -1_000_001)
        }
    }

    // A3: a model without a price is priced by the project's ceiling, and everything says so.
    @Test func a3_ceilingRates() throws {
        let ceiling = Quoting.ceilingTerms(
            model: "unheard-of", inputRate: Rate(picos: 50_000_000),
            outputRate: Rate(picos: 200_000_000), version: 7, markupPartsPerMillion: 100_000)
        let quote = try Quoting.quote(
            UsageEstimate(inputTokens: 1_000, maxOutputTokens: 100, serviceTier: .auto),
            terms: ceiling)
        #expect(quote.method == .ceiling)
        #expect(quote.marks == [.ceilingRate])
        #expect(quote.tier == .standard)
        #expect(try quote.boundCost.amount(outputTokens: 100) == Money(nanos: 70_000_000))
        #expect(quote.price?.card == Quoting.ceilingCard && quote.price?.bookVersion == 7)
        let rated = try Rating.rate(
            usage {
                $0.inputTokens = 1_000
                $0.outputTokens = 100
                $0.cachedInputTokens = 500
            }, terms: ceiling)
        #expect(rated.cost == Money(nanos: 70_000_000))
        #expect(rated.charge == Money(nanos: 77_000_000))
        #expect(rated.marks == [.ceilingRate])
        #expect(throws: QuoteError.outputCapRequired(model: "unheard-of")) {
            try Quoting.quote(UsageEstimate(inputTokens: 1), terms: ceiling)
        }
    }
}
