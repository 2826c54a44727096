// Decimal text of amounts: `-`? digits (`.` digits)?, at most nine places, no exponent, no sign
// plus, no leading zeros but one before the point. Writing uses the fewest digits that say it
// exactly: "5", "0.004175", "-12.5".

extension Money {
    /// Reads decimal text in major units.
    ///
    /// - Throws: `.malformed`, `.overflow`.
    package init(decimal text: some StringProtocol) throws(MoneyError) {
        nanos = try parseScaledDecimal(text.utf8, places: 9)
    }

    /// Exact decimal text in major units.
    package var decimalText: String {
        String(unsafeUninitializedCapacity: 24) { buffer in
            writeScaledDecimal(nanos, places: 9, into: buffer)
        }
    }

    /// Appends the exact decimal text, without making a string.
    package func appendDecimalText(to bytes: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 24) { buffer in
            let count = writeScaledDecimal(nanos, places: 9, into: buffer)
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: buffer[0..<count]))
        }
    }
}

/// Exact decimal text in major units of a sum of amounts in nano units, which may leave the range
/// of `Money` where no single amount does.
package func decimalText(nanos: Int128) -> String {
    if let amount = Int64(exactly: nanos) { return Money(nanos: amount).decimalText }
    let (whole, fraction) = nanos.magnitude.quotientAndRemainder(
        dividingBy: UInt128(Money.nanosPerUnit))
    // "0.5" without its zero is the fraction; nothing when there is none.
    let places = Money(nanos: Int64(fraction)).decimalText.dropFirst()
    return (nanos < 0 ? "-" : "") + String(whole) + places
}

extension Rate {
    /// Reads a rate given in major units per one unit of usage, at most twelve places.
    package init(decimalPerUnit text: some StringProtocol) throws(MoneyError) {
        picos = try parseScaledDecimal(text.utf8, places: 12)
    }

    /// Reads a rate given in major units per million units of usage ("2.5" dollars per million
    /// tokens), at most six places.
    package init(decimalPerMillion text: some StringProtocol) throws(MoneyError) {
        picos = try parseScaledDecimal(text.utf8, places: 6)
    }

    package var decimalPerUnitText: String {
        String(unsafeUninitializedCapacity: 24) { buffer in
            writeScaledDecimal(picos, places: 12, into: buffer)
        }
    }

    package var decimalPerMillionText: String {
        String(unsafeUninitializedCapacity: 24) { buffer in
            writeScaledDecimal(picos, places: 6, into: buffer)
        }
    }
}

/// Parses decimal text into a count of 10^-places units.
package func parseScaledDecimal(
    _ text: some Collection<UInt8>, places: Int
) throws(MoneyError) -> Int64 {
    var index = text.startIndex
    let isNegative = index != text.endIndex && text[index] == UInt8(ascii: "-")
    if isNegative { index = text.index(after: index) }
    var value: Int64 = 0
    var digitsBeforePoint = 0
    var digitsAfterPoint = 0
    var sawPoint = false
    var startsWithZero = false
    while index != text.endIndex {
        let byte = text[index]
        index = text.index(after: index)
        if byte == UInt8(ascii: ".") {
            if sawPoint || digitsBeforePoint == 0 { throw .malformed }
            sawPoint = true
            continue
        }
        guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { throw .malformed }
        if sawPoint {
            digitsAfterPoint += 1
            if digitsAfterPoint > places { throw .malformed }
        } else {
            if digitsBeforePoint == 0 { startsWithZero = byte == UInt8(ascii: "0") }
            digitsBeforePoint += 1
        }
        value = try appendDigit(byte &- UInt8(ascii: "0"), to: value)
    }
    if digitsBeforePoint == 0 || (sawPoint && digitsAfterPoint == 0) { throw .malformed }
    if startsWithZero && digitsBeforePoint > 1 { throw .malformed }
    while digitsAfterPoint < places {
        value = try appendDigit(0, to: value)
        digitsAfterPoint += 1
    }
    // Accumulated as a negative number, whose range is one larger.
    if isNegative { return value }
    let (positive, overflow) = (0 as Int64).subtractingReportingOverflow(value)
    if overflow { throw .overflow }
    return positive
}

/// value × 10 − digit: accumulates downwards so that the most negative amount can be read too.
private func appendDigit(_ digit: UInt8, to value: Int64) throws(MoneyError) -> Int64 {
    let (tenfold, overflowed) = value.multipliedReportingOverflow(by: 10)
    let (sum, overflowedToo) = tenfold.subtractingReportingOverflow(Int64(digit))
    if overflowed || overflowedToo { throw .overflow }
    return sum
}

/// Writes a count of 10^-places units as the shortest exact decimal; returns the byte count (≤ 24).
@discardableResult
func writeScaledDecimal(
    _ value: Int64, places: Int, into buffer: UnsafeMutableBufferPointer<UInt8>
) -> Int {
    var count = 0
    func put(_ byte: UInt8) {
        buffer[count] = byte
        count += 1
    }
    if value < 0 { put(UInt8(ascii: "-")) }
    var divisor: UInt64 = 1
    for _ in 0..<places { divisor *= 10 }
    let (whole, fraction) = value.magnitude.quotientAndRemainder(dividingBy: divisor)
    var scale: UInt64 = 1
    while whole / scale >= 10 { scale *= 10 }
    while scale > 0 {
        put(UInt8(ascii: "0") + UInt8(whole / scale % 10))
        scale /= 10
    }
    guard fraction != 0 else { return count }
    put(UInt8(ascii: "."))
    var rest = fraction
    scale = divisor / 10
    while rest > 0 {
        put(UInt8(ascii: "0") + UInt8(rest / scale))
        rest %= scale
        scale /= 10
    }
    return count
}
