// The project's own file of prices, `faregate-price-book` version 1: JSON, one model a line, so
// that a change of prices reads as a diff. JSON Schema: schemas/price-book.schema.json.
//
//   format, format_version   "faregate-price-book", 1
//   name, date, note         what the file is, when its figures were collected, how they were read
//   currency                 ISO 4217 code of every figure
//   sources                  short id → where a figure was published; each text once
//   models                   the entries, sorted by card and model
//
// An entry:
//
//   model        the name, as callers write it
//   card         "override" or the name of a rate card; absent for provider prices
//   provider, mode, deprecation_date
//   alias_of     instead of rates: the name stands for that model
//   max_input, max_output    tokens; absent where not published
//   rates        key → price of a million units, exact decimal text. The key is the unit, `@` and
//                the tier if it is not standard, `>` and the prompt size above which it holds:
//                {"input":"5","input>272000":"10","input@batch":"2.5","web_search":"10000"}
//   multipliers  `name=value` → factor on all rates: {"region=us":"1.1"}
//   source       an id of `sources`, or the text itself

package import Billing
package import CanonicalJSON
import Money

package struct PriceFile: Sendable, Hashable {
    package static let format = "faregate-price-book"
    package static let formatVersion = 1

    package var name: String
    package var date: String
    package var note: String
    package var currency: String
    package var entries: [PriceEntry]

    package init(
        name: String, date: String, note: String = "", currency: String = "USD",
        entries: [PriceEntry] = []
    ) {
        self.name = name
        self.date = date
        self.note = note
        self.currency = currency
        self.entries = entries
    }
}

/// Why a file is no price book.
package enum PriceFileError: Error, Sendable, Equatable, CustomStringConvertible {
    case json(JSONError)
    /// A member is missing, unknown or of the wrong form, or an entry cannot stand in a book.
    case field(FieldError)

    package var description: String {
        switch self {
        case .json(let error): "\(error)"
        case .field(let error): "\(error)"
        }
    }
}

extension PriceFile {
    /// Room for a book of some ten thousand models.
    private static let limits = JSONLimits(maxDepth: 8, maxNodes: 1_000_000)
    private static let maxEntries = 50_000

    /// Reads a file; every entry has passed `PriceEntry.checked()`.
    package static func parse(_ bytes: [UInt8]) throws(PriceFileError) -> PriceFile {
        let value: JSONValue
        do throws(JSONError) {
            value = try StrictJSON.parse(bytes, limits: limits)
        } catch {
            throw .json(error)
        }
        return try file(value)
    }

    static func parse(_ bytes: UnsafeRawBufferPointer) throws(PriceFileError) -> PriceFile {
        let value: JSONValue
        do throws(JSONError) {
            value = try StrictJSON.parse(bytes, limits: limits)
        } catch {
            throw .json(error)
        }
        return try file(value)
    }

    private static func file(_ value: JSONValue) throws(PriceFileError) -> PriceFile {
        do throws(FieldError) {
            return try readingFields { () throws(FieldError) in try PriceFile(value) }
        } catch {
            throw .field(error)
        }
    }

    private init(_ value: JSONValue) throws(FieldError) {
        var fields = try JSONFields(value)
        guard try fields.string("format") == Self.format else {
            throw fields.error(.invalid, "format", "must be \"\(Self.format)\"")
        }
        guard try fields.int("format_version") == Self.formatVersion else {
            throw fields.error(.invalid, "format_version", "must be \(Self.formatVersion)")
        }
        self.init(
            name: try fields.string("name", maxBytes: 256),
            date: try fields.string("date", maxBytes: 32),
            note: try fields.optionalString("note", maxBytes: 65_536) ?? "",
            currency: try fields.string("currency", minBytes: 3, maxBytes: 3))
        var sources: [String: String] = [:]
        for (id, text) in try fields.stringMap("sources", maxCount: 10_000, maxBytes: 1_024) {
            sources[id] = text
        }
        let models = try fields.objects("models", maxCount: Self.maxEntries)
        try fields.rejectUnknown()

        entries.reserveCapacity(models.count)
        for model in models {
            entries.append(try PriceEntry(fields: model, sources: sources))
        }
        entries.sort { ($0.card, $0.model) < ($1.card, $1.model) }
        for (entry, following) in zip(entries, entries.dropFirst())
        where entry.model == following.model && entry.card == following.card {
            throw fields.error(.invalid, "models", "has \(entry.model) twice")
        }
    }

    /// The file's text: the same entries give the same bytes.
    package func serialized() -> [UInt8] {
        let ids = SourceIds(entries.map(\.source))
        var text = FileText()
        text.line("{")
        text.line("\"format\":\(quoted(Self.format)),")
        text.line("\"format_version\":\(Self.formatVersion),")
        text.line("\"name\":\(quoted(name)),")
        text.line("\"date\":\(quoted(date)),")
        text.line("\"currency\":\(quoted(currency)),")
        if !note.isEmpty { text.line("\"note\":\(quoted(note)),") }
        text.line("\"sources\":{")
        text.list(ids.sorted.map { "\(quoted($0.id)):\(quoted($0.text))" })
        text.line("},")
        text.line("\"models\":[")
        let sorted = entries.sorted { ($0.card, $0.model) < ($1.card, $1.model) }
        text.list(sorted.map { $0.fileText(source: ids[$0.source]) })
        text.line("]")
        text.line("}")
        return text.bytes
    }
}

/// Lines of the file.
private struct FileText {
    private(set) var bytes: [UInt8] = []

    mutating func line(_ text: String) {
        bytes.append(contentsOf: text.utf8)
        bytes.append(UInt8(ascii: "\n"))
    }

    mutating func list(_ items: [String]) {
        for (index, item) in items.enumerated() {
            line(index == items.count - 1 ? item : item + ",")
        }
    }
}

/// Short names for source texts. They come from the text, not from its place in a list, so that a
/// new source does not rename the others.
private struct SourceIds {
    private var ids: [String: String] = [:]

    init(_ texts: [String]) {
        var taken: Set<UInt32> = []
        for text in Set(texts).sorted() where !text.isEmpty {
            // FNV-1a, 32 bits.
            var hash: UInt32 = 2_166_136_261
            for byte in text.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
            while !taken.insert(hash).inserted { hash &+= 1 }
            let hex = String(hash, radix: 16)
            ids[text] = String(repeating: "0", count: 8 - hex.utf8.count) + hex
        }
    }

    subscript(_ text: String) -> String { ids[text] ?? "" }

    var sorted: [(id: String, text: String)] {
        ids.map { (id: $0.value, text: $0.key) }.sorted { $0.text < $1.text }
    }
}
