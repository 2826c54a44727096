// A file of prices and how it differs from the ledger's book.

import Billing
import CanonicalJSON
import HTTPAPI
import Money
import Pricing
import Server

/// Prices read from a file, of either form.
struct PriceSheet {
    var entries: [PriceEntry]
    /// What the file is, for the version's `source`.
    var source: String
    /// ISO 4217 code of its figures.
    var currency: String
    /// What was not taken over, each a line.
    var issues: [String]

    /// - Parameter isLiteLLM: the file has the form of LiteLLM's list instead of the project's own.
    static func read(_ path: String, isLiteLLM: Bool) throws(CommandFailure) -> PriceSheet {
        let bytes: [UInt8]
        do throws(WholeFile.Failure) {
            bytes = try WholeFile.read(path)
        } catch {
            throw CommandFailure(.inputOutput, "\(error)")
        }
        return isLiteLLM ? try liteLLM(bytes, path) : try own(bytes, path)
    }

    private static func own(_ bytes: [UInt8], _ path: String) throws(CommandFailure) -> PriceSheet {
        do throws(PriceFileError) {
            let file = try PriceFile.parse(bytes)
            return PriceSheet(
                entries: file.entries, source: "\(file.name), \(file.date)",
                currency: file.currency, issues: [])
        } catch {
            throw CommandFailure(
                .usage, "\(path): \(error) (LiteLLM's list is read with --litellm)")
        }
    }

    private static func liteLLM(
        _ bytes: [UInt8], _ path: String
    ) throws(CommandFailure) -> PriceSheet {
        let prices: LiteLLMPrices
        do throws(JSONError) {
            prices = try LiteLLMPrices.parse(bytes)
        } catch {
            throw CommandFailure(.usage, "\(path): \(error)")
        }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return PriceSheet(
            entries: prices.entries, source: "LiteLLM: \(name)", currency: "USD",
            issues: prices.issues.compactMap(text))
    }

    /// Nil for what is left out by design: entries priced by other things than tokens.
    private static func text(_ issue: LiteLLMPrices.Issue) -> String? {
        let place = issue.key.isEmpty ? issue.model : "\(issue.model): \(issue.key)"
        switch issue.kind {
        case .unsupportedPrice: return "\(place) is a price that the book has no place for"
        case .unusableValue: return "\(place) is not a price"
        case .rounded: return "\(place) was rounded"
        case .conflict: return "\(place) contradicts another member"
        case .skippedMode: return nil
        case .skippedEntry(let error): return "\(place) \(error.member) \(error.predicate)"
        }
    }
}

/// The ledger's newest price book, and what a sheet would change in it.
struct PriceChange {
    var diff: PriceDiff
    /// Added and changed entries as they are to be published.
    var upserts: [PriceEntry]

    /// - Parameter prune: take out what the book has on the sheet's cards and the sheet has not.
    static func of(
        _ sheet: PriceSheet, prune: Bool, in ledger: LedgerSession
    ) async throws(CommandFailure) -> PriceChange {
        let latest = try await latestEntries(ledger, currency: sheet.currency)
        let names = Set(sheet.entries.map { PriceEntryName(model: $0.model, card: $0.card) })
        let cards = Set(sheet.entries.map(\.card))
        var old: [PriceEntry] = []
        for value in latest {
            let entry = try entry(value)
            let isNamed = names.contains(PriceEntryName(model: entry.model, card: entry.card))
            if isNamed || (prune && cards.contains(entry.card)) { old.append(entry) }
        }
        let diff = PriceDiff.between(old: old, new: sheet.entries)
        let changed = Set(diff.changed.map { PriceEntryName(model: $0.model, card: $0.card) })
        let upserts =
            diff.added
            + sheet.entries.filter {
                changed.contains(PriceEntryName(model: $0.model, card: $0.card))
            }
        return PriceChange(diff: diff, upserts: upserts)
    }

    /// What the newest version holds, in force or not yet: the next one builds on it.
    private static func latestEntries(
        _ ledger: LedgerSession, currency: String
    ) async throws(CommandFailure) -> [JSONValue] {
        let response = try await ledger.client.send(
            .get("price-book").asking([("limit", "1"), ("version", "1")]))
        // A ledger of another currency than the built-in prices starts without any version.
        let isEmpty = response.status == 404
        let about =
            isEmpty
            ? try await ledger.client.ask(.get("events", "1"))["data"] : try response.json()
        guard isEmpty || response.isSuccess else {
            throw CommandFailure(refusing: try response.json(), response.status)
        }
        guard about["currency"].text == currency else {
            throw CommandFailure(
                .usage,
                "the prices are in \(currency), the ledger in \(about["currency"].word):"
                    + " rates are never converted")
        }
        if isEmpty { return [] }
        return try await ledger.all(
            APIRequest.get("price-book").asking([("version", about["latest"].text)]))
    }

    private static func entry(_ value: JSONValue) throws(CommandFailure) -> PriceEntry {
        do throws(FieldError) {
            return try PriceEntry(fields: try JSONFields(value))
        } catch {
            throw CommandFailure(.negative, "the server's price book cannot be read: \(error)")
        }
    }

    /// The body that publishes it.
    func body(source: String, effectiveAt: String?) -> JSONObject {
        var body = JSONObject()
        body.set("source", source)
        body.set("effective_at", effectiveAt)
        if !upserts.isEmpty {
            body.append("entries", .array(upserts.map { .object(Self.json($0)) }))
        }
        if !diff.removed.isEmpty {
            body.append(
                "removals",
                .array(
                    diff.removed.map { entry in
                        var name = JSONObject()
                        name.set("model", entry.model)
                        if !entry.card.isEmpty { name.set("card", entry.card) }
                        return .object(name)
                    }))
        }
        return body
    }

    /// An entry in the form of the API and of the price file.
    private static func json(_ entry: PriceEntry) -> JSONObject {
        var object = JSONObject()
        func set(_ name: String, _ text: String) { if !text.isEmpty { object.set(name, text) } }
        set("model", entry.model)
        set("card", entry.card)
        set("provider", entry.provider)
        set("mode", entry.mode)
        set("alias_of", entry.aliasOf)
        object.set("max_input", entry.maxInputTokens)
        object.set("max_output", entry.maxOutputTokens)
        object.set(
            "rates",
            JSONObject(
                entry.rates.map { ($0.fileKey, .string($0.rate.decimalPerMillionText)) }))
        object.set(
            "multipliers",
            JSONObject(
                entry.multipliers.map {
                    (
                        $0.attribute,
                        .string(Rate(picos: $0.partsPerMillion).decimalPerMillionText)
                    )
                }))
        set("source", entry.source)
        set("deprecation_date", entry.deprecationDate)
        return object
    }

    // MARK: For people and for scripts

    /// A line for every rate or field that differs.
    func text() -> String {
        var table = Table([
            .text("Model"), .text("Card"), .text("What"), .money("Old"), .money("New"),
            .text("Change"),
        ])
        for change in diff.changed {
            for rate in change.rates {
                table.add([
                    change.model, change.card, Self.name(rate),
                    rate.old?.decimalPerMillionText ?? "", rate.new?.decimalPerMillionText ?? "",
                    rate.percentText,
                ])
            }
            for field in change.fields {
                table.add([
                    change.model, change.card, field.name, "", "",
                    "\(field.old.isEmpty ? "none" : field.old)"
                        + " → \(field.new.isEmpty ? "none" : field.new)",
                ])
            }
        }
        for (entries, word) in [(diff.added, "new model"), (diff.removed, "taken out")] {
            for entry in entries {
                table.add([entry.model, entry.card, Self.summary(entry), "", "", word])
            }
        }
        let counts =
            "\(grouped(diff.added.count)) added, \(grouped(diff.changed.count)) changed, "
            + "\(grouped(diff.removed.count)) taken out"
        return diff.isEmpty ? "Nothing would change." : table.text() + "\n" + counts + "."
    }

    var json: JSONValue {
        let changed = diff.changed.map { change -> JSONValue in
            var object = JSONObject()
            object.set("model", change.model)
            object.set("card", change.card)
            let rates = change.rates.map { rate -> JSONValue in
                var cell = JSONObject()
                cell.set("rate", Self.name(rate))
                cell.set("old", rate.old?.decimalPerMillionText)
                cell.set("new", rate.new?.decimalPerMillionText)
                return .object(cell)
            }
            let fields = change.fields.map { field -> JSONValue in
                .object(
                    JSONObject([
                        ("field", .string(field.name)), ("old", .string(field.old)),
                        ("new", .string(field.new)),
                    ]))
            }
            object.append("rates", .array(rates))
            object.append("fields", .array(fields))
            return .object(object)
        }
        return .object(
            JSONObject([
                ("added", .array(diff.added.map { .object(Self.json($0)) })),
                ("changed", .array(changed)),
                ("removed", .array(diff.removed.map { .object(Self.json($0)) })),
            ]))
    }

    private static func name(_ rate: PriceDiff.RateChange) -> String {
        PriceRate(
            unit: rate.unit, tier: rate.tier, abovePromptTokens: rate.abovePromptTokens
        ).fileKey
    }

    private static func summary(_ entry: PriceEntry) -> String {
        if !entry.aliasOf.isEmpty { return "alias of \(entry.aliasOf)" }
        let plain = entry.rates.filter { $0.tier == .standard && $0.abovePromptTokens == 0 }
        let texts = plain.prefix(3).map { "\($0.unit.rawValue) \($0.rate.decimalPerMillionText)" }
        return texts.joined(separator: ", ")
    }
}
