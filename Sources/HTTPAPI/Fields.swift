// The forms that the fields of bodies have, beyond JSON's own types.
//
//   id       text of 1 to 256 bytes, no control characters (below U+0020, and U+007F)
//   operator id  the id of a project, plan, budget or key: 1 to 128 ASCII letters, digits and ._:-
//            Two texts of Unicode may look the same, and be the same to Swift, and differ in their
//            bytes. Callers' own ids are told apart by their bytes; what an operator names is made
//            of characters for which there is no such question.
//   text     the same, may be empty
//   money    decimal text in major units, at most nine places; never a JSON number
//   time     RFC 3339 with `Z` or an offset, at most six digits of fraction
//   count    integer of 0 to 10¹²

import Billing
package import CanonicalJSON
import Money
import TimeZones

extension JSONFields {
    /// Same as `LedgerLimits.tokensMax`, for fields that count.
    private static let countMax = Int(LedgerLimits.tokensMax)

    // MARK: Text

    package mutating func id(_ name: String) throws(FieldError) -> String {
        try checked(try string(name, minBytes: 1, maxBytes: 256), name)
    }

    package mutating func optionalID(_ name: String) throws(FieldError) -> String? {
        try optionalText(name, minBytes: 1, maxBytes: 256)
    }

    mutating func operatorID(_ name: String) throws(FieldError) -> String {
        try checkedOperatorID(try string(name, minBytes: 1), name)
    }

    mutating func optionalOperatorID(_ name: String) throws(FieldError) -> String? {
        guard let text = try optionalString(name, minBytes: 1) else { return nil }
        return try checkedOperatorID(text, name)
    }

    private func checkedOperatorID(_ text: String, _ name: String) throws(FieldError) -> String {
        guard text.isOperatorID else { throw error(.invalid, name, String.operatorIDForm) }
        return text
    }

    mutating func optionalText(
        _ name: String, minBytes: Int = 0, maxBytes: Int = 256
    ) throws(FieldError) -> String? {
        guard let text = try optionalString(name, minBytes: minBytes, maxBytes: maxBytes) else {
            return nil
        }
        return try checked(text, name)
    }

    mutating func reason(_ name: String) throws(FieldError) -> String {
        try checked(try string(name, minBytes: 1, maxBytes: 1_024), name)
    }

    mutating func optionalReason(_ name: String) throws(FieldError) -> String? {
        try optionalText(name, minBytes: 1, maxBytes: 1_024)
    }

    private func checked(_ text: String, _ name: String) throws(FieldError) -> String {
        guard text.hasNoControlCharacters else {
            throw error(.invalid, name, "must not contain control characters")
        }
        return text
    }

    // MARK: Numbers

    mutating func count(_ name: String) throws(FieldError) -> Int64 {
        Int64(try int(name, in: 0...Self.countMax))
    }

    mutating func optionalCount(_ name: String) throws(FieldError) -> Int64? {
        try optionalInt(name, in: 0...Self.countMax).map(Int64.init)
    }

    /// Money in a range, zero to `LedgerLimits.amountMax` unless told otherwise.
    mutating func optionalMoney(
        _ name: String, in range: ClosedRange<Money> = .zero...LedgerLimits.amountMax
    ) throws(FieldError) -> Money? {
        guard let text = try optionalDecimalText(name) else { return nil }
        do throws(MoneyError) {
            let amount = try Money(decimal: text)
            if range.contains(amount) { return amount }
        } catch {
            if error == .malformed {
                throw self.error(
                    .invalid, name, "must be a decimal amount with at most nine places")
            }
        }
        throw error(
            .outOfRange, name,
            "must be between \(range.lowerBound.decimalText) and \(range.upperBound.decimalText)")
    }

    mutating func money(
        _ name: String, in range: ClosedRange<Money> = .zero...LedgerLimits.amountMax
    ) throws(FieldError) -> Money {
        guard let amount = try optionalMoney(name, in: range) else {
            // What is null is there, and of the wrong type.
            _ = try decimalText(name)
            return range.upperBound
        }
        return amount
    }

    /// Price of a million units.
    mutating func rate(_ name: String) throws(FieldError) -> Rate {
        let text = try decimalText(name)
        guard let rate = try? Rate(decimalPerMillion: text), rate >= .zero,
            rate.picos < 1_000_000_000_000_000
        else {
            throw error(
                .invalid, name,
                "must be a price for a million units: a decimal of 0 to below 1,000,000,000 with "
                    + "at most six places")
        }
        return rate
    }

    // MARK: Times

    mutating func optionalTime(_ name: String) throws(FieldError) -> Instant? {
        guard let text = try optionalString(name, maxBytes: 64) else { return nil }
        guard let microseconds = try? RFC3339.parse(text) else {
            throw error(
                .invalid, name,
                "must be an RFC 3339 time with at most six digits of fraction, as "
                    + "2026-11-22T14:45:19Z")
        }
        return Instant(microseconds: microseconds)
    }

    // MARK: Labels

    /// At most 16, sorted by key.
    mutating func tags(_ name: String) throws(FieldError) -> [Tag] {
        guard var members = try optionalObject(name) else { return [] }
        let names = members.object.members.map(\.key)
        if names.count > 16 { throw error(.outOfRange, name, "must have at most 16 members") }
        var tags: [Tag] = []
        for key in names {
            guard (1...256).contains(key.utf8.count), key.hasNoControlCharacters else {
                throw members.error(
                    .invalid, key,
                    "must have a name of 1 to 256 bytes without control characters")
            }
            tags.append(Tag(key: key, value: try members.optionalText(key) ?? ""))
        }
        return tags.sorted()
    }

    /// `{"region":"us"}` as `["region=us"]`, sorted.
    mutating func attributes(_ name: String) throws(FieldError) -> [String] {
        guard var members = try optionalObject(name) else { return [] }
        let names = members.object.members.map(\.key)
        if names.count > 16 { throw error(.outOfRange, name, "must have at most 16 members") }
        var attributes: [String] = []
        for key in names {
            guard (1...64).contains(key.utf8.count), key.isAttributePart else {
                throw members.error(
                    .invalid, key,
                    "must have a name of 1 to 64 bytes without = and control characters")
            }
            let value = try members.string(key, minBytes: 1, maxBytes: 128)
            guard value.isAttributePart else {
                throw members.error(.invalid, key, "must not contain = or control characters")
            }
            attributes.append(key + "=" + value)
        }
        return attributes.sorted()
    }
}

extension String {
    static let operatorIDForm = "must be 1 to 128 ASCII letters, digits and . _ : -"

    var isOperatorID: Bool {
        (1...128).contains(utf8.count)
            && utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: ":"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    fileprivate var isAttributePart: Bool {
        utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "=") }
    }
}
