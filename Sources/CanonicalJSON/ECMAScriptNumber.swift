// Numbers as ECMAScript's Number::toString writes them, which RFC 8785 prescribes:
// the fewest digits that read back as the same double (and of those the closest), laid out as
//
//   10⁻⁶ ≤ |x| < 10²¹   123, 0.000001, 1424953923781206.2
//   else                1e-7, 1.5e+300
//   zero                0, without a sign
//
// Swift's own `description` has the same digits in another layout. No amount of money comes here:
// amounts are strings or integers.

/// Appends `value`; false, and nothing appended, when it is not finite.
func appendECMAScriptNumber(_ value: Double, to bytes: inout [UInt8]) -> Bool {
    guard value.isFinite else { return false }
    if value == 0 {
        bytes.append(UInt8(ascii: "0"))
        return true
    }
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    let (digits, point) = shortestDigits(value.magnitude)
    layOut(digits, point: point, into: &bytes)
    return true
}

/// `0.d₁d₂… × 10^point`, without zeros at either end.
private func shortestDigits(_ magnitude: Double) -> (digits: [UInt8], point: Int) {
    var digits: [UInt8] = []
    var point: Int?
    var exponent = 0
    var text = Substring(magnitude.description)
    if let mark = text.firstIndex(of: "e") {
        exponent = Int(text[text.index(after: mark)...]) ?? 0
        text = text[..<mark]
    }
    for byte in text.utf8 {
        if byte == UInt8(ascii: ".") { point = digits.count } else { digits.append(byte) }
    }
    let leadingZeros = digits.prefix { $0 == UInt8(ascii: "0") }.count
    let place = (point ?? digits.count) - leadingZeros + exponent
    digits.removeFirst(leadingZeros)
    while digits.last == UInt8(ascii: "0") { digits.removeLast() }
    return (digits, place)
}

private func layOut(_ digits: [UInt8], point: Int, into bytes: inout [UInt8]) {
    let zero = UInt8(ascii: "0")
    switch point {
    case digits.count...21 where digits.count <= 21:
        bytes += digits
        bytes += repeatElement(zero, count: point - digits.count)
    case 1...21:
        bytes += digits[..<point]
        bytes.append(UInt8(ascii: "."))
        bytes += digits[point...]
    case -5...0:
        bytes += [zero, UInt8(ascii: ".")]
        bytes += repeatElement(zero, count: -point)
        bytes += digits
    default:
        bytes.append(digits[0])
        if digits.count > 1 {
            bytes.append(UInt8(ascii: "."))
            bytes += digits[1...]
        }
        bytes += [UInt8(ascii: "e"), UInt8(ascii: point > 0 ? "+" : "-")]
        bytes += String((point - 1).magnitude).utf8
    }
}
