// Width and height from the first bytes of an image that a request carries in base64.
//
//   PNG    8 bytes signature, then the chunk IHDR: width and height at 16 and 20, 4 bytes each,
//          big-endian
//   GIF    "GIF87a" or "GIF89a", then width and height, 2 bytes each, little-endian
//   JPEG   FF D8, then segments: FF, a marker, a length of 2 bytes, big-endian, that counts itself.
//          The frame header (markers C0 to CF without C4, C8 and CC) has height and width after a
//          byte
//   WebP   "RIFF", length, "WEBP", then a chunk: "VP8 " has a frame header with 14 bits each at
//          26 and 28; "VP8L" has 14 bits each, less one, from 21 on; "VP8X" has 3 bytes each, less
//          one, at 24 and 27
//
// Only the bytes that are asked for are decoded, each from its four characters: a JPEG's frame
// header may be behind large segments, which are stepped over. Nothing is copied.

package enum ImageHeader {
    /// The size of an image in a data URL (`data:image/png;base64,…`) or in bare base64; nil: it is
    /// not in there, or in a form that is not known.
    package static func size(ofBase64 text: String) -> ImageSize? {
        var text = text
        return text.withUTF8 { size(ofBase64: $0) }
    }

    package static func size(ofBase64 text: UnsafeBufferPointer<UInt8>) -> ImageSize? {
        Base64Bytes(text).flatMap { size($0) }
    }

    /// Segments that are stepped over before a JPEG's frame header; real files have some tens.
    private static let segmentsMax = 1000

    private static func size(_ bytes: Base64Bytes) -> ImageSize? {
        switch bytes[0] {
        case 0x89: png(bytes)
        case 0x47: gif(bytes)
        case 0xFF: jpeg(bytes)
        case 0x52: webP(bytes)
        default: nil
        }
    }

    private static func png(_ bytes: Base64Bytes) -> ImageSize? {
        guard bytes.has([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], at: 0),
            bytes.has(Array("IHDR".utf8), at: 12)
        else { return nil }
        return checked(bytes.bigEndian(16, 4), bytes.bigEndian(20, 4))
    }

    private static func gif(_ bytes: Base64Bytes) -> ImageSize? {
        guard bytes.has(Array("GIF8".utf8), at: 0) else { return nil }
        return checked(bytes.littleEndian(6, 2), bytes.littleEndian(8, 2))
    }

    private static func jpeg(_ bytes: Base64Bytes) -> ImageSize? {
        guard bytes.has([0xFF, 0xD8], at: 0) else { return nil }
        var place = 2
        for _ in 0..<segmentsMax {
            guard bytes[place] == 0xFF, let marker = bytes[place + 1] else { return nil }
            switch marker {
            case 0xFF: place += 1  // Filling.
            case 0x01, 0xD0...0xD7: place += 2  // No length follows.
            case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF:
                return checked(bytes.bigEndian(place + 7, 2), bytes.bigEndian(place + 5, 2))
            case 0xD9, 0xDA: return nil  // The image ends, or begins, without a frame header.
            default:
                guard let length = bytes.bigEndian(place + 2, 2), length >= 2 else { return nil }
                place += 2 + length
            }
        }
        return nil
    }

    private static func webP(_ bytes: Base64Bytes) -> ImageSize? {
        guard bytes.has(Array("RIFF".utf8), at: 0), bytes.has(Array("WEBP".utf8), at: 8) else {
            return nil
        }
        if bytes.has(Array("VP8 ".utf8), at: 12) {
            guard bytes.has([0x9D, 0x01, 0x2A], at: 23) else { return nil }
            return checked(
                bytes.littleEndian(26, 2).map { $0 & 0x3FFF },
                bytes.littleEndian(28, 2).map { $0 & 0x3FFF })
        }
        if bytes.has(Array("VP8L".utf8), at: 12) {
            guard bytes[20] == 0x2F, let bits = bytes.littleEndian(21, 4) else { return nil }
            return checked(bits & 0x3FFF + 1, bits >> 14 & 0x3FFF + 1)
        }
        guard bytes.has(Array("VP8X".utf8), at: 12) else { return nil }
        return checked(
            bytes.littleEndian(24, 3).map { $0 + 1 }, bytes.littleEndian(27, 3).map { $0 + 1 })
    }

    private static func checked(_ width: Int?, _ height: Int?) -> ImageSize? {
        guard let width, let height, width > 0, height > 0 else { return nil }
        return ImageSize(width: width, height: height)
    }
}

/// Bytes that are decoded when they are asked for.
private struct Base64Bytes {
    private let characters: UnsafeBufferPointer<UInt8>

    /// Nil: a URL of another kind.
    init?(_ text: UnsafeBufferPointer<UInt8>) {
        guard text.starts(with: Array("data:".utf8)) else {
            characters = text
            return
        }
        // The media type and its parameters are short.
        let head = text.prefix(256)
        guard let comma = head.firstIndex(of: UInt8(ascii: ",")),
            head[..<comma].reversed().starts(with: Array(";base64".utf8).reversed())
        else { return nil }
        characters = UnsafeBufferPointer(rebasing: text[(comma + 1)...])
    }

    /// Nil: beyond the end, or no base64.
    subscript(place: Int) -> UInt8? {
        // Of a group's four characters, its three bytes need two each.
        let inGroup = place % 3
        let first = place / 3 * 4 + inGroup
        guard first + 1 < characters.count,
            let high = Self.value(characters[first]), let low = Self.value(characters[first + 1])
        else { return nil }
        return high << UInt8(2 + 2 * inGroup) | low >> UInt8(4 - 2 * inGroup)
    }

    func has(_ expected: [UInt8], at start: Int) -> Bool {
        expected.indices.allSatisfy { self[start + $0] == expected[$0] }
    }

    func bigEndian(_ start: Int, _ count: Int) -> Int? {
        var number = 0
        for place in start..<start + count {
            guard let byte = self[place] else { return nil }
            number = number << 8 | Int(byte)
        }
        return number
    }

    func littleEndian(_ start: Int, _ count: Int) -> Int? {
        var number = 0
        for place in (start..<start + count).reversed() {
            guard let byte = self[place] else { return nil }
            number = number << 8 | Int(byte)
        }
        return number
    }

    private static func value(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
