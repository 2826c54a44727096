// Percent-encoding (RFC 3986), strictly: a `%` without two hex digits, bytes that are not UTF-8 and
// NUL are errors and not text.

/// Text of a path segment or query part; nil when it is not well-formed.
package func percentDecoded(_ text: Substring.UTF8View, plusIsSpace: Bool = false) -> String? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var rest = text.makeIterator()
    while let byte = rest.next() {
        switch byte {
        case UInt8(ascii: "%"):
            guard let high = rest.next().flatMap(hexValue), let low = rest.next().flatMap(hexValue)
            else { return nil }
            bytes.append(high << 4 | low)
        case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
        default: bytes.append(byte)
        }
    }
    if bytes.contains(0) { return nil }
    return String(validating: bytes, as: UTF8.self)
}

private func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}

/// Everything but RFC 3986's unreserved characters encoded: safe as a path segment and in a query.
package func percentEncoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"):
            bytes.append(byte)
        default:
            bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}

/// The items of a query, in order; nil when one is not well-formed.
func queryItems(_ query: String) -> [(name: String, value: String)]? {
    if query.isEmpty { return [] }
    var items: [(name: String, value: String)] = []
    for part in query.utf8.split(separator: UInt8(ascii: "&")) {
        let mark = part.firstIndex(of: UInt8(ascii: "="))
        let name = part[..<(mark ?? part.endIndex)]
        let value = mark.map { part[part.index(after: $0)...] } ?? part[part.endIndex...]
        guard let name = percentDecoded(name, plusIsSpace: true),
            let value = percentDecoded(value, plusIsSpace: true)
        else { return nil }
        items.append((name, value))
    }
    return items
}
