// What a call may cost, before it is made, as lines over its output cap.
//
// bound     no usage within the estimate's counts rates higher, at any tier that may be served and
//           at any price band up to the prompt's size (a smaller prompt can be the dearer one).
//           Every prompt token counts as the dearest of what it may become: input, cache read, and
//           cache write (of an hour, where it says so) where the call may write to the cache; so
//           many of them as may be images or sound, at the dearer of that and their own rate.
//           Every output token counts as the dearer of output, reasoning and, where asked for,
//           sound. Each of these maxima is taken by itself, so the bound stays a line.
// expected  the expected split at the tier asked for, in the band of the expected prompt.
//
// The bound is made of the estimate's maxima. Where the prompt may grow at the provider it is as
// large as the model takes, as many times as there may be such prompts.
//
// Tiers that may be served: `auto` gets standard, flex or priority; `priority` and `flex` may fall
// back to standard; `batch` and `standard` are served as asked.
//
// A call may write to the cache where the estimate says so (a count above zero). Where it says
// nothing, it depends on the provider: Anthropic's models, also on Bedrock and Vertex, write only
// when told to by the request; elsewhere writing is the provider's choice and its price, if it has
// one, counts.
//
// What an estimate does not name is not in its bound: images in or out, sound.

package import Billing
package import Money

package enum Quoting {
    /// - Throws: `.outputCapRequired`, `.inputMaximumRequired`, `.overflow`.
    package static func quote(
        _ estimate: UsageEstimate, terms: RatingTerms
    ) throws(QuoteError) -> Quote {
        let entry = terms.price.entry
        let sizes = try CallSizes(estimate, entry: entry)
        let writes = estimate.cacheWrites(at: entry)
        let asked = estimate.serviceTier ?? .standard

        do throws(MoneyError) {
            var marks = MarkSet()
            let cost = try LinePair(
                sizes, entry: entry, asked: asked, writes: writes,
                attributes: estimate.attributes, marks: &marks)
            let charge: LinePair
            if let card = terms.card {
                charge = try LinePair(
                    sizes, entry: card.entry, asked: asked, writes: writes,
                    attributes: estimate.attributes, marks: &marks)
            } else {
                charge = try cost.marked(up: terms.markupPartsPerMillion)
            }
            var quote = Quote(
                price: terms.price.reference, cardPrice: terms.card?.reference, tier: cost.tier,
                inputTokens: sizes.input, maxInputTokens: sizes.maxInput,
                maxOutputTokens: sizes.maxOutput, expectedOutputTokens: sizes.expectedOutput,
                completions: sizes.completions, boundCost: cost.bound, boundCharge: charge.bound,
                expectedCost: cost.expected, expectedCharge: charge.expected,
                method: terms.marks.contains(.ceilingRate)
                    ? .ceiling : estimate.source == nil ? .counts : .request,
                marks: marks.names(with: terms.marks))
            quote.inputImageTokens = sizes.images
            quote.inputAudioTokens = sizes.audio
            quote.fullContexts = sizes.fullContexts
            quote.extraOutputTokens = sizes.extraOutput
            quote.source = estimate.source
            return quote
        } catch {
            throw .overflow
        }
    }

    /// A quote of an amount that the caller gave: it is the cost, whatever the output; the charge
    /// is that with the markup.
    package static func quote(amount: Money, markupPartsPerMillion: Int64 = 0) throws(QuoteError)
        -> Quote
    {
        let (parts, overflow) = markupPartsPerMillion.addingReportingOverflow(1_000_000)
        if overflow || parts < 0 { throw .overflow }
        let cost = LinearPrice(base: PicoSum(picos: Int128(amount.nanos) * 1_000))
        var charge = cost
        charge.partsPerMillion = parts
        return Quote(
            boundCost: cost, boundCharge: charge, expectedCost: cost, expectedCharge: charge,
            method: .amount)
    }

    /// Name of the card that a ceiling price belongs to. No book has a card of this name.
    package static let ceilingCard = "ceiling"

    /// Terms for a model without a price, where the project states the rates that it is sure not to
    /// exceed. Figures made on them are marked `ceiling_rate`.
    ///
    /// - Parameter version: the book's version at the time, which had no price.
    package static func ceilingTerms(
        model: String, inputRate: Rate, outputRate: Rate, version: Int64 = 0,
        card: PricedEntry? = nil, markupPartsPerMillion: Int64 = 0
    ) -> RatingTerms {
        let entry = PriceEntry(
            model: model, card: ceilingCard, mode: "chat",
            rates: [
                PriceRate(unit: .input, rate: inputRate),
                PriceRate(unit: .output, rate: outputRate),
            ])
        let reference = PriceReference(
            bookVersion: version, entry: model, card: ceilingCard, chain: [model])
        return RatingTerms(
            price: PricedEntry(entry: entry, reference: reference), card: card,
            markupPartsPerMillion: markupPartsPerMillion, marks: [.ceilingRate])
    }
}

/// Which of the prices of cache writes a call may incur.
struct CacheWrites {
    var isShortPossible: Bool
    var isHourPossible: Bool
}

extension UsageEstimate {
    func cacheWrites(at entry: PriceEntry) -> CacheWrites {
        let forAnHour = (cacheWrite1hTokens ?? 0) > 0
        let isShort =
            cacheWriteTokens.map { $0 > 0 } ?? (forAnHour || !entry.writesCacheOnlyWhenAsked)
        return CacheWrites(isShortPossible: isShort, isHourPossible: forAnHour)
    }
}

extension PriceEntry {
    var keepsCacheForHalfADay: Bool { rates.contains { $0.unit == .cacheWrite12h } }

    /// Whether the provider writes to its prompt cache only where a request marks what to write.
    var writesCacheOnlyWhenAsked: Bool {
        provider == "anthropic" || provider.hasPrefix("bedrock")
            || model.containsBytes(of: "claude")
    }
}

extension String {
    /// Whether `text` is part of this one, byte by byte.
    func containsBytes(of text: String) -> Bool {
        var rest = utf8[...]
        while !rest.isEmpty {
            if rest.starts(with: text.utf8) { return true }
            rest = rest.dropFirst()
        }
        return text.isEmpty
    }
}

extension UsageEstimate.RequestedTier {
    /// The tier asked for; `auto` asks for none and is taken as standard.
    var tier: ServiceTier {
        switch self {
        case .auto, .standard: .standard
        case .batch: .batch
        case .flex: .flex
        case .priority: .priority
        }
    }

    /// Tiers that may be served, the one asked for first.
    var mayBeServed: [ServiceTier] {
        switch self {
        case .auto: [.standard, .flex, .priority]
        case .standard: [.standard]
        case .batch: [.batch]
        case .flex: [.flex, .standard]
        case .priority: [.priority, .standard]
        }
    }
}
