// Bytes that are no UTF-8, as Python's `bytes.decode("utf-8", "replace")` reads them, and with it
// what tiktoken is given: each longest beginning of a well-formed sequence that is not continued,
// and each byte that begins none, becomes one U+FFFD (The Unicode Standard, 3.9, "maximal
// subparts").

enum UTF8Repair {
    /// The text with U+FFFD for what is ill-formed; nil: all is well-formed already.
    static func repaired(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        var place = wellFormedLength(bytes, from: 0)
        if place == bytes.count { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + bytes.count / 8)
        var copied = 0
        while place < bytes.count {
            result.append(contentsOf: bytes[copied..<place])
            result.append(contentsOf: [0xEF, 0xBF, 0xBD])
            place += sequence(bytes, place).length
            copied = place
            place = wellFormedLength(bytes, from: place)
        }
        result.append(contentsOf: bytes[copied...])
        return result
    }

    /// How many bytes the repaired text has.
    static func repairedLength(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var length = bytes.count
        var place = wellFormedLength(bytes, from: 0)
        while place < bytes.count {
            let illFormed = sequence(bytes, place).length
            length += 3 - illFormed
            place = wellFormedLength(bytes, from: place + illFormed)
        }
        return length
    }

    /// Where the first ill-formed sequence begins.
    private static func wellFormedLength(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int
    ) -> Int {
        var place = start
        while place < bytes.count {
            if bytes.count - place >= 8, isASCII(bytes, place) {
                place += 8
                continue
            }
            let (length, isWellFormed) = sequence(bytes, place)
            if !isWellFormed { return place }
            place += length
        }
        return place
    }

    @inline(__always)
    private static func isASCII(_ bytes: UnsafeBufferPointer<UInt8>, _ place: Int) -> Bool {
        let eight = UnsafeRawBufferPointer(bytes).loadUnaligned(
            fromByteOffset: place, as: UInt64.self)
        return eight & 0x8080_8080_8080_8080 == 0
    }

    /// The sequence at `place`, or the maximal subpart of one.
    private static func sequence(
        _ bytes: UnsafeBufferPointer<UInt8>, _ place: Int
    ) -> (length: Int, isWellFormed: Bool) {
        let first = bytes[place]
        // The second byte has limits of its own after these: no overlong form, no surrogate,
        // nothing above U+10FFFF.
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch first {
        case 0x00...0x7F: return (1, true)
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return (1, false)
        }
        for next in 1..<length {
            guard place + next < bytes.count else { return (next, false) }
            let allowed = next == 1 ? second : 0x80...0xBF
            guard allowed.contains(bytes[place + next]) else { return (next, false) }
        }
        return (length, true)
    }
}
