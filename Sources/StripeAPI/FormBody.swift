// Parameters as Stripe's v1 API takes them: `application/x-www-form-urlencoded`, nested names in
// brackets (`payload[value]=25`, `items[0][price]=price_1`). Names and values are escaped as
// Stripe's SDKs escape them: letters, digits, brackets and `-._~` stand as they are, a space is
// `+`. An absent value is not sent; an empty one asks Stripe to unset the field.

package struct FormBody: Sendable, Equatable {
    package private(set) var text = ""

    package init() {}

    package var bytes: [UInt8] { Array(text.utf8) }
    package var isEmpty: Bool { text.isEmpty }

    package mutating func add(_ name: String, _ value: String?) {
        guard let value else { return }
        if !text.isEmpty { text += "&" }
        Self.escape(name, keepingBrackets: true, into: &text)
        text += "="
        Self.escape(value, keepingBrackets: true, into: &text)
    }

    package mutating func add(_ name: String, _ value: Int64?) {
        add(name, value.map { String($0) })
    }

    package mutating func add(_ name: String, _ value: Bool?) {
        add(name, value.map { $0 ? "true" : "false" })
    }

    /// `name[0]=…&name[1]=…`
    package mutating func add(_ name: String, _ values: [String]) {
        for (index, value) in values.enumerated() { add("\(name)[\(index)]", value) }
    }

    /// `name[key]=value`, the keys in order.
    package mutating func add(_ name: String, _ values: [String: String]) {
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            add("\(name)[\(key)]", value)
        }
    }

    private static func escape(_ value: String, keepingBrackets: Bool, into text: inout String) {
        let digits = Array("0123456789ABCDEF")
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: "[") where keepingBrackets, UInt8(ascii: "]") where keepingBrackets:
                text.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: " "): text += "+"
            default:
                text += "%"
                text.append(digits[Int(byte >> 4)])
                text.append(digits[Int(byte & 15)])
            }
        }
    }

    /// A part of a path.
    package static func escapedPath(_ part: String) -> String {
        var text = ""
        escape(part, keepingBrackets: false, into: &text)
        return text.split(separator: "+", omittingEmptySubsequences: false).joined(separator: "%20")
    }
}
