package import Billing
package import Money

/// What would change between two sets of entries, for people to approve.
package struct PriceDiff: Sendable, Hashable {
    /// Sorted by name, as are the other lists.
    package var added: [PriceEntry] = []
    package var removed: [PriceEntry] = []
    package var changed: [EntryChange] = []

    package var isEmpty: Bool { added.isEmpty && removed.isEmpty && changed.isEmpty }

    package struct EntryChange: Sendable, Hashable {
        package var model: String
        package var card: String
        package var rates: [RateChange]
        /// Everything that is not a rate: limits, alias, mode, multipliers, source …
        package var fields: [FieldChange]
    }

    package struct RateChange: Sendable, Hashable {
        package var unit: UsageUnit
        package var tier: ServiceTier
        package var abovePromptTokens: Int64
        /// Nil: the rate is new.
        package var old: Rate?
        /// Nil: the rate is gone.
        package var new: Rate?

        /// The change in hundredths of a per cent, rounded half to even; nil without an old rate
        /// above zero or without a new one, and beyond ±9·10^16 per cent.
        package var basisPoints: Int64? {
            guard let old, let new, old.picos > 0 else { return nil }
            let difference = (Int128(new.picos) - Int128(old.picos)) * 10_000
            return Int64(exactly: roundedHalfToEven(difference, dividedBy: Int128(old.picos)))
        }

        /// The change as people read it: "+12.5%", "-50%", "new", "gone".
        package var percentText: String {
            guard old != nil else { return "new" }
            guard new != nil else { return "gone" }
            guard let basisPoints else { return "was 0" }
            let (whole, hundredths) = basisPoints.magnitude.quotientAndRemainder(dividingBy: 100)
            let sign = basisPoints < 0 ? "-" : "+"
            if hundredths == 0 { return "\(sign)\(whole)%" }
            let places = hundredths % 10 == 0 ? "\(hundredths / 10)" : hundredths.twoDigits
            return "\(sign)\(whole).\(places)%"
        }
    }

    package struct FieldChange: Sendable, Hashable {
        package var name: String
        /// Empty: absent.
        package var old: String
        package var new: String
    }

    /// Compares entries by (card, model).
    package static func between(old: [PriceEntry], new: [PriceEntry]) -> PriceDiff {
        let olds = byName(old)
        let news = byName(new)
        var diff = PriceDiff()
        for (name, entry) in news where olds[name] == nil { diff.added.append(entry) }
        for (name, entry) in olds {
            guard let other = news[name] else {
                diff.removed.append(entry)
                continue
            }
            if let change = change(from: entry, to: other) { diff.changed.append(change) }
        }
        diff.added.sort { ($0.card, $0.model) < ($1.card, $1.model) }
        diff.removed.sort { ($0.card, $0.model) < ($1.card, $1.model) }
        diff.changed.sort { ($0.card, $0.model) < ($1.card, $1.model) }
        return diff
    }

    private struct Name: Hashable {
        var card: String
        var model: String
    }

    private struct Cell: Hashable {
        var unit: UsageUnit
        var tier: ServiceTier
        var abovePromptTokens: Int64
    }

    /// Where a name is there twice, the last one stands, as it would in a book.
    private static func byName(_ entries: [PriceEntry]) -> [Name: PriceEntry] {
        var named: [Name: PriceEntry] = [:]
        for entry in entries { named[Name(card: entry.card, model: entry.model)] = entry }
        return named
    }

    private static func cells(_ entry: PriceEntry) -> [Cell: Rate] {
        var cells: [Cell: Rate] = [:]
        for cell in entry.rates {
            let key = Cell(
                unit: cell.unit, tier: cell.tier, abovePromptTokens: cell.abovePromptTokens)
            cells[key] = cell.rate
        }
        return cells
    }

    private static func change(from old: PriceEntry, to new: PriceEntry) -> EntryChange? {
        let (oldCells, newCells) = (cells(old), cells(new))
        var rates: [RateChange] = []
        for cell in Set(oldCells.keys).union(newCells.keys) where oldCells[cell] != newCells[cell] {
            rates.append(
                RateChange(
                    unit: cell.unit, tier: cell.tier, abovePromptTokens: cell.abovePromptTokens,
                    old: oldCells[cell], new: newCells[cell]))
        }
        rates.sort {
            ($0.unit, $0.tier, $0.abovePromptTokens) < ($1.unit, $1.tier, $1.abovePromptTokens)
        }
        let (oldFields, newFields) = (fields(old), fields(new))
        var changes: [FieldChange] = []
        for (before, after) in zip(oldFields, newFields) where before.text != after.text {
            changes.append(FieldChange(name: before.name, old: before.text, new: after.text))
        }
        if rates.isEmpty && changes.isEmpty { return nil }
        return EntryChange(model: old.model, card: old.card, rates: rates, fields: changes)
    }

    private static func fields(_ entry: PriceEntry) -> [(name: String, text: String)] {
        let multipliers = entry.multipliers.map { "\($0.attribute) ×\($0.factorText)" }
        return [
            ("provider", entry.provider),
            ("mode", entry.mode),
            ("alias_of", entry.aliasOf),
            ("max_input", entry.maxInputTokens.map(String.init) ?? ""),
            ("max_output", entry.maxOutputTokens.map(String.init) ?? ""),
            ("multipliers", multipliers.sorted().joined(separator: ", ")),
            ("source", entry.source),
            ("deprecation_date", entry.deprecationDate),
        ]
    }
}

extension UInt64 {
    fileprivate var twoDigits: String { self < 10 ? "0\(self)" : "\(self)" }
}
