import Billing
import Money
import Pricing

/// A small generator with a seed of its own, so that a failing case can be run again.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func int(_ range: ClosedRange<Int64>) -> Int64 {
        Int64.random(in: range, using: &self)
    }

    /// True once in `times`.
    mutating func one(in times: Int64) -> Bool { int(1...times) == 1 }
}

/// Prices in dollars per million tokens, keys as in the price file.
func entry(
    _ model: String, card: String = "", provider: String = "", mode: String = "chat",
    maxOutput: Int64? = nil, _ rates: [String: String], multipliers: [String: Int64] = [:]
) throws -> PriceEntry {
    let cells = try rates.map { key, price in
        guard var cell = PriceRate(fileKey: key) else { throw BadKey(key: key) }
        cell.rate = try Rate(decimalPerMillion: price)
        return cell
    }
    return try PriceEntry(
        model: model, card: card, provider: provider, mode: mode, maxOutputTokens: maxOutput,
        rates: cells,
        multipliers: multipliers.map { PriceMultiplier(attribute: $0, partsPerMillion: $1) }
    ).checked()
}

struct BadKey: Error { var key: String }

func alias(_ model: String, of target: String, card: String = "") -> PriceEntry {
    PriceEntry(model: model, card: card, aliasOf: target)
}

func catalog(_ entries: [PriceEntry]) -> PriceCatalog {
    var catalog = PriceCatalog()
    catalog.publish(version: 1, effectiveMicroseconds: 0, upserts: entries, removals: [])
    return catalog
}

func terms(_ entry: PriceEntry, card: PriceEntry? = nil, markup: Int64 = 0) -> RatingTerms {
    func priced(_ entry: PriceEntry) -> PricedEntry {
        PricedEntry(
            entry: entry,
            reference: PriceReference(
                bookVersion: 1, entry: entry.model, card: entry.card, chain: [entry.model]))
    }
    return RatingTerms(
        price: priced(entry), card: card.map(priced), markupPartsPerMillion: markup)
}

func usage(_ fill: (inout ReportedUsage) -> Void) -> ReportedUsage {
    var usage = ReportedUsage()
    fill(&usage)
    return usage
}

func counts(_ counts: [UsageUnit: Int64]) -> UsageCounts {
    var result = UsageCounts()
    for (unit, count) in counts { result[unit] = count }
    return result
}

/// The published prices, parsed once for all tests.
let builtIn = BuiltInPrices.load()
let book = catalog(builtIn.entries)

func builtInTerms(_ model: String) throws -> RatingTerms {
    guard
        let terms = book.terms(model: model, rateCard: nil, markupPartsPerMillion: 0, version: 1)
    else { throw BadKey(key: model) }
    return terms
}
