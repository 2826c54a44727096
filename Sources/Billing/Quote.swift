// Figures that the core is given, never computes: what a call may cost (before) and what it did
// cost (after). `Pricing` makes them; the events record them; replay looks nothing up.

package import Money

/// What is known of a call before it is made: what a caller says, or what was counted in its
/// request. Counts are tokens; `inputTokens` is the whole prompt, cache, images and audio included.
///
/// Where a count cannot be known exactly there are two: the expected one, and a maximum (`max…`,
/// nil: the expected one) that is not exceeded and that the bound is made of.
package struct UsageEstimate: Sendable, Hashable {
    package var inputTokens: Int64
    /// The bound's prompt; nil, or less: `inputTokens`.
    package var maxInputTokens: Int64?
    /// Prompts that may grow at the provider (earlier turns, results of its tools) to the model's
    /// own maximum: how many of them the call may amount to. The bound takes each at the maximum.
    package var fullContexts: Int64?
    /// Part of `inputTokens` expected to be read from the provider's cache.
    package var cachedInputTokens: Int64?
    /// Part of `inputTokens` expected to be written to the cache (five-minute lifetime).
    package var cacheWriteTokens: Int64?
    /// The same with the lifetime of an hour.
    package var cacheWrite1hTokens: Int64?
    /// Part of `inputTokens` that is images, and of `maxInputTokens`.
    package var inputImageTokens: Int64?
    package var maxInputImageTokens: Int64?
    /// Part of `inputTokens` that is sound, and of `maxInputTokens`.
    package var inputAudioTokens: Int64?
    package var maxInputAudioTokens: Int64?
    /// The cap that the request sets on output, reasoning included; nil: the model's own maximum.
    package var maxOutputTokens: Int64?
    /// What is expected of the output; nil: not stated. An edge fills it from what such calls have
    /// put out so far.
    package var expectedOutputTokens: Int64?
    /// Stands in for `expectedOutputTokens` while nothing is known of such calls; nil: the cap.
    package var priorOutputTokens: Int64?
    /// Output billed beyond the cap, of each completion: a prediction that may be rejected.
    package var extraOutputTokens: Int64?
    /// Whether some of the output may be sound.
    package var mayOutputAudio: Bool
    /// Answers asked for (`n`); multiplies the output.
    package var completions: Int64?
    package var webSearches: Int64?
    package var maxWebSearches: Int64?
    /// Tier asked for: `standard` when nil; "auto" means any but batch.
    package var serviceTier: RequestedTier?
    /// `name=value` attributes that choose price multipliers (region, speed).
    package var attributes: [String]
    /// Where the counts came from, when they were made of a request; nil: the caller gave them.
    package var source: EstimateSource?

    package enum RequestedTier: String, Sendable, Hashable, CaseIterable {
        case auto, standard, batch, flex, priority
    }

    package init(
        inputTokens: Int64 = 0, maxInputTokens: Int64? = nil, cachedInputTokens: Int64? = nil,
        cacheWriteTokens: Int64? = nil, maxOutputTokens: Int64? = nil,
        expectedOutputTokens: Int64? = nil, completions: Int64? = nil, webSearches: Int64? = nil,
        serviceTier: RequestedTier? = nil, attributes: [String] = []
    ) {
        self.inputTokens = inputTokens
        self.maxInputTokens = maxInputTokens
        self.cachedInputTokens = cachedInputTokens
        self.cacheWriteTokens = cacheWriteTokens
        self.maxOutputTokens = maxOutputTokens
        self.expectedOutputTokens = expectedOutputTokens
        self.completions = completions
        self.webSearches = webSearches
        self.serviceTier = serviceTier
        self.attributes = attributes
        mayOutputAudio = false
    }
}

/// Where counts that were made of a request came from: names, sizes and a hash, never text.
package struct EstimateSource: Sendable, Hashable {
    /// How the request was written: `openai.chat` …
    package var dialect: String
    /// What counted its text: `o200k_base`, or a family and its factor; `provider`: the provider
    /// was asked.
    package var tokenizer: String
    package static let provider = "provider"
    /// Bytes of the request.
    package var requestBytes: Int64
    /// SHA-256 of the request, lower-case hex; nil: not taken.
    package var requestSHA256: String?
    /// Places in it (`tools[0]`) whose cost nothing bounds, and that the caller let through.
    package var unbounded: [String]

    package init(
        dialect: String = "", tokenizer: String = "", requestBytes: Int64 = 0,
        requestSHA256: String? = nil, unbounded: [String] = []
    ) {
        self.dialect = dialect
        self.tokenizer = tokenizer
        self.requestBytes = requestBytes
        self.requestSHA256 = requestSHA256
        self.unbounded = unbounded
    }
}

/// What a caller says was used. `inputTokens` includes cache reads and writes, audio and images;
/// `outputTokens` includes reasoning, audio and images (the OpenAI convention; an adapter of a
/// provider that counts otherwise converts first).
package struct ReportedUsage: Sendable, Hashable {
    package var inputTokens: Int64?
    package var cachedInputTokens: Int64?
    package var cacheWriteTokens: Int64?
    package var cacheWrite1hTokens: Int64?
    package var cacheWrite12hTokens: Int64?
    package var inputAudioTokens: Int64?
    package var inputImageTokens: Int64?
    package var cachedInputAudioTokens: Int64?
    package var outputTokens: Int64?
    package var reasoningTokens: Int64?
    package var outputAudioTokens: Int64?
    package var outputImageTokens: Int64?
    package var webSearches: Int64?
    /// Model as served; nil: as asked.
    package var servedModel: String?
    /// Tier as served; nil: standard.
    package var servedTier: String?
    package var attributes: [String]

    package init() { attributes = [] }

    /// Nothing at all was reported: usage is missing, which is not the same as zero.
    package var isMissing: Bool {
        inputTokens == nil && outputTokens == nil && cachedInputTokens == nil
            && cacheWriteTokens == nil && cacheWrite1hTokens == nil && cacheWrite12hTokens == nil
            && inputAudioTokens == nil && inputImageTokens == nil && cachedInputAudioTokens == nil
            && reasoningTokens == nil && outputAudioTokens == nil && outputImageTokens == nil
            && webSearches == nil
    }
}

/// A price as a line over the number of output tokens: base + perOutputToken × n, exact in pico,
/// scaled and rounded once.
package struct LinearPrice: Sendable, Hashable {
    package var base: PicoSum
    /// Pico units for each output token of the cap, times the number of completions.
    package var perOutputToken: Int128
    /// 1,000,000 + markup in parts per million.
    package var partsPerMillion: Int64

    package init(
        base: PicoSum = PicoSum(), perOutputToken: Int128 = 0, partsPerMillion: Int64 = 1_000_000
    ) {
        self.base = base
        self.perOutputToken = perOutputToken
        self.partsPerMillion = partsPerMillion
    }

    /// The amount at `outputTokens`.
    package func amount(outputTokens: Int64) throws(MoneyError) -> Money {
        let (product, overflow) = perOutputToken.multipliedReportingOverflow(
            by: Int128(outputTokens))
        if overflow { throw .overflow }
        return try PicoSum(picos: base.picos + product).rounded(partsPerMillion: partsPerMillion)
    }

    /// The most output tokens, at most `cap`, whose amount is not above `limit`; nil when even zero
    /// tokens are too dear.
    package func maxOutputTokens(affordableWith limit: Money, cap: Int64) -> Int64? {
        func fits(_ tokens: Int64) -> Bool {
            guard let amount = try? amount(outputTokens: tokens) else { return false }
            return amount <= limit
        }
        if !fits(0) { return nil }
        if fits(cap) { return cap }
        var low: Int64 = 0
        var high = cap
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if fits(middle) { low = middle } else { high = middle }
        }
        return low
    }
}

/// What a call may cost, as lines over its output, for one model at one price.
package struct Quote: Sendable, Hashable {
    /// The provider price; nil when the caller gave an amount instead of counts.
    package var price: PriceReference?
    /// The customer's rate-card entry when the charge is rated by it.
    package var cardPrice: PriceReference?
    /// The dearest tier that may be served: the one the bound assumes.
    package var tier: ServiceTier
    /// Prompt tokens expected, cache included.
    package var inputTokens: Int64
    /// Prompt tokens of the bound; ≥ `inputTokens`.
    package var maxInputTokens: Int64
    /// Parts of `inputTokens`.
    package var inputImageTokens: Int64
    package var inputAudioTokens: Int64
    /// Of how many prompts the bound took the model's maximum.
    package var fullContexts: Int64
    /// Output cap per completion; the bound's n.
    package var maxOutputTokens: Int64
    /// In the bound beyond the cap, per completion.
    package var extraOutputTokens: Int64
    /// Output expected per completion; ≤ `maxOutputTokens`.
    package var expectedOutputTokens: Int64
    package var completions: Int64
    package var boundCost: LinearPrice
    package var boundCharge: LinearPrice
    package var expectedCost: LinearPrice
    package var expectedCharge: LinearPrice
    package var method: EstimateMethod
    package var source: EstimateSource?
    package var marks: [RatingMark]

    package init(
        price: PriceReference? = nil, cardPrice: PriceReference? = nil,
        tier: ServiceTier = .standard, inputTokens: Int64 = 0, maxInputTokens: Int64? = nil,
        maxOutputTokens: Int64 = 0, expectedOutputTokens: Int64 = 0, completions: Int64 = 1,
        boundCost: LinearPrice = LinearPrice(), boundCharge: LinearPrice = LinearPrice(),
        expectedCost: LinearPrice = LinearPrice(), expectedCharge: LinearPrice = LinearPrice(),
        method: EstimateMethod = .counts, marks: [RatingMark] = []
    ) {
        self.price = price
        self.cardPrice = cardPrice
        self.tier = tier
        self.inputTokens = inputTokens
        self.maxInputTokens = max(maxInputTokens ?? inputTokens, inputTokens)
        inputImageTokens = 0
        inputAudioTokens = 0
        fullContexts = 0
        self.maxOutputTokens = maxOutputTokens
        extraOutputTokens = 0
        self.expectedOutputTokens = expectedOutputTokens
        self.completions = completions
        self.boundCost = boundCost
        self.boundCharge = boundCharge
        self.expectedCost = expectedCost
        self.expectedCharge = expectedCharge
        self.method = method
        self.marks = marks
    }
}

/// Where an estimate's counts came from.
package enum EstimateMethod: String, Sendable, Hashable, CaseIterable {
    /// Token counts given by the caller, priced by the book.
    case counts
    /// Counted in the request that is to be sent, priced by the book.
    case request
    /// An amount given by the caller.
    case amount
    /// Token counts, whoever made them, priced by the project's ceiling rate: the model has no
    /// price.
    case ceiling
}

/// What was used and what it costs, rated at a pinned price.
package struct RatedUsage: Sendable, Hashable {
    package var counts: UsageCounts
    /// Provider price used; nil when settled by amount.
    package var price: PriceReference?
    package var cardPrice: PriceReference?
    package var tier: ServiceTier
    /// Prompt-size threshold whose rates were used; 0 for the base rates.
    package var abovePromptTokens: Int64
    /// What the provider bills us.
    package var cost: Money
    /// What the customer is billed.
    package var charge: Money
    package var marks: [RatingMark]

    package init(
        counts: UsageCounts = UsageCounts(), price: PriceReference? = nil,
        cardPrice: PriceReference? = nil, tier: ServiceTier = .standard,
        abovePromptTokens: Int64 = 0, cost: Money = .zero, charge: Money = .zero,
        marks: [RatingMark] = []
    ) {
        self.counts = counts
        self.price = price
        self.cardPrice = cardPrice
        self.tier = tier
        self.abovePromptTokens = abovePromptTokens
        self.cost = cost
        self.charge = charge
        self.marks = marks
    }
}

/// Something out of the ordinary about how a figure came about. Recorded, never silent.
package enum RatingMark: String, Sendable, Hashable, CaseIterable, Comparable {
    /// The tier served has no price; charged at the standard tier.
    case servedTierUnpriced = "served_tier_unpriced"
    /// An attribute (region, speed) without a multiplier in the entry was ignored.
    case unknownMultiplier = "unknown_multiplier"
    /// The usage contradicts itself (cached above input …); charged by its dearer reading.
    case contradictoryUsage = "contradictory_usage"
    /// A unit without a rate of its own was charged at the rate of the unit it belongs to.
    case unitFallback = "unit_fallback"
    /// A fee unit (request, web search) without any rate was charged at zero.
    case unitUnpriced = "unit_unpriced"
    /// Usage never arrived and was estimated.
    case usageEstimated = "usage_estimated"
    /// Priced by the project's ceiling rate.
    case ceilingRate = "ceiling_rate"
    /// The model served has no price; rated at the model asked for.
    case servedModelUnpriced = "served_model_unpriced"

    package static func < (a: RatingMark, b: RatingMark) -> Bool { a.rawValue < b.rawValue }
}

/// Why no quote can be made.
package enum QuoteError: Error, Sendable, Hashable {
    /// No entry, alias or dated name matches the model.
    case unknownPrice(model: String)
    /// The request sets no output cap and the model's maximum is not known.
    case outputCapRequired(model: String)
    /// The prompt may grow to the model's maximum, which is not known.
    case inputMaximumRequired(model: String)
    /// A count or product is out of range.
    case overflow
}
