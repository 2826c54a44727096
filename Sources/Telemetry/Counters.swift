// Counters that cost a few nanoseconds: made once, at places that are known beforehand, so that
// counting takes no lock, no memory and no text. Names and labels are put to them when somebody
// reads (PrometheusText.swift).

import Synchronization

/// A fixed number of 64-bit counters, which any thread may read while others count.
package final class CounterTable: @unchecked Sendable {
    // Unchecked: the pointer never changes, and what it points at are atomics.
    private let cells: UnsafeMutablePointer<Atomic<Int64>>
    package let count: Int

    /// All zero.
    package init(_ count: Int) {
        precondition(count > 0, "a table has at least one counter")
        self.count = count
        cells = .allocate(capacity: count)
        for place in 0..<count { (cells + place).initialize(to: Atomic(0)) }
    }

    deinit {
        cells.deinitialize(count: count)
        cells.deallocate()
    }

    /// Adds; any number of threads may.
    package func add(_ amount: Int64, at place: Int = 0) {
        precondition(place >= 0 && place < count, "no such counter")
        cells[place].wrappingAdd(amount, ordering: .relaxed)
    }

    /// Adds to a counter that only the calling thread ever changes: no locked instruction.
    package func addAlone(_ amount: Int64, at place: Int = 0) {
        precondition(place >= 0 && place < count, "no such counter")
        let value = cells[place].load(ordering: .relaxed)
        cells[place].store(value &+ amount, ordering: .relaxed)
    }

    package func set(_ value: Int64, at place: Int = 0) {
        precondition(place >= 0 && place < count, "no such counter")
        cells[place].store(value, ordering: .relaxed)
    }

    package subscript(_ place: Int) -> Int64 {
        precondition(place >= 0 && place < count, "no such counter")
        return cells[place].load(ordering: .relaxed)
    }
}

/// Several histograms of the same buckets, one a row.
package final class HistogramTable: Sendable {
    /// Upper ends of the buckets, each included in its bucket, ascending; one more bucket has no
    /// end.
    package let bounds: [Int64]
    package let rows: Int
    private let cells: CounterTable
    private let stride: Int

    package init(bounds: [Int64], rows: Int = 1) {
        precondition(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }, "bounds ascend")
        self.bounds = bounds
        self.rows = rows
        stride = bounds.count + 2
        cells = CounterTable(stride * rows)
    }

    /// Latencies in nanoseconds, from 50 µs to 10 s.
    package static let latencyBounds: [Int64] = [
        50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000,
        50_000_000, 100_000_000, 250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000,
        5_000_000_000, 10_000_000_000,
    ]

    /// Sizes of batches.
    package static let sizeBounds: [Int64] = [
        1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192,
    ]

    /// The bucket of a value, whatever its row.
    private func bucket(of value: Int64) -> Int {
        var place = 0
        while place < bounds.count, value > bounds[place] { place += 1 }
        return place
    }

    /// Records a value; any number of threads may.
    package func record(_ value: Int64, row: Int = 0) {
        cells.add(1, at: row * stride + bucket(of: value))
        cells.add(value, at: row * stride + stride - 1)
    }

    /// Records a value in a row that only the calling thread ever changes.
    package func recordAlone(_ value: Int64, row: Int = 0) {
        cells.addAlone(1, at: row * stride + bucket(of: value))
        cells.addAlone(value, at: row * stride + stride - 1)
    }

    package func reading(_ row: Int = 0) -> HistogramReading {
        var cumulative: [Int64] = []
        var count: Int64 = 0
        for place in 0...bounds.count {
            count += cells[row * stride + place]
            cumulative.append(count)
        }
        return HistogramReading(
            bounds: bounds, cumulative: cumulative, sum: cells[row * stride + stride - 1])
    }
}

/// A histogram at one moment.
package struct HistogramReading: Sendable, Equatable {
    package var bounds: [Int64]
    /// Values at or below each bound, and all values at the end.
    package var cumulative: [Int64]
    package var sum: Int64

    package var count: Int64 { cumulative.last ?? 0 }
}
