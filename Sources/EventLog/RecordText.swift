// Amounts and times as text, straight into the writer's memory and out of the reader's.
//
// `Money` and `TimeZones` own these forms; their functions make strings or grow arrays, and parse
// any collection. An event has dozens of amounts and times, half of its cost. What is here says the
// same in a quarter of the time, and the tests hold it to those functions.

enum RecordText {
    /// The most bytes that `writeDecimal` writes: sign, 19 digits, point, a leading zero.
    static let decimalLength = 24

    /// Writes a count of 10^-places units as the shortest exact decimal.
    ///
    /// - Parameter places: 6 or 9.
    /// - Returns: the number of bytes.
    @inline(__always)
    static func writeDecimal(
        _ value: Int64, places: Int, into text: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        // Division by a constant is a multiplication.
        let (whole, fraction) =
            places == 9
            ? value.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
            : value.magnitude.quotientAndRemainder(dividingBy: 1_000_000)
        var end = 0
        if value < 0 {
            text[0] = UInt8(ascii: "-")
            end = 1
        }
        end &+= writeInteger(whole, at: end, into: text)
        if fraction == 0 { return end }
        text[end] = UInt8(ascii: ".")
        var rest = fraction
        var digits = places
        while rest % 10 == 0 {
            rest /= 10
            digits &-= 1
        }
        writeDigits(of: rest, digits, at: end &+ 1, into: text)
        return end &+ 1 &+ digits
    }

    /// Writes a number without leading zeros; returns the number of digits.
    @inline(__always)
    static func writeInteger(
        _ value: UInt64, at start: Int, into text: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        var digits = 1
        var bound: UInt64 = 10
        // Of 20 digits the bound would overflow; nothing here has more than 19.
        while digits < 19, value >= bound {
            digits &+= 1
            bound &*= 10
        }
        writeDigits(of: value, digits, at: start, into: text)
        return digits
    }

    /// The last `count` digits of `value`, with leading zeros.
    @inline(__always)
    private static func writeDigits(
        of value: UInt64, _ count: Int, at start: Int, into text: UnsafeMutableBufferPointer<UInt8>
    ) {
        var rest = value
        var index = start &+ count
        while index &- start >= 2 {
            index &-= 2
            let hundredth = rest / 100
            writePair(rest &- hundredth &* 100, at: index, into: text)
            rest = hundredth
        }
        if index > start { text[start] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest) }
    }

    /// Two digits of a number below 100.
    @inline(__always)
    private static func writePair(
        _ value: UInt64, at index: Int, into text: UnsafeMutableBufferPointer<UInt8>
    ) {
        let pair = UInt32(truncatingIfNeeded: value)
        let tens = pair / 10
        text[index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: tens)
        text[index &+ 1] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: pair &- tens &* 10)
    }

    /// Writes `YYYY-MM-DDTHH:MM:SS.ffffffZ`, 27 bytes.
    ///
    /// - Parameter microseconds: since 1970 UTC, in the years 0…9999.
    @inline(__always)
    static func writeTime(
        microseconds: Int64, into text: UnsafeMutableBufferPointer<UInt8>
    ) {
        // From 0000-03-01, so that nothing is negative and leap days end their years. The days of
        // January and February 0000 come before it: they are those of the year 400, one era later.
        let shifted = UInt64(bitPattern: microseconds &+ 62_162_035_200_000_000 &+ era)
        let (seconds, fraction) = shifted.quotientAndRemainder(dividingBy: 1_000_000)
        let (day, second) = seconds.quotientAndRemainder(dividingBy: 86_400)
        let (eras, dayOfEra) = day.quotientAndRemainder(dividingBy: 146_097)
        let yearOfEra =
            (dayOfEra &- dayOfEra / 1_460 &+ dayOfEra / 36_524 &- dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
        let monthFromMarch = (5 &* dayOfYear &+ 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch &+ 3 : monthFromMarch &- 9
        let year = yearOfEra &+ eras &* 400 &- 400 &+ (month <= 2 ? 1 : 0)
        let century = year / 100
        writePair(century, at: 0, into: text)
        writePair(year &- century &* 100, at: 2, into: text)
        text[4] = UInt8(ascii: "-")
        writePair(month, at: 5, into: text)
        text[7] = UInt8(ascii: "-")
        writePair(dayOfYear &- (153 &* monthFromMarch &+ 2) / 5 &+ 1, at: 8, into: text)
        text[10] = UInt8(ascii: "T")
        writePair(second / 3_600, at: 11, into: text)
        text[13] = UInt8(ascii: ":")
        writePair(second / 60 % 60, at: 14, into: text)
        text[16] = UInt8(ascii: ":")
        writePair(second % 60, at: 17, into: text)
        text[19] = UInt8(ascii: ".")
        writePair(fraction / 10_000, at: 20, into: text)
        writePair(fraction / 100 % 100, at: 22, into: text)
        writePair(fraction % 100, at: 24, into: text)
        text[26] = UInt8(ascii: "Z")
    }

    static let timeLength = 27
    /// 400 years in microseconds.
    private static let era: Int64 = 146_097 * 86_400_000_000

    /// Reads decimal text as a count of 10^-places units: at most so many places, no exponent, no
    /// plus, no leading zeros but one before the point.
    static func readDecimal(
        _ text: UnsafeBufferPointer<UInt8>, places: Int
    ) throws(CodecError.Code) -> Int64 {
        let isNegative = text.first == UInt8(ascii: "-")
        var index = isNegative ? 1 : 0
        let start = index
        // Summed up as a negative number, whose range is one larger.
        var value: Int64 = 0
        var fits = true
        func append(_ digit: UInt8) {
            let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowToo) = tenfold.subtractingReportingOverflow(Int64(digit))
            fits = fits && !overflow && !overflowToo
            value = sum
        }
        while index < text.count, text[index] &- UInt8(ascii: "0") <= 9 {
            append(text[index] &- UInt8(ascii: "0"))
            index &+= 1
        }
        let wholeDigits = index &- start
        if wholeDigits == 0 || (wholeDigits > 1 && text[start] == UInt8(ascii: "0")) {
            throw .malformed
        }
        var missing = places
        if index < text.count {
            guard text[index] == UInt8(ascii: ".") else { throw .malformed }
            index &+= 1
            missing = places &- (text.count &- index)
            guard missing >= 0, missing < places else { throw .malformed }
            while index < text.count, text[index] &- UInt8(ascii: "0") <= 9 {
                append(text[index] &- UInt8(ascii: "0"))
                index &+= 1
            }
            guard index == text.count else { throw .malformed }
        }
        for _ in 0..<missing { append(0) }
        guard fits, isNegative || value != .min else { throw .outOfRange }
        return isNegative ? value : -value
    }
}
