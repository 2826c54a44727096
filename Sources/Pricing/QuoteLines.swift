import Billing
import Money

/// The counts of an estimate, checked and completed.
struct CallSizes {
    var input: Int64
    /// Parts of `input`, together at most all of it.
    var cached: Int64
    var cacheWrites: Int64
    /// Of one completion.
    var maxOutput: Int64
    var expectedOutput: Int64
    var completions: Int64
    var webSearches: Int64

    init(_ estimate: UsageEstimate, entry: PriceEntry) throws(QuoteError) {
        let given = [
            estimate.inputTokens, estimate.cachedInputTokens, estimate.cacheWriteTokens,
            estimate.maxOutputTokens, estimate.expectedOutputTokens, estimate.completions,
            estimate.webSearches,
        ]
        for case let count? in given where !(0...UsageReadings.maxCount).contains(count) {
            throw .overflow
        }
        input = estimate.inputTokens
        cached = min(estimate.cachedInputTokens ?? 0, input)
        cacheWrites = min(estimate.cacheWriteTokens ?? 0, input - cached)
        completions = estimate.completions ?? 1
        webSearches = estimate.webSearches ?? 0
        // Embeddings put nothing out; what some entries call their maximum output is the vector.
        let modelCap = entry.mode == "embedding" ? 0 : entry.maxOutputTokens
        guard let cap = estimate.maxOutputTokens ?? modelCap else {
            throw .outputCapRequired(model: entry.model)
        }
        maxOutput = cap
        expectedOutput = min(estimate.expectedOutputTokens ?? cap, cap)
        let (total, overflow) = maxOutput.multipliedReportingOverflow(by: completions)
        if overflow || total > UsageReadings.maxCount { throw .overflow }
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
        mayWriteCache: Bool, attributes: [String], marks: inout MarkSet
    ) throws(MoneyError) {
        let factor = try entry.factor(for: attributes, marks: &marks)
        tier = asked.tier
        var highest = TokenLine()
        var dearest = PicoSum(picos: -1)
        for served in asked.mayBeServed {
            let line = Self.dearestLine(
                sizes, entry: entry, tier: served, mayWriteCache: mayWriteCache)
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

    private static func dearestLine(
        _ sizes: CallSizes, entry: PriceEntry, tier: ServiceTier, mayWriteCache: Bool
    ) -> TokenLine {
        var input = Rate.zero
        var output = Rate.zero
        var search = Rate.zero
        var request = Rate.zero
        for promptTokens in entry.promptSizes(upTo: sizes.input) {
            func rate(_ unit: UsageUnit) -> Rate {
                entry.rate(for: unit, tier: tier, promptTokens: promptTokens).rate
            }
            input = max(input, rate(.input), rate(.cacheRead))
            if mayWriteCache { input = max(input, rate(.cacheWrite5m)) }
            if sizes.maxOutput > 0 { output = max(output, rate(.output), rate(.reasoning)) }
            if sizes.webSearches > 0 { search = max(search, rate(.webSearch)) }
            if entry.hasRequestFee { request = max(request, rate(.request)) }
        }
        var line = TokenLine()
        line.base.add(input, times: sizes.input)
        line.base.add(search, times: sizes.webSearches)
        line.base.add(request, times: 1)
        line.perOutputToken = Int128(output.picos) * Int128(sizes.completions)
        return line
    }

    private static func expectedLine(
        _ sizes: CallSizes, entry: PriceEntry, tier: ServiceTier, marks: inout MarkSet
    ) -> TokenLine {
        var line = TokenLine()
        let parts: [(unit: UsageUnit, count: Int64)] = [
            (.cacheRead, sizes.cached), (.cacheWrite5m, sizes.cacheWrites),
            (.input, sizes.input - sizes.cached - sizes.cacheWrites),
            (.webSearch, sizes.webSearches), (.request, entry.hasRequestFee ? 1 : 0),
        ]
        for part in parts where part.count > 0 {
            let found = entry.rate(for: part.unit, tier: tier, promptTokens: sizes.input)
            marks.formUnion(found.marks)
            line.base.add(found.rate, times: part.count)
        }
        if sizes.maxOutput > 0 {
            let found = entry.rate(for: .output, tier: tier, promptTokens: sizes.input)
            marks.formUnion(found.marks)
            line.perOutputToken = Int128(found.rate.picos) * Int128(sizes.completions)
        }
        return line
    }
}
