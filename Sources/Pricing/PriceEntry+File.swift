// Entries in the form of the price file (PriceFile.swift), which is also their form in the API.

package import Billing
package import CanonicalJSON
import Money

extension PriceEntry {
    /// Reads an entry and checks that it can stand in a book.
    ///
    /// - Parameter sources: texts that the member `source` may name by id.
    package init(fields: JSONFields, sources: [String: String] = [:]) throws(FieldError) {
        var fields = fields
        self.init(model: try fields.string("model", minBytes: 1, maxBytes: 256))
        card = try fields.optionalString("card", maxBytes: 256) ?? ""
        provider = try fields.optionalString("provider", maxBytes: 256) ?? ""
        mode = try fields.optionalString("mode", maxBytes: 64) ?? ""
        aliasOf = try fields.optionalString("alias_of", minBytes: 1, maxBytes: 256) ?? ""
        maxInputTokens = try fields.optionalInt("max_input").map(Int64.init)
        maxOutputTokens = try fields.optionalInt("max_output").map(Int64.init)
        deprecationDate = try fields.optionalString("deprecation_date", maxBytes: 32) ?? ""
        let source = try fields.optionalString("source", maxBytes: 1_024) ?? ""
        self.source = sources[source] ?? source
        if let cells = try fields.optionalObject("rates") { rates = try Self.rates(cells) }
        if let factors = try fields.optionalObject("multipliers") {
            multipliers = try Self.multipliers(factors)
        }
        try fields.rejectUnknown()
        do throws(PriceEntryError) {
            self = try checked()
        } catch {
            throw fields.error(
                .invalid, error.member, "of \(model) \(error.predicate)")
        }
    }

    private static func rates(_ fields: JSONFields) throws(FieldError) -> [PriceRate] {
        var fields = fields
        var rates: [PriceRate] = []
        rates.reserveCapacity(fields.object.members.count)
        for (key, _) in fields.object.members {
            guard var cell = PriceRate(fileKey: key) else {
                throw fields.error(
                    .invalid, key, "must be named unit, unit@tier, or either with >tokens")
            }
            let text = try fields.decimalText(key)
            do throws(MoneyError) {
                cell.rate = try Rate(decimalPerMillion: text)
            } catch {
                throw fields.error(
                    .invalid, key,
                    "must be a price for a million units: a decimal with at most six places")
            }
            rates.append(cell)
        }
        return rates
    }

    private static func multipliers(_ fields: JSONFields) throws(FieldError) -> [PriceMultiplier] {
        var fields = fields
        var multipliers: [PriceMultiplier] = []
        for (key, _) in fields.object.members {
            let text = try fields.decimalText(key)
            do throws(MoneyError) {
                let parts = try Rate(decimalPerMillion: text).picos
                multipliers.append(PriceMultiplier(attribute: key, partsPerMillion: parts))
            } catch {
                throw fields.error(
                    .invalid, key, "must be a decimal factor with at most six places")
            }
        }
        return multipliers
    }

    /// One line of the file.
    func fileText(source sourceId: String) -> String {
        var members = ["\"model\":\(quoted(model))"]
        func add(_ name: String, _ text: String) {
            if !text.isEmpty { members.append("\"\(name)\":\(quoted(text))") }
        }
        add("card", card)
        add("provider", provider)
        add("mode", mode)
        add("alias_of", aliasOf)
        if let maxInputTokens { members.append("\"max_input\":\(maxInputTokens)") }
        if let maxOutputTokens { members.append("\"max_output\":\(maxOutputTokens)") }
        if !rates.isEmpty {
            let cells = rates.map { "\"\($0.fileKey)\":\"\($0.rate.decimalPerMillionText)\"" }
            members.append("\"rates\":{\(cells.joined(separator: ","))}")
        }
        if !multipliers.isEmpty {
            let factors = multipliers.map { "\(quoted($0.attribute)):\"\($0.factorText)\"" }
            members.append("\"multipliers\":{\(factors.joined(separator: ","))}")
        }
        add("source", sourceId)
        add("deprecation_date", deprecationDate)
        return "{\(members.joined(separator: ","))}"
    }
}

extension PriceRate {
    /// `unit`, `unit@tier`, `unit>tokens`, `unit@tier>tokens`.
    package var fileKey: String {
        let place = tier == .standard ? unit.rawValue : "\(unit.rawValue)@\(tier.rawValue)"
        return abovePromptTokens == 0 ? place : "\(place)>\(abovePromptTokens)"
    }

    /// A cell with a rate of zero; nil when the key is none.
    package init?(fileKey key: String) {
        var place = key[...]
        var threshold: Int64 = 0
        if let mark = key.firstIndex(of: ">") {
            place = key[..<mark]
            let digits = key[key.index(after: mark)...]
            // One way to write each number.
            guard let tokens = Int64(digits), tokens > 0, String(tokens) == digits else {
                return nil
            }
            threshold = tokens
        }
        var tier = ServiceTier.standard
        if let mark = place.firstIndex(of: "@") {
            guard let named = ServiceTier(rawValue: String(place[place.index(after: mark)...])),
                named != .standard
            else { return nil }
            tier = named
            place = place[..<mark]
        }
        guard let unit = UsageUnit(rawValue: String(place)) else { return nil }
        self.init(unit: unit, tier: tier, abovePromptTokens: threshold)
    }
}

extension PriceMultiplier {
    /// The factor as a decimal: "1.1".
    var factorText: String { Rate(picos: partsPerMillion).decimalPerMillionText }
}

extension PriceEntryError {
    /// The member of an entry that is at fault.
    package var member: String {
        switch self {
        case .invalidModelName: "model"
        case .invalidCard: "card"
        case .invalidAlias: "alias_of"
        case .rateOutOfRange, .thresholdOutOfRange, .duplicateRate, .incompleteRates: "rates"
        case .invalidMultiplier: "multipliers"
        case .invalidMaxInput: "max_input"
        case .invalidMaxOutput: "max_output"
        case .invalidDeprecationDate: "deprecation_date"
        }
    }

    /// What is wrong with it: "must …".
    package var predicate: String {
        switch self {
        case .invalidModelName: "must have 1 to 256 bytes and no control characters"
        case .invalidCard:
            "must have at most 256 bytes, no control characters, and not be \"ceiling\""
        case .invalidAlias: "must name another model, and an alias has no rates of its own"
        case .rateOutOfRange(let unit): "must price \(unit.rawValue) between 0 and 1000 a unit"
        case .thresholdOutOfRange(let unit):
            "must have thresholds of \(unit.rawValue) between 0 and 2^40 tokens"
        case .duplicateRate(let unit, let tier, let above):
            "must price \(unit.rawValue) at \(tier.rawValue) above \(above) tokens only once"
        case .incompleteRates:
            "must price input, and output unless the model embeds, or the request"
        case .invalidMultiplier(let attribute):
            "must be name=value with one factor above 0 and up to 1000, unlike \(attribute)"
        case .invalidMaxInput, .invalidMaxOutput: "must be between 1 and 2^40"
        case .invalidDeprecationDate: "must be a date, YYYY-MM-DD"
        }
    }
}

/// A JSON string.
func quoted(_ text: String) -> String {
    var writer = JSONWriter(reservingCapacity: text.utf8.count + 2)
    writer.string(text)
    return String(decoding: writer.bytes, as: UTF8.self)
}
