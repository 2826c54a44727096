// Comma-separated values (RFC 4180): rows end with CRLF, a cell with a comma, a quotation mark or a
// line break stands in quotation marks, and quotation marks in it are doubled. The first row names
// the columns.
//
// A spreadsheet takes a cell that begins with = + - or @ for a formula, and ids are whatever
// callers make them. Such text gets an apostrophe in front, which spreadsheets do not show. Numbers
// are ours and stay as they are.

struct CSVTable {
    private(set) var bytes: [UInt8] = []
    private var isRowEmpty = true

    /// Somebody's text.
    mutating func text(_ text: String) {
        let isFormula = text.utf8.first.map { Self.formulaStarts.contains($0) } ?? false
        cell(isFormula ? "'" + text : text)
    }

    /// A number, a date or the name of a column: text of our own.
    mutating func plain(_ text: String) { cell(text) }

    mutating func endRow() {
        bytes.append(contentsOf: [0x0D, 0x0A])
        isRowEmpty = true
    }

    private static let formulaStarts: Set<UInt8> = [
        UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), 0x09, 0x0D,
    ]

    private mutating func cell(_ text: String) {
        if !isRowEmpty { bytes.append(UInt8(ascii: ",")) }
        isRowEmpty = false
        let quotation = UInt8(ascii: "\"")
        let needsQuotes = text.utf8.contains {
            $0 == quotation || $0 == UInt8(ascii: ",") || $0 == 0x0A || $0 == 0x0D
        }
        guard needsQuotes else { return bytes.append(contentsOf: text.utf8) }
        bytes.append(quotation)
        for byte in text.utf8 {
            if byte == quotation { bytes.append(quotation) }
            bytes.append(byte)
        }
        bytes.append(quotation)
    }
}

/// Whether an Accept header (RFC 9110, section 12.5.1) prefers CSV to JSON. What names both alike
/// gets what it names first; what names neither gets JSON.
func prefersCSV(_ accept: String?) -> Bool { prefers("text/csv", accept) }

/// Whether an Accept header prefers `type`, a text type, to JSON.
func prefers(_ type: String, _ accept: String?) -> Bool {
    guard let accept, accept.utf8.count <= 1_024 else { return false }
    var text: (weight: Int, place: Int)?
    var json: (weight: Int, place: Int)?
    for (place, item) in accept.split(separator: ",").enumerated() {
        let parts = item.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
        guard let range = parts.first?.lowercased() else { continue }
        let weight = parts.dropFirst().compactMap(qualityWeight).first ?? 1_000
        switch range {
        case type, "text/*": text = text ?? (weight, place)
        case "application/json", "application/*", "*/*": json = json ?? (weight, place)
        default: break
        }
    }
    guard let text, text.weight > 0 else { return false }
    guard let json else { return true }
    return text.weight == json.weight ? text.place < json.place : text.weight > json.weight
}

/// Thousandths of `q=0.5`; nil for another parameter, or a malformed one.
private func qualityWeight(_ parameter: String) -> Int? {
    guard parameter.lowercased().hasPrefix("q=") else { return nil }
    let text = parameter.dropFirst(2)
    if text == "1" || text.hasPrefix("1.") { return 1_000 }
    guard text.hasPrefix("0") else { return nil }
    let digits = text.dropFirst(2).prefix(3)
    guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Int(digits + String(repeating: "0", count: 3 - digits.count))
}
