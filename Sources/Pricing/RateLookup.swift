// Which rate of an entry a unit of usage gets.
//
// 1. The rate of the unit at the tier, of the highest threshold that the prompt is above.
// 2. At a tier that does not price the unit: the standard tier's rate, marked. But where the
//    standard tier prices the unit just as the unit it belongs to (reasoning as output …), the
//    tier's rate of that unit is its rate too: the provider publishes no difference.
// 3. The rate of the unit it belongs to:
//      cache_read, cache_write_5m, input_image → input      reasoning → output
//      cache_write_12h → cache_write_1h → cache_write_5m    cache_read_audio → cache_read
//      input_audio → input                                  output_audio, output_image → output
//    Not marked where no rate of its own means just that: cached prompts of models without cache
//    prices, images counted as prompt tokens, reasoning. Marked where the real rate is likely
//    higher: audio, generated images, long-lived cache writes next to a priced short-lived one.
// 4. Nothing at the tier, at standard or above: the dearest rate that the entry has for the unit in
//    any tier or band; then, for output, as input; then the dearest token rate of the entry.
//    Marked. Tokens are free only where a rate says so, or where the entry prices no tokens at all.
// 5. A fee (request, web search) without a rate is zero, marked.

import Billing
import Money

/// A rate, and how it was found.
struct FoundRate {
    var rate: Rate
    /// The unit whose rate it is.
    var unit: UsageUnit
    var abovePromptTokens: Int64
    var marks: MarkSet

    init(_ cell: PriceRate, marks: MarkSet = []) {
        rate = cell.rate
        unit = cell.unit
        abovePromptTokens = cell.abovePromptTokens
        self.marks = marks
    }

    init(unpriced unit: UsageUnit) {
        rate = .zero
        self.unit = unit
        abovePromptTokens = 0
        marks = .unitUnpriced
    }
}

extension PriceEntry {
    /// The rate for `unit` in a request of `promptTokens` (cache included), served at `tier`.
    func rate(for unit: UsageUnit, tier: ServiceTier, promptTokens: Int64) -> FoundRate {
        var found = unmarkedRate(for: unit, tier: tier, promptTokens: promptTokens)
        if !found.unit.isSame(as: unit) && unit.isLikelyDearer(than: found.unit) {
            found.marks.insert(.unitFallback)
        }
        return found
    }

    private func unmarkedRate(
        for unit: UsageUnit, tier: ServiceTier, promptTokens: Int64
    ) -> FoundRate {
        if let own = cell(unit, tier, promptTokens) { return FoundRate(own) }
        if !tier.isSame(as: .standard), let standard = cell(unit, .standard, promptTokens) {
            if let parent = unit.parent, let tiered = cell(parent, tier, promptTokens),
                cell(parent, .standard, promptTokens)?.rate == standard.rate
            {
                var found = FoundRate(tiered)
                found.unit = unit
                return found
            }
            return FoundRate(standard, marks: unit.isFee ? [] : .servedTierUnpriced)
        }
        if let parent = unit.parent {
            return unmarkedRate(for: parent, tier: tier, promptTokens: promptTokens)
        }
        if let dearest = dearestCell(where: { $0.unit.isSame(as: unit) }) {
            return FoundRate(dearest, marks: unit.isFee ? [] : .servedTierUnpriced)
        }
        if unit.isFee { return FoundRate(unpriced: unit) }
        if unit == .output {
            return unmarkedRate(for: .input, tier: tier, promptTokens: promptTokens)
        }
        guard let dearest = dearestCell(where: { !$0.unit.isFee }) else {
            return FoundRate(unpriced: unit)
        }
        return FoundRate(dearest, marks: .unitFallback)
    }

    /// The rate published for just this unit and tier, of the highest threshold passed.
    private func cell(_ unit: UsageUnit, _ tier: ServiceTier, _ promptTokens: Int64) -> PriceRate? {
        var best: PriceRate?
        for cell in rates where cell.unit.isSame(as: unit) && cell.tier.isSame(as: tier) {
            let threshold = cell.abovePromptTokens
            guard threshold == 0 || promptTokens > threshold else { continue }
            if let best, best.abovePromptTokens > threshold { continue }
            best = cell
        }
        return best
    }

    private func dearestCell(where isMeant: (PriceRate) -> Bool) -> PriceRate? {
        var dearest: PriceRate?
        for cell in rates where isMeant(cell) {
            if let dearest, dearest.rate >= cell.rate { continue }
            dearest = cell
        }
        return dearest
    }

    /// Prompt sizes that stand for all price bands a prompt of at most `promptTokens` can fall
    /// into: one size inside each.
    func promptSizes(upTo promptTokens: Int64) -> [Int64] {
        var sizes: [Int64] = [0]
        for cell in rates where cell.abovePromptTokens > 0 && cell.abovePromptTokens < promptTokens
        {
            let size = cell.abovePromptTokens + 1
            if !sizes.contains(size) { sizes.append(size) }
        }
        return sizes
    }
}

extension UsageUnit {
    /// Counted in calls, not in tokens; the same at every tier and prompt size.
    var isFee: Bool { self == .request || self == .webSearch }

    /// The unit whose rate holds where this one has none.
    var parent: UsageUnit? {
        switch self {
        case .input, .output, .request, .webSearch: nil
        case .cacheRead, .cacheWrite5m, .inputAudio, .inputImage: .input
        case .cacheWrite1h: .cacheWrite5m
        case .cacheWrite12h: .cacheWrite1h
        case .cacheReadAudio: .cacheRead
        case .reasoning, .outputAudio, .outputImage: .output
        }
    }

    /// Whether the rate of `other`, taken for want of an own one, deserves a mark.
    fileprivate func isLikelyDearer(than other: UsageUnit) -> Bool {
        switch self {
        case .cacheRead, .cacheWrite5m, .inputImage: other != .input
        case .cacheWrite1h, .cacheWrite12h: other != .input
        case .reasoning: other != .output
        case .input, .output, .inputAudio, .cacheReadAudio, .outputAudio, .outputImage: true
        case .request, .webSearch: false
        }
    }

    /// Equality by the case's number. The `==` of an enum with text as raw value, called from
    /// another module, goes through its protocol witness: a hundred times a quote, that is most of
    /// its time.
    func isSame(as other: UsageUnit) -> Bool { number == other.number }

    private var number: UInt8 {
        switch self {
        case .input: 0
        case .cacheRead: 1
        case .cacheWrite5m: 2
        case .cacheWrite1h: 3
        case .cacheWrite12h: 4
        case .inputAudio: 5
        case .inputImage: 6
        case .cacheReadAudio: 7
        case .output: 8
        case .reasoning: 9
        case .outputAudio: 10
        case .outputImage: 11
        case .request: 12
        case .webSearch: 13
        }
    }
}

extension ServiceTier {
    /// As `UsageUnit.isSame(as:)`.
    func isSame(as other: ServiceTier) -> Bool { number == other.number }

    private var number: UInt8 {
        switch self {
        case .standard: 0
        case .batch: 1
        case .flex: 2
        case .priority: 3
        }
    }

    /// The tier a provider's `service_tier` names; nil when it is none that can have a price.
    ///
    /// "default" is OpenAI's and Bedrock's word for standard, "on_demand" Vertex's and Groq's.
    init?(served name: String) {
        switch name.lowercased() {
        case "", "standard", "default", "auto", "on_demand": self = .standard
        case "batch": self = .batch
        case "flex": self = .flex
        case "priority": self = .priority
        default: return nil
        }
    }
}
