// Functions as OpenAI's models read them. The provider does not publish the form. By comparing
// counts, users found a TypeScript namespace with one type for each function.
//
//   namespace functions {
//
//   // Get the current weather in a given location
//   type get_current_weather = (_: {
//   // The city and state, e.g. San Francisco, CA
//   location: string,
//   unit?: "celsius" | "fahrenheit",
//   }) => any;
//
//   } // namespace functions

import CanonicalJSON

struct ToolNamespace {
    private(set) var bytes: [UInt8] = Array("namespace functions {\n\n".utf8)

    mutating func add(name: String, description: String?, parameters: JSONValue?) {
        comment(description, indent: 0)
        let properties = parameters?["properties"]?.object
        bytes += "type \(name) = (".utf8
        if let parameters, let properties, !properties.members.isEmpty {
            bytes += "_: {\n".utf8
            self.properties(of: parameters, indent: 0)
            bytes += "}".utf8
        }
        bytes += ") => any;\n\n".utf8
    }

    consuming func finished() -> [UInt8] {
        bytes += "} // namespace functions".utf8
        return bytes
    }

    private mutating func comment(_ text: String?, indent: Int) {
        guard let text, !text.isEmpty else { return }
        pad(indent)
        bytes += "// ".utf8
        bytes += text.utf8
        bytes.append(UInt8(ascii: "\n"))
    }

    private mutating func pad(_ indent: Int) {
        bytes += repeatElement(UInt8(ascii: " "), count: indent)
    }

    private mutating func properties(of schema: JSONValue, indent: Int) {
        var required: Set<String> = []
        if case .array(let names)? = schema["required"] {
            for case .string(let name) in names { required.insert(name) }
        }
        for (name, property) in schema["properties"]?.object?.members ?? [] {
            comment(property["description"]?.text, indent: indent)
            pad(indent)
            bytes += name.utf8
            if !required.contains(name) { bytes.append(UInt8(ascii: "?")) }
            bytes += ": ".utf8
            type(property, indent: indent)
            bytes += ",\n".utf8
        }
    }

    private mutating func type(_ schema: JSONValue, indent: Int) {
        if case .array(let choices)? = schema["enum"] {
            for (place, choice) in choices.enumerated() {
                if place > 0 { bytes += " | ".utf8 }
                bytes += CompactJSON.bytes(of: choice)
            }
            return
        }
        switch schema["type"]?.text {
        case "string": bytes += "string".utf8
        case "integer", "number": bytes += "number".utf8
        case "boolean": bytes += "boolean".utf8
        case "null": bytes += "null".utf8
        case "array":
            type(schema["items"] ?? .null, indent: indent)
            bytes += "[]".utf8
        case "object" where schema["properties"]?.object?.members.isEmpty == false:
            bytes += "{\n".utf8
            properties(of: schema, indent: indent + 2)
            pad(indent)
            bytes += "}".utf8
        case "object": bytes += "object".utf8
        default: bytes += "any".utf8
        }
    }
}

extension JSONValue {
    var object: JSONObject? {
        if case .object(let object) = self { return object }
        return nil
    }

    /// A member of an object; nil for anything else.
    subscript(name: String) -> JSONValue? { object?[name] }
}
