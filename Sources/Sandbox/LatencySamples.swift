// Latencies, exact up to a million samples: beyond that a uniform sample of a million of them
// (Vitter's algorithm R), so that a trace of any length is played in the same memory.

/// Microseconds that answers took.
package struct LatencySamples: Sendable {
    static let most = 1_000_000

    private var samples: [UInt32] = []
    private var seen: UInt64 = 0
    private let capacity: Int

    init(capacity: Int = Self.most) { self.capacity = capacity }

    mutating func add(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let microseconds = max(seconds * 1_000_000 + attoseconds / 1_000_000_000_000, 0)
        let sample = UInt32(clamping: microseconds)
        seen += 1
        if samples.count < capacity {
            samples.append(sample)
            return
        }
        let place = SplitMix64.value(seed: 0, at: seen) % seen
        if place < UInt64(capacity) { samples[Int(place)] = sample }
    }

    /// Nil without samples.
    var summary: LatencySummary? {
        guard !samples.isEmpty else { return nil }
        let sorted = samples.sorted()
        // The nearest rank: the smallest sample that so many of all are not above.
        func percentile(_ percent: Int) -> Int64 {
            Int64(sorted[(sorted.count * percent + 99) / 100 - 1])
        }
        return LatencySummary(
            count: Int64(clamping: seen), p50: percentile(50), p95: percentile(95),
            p99: percentile(99), longest: Int64(sorted[sorted.count - 1]))
    }
}

/// Microseconds.
package struct LatencySummary: Sendable, Equatable {
    package var count: Int64
    package var p50: Int64
    package var p95: Int64
    package var p99: Int64
    /// Of the samples kept.
    package var longest: Int64

    package init(count: Int64, p50: Int64, p95: Int64, p99: Int64, longest: Int64) {
        self.count = count
        self.p50 = p50
        self.p95 = p95
        self.p99 = p99
        self.longest = longest
    }
}
