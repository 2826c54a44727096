package import Billing

/// An entry of the price book, found, with the reference that pins it for ever.
package struct PricedEntry: Sendable, Hashable {
    /// Shared with the catalog: an entry is a dozen texts and arrays, and terms are made for each
    /// call.
    private let stored: StoredEntry
    package let reference: PriceReference

    package init(entry: PriceEntry, reference: PriceReference) {
        stored = StoredEntry(entry)
        self.reference = reference
    }

    init(_ stored: StoredEntry, reference: PriceReference) {
        self.stored = stored
        self.reference = reference
    }

    package var entry: PriceEntry { stored.entry }

    package static func == (a: PricedEntry, b: PricedEntry) -> Bool {
        a.reference == b.reference && (a.stored === b.stored || a.entry == b.entry)
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(reference) }
}

/// An entry that several values share.
final class StoredEntry: Sendable {
    let entry: PriceEntry
    /// The chain of a name that is found at once: itself.
    let chain: [String]

    init(_ entry: PriceEntry) {
        self.entry = entry
        chain = [entry.model]
    }
}

/// All that rating needs besides the usage: what the provider asks, and what the customer pays.
package struct RatingTerms: Sendable, Hashable {
    /// The provider's price: what the call costs us.
    package var price: PricedEntry
    /// The customer's own price for the model. When there is one it makes the charge, without
    /// markup.
    package var card: PricedEntry?
    /// On cost where no card decides, in parts per million: 200,000 is 20 %. At least −1,000,000.
    package var markupPartsPerMillion: Int64
    /// Marks that every figure made on these terms carries.
    package var marks: [RatingMark]

    package init(
        price: PricedEntry, card: PricedEntry? = nil, markupPartsPerMillion: Int64 = 0,
        marks: [RatingMark] = []
    ) {
        self.price = price
        self.card = card
        self.markupPartsPerMillion = markupPartsPerMillion
        self.marks = marks
    }
}
