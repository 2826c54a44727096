// Times of a trace as text: `YYYY-MM-DD hh:mm:ss[.f…]`, UTC, or with the offset that the trace of
// 2024 has. RFC 3339 but for the blank, the open end and up to nine digits of fraction, of which
// the trace of
// 2023 has seven. Microseconds are enough to know when to play a request: what is below is dropped.

import TimeZones

enum TraceTime {
    private static let blank = 10
    private static let point = 19

    /// Microseconds since 1970; nil when the text is not such a time.
    static func microseconds(_ field: ArraySlice<UInt8>) -> Int64? {
        var text = Array(field)
        guard text.count >= point, text[blank] == UInt8(ascii: " ") else { return nil }
        text[blank] = UInt8(ascii: "T")
        if text.count > point, text[point] == UInt8(ascii: ".") {
            let digits = text[(point + 1)...].prefix { $0 &- UInt8(ascii: "0") < 10 }
            guard (1...9).contains(digits.count) else { return nil }
            text.removeSubrange(digits.startIndex + min(digits.count, 6)..<digits.endIndex)
        }
        let hasOffset = text.dropFirst(point).contains {
            $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-")
        }
        if !hasOffset { text.append(UInt8(ascii: "Z")) }
        return try? RFC3339.parse(text.span)
    }
}
