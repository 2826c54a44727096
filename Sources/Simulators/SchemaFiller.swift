// A value that fits a JSON schema, as a model in structured mode would write one: all properties,
// the first of what may be chosen, the least of what is bounded.

import CanonicalJSON

struct SchemaFiller {
    private let root: JSONValue
    private static let deepest = 16
    private static let largest = 9_007_199_254_740_991

    init(_ schema: JSONValue) { root = schema }

    /// As compact JSON.
    var text: String { value(root, depth: 0, name: "value").json }

    private func value(_ schema: JSONValue, depth: Int, name: String) -> JSONValue {
        guard depth < Self.deepest else { return .null }
        let schema = resolved(schema)
        if let constant = schema["const"] { return constant }
        if let first = schema["enum"]?.items.first { return first }
        for choice in ["anyOf", "oneOf", "allOf"] {
            if let first = schema[choice]?.items.first {
                return value(first, depth: depth + 1, name: name)
            }
        }
        let type = schema["type"]?.text ?? schema["type"]?.items.first?.text
        switch type {
        case "string": return .string(string(schema, name))
        case "integer": return .integer(Int64(integer(schema)))
        case "number": return .integer(Int64(integer(schema)))
        case "boolean": return .bool(true)
        case "null": return .null
        case "array":
            let count = max(1, min(schema["minItems"]?.integer ?? 1, 8))
            guard let item = schema["items"] else { return .array([]) }
            return .array((0..<count).map { _ in value(item, depth: depth + 1, name: name) })
        default: return object(schema, depth: depth)
        }
    }

    private func object(_ schema: JSONValue, depth: Int) -> JSONValue {
        var object = JSONObject()
        for (name, property) in schema["properties"]?.members ?? [] {
            object.append(name, value(property, depth: depth + 1, name: name))
        }
        return .object(object)
    }

    private func string(_ schema: JSONValue, _ name: String) -> String {
        switch schema["format"]?.text {
        case "date": return "2026-11-25"
        case "date-time": return "2026-11-25T12:00:00Z"
        case "time": return "12:00:00Z"
        case "email": return "someone@example.com"
        case "uri": return "https://example.com/"
        case "uuid": return "00000000-0000-4000-8000-000000000000"
        default: break
        }
        let text = "some \(name)"
        let shortest = min(schema["minLength"]?.integer ?? 0, 1_000)
        let padded = text + String(repeating: "x", count: max(0, shortest - text.count))
        return String(padded.prefix(schema["maxLength"]?.integer ?? .max))
    }

    private func integer(_ schema: JSONValue) -> Int {
        var number = 7
        if let least = schema["minimum"]?.integer { number = max(number, least) }
        if let least = schema["exclusiveMinimum"]?.integer, least < Self.largest {
            number = max(number, least + 1)
        }
        if let most = schema["maximum"]?.integer { number = min(number, most) }
        if let most = schema["exclusiveMaximum"]?.integer, most > -Self.largest {
            number = min(number, most - 1)
        }
        return min(max(number, -Self.largest), Self.largest)
    }

    /// Follows `#/$defs/Name`.
    private func resolved(_ schema: JSONValue) -> JSONValue {
        guard let reference = schema["$ref"]?.text, reference.hasPrefix("#/") else { return schema }
        var value = root
        for name in reference.dropFirst(2).split(separator: "/") {
            guard let next = value[String(name)] else { return .null }
            value = next
        }
        return value
    }
}
