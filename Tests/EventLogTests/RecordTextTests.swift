import Money
import Testing
import TimeZones

@testable import EventLog

/// The fast text functions say what the modules that own the forms say.
@Suite struct RecordTextTests {
    private static let hard: [Int64] = [
        0, 1, -1, 9, 10, 99, 100, 999_999, 1_000_000, 999_999_999, 1_000_000_000,
        -1_000_000_000, 1_000_000_001, 1_500_000_000, .max, .min, .max - 1, .min + 1,
    ]

    /// Values of every magnitude, both signs.
    private func samples(_ count: Int) -> [Int64] {
        var state: UInt64 = 42
        return Self.hard
            + (0..<count).map { index in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int64(bitPattern: state) >> Int64(index % 64)
            }
    }

    private func written(_ write: (UnsafeMutableBufferPointer<UInt8>) -> Int) -> String {
        String(unsafeUninitializedCapacity: 32) { write($0) }
    }

    // Amounts are written as Money writes them.
    @Test func amountsAsMoneyWritesThem() {
        for value in samples(20_000) {
            let text = written { RecordText.writeDecimal(value, places: 9, into: $0) }
            #expect(text == Money(nanos: value).decimalText)
        }
    }

    // Rates are written as Rate writes them.
    @Test func ratesAsRateWritesThem() {
        for value in samples(20_000) {
            let text = written { RecordText.writeDecimal(value, places: 6, into: $0) }
            #expect(text == Rate(picos: value).decimalPerMillionText)
        }
    }

    // Text is read as Money reads it, and refused when Money refuses it, for the same reason.
    @Test func amountsAreReadAsMoneyReadsThem() {
        let texts =
            samples(2_000).map { Money(nanos: $0).decimalText } + [
                "", "-", ".", "0.", ".5", "-.5", "00", "01", "-01", "+1", "1e3", "1.", "1.1.1",
                " 1", "1 ", "1.0000000000", "0.0000000001", "1.50", "-0", "-0.0", "٣",
                "9223372036.854775807", "9223372036.854775808", "-9223372036.854775808",
                "-9223372036.854775809", "10000000000", "99999999999999999999999999",
            ]
        for text in texts {
            let bytes = Array(text.utf8)
            let ours = bytes.withUnsafeBufferPointer { bytes -> Result<Int64, CodecError.Code> in
                Result { () throws(CodecError.Code) in
                    try RecordText.readDecimal(bytes, places: 9)
                }
            }
            let theirs = Result { () throws(MoneyError) in try Money(decimal: text).nanos }
                .mapError { $0 == .overflow ? CodecError.Code.outOfRange : .malformed }
            #expect(ours == theirs, "\(text)")
        }
    }

    // Times are written as TimeZones writes them, in every year that has four digits.
    @Test func timesAsTimeZonesWritesThem() {
        let range = SupportedInstants.utcMicroseconds
        var times = [range.lowerBound, range.upperBound - 1, 0, -1, 1]
        // Every 13 hours of four years on both sides of 1970 and 2000, every 97 days of all.
        let hours: Int64 = 3_600_000_000
        for start in [-63_158_400_000_000, 883_612_800_000_000] {
            times += stride(
                from: Int64(start), to: Int64(start) + 35_064 * hours, by: Int(13 * hours))
        }
        times += stride(from: range.lowerBound, to: range.upperBound, by: Int(2_328 * hours) + 7)
        for time in times {
            let text = written {
                RecordText.writeTime(microseconds: time, into: $0)
                return RecordText.timeLength
            }
            #expect(text == RFC3339.text(microseconds: time))
        }
    }
}
