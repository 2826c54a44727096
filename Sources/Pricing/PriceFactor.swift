import Billing
import Money

/// A product of factors given in parts per million, exact: a fraction in lowest terms.
struct PriceFactor {
    private(set) var numerator: Int128 = 1
    private(set) var denominator: Int128 = 1

    /// - Throws: `.overflow`, also for a negative factor.
    mutating func multiply(byPartsPerMillion parts: Int64) throws(MoneyError) {
        guard parts >= 0 else { throw .overflow }
        let divisor = greatestCommonDivisor(Int128(parts), 1_000_000)
        let (newNumerator, overflow) = numerator.multipliedReportingOverflow(
            by: Int128(parts) / divisor)
        let (newDenominator, overflowToo) = denominator.multipliedReportingOverflow(
            by: 1_000_000 / divisor)
        if overflow || overflowToo { throw .overflow }
        let common = greatestCommonDivisor(newNumerator, newDenominator)
        numerator = newNumerator / common
        denominator = newDenominator / common
    }

    /// `sum` times this factor, rounded once, half to even, to nano units.
    func rounded(_ sum: PicoSum) throws(MoneyError) -> Money {
        let (product, overflow) = sum.picos.multipliedReportingOverflow(by: numerator)
        let (divisor, overflowToo) = denominator.multipliedReportingOverflow(by: 1_000)
        if overflow || overflowToo { throw .overflow }
        guard let nanos = Int64(exactly: roundedHalfToEven(product, dividedBy: divisor)) else {
            throw .overflow
        }
        return Money(nanos: nanos)
    }

    /// `picos` times this factor, rounded up to a whole pico unit: for bounds.
    func roundedUp(picos: Int128) throws(MoneyError) -> Int128 {
        let (product, overflow) = picos.multipliedReportingOverflow(by: numerator)
        if overflow { throw .overflow }
        let (quotient, remainder) = product.quotientAndRemainder(dividingBy: denominator)
        return remainder > 0 ? quotient + 1 : quotient
    }
}

/// Both not negative, `b` above zero.
private func greatestCommonDivisor(_ a: Int128, _ b: Int128) -> Int128 {
    var (larger, smaller) = (b, a)
    while smaller != 0 { (larger, smaller) = (smaller, larger % smaller) }
    return larger
}

extension PriceEntry {
    /// The factor that the attributes of a request choose.
    ///
    /// An attribute without a multiplier changes nothing and is marked. Two values of one name
    /// contradict each other: the dearer one counts, marked.
    func factor(for attributes: [String], marks: inout MarkSet) throws(MoneyError) -> PriceFactor {
        var factor = PriceFactor()
        var namesSeen: [Substring] = []
        for attribute in attributes {
            let name = attribute.prefix { $0 != "=" }
            if namesSeen.contains(name) { continue }
            namesSeen.append(name)
            let values = Set(attributes.filter { $0.prefix { $0 != "=" } == name })
            if values.count > 1 { marks.insert(.contradictoryUsage) }
            var dearest: Int64 = 0
            for value in values {
                let multiplier = multipliers.first { $0.attribute == value }
                if multiplier == nil { marks.insert(.unknownMultiplier) }
                dearest = max(dearest, multiplier?.partsPerMillion ?? 1_000_000)
            }
            try factor.multiply(byPartsPerMillion: dearest)
        }
        return factor
    }
}
