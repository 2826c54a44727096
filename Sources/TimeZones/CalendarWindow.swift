// Budget windows: stretches of the calendar of one time zone, as half-open ranges of instants.
//
// The windows of one kind cover the time line without gap or overlap, whatever the clocks do.
//
//  - A day begins at the first instant at which the zone's clock shows midnight of that date or
//    anything later. So a midnight that the clocks jump over is replaced by the instant of the
//    jump, a midnight that happens twice counts the first time, and a date that is skipped has
//    no window. Days are 23 or 25 hours long where the offset changes by an hour.
//  - A week (ISO 8601, from Monday), a month and a billing month begin when their first day does.
//  - Hours and minutes follow the clock in force and are cut off where the offset changes: an hour
//    that happens twice is two windows, and half-hour changes leave a shorter one.

/// A kind of budget window.
package enum CalendarWindow: Hashable, Sendable {
    case minute
    case hour
    case day
    /// ISO 8601: from Monday.
    case week
    case month
    /// A month that begins on `day`, or on the last day of a shorter month. A `day` outside 1...31
    /// counts as the nearest one inside.
    case monthAnchored(day: Int)

    /// The window of this kind that contains an instant.
    ///
    /// Everything before the year 0000 (UTC) is one window, and so is everything from 10000 on;
    /// windows at these two edges are cut there.
    ///
    /// - Parameters:
    ///   - utcMicroseconds: microseconds since 1970-01-01T00:00:00Z.
    ///   - rules: the time zone whose clock counts.
    /// - Returns: the first instant of the window up to that of the next one, in microseconds.
    package func window(
        containing utcMicroseconds: Int64, in rules: TimeZoneRules
    ) -> Range<Int64> {
        let supported = SupportedInstants.utcMicroseconds
        if utcMicroseconds < supported.lowerBound { return .min..<supported.lowerBound }
        if utcMicroseconds >= supported.upperBound { return supported.upperBound ..< .max }

        let utcSeconds = floorDivide(utcMicroseconds, 1_000_000)
        let seconds =
            switch self {
            case .minute: Self.clockWindow(of: 60, containing: utcSeconds, in: rules)
            case .hour: Self.clockWindow(of: 3_600, containing: utcSeconds, in: rules)
            case .day, .week, .month, .monthAnchored: dateWindow(containing: utcSeconds, in: rules)
            }
        let range = SupportedInstants.utcSeconds
        return max(seconds.start, range.lowerBound) * 1_000_000..<min(seconds.end, range.upperBound)
            * 1_000_000
    }

    /// An hour or a minute of the clock in force, cut off at changes of the offset.
    private static func clockWindow(
        of length: Int64, containing utcSeconds: Int64, in rules: TimeZoneRules
    ) -> (start: Int64, end: Int64) {
        let segment = rules.segment(containing: utcSeconds)
        let local = utcSeconds + segment.offsetSeconds
        let start = floorDivide(local, length) * length - segment.offsetSeconds
        return (max(start, segment.startUTCSeconds), min(start + length, segment.endUTCSeconds))
    }

    private func dateWindow(
        containing utcSeconds: Int64, in rules: TimeZoneRules
    ) -> (start: Int64, end: Int64) {
        let segment = rules.segment(containing: utcSeconds)
        let localDay = Int(floorDivide(utcSeconds + segment.offsetSeconds, 86_400))
        var first = firstDay(ofPeriodContaining: localDay)
        var next = firstDay(ofPeriodAfter: first)
        var end = Self.start(ofDay: next, in: rules, near: segment)
        // The clock can show a date that it has already left: after a change back across midnight.
        // The window is then that of the later date. Offsets span 52 hours, so this ends.
        while end <= utcSeconds {
            first = next
            next = firstDay(ofPeriodAfter: first)
            end = Self.start(ofDay: next, in: rules, near: segment)
        }
        return (Self.start(ofDay: first, in: rules, near: segment), end)
    }

    /// The first instant at which the clock shows midnight of `epochDay` or later.
    private static func start(
        ofDay epochDay: Int, in rules: TimeZoneRules, near segment: TimeZoneRules.Segment
    ) -> Int64 {
        let midnight = Int64(epochDay) * 86_400
        // No clock is further than this from UTC, so none shows midnight earlier.
        let earliest = midnight - Int64(TimeZoneRules.offsetLimits.upperBound)
        if segment.startUTCSeconds <= earliest,
            midnight - segment.offsetSeconds < segment.endUTCSeconds
        {
            return midnight - segment.offsetSeconds
        }
        var candidate = rules.segment(containing: earliest)
        while true {
            let instant = max(candidate.startUTCSeconds, midnight - candidate.offsetSeconds)
            if instant < candidate.endUTCSeconds { return instant }
            candidate = rules.segment(containing: candidate.endUTCSeconds)
        }
    }
}

// MARK: - Periods of whole days

extension CalendarWindow {
    private func firstDay(ofPeriodContaining epochDay: Int) -> Int {
        switch self {
        case .minute, .hour, .day: return epochDay
        // Day 0 was a Thursday, three days after a Monday.
        case .week: return floorDivide(epochDay + 3, 7) * 7 - 3
        case .month: return firstDay(anchor: 1, ofPeriodContaining: epochDay)
        case .monthAnchored(let day): return firstDay(anchor: day, ofPeriodContaining: epochDay)
        }
    }

    /// The first day of the period that follows the one beginning on `first`.
    private func firstDay(ofPeriodAfter first: Int) -> Int {
        switch self {
        case .minute, .hour, .day: return first + 1
        case .week: return first + 7
        case .month: return firstDay(anchor: 1, ofMonthAfter: CivilDate(epochDay: first))
        case .monthAnchored(let day):
            return firstDay(anchor: day, ofMonthAfter: CivilDate(epochDay: first))
        }
    }

    private func firstDay(anchor: Int, ofPeriodContaining epochDay: Int) -> Int {
        let date = CivilDate(epochDay: epochDay)
        let anchorDay = Self.anchorDay(anchor, year: date.year, month: date.month)
        if date.day >= anchorDay { return epochDay - date.day + anchorDay }
        let lastOfPrevious = epochDay - date.day
        let previous = CivilDate(epochDay: lastOfPrevious)
        let previousAnchor = Self.anchorDay(anchor, year: previous.year, month: previous.month)
        return lastOfPrevious - previous.day + previousAnchor
    }

    private func firstDay(anchor: Int, ofMonthAfter date: CivilDate) -> Int {
        let year = date.month == 12 ? date.year + 1 : date.year
        let month = date.month == 12 ? 1 : date.month + 1
        let day = Self.anchorDay(anchor, year: year, month: month)
        return CivilDate(year: year, month: month, day: day).epochDay
    }

    private static func anchorDay(_ anchor: Int, year: Int, month: Int) -> Int {
        min(max(anchor, 1), CivilDate.daysInMonth(year: year, month: month))
    }
}
