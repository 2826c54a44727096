// Dates of the proleptic Gregorian calendar and the range of instants this module works in.
//
// Day numbers count from 1970-01-01 (day 0). The conversions use years that begin in March, so that
// the leap day is the last of its year and needs no special case.

/// The instants that have a four-digit year: 0000-01-01T00:00:00Z up to, not including,
/// 10000-01-01T00:00:00Z. Arithmetic on them, plus or minus centuries, cannot overflow in
/// microseconds; everything outside is clamped or refused before any arithmetic.
package enum SupportedInstants {
    package static let utcSeconds: Range<Int64> = -62_167_219_200..<253_402_300_800
    package static let utcMicroseconds: Range<Int64> =
        -62_167_219_200_000_000..<253_402_300_800_000_000
}

/// A date of the proleptic Gregorian calendar.
struct CivilDate: Hashable, Sendable {
    var year: Int
    /// 1...12
    var month: Int
    /// 1...31
    var day: Int

    @inline(__always)
    init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// The date of a day number.
    @inline(__always)
    init(epochDay: Int) {
        // Days since 0000-03-01, split into 400-year eras of 146,097 days.
        let shifted = epochDay + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// The day number of the date.
    @inline(__always)
    var epochDay: Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = floorDivide(shiftedYear, 400)
        let yearOfEra = shiftedYear - era * 400
        let monthFromMarch = month > 2 ? month - 3 : month + 9
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    /// The number of days in a month; `month` is 1...12.
    @inline(__always)
    static func daysInMonth(year: Int, month: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// The quotient rounded towards negative infinity; `divisor` is positive.
@inline(__always)
func floorDivide<Value: FixedWidthInteger>(_ dividend: Value, _ divisor: Value) -> Value {
    let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
}
