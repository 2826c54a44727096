import Money
import Testing

struct ArithmeticTests {
    // Checked sums and differences agree with wider integers; what does not fit is an overflow.
    @Test func addsAndSubtractsExactlyOrNotAtAll() {
        var random = SplitMix64(seed: 3)
        var overflows = 0
        for _ in 0..<20_000 {
            let (a, b) = (random.anyInt64(), random.anyInt64())
            let sum = Int64(exactly: Int128(a) + Int128(b))
            let difference = Int64(exactly: Int128(a) - Int128(b))
            #expect((try? Money(nanos: a).adding(Money(nanos: b)).nanos) == sum)
            #expect((try? Money(nanos: a).subtracting(Money(nanos: b)).nanos) == difference)
            if sum == nil { overflows += 1 }
        }
        #expect(overflows > 100)
        #expect(throws: MoneyError.overflow) { try Money.max.adding(Money(nanos: 1)) }
        #expect(throws: MoneyError.overflow) {
            try Money(nanos: .min).subtracting(Money(nanos: 1))
        }
    }

    // The operators, meant for sums already known to fit, stop rather than wrap.
    @Test func operatorsTrapOnOverflow() async {
        await #expect(processExitsWith: .failure) { _ = Money.max + Money(nanos: 1) }
        await #expect(processExitsWith: .failure) { _ = Money(nanos: .min) - Money(nanos: 1) }
        await #expect(processExitsWith: .failure) { _ = -Money(nanos: .min) }
    }

    // Amounts compare as numbers.
    @Test func compares() {
        #expect(Money(nanos: -1) < .zero)
        #expect(Money.zero < Money(nanos: 1))
        #expect(Money(nanos: -1).isNegative && !Money.zero.isNegative && Money.zero.isZero)
        #expect(Rate(picos: 1) < Rate(picos: 2))
        #expect(PicoSum(picos: -2) < PicoSum(picos: -1))
    }

    // Ties go to the even nano unit, on both sides of zero.
    @Test(
        arguments: [
            (0, 0), (499, 0), (500, 0), (501, 1), (999, 1), (1_000, 1), (1_499, 1), (1_500, 2),
            (1_501, 2), (2_500, 2), (3_500, 4), (-499, 0), (-500, 0), (-501, -1), (-1_500, -2),
            (-2_500, -2),
        ] as [(Int128, Int64)])
    func roundsHalfToEven(picos: Int128, nanos: Int64) throws {
        #expect(try PicoSum(picos: picos).rounded() == Money(nanos: nanos))
    }

    // The rounded quotient is a nearest integer, and the even one when two are equally near: that
    // says which it is.
    @Test func theRoundedQuotientIsTheNearest() {
        var random = SplitMix64(seed: 4)
        for _ in 0..<20_000 {
            let numerator = Int128(random.anyInt64()) * Int128(random.anyInt64() >> 3)
            let denominator = max(1, Int128(random.anyInt64().magnitude))
            let quotient = roundedHalfToEven(numerator, dividedBy: denominator)
            let distance = (numerator - quotient * denominator).magnitude * 2
            #expect(distance <= denominator.magnitude)
            if distance == denominator.magnitude { #expect(quotient % 2 == 0) }
        }
    }

    // A denominator of zero is a programming error.
    @Test func roundingNeedsAPositiveDenominator() async {
        await #expect(processExitsWith: .failure) { _ = roundedHalfToEven(1, dividedBy: 0) }
    }

    // The markup acts on the exact sum: 0.4 nano at +50 % is 0.6, which rounds to 1, where rounding
    // first would lose it.
    @Test func theMarkupComesBeforeTheRounding() throws {
        let sum = PicoSum(picos: 400)
        #expect(try sum.rounded() == .zero)
        #expect(try sum.rounded(partsPerMillion: 1_500_000) == Money(nanos: 1))
        #expect(try sum.rounded(partsPerMillion: 0) == .zero)
        #expect(try PicoSum(picos: 1_000_000).rounded(partsPerMillion: 1) == .zero)
    }

    // A sum is rounded once: many small products lose nothing together.
    @Test func sumsLoseNothing() throws {
        var sum = PicoSum()
        for _ in 0..<1_000 { sum.add(Rate(picos: 75_001), times: 3) }
        #expect(sum == PicoSum(picos: 225_003_000))
        #expect(try sum.rounded() == Money(nanos: 225_003))
        #expect(sum + sum == PicoSum(picos: 450_006_000))
    }

    // The order of the products does not matter, and a sum is the sum of its parts.
    @Test func sumsDoNotDependOnOrder() {
        var random = SplitMix64(seed: 5)
        for _ in 0..<200 {
            let terms = (0..<20).map { _ in
                (Rate(picos: random.anyInt64() >> 4), random.anyInt64() >> 8)
            }
            var forward = PicoSum()
            var backward = PicoSum()
            for (rate, count) in terms { forward.add(rate, times: count) }
            for (rate, count) in terms.reversed() { backward.add(rate, times: count) }
            #expect(forward == backward)
            let expected = terms.reduce(0 as Int128) { $0 + Int128($1.0.picos) * Int128($1.1) }
            #expect(forward.picos == expected)
        }
    }

    // The largest product of a rate and a count fits; a result out of range is an overflow.
    @Test func rangesEndInErrors() throws {
        var sum = PicoSum()
        sum.add(Rate(picos: .min), times: .min)
        #expect(sum.picos == Int128(1) << 126)
        #expect(throws: MoneyError.overflow) { try sum.rounded() }
        #expect(throws: MoneyError.overflow) { try sum.rounded(partsPerMillion: .max) }
        let largest = PicoSum(picos: Int128(Int64.max) * 1_000)
        #expect(try largest.rounded() == .max)
        #expect(throws: MoneyError.overflow) {
            try PicoSum(picos: largest.picos + 500).rounded()
        }
    }
}
