import Testing

@testable import Pricing

struct DecimalNumberTests {
    // JSON numbers become exact counts of 10^-12, whatever way they are written.
    @Test(
        arguments: [
            ("2.5e-06", 2_500_000), ("2.5E-6", 2_500_000), ("0.0000025", 2_500_000),
            ("25e-7", 2_500_000), ("0", 0), ("0.0", 0), ("0e5", 0), ("1", 1_000_000_000_000),
            ("1e-12", 1), ("1.0e-12", 1), ("-1.5e-9", -1_500), ("3e+0", 3_000_000_000_000),
            ("0.035", 35_000_000_000), ("1000000e-18", 1), ("9.223372036854775807e6", .max),
            ("-9.223372036854775808e6", .min), ("120.0e-9", 120_000),
        ] as [(String, Int64)])
    func readsExactly(text: String, picos: Int64) throws {
        let scaled = try #require(DecimalNumber(text)?.scaled(places: 12))
        #expect(scaled.value == picos)
        #expect(scaled.isExact)
    }

    // Digits finer than that round half to even, and say so.
    @Test(
        arguments: [
            ("1.8799999999999998e-05", 18_800_000), ("7.000000000000001e-07", 700_000),
            ("5e-13", 0), ("1.5e-12", 2), ("2.5e-12", 2), ("2.50000001e-12", 3), ("4.9e-13", 0),
            ("9e-14", 0), ("1e-999", 0), ("-1.5e-12", -2), ("6e-13", 1), ("9.99e-13", 1),
        ] as [(String, Int64)])
    func roundsWhatIsFiner(text: String, picos: Int64) throws {
        let scaled = try #require(DecimalNumber(text)?.scaled(places: 12))
        #expect(scaled.value == picos)
        #expect(!scaled.isExact)
    }

    // What is out of range, or no number, is neither wrapped nor guessed at.
    @Test func refuses() {
        for text in ["9.223372036854775808e6", "1e7", "1e30", "1e99999"] {
            #expect(DecimalNumber(text)?.scaled(places: 12) == nil, "\(text)")
        }
        for text in [
            "", "-", ".5", "e5", "1e", "1e+", "1x", "1.2.3", "1e1234567", "NaN", "1e5e5", "+1",
        ] {
            #expect(DecimalNumber(text) == nil, "\(text)")
        }
    }

    // Shifting the point between digits and exponent changes nothing.
    @Test func everyWayOfWritingIsTheSame() throws {
        var random = SplitMix64(seed: 61)
        for _ in 0..<5_000 {
            let digits = random.int(1...999_999_999)
            let exponent = random.int(-14...0)
            var expected = Int128(digits)
            var divisor: Int128 = 1
            for _ in 0..<max(0, 12 + exponent) { expected *= 10 }
            for _ in 0..<max(0, -12 - exponent) { divisor *= 10 }
            let isExact = expected % divisor == 0
            let value = expected / divisor
            let number = try #require(DecimalNumber("\(digits)e\(exponent)"))
            guard Int64(exactly: value) != nil else {
                #expect(number.scaled(places: 12) == nil)
                continue
            }
            let plain = try #require(number.scaled(places: 12))
            #expect(plain.isExact == isExact)
            if isExact { #expect(Int128(plain.value) == value) }
            let first = String(digits).prefix(1)
            let rest = String(digits).dropFirst()
            let moved = exponent + Int64(rest.count)
            let scientific = "\(first).\(rest.isEmpty ? "0" : rest)e\(moved)"
            let other = try #require(DecimalNumber(scientific)?.scaled(places: 12))
            #expect(other == plain, "\(scientific)")
        }
    }
}
