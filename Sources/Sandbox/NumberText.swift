// Figures for people. What is printed is rounded; what is compared never is.

import Money

enum NumberText {
    /// "1,234,567".
    static func count(_ value: Int64) -> String {
        let digits = Array(String(value.magnitude))
        var text = value < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return text
    }

    /// Four places, rounded half to even: "1,234.5678".
    static func amount(_ money: Money) -> String {
        let ten4 = roundedHalfToEven(Int128(money.nanos), dividedBy: 100_000)
        let (whole, fraction) = ten4.magnitude.quotientAndRemainder(dividingBy: 10_000)
        let sign = ten4 < 0 ? "-" : ""
        return sign + count(Int64(whole)) + "." + padded(Int64(fraction), digits: 4)
    }

    /// One place: "12.5 %"; "-" where there is no whole.
    static func percent(_ part: Int64, of whole: Int64) -> String {
        guard whole > 0 else { return "-" }
        let tenths = roundedHalfToEven(Int128(part) * 1_000, dividedBy: Int128(whole))
        let magnitude = tenths.magnitude
        return (tenths < 0 ? "-" : "") + "\(magnitude / 10).\(magnitude % 10) %"
    }

    /// Milliseconds with two places, from microseconds: "12.34".
    static func milliseconds(_ microseconds: Int64) -> String {
        let hundredths = roundedHalfToEven(Int128(microseconds), dividedBy: 10)
        return count(Int64(hundredths / 100)) + "."
            + padded(Int64(hundredths % 100), digits: 2)
    }

    /// Seconds with one place: "8.9 s".
    static func seconds(_ duration: Duration) -> String {
        let tenths = roundedHalfToEven(
            Int128(duration.attoseconds), dividedBy: 100_000_000_000_000_000)
        return "\(count(Int64(clamping: tenths / 10))).\((tenths % 10).magnitude) s"
    }

    /// Minutes and seconds, rounded up: "0:09".
    static func clock(_ duration: Duration) -> String {
        let parts = duration.components
        let seconds = max(parts.seconds + (parts.attoseconds > 0 ? 1 : 0), 0)
        return "\(seconds / 60):" + padded(seconds % 60, digits: 2)
    }

    private static func padded(_ value: Int64, digits: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(digits - text.count, 0)) + text
    }
}
