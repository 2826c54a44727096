extension JSONCursor {
    /// Steps over one escape (the position is at its backslash) and gives what it stands for.
    mutating func scanEscape() throws(JSONFailure) -> Unicode.Scalar {
        let start = position
        position &+= 1
        let letter = try current()
        position &+= 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
            return Unicode.Scalar(letter)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try scanHexEscape(from: start)
        default: throw JSONFailure(.invalidEscape, start)
        }
    }

    private mutating func scanHexEscape(from start: Int) throws(JSONFailure) -> Unicode.Scalar {
        let unit = try scanHexDigits(of: start)
        if let scalar = Unicode.Scalar(unit) { return scalar }
        // Only surrogates are no scalars. The high one must come first, the low one at once after
        // it.
        let lowStart = position
        guard unit < 0xDC00, bytes.count &- lowStart >= 2, bytes[lowStart] == UInt8(ascii: "\\"),
            bytes[lowStart &+ 1] == UInt8(ascii: "u")
        else { throw JSONFailure(.loneSurrogate, start) }
        position &+= 2
        let low = try scanHexDigits(of: lowStart)
        guard (0xDC00...0xDFFF).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
        else { throw JSONFailure(.loneSurrogate, start) }
        return scalar
    }

    private mutating func scanHexDigits(of escape: Int) throws(JSONFailure) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            let byte = try current()
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                unit = unit << 4 | UInt32(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"):
                unit = unit << 4 | UInt32((byte | 0x20) - UInt8(ascii: "a") + 10)
            default: throw JSONFailure(.invalidEscape, escape)
            }
            position &+= 1
        }
        return unit
    }

    /// The text of a checked string.
    @inline(__always)
    func text(of token: StringToken) -> String {
        if token.hasEscapes { return unescaped(token) }
        let content = UTF8Bytes(rebasing: bytes[token.start..<token.end])
        guard token.isASCII else { return String(decoding: content, as: UTF8.self) }
        // ASCII was seen byte by byte: no need to check it once more.
        return String(copying: UTF8Span(unchecked: content.span, isKnownASCII: true))
    }

    /// The text of a checked number.
    func text(ofNumberFrom start: Int) -> String {
        String(decoding: UTF8Bytes(rebasing: bytes[start..<position]), as: UTF8.self)
    }

    private func unescaped(_ token: StringToken) -> String {
        // An escape is never shorter than what it stands for.
        String(unsafeUninitializedCapacity: token.end - token.start) { output in
            var reader = self
            reader.position = token.start
            var count = 0
            while reader.position < token.end {
                let byte = bytes[reader.position]
                guard byte == UInt8(ascii: "\\") else {
                    output[count] = byte
                    count += 1
                    reader.position += 1
                    continue
                }
                // The string was checked: this cannot fail.
                guard let scalar = try? reader.scanEscape() else { break }
                for unit in UTF8.encode(scalar).unsafelyUnwrapped {
                    output[count] = unit
                    count += 1
                }
            }
            return count
        }
    }
}
