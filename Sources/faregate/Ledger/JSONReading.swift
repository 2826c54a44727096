import CanonicalJSON

// Reading answers for people: what is absent reads as nothing, unknown members are passed over,
// since answers may gain some.

extension JSONValue? {
    subscript(_ name: String) -> JSONValue? {
        guard case .object(let object) = self else { return nil }
        return object[name]
    }

    /// A string, or a number as it was written.
    var text: String? {
        switch self {
        case .string(let text), .number(let text): text
        case .integer(let number): String(number)
        default: nil
        }
    }

    /// As `text`; empty when there is none.
    var word: String { text ?? "" }

    var integer: Int64? {
        guard case .integer(let number) = self else { return nil }
        return number
    }

    var flag: Bool {
        guard case .bool(let flag) = self else { return false }
        return flag
    }

    var items: [JSONValue] {
        guard case .array(let items) = self else { return [] }
        return items
    }

    var members: [(key: String, value: JSONValue)] {
        guard case .object(let object) = self else { return [] }
        return object.members
    }

    /// The texts of an array, separated by commas.
    var list: String? {
        let texts = items.compactMap { Optional($0).text }
        return texts.isEmpty ? nil : texts.joined(separator: ", ")
    }
}

extension JSONValue {
    subscript(_ name: String) -> JSONValue? { Optional(self)[name] }
    var text: String? { Optional(self).text }
    var word: String { Optional(self).word }
    var items: [JSONValue] { Optional(self).items }
    var members: [(key: String, value: JSONValue)] { Optional(self).members }
}

/// Building bodies: members without a value are left out.
extension JSONObject {
    mutating func set(_ name: String, _ text: String?) {
        if let text { append(name, .string(text)) }
    }

    mutating func set(_ name: String, _ number: Int?) {
        if let number { append(name, .integer(Int64(number))) }
    }

    mutating func set(_ name: String, _ number: Int64?) {
        if let number { append(name, .integer(number)) }
    }

    mutating func set(_ name: String, list: [String]) {
        if !list.isEmpty { append(name, .array(list.map { .string($0) })) }
    }

    mutating func set(_ name: String, pairs: [NameValue]) {
        if !pairs.isEmpty {
            append(name, .object(JSONObject(pairs.map { ($0.name, .string($0.value)) })))
        }
    }

    mutating func set(_ name: String, _ object: JSONObject) {
        if !object.members.isEmpty { append(name, .object(object)) }
    }
}
