// Reading what a client sent, and writing what a provider answers, with little ceremony. A provider
// ignores members that it does not know, so nothing here refuses any.

import CanonicalJSON

extension JSONValue {
    /// A member of an object; nil where there is none, or it is null.
    subscript(_ name: String) -> JSONValue? {
        guard case .object(let object) = self, let value = object[name] else { return nil }
        if case .null = value { return nil }
        return value
    }

    var text: String? {
        if case .string(let text) = self { return text }
        return nil
    }

    var integer: Int? {
        if case .integer(let integer) = self { return Int(integer) }
        return nil
    }

    var flag: Bool? {
        if case .bool(let flag) = self { return flag }
        return nil
    }

    /// Elements of an array; none of anything else.
    var items: [JSONValue] {
        if case .array(let items) = self { return items }
        return []
    }

    /// Members of an object; none of anything else.
    var members: [(key: String, value: JSONValue)] {
        if case .object(let object) = self { return object.members }
        return []
    }

    /// What was made here is always writable; what a client sent may hold integers that canonical
    /// JSON has no form for, and is then written indented.
    var bytes: [UInt8] {
        (try? CanonicalJSON.encode(self)) ?? Array(CanonicalJSON.pretty(self).utf8)
    }

    /// The same as text.
    var json: String { String(decoding: bytes, as: UTF8.self) }
}

/// An object written down: `json(["id": .string("x")])`.
func json(_ members: KeyValuePairs<String, JSONValue>) -> JSONValue {
    var object = JSONObject()
    for (name, value) in members { object.append(name, value) }
    return .object(object)
}

func count(_ number: Int) -> JSONValue { .integer(Int64(number)) }

func optional(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
