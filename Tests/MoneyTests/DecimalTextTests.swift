import Money
import Testing

struct DecimalTextTests {
    // Text is read exactly, to the last of nine places.
    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("1", 1_000_000_000), ("-1", -1_000_000_000), ("0.5", 500_000_000),
            ("0.000000001", 1), ("-0.000000001", -1), ("12.340", 12_340_000_000),
            ("0.004175", 4_175_000), ("9223372036.854775807", .max),
            ("-9223372036.854775808", .min),
        ] as [(String, Int64)])
    func reads(text: String, nanos: Int64) throws {
        #expect(try Money(decimal: text) == Money(nanos: nanos))
    }

    // Sums beyond the range of one amount are written as exactly.
    @Test(
        arguments: [
            (0, "0"), (-1, "-0.000000001"), (9_223_372_036_854_775_808, "9223372036.854775808"),
            (-9_223_372_036_854_775_809, "-9223372036.854775809"),
            (100_000_000_000_000_000_000, "100000000000"),
            (-100_000_000_000_500_000_000, "-100000000000.5"),
        ] as [(Int128, String)])
    func writesSums(nanos: Int128, text: String) {
        #expect(decimalText(nanos: nanos) == text)
    }

    // What is not plain decimal text is refused, never guessed at.
    @Test(arguments: [
        "", "-", ".", "+1", "1.", ".5", "-.5", "00", "01", "01.5", "1e3", "1E3", "0x1", "1,5", "1 ",
        " 1", "1.2.3", "--1", "1-", "NaN", "inf", "١", "1\u{0}", "0.0000000001", "1.0000000000",
    ])
    func refuses(text: String) {
        #expect(throws: MoneyError.malformed) { try Money(decimal: text) }
    }

    // An amount out of range is an overflow, not a wrapped number.
    @Test(arguments: [
        "9223372036.854775808", "-9223372036.854775809", "9223372037", "10000000000",
        "99999999999999999999999999", "-99999999999999999999999999",
    ])
    func reportsOverflow(text: String) {
        #expect(throws: MoneyError.overflow) { try Money(decimal: text) }
    }

    // Writing uses the fewest digits that say the amount exactly.
    @Test(
        arguments: [
            (0, "0"), (1, "0.000000001"), (-1, "-0.000000001"), (5_000_000_000, "5"),
            (4_175_000, "0.004175"), (-12_500_000_000, "-12.5"), (10, "0.00000001"),
            (100_000_000_000, "100"), (.max, "9223372036.854775807"),
            (.min, "-9223372036.854775808"),
        ] as [(Int64, String)])
    func writes(nanos: Int64, text: String) {
        #expect(Money(nanos: nanos).decimalText == text)
        var bytes: [UInt8] = [UInt8(ascii: "x")]
        Money(nanos: nanos).appendDecimalText(to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "x" + text)
    }

    // A rate for one token has twelve places, a rate for a million has six; they are the same
    // number.
    @Test(
        arguments: [
            ("2.5", "0.0000025", 2_500_000), ("0.000001", "0.000000000001", 1), ("0", "0", 0),
            ("10000", "0.01", 10_000_000_000), ("-1", "-0.000001", -1_000_000),
            ("9223372036854.775807", "9223372.036854775807", .max),
        ] as [(String, String, Int64)])
    func readsAndWritesRates(perMillion: String, perUnit: String, picos: Int64) throws {
        let rate = Rate(picos: picos)
        #expect(try Rate(decimalPerMillion: perMillion) == rate)
        #expect(try Rate(decimalPerUnit: perUnit) == rate)
        #expect(rate.decimalPerMillionText == perMillion)
        #expect(rate.decimalPerUnitText == perUnit)
    }

    // A rate finer than a pico unit is refused rather than rounded.
    @Test func refusesRatesThatAreTooFine() {
        #expect(throws: MoneyError.malformed) { try Rate(decimalPerMillion: "0.0000001") }
        #expect(throws: MoneyError.malformed) { try Rate(decimalPerUnit: "0.0000000000001") }
    }

    // Every amount reads back as itself.
    @Test func everyAmountSurvivesItsText() throws {
        var random = SplitMix64(seed: 1)
        for _ in 0..<20_000 {
            let value = random.anyInt64()
            let text = Money(nanos: value).decimalText
            #expect(try Money(decimal: text).nanos == value)
            #expect(try Rate(decimalPerUnit: Rate(picos: value).decimalPerUnitText).picos == value)
            // No needless digit: a shorter text would be another amount.
            if text.contains(".") { #expect(text.last != "0") }
        }
    }

    // Random bytes are read to an amount whose text they are (but for zeros at the end), or
    // refused.
    @Test func randomTextIsReadExactlyOrRefused() throws {
        var random = SplitMix64(seed: 2)
        let alphabet = Array("0123456789.-0000..--e")
        var readings = 0
        for _ in 0..<50_000 {
            let count = Int.random(in: 0...12, using: &random)
            let text = String(
                (0..<count).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
                })
            guard let money = try? Money(decimal: text) else { continue }
            readings += 1
            var shortest = text
            if shortest.contains(".") {
                while shortest.last == "0" { shortest.removeLast() }
                if shortest.last == "." { shortest.removeLast() }
            }
            #expect(money.decimalText == (shortest == "-0" ? "0" : shortest), "from \(text)")
        }
        #expect(readings > 1_000)
    }
}
