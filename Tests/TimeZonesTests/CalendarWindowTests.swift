import Testing
import TimeZones

/// Windows on chosen days of chosen zones.
struct CalendarWindowTests {
    private func window(_ kind: CalendarWindow, _ zone: String, _ instant: String) throws -> String
    {
        let rules = try TimeZoneDatabase().rules(for: zone)
        return text(kind.window(containing: try RFC3339.parse(instant), in: rules))
    }

    // A day is 23 or 25 hours long where the clock changes by one.
    @Test(arguments: [
        ("Europe/Berlin", "2024-03-31T12:00:00Z", "2024-03-30T23:00:00Z 2024-03-31T22:00:00Z"),
        ("Europe/Berlin", "2024-10-27T12:00:00Z", "2024-10-26T22:00:00Z 2024-10-27T23:00:00Z"),
        ("America/New_York", "2024-03-10T05:00:00Z", "2024-03-10T05:00:00Z 2024-03-11T04:00:00Z"),
        ("America/New_York", "2024-11-04T04:59:59Z", "2024-11-03T04:00:00Z 2024-11-04T05:00:00Z"),
    ])
    func dayFollowsDaylightTime(zone: String, instant: String, expected: String) throws {
        #expect(try window(.day, zone, instant) == expected)
    }

    // A midnight that the clock jumps over is replaced by the instant of the jump.
    @Test(arguments: [
        ("Africa/Cairo", "2024-04-26T12:00:00Z", "2024-04-25T22:00:00Z 2024-04-26T21:00:00Z"),
        ("America/Asuncion", "2023-10-01T12:00:00Z", "2023-10-01T04:00:00Z 2023-10-02T03:00:00Z"),
        ("Asia/Beirut", "2022-03-27T12:00:00Z", "2022-03-26T22:00:00Z 2022-03-27T21:00:00Z"),
        ("Atlantic/Azores", "2024-03-31T12:00:00Z", "2024-03-31T01:00:00Z 2024-04-01T00:00:00Z"),
    ])
    func missingMidnightIsTheJump(zone: String, instant: String, expected: String) throws {
        #expect(try window(.day, zone, instant) == expected)
    }

    // Of a midnight that happens twice the first counts, also when the clock shows the day before
    // once more in between.
    @Test(arguments: [
        ("America/Havana", "2024-11-03T04:30:00Z", "2024-11-03T04:00:00Z 2024-11-04T05:00:00Z"),
        ("America/Havana", "2024-11-03T05:30:00Z", "2024-11-03T04:00:00Z 2024-11-04T05:00:00Z"),
        ("America/St_Johns", "2006-10-29T02:29:59Z", "2006-10-28T02:30:00Z 2006-10-29T02:30:00Z"),
        ("America/St_Johns", "2006-10-29T02:30:30Z", "2006-10-29T02:30:00Z 2006-10-30T03:30:00Z"),
        ("America/St_Johns", "2006-10-29T02:45:00Z", "2006-10-29T02:30:00Z 2006-10-30T03:30:00Z"),
        // The clock goes back at 24:00: that midnight is not reached the first time.
        ("America/Santiago", "2024-04-07T03:30:00Z", "2024-04-06T03:00:00Z 2024-04-07T04:00:00Z"),
    ])
    func repeatedMidnightIsTheFirst(zone: String, instant: String, expected: String) throws {
        #expect(try window(.day, zone, instant) == expected)
    }

    // A date that a zone skipped has no window; the weeks and months around it are shorter.
    @Test(arguments: [
        (CalendarWindow.day, "2011-12-30T09:59:59Z", "2011-12-29T10:00:00Z 2011-12-30T10:00:00Z"),
        (.day, "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z 2011-12-31T10:00:00Z"),
        (.week, "2011-12-30T10:00:00Z", "2011-12-26T10:00:00Z 2012-01-01T10:00:00Z"),
        (.month, "2011-12-30T10:00:00Z", "2011-12-01T10:00:00Z 2011-12-31T10:00:00Z"),
        // A billing month due to begin on the skipped day begins with the day after it.
        (
            .monthAnchored(day: 30), "2011-12-30T10:00:00Z",
            "2011-12-30T10:00:00Z 2012-01-29T10:00:00Z"
        ),
        (
            .monthAnchored(day: 30), "2011-12-30T09:59:59Z",
            "2011-11-30T10:00:00Z 2011-12-30T10:00:00Z"
        ),
    ])
    func skippedDateHasNoWindow(kind: CalendarWindow, instant: String, expected: String) throws {
        #expect(try window(kind, "Pacific/Apia", instant) == expected)
    }

    // Hours follow the clock in force and are cut off where its offset changes.
    @Test(arguments: [
        ("Asia/Kolkata", "2024-01-01T00:00:00Z", "2023-12-31T23:30:00Z 2024-01-01T00:30:00Z"),
        (
            "Australia/Lord_Howe", "2024-04-06T14:30:00Z",
            "2024-04-06T14:00:00Z 2024-04-06T15:00:00Z"
        ),
        (
            "Australia/Lord_Howe", "2024-04-06T15:10:00Z",
            "2024-04-06T15:00:00Z 2024-04-06T15:30:00Z"
        ),
        (
            "Australia/Lord_Howe", "2024-10-05T15:10:00Z",
            "2024-10-05T14:30:00Z 2024-10-05T15:30:00Z"
        ),
        (
            "Australia/Lord_Howe", "2024-10-05T15:35:00Z",
            "2024-10-05T15:30:00Z 2024-10-05T16:00:00Z"
        ),
        ("Europe/Berlin", "2024-10-27T00:30:00Z", "2024-10-27T00:00:00Z 2024-10-27T01:00:00Z"),
        ("Europe/Berlin", "2024-10-27T01:30:00Z", "2024-10-27T01:00:00Z 2024-10-27T02:00:00Z"),
        ("America/St_Johns", "2006-10-29T02:30:30Z", "2006-10-29T02:30:00Z 2006-10-29T02:31:00Z"),
        ("America/St_Johns", "2006-10-29T02:40:00Z", "2006-10-29T02:31:00Z 2006-10-29T03:30:00Z"),
    ])
    func hoursFollowTheClock(zone: String, instant: String, expected: String) throws {
        #expect(try window(.hour, zone, instant) == expected)
    }

    // Minutes, ISO weeks (from Monday) and months by the local calendar.
    @Test(arguments: [
        (
            CalendarWindow.minute, "2024-02-29T23:59:59.999999Z",
            "2024-02-29T23:59:00Z 2024-03-01T00:00:00Z"
        ),
        (.week, "2024-03-31T12:00:00Z", "2024-03-24T23:00:00Z 2024-03-31T22:00:00Z"),
        (.week, "2024-12-30T00:00:00Z", "2024-12-29T23:00:00Z 2025-01-05T23:00:00Z"),
        (.month, "2024-02-29T23:30:00Z", "2024-02-29T23:00:00Z 2024-03-31T22:00:00Z"),
        (.month, "2024-12-31T22:59:59Z", "2024-11-30T23:00:00Z 2024-12-31T23:00:00Z"),
    ])
    func weeksAndMonthsAreLocal(kind: CalendarWindow, instant: String, expected: String) throws {
        #expect(try window(kind, "Europe/Berlin", instant) == expected)
    }

    // A billing month begins on its day, or on the last day of a month that is too short; a day
    // that no month has counts as the nearest.
    @Test(arguments: [
        (31, "2024-02-15T00:00:00Z", "2024-01-31T05:00:00Z 2024-02-29T05:00:00Z"),
        (31, "2024-03-05T00:00:00Z", "2024-02-29T05:00:00Z 2024-03-31T04:00:00Z"),
        (31, "2023-03-01T00:00:00Z", "2023-02-28T05:00:00Z 2023-03-31T04:00:00Z"),
        (30, "2023-12-31T00:00:00Z", "2023-12-30T05:00:00Z 2024-01-30T05:00:00Z"),
        (15, "2024-01-15T04:59:59Z", "2023-12-15T05:00:00Z 2024-01-15T05:00:00Z"),
        (15, "2024-01-15T05:00:00Z", "2024-01-15T05:00:00Z 2024-02-15T05:00:00Z"),
        (1, "2024-01-15T05:00:00Z", "2024-01-01T05:00:00Z 2024-02-01T05:00:00Z"),
        (0, "2024-01-15T05:00:00Z", "2024-01-01T05:00:00Z 2024-02-01T05:00:00Z"),
        (.min, "2024-01-15T05:00:00Z", "2024-01-01T05:00:00Z 2024-02-01T05:00:00Z"),
        (.max, "2024-02-15T00:00:00Z", "2024-01-31T05:00:00Z 2024-02-29T05:00:00Z"),
    ])
    func billingMonthsStartOnTheirDay(day: Int, instant: String, expected: String) throws {
        #expect(try window(.monthAnchored(day: day), "America/New_York", instant) == expected)
    }

    // Before the year 0000 and from 10000 on there is one window each, so that no instant is
    // without one.
    @Test(arguments: windowKinds)
    func unsupportedYearsAreOneWindow(kind: CalendarWindow) throws {
        let first: Int64 = -62_167_219_200_000_000
        let end: Int64 = 253_402_300_800_000_000
        for zone in ["UTC", "America/New_York", "Pacific/Apia"] {
            let rules = try TimeZoneDatabase().rules(for: zone)
            #expect(kind.window(containing: .min, in: rules) == .min..<first)
            #expect(kind.window(containing: first - 1, in: rules) == .min..<first)
            #expect(kind.window(containing: first, in: rules).lowerBound == first)
            #expect(kind.window(containing: end - 1, in: rules).upperBound == end)
            #expect(kind.window(containing: end, in: rules) == end ..< .max)
            #expect(kind.window(containing: .max, in: rules) == end ..< .max)
        }
    }
}
