import Testing
import TimeZones

/// Timestamps as text.
struct RFC3339Tests {
    // The canonical form of known instants.
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000000Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (1_795_358_719_123_456, "2026-11-22T14:45:19.123456Z"),
        (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
        (-2_203_977_600_000_000, "1900-02-28T00:00:00.000000Z"),
        (-62_167_219_200_000_000, "0000-01-01T00:00:00.000000Z"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
    ])
    func canonicalFormIsKnown(microseconds: Int64, text: String) throws {
        #expect(RFC3339.text(microseconds: microseconds) == text)
        #expect(try RFC3339.parse(text) == microseconds)
        #expect(RFC3339.parseCanonical(Array(text.utf8).span) == microseconds)
    }

    // Instants without a four-digit year are written as the nearest with one.
    @Test func instantsOutOfRangeAreClamped() {
        #expect(RFC3339.text(microseconds: .min) == "0000-01-01T00:00:00.000000Z")
        #expect(RFC3339.text(microseconds: .max) == "9999-12-31T23:59:59.999999Z")
    }

    // Writing appends 27 bytes and leaves what was there.
    @Test func writingAppends() {
        var bytes = Array("at ".utf8)
        RFC3339.write(microseconds: 1, into: &bytes)
        RFC3339.write(microseconds: 2, into: &bytes)
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text == "at 1970-01-01T00:00:00.000001Z1970-01-01T00:00:00.000002Z")
    }

    // The dates are those of a calendar that counts days one by one: the ends of each February
    // and December in ten thousand years, and every day of 1970...2050.
    @Test func datesFollowTheCalendar() {
        var day: Int64 = -719_528
        for year in 0...9_999 {
            let isLeap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)
            let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            for (index, length) in lengths.enumerated() {
                let days =
                    if (1970...2050).contains(year) { Array(1...length) } else {
                        index == 1 || index == 11 ? [1, length] : []
                    }
                for number in days {
                    let date = [year + 10_000, index + 101, number + 100]
                        .map { String($0).dropFirst() }.joined(separator: "-")
                    let instant = (day + Int64(number) - 1) * 86_400_000_000
                    let text = RFC3339.text(microseconds: instant)
                    if text != date + "T00:00:00.000000Z" {
                        Issue.record("\(instant) is \(text), not \(date)")
                    }
                }
                day += Int64(length)
            }
        }
        #expect(day == 2_932_897)
    }

    // Whatever is written is read back, by both readers.
    @Test func writtenTextIsReadBack() throws {
        var random = SeededGenerator(seed: 0x5EED_0006)
        var bytes: [UInt8] = []
        for _ in 0..<20_000 {
            let instant = Int64.random(
                in: SupportedInstants.utcMicroseconds, using: &random)
            bytes.removeAll(keepingCapacity: true)
            RFC3339.write(microseconds: instant, into: &bytes)
            #expect(bytes.count == RFC3339.canonicalLength)
            #expect(RFC3339.parseCanonical(bytes.span) == instant)
            #expect(try RFC3339.parse(bytes.span) == instant)
        }
    }

    // Fractions of one to six digits and numeric offsets are read.
    @Test(arguments: [
        ("2026-11-22T14:45:19Z", "2026-11-22T14:45:19.000000Z"),
        ("2026-11-22T14:45:19.5Z", "2026-11-22T14:45:19.500000Z"),
        ("2026-11-22T14:45:19.012Z", "2026-11-22T14:45:19.012000Z"),
        ("2026-11-22T14:45:19.123456+02:00", "2026-11-22T12:45:19.123456Z"),
        ("2026-11-22T14:45:19-03:30", "2026-11-22T18:15:19.000000Z"),
        ("2026-11-22T14:45:19-00:00", "2026-11-22T14:45:19.000000Z"),
        ("2024-02-29T23:30:00-23:59", "2024-03-01T23:29:00.000000Z"),
        ("1969-12-31T23:59:59.25Z", "1969-12-31T23:59:59.250000Z"),
    ])
    func otherFormsAreRead(text: String, canonical: String) throws {
        #expect(RFC3339.text(microseconds: try RFC3339.parse(text)) == canonical)
        #expect(try RFC3339.parse("x\(text)".dropFirst()) == (try RFC3339.parse(canonical)))
        #expect(RFC3339.parseCanonical(Array(text.utf8).span) == nil)
    }

    // What is not a timestamp is refused, with the reason.
    @Test(arguments: [
        ("", RFC3339.ParseError.syntax), ("Z", .syntax), ("2026-11-22", .syntax),
        ("2026-11-22T14:45:19", .syntax), ("2026-11-22T14:45Z", .syntax),
        ("2026-11-22 14:45:19Z", .syntax), ("2026-11-22t14:45:19Z", .syntax),
        ("2026-11-22T14:45:19z", .syntax), ("2026-11-22T14:45:19.Z", .syntax),
        ("2026-11-22T14:45:19,5Z", .syntax), ("2026-11-22T14:45:19ZZ", .syntax),
        ("2026-11-22T14:45:19Z ", .syntax), (" 2026-11-22T14:45:19Z", .syntax),
        ("2026-11-22T14:45:19+0200", .syntax), ("2026-11-22T14:45:19+02", .syntax),
        ("2026-11-22T14:45:19+02:0", .syntax), ("2026-11-22T14:45:19+02:00Z", .syntax),
        ("2026-11-22T14:45:19.123456", .syntax), ("2026-11-22T14:45:19.5x", .syntax),
        ("+2026-11-22T14:45:19Z", .syntax), ("-026-11-22T14:45:19Z", .syntax),
        ("2026-1a-22T14:45:19Z", .syntax), ("2026-11-22T1/:45:19Z", .syntax),
        ("2026-11-22T14:45:19+a0:00", .syntax), ("２026-11-22T14:45:19Z", .syntax),
        ("2026-00-22T14:45:19Z", .fieldOutOfRange(.month)),
        ("2026-13-22T14:45:19Z", .fieldOutOfRange(.month)),
        ("2026-11-00T14:45:19Z", .fieldOutOfRange(.day)),
        ("2026-11-31T14:45:19Z", .fieldOutOfRange(.day)),
        ("2026-02-29T14:45:19Z", .fieldOutOfRange(.day)),
        ("1900-02-29T14:45:19Z", .fieldOutOfRange(.day)),
        ("2026-11-22T24:00:00Z", .fieldOutOfRange(.hour)),
        ("2026-11-22T14:60:19Z", .fieldOutOfRange(.minute)),
        ("2026-11-22T14:45:61Z", .fieldOutOfRange(.second)),
        ("2016-12-31T23:59:60Z", .leapSecond),
        ("2026-11-22T14:45:19+24:00", .fieldOutOfRange(.offset)),
        ("2026-11-22T14:45:19-02:60", .fieldOutOfRange(.offset)),
        ("2026-11-22T14:45:19.1234567Z", .fractionTooLong),
        ("2026-11-22T14:45:19.1234560Z", .fractionTooLong),
        ("0000-01-01T00:00:00+00:01", .instantOutOfRange),
        ("9999-12-31T23:59:59-00:01", .instantOutOfRange),
    ])
    func otherTextIsRefused(text: String, error: RFC3339.ParseError) {
        #expect(throws: error) { try RFC3339.parse(text) }
        #expect(RFC3339.parseCanonical(Array(text.utf8).span) == nil)
    }

    // Both readers survive any bytes, and whatever the canonical reader accepts is canonical.
    @Test func damagedTextNeverMisleads() throws {
        var random = SeededGenerator(seed: 0x5EED_0007)
        let original = Array("2026-11-22T14:45:19.123456Z".utf8)
        var accepted = 0
        for _ in 0..<20_000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let position = Int.random(in: 0..<bytes.count, using: &random)
                bytes[position] = UInt8.random(in: 43...58, using: &random)
            }
            if Bool.random(using: &random) {
                bytes.removeLast(Int.random(in: 0...9, using: &random))
            }
            let general = try? RFC3339.parse(bytes.span)
            guard let instant = RFC3339.parseCanonical(bytes.span) else { continue }
            accepted += 1
            #expect(general == instant)
            #expect(Array(RFC3339.text(microseconds: instant).utf8) == bytes)
        }
        #expect(accepted > 1_000)
    }
}
