// Values as text: RFC 8785 (JSON Canonicalization Scheme) for hashing and storing, an indented form
// for people.
//
// RFC 8785 knows only numbers that are IEEE 754 doubles. What this writer does with the others:
// - A number without fraction and exponent is never changed. Within ±(2⁵³ − 1) its digits are its
//   canonical form. Beyond, it is written when the canonical form of its double is those same
//   digits (2⁶⁸ as 295147905179352830000), and refused as `.inexactNumber` when it would become
//   another integer (2⁵³ + 1, 2⁶³ − 1). Such integers belong in strings.
// - A number with fraction or exponent is, by RFC 8785, the double nearest to it: 4.50 becomes 4.5,
//   333333333.33333329 becomes 333333333.3333333. One too large for a double is refused as
//   `.invalidNumber`; one too small becomes 0.

package enum CanonicalJSON {
    /// RFC 8785 bytes of `value`.
    ///
    /// - Throws: `.duplicateKey`, `.inexactNumber`, `.invalidNumber` (too large, or text that is
    ///   not a JSON number), `.tooDeep` beyond 128 levels.
    package static func encode(_ value: JSONValue) throws(JSONError) -> [UInt8] {
        var writer = JSONWriter(reservingCapacity: 512)
        try append(value, depth: 0, to: &writer)
        return writer.bytes
    }

    private static func append(
        _ value: JSONValue, depth: Int, to writer: inout JSONWriter
    ) throws(JSONError) {
        switch value {
        case .null: writer.null()
        case .bool(let flag): writer.bool(flag)
        case .integer(let integer):
            if integer.magnitude < 1 << 53 {
                writer.integer(integer)
            } else {
                try append(integerText: String(integer), to: &writer)
            }
        case .number(let text): try append(number: text, to: &writer)
        case .string(let text): writer.string(text)
        case .array(let elements):
            if depth == JSONLimits.deepestDepth { throw error(.tooDeep, writer) }
            writer.beginArray()
            for (index, element) in elements.enumerated() {
                do throws(JSONError) {
                    try append(element, depth: depth + 1, to: &writer)
                } catch {
                    var place = ""
                    JSONPath.appendIndex(index, to: &place)
                    throw error.inside(place)
                }
            }
            writer.endArray()
        case .object(let object):
            if depth == JSONLimits.deepestDepth { throw error(.tooDeep, writer) }
            try append(object, depth: depth, to: &writer)
        }
    }

    private static func append(
        _ object: JSONObject, depth: Int, to writer: inout JSONWriter
    ) throws(JSONError) {
        writer.beginObject()
        var previous: Int?
        for index in object.canonicalOrder {
            let member = object.members[index]
            do throws(JSONError) {
                if let previous, hasSameBytes(object.members[previous].key, member.key) {
                    throw error(.duplicateKey, writer)
                }
                writer.key(dynamic: member.key)
                try append(member.value, depth: depth + 1, to: &writer)
            } catch {
                var place = ""
                JSONPath.appendMember(member.key, to: &place)
                throw error.inside(place)
            }
            previous = index
        }
        writer.endObject()
    }

    private static func append(
        number text: String, to writer: inout JSONWriter
    ) throws(JSONError) {
        guard isJSONNumber(text) else { throw error(.invalidNumber, writer) }
        if isIntegerText(text) { return try append(integerText: text, to: &writer) }
        writer.raw(try ecmaScript(text, writer))
    }

    private static func append(
        integerText text: String, to writer: inout JSONWriter
    ) throws(JSONError) {
        let canonical = try ecmaScript(text, writer)
        guard canonical.elementsEqual(text.utf8) || text == "-0" else {
            throw error(.inexactNumber, writer)
        }
        writer.raw(canonical)
    }

    private static func ecmaScript(
        _ text: String, _ writer: JSONWriter
    ) throws(JSONError) -> [UInt8] {
        var bytes: [UInt8] = []
        guard let double = Double(text), appendECMAScriptNumber(double, to: &bytes) else {
            throw error(.invalidNumber, writer)
        }
        return bytes
    }

    private static func isJSONNumber(_ text: String) -> Bool {
        text.withUTF8Bytes { bytes in
            var cursor = JSONCursor(bytes)
            do {
                _ = try cursor.scanNumber()
                return cursor.position == bytes.count
            } catch {
                return false
            }
        }
    }

    private static func error(_ code: JSONError.Code, _ writer: JSONWriter) -> JSONError {
        JSONError(code, offset: writer.bytes.count, path: "")
    }
}

extension CanonicalJSON {
    /// Indented by two spaces, members in source order, numbers as written; no newline at the end.
    package static func pretty(_ value: JSONValue) -> String {
        var writer = JSONWriter()
        appendPretty(value, indent: 0, to: &writer.bytes)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static func appendPretty(_ value: JSONValue, indent: Int, to bytes: inout [UInt8]) {
        switch value {
        case .array(let elements) where !elements.isEmpty:
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                startLine(isFirst: index == 0, indent: indent + 1, in: &bytes)
                appendPretty(element, indent: indent + 1, to: &bytes)
            }
            endLines(indent: indent, in: &bytes)
            bytes.append(UInt8(ascii: "]"))
        case .object(let object) where !object.members.isEmpty:
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in object.members.enumerated() {
                startLine(isFirst: index == 0, indent: indent + 1, in: &bytes)
                appendScalar(.string(member.key), to: &bytes)
                bytes += [UInt8(ascii: ":"), UInt8(ascii: " ")]
                appendPretty(member.value, indent: indent + 1, to: &bytes)
            }
            endLines(indent: indent, in: &bytes)
            bytes.append(UInt8(ascii: "}"))
        default:
            appendScalar(value, to: &bytes)
        }
    }

    private static func startLine(isFirst: Bool, indent: Int, in bytes: inout [UInt8]) {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        endLines(indent: indent, in: &bytes)
    }

    private static func endLines(indent: Int, in bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\n"))
        bytes += repeatElement(UInt8(ascii: " "), count: 2 * indent)
    }

    /// A value without members or elements.
    private static func appendScalar(_ value: JSONValue, to bytes: inout [UInt8]) {
        JSONWriter.append(to: &bytes) { writer in
            switch value {
            case .null: writer.null()
            case .bool(let flag): writer.bool(flag)
            case .integer(let integer): writer.integer(integer)
            case .number(let text): writer.raw(Array(text.utf8))
            case .string(let text): writer.string(text)
            case .array:
                writer.beginArray()
                writer.endArray()
            case .object:
                writer.beginObject()
                writer.endObject()
            }
        }
    }
}

/// Whether the text of a number has neither fraction nor exponent.
func isIntegerText(_ text: String) -> Bool {
    text.utf8.allSatisfy { $0 != UInt8(ascii: ".") && $0 | 0x20 != UInt8(ascii: "e") }
}

extension JSONError {
    /// The same error, seen from the container in which `place` is.
    fileprivate func inside(_ place: String) -> JSONError {
        let isJoined = path.isEmpty || path.utf8.first == UInt8(ascii: "[")
        return JSONError(code, offset: offset, path: isJoined ? place + path : "\(place).\(path)")
    }
}
