// The footer of a zone file: a POSIX TZ string with the extensions of RFC 9636 section 3.3, which
// governs the instants after the last listed transition.
//
//     std offset [dst [offset] , start [/time] , end [/time]]
//
// A name is three or more letters, or letters, digits, "+" and "-" inside <>. An offset is
// [+-]h[h][:mm[:ss]] and counts *west* of Greenwich; the daylight offset defaults to one hour east
// of standard. A day is Jn (1...365, never 29 February), n (0...365, counts it) or Mm.w.d (month,
// week 1...5 where 5 is the last, weekday 0 = Sunday). A time is an offset with hours in
// -167...167, local by the clock in force before the change, and defaults to 02:00.

/// A parsed POSIX TZ string. Offsets are seconds east of UTC.
struct PosixTimeZone: Equatable, Sendable {
    var standardOffset: Int32
    var daylight: Daylight?

    struct Daylight: Equatable, Sendable {
        var offset: Int32
        var start: RuleDate
        var end: RuleDate
    }

    /// A local date and time of each year.
    struct RuleDate: Equatable, Sendable {
        var day: Day
        /// Seconds after local midnight; may be negative or beyond a day.
        var secondsOfDay: Int32

        /// Seconds since 1970-01-01 of the local clock, in `year`.
        func localSeconds(year: Int) -> Int64 {
            Int64(day.epochDay(year: year)) * 86_400 + Int64(secondsOfDay)
        }
    }

    enum Day: Equatable, Sendable {
        /// 1...365 in every year; 60 is 1 March.
        case julianWithoutLeapDay(Int)
        /// 0...365; 59 is 29 February in a leap year.
        case zeroBased(Int)
        /// Week 5 means the last such weekday of the month.
        case weekday(month: Int, week: Int, weekday: Int)

        func epochDay(year: Int) -> Int {
            let newYear = CivilDate(year: year, month: 1, day: 1).epochDay
            switch self {
            case .julianWithoutLeapDay(let number):
                let skipsLeapDay = CivilDate.isLeap(year) && number >= 60
                return newYear + number - 1 + (skipsLeapDay ? 1 : 0)
            case .zeroBased(let number):
                return newYear + number
            case .weekday(let month, let week, let weekday):
                let first = CivilDate(year: year, month: month, day: 1).epochDay
                // 1970-01-01, day 0, was a Thursday (4).
                let firstWeekday = (first % 7 + 11) % 7
                let offset = (weekday - firstWeekday + 7) % 7 + (week - 1) * 7
                let length = CivilDate.daysInMonth(year: year, month: month)
                return first + (offset < length ? offset : offset - 7)
            }
        }
    }

    /// The changes of the years given, in order of time. Where a period of daylight time ends at
    /// the instant at which the next begins (all-year daylight time), only the beginning counts.
    func transitions(years: ClosedRange<Int>) -> [TimeZoneRules.Transition] {
        guard let daylight else { return [] }
        var changes: [(instant: Int64, isStart: Bool)] = []
        changes.reserveCapacity(2 * years.count)
        for year in years {
            let start = daylight.start.localSeconds(year: year) - Int64(standardOffset)
            let end = daylight.end.localSeconds(year: year) - Int64(daylight.offset)
            changes.append((start, true))
            changes.append((end, false))
        }
        changes.sort { a, b in
            a.instant != b.instant ? a.instant < b.instant : !a.isStart && b.isStart
        }
        return changes.map { change in
            TimeZoneRules.Transition(
                utcSeconds: change.instant,
                offsetSeconds: change.isStart ? daylight.offset : standardOffset)
        }
    }
}

extension PosixTimeZone {
    /// Reads a whole TZ string; throws `.malformed` on anything else.
    init(text: ArraySlice<UInt8>) throws(TimeZoneError) {
        var scanner = Scanner(rest: text)
        try scanner.name()
        standardOffset = try scanner.zoneOffset()
        if scanner.rest.isEmpty {
            daylight = nil
            return
        }
        try scanner.name()
        var daylightOffset = standardOffset + 3_600
        if scanner.rest.first != UInt8(ascii: ",") {
            daylightOffset = try scanner.zoneOffset()
        }
        let start = try scanner.ruleDate()
        let end = try scanner.ruleDate()
        guard scanner.rest.isEmpty else { throw Scanner.error("text after the end date") }
        daylight = Daylight(offset: daylightOffset, start: start, end: end)
    }

    private struct Scanner {
        var rest: ArraySlice<UInt8>

        static func error(_ what: String) -> TimeZoneError {
            .malformed(reason: "the footer has \(what)")
        }

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard rest.first == UInt8(ascii: character) else { return false }
            rest.removeFirst()
            return true
        }

        mutating func require(_ character: Unicode.Scalar) throws(TimeZoneError) {
            guard take(character) else { throw Self.error("no \"\(character)\" where one is due") }
        }

        mutating func name() throws(TimeZoneError) {
            let quoted = take("<")
            let name = rest.prefix { byte in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"):
                    true
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"):
                    quoted
                default: false
                }
            }
            guard name.count >= 3 else { throw Self.error("a name of under three characters") }
            rest.removeFirst(name.count)
            if quoted { try require(">") }
        }

        /// A decimal number of one to three digits.
        mutating func number(_ range: ClosedRange<Int>) throws(TimeZoneError) -> Int {
            var value = 0
            var count = 0
            while count < 3, let byte = rest.first, byte &- 48 < 10 {
                value = value * 10 + Int(byte - 48)
                count += 1
                rest.removeFirst()
            }
            guard count > 0, range.contains(value) else {
                throw Self.error("a number outside \(range.lowerBound) to \(range.upperBound)")
            }
            return value
        }

        /// `[+-]h[:mm[:ss]]` in seconds, with the sign as written.
        mutating func signedTime(maximumHours: Int) throws(TimeZoneError) -> Int32 {
            let isNegative = take("-")
            if !isNegative { _ = take("+") }
            var seconds = try number(0...maximumHours) * 3_600
            if take(":") {
                seconds += try number(0...59) * 60
                if take(":") { seconds += try number(0...59) }
            }
            return Int32(isNegative ? -seconds : seconds)
        }

        mutating func zoneOffset() throws(TimeZoneError) -> Int32 {
            try -signedTime(maximumHours: 24)
        }

        mutating func ruleDate() throws(TimeZoneError) -> RuleDate {
            try require(",")
            let day: Day
            if take("J") {
                day = .julianWithoutLeapDay(try number(1...365))
            } else if take("M") {
                let month = try number(1...12)
                try require(".")
                let week = try number(1...5)
                try require(".")
                day = .weekday(month: month, week: week, weekday: try number(0...6))
            } else {
                day = .zeroBased(try number(0...365))
            }
            let time = take("/") ? try signedTime(maximumHours: 167) : 7_200
            return RuleDate(day: day, secondsOfDay: time)
        }
    }
}
