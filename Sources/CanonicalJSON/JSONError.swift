// Why bytes were refused, and how much is accepted.

/// How much a reader takes in before it refuses.
package struct JSONLimits: Sendable, Equatable {
    /// Bytes of the whole input.
    package var maxBytes: Int
    /// Objects and arrays inside one another; a lone object has depth 1.
    package let maxDepth: Int
    /// Values of any kind, containers included.
    package var maxNodes: Int
    /// Bytes of one string between its quotes, or of one number, as written.
    package var maxStringBytes: Int

    /// Reading and writing recurse once a level, so no limit may be deeper than a small stack
    /// holds.
    package static let deepestDepth = 128

    package init(
        maxBytes: Int = 16 << 20, maxDepth: Int = 32, maxNodes: Int = 200_000,
        maxStringBytes: Int = 1 << 20
    ) {
        precondition((1...Self.deepestDepth).contains(maxDepth), "depth limit out of range")
        self.maxBytes = maxBytes
        self.maxDepth = maxDepth
        self.maxNodes = maxNodes
        self.maxStringBytes = maxStringBytes
    }

    /// 16 MiB, 32 levels, 200,000 values, strings of 1 MiB.
    package static let standard = JSONLimits()
}

/// Why bytes are not the JSON asked for, or a value cannot be written.
package struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// The input ends inside a value.
        case unexpectedEnd = "unexpected_end"
        /// A byte that JSON, or the reader of this format, does not expect there.
        case unexpectedByte = "unexpected_byte"
        /// Not a JSON number, or (where an integer is asked for) not a 64-bit integer.
        case invalidNumber = "invalid_number"
        case invalidEscape = "invalid_escape"
        case invalidUTF8 = "invalid_utf8"
        /// Half of a surrogate pair in a `\u` escape.
        case loneSurrogate = "lone_surrogate"
        /// A byte below 0x20 inside a string.
        case controlCharacter = "control_character"
        /// A member name that the object already has.
        case duplicateKey = "duplicate_key"
        case tooDeep = "too_deep"
        /// More bytes than the limit.
        case tooLarge = "too_large"
        case tooManyValues = "too_many_values"
        /// A string or number longer than the limit.
        case stringTooLong = "string_too_long"
        /// Bytes other than white space after the value.
        case trailingBytes = "trailing_bytes"
        /// Asked of a canonical object that does not have it.
        case missingMember = "missing_member"
        /// Written as an ECMAScript number, the integer would become another one.
        case inexactNumber = "inexact_number"
    }

    package var code: Code
    /// Where in the input, from 0. (From `CanonicalJSON.encode`: bytes written before.)
    package var offset: Int
    /// Where in the document: `budgets[2].amount`; empty at the top.
    package var path: String

    package init(_ code: Code, offset: Int, path: String) {
        self.code = code
        self.offset = offset
        self.path = path
    }

    /// One sentence for people: "duplicate member at budgets[2].amount (byte 31)".
    package var description: String {
        let place = path.isEmpty ? "" : " at \(path)"
        return "\(reason)\(place) (byte \(offset))"
    }

    private var reason: String {
        switch code {
        case .unexpectedEnd: "JSON ends too early"
        case .unexpectedByte: "unexpected byte"
        case .invalidNumber: "malformed number"
        case .invalidEscape: "invalid escape in a string"
        case .invalidUTF8: "invalid UTF-8"
        case .loneSurrogate: "half of a surrogate pair in a string"
        case .controlCharacter: "unescaped control character in a string"
        case .duplicateKey: "duplicate member"
        case .tooDeep: "nested too deep"
        case .tooLarge: "JSON too large"
        case .tooManyValues: "too many values"
        case .stringTooLong: "string or number too long"
        case .trailingBytes: "more bytes after the JSON value"
        case .missingMember: "missing member"
        case .inexactNumber: "integer that has no exact canonical form"
        }
    }
}

/// An error on its way out of the hot path, where only the offset is known. The path is found
/// afterwards by walking the input again (JSONPath.swift): the good case pays nothing for it.
struct JSONFailure: Error {
    var code: JSONError.Code
    var offset: Int

    init(_ code: JSONError.Code, _ offset: Int) {
        self.code = code
        self.offset = offset
    }
}
