// Request rates of API keys. A request over the rate is refused with 429 before its body is read;
// nothing is recorded. A batch counts as one request: its size is bounded, and its commands are
// decided together.
//
// Answers say where the key stands, as in the IETF's draft-ietf-httpapi-ratelimit-headers-10:
//
//   RateLimit-Policy: "key";q=200;w=2     a burst of 200, which comes back in 2 seconds
//   RateLimit: "key";r=150;t=1            150 left now, full again in 1 second

import Synchronization
import Telemetry

final class RateLimiter: Sendable {
    private let common: RateLimit?
    private let byKey: [String: RateLimit?]
    private let now: @Sendable () -> Int64
    /// By id of the key; only keys that exist come here, so it is as large as their number.
    private let buckets = Mutex<[String: TokenBucket]>([:])
    private let refusals = CounterTable(1)

    /// Nil when nothing is limited.
    init?(_ configuration: APIConfiguration) {
        if configuration.rateLimit == nil, configuration.rateLimitByKey.isEmpty { return nil }
        common = configuration.rateLimit
        byKey = configuration.rateLimitByKey
        now = configuration.monotonicClock
    }

    /// Counts a request of a key; nil when it has no limit.
    func take(_ key: String) -> RateVerdict? {
        guard let limit = byKey[key] ?? common else { return nil }
        let now = now()
        let answer = buckets.withLock { buckets in
            buckets[key, default: TokenBucket(limit, now: now)].take(limit, now: now)
        }
        if !answer.isTaken { refusals.add(1) }
        return RateVerdict(limit: limit, answer: answer)
    }

    /// Requests refused since the process began.
    var refusedCount: Int64 { refusals[0] }
}

/// What a key's limit says to one request.
struct RateVerdict: Sendable {
    var limit: RateLimit
    var answer: TokenBucket.Answer

    var isAllowed: Bool { answer.isTaken }

    var headers: [(name: String, value: String)] {
        let window = (limit.burst + limit.requestsPerSecond - 1) / limit.requestsPerSecond
        return [
            ("RateLimit-Policy", "\"key\";q=\(limit.burst);w=\(window)"),
            ("RateLimit", "\"key\";r=\(answer.left);t=\(seconds(answer.fullNanoseconds))"),
        ]
    }

    var error: APIError {
        var error = APIError(
            429, .rateLimit, "rate_limited",
            "This key may make \(limit.requestsPerSecond) requests a second, \(limit.burst) at "
                + "once; nothing was recorded. Try again shortly.")
        error.headers = [
            ("Retry-After", String(max(1, seconds(answer.waitNanoseconds)))),
            ("x-should-retry", "true"),
        ]
        return error
    }

    /// Whole ones, rounded up.
    private func seconds(_ nanoseconds: Int64) -> Int64 {
        (nanoseconds + 999_999_999) / 1_000_000_000
    }
}
