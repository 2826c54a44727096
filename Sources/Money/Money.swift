// Amounts of money.
//
// One ledger has one currency. An amount is a signed 64-bit count of nano units (10⁻⁹ of the
// currency's major unit): ±9.2 billion dollars, exact to a billionth. Arithmetic that could leave
// that range says so; it never wraps and never rounds.

/// A signed amount in nano units (10⁻⁹) of the ledger's currency.
package struct Money: Hashable, Comparable, Sendable {
    package var nanos: Int64

    @inlinable
    package init(nanos: Int64) { self.nanos = nanos }

    package static let zero = Money(nanos: 0)
    package static let max = Money(nanos: .max)
    package static let nanosPerUnit: Int64 = 1_000_000_000

    @inlinable
    package static func < (a: Money, b: Money) -> Bool { a.nanos < b.nanos }

    package var isZero: Bool { nanos == 0 }
    package var isNegative: Bool { nanos < 0 }

    /// Adds, or throws when the sum leaves the range.
    @inlinable
    package func adding(_ other: Money) throws(MoneyError) -> Money {
        let (sum, overflow) = nanos.addingReportingOverflow(other.nanos)
        if overflow { throw .overflow }
        return Money(nanos: sum)
    }

    /// Subtracts, or throws when the difference leaves the range.
    @inlinable
    package func subtracting(_ other: Money) throws(MoneyError) -> Money {
        let (difference, overflow) = nanos.subtractingReportingOverflow(other.nanos)
        if overflow { throw .overflow }
        return Money(nanos: difference)
    }

    /// For amounts already known to be in range (sums that an earlier check bounded). Traps on
    /// overflow rather than wrap: a wrong balance is worse than a stop.
    @inlinable
    package static func + (a: Money, b: Money) -> Money { Money(nanos: a.nanos + b.nanos) }
    @inlinable
    package static func - (a: Money, b: Money) -> Money { Money(nanos: a.nanos - b.nanos) }
    @inlinable
    package static prefix func - (a: Money) -> Money { Money(nanos: -a.nanos) }
    @inlinable
    package static func += (a: inout Money, b: Money) { a.nanos += b.nanos }
    @inlinable
    package static func -= (a: inout Money, b: Money) { a.nanos -= b.nanos }
}

package enum MoneyError: Error, Equatable, Sendable {
    /// The result does not fit in ±9,223,372,036.854775807 units.
    case overflow
    /// The text is not a decimal amount with at most nine places.
    case malformed
}

/// A price for one unit of usage, in pico units (10⁻¹²) of the ledger's currency.
package struct Rate: Hashable, Comparable, Sendable {
    package var picos: Int64

    @inlinable
    package init(picos: Int64) { self.picos = picos }

    package static let zero = Rate(picos: 0)

    @inlinable
    package static func < (a: Rate, b: Rate) -> Bool { a.picos < b.picos }
}

/// An exact sum of rate × quantity products, before the one rounding.
package struct PicoSum: Hashable, Comparable, Sendable {
    package private(set) var picos: Int128

    package init(picos: Int128 = 0) { self.picos = picos }

    @inlinable
    package static func < (a: PicoSum, b: PicoSum) -> Bool { a.picos < b.picos }

    /// Adds rate × quantity. Products of two Int64 always fit in Int128; sums of fewer than 2^60 of
    /// them do too after the range check in `rounded`.
    package mutating func add(_ rate: Rate, times quantity: Int64) {
        picos += Int128(rate.picos) * Int128(quantity)
    }

    package static func + (a: PicoSum, b: PicoSum) -> PicoSum { PicoSum(picos: a.picos + b.picos) }

    /// The one rounding point: scales by `partsPerMillion` (1,000,000 for ×1) and rounds half to
    /// even to nano units.
    ///
    /// - Throws: `.overflow` when the result is out of range.
    package func rounded(partsPerMillion: Int64 = 1_000_000) throws(MoneyError) -> Money {
        let (scaled, overflow) = picos.multipliedReportingOverflow(by: Int128(partsPerMillion))
        if overflow { throw .overflow }
        let nanos = roundedHalfToEven(scaled, dividedBy: 1_000_000_000)
        guard let value = Int64(exactly: nanos) else { throw .overflow }
        return Money(nanos: value)
    }
}

/// Integer division that rounds to the nearest, ties to the even quotient.
package func roundedHalfToEven(_ numerator: Int128, dividedBy denominator: Int128) -> Int128 {
    precondition(denominator > 0, "a positive denominator")
    let division = numerator.quotientAndRemainder(dividingBy: denominator)
    var quotient = division.quotient
    let twice = division.remainder.magnitude * 2
    let isOdd = quotient & 1 != 0
    if twice > denominator.magnitude || (twice == denominator.magnitude && isOdd) {
        quotient += numerator < 0 ? -1 : 1
    }
    return quotient
}
