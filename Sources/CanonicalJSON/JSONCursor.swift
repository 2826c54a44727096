// The tokens of JSON (RFC 8259), strictly: bytes in, positions out.
//
//   number  `-`? (`0` | 1–9 digits*) (`.` digits+)? ((`e`|`E`) (`+`|`-`)? digits+)?
//   string  `"` (UTF-8 of U+0020… but `"` and `\` | escape)* `"`
//   escape  `\` and one of `"\/bfnrt`, or `\u` and four hex digits; surrogates only in pairs
//   space   U+0020, U+0009, U+000A, U+000D
//
// A string is read in two steps: one pass checks everything and finds the end, a second one makes
// text of it and can no longer fail. Who only wants to skip the string takes the first alone.
//
// Every read of `bytes` stands behind a comparison with `bytes.count`.

/// A checked string: where its content lies between the quotes.
struct StringToken {
    var start: Int
    var end: Int
    var hasEscapes = false
    var isASCII = true
}

struct JSONCursor {
    let bytes: UTF8Bytes
    let maxStringBytes: Int
    var position = 0

    init(_ bytes: UTF8Bytes, maxStringBytes: Int = .max) {
        self.bytes = bytes
        self.maxStringBytes = maxStringBytes
    }

    @inline(__always)
    mutating func skipSpace() {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
            else { return }
            position &+= 1
        }
    }

    /// The byte at the position.
    @inline(__always)
    func current() throws(JSONFailure) -> UInt8 {
        guard position < bytes.count else { throw JSONFailure(.unexpectedEnd, bytes.count) }
        return bytes[position]
    }

    @inline(__always)
    mutating func expect(_ byte: UInt8) throws(JSONFailure) {
        guard try current() == byte else { throw JSONFailure(.unexpectedByte, position) }
        position &+= 1
    }

    /// Steps over `null`, `true` or `false`.
    mutating func expect(literal: StaticString) throws(JSONFailure) {
        for index in 0..<literal.utf8CodeUnitCount {
            try expect(literal.bytes[index])
        }
    }

    // MARK: Numbers

    /// Steps over a number; its value when it is an integer that fits, else nil.
    @inline(__always)
    mutating func scanNumber() throws(JSONFailure) -> Int64? {
        let start = position
        let isNegative = try current() == UInt8(ascii: "-")
        let firstDigit = isNegative ? start &+ 1 : start
        // Any 18 digits fit.
        let end = min(bytes.count, firstDigit &+ 18)
        var index = firstDigit
        var value: Int64 = 0
        while index < end {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            value = value &* 10 &+ Int64(digit)
            index &+= 1
        }
        let digits = index &- firstDigit
        // The plain case: something else follows at once, and it does not continue the number.
        guard index < bytes.count, digits > 0, digits < 18, !continuesNumber(bytes[index]),
            bytes[firstDigit] != UInt8(ascii: "0") || digits == 1
        else { return try scanUnusualNumber() }
        position = index
        return isNegative ? 0 &- value : value
    }

    @inline(__always)
    private func continuesNumber(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ".") || byte | 0x20 == UInt8(ascii: "e")
    }

    /// Long, with fraction or exponent, at the end of the input, or malformed.
    @inline(never)
    private mutating func scanUnusualNumber() throws(JSONFailure) -> Int64? {
        let start = position
        let isNegative = try current() == UInt8(ascii: "-")
        if isNegative { position &+= 1 }
        let startsWithZero = try current() == UInt8(ascii: "0")
        let firstDigit = position
        // Summed up as a negative number, whose range is one larger.
        var value: Int64 = 0
        var fits = true
        while position < bytes.count {
            let digit = bytes[position] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            position &+= 1
            let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowToo) = tenfold.subtractingReportingOverflow(Int64(digit))
            fits = fits && !overflow && !overflowToo
            value = sum
        }
        let digits = position &- firstDigit
        if digits == 0 || (startsWithZero && digits > 1) {
            throw JSONFailure(.invalidNumber, start)
        }
        if position < bytes.count, continuesNumber(bytes[position]) {
            try scanFractionAndExponent(of: start)
            return nil
        }
        if isNegative { return fits ? value : nil }
        return fits && value != .min ? -value : nil
    }

    private mutating func scanFractionAndExponent(of start: Int) throws(JSONFailure) {
        if bytes[position] == UInt8(ascii: ".") {
            position &+= 1
            try scanDigits(of: start)
        }
        guard position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") else { return }
        position &+= 1
        let sign = try current()
        if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position &+= 1 }
        try scanDigits(of: start)
    }

    private mutating func scanDigits(of start: Int) throws(JSONFailure) {
        let first = try current()
        guard first &- UInt8(ascii: "0") <= 9 else { throw JSONFailure(.invalidNumber, start) }
        while position < bytes.count, bytes[position] &- UInt8(ascii: "0") <= 9 { position &+= 1 }
    }

    // MARK: Strings

    /// Steps over a string and checks all of it.
    mutating func scanString() throws(JSONFailure) -> StringToken {
        let quote = position
        try expect(UInt8(ascii: "\""))
        var token = StringToken(start: position, end: position)
        while true {
            position &+= plainPrefix(of: bytes, from: position, stoppingAtNonASCII: true)
            let byte = try current()
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") {
                token.hasEscapes = true
                _ = try scanEscape()
            } else if byte < 0x20 {
                throw JSONFailure(.controlCharacter, position)
            } else {
                token.isASCII = false
                position &+= try multibyteWidth()
            }
        }
        token.end = position
        position &+= 1
        if token.end &- token.start > maxStringBytes { throw JSONFailure(.stringTooLong, quote) }
        return token
    }

    /// Length of the UTF-8 sequence at the position, which is not ASCII. The table is Unicode's
    /// "well-formed UTF-8 byte sequences": no overlong forms, no surrogates, nothing beyond
    /// U+10FFFF.
    private func multibyteWidth() throws(JSONFailure) -> Int {
        let width: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch bytes[position] {
        case 0xC2...0xDF: width = 2
        case 0xE0: (width, second) = (3, 0xA0...0xBF)
        case 0xED: (width, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: width = 3
        case 0xF0: (width, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: width = 4
        case 0xF4: (width, second) = (4, 0x80...0x8F)
        default: throw JSONFailure(.invalidUTF8, position)
        }
        guard bytes.count &- position >= width, second.contains(bytes[position &+ 1])
        else { throw JSONFailure(.invalidUTF8, position) }
        for index in 2..<max(width, 2) where bytes[position &+ index] & 0xC0 != 0x80 {
            throw JSONFailure(.invalidUTF8, position)
        }
        return width
    }
}

/// How many bytes from `start` on stand for themselves in a string: all but quote, backslash, what
/// is below 0x20 and (when told so) what is not ASCII.
///
/// Eight at a time: `(x - 0x01…01) & ~x & 0x80…80` marks the zero bytes of x, and the lowest mark
/// is always true (a false one needs a borrow from a true one below it).
@inline(__always)
func plainPrefix(
    of bytes: UTF8Bytes, from start: Int = 0, stoppingAtNonASCII: Bool
) -> Int {
    guard let base = bytes.baseAddress else { return 0 }
    let ones: UInt64 = 0x0101_0101_0101_0101
    var position = start
    while bytes.count &- position >= 8 {
        let loaded = UnsafeRawPointer(base + position).loadUnaligned(as: UInt64.self)
        let word = UInt64(littleEndian: loaded)
        let quotes = word ^ ones &* 0x22
        let backslashes = word ^ ones &* 0x5C
        var marks = (quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes
        marks |= (word &- ones &* 0x20) & ~word
        if stoppingAtNonASCII { marks |= word }
        marks &= ones &* 0x80
        if marks != 0 { return position &+ marks.trailingZeroBitCount &>> 3 &- start }
        position &+= 8
    }
    while position < bytes.count {
        let byte = base[position]
        guard byte >= 0x20, byte != 0x22, byte != 0x5C, byte < 0x80 || !stoppingAtNonASCII
        else { break }
        position &+= 1
    }
    return position &- start
}
