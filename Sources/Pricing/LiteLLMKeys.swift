// The names of prices in LiteLLM's `model_prices_and_context_window.json`.
//
//   key      = base suffix*
//   base     = input_cost_per_token | output_cost_per_token | output_cost_per_reasoning_token
//            | (input|output)_cost_per_audio_token | (input|output)_cost_per_image_token
//            | cache_read_input_token_cost | input_cost_per_token_cache_hit
//            | cache_read_input_audio_token_cost | cache_creation_input_token_cost
//            | input_cost_per_request
//   suffix   = _above_Nk_tokens | _batches | _flex | _priority
//            | _above_1hr | _above_12hr  (cache_creation_… only)
//
// Suffixes come in any order, each kind once. A base with something else behind it, or another tier
// (`_balanced`, `_ultrafast`), names a price that the book has no place for.

import Billing

extension PriceRate {
    /// The cell that a key prices, with a rate of zero; nil for a key that is not of this grammar.
    init?(liteLLMKey key: String) {
        // The longest base that fits: `input_cost_per_token` also begins `…_token_cache_hit`.
        let bases = Self.liteLLMBases.filter { key.hasPrefix($0.name) }
        guard let base = bases.max(by: { $0.name.utf8.count < $1.name.utf8.count }) else {
            return nil
        }
        var unit = base.unit
        var tier: ServiceTier?
        var threshold: Int64?
        var rest = key.dropFirst(base.name.count)
        while !rest.isEmpty {
            if let match = Self.liteLLMTiers.first(where: { rest.hasPrefix($0.suffix) }) {
                guard tier == nil else { return nil }
                tier = match.tier
                rest = rest.dropFirst(match.suffix.count)
            } else if let match = Self.liteLLMLifetimes.first(where: { rest.hasPrefix($0.suffix) })
            {
                guard unit == .cacheWrite5m else { return nil }
                unit = match.unit
                rest = rest.dropFirst(match.suffix.count)
            } else if rest.hasPrefix("_above_"), let end = rest.range(ofThresholdEnd: "k_tokens") {
                let digits = rest[rest.index(rest.startIndex, offsetBy: 7)..<end.lowerBound]
                guard threshold == nil, let thousands = Int64(digits),
                    (1...1_000_000).contains(thousands)
                else { return nil }
                threshold = thousands * 1_000
                rest = rest[end.upperBound...]
            } else {
                return nil
            }
        }
        self.init(unit: unit, tier: tier ?? .standard, abovePromptTokens: threshold ?? 0)
    }

    private static let liteLLMBases: [(name: String, unit: UsageUnit)] = [
        ("input_cost_per_token", .input),
        ("output_cost_per_token", .output),
        ("output_cost_per_reasoning_token", .reasoning),
        ("input_cost_per_audio_token", .inputAudio),
        ("output_cost_per_audio_token", .outputAudio),
        ("input_cost_per_image_token", .inputImage),
        ("output_cost_per_image_token", .outputImage),
        ("cache_read_input_token_cost", .cacheRead),
        ("input_cost_per_token_cache_hit", .cacheRead),
        ("cache_read_input_audio_token_cost", .cacheReadAudio),
        ("cache_creation_input_token_cost", .cacheWrite5m),
        ("input_cost_per_request", .request),
    ]

    private static let liteLLMTiers: [(suffix: String, tier: ServiceTier)] = [
        ("_batches", .batch), ("_flex", .flex), ("_priority", .priority),
    ]

    private static let liteLLMLifetimes: [(suffix: String, unit: UsageUnit)] = [
        ("_above_12hr", .cacheWrite12h), ("_above_1hr", .cacheWrite1h),
    ]
}

extension Substring {
    /// Where `ending` first stands, when nothing but digits are between it and `_above_`.
    fileprivate func range(ofThresholdEnd ending: String) -> Range<Index>? {
        let digitsStart = index(startIndex, offsetBy: 7)
        let digitsEnd = self[digitsStart...].firstIndex { !("0"..."9").contains($0) } ?? endIndex
        guard self[digitsEnd...].hasPrefix(ending) else { return nil }
        return digitsEnd..<index(digitsEnd, offsetBy: ending.count)
    }
}
