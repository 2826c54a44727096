import Testing
import TimeZones

/// Comparison with files made by another implementation (Python's zoneinfo; how to make them anew:
/// `fixtures/time-zones/generate.py`).
struct ReferenceFixtureTests {
    private struct Change: Equatable {
        var instant: Int64
        var before: Int32
        var after: Int32
    }

    private struct Span {
        var zone: String
        var range: Range<Int64>
        var changes: [Change] = []
    }

    private func spans() throws -> [Span] {
        var spans: [Span] = []
        for row in try fixtureRows("transitions.tsv") {
            let numbers = row.dropFirst().compactMap { Int64($0) }
            if row[1] == "span" {
                try #require(numbers.count == 2, "\(row)")
                spans.append(Span(zone: String(row[0]), range: numbers[0]..<numbers[1]))
            } else {
                try #require(numbers.count == 3 && spans.last?.zone == String(row[0]), "\(row)")
                spans[spans.count - 1].changes.append(
                    Change(
                        instant: numbers[0], before: Int32(numbers[1]), after: Int32(numbers[2])))
            }
        }
        return spans
    }

    // Every change of the offset, forwards and backwards, and no other, with the offset on both
    // sides of it.
    @Test func transitionsAreThoseOfTheReference() throws {
        let database = TimeZoneDatabase()
        let spans = try spans()
        #expect(Set(spans.map(\.zone)).count >= 25)
        for span in spans {
            let rules = try database.rules(for: span.zone)
            var forwards: [Change] = []
            var position = span.range.lowerBound - 1
            while let next = rules.nextTransition(after: position),
                next.utcSeconds < span.range.upperBound
            {
                let before = rules.offsetSeconds(atUTCSeconds: next.utcSeconds - 1)
                let after = rules.offsetSeconds(atUTCSeconds: next.utcSeconds)
                #expect(after == next.offsetSeconds)
                #expect(after == rules.offsetSeconds(atUTCSeconds: next.utcSeconds + 1))
                forwards.append(Change(instant: next.utcSeconds, before: before, after: after))
                position = next.utcSeconds
            }
            #expect(forwards == span.changes, "\(span.zone)")

            var backwards: [Int64] = []
            position = span.range.upperBound
            while let last = rules.lastTransition(atOrBefore: position - 1),
                last.utcSeconds >= span.range.lowerBound
            {
                backwards.append(last.utcSeconds)
                position = last.utcSeconds
            }
            #expect(backwards.reversed() == span.changes.map(\.instant), "\(span.zone)")
        }
    }

    // Windows of every kind around changes of the offset are those of the reference, down to the
    // last microsecond of the second asked for.
    @Test func windowsAreThoseOfTheReference() throws {
        let database = TimeZoneDatabase()
        let kinds: [CalendarWindow] = [
            .minute, .hour, .day, .week, .month, .monthAnchored(day: 1), .monthAnchored(day: 15),
            .monthAnchored(day: 31),
        ]
        let rows = try fixtureRows("windows.tsv")
        #expect(rows.count > 1_000)
        for row in rows {
            try #require(row.count == kinds.count + 2, "\(row)")
            let rules = try database.rules(for: String(row[0]))
            let moment = try #require(Int64(row[1]))
            for (kind, field) in zip(kinds, row.dropFirst(2)) {
                let distances = field.split(separator: " ").compactMap { Int64($0) }
                try #require(distances.count == 2, "\(row)")
                let expected =
                    (moment - distances[0]) * 1_000_000..<(moment + distances[1]) * 1_000_000
                for fraction: Int64 in [0, 999_999] {
                    let window = kind.window(
                        containing: moment * 1_000_000 + fraction, in: rules)
                    #expect(window == expected, "\(row[0]) \(kind) at \(moment)")
                }
            }
        }
    }
}
