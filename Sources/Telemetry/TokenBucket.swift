// A token bucket in integers: each request takes a token, tokens come back at a steady rate, and
// the bucket holds a burst of them. Levels are kept in billionths of a token, so that a nanosecond
// at one token a second is exactly one of them and nothing is ever rounded.

/// How many requests are let through.
package struct RateLimit: Sendable, Hashable {
    /// In the long run.
    package var requestsPerSecond: Int64
    /// At once, after a pause.
    package var burst: Int64

    package static let most: Int64 = 1_000_000

    /// - Parameters: each 1 to `most`.
    package init(requestsPerSecond: Int64, burst: Int64) {
        precondition((1...Self.most).contains(requestsPerSecond) && (1...Self.most).contains(burst))
        self.requestsPerSecond = requestsPerSecond
        self.burst = burst
    }
}

package struct TokenBucket: Sendable {
    private static let token: Int64 = 1_000_000_000

    /// Billionths of a token.
    private var level: Int64
    /// When `level` was right, nanoseconds of a monotonic clock.
    private var moment: Int64

    /// Full.
    package init(_ limit: RateLimit, now: Int64) {
        level = limit.burst * Self.token
        moment = now
    }

    package struct Answer: Sendable, Equatable {
        package var isTaken: Bool
        /// Whole tokens left.
        package var left: Int64
        /// Until there is a token again, nanoseconds; 0 when there is one.
        package var waitNanoseconds: Int64
        /// Until the bucket is full, nanoseconds.
        package var fullNanoseconds: Int64
    }

    /// Takes a token if there is one.
    package mutating func take(_ limit: RateLimit, now: Int64) -> Answer {
        let capacity = limit.burst * Self.token
        let rate = limit.requestsPerSecond
        let passed = max(0, now - moment)
        let missing = max(0, capacity - level)
        // Compared before it is multiplied: a long pause must not overflow.
        level = passed > missing / rate ? capacity : min(capacity, level + passed * rate)
        moment = max(moment, now)
        let isTaken = level >= Self.token
        if isTaken { level -= Self.token }
        return Answer(
            isTaken: isTaken, left: level / Self.token,
            waitNanoseconds: level >= Self.token ? 0 : ceiling(Self.token - level, rate),
            fullNanoseconds: ceiling(capacity - level, rate))
    }

    private func ceiling(_ amount: Int64, _ rate: Int64) -> Int64 { (amount + rate - 1) / rate }
}
