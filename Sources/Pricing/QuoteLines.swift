import Billing
import Money

/// The counts of an estimate, checked and completed.
struct CallSizes {
    /// The expected prompt and the bound's.
    var input: Int64
    var maxInput: Int64
    /// Parts of `input`, together at most all of it.
    var cached: Int64
    var cacheWrites: Int64
    var cacheWrites1h: Int64
    var images: Int64
    var audio: Int64
    /// Parts of `maxInput`; each may be all of it.
    var maxImages: Int64
    var maxAudio: Int64
    var fullContexts: Int64
    /// Of one completion.
    var maxOutput: Int64
    var expectedOutput: Int64
    var extraOutput: Int64
    var mayOutputAudio: Bool
    var completions: Int64
    var webSearches: Int64
    var maxWebSearches: Int64

    init(_ estimate: UsageEstimate, entry: PriceEntry) throws(QuoteError) {
        try Self.check(estimate)
        input = estimate.inputTokens
        cached = min(estimate.cachedInputTokens ?? 0, input)
        cacheWrites = min(estimate.cacheWriteTokens ?? 0, input - cached)
        cacheWrites1h = min(estimate.cacheWrite1hTokens ?? 0, input - cached - cacheWrites)
        let others = cached + cacheWrites + cacheWrites1h
        audio = min(estimate.inputAudioTokens ?? 0, input - others)
        images = min(estimate.inputImageTokens ?? 0, input - others - audio)
        fullContexts = estimate.fullContexts ?? 0
        maxInput = max(input, estimate.maxInputTokens ?? 0)
        if fullContexts > 0 {
            maxInput = max(maxInput, try Self.size(of: fullContexts, entry))
        }
        maxAudio = max(estimate.maxInputAudioTokens ?? 0, estimate.inputAudioTokens ?? 0)
        maxImages = max(estimate.maxInputImageTokens ?? 0, estimate.inputImageTokens ?? 0)
        completions = estimate.completions ?? 1
        webSearches = estimate.webSearches ?? 0
        maxWebSearches = max(webSearches, estimate.maxWebSearches ?? 0)
        // Embeddings put nothing out; what some entries call their maximum output is the vector.
        let modelCap = entry.mode == "embedding" ? 0 : entry.maxOutputTokens
        guard let cap = estimate.maxOutputTokens ?? modelCap else {
            throw .outputCapRequired(model: entry.model)
        }
        maxOutput = cap
        expectedOutput = min(
            estimate.expectedOutputTokens ?? estimate.priorOutputTokens ?? cap, cap)
        extraOutput = estimate.extraOutputTokens ?? 0
        mayOutputAudio = estimate.mayOutputAudio
        let (total, overflow) = (maxOutput + extraOutput).multipliedReportingOverflow(
            by: completions)
        if overflow || total > UsageReadings.maxCount { throw .overflow }
    }

    private static func check(_ estimate: UsageEstimate) throws(QuoteError) {
        let given = [
            estimate.inputTokens, estimate.maxInputTokens, estimate.fullContexts,
            estimate.cachedInputTokens, estimate.cacheWriteTokens, estimate.cacheWrite1hTokens,
            estimate.inputImageTokens, estimate.maxInputImageTokens, estimate.inputAudioTokens,
            estimate.maxInputAudioTokens, estimate.maxOutputTokens, estimate.expectedOutputTokens,
            estimate.priorOutputTokens,
            estimate.extraOutputTokens, estimate.completions, estimate.webSearches,
            estimate.maxWebSearches,
        ]
        for case let count? in given where !(0...UsageReadings.maxCount).contains(count) {
            throw .overflow
        }
    }

    /// Tokens of so many prompts of the model's full size.
    private static func size(
        of contexts: Int64, _ entry: PriceEntry
    ) throws(QuoteError) -> Int64 {
        guard let usual = entry.maxInputTokens else {
            throw .inputMaximumRequired(model: entry.model)
        }
        // A model that has prices for larger prompts takes them, whatever its usual maximum.
        let priced = entry.rates.lazy.map(\.abovePromptTokens).max() ?? 0
        let largest = priced > 0 ? max(usual, priced + 1) : usual
        let (total, overflow) = contexts.multipliedReportingOverflow(by: largest)
        if overflow || !(0...UsageReadings.maxCount).contains(total) { throw .overflow }
        return total
    }
}

/// The two lines of one figure (cost, or charge) at one entry's prices.
struct LinePair {
    private(set) var bound: LinearPrice
    private(set) var expected: LinearPrice
    /// The tier whose bound is highest with all of the output.
    private(set) var tier: ServiceTier

    init(
        _ sizes: CallSizes, entry: PriceEntry, asked: UsageEstimate.RequestedTier,
        writes: CacheWrites, attributes: [String], marks: inout MarkSet
    ) throws(MoneyError) {
        let factor = try entry.factor(for: attributes, marks: &marks)
        tier = asked.tier
        var highest = TokenLine()
        var dearest = PicoSum(picos: -1)
        for served in asked.mayBeServed {
            let line = Self.dearestLine(sizes, entry: entry, tier: served, writes: writes)
            let atCap = line.amount(sizes.maxOutput)
            if atCap > dearest { (dearest, tier) = (atCap, served) }
            highest.base = max(highest.base, line.base)
            highest.perOutputToken = max(highest.perOutputToken, line.perOutputToken)
        }
        if !entry.prices(tier) { tier = .standard }
        bound = try highest.scaled(by: factor)
        expected = try Self.expectedLine(sizes, entry: entry, tier: asked.tier, marks: &marks)
            .scaled(by: factor)
    }

    /// The same lines with a markup on them.
    func marked(up partsPerMillion: Int64) throws(MoneyError) -> LinePair {
        let (parts, overflow) = partsPerMillion.addingReportingOverflow(1_000_000)
        if overflow || parts < 0 { throw .overflow }
        var pair = self
        pair.bound.partsPerMillion = parts
        pair.expected.partsPerMillion = parts
        return pair
    }

    /// A line before multipliers and markup.
    private struct TokenLine {
        var base = PicoSum()
        var perOutputToken: Int128 = 0

        func amount(_ outputTokens: Int64) -> PicoSum {
            base + PicoSum(picos: perOutputToken * Int128(outputTokens))
        }

        /// Rounded up to whole pico units, so that no exact figure below the line passes it.
        func scaled(by factor: PriceFactor) throws(MoneyError) -> LinearPrice {
            LinearPrice(
                base: PicoSum(picos: try factor.roundedUp(picos: base.picos)),
                perOutputToken: try factor.roundedUp(picos: perOutputToken))
        }
    }

    /// The dearest rates that one call may meet, each taken by itself.
    private struct DearestRates {
        var text = Rate.zero
        var image = Rate.zero
        var audio = Rate.zero
        var output = Rate.zero
        var search = Rate.zero
        var request = Rate.zero
    }

    private static func dearestLine(
        _ sizes: CallSizes, entry: PriceEntry, tier: ServiceTier, writes: CacheWrites
    ) -> TokenLine {
        var most = DearestRates()
        for promptTokens in entry.promptSizes(upTo: sizes.maxInput) {
            func raise(_ rate: inout Rate, _ unit: UsageUnit) {
                let found = entry.rate(for: unit, tier: tier, promptTokens: promptTokens)
                rate = max(rate, found.rate)
            }
            raise(&most.text, .input)
            raise(&most.text, .cacheRead)
            if writes.isShortPossible { raise(&most.text, .cacheWrite5m) }
            if writes.isHourPossible { raise(&most.text, .cacheWrite1h) }
            // Where a model has such a price, what is asked for is not what decides.
            if writes.isShortPossible, entry.keepsCacheForHalfADay {
                raise(&most.text, .cacheWrite12h)
            }
            if sizes.maxImages > 0 { raise(&most.image, .inputImage) }
            if sizes.maxAudio > 0 {
                raise(&most.audio, .inputAudio)
                raise(&most.audio, .cacheReadAudio)
            }
            if sizes.maxOutput > 0 || sizes.extraOutput > 0 {
                raise(&most.output, .output)
                raise(&most.output, .reasoning)
                if sizes.mayOutputAudio { raise(&most.output, .outputAudio) }
            }
            if sizes.maxWebSearches > 0 { raise(&most.search, .webSearch) }
            if entry.hasRequestFee { raise(&most.request, .request) }
        }
        var line = TokenLine()
        // The dearer part first takes what it can of the prompt.
        var parts = [
            (rate: max(most.image, most.text), count: sizes.maxImages),
            (rate: max(most.audio, most.text), count: sizes.maxAudio),
        ]
        if parts[0].rate < parts[1].rate { parts.swapAt(0, 1) }
        var rest = sizes.maxInput
        for part in parts {
            let count = min(part.count, rest)
            line.base.add(part.rate, times: count)
            rest -= count
        }
        line.base.add(most.text, times: rest)
        line.base.add(most.search, times: sizes.maxWebSearches)
        line.base.add(most.request, times: 1)
        line.base.add(most.output, times: sizes.extraOutput * sizes.completions)
        line.perOutputToken = Int128(most.output.picos) * Int128(sizes.completions)
        return line
    }

    private static func expectedLine(
        _ sizes: CallSizes, entry: PriceEntry, tier: ServiceTier, marks: inout MarkSet
    ) -> TokenLine {
        var line = TokenLine()
        let text =
            sizes.input - sizes.cached - sizes.cacheWrites - sizes.cacheWrites1h - sizes.images
            - sizes.audio
        let parts: [(unit: UsageUnit, count: Int64)] = [
            (.cacheRead, sizes.cached), (.cacheWrite5m, sizes.cacheWrites),
            (.cacheWrite1h, sizes.cacheWrites1h), (.inputImage, sizes.images),
            (.inputAudio, sizes.audio), (.input, text), (.webSearch, sizes.webSearches),
            (.request, entry.hasRequestFee ? 1 : 0),
        ]
        for part in parts where part.count > 0 {
            let found = entry.rate(for: part.unit, tier: tier, promptTokens: sizes.input)
            marks.formUnion(found.marks)
            line.base.add(found.rate, times: part.count)
        }
        if sizes.maxOutput > 0 {
            let unit = sizes.mayOutputAudio ? UsageUnit.outputAudio : .output
            let found = entry.rate(for: unit, tier: tier, promptTokens: sizes.input)
            marks.formUnion(found.marks)
            line.perOutputToken = Int128(found.rate.picos) * Int128(sizes.completions)
        }
        return line
    }
}
