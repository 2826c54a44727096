// Instants as text (RFC 3339), to the microsecond.
//
// Written, the canonical form, always 27 bytes and in UTC:
//
//     2026-11-22T14:45:19.123456Z
//
// Read: date, "T", time, an optional fraction of one to six digits, then "Z" or an offset +hh:mm or
// -hh:mm. Capital letters only. Refused: dates that do not exist, 24:00, second 60 (POSIX time has
// no place for it), more than six digits of fraction (they would be lost without a word), and
// instants whose UTC year is not 0000...9999.

/// Reads and writes RFC 3339 timestamps; instants are microseconds since 1970-01-01T00:00:00Z.
package enum RFC3339 {
    /// The length of the canonical form in bytes.
    package static let canonicalLength = 27

    /// Why a text is not a timestamp.
    package enum ParseError: Error, Equatable, Sendable {
        /// Not of the form YYYY-MM-DDThh:mm:ss[.f]Z or with an offset ±hh:mm.
        case syntax
        /// A month, day, hour, minute, second or offset that does not exist.
        case fieldOutOfRange(Field)
        /// Second 60.
        case leapSecond
        /// More than six digits after the point.
        case fractionTooLong
        /// The instant, in UTC, is not in the years 0000...9999.
        case instantOutOfRange
    }

    package enum Field: String, Equatable, Sendable {
        case month, day, hour, minute, second, offset
    }
}

// MARK: - Writing

extension RFC3339 {
    /// Appends the canonical form, 27 bytes. An instant outside the years 0000...9999 is written
    /// as the nearest one inside.
    package static func write(microseconds: Int64, into bytes: inout [UInt8]) {
        let range = SupportedInstants.utcMicroseconds
        let instant = min(max(microseconds, range.lowerBound), range.upperBound - 1)
        let seconds = floorDivide(instant, 1_000_000)
        let fraction = Int(instant - seconds * 1_000_000)
        let epochDay = Int(floorDivide(seconds, 86_400))
        let secondOfDay = Int(seconds) - epochDay * 86_400
        let date = CivilDate(epochDay: epochDay)

        let start = bytes.count
        bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: canonicalLength))
        var text = bytes.mutableSpan
        writePair(date.year / 100, at: start, of: &text)
        writePair(date.year % 100, at: start + 2, of: &text)
        text[start + 4] = UInt8(ascii: "-")
        writePair(date.month, at: start + 5, of: &text)
        text[start + 7] = UInt8(ascii: "-")
        writePair(date.day, at: start + 8, of: &text)
        text[start + 10] = UInt8(ascii: "T")
        writePair(secondOfDay / 3_600, at: start + 11, of: &text)
        text[start + 13] = UInt8(ascii: ":")
        writePair(secondOfDay / 60 % 60, at: start + 14, of: &text)
        text[start + 16] = UInt8(ascii: ":")
        writePair(secondOfDay % 60, at: start + 17, of: &text)
        text[start + 19] = UInt8(ascii: ".")
        writePair(fraction / 10_000, at: start + 20, of: &text)
        writePair(fraction / 100 % 100, at: start + 22, of: &text)
        writePair(fraction % 100, at: start + 24, of: &text)
        text[start + 26] = UInt8(ascii: "Z")
    }

    /// The canonical form as a string.
    package static func text(microseconds: Int64) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(canonicalLength)
        write(microseconds: microseconds, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Two digits of a number in 0...99.
    @inline(__always)
    private static func writePair(_ value: Int, at index: Int, of text: inout MutableSpan<UInt8>) {
        let value = UInt8(truncatingIfNeeded: value)
        text[index] = 48 &+ value / 10
        text[index + 1] = 48 &+ value % 10
    }
}

// MARK: - Reading

extension RFC3339 {
    /// Reads a timestamp in any accepted form.
    ///
    /// - Returns: microseconds since 1970-01-01T00:00:00Z.
    package static func parse(_ text: some StringProtocol) throws(ParseError) -> Int64 {
        try parse(String(text).utf8.span)
    }

    /// Reads a timestamp in any accepted form.
    ///
    /// - Returns: microseconds since 1970-01-01T00:00:00Z.
    package static func parse(_ text: Span<UInt8>) throws(ParseError) -> Int64 {
        guard text.count >= 20, hasPunctuation(text) else { throw .syntax }
        let seconds = try localSeconds(text)
        var position = 19
        var fraction: Int64 = 0
        if text[position] == UInt8(ascii: ".") {
            position += 1
            var scale: Int64 = 1_000_000
            while position < text.count, text[position] &- 48 < 10 {
                guard scale > 1 else { throw .fractionTooLong }
                scale /= 10
                fraction += Int64(text[position] - 48) * scale
                position += 1
            }
            guard scale < 1_000_000 else { throw .syntax }
        }
        let offset = try offsetSeconds(text, at: position)
        let instant = seconds - offset
        guard SupportedInstants.utcSeconds.contains(instant) else { throw .instantOutOfRange }
        return instant * 1_000_000 + fraction
    }

    /// Reads the canonical form and nothing else; `nil` for any other text.
    package static func parseCanonical(_ text: Span<UInt8>) -> Int64? {
        guard text.count == canonicalLength, hasPunctuation(text),
            text[19] == UInt8(ascii: "."), text[26] == UInt8(ascii: "Z")
        else { return nil }
        let fraction = pair(text, 20) * 10_000 + pair(text, 22) * 100 + pair(text, 24)
        guard fraction >= 0, let seconds = try? localSeconds(text) else { return nil }
        return seconds * 1_000_000 + Int64(fraction)
    }

    /// Whether the separators of date and time stand where they must.
    @inline(__always)
    private static func hasPunctuation(_ text: Span<UInt8>) -> Bool {
        text[4] == UInt8(ascii: "-") && text[7] == UInt8(ascii: "-")
            && text[10] == UInt8(ascii: "T")
            && text[13] == UInt8(ascii: ":") && text[16] == UInt8(ascii: ":")
    }

    /// Seconds since 1970-01-01 of the date and time in the first 19 bytes.
    @inline(__always)
    private static func localSeconds(_ text: Span<UInt8>) throws(ParseError) -> Int64 {
        let year = pair(text, 0) * 100 + pair(text, 2)
        let month = pair(text, 5)
        let day = pair(text, 8)
        let hour = pair(text, 11)
        let minute = pair(text, 14)
        let second = pair(text, 17)
        guard year >= 0, month >= 0, day >= 0, hour >= 0, minute >= 0, second >= 0 else {
            throw .syntax
        }
        guard (1...12).contains(month) else { throw .fieldOutOfRange(.month) }
        guard day >= 1, day <= CivilDate.daysInMonth(year: year, month: month) else {
            throw .fieldOutOfRange(.day)
        }
        guard hour < 24 else { throw .fieldOutOfRange(.hour) }
        guard minute < 60 else { throw .fieldOutOfRange(.minute) }
        guard second < 60 else {
            throw second == 60 ? .leapSecond : .fieldOutOfRange(.second)
        }
        let epochDay = CivilDate(year: year, month: month, day: day).epochDay
        return Int64(epochDay * 86_400 + hour * 3_600 + minute * 60 + second)
    }

    /// The offset that ends the text: "Z", or a sign and hh:mm.
    private static func offsetSeconds(
        _ text: Span<UInt8>, at position: Int
    ) throws(ParseError) -> Int64 {
        let length = text.count - position
        guard length >= 1 else { throw .syntax }
        let first = text[position]
        if first == UInt8(ascii: "Z") {
            guard length == 1 else { throw .syntax }
            return 0
        }
        guard length == 6, first == UInt8(ascii: "+") || first == UInt8(ascii: "-"),
            text[position + 3] == UInt8(ascii: ":")
        else { throw .syntax }
        let hours = pair(text, position + 1)
        let minutes = pair(text, position + 4)
        guard hours >= 0, minutes >= 0 else { throw .syntax }
        guard hours < 24, minutes < 60 else { throw .fieldOutOfRange(.offset) }
        let seconds = Int64(hours * 3_600 + minutes * 60)
        return first == UInt8(ascii: "-") ? -seconds : seconds
    }

    /// The number of two digits, or a negative one so large that no sum with it is positive.
    @inline(__always)
    private static func pair(_ text: Span<UInt8>, _ index: Int) -> Int {
        let tens = text[index] &- 48
        let ones = text[index + 1] &- 48
        return tens < 10 && ones < 10 ? Int(tens) * 10 + Int(ones) : -10_000_000
    }
}
