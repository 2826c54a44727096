package import Billing
import Money

/// Why an entry cannot stand in a price book.
package enum PriceEntryError: Error, Sendable, Hashable {
    /// Empty, longer than 256 bytes, or with control characters.
    case invalidModelName
    /// Longer than 256 bytes, with control characters, or the reserved name "ceiling".
    case invalidCard
    /// An alias that also has rates or multipliers, or stands for itself.
    case invalidAlias
    /// A rate below zero or above 1,000 units of the currency for a token, search or call.
    case rateOutOfRange(UsageUnit)
    /// A prompt-size threshold below zero or above 2^40.
    case thresholdOutOfRange(UsageUnit)
    /// Two rates for one unit, tier and threshold.
    case duplicateRate(UsageUnit, ServiceTier, abovePromptTokens: Int64)
    /// A multiplier whose attribute is not `name=value`, or not above 0 and up to 1,000, or that is
    /// there twice.
    case invalidMultiplier(String)
    /// Neither the tokens in (and out, unless it embeds) nor the call have a rate: usage would be
    /// free by omission.
    case incompleteRates
    /// A maximum of zero tokens or less, or above 2^40.
    case invalidMaxInput
    case invalidMaxOutput
    /// Not `YYYY-MM-DD`.
    case invalidDeprecationDate
}

extension PriceEntry {
    /// This entry with rates and multipliers sorted, when it may stand in a book.
    package func checked() throws(PriceEntryError) -> PriceEntry {
        guard !model.isEmpty, model.isName else { throw .invalidModelName }
        guard card.isName, card != Quoting.ceilingCard else { throw .invalidCard }
        let limits = 1...UsageReadings.maxCount
        guard maxInputTokens.map(limits.contains) ?? true else { throw .invalidMaxInput }
        guard maxOutputTokens.map(limits.contains) ?? true else { throw .invalidMaxOutput }
        guard deprecationDate.isEmpty || deprecationDate.isDate else {
            throw .invalidDeprecationDate
        }
        if !aliasOf.isEmpty {
            guard aliasOf.isName, aliasOf != model, rates.isEmpty, multipliers.isEmpty else {
                throw .invalidAlias
            }
            return self
        }
        var entry = self
        entry.rates = try sortedRates()
        entry.multipliers = try sortedMultipliers()
        guard isComplete else { throw .incompleteRates }
        return entry
    }

    private var isComplete: Bool {
        func has(_ unit: UsageUnit) -> Bool { rates.contains { $0.unit == unit } }
        return has(.request) || (has(.input) && (mode == "embedding" || has(.output)))
    }

    private func sortedRates() throws(PriceEntryError) -> [PriceRate] {
        for cell in rates {
            guard (0...1_000_000_000_000_000).contains(cell.rate.picos) else {
                throw .rateOutOfRange(cell.unit)
            }
            guard (0...UsageReadings.maxCount).contains(cell.abovePromptTokens) else {
                throw .thresholdOutOfRange(cell.unit)
            }
        }
        let sorted = rates.sorted {
            ($0.unit, $0.tier, $0.abovePromptTokens) < ($1.unit, $1.tier, $1.abovePromptTokens)
        }
        for (cell, following) in zip(sorted, sorted.dropFirst())
        where cell.unit == following.unit && cell.tier == following.tier
            && cell.abovePromptTokens == following.abovePromptTokens
        {
            throw .duplicateRate(cell.unit, cell.tier, abovePromptTokens: cell.abovePromptTokens)
        }
        return sorted
    }

    private func sortedMultipliers() throws(PriceEntryError) -> [PriceMultiplier] {
        let sorted = multipliers.sorted { $0.attribute < $1.attribute }
        var previous: String?
        for multiplier in sorted {
            let attribute = multiplier.attribute
            let parts = attribute.split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, attribute.isName,
                (1...1_000_000_000).contains(multiplier.partsPerMillion), attribute != previous
            else { throw .invalidMultiplier(attribute) }
            previous = attribute
        }
        return sorted
    }
}

extension String {
    fileprivate var isName: Bool {
        utf8.count <= PriceCatalog.maxNameBytes && utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }

    fileprivate var isDate: Bool {
        let bytes = Array(utf8)
        guard bytes.count == 10 else { return false }
        return bytes.indices.allSatisfy { index in
            index == 4 || index == 7
                ? bytes[index] == UInt8(ascii: "-") : (0x30...0x39).contains(bytes[index])
        }
    }
}
