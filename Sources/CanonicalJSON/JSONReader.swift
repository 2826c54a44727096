// Goes through any JSON member by member, without a tree: for bytes of which only a few values
// matter, and for finding the places where a text is to be changed.
//
//     try reader.enterObject()
//     while let name = try reader.nextMember() {
//         if reader.is(name, "model") { model = reader.string(try reader.readText()) }
//         else { try reader.skipValue() }
//     }
//     try reader.finish()
//
// White space is stepped over, members come in the order of their source, and each value must be
// read, entered or skipped before the next one is asked for. Duplicate names are not looked for.
// Damaged bytes throw. Nothing here traps, whatever the bytes and whatever the order of calls.
//
// What other programs wrote is read leniently: there a string ends at its quote, whatever is in it
// (half a surrogate pair, where a server cuts its text between two UTF-16 units; bytes that are no
// UTF-8; control characters). Such things stand for U+FFFD, or for themselves. What bears money is
// read strictly (JSONCursor.swift).

package struct JSONReader {
    package enum Strings: Sendable {
        case strict, lenient
    }

    package enum Kind: Sendable, Hashable {
        case object, array, string, number, bool, null
    }

    /// A string of the input, as the place between its quotes. It means something only to the
    /// reader that gave it, or to another one of the same bytes.
    package struct Text: Sendable {
        package let range: Range<Int>
        package let hasEscapes: Bool
        fileprivate let isASCII: Bool
    }

    private var cursor: JSONCursor
    private let strings: Strings
    /// A container was entered and nothing of it was read: no comma comes next.
    private var isAtStart = false

    /// It borrows the bytes: use it only where they are lent.
    package init(_ bytes: UnsafeRawBufferPointer, strings: Strings = .strict) {
        cursor = JSONCursor(bytes.assumingMemoryBound(to: UInt8.self))
        self.strings = strings
    }

    /// Lends `bytes` to a reader for the time of `body`.
    @inlinable
    package static func reading<Result, Failure: Error>(
        _ bytes: [UInt8], strings: Strings = .strict,
        _ body: (inout JSONReader) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try bytes.withUnsafeBufferPointer { (buffer) throws(Failure) in
            var reader = JSONReader(UnsafeRawBufferPointer(buffer), strings: strings)
            return try body(&reader)
        }
    }

    /// Bytes read so far.
    package var offset: Int { cursor.position }

    /// Goes to a value whose place is known, out of whatever was being read.
    package mutating func move(to offset: Int) {
        cursor.position = min(max(offset, 0), cursor.bytes.count)
        isAtStart = false
    }

    /// The next value, which is not read.
    package mutating func kind() throws(JSONError) -> Kind {
        try located { (reader) throws(JSONFailure) in
            reader.cursor.skipSpace()
            switch try reader.cursor.current() {
            case UInt8(ascii: "\""): return .string
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
            case UInt8(ascii: "{"): return .object
            case UInt8(ascii: "["): return .array
            case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
            case UInt8(ascii: "n"): return .null
            default: throw JSONFailure(.unexpectedByte, reader.cursor.position)
            }
        }
    }

    // MARK: Containers

    package mutating func enterObject() throws(JSONError) { try enter(UInt8(ascii: "{")) }

    /// Goes to the value of the next member; nil past the last one, when the object is left.
    package mutating func nextMember() throws(JSONError) -> Text? {
        try located { (reader) throws(JSONFailure) in
            guard try reader.advance(closing: UInt8(ascii: "}")) else { return nil }
            reader.cursor.skipSpace()
            let name = try reader.scanText()
            reader.cursor.skipSpace()
            try reader.cursor.expect(UInt8(ascii: ":"))
            return name
        }
    }

    package mutating func enterArray() throws(JSONError) { try enter(UInt8(ascii: "[")) }

    /// Goes to the next element; false past the last one, when the array is left.
    package mutating func nextElement() throws(JSONError) -> Bool {
        try located { (reader) throws(JSONFailure) in
            try reader.advance(closing: UInt8(ascii: "]"))
        }
    }

    private mutating func enter(_ bracket: UInt8) throws(JSONError) {
        try located { (reader) throws(JSONFailure) in
            reader.cursor.skipSpace()
            try reader.cursor.expect(bracket)
            reader.isAtStart = true
        }
    }

    /// Steps over the comma before the next member or element, or over the closing bracket.
    private mutating func advance(closing bracket: UInt8) throws(JSONFailure) -> Bool {
        cursor.skipSpace()
        if try cursor.current() == bracket {
            cursor.position &+= 1
            isAtStart = false
            return false
        }
        if !isAtStart { try cursor.expect(UInt8(ascii: ",")) }
        isAtStart = false
        return true
    }

    // MARK: Values

    package mutating func readText() throws(JSONError) -> Text {
        try located { (reader) throws(JSONFailure) in
            reader.cursor.skipSpace()
            return try reader.scanText()
        }
    }

    /// A number: where it stands, and its value when it is written as an integer that fits.
    package mutating func readNumber() throws(JSONError) -> (integer: Int64?, range: Range<Int>) {
        try located { (reader) throws(JSONFailure) in
            reader.cursor.skipSpace()
            let start = reader.cursor.position
            let integer = try reader.cursor.scanNumber()
            return (integer, start..<reader.cursor.position)
        }
    }

    package mutating func readBool() throws(JSONError) -> Bool {
        try located { (reader) throws(JSONFailure) in
            reader.cursor.skipSpace()
            let isTrue = try reader.cursor.current() == UInt8(ascii: "t")
            try reader.cursor.expect(literal: isTrue ? "true" : "false")
            return isTrue
        }
    }

    /// Steps over `null` if the value is null; else stays.
    package mutating func readNull() throws(JSONError) -> Bool {
        try located { (reader) throws(JSONFailure) in
            reader.cursor.skipSpace()
            guard try reader.cursor.current() == UInt8(ascii: "n") else { return false }
            try reader.cursor.expect(literal: "null")
            return true
        }
    }

    /// Steps over one value of any kind, and says where it stands.
    @discardableResult
    package mutating func skipValue() throws(JSONError) -> Range<Int> {
        try located { (reader) throws(JSONFailure) in
            reader.cursor.skipSpace()
            let start = reader.cursor.position
            try reader.skip(depth: 0)
            return start..<reader.cursor.position
        }
    }

    /// Demands that nothing but white space follows.
    package mutating func finish() throws(JSONError) {
        try located { (reader) throws(JSONFailure) in
            reader.cursor.skipSpace()
            if reader.cursor.position != reader.cursor.bytes.count {
                throw JSONFailure(.trailingBytes, reader.cursor.position)
            }
        }
    }

    private mutating func skip(depth: Int) throws(JSONFailure) {
        switch try cursor.current() {
        case UInt8(ascii: "\""): _ = try scanText()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): _ = try cursor.scanNumber()
        case UInt8(ascii: "t"): try cursor.expect(literal: "true")
        case UInt8(ascii: "f"): try cursor.expect(literal: "false")
        case UInt8(ascii: "n"): try cursor.expect(literal: "null")
        case UInt8(ascii: "{"):
            if depth == JSONLimits.deepestDepth { throw JSONFailure(.tooDeep, cursor.position) }
            cursor.position &+= 1
            isAtStart = true
            while try advance(closing: UInt8(ascii: "}")) {
                cursor.skipSpace()
                _ = try scanText()
                cursor.skipSpace()
                try cursor.expect(UInt8(ascii: ":"))
                cursor.skipSpace()
                try skip(depth: depth + 1)
            }
        case UInt8(ascii: "["):
            if depth == JSONLimits.deepestDepth { throw JSONFailure(.tooDeep, cursor.position) }
            cursor.position &+= 1
            isAtStart = true
            while try advance(closing: UInt8(ascii: "]")) {
                cursor.skipSpace()
                try skip(depth: depth + 1)
            }
        default: throw JSONFailure(.unexpectedByte, cursor.position)
        }
    }

    @inline(__always)
    private mutating func scanText() throws(JSONFailure) -> Text {
        let token = strings == .strict ? try cursor.scanString() : try cursor.scanAnyString()
        return Text(
            range: token.start..<token.end, hasEscapes: token.hasEscapes, isASCII: token.isASCII)
    }

    /// Adds the path to a failure. A failed reader stays at its last good place.
    @inline(__always)
    private mutating func located<Result>(
        _ body: (inout JSONReader) throws(JSONFailure) -> Result
    ) throws(JSONError) -> Result {
        let before = self
        do {
            return try body(&self)
        } catch {
            self = before
            throw JSONError(error, in: cursor.bytes)
        }
    }
}

extension JSONReader {
    /// Whether the text is exactly `word`, once its escapes are read.
    @inline(__always)
    package func `is`(_ text: Text, _ word: StaticString) -> Bool {
        if text.hasEscapes { return hasSameBytes(string(text), word.description) }
        guard text.range.count == word.utf8CodeUnitCount, let base = cursor.bytes.baseAddress,
            text.range.upperBound <= cursor.bytes.count
        else { return false }
        return isEqual(base + text.range.lowerBound, word.utf8Start, word.utf8CodeUnitCount)
    }

    /// The input itself: what stands at `range`, as written.
    package func source(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        let bytes = UnsafeRawBufferPointer(cursor.bytes)
        let range = range.clamped(to: 0..<bytes.count)
        return UnsafeRawBufferPointer(rebasing: bytes[range])
    }

    package func string(_ text: Text) -> String {
        if !text.hasEscapes && strings == .strict {
            return cursor.text(
                of: StringToken(
                    start: text.range.lowerBound, end: text.range.upperBound,
                    isASCII: text.isASCII))
        }
        var unescaped: [UInt8] = []
        return withUnescaped(text, scratch: &unescaped) { String(decoding: $0, as: UTF8.self) }
    }

    /// Lends what the text stands for: the input itself where nothing is escaped, else `scratch`.
    @inline(__always)
    package func withUnescaped<Result>(
        _ text: Text, scratch: inout [UInt8], _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        if !text.hasEscapes { return body(source(text.range)) }
        scratch.removeAll(keepingCapacity: true)
        cursor.appendUnescaped(text.range, to: &scratch)
        return scratch.withUnsafeBytes(body)
    }
}

extension JSONCursor {
    /// Steps over a string of which only the end must be found.
    fileprivate mutating func scanAnyString() throws(JSONFailure) -> StringToken {
        try expect(UInt8(ascii: "\""))
        var token = StringToken(start: position, end: position)
        token.isASCII = false
        while true {
            position &+= plainPrefix(of: bytes, from: position, stoppingAtNonASCII: false)
            let byte = try current()
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") {
                token.hasEscapes = true
                position &+= 1
                _ = try current()
            }
            position &+= 1
        }
        token.end = position
        position &+= 1
        return token
    }

    /// What the content of a string stands for. Whatever cannot stand for anything: half a
    /// surrogate pair for U+FFFD, other malformed escapes for the letter behind the backslash.
    fileprivate func appendUnescaped(_ range: Range<Int>, to output: inout [UInt8]) {
        var reader = self
        reader.position = range.lowerBound
        while reader.position < range.upperBound {
            let start = reader.position
            // No run goes beyond the quote that ends the string.
            let run = plainPrefix(of: bytes, from: start, stoppingAtNonASCII: false)
            output.append(contentsOf: bytes[start..<start &+ run])
            reader.position = start &+ run
            guard reader.position < range.upperBound else { return }
            let byte = bytes[reader.position]
            guard byte == UInt8(ascii: "\\") else {
                output.append(byte)
                reader.position &+= 1
                continue
            }
            let escape = reader.position
            do {
                output.append(contentsOf: UTF8.encode(try reader.scanEscape()).unsafelyUnwrapped)
            } catch {
                if error.code == .loneSurrogate {
                    output.append(contentsOf: [0xEF, 0xBF, 0xBD])
                    reader.position = escape &+ 6
                } else {
                    reader.position = escape &+ 1
                }
            }
        }
    }
}
