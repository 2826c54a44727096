import Telemetry
import Testing

@Suite struct TokenBucketTests {
    private static let second: Int64 = 1_000_000_000

    // A burst is there at once, then tokens come one by one at the rate.
    @Test func burstThenRate() {
        let limit = RateLimit(requestsPerSecond: 10, burst: 3)
        var bucket = TokenBucket(limit, now: 0)
        for left in [2, 1, 0] as [Int64] {
            let answer = bucket.take(limit, now: 0)
            #expect(answer.isTaken && answer.left == left)
        }
        let refused = bucket.take(limit, now: 0)
        #expect(!refused.isTaken)
        #expect(refused.waitNanoseconds == Self.second / 10)
        #expect(refused.fullNanoseconds == Self.second * 3 / 10)
        #expect(!bucket.take(limit, now: Self.second / 10 - 1).isTaken)
        #expect(bucket.take(limit, now: Self.second / 10).isTaken)
        #expect(!bucket.take(limit, now: Self.second / 10).isTaken)
    }

    // In the long run exactly the rate passes, also where a token takes no whole nanoseconds.
    @Test(arguments: [3, 7, 1_000, 999_999] as [Int64])
    func longRun(rate: Int64) {
        let limit = RateLimit(requestsPerSecond: rate, burst: 5)
        var bucket = TokenBucket(limit, now: 0)
        var now: Int64 = 0
        var taken: Int64 = 0
        while taken < 5 + 3 * min(rate, 2_000) {
            let answer = bucket.take(limit, now: now)
            if answer.isTaken { taken += 1 } else { now += answer.waitNanoseconds }
        }
        // The last came when as many tokens had been made as were taken beyond the burst.
        let made = taken - 5
        #expect(now >= (made * Self.second) / rate && now <= (made * Self.second) / rate + 1)
    }

    // A pause of any length fills the bucket and no more; a clock that goes back takes nothing.
    @Test func longPause() {
        let limit = RateLimit(requestsPerSecond: 1_000_000, burst: 2)
        var bucket = TokenBucket(limit, now: 5)
        #expect(bucket.take(limit, now: .max).left == 1)
        #expect(bucket.take(limit, now: 0).left == 0)
        #expect(!bucket.take(limit, now: 0).isTaken)
    }
}
