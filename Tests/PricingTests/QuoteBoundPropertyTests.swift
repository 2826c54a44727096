import Billing
import Money
import Pricing
import Testing

/// The promise of the bound: no usage within the estimate's counts costs or is charged more.
struct QuoteBoundPropertyTests {
    private static let attributes = ["region=us", "region=eu", "speed=fast", "odd=1"]

    private func randomEntry(
        _ random: inout SplitMix64, card: String = ""
    ) throws -> PriceEntry {
        let units: [UsageUnit] = [
            .input, .cacheRead, .cacheWrite5m, .cacheWrite1h, .cacheWrite12h, .inputAudio,
            .inputImage,
            .cacheReadAudio, .output, .reasoning, .outputAudio, .webSearch, .request,
        ]
        var model = PriceEntry(model: "m", card: card, mode: "chat")
        model.provider = random.one(in: 2) ? "anthropic" : "openai"
        for unit in units {
            for tier in ServiceTier.allCases {
                for above in [0, 100, 1_000, 5_000] as [Int64] where !random.one(in: 2) {
                    let picos = random.one(in: 3) ? 10_000_000 : random.int(0...99_999_999)
                    model.rates.append(
                        PriceRate(
                            unit: unit, tier: tier, abovePromptTokens: above,
                            rate: Rate(picos: picos)))
                }
            }
        }
        model.rates = model.rates.filter { $0.unit < .request || !random.one(in: 2) }
        let rare: [UsageUnit] = [
            .cacheWrite1h, .cacheWrite12h, .inputAudio, .inputImage, .cacheReadAudio,
            .outputAudio,
        ]
        for unit in rare where random.one(in: 2) { model.rates.removeAll { $0.unit == unit } }
        if !random.one(in: 3) { model.maxInputTokens = random.int(1...9_000) }
        for attribute in Self.attributes where random.one(in: 2) {
            model.multipliers.append(
                PriceMultiplier(attribute: attribute, partsPerMillion: random.int(1...3_000_000)))
        }
        for unit in [UsageUnit.input, .output]
        where !model.rates.contains(where: { $0.unit == unit }) {
            model.rates.append(PriceRate(unit: unit, rate: Rate(picos: 1)))
        }
        return try model.checked()
    }

    private func randomEstimate(_ random: inout SplitMix64) -> UsageEstimate {
        let input = random.int(0...8_000)
        let tiers = UsageEstimate.RequestedTier.allCases
        var estimate = UsageEstimate(
            inputTokens: input,
            maxInputTokens: random.one(in: 2) ? nil : random.int(0...20_000),
            cachedInputTokens: random.one(in: 2) ? nil : random.int(0...9_000),
            cacheWriteTokens: random.one(in: 2)
                ? nil : random.one(in: 2) ? 0 : random.int(0...9_000),
            maxOutputTokens: random.int(0...4_000),
            expectedOutputTokens: random.one(in: 2) ? nil : random.int(0...5_000),
            completions: random.one(in: 2) ? nil : random.int(1...4),
            webSearches: random.one(in: 2) ? nil : random.int(0...3),
            serviceTier: random.one(in: 5) ? nil : tiers[Int(random.int(0...4))],
            attributes: Self.attributes.filter { _ in random.one(in: 3) })
        func perhaps(_ range: ClosedRange<Int64>) -> Int64? {
            random.one(in: 2) ? nil : random.int(range)
        }
        estimate.cacheWrite1hTokens = perhaps(0...9_000)
        estimate.inputImageTokens = perhaps(0...3_000)
        estimate.maxInputImageTokens = perhaps(0...6_000)
        estimate.inputAudioTokens = perhaps(0...3_000)
        estimate.maxInputAudioTokens = perhaps(0...6_000)
        estimate.extraOutputTokens = perhaps(0...500)
        estimate.maxWebSearches = perhaps(0...5)
        estimate.mayOutputAudio = random.one(in: 3)
        return estimate
    }

    /// With a prompt that may grow at the provider, where the model's maximum is known.
    private func randomEstimate(
        of model: PriceEntry, _ random: inout SplitMix64
    ) -> UsageEstimate {
        var estimate = randomEstimate(&random)
        if model.maxInputTokens != nil, random.one(in: 3) {
            estimate.fullContexts = random.int(1...3)
        }
        return estimate
    }

    private func randomUsage(
        within estimate: UsageEstimate, of model: PriceEntry, _ random: inout SplitMix64
    ) -> ReportedUsage {
        let forAnHour = (estimate.cacheWrite1hTokens ?? 0) > 0
        let mayWrite =
            estimate.cacheWriteTokens.map { $0 > 0 } ?? (forAnHour || model.provider == "openai")
        let served: [String]
        switch estimate.serviceTier {
        case nil, .standard: served = ["standard", "default"]
        case .auto: served = ["default", "flex", "priority"]
        case .batch: served = ["batch"]
        case .flex: served = ["flex", "default"]
        case .priority: served = ["priority", "default"]
        }
        let most = max(
            estimate.inputTokens, estimate.maxInputTokens ?? 0,
            (estimate.fullContexts ?? 0) * (model.maxInputTokens ?? 0))
        let input = random.one(in: 2) ? most : random.int(0...most)
        let images = min(
            input,
            random.int(
                0...max(estimate.inputImageTokens ?? 0, estimate.maxInputImageTokens ?? 0)))
        let audio = min(
            input - images,
            random.int(
                0...max(estimate.inputAudioTokens ?? 0, estimate.maxInputAudioTokens ?? 0)))
        let cachedAudio = random.int(0...audio)
        let rest = input - images - audio
        let cached = random.int(0...rest)
        let written = mayWrite ? random.int(0...(rest - cached)) : 0
        // Of models that have such a price the provider may keep any of it for that long.
        let mayKeep = model.rates.contains { $0.unit == .cacheWrite12h }
        let half = mayKeep ? random.int(0...written) : 0
        let hour = forAnHour ? random.int(0...(rest - cached - written)) : 0
        let cap =
            ((estimate.maxOutputTokens ?? 0) + (estimate.extraOutputTokens ?? 0))
            * (estimate.completions ?? 1)
        let output = random.one(in: 2) ? cap : random.int(0...cap)
        let reasoning = random.int(0...output)
        let spoken = estimate.mayOutputAudio ? random.int(0...(output - reasoning)) : 0
        let searches = max(estimate.webSearches ?? 0, estimate.maxWebSearches ?? 0)
        return usage {
            $0.inputTokens = input
            $0.cachedInputTokens = cached + cachedAudio
            $0.cacheWriteTokens = written - half
            $0.cacheWrite12hTokens = half
            $0.cacheWrite1hTokens = hour
            $0.inputImageTokens = images
            $0.inputAudioTokens = audio
            $0.cachedInputAudioTokens = cachedAudio
            $0.outputTokens = output
            $0.reasoningTokens = reasoning
            $0.outputAudioTokens = spoken
            $0.webSearches = random.int(0...searches)
            $0.servedTier = served[Int(random.int(0...Int64(served.count - 1)))]
            $0.attributes = estimate.attributes
        }
    }

    // A7: never is a settled cost or charge above the bound of its own estimate.
    @Test func a7_noUsageWithinTheEstimatePassesTheBound() throws {
        var random = SplitMix64(seed: 31)
        for _ in 0..<600 {
            let model = try randomEntry(&random)
            let card = random.one(in: 2) ? try randomEntry(&random, card: "gold") : nil
            let terms = terms(model, card: card, markup: random.int(-1_000_000...2_000_000))
            let estimate = randomEstimate(of: model, &random)
            let quote = try Quoting.quote(estimate, terms: terms)
            let boundCost = try quote.boundCost.amount(outputTokens: quote.maxOutputTokens)
            let boundCharge = try quote.boundCharge.amount(outputTokens: quote.maxOutputTokens)
            for _ in 0..<8 {
                let call = randomUsage(within: estimate, of: model, &random)
                let rated = try Rating.rate(call, terms: terms)
                #expect(rated.cost <= boundCost, "\(call) of \(estimate) at \(model)")
                #expect(rated.charge <= boundCharge, "\(call) of \(estimate) at \(model)")
            }
        }
    }

    // At one tier and in one band the bound is not just safe but reached: by the call that uses all
    // of it in the dearest units.
    @Test func theBoundIsReached() throws {
        var random = SplitMix64(seed: 34)
        for _ in 0..<500 {
            let model = try entry(
                "m",
                [
                    "input": "\(random.int(0...99))", "cache_read": "\(random.int(0...99))",
                    "output": "\(random.int(0...99))", "reasoning": "\(random.int(0...99))",
                ])
            let (input, cap) = (random.int(0...8_000), random.int(0...4_000))
            let quote = try Quoting.quote(
                UsageEstimate(inputTokens: input, maxOutputTokens: cap), terms: terms(model))
            var dearest = Money.zero
            for cached in [0, input] {
                for reasoning in [0, cap] {
                    let call = usage {
                        $0.inputTokens = input
                        $0.cachedInputTokens = cached
                        $0.outputTokens = cap
                        $0.reasoningTokens = reasoning
                    }
                    dearest = max(dearest, try Rating.rate(call, terms: terms(model)).cost)
                }
            }
            #expect(try quote.boundCost.amount(outputTokens: cap) == dearest)
        }
    }

    // Expected is never above bound, in cost and charge.
    @Test func expectedIsAtMostTheBound() throws {
        var random = SplitMix64(seed: 32)
        for _ in 0..<600 {
            let model = try randomEntry(&random)
            let card = random.one(in: 2) ? try randomEntry(&random, card: "gold") : nil
            let quote = try Quoting.quote(
                randomEstimate(of: model, &random),
                terms: terms(model, card: card, markup: random.int(-1_000_000...2_000_000)))
            let (likely, most) = (quote.expectedOutputTokens, quote.maxOutputTokens)
            #expect(
                try quote.expectedCost.amount(outputTokens: likely)
                    <= quote.boundCost.amount(outputTokens: most))
            #expect(
                try quote.expectedCharge.amount(outputTokens: likely)
                    <= quote.boundCharge.amount(outputTokens: most))
        }
    }

    // A lower output cap gives the bound of that cap: the clamp may trust the line.
    @Test func theBoundIsALineOverTheCap() throws {
        var random = SplitMix64(seed: 33)
        for _ in 0..<500 {
            let model = try randomEntry(&random)
            let terms = terms(model, markup: random.int(0...2_000_000))
            var estimate = randomEstimate(&random)
            let quote = try Quoting.quote(estimate, terms: terms)
            guard let cap = estimate.maxOutputTokens, cap > 1 else { continue }
            let lower = random.int(1...cap)
            estimate.maxOutputTokens = lower
            let direct = try Quoting.quote(estimate, terms: terms)
            #expect(
                try quote.boundCharge.amount(outputTokens: lower)
                    == direct.boundCharge.amount(outputTokens: lower))
        }
    }
}
