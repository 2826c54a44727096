// W3C Trace Context (https://www.w3.org/TR/trace-context/), the header `traceparent`:
//
//   00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
//   version, trace id (16 bytes), parent id (8 bytes), flags; lower-case hex
//
// A header that is not of this form, or with an id of zeros, is as good as none: a new trace
// begins. A version above 00 is read as far as 00 goes, and answered as 00. Nothing is recorded as
// sampled here, so the flag of the caller is passed on and a new trace has none.

import Synchronization

package struct TraceContext: Sendable, Equatable {
    package struct TraceID: Sendable, Equatable {
        package var high: UInt64
        package var low: UInt64
    }

    package var traceID: TraceID
    /// Id of the span: the caller's in a header that came, ours in one that goes.
    package var spanID: UInt64
    package var isSampled: Bool

    package init(traceID: TraceID, spanID: UInt64, isSampled: Bool = false) {
        self.traceID = traceID
        self.spanID = spanID
        self.isSampled = isSampled
    }

    /// Nil when the header is not valid.
    package init?(header: String) {
        let bytes = Array(header.utf8)
        let dash = UInt8(ascii: "-")
        guard bytes.count >= 55, bytes[2] == dash, bytes[35] == dash, bytes[52] == dash,
            let version = Self.hex(bytes[0..<2]), version != 0xFF,
            version == 0 ? bytes.count == 55 : bytes.count == 55 || bytes[55] == dash,
            let high = Self.hex(bytes[3..<19]), let low = Self.hex(bytes[19..<35]),
            high | low != 0,
            let span = Self.hex(bytes[36..<52]), span != 0,
            let flags = Self.hex(bytes[53..<55])
        else { return nil }
        self.init(
            traceID: TraceID(high: high, low: low), spanID: span, isSampled: flags & 1 == 1)
    }

    /// Lower-case hex digits, at most 16.
    private static func hex(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"):
                value = value << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return value
    }

    /// 32 digits.
    package var traceText: String { Self.text(traceID.high) + Self.text(traceID.low) }
    /// 16 digits.
    package var spanText: String { Self.text(spanID) }

    /// The header, version 00.
    package var header: String { "00-\(traceText)-\(spanText)-0\(isSampled ? 1 : 0)" }

    private static func text(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}

/// Makes ids of traces and spans: a random start, then SplitMix64, so that one costs no system
/// call. They tell requests apart and are no secrets.
package final class TraceIDs: Sendable {
    private let state: Atomic<UInt64>

    package convenience init() {
        var random = SystemRandomNumberGenerator()
        self.init(seed: random.next())
    }

    package init(seed: UInt64) { state = Atomic(seed) }

    /// The span of a request within the caller's trace, or within a new one when the header is
    /// absent or not valid.
    package func span(continuing header: String?) -> TraceContext {
        if let header, let caller = TraceContext(header: header) {
            return TraceContext(
                traceID: caller.traceID, spanID: next(), isSampled: caller.isSampled)
        }
        return TraceContext(traceID: .init(high: next(), low: next()), spanID: next())
    }

    /// Never zero.
    private func next() -> UInt64 {
        while true {
            var value = state.wrappingAdd(0x9E37_79B9_7F4A_7C15, ordering: .relaxed).newValue
            value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
            value ^= value >> 31
            if value != 0 { return value }
        }
    }
}
