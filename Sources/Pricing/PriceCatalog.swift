// All published versions of the price book.
//
// Version N is version N−1 with entries put in or taken out, and never changes afterwards. The
// catalog keeps one history for each name instead of a table for each version: [(version, entry or
// removed)], ascending. A version is read by taking, for each name, the last change at or before
// it; publishing costs what it changes, and versions share everything else.
//
// Names live on cards: "" holds the provider's prices, "override" the operator's corrections of
// them (looked at first), any other card is a customer rate card.

package import Billing

package struct PriceCatalog: Sendable {
    /// Card of the provider's own prices.
    package static let baseCard = ""
    /// Card of the operator's corrections; looked at before `baseCard`.
    package static let overrideCard = "override"

    private(set) var base = CardHistory()
    private(set) var overrides = CardHistory()
    private(set) var rateCards: [String: CardHistory] = [:]
    /// Ascending by (effective instant, version).
    private var timeline: [(effectiveMicroseconds: Int64, version: Int64)] = []
    /// Answers of `resolve` that took a search. A copy that is published to gets a cache of its
    /// own.
    private(set) var resolutions = ResolutionCache()

    package init() {}

    /// The newest version; 0 before the first.
    package var latestVersion: Int64 { Int64(timeline.count) }

    /// Adds the next version.
    ///
    /// - Parameters:
    ///   - version: `latestVersion` + 1.
    ///   - removals: names to take out, before the upserts are put in. Unknown ones are ignored.
    /// - Precondition: the entries passed `PriceEntry.checked()`.
    package mutating func publish(
        version: Int64, effectiveMicroseconds: Int64, upserts: [PriceEntry],
        removals: [(model: String, card: String)]
    ) {
        precondition(version == latestVersion + 1, "versions are published in order")
        for removal in removals {
            withCard(removal.card) { $0.record(nil, for: removal.model, version: version) }
        }
        for entry in upserts {
            withCard(entry.card) { $0.record(entry, for: entry.model, version: version) }
        }
        let place = timeline.lastIndex { $0.effectiveMicroseconds <= effectiveMicroseconds }
        timeline.insert((effectiveMicroseconds, version), at: (place ?? -1) + 1)
        resolutions = ResolutionCache()
    }

    /// The version in force at an instant: of those effective by then the latest effective one, the
    /// higher version among equals. Nil before the first.
    package func version(at microseconds: Int64) -> Int64? {
        var low = 0
        var high = timeline.count
        while low < high {
            let middle = (low + high) / 2
            if timeline[middle].effectiveMicroseconds <= microseconds {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low == 0 ? nil : timeline[low - 1].version
    }

    /// The entry of exactly this name, as it stood in a version.
    package func entry(model: String, card: String, version: Int64) -> PriceEntry? {
        history(of: card)?.entry(model, version: version)?.entry
    }

    /// All entries of a version, sorted by card and name; of one card when it is named.
    package func entries(version: Int64, card: String? = nil) -> [PriceEntry] {
        let cards = card.map { [$0] } ?? cards(version: version)
        return cards.flatMap { history(of: $0)?.entries(version: version) ?? [] }
    }

    /// Names of the cards that have entries in a version, sorted; "" is the provider prices.
    package func cards(version: Int64) -> [String] {
        let named = [Self.baseCard: base, Self.overrideCard: overrides]
            .merging(rateCards) { _, second in second }
        return named.filter { $0.value.hasEntries(version: version) }.map(\.key).sorted()
    }

    func history(of card: String) -> CardHistory? {
        switch card {
        case Self.baseCard: base
        case Self.overrideCard: overrides
        default: rateCards[card]
        }
    }

    private mutating func withCard(_ card: String, _ change: (inout CardHistory) -> Void) {
        switch card {
        case Self.baseCard: change(&base)
        case Self.overrideCard: change(&overrides)
        default: change(&rateCards[card, default: CardHistory()])
        }
    }
}

/// The histories of all names of one card.
struct CardHistory: Sendable {
    private struct Change {
        var version: Int64
        /// Nil: removed.
        var entry: StoredEntry?
    }

    private var changes: [String: [Change]] = [:]
    /// Names by their lower-case form.
    private var names: [String: [String]] = [:]

    var isEmpty: Bool { changes.isEmpty }

    mutating func record(_ entry: PriceEntry?, for model: String, version: Int64) {
        let change = Change(version: version, entry: entry.map(StoredEntry.init))
        if changes[model] == nil {
            if entry == nil { return }
            names[model.lowercased(), default: []].append(model)
        }
        if let last = changes[model]?.last, last.version == version {
            changes[model]?.removeLast()
        }
        changes[model, default: []].append(change)
    }

    func entry(_ model: String, version: Int64) -> StoredEntry? {
        guard let history = changes[model] else { return nil }
        return Self.entry(in: history, version: version)
    }

    /// The entry whose name differs in case only; nil when there are several.
    func entry(ignoringCaseOf lowercased: String, version: Int64) -> StoredEntry? {
        let found = (names[lowercased] ?? []).compactMap { entry($0, version: version) }
        return found.count == 1 ? found[0] : nil
    }

    func entries(version: Int64) -> [PriceEntry] {
        changes.values.compactMap { Self.entry(in: $0, version: version)?.entry }
            .sorted { $0.model < $1.model }
    }

    func hasEntries(version: Int64) -> Bool {
        changes.values.contains { Self.entry(in: $0, version: version) != nil }
    }

    private static func entry(in history: [Change], version: Int64) -> StoredEntry? {
        history.last { $0.version <= version }?.entry
    }
}
