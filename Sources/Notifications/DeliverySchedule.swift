// What becomes of a delivery after an attempt: a pure function.
//
//   waiting ──2xx──► delivered
//      │ ▲
//      │ └─ anything else, while attempts are left: waits longer each time
//      ├─ the last attempt failed ──► failed
//      └─ 410 Gone ──► failed, and its endpoint is switched off

package import Billing
import TimeZones

/// What came of one attempt.
package enum AttemptOutcome: Sendable, Equatable {
    /// The receiver answered, with this `Retry-After` if any.
    case answered(status: Int, retryAfter: String?)
    /// No answer; why, in a few words.
    case failed(String)
}

package enum DeliveryVerdict: Sendable, Equatable {
    case delivered
    case again(at: Instant)
    /// No attempts are left.
    case giveUp
    /// The receiver wants no more of anything.
    case gone
}

package enum DeliverySchedule {
    /// Seconds from a failed attempt to the next one, before jitter: 5 s, 5 min, 30 min, 2 h, 5 h,
    /// 10 h, 10 h. Eight attempts in a bit more than a day.
    package static let pauses: [Int64] = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000]
    /// A receiver's own wish counts up to a day.
    package static let retryAfterMax: Int64 = 86_400

    /// - Parameters:
    ///   - failures: attempts that failed before this one, since it began or was sent again.
    ///   - jitter: any number, evenly distributed; adds up to a fifth to a pause, so that what
    ///     failed together does not come back together.
    package static func verdict(
        _ outcome: AttemptOutcome, failures: Int, now: Instant, jitter: UInt64
    ) -> DeliveryVerdict {
        var wish: Int64?
        if case .answered(let status, let retryAfter) = outcome {
            if (200..<300).contains(status) { return .delivered }
            if status == 410 { return .gone }
            wish = retryAfter.flatMap { seconds(retryAfter: $0, now: now) }
        }
        guard pauses.indices.contains(failures) else { return .giveUp }
        let pause = pauses[failures] * 1_000_000
        let jittered = pause + Int64(jitter % UInt64(pause / 5 + 1))
        let wished = min(max(wish ?? 0, 0), retryAfterMax) * 1_000_000
        let next = now.microseconds.addingClamped(max(jittered, wished))
        return .again(at: Instant(microseconds: next))
    }

    /// Seconds of a `Retry-After` (RFC 9110, section 10.2.3): a number, or an HTTP date in the form
    /// that is in use, `Sun, 06 Nov 1994 08:49:37 GMT`. Nil for anything else.
    package static func seconds(retryAfter text: String, now: Instant) -> Int64? {
        if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return Int64(text) ?? retryAfterMax
        }
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let month = months.firstIndex(of: parts[2])
        else {
            return nil
        }
        let number = month + 1
        let date = "\(parts[3])-\(number < 10 ? "0" : "")\(number)-\(parts[1])T\(parts[4])Z"
        guard let time = try? RFC3339.parse(date) else { return nil }
        return max(0, (time - now.microseconds + 999_999) / 1_000_000)
    }

    private static let months: [Substring] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
