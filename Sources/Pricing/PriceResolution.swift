// From the name a caller uses to the entry that prices it.
//
// The exact name first; else a breadth-first search over alias entries and the steps of
// NameSteps.swift, so that the fewest steps win and, among equals, the order alias, prefix,
// fine-tune, date, region, variant. If nothing is found, the same once more ignoring case. A name
// that leads nowhere has no price: none is invented.
//
// At each name, provider prices look at the operator's overrides before the provider's own; a rate
// card looks only at its own entries for a price, but follows the aliases of all three.

import Billing

extension PriceCatalog {
    /// Names longer than this (UTF-8) are not models.
    static let maxNameBytes = 256
    private static let maxNames = 64

    /// The entry that prices `model` in a version, and how it was found.
    ///
    /// - Parameter card: "" for the provider's price (overrides first), or the name of a rate card.
    package func resolve(model: String, card: String, version: Int64) -> PricedEntry? {
        if let found = exactPrice(model, card: card, version: version) {
            return PricedEntry(
                found,
                reference: PriceReference(
                    bookVersion: version, entry: found.entry.model, card: found.entry.card,
                    chain: found.chain))
        }
        if model.isEmpty || model.utf8.count > Self.maxNameBytes { return nil }
        let key = ResolutionCache.Key(model: model, card: card, version: version)
        if let known = resolutions.answer(for: key) { return known }
        let layers = Layers(self, card: card)
        let found =
            search(model, layers, version: version, ignoringCase: false)
            ?? search(model, layers, version: version, ignoringCase: true)
        if let found { resolutions.remember(found, for: key) }
        return found
    }

    /// The terms a call is rated on: provider price, and the customer's card where it has the
    /// model.
    package func terms(
        model: String, rateCard: String?, markupPartsPerMillion: Int64, version: Int64
    ) -> RatingTerms? {
        guard let price = resolve(model: model, card: Self.baseCard, version: version) else {
            return nil
        }
        return RatingTerms(
            price: price,
            card: rateCard.flatMap { resolve(model: model, card: $0, version: version) },
            markupPartsPerMillion: markupPartsPerMillion)
    }

    /// The terms a finished call is rated on: those of the model served, or, when that has no
    /// price, those of the model asked for, marked.
    package func terms(
        servedModel: String?, askedModel: String, rateCard: String?, markupPartsPerMillion: Int64,
        version: Int64
    ) -> RatingTerms? {
        func terms(_ model: String) -> RatingTerms? {
            self.terms(
                model: model, rateCard: rateCard, markupPartsPerMillion: markupPartsPerMillion,
                version: version)
        }
        guard let servedModel, servedModel != askedModel else { return terms(askedModel) }
        if let served = terms(servedModel) { return served }
        var asked = terms(askedModel)
        asked?.marks.append(.servedModelUnpriced)
        return asked
    }

    /// The entry of exactly this name. The way of nearly all calls, so it copies nothing.
    private func exactPrice(_ model: String, card: String, version: Int64) -> StoredEntry? {
        var found: StoredEntry?
        if card == Self.baseCard {
            if !overrides.isEmpty { found = overrides.entry(model, version: version) }
            if found == nil { found = base.entry(model, version: version) }
        } else {
            found = history(of: card)?.entry(model, version: version)
        }
        guard let found, found.entry.aliasOf.isEmpty else { return nil }
        return found
    }

    private func search(
        _ model: String, _ layers: Layers, version: Int64, ignoringCase: Bool
    ) -> PricedEntry? {
        struct Node {
            var step: NameStep
            var parent: Int?
        }
        let start = ignoringCase ? model.lowercased() : model
        var nodes = [Node(step: NameStep(name: start, providers: []), parent: nil)]
        var seen: Set<String> = [start]
        var next = 0
        while next < nodes.count {
            let step = nodes[next].step
            let found = layers.price(step.name, version: version, ignoringCase: ignoringCase)
            if let found, step.accepts(found.entry) {
                // The name found is the entry's, but perhaps for case.
                var chain = [found.entry.model]
                var index = nodes[next].parent
                while let node = index {
                    chain.append(nodes[node].step.name)
                    index = nodes[node].parent
                }
                if chain.last != model { chain.append(model) }
                return PricedEntry(
                    found,
                    reference: PriceReference(
                        bookVersion: version, entry: found.entry.model, card: found.entry.card,
                        chain: chain.reversed()))
            }
            var steps: [NameStep] = []
            if let target = layers.alias(step.name, version: version, ignoringCase: ignoringCase) {
                // An alias says what it stands for, whoever serves it.
                steps.append(NameStep(name: target, providers: []))
            }
            steps += NameSteps.from(step)
            for step in steps where nodes.count < Self.maxNames && seen.insert(step.name).inserted {
                nodes.append(Node(step: step, parent: next))
            }
            next += 1
        }
        return nil
    }
}

extension NameStep {
    /// Entries of the operator's own often name no provider.
    fileprivate func accepts(_ entry: PriceEntry) -> Bool {
        providers.isEmpty || entry.provider.isEmpty
            || providers.contains { entry.provider.hasPrefix($0) }
    }
}

/// The cards that a resolution looks at.
private struct Layers {
    private let overrides: CardHistory?
    private let base: CardHistory?
    private let own: CardHistory?
    private let isRateCard: Bool

    init(_ catalog: PriceCatalog, card: String) {
        isRateCard = card != PriceCatalog.baseCard
        own = isRateCard ? catalog.history(of: card) : nil
        overrides = catalog.overrides.isEmpty ? nil : catalog.overrides
        base = catalog.base
    }

    func price(_ name: String, version: Int64, ignoringCase: Bool = false) -> StoredEntry? {
        for card in isRateCard ? [own] : [overrides, base] {
            guard let card else { continue }
            guard let found = card.entry(name, version, ignoringCase) else { continue }
            if found.entry.aliasOf.isEmpty { return found }
            // An alias on a card hides what the cards below have under the name.
            return nil
        }
        return nil
    }

    func alias(_ name: String, version: Int64, ignoringCase: Bool) -> String? {
        for card in [own, overrides, base] {
            guard let card, let found = card.entry(name, version, ignoringCase) else { continue }
            return found.entry.aliasOf.isEmpty ? nil : found.entry.aliasOf
        }
        return nil
    }
}

extension CardHistory {
    fileprivate func entry(_ name: String, _ version: Int64, _ ignoringCase: Bool) -> StoredEntry? {
        ignoringCase
            ? entry(ignoringCaseOf: name.lowercased(), version: version)
            : entry(name, version: version)
    }
}
