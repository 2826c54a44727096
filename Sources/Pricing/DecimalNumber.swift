import Money

/// A JSON number read exactly from its text, without floating point.
struct DecimalNumber {
    /// Significant digits, no leading zero; empty for zero.
    private var digits: [UInt8] = []
    /// The value is digits × 10^exponent.
    private var exponent = 0
    private(set) var isNegative = false

    /// Nil when the text is no JSON number, or one with a needlessly long exponent.
    init?(_ text: String) {
        var bytes = Array(text.utf8)[...]
        if bytes.first == UInt8(ascii: "-") {
            isNegative = true
            bytes = bytes.dropFirst()
        }
        var sawPoint = false
        var sawDigit = false
        while let byte = bytes.first {
            if byte == UInt8(ascii: "."), !sawPoint, sawDigit {
                sawPoint = true
            } else if (0x30...0x39).contains(byte) {
                sawDigit = true
                if byte != 0x30 || !digits.isEmpty { digits.append(byte - 0x30) }
                if sawPoint { exponent -= 1 }
            } else {
                break
            }
            bytes = bytes.dropFirst()
        }
        guard sawDigit else { return nil }
        if let byte = bytes.first, byte | 0x20 == UInt8(ascii: "e") {
            bytes = bytes.dropFirst()
            if bytes.first == UInt8(ascii: "+") { bytes = bytes.dropFirst() }
            guard bytes.count <= 6, let power = Int(String(decoding: bytes, as: UTF8.self)) else {
                return nil
            }
            exponent += power
            bytes = []
        }
        guard bytes.isEmpty else { return nil }
    }

    /// The value × 10^`places`, rounded half to even; nil when out of range.
    func scaled(places: Int) -> (value: Int64, isExact: Bool)? {
        let shift = exponent + places
        guard !digits.isEmpty else { return (0, true) }
        // The position of the units digit: digits before it count, digits after it round.
        let kept = digits.count + shift
        if kept > 19 { return nil }
        var value: Int128 = 0
        for index in 0..<max(kept, 0) {
            value = value * 10 + Int128(index < digits.count ? digits[index] : 0)
        }
        let rest = digits.dropFirst(max(kept, 0))
        let isExact = rest.allSatisfy { $0 == 0 }
        // With `kept` below zero the first lost place is a zero: less than half.
        if !isExact, kept >= 0, let first = rest.first {
            let isTie = first == 5 && rest.dropFirst().allSatisfy { $0 == 0 }
            if first > 5 || (first == 5 && (!isTie || value & 1 == 1)) { value += 1 }
        }
        guard let result = Int64(exactly: isNegative ? -value : value) else { return nil }
        return (result, isExact)
    }
}
