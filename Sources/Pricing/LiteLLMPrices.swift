// Import of prices in the form of LiteLLM's `model_prices_and_context_window.json`: one object,
// model name → members. Prices are JSON numbers in US dollars for one token or call; they are
// converted from their decimal text, never through floating point. What is read:
//
//   prices by the grammar of LiteLLMKeys.swift
//   search_context_cost_per_query    → web_search, the dearest of its context sizes
//   tiered_pricing                   → thresholds, where the model has no plain token price
//   regional_processing_uplift_multiplier_XX   → multiplier region=XX
//   regional_endpoint_uplift_multiplier        → multiplier endpoint=regional
//   provider_specific_entry          → {"us":1.1} multiplier region=us, {"fast":2} speed=fast
//   litellm_provider, mode, max_input_tokens, max_output_tokens, max_tokens, source and
//   deprecation_date
//
// Every other member whose name speaks of money is reported, as are entries left out: prices the
// book cannot express must not vanish unseen. Members that do not are ignored.

package import Billing
package import CanonicalJSON
import Money

package struct LiteLLMPrices: Sendable {
    /// Sorted by model; all pass `PriceEntry.checked()`.
    package var entries: [PriceEntry] = []
    /// What was not taken over, in the order of the file.
    package var issues: [Issue] = []

    package struct Issue: Sendable, Hashable {
        package var model: String
        /// The member of the model; empty when it is about the whole entry.
        package var key: String
        package var kind: Kind
    }

    package enum Kind: Sendable, Hashable {
        /// A price that the book has no place for.
        case unsupportedPrice
        /// Not a number, negative, or out of range.
        case unusableValue
        /// More digits than a rate has; rounded half to even to 10^-12.
        case rounded
        /// Two members price the same thing differently; the first was taken.
        case conflict
        /// The entry is left out: its mode is priced by other things than tokens.
        case skippedMode(String)
        /// The entry is left out: it cannot stand in a book.
        case skippedEntry(PriceEntryError)
    }

    /// - Throws: `JSONError`; `.unexpectedByte` when the file is not an object of objects.
    package static func parse(_ bytes: [UInt8]) throws(JSONError) -> LiteLLMPrices {
        let limits = JSONLimits(maxBytes: 64 << 20, maxDepth: 16, maxNodes: 5_000_000)
        guard case .object(let models) = try StrictJSON.parse(bytes, limits: limits) else {
            throw JSONError(.unexpectedByte, offset: 0, path: "")
        }
        var prices = LiteLLMPrices()
        for (model, value) in models.members where model != "sample_spec" {
            guard case .object(let members) = value else {
                throw JSONError(.unexpectedByte, offset: 0, path: model)
            }
            prices.add(model, members)
        }
        prices.entries.sort { $0.model < $1.model }
        return prices
    }

    private mutating func add(_ model: String, _ members: JSONObject) {
        let mode = members.text("mode")
        guard ["chat", "responses", "completion", "embedding"].contains(mode) else {
            issues.append(Issue(model: model, key: "", kind: .skippedMode(mode)))
            return
        }
        var reader = LiteLLMEntry(model: model, mode: mode)
        for (key, value) in members.members { reader.read(key, value) }
        reader.finish(members)
        issues += reader.issues
        do throws(PriceEntryError) {
            entries.append(try reader.entry.checked())
        } catch {
            issues.append(Issue(model: model, key: "", kind: .skippedEntry(error)))
        }
    }
}

/// One model of the file, while it is read.
private struct LiteLLMEntry {
    var entry: PriceEntry
    var issues: [LiteLLMPrices.Issue] = []

    init(model: String, mode: String) {
        entry = PriceEntry(model: model, mode: mode)
    }

    mutating func read(_ key: String, _ value: JSONValue) {
        if case .null = value { return }
        switch key {
        case "litellm_provider": entry.provider = value.text
        case "source": entry.source = value.text
        case "deprecation_date": entry.deprecationDate = value.text
        case "max_input_tokens": entry.maxInputTokens = value.tokens
        case "max_output_tokens": entry.maxOutputTokens = value.tokens
        case "search_context_cost_per_query": readSearch(key, value)
        case "regional_endpoint_uplift_multiplier":
            readMultiplier(key, value, attribute: "endpoint=regional")
        case "provider_specific_entry": readProviderSpecific(key, value)
        case "tiered_pricing": break
        default: readPrice(key, value)
        }
    }

    /// What depends on several members.
    mutating func finish(_ members: JSONObject) {
        if entry.maxOutputTokens == nil { entry.maxOutputTokens = members["max_tokens"]?.tokens }
        guard let tiers = members["tiered_pricing"] else { return }
        let hasPlainPrice = entry.rates.contains { $0.unit == .input && $0.tier == .standard }
        guard !hasPlainPrice, case .array(let bands) = tiers else {
            report("tiered_pricing", .unsupportedPrice)
            return
        }
        for band in bands { readBand(band) }
    }

    private mutating func report(_ key: String, _ kind: LiteLLMPrices.Kind) {
        issues.append(LiteLLMPrices.Issue(model: entry.model, key: key, kind: kind))
    }

    private mutating func readPrice(_ key: String, _ value: JSONValue) {
        let uplift = "regional_processing_uplift_multiplier_"
        if key.hasPrefix(uplift), key.count > uplift.count {
            readMultiplier(key, value, attribute: "region=\(key.dropFirst(uplift.count))")
        } else if let cell = PriceRate(liteLLMKey: key) {
            readRate(key, value, into: cell)
        } else if Self.speaksOfMoney(key) {
            report(key, .unsupportedPrice)
        }
    }

    private static func speaksOfMoney(_ key: String) -> Bool {
        let words = ["cost", "pric", "multiplier", "free_requests"]
        return words.contains { key.containsBytes(of: $0) }
    }

    private mutating func readRate(_ key: String, _ value: JSONValue, into cell: PriceRate) {
        guard let picos = picos(key, value) else { return }
        var cell = cell
        cell.rate = Rate(picos: picos)
        let same = entry.rates.first {
            $0.unit == cell.unit && $0.tier == cell.tier
                && $0.abovePromptTokens == cell.abovePromptTokens
        }
        guard let same else {
            entry.rates.append(cell)
            return
        }
        if same.rate != cell.rate { report(key, .conflict) }
    }

    /// A price in pico dollars.
    private mutating func picos(_ key: String, _ value: JSONValue) -> Int64? {
        guard let number = value.decimal, !number.isNegative,
            let scaled = number.scaled(places: 12)
        else {
            report(key, .unusableValue)
            return nil
        }
        if !scaled.isExact { report(key, .rounded) }
        return scaled.value
    }

    private mutating func readSearch(_ key: String, _ value: JSONValue) {
        guard case .object(let sizes) = value, !sizes.members.isEmpty else {
            report(key, .unusableValue)
            return
        }
        var dearest: Int64 = 0
        for (size, price) in sizes.members {
            guard let picos = picos("\(key).\(size)", price) else { return }
            dearest = max(dearest, picos)
        }
        entry.rates.append(PriceRate(unit: .webSearch, rate: Rate(picos: dearest)))
    }

    private mutating func readMultiplier(_ key: String, _ value: JSONValue, attribute: String) {
        guard let number = value.decimal, let scaled = number.scaled(places: 6), scaled.isExact,
            scaled.value > 0
        else {
            report(key, .unusableValue)
            return
        }
        if let same = entry.multipliers.first(where: { $0.attribute == attribute }) {
            if same.partsPerMillion != scaled.value { report(key, .conflict) }
            return
        }
        entry.multipliers.append(
            PriceMultiplier(attribute: attribute, partsPerMillion: scaled.value))
    }

    private mutating func readProviderSpecific(_ key: String, _ value: JSONValue) {
        guard case .object(let members) = value else {
            report(key, .unusableValue)
            return
        }
        for (name, factor) in members.members {
            let path = "\(key).\(name)"
            // Texts say how to call the model, not what it costs.
            guard factor.decimal != nil else { continue }
            if name == "fast" {
                readMultiplier(path, factor, attribute: "speed=fast")
            } else if name.utf8.count == 2 {
                readMultiplier(path, factor, attribute: "region=\(name)")
            } else {
                report(path, .unsupportedPrice)
            }
        }
    }

    /// `{"range":[32000.0, 128000.0], "input_cost_per_token":…}`: prices above 32,000 prompt
    /// tokens.
    private mutating func readBand(_ band: JSONValue) {
        guard case .object(let members) = band, case .array(let range) = members["range"],
            let start = range.first?.decimal?.scaled(places: 0), start.isExact, start.value >= 0
        else {
            report("tiered_pricing", .unusableValue)
            return
        }
        for (key, value) in members.members where key != "range" {
            guard var cell = PriceRate(liteLLMKey: key), cell.abovePromptTokens == 0 else {
                report("tiered_pricing.\(key)", .unsupportedPrice)
                continue
            }
            cell.abovePromptTokens = start.value
            readRate("tiered_pricing.\(key)", value, into: cell)
        }
    }
}

extension JSONObject {
    fileprivate func text(_ key: String) -> String { self[key]?.text ?? "" }
}

extension JSONValue {
    fileprivate var text: String {
        if case .string(let text) = self { text } else { "" }
    }

    fileprivate var decimal: DecimalNumber? {
        switch self {
        case .integer(let value): DecimalNumber(String(value))
        case .number(let text): DecimalNumber(text)
        default: nil
        }
    }

    /// A count of tokens; the file writes some as 128000.0, and 0 for unknown.
    fileprivate var tokens: Int64? {
        guard let scaled = decimal?.scaled(places: 0), scaled.isExact, scaled.value > 0 else {
            return nil
        }
        return scaled.value
    }
}
