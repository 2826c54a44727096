import Telemetry
import Testing

@Suite struct CounterTests {
    // What many threads add at once is the sum of it.
    @Test func countersAddUp() async {
        let table = CounterTable(3)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { for _ in 0..<1_000 { table.add(2, at: 1) } }
            }
        }
        #expect((0..<3).map { table[$0] } == [0, 16_000, 0])
    }

    // A value lies in the first bucket whose bound it does not pass: a bound belongs to its bucket.
    @Test(
        arguments: [
            (-5, [1, 1, 1]), (0, [1, 1, 1]), (10, [1, 1, 1]), (11, [0, 1, 1]), (20, [0, 1, 1]),
            (21, [0, 0, 1]), (Int64.max, [0, 0, 1]),
        ] as [(Int64, [Int64])])
    func bucket(value: Int64, cumulative: [Int64]) {
        let table = HistogramTable(bounds: [10, 20])
        table.record(value)
        #expect(table.reading().cumulative == cumulative)
        #expect(table.reading().count == 1)
        #expect(table.reading().sum == value)
    }

    // Rows of one table do not touch each other, and both ways of recording are the same.
    @Test func rows() {
        let table = HistogramTable(bounds: [1, 2, 3], rows: 3)
        table.record(2, row: 0)
        table.recordAlone(4, row: 2)
        table.recordAlone(1, row: 2)
        #expect(table.reading(0).cumulative == [0, 1, 1, 1])
        #expect(table.reading(1) == HistogramTable(bounds: [1, 2, 3]).reading())
        #expect(table.reading(2).cumulative == [1, 1, 1, 2])
        #expect(table.reading(2).sum == 5)
    }

    // The buckets that everything uses ascend, so that each can be filled.
    @Test(arguments: [HistogramTable.latencyBounds, HistogramTable.sizeBounds])
    func everyBucketCanBeFilled(bounds: [Int64]) {
        let table = HistogramTable(bounds: bounds)
        for bound in bounds { table.record(bound) }
        #expect(table.reading().cumulative.dropLast() == (1...bounds.count).map(Int64.init)[...])
    }
}
