// The price book: read at any version, published one version at a time.

import Billing
import CanonicalJSON
import Engine
import Money
import Pricing

extension API {
    func getPriceBook(_ call: APICall) async throws(APIError) -> APIResponse {
        let limit = try call.limit()
        let model = try call.queryID("model")
        let card = call.queryText("card")
        if let card, card.utf8.count > 256 || !card.hasNoControlCharacters {
            throw .invalid(
                "card must have at most 256 bytes and no control characters", param: "card")
        }
        let after = try call.after()
        let clock = engine.clock
        let (book, now) = try await read { view in
            (view.state.priceBook, max(clock.now(), view.state.time))
        }
        let catalog = prices.catalog(of: book)
        let inForce = catalog.version(at: now.microseconds)
        let version = try call.queryInteger("version", in: 1...1_000_000_000) ?? inForce
        guard let version, version <= book.count else {
            throw .notFound("The price book has no such version.", param: "version")
        }
        var result = PriceBookAnswer(
            published: book[Int(version) - 1], latest: Int64(book.count), inForce: inForce,
            cards: catalog.cards(version: version), currency: currency)
        if let model {
            guard
                let found = catalog.resolve(model: model, card: card ?? "", version: version)
            else {
                throw .notFound("There is no price for model '\(model)'.", param: "model")
            }
            result.chain = found.reference.chain
            result.entries = [found.entry]
        } else {
            result.turn(to: after, limit: limit, in: catalog.entries(version: version, card: card))
        }
        return APIResponse(status: 200, body: result.body())
    }

    func listPriceVersions(_ call: APICall) async throws(APIError) -> APIResponse {
        let limit = try call.limit()
        let after = try call.queryInteger("after", in: 0...(1 << 53 - 1)) ?? 0
        let book = try await read { $0.state.priceBook }
        let following = book.dropFirst(Int(after))
        let shown = Array(following.prefix(limit))
        return page(
            shown, hasMore: following.count > limit, next: shown.last.map { String($0.version) }
        ) { json, version in json.priceVersion(version) }
    }

    func publishPrices(_ call: APICall) async throws(APIError) -> APIResponse {
        try call.requireAllProjects()
        let body = try call.body(maxNodes: 2_000_000)
        let input = try reading { () throws(FieldError) in try PublishInput(body) }
        let clock = engine.clock
        let reply = try await gate.passing { () throws(APIError) in
            let (versions, now) = try await read { view in
                (view.state.priceBook.count, max(clock.now(), view.state.time))
            }
            var event = input.event
            event.version = Int64(versions) + 1
            event.effectiveAt = input.effectiveAt ?? now
            let request = try call.write(.publishPrices(event), project: "", body)
            if event.effectiveAt < now, try await self.isNew(request) {
                throw .invalid(
                    "effective_at must not be in the past: history is never repriced",
                    param: "effective_at")
            }
            return try await submit(request)
        }
        guard let recorded = reply.event, case .priceBookPublished(let event) = recorded.event
        else {
            throw otherRequest
        }
        let answer = JSONWriter.document { json in
            json.priceVersion(event, number: recorded.sequence)
        }
        return replayed(APIResponse(status: 201, body: answer), reply)
    }
}

private struct PublishInput: Sendable {
    var event = PriceBookPublished()
    var effectiveAt: Instant?

    private static let entriesMax = 50_000

    init(_ fields: JSONFields) throws(FieldError) {
        var fields = fields
        effectiveAt = try fields.optionalTime("effective_at")
        event.source = try fields.string("source", maxBytes: 1_024)
        guard event.source.hasNoControlCharacters else {
            throw fields.error(.invalid, "source", "must not contain control characters")
        }
        var names: Set<PriceEntryName> = []
        for entry in try fields.optionalObjects("entries", maxCount: Self.entriesMax) ?? [] {
            let entry = try PriceEntry(fields: entry)
            guard names.insert(PriceEntryName(model: entry.model, card: entry.card)).inserted else {
                throw fields.error(.invalid, "entries", "must not name \(entry.model) twice")
            }
            event.upserts.append(entry)
        }
        for removal in try fields.optionalObjects("removals", maxCount: Self.entriesMax) ?? [] {
            var removal = removal
            let name = PriceEntryName(
                model: try removal.id("model"), card: try removal.optionalText("card") ?? "")
            try removal.rejectUnknown()
            event.removals.append(name)
        }
        try fields.rejectUnknown()
        if event.upserts.isEmpty && event.removals.isEmpty {
            throw fields.error(.invalid, "entries", "or removals must name at least one model")
        }
    }
}

/// A version of the book, or one page of it.
private struct PriceBookAnswer {
    var published: PriceBookPublished
    var latest: Int64
    var inForce: Int64?
    var cards: [String]
    var currency: String
    var chain: [String]?
    var entries: [PriceEntry] = []
    var next: String?

    /// Entries are sorted by card and model; the cursor is both, encoded, with a bar between them.
    mutating func turn(to after: String?, limit: Int, in all: [PriceEntry]) {
        var rest = all[...]
        if let after, let mark = after.utf8.firstIndex(of: UInt8(ascii: "|")) {
            let card = percentDecoded(after.utf8[..<mark]) ?? ""
            let model = percentDecoded(after.utf8[after.utf8.index(after: mark)...]) ?? ""
            rest = rest.drop { ($0.card, $0.model) <= (card, model) }
        }
        entries = Array(rest.prefix(limit))
        if rest.count > limit, let last = entries.last {
            next = percentEncoded(last.card) + "|" + percentEncoded(last.model)
        }
    }

    func body() -> [UInt8] {
        JSONWriter.document(reservingCapacity: 256 + entries.count * 512) { json in
            json.member("cards", cards)
            if let chain { json.member("chain", chain) }
            json.member("currency", currency)
            json.list("data", entries) { json, entry in json.priceEntry(entry) }
            json.member("effective_at", published.effectiveAt)
            json.member("has_more", next != nil)
            json.member("in_force", ifPresent: inForce)
            json.member("latest", latest)
            json.member("next", ifPresent: next)
            json.member("source", published.source)
            json.member("version", published.version)
        }
    }
}

extension JSONWriter {
    fileprivate mutating func priceVersion(_ event: PriceBookPublished, number: UInt64? = nil) {
        member("effective_at", event.effectiveAt)
        member("entries", event.upserts.count)
        member("event", ifPresent: number)
        member("removals", event.removals.count)
        member("source", event.source)
        member("version", event.version)
    }

    /// In the form of the price file, which is also that of `entries` in a publication.
    mutating func priceEntry(_ entry: PriceEntry) {
        object { json in
            if !entry.aliasOf.isEmpty { json.member("alias_of", entry.aliasOf) }
            json.member("card", entry.card)
            if !entry.deprecationDate.isEmpty {
                json.member("deprecation_date", entry.deprecationDate)
            }
            json.member("max_input", ifPresent: entry.maxInputTokens)
            json.member("max_output", ifPresent: entry.maxOutputTokens)
            if !entry.mode.isEmpty { json.member("mode", entry.mode) }
            json.member("model", entry.model)
            json.object("multipliers") { json in
                let sorted = entry.multipliers.sorted {
                    $0.attribute.utf16.lexicographicallyPrecedes($1.attribute.utf16)
                }
                for multiplier in sorted {
                    json.key(dynamic: multiplier.attribute)
                    json.string(Rate(picos: multiplier.partsPerMillion).decimalPerMillionText)
                }
            }
            if !entry.provider.isEmpty { json.member("provider", entry.provider) }
            json.object("rates") { json in
                let cells = entry.rates.map { (key: $0.fileKey, rate: $0.rate) }
                for cell in cells.sorted(by: { $0.key < $1.key }) {
                    json.key(dynamic: cell.key)
                    json.string(cell.rate.decimalPerMillionText)
                }
            }
            if !entry.source.isEmpty { json.member("source", entry.source) }
        }
    }
}
