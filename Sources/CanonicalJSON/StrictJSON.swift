// The reader for bodies that bear money.
//
// The whole input is one RFC 8259 value. Beyond the grammar (JSONCursor.swift) it refuses what
// other readers let pass in different ways, because two readers that understand one body
// differently are how a hold and its settlement come to disagree: duplicate member names (compared
// unescaped), lone surrogates, a byte order mark, invalid UTF-8, anything after the value. Numbers
// are never rounded.

/// Reads JSON strictly.
package enum StrictJSON {
    /// - Throws: `JSONError` with the place of the first fault.
    package static func parse(
        _ bytes: [UInt8], limits: JSONLimits = .standard
    ) throws(JSONError) -> JSONValue {
        try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) in
            try parse(buffer, limits)
        }
    }

    package static func parse(
        _ bytes: UnsafeRawBufferPointer, limits: JSONLimits = .standard
    ) throws(JSONError) -> JSONValue {
        try bytes.withMemoryRebound(to: UInt8.self) { (buffer) throws(JSONError) in
            try parse(buffer, limits)
        }
    }

    package static func parse(
        _ bytes: RawSpan, limits: JSONLimits = .standard
    ) throws(JSONError) -> JSONValue {
        try bytes.withUnsafeBytes { (buffer) throws(JSONError) in
            try parse(buffer, limits: limits)
        }
    }

    package static func parse(
        _ text: String, limits: JSONLimits = .standard
    ) throws(JSONError) -> JSONValue {
        try parse(Array(text.utf8), limits: limits)
    }

    private static func parse(
        _ bytes: UnsafeBufferPointer<UInt8>, _ limits: JSONLimits
    ) throws(JSONError) -> JSONValue {
        guard bytes.count <= limits.maxBytes else {
            throw JSONError(.tooLarge, offset: limits.maxBytes, path: "")
        }
        var parser = StrictParser(bytes, limits: limits)
        do {
            return try parser.document()
        } catch {
            throw JSONError(error, in: bytes)
        }
    }
}

private struct StrictParser {
    private var cursor: JSONCursor
    private let maxDepth: Int
    private var nodesLeft: Int

    init(_ bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits) {
        cursor = JSONCursor(bytes, maxStringBytes: limits.maxStringBytes)
        maxDepth = limits.maxDepth
        nodesLeft = limits.maxNodes
    }

    mutating func document() throws(JSONFailure) -> JSONValue {
        let result = try value(depth: 0)
        cursor.skipSpace()
        guard cursor.position == cursor.bytes.count else {
            throw JSONFailure(.trailingBytes, cursor.position)
        }
        return result
    }

    /// - Parameter depth: containers open around the value.
    private mutating func value(depth: Int) throws(JSONFailure) -> JSONValue {
        cursor.skipSpace()
        let byte = try cursor.current()
        if nodesLeft == 0 { throw JSONFailure(.tooManyValues, cursor.position) }
        nodesLeft &-= 1
        switch byte {
        case UInt8(ascii: "\""):
            let token = try cursor.scanString()
            return .string(cursor.text(of: token))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return try number()
        case UInt8(ascii: "{"):
            if depth == maxDepth { throw JSONFailure(.tooDeep, cursor.position) }
            return .object(try object(depth: depth + 1))
        case UInt8(ascii: "["):
            if depth == maxDepth { throw JSONFailure(.tooDeep, cursor.position) }
            return .array(try array(depth: depth + 1))
        case UInt8(ascii: "t"):
            try cursor.expect(literal: "true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try cursor.expect(literal: "false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try cursor.expect(literal: "null")
            return .null
        default:
            throw JSONFailure(.unexpectedByte, cursor.position)
        }
    }

    private mutating func number() throws(JSONFailure) -> JSONValue {
        let start = cursor.position
        if let integer = try cursor.scanNumber() { return .integer(integer) }
        if cursor.position - start > cursor.maxStringBytes {
            throw JSONFailure(.stringTooLong, start)
        }
        return .number(cursor.text(ofNumberFrom: start))
    }

    private mutating func object(depth: Int) throws(JSONFailure) -> JSONObject {
        cursor.position &+= 1
        cursor.skipSpace()
        if try cursor.current() == UInt8(ascii: "}") {
            cursor.position &+= 1
            return JSONObject()
        }
        var members: [(key: String, value: JSONValue)] = []
        members.reserveCapacity(depth == 1 ? 16 : 8)
        var names = MemberNameCheck()
        while true {
            cursor.skipSpace()
            let start = cursor.position
            let name = cursor.text(of: try cursor.scanString())
            if names.isDuplicate(name, among: members) { throw JSONFailure(.duplicateKey, start) }
            cursor.skipSpace()
            try cursor.expect(UInt8(ascii: ":"))
            members.append((key: name, value: try value(depth: depth)))
            cursor.skipSpace()
            if try cursor.current() == UInt8(ascii: "}") { break }
            try cursor.expect(UInt8(ascii: ","))
        }
        cursor.position &+= 1
        return JSONObject(labelled: members)
    }

    private mutating func array(depth: Int) throws(JSONFailure) -> [JSONValue] {
        cursor.position &+= 1
        cursor.skipSpace()
        if try cursor.current() == UInt8(ascii: "]") {
            cursor.position &+= 1
            return []
        }
        var elements: [JSONValue] = []
        while true {
            elements.append(try value(depth: depth))
            cursor.skipSpace()
            if try cursor.current() == UInt8(ascii: "]") { break }
            try cursor.expect(UInt8(ascii: ","))
        }
        cursor.position &+= 1
        return elements
    }
}
