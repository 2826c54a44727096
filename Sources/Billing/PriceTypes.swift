// The words of a price book. How a book is searched and how usage is rated is in `Pricing`; the
// types are here because a published book is an event, and events belong to the domain.
//
// A rate is an Int64 count of pico units (10⁻¹² of the ledger's currency) for one unit of usage.
// One US dollar per million tokens is 1,000,000 pico dollars per token.

package import Money

/// What is counted and priced. The raw value is the name in events, files and the API.
package enum UsageUnit: String, Sendable, CaseIterable, Hashable, Comparable {
    /// Prompt tokens that were neither read from nor written to a cache, text.
    case input
    /// Prompt tokens served from the provider's cache.
    case cacheRead = "cache_read"
    /// Prompt tokens written to the cache with the short (five minutes) lifetime.
    case cacheWrite5m = "cache_write_5m"
    case cacheWrite1h = "cache_write_1h"
    case cacheWrite12h = "cache_write_12h"
    case inputAudio = "input_audio"
    case inputImage = "input_image"
    case cacheReadAudio = "cache_read_audio"
    /// Completion tokens that are not priced by another output unit.
    case output
    /// Completion tokens spent on reasoning; priced as `output` where a model has no own rate.
    case reasoning
    case outputAudio = "output_audio"
    case outputImage = "output_image"
    /// One call, whatever its size.
    case request
    /// One web search made by the provider's server-side tool.
    case webSearch = "web_search"

    package static func < (a: UsageUnit, b: UsageUnit) -> Bool { a.rawValue < b.rawValue }
}

/// The provider's service tier, as served.
package enum ServiceTier: String, Sendable, CaseIterable, Hashable, Comparable {
    case standard, batch, flex, priority

    package static func < (a: ServiceTier, b: ServiceTier) -> Bool { a.rawValue < b.rawValue }
}

/// One cell of a price entry: unit × tier × prompt-size threshold.
package struct PriceRate: Sendable, Hashable {
    package var unit: UsageUnit
    package var tier: ServiceTier
    /// The rate holds when the total prompt, cache included, is larger than this many tokens
    /// (0: from the first token). The whole request is then priced at it.
    package var abovePromptTokens: Int64
    package var rate: Rate

    package init(
        unit: UsageUnit = .input, tier: ServiceTier = .standard, abovePromptTokens: Int64 = 0,
        rate: Rate = .zero
    ) {
        self.unit = unit
        self.tier = tier
        self.abovePromptTokens = abovePromptTokens
        self.rate = rate
    }
}

/// A factor on all rates of an entry, chosen by an attribute of the served request
/// (`region=us`, `speed=fast`).
package struct PriceMultiplier: Sendable, Hashable {
    /// `name=value`, as the usage states it.
    package var attribute: String
    /// In parts per million: 1,100,000 is ×1.1.
    package var partsPerMillion: Int64

    package init(attribute: String = "", partsPerMillion: Int64 = 1_000_000) {
        self.attribute = attribute
        self.partsPerMillion = partsPerMillion
    }
}

/// Everything a book says of one model, or one name that stands for another.
package struct PriceEntry: Sendable, Hashable {
    /// The model name as callers write it. Unique within (card, book version).
    package var model: String
    /// Empty for the provider's own prices; otherwise the rate card the entry belongs to.
    package var card: String
    package var provider: String
    /// `chat`, `responses`, `embedding`, `completion`.
    package var mode: String
    /// When not empty this entry has no rates: the name stands for that model.
    package var aliasOf: String
    package var maxInputTokens: Int64?
    package var maxOutputTokens: Int64?
    /// Sorted by (unit, tier, abovePromptTokens); no two share all three.
    package var rates: [PriceRate]
    package var multipliers: [PriceMultiplier]
    /// Where the figures were published.
    package var source: String
    /// Date of retirement as published (`2026-11-26`), or empty.
    package var deprecationDate: String

    package init(
        model: String = "", card: String = "", provider: String = "", mode: String = "",
        aliasOf: String = "", maxInputTokens: Int64? = nil, maxOutputTokens: Int64? = nil,
        rates: [PriceRate] = [], multipliers: [PriceMultiplier] = [], source: String = "",
        deprecationDate: String = ""
    ) {
        self.model = model
        self.card = card
        self.provider = provider
        self.mode = mode
        self.aliasOf = aliasOf
        self.maxInputTokens = maxInputTokens
        self.maxOutputTokens = maxOutputTokens
        self.rates = rates
        self.multipliers = multipliers
        self.source = source
        self.deprecationDate = deprecationDate
    }
}

/// Names an entry in a version for ever: what a rated event pins.
package struct PriceReference: Sendable, Hashable {
    /// Version of the price book.
    package var bookVersion: Int64
    /// `model` of the entry that was used.
    package var entry: String
    /// `card` of that entry; empty for provider prices.
    package var card: String
    /// The names passed through from the name asked for (first) to the entry (last); just the entry
    /// when they are the same.
    package var chain: [String]

    package init(
        bookVersion: Int64 = 0, entry: String = "", card: String = "", chain: [String] = []
    ) {
        self.bookVersion = bookVersion
        self.entry = entry
        self.card = card
        self.chain = chain
    }
}

/// What was, or may be, consumed by one call: a count for each unit, units disjoint
/// (`input` excludes cached tokens, `output` excludes reasoning).
package struct UsageCounts: Sendable, Hashable {
    /// Sorted by unit, counts above zero only.
    package private(set) var lines: [Line] = []

    package struct Line: Sendable, Hashable {
        package var unit: UsageUnit
        package var count: Int64

        package init(unit: UsageUnit = .input, count: Int64 = 0) {
            self.unit = unit
            self.count = count
        }
    }

    package init() {}

    /// - Precondition: lines are sorted by unit without duplicates, counts positive.
    package init(sortedLines: [Line]) { lines = sortedLines }

    package subscript(unit: UsageUnit) -> Int64 {
        get { lines.first { $0.unit == unit }?.count ?? 0 }
        set {
            if let index = lines.firstIndex(where: { $0.unit >= unit }) {
                if lines[index].unit == unit {
                    if newValue == 0 {
                        lines.remove(at: index)
                    } else {
                        lines[index].count = newValue
                    }
                } else if newValue != 0 {
                    lines.insert(Line(unit: unit, count: newValue), at: index)
                }
            } else if newValue != 0 {
                lines.append(Line(unit: unit, count: newValue))
            }
        }
    }

    /// All prompt tokens, cache included: what a prompt-size threshold is compared with.
    package var promptTokens: Int64 {
        self[.input] + self[.cacheRead] + self[.cacheWrite5m] + self[.cacheWrite1h]
            + self[.cacheWrite12h] + self[.inputAudio] + self[.inputImage] + self[.cacheReadAudio]
    }

    package var outputTokens: Int64 {
        self[.output] + self[.reasoning] + self[.outputAudio] + self[.outputImage]
    }

    /// What a budget that measures tokens counts.
    package var totalTokens: Int64 { promptTokens + outputTokens }
}
