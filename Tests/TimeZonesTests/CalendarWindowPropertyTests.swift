import Testing
import TimeZones

/// Rules that hold for windows of every kind in every zone.
struct CalendarWindowPropertyTests {
    /// Random instants of 1970...2200 and the neighbours of random transitions, in microseconds.
    private func instants(
        _ count: Int, in rules: TimeZoneRules, random: inout SeededGenerator
    ) -> [Int64] {
        (0..<count).flatMap { _ in
            let any = Int64.random(in: 0...7_258_118_400_000_000, using: &random)
            guard let change = rules.nextTransition(after: any / 1_000_000) else { return [any] }
            let edge = change.utcSeconds * 1_000_000
            let near = edge + Int64.random(in: -90_000_000_000...90_000_000_000, using: &random)
            return [any, near, edge - 1, edge, edge + 1]
        }
    }

    // Windows of one kind cover the time line without gap or overlap.
    @Test(arguments: oddZones)
    func windowsPartitionTime(zone: String) throws {
        let rules = try TimeZoneDatabase().rules(for: zone)
        var random = SeededGenerator(seed: 0x5EED_0003)
        for instant in instants(150, in: rules, random: &random) {
            for kind in windowKinds {
                #expect(partitionFaults(kind, at: instant, in: rules) == [])
            }
        }
    }

    // Hours and minutes have one offset and stand on the local clock's marks or on a transition.
    @Test(arguments: oddZones)
    func clockWindowsHaveOneOffset(zone: String) throws {
        let rules = try TimeZoneDatabase().rules(for: zone)
        var random = SeededGenerator(seed: 0x5EED_0004)
        for instant in instants(100, in: rules, random: &random) {
            for (kind, length) in [(CalendarWindow.minute, Int64(60)), (.hour, 3_600)] {
                let window = kind.window(containing: instant, in: rules)
                let start = window.lowerBound / 1_000_000
                let end = window.upperBound / 1_000_000
                let offset = rules.offsetSeconds(atUTCSeconds: start)
                #expect(end - start <= length)
                #expect(rules.offsetSeconds(atUTCSeconds: end - 1) == offset)
                if let change = rules.nextTransition(after: start) {
                    #expect(change.utcSeconds >= end)
                }
                for edge in [start, end] where (edge + Int64(offset)) % length != 0 {
                    #expect(rules.lastTransition(atOrBefore: edge)?.utcSeconds == edge)
                }
            }
        }
    }

    // A week, a month and a billing month begin and end where a day does.
    @Test(arguments: oddZones)
    func longWindowsAreWholeDays(zone: String) throws {
        let rules = try TimeZoneDatabase().rules(for: zone)
        var random = SeededGenerator(seed: 0x5EED_0005)
        for instant in instants(100, in: rules, random: &random) {
            let day = CalendarWindow.day.window(containing: instant, in: rules)
            for kind in windowKinds where kind != .minute && kind != .hour {
                let window = kind.window(containing: instant, in: rules)
                #expect(window.lowerBound <= day.lowerBound)
                #expect(window.upperBound >= day.upperBound)
                for edge in [window.lowerBound, window.upperBound] {
                    let there = CalendarWindow.day.window(containing: edge, in: rules)
                    #expect(there.lowerBound == edge)
                }
            }
        }
    }

    // Walking from window to window visits every local date once: 5,844 days in sixteen years, one
    // fewer where a day was skipped; 192 months and 192 billing months.
    @Test(arguments: oddZones)
    func walkVisitsEveryDate(zone: String) throws {
        let rules = try TimeZoneDatabase().rules(for: zone)
        func count(_ kind: CalendarWindow) throws -> Int {
            let first = CalendarWindow.month.window(
                containing: try RFC3339.parse("2004-01-10T00:00:00Z"), in: rules)
            let last = CalendarWindow.month.window(
                containing: try RFC3339.parse("2020-01-10T00:00:00Z"), in: rules)
            var position = first.lowerBound
            var count = 0
            while position < last.lowerBound {
                position = kind.window(containing: position, in: rules).upperBound
                count += 1
            }
            #expect(kind == .monthAnchored(day: 31) || position == last.lowerBound)
            return count
        }
        #expect(try count(.day) == (zone == "Pacific/Apia" ? 5_843 : 5_844))
        #expect(try count(.month) == 192)
        #expect(try count(.monthAnchored(day: 1)) == 192)
        #expect(try count(.monthAnchored(day: 31)) == 193)
    }
}
