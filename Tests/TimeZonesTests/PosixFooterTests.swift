import Testing
import TimeZones

/// The footer's rule for instants after the last listed transition.
struct PosixFooterTests {
    struct Example: Sendable {
        var footer: String
        var from: String
        /// Instants and the offsets from them on.
        var changes: [(instant: String, offset: Int32)]

        init(_ footer: String, from: String, _ changes: (instant: String, offset: Int32)...) {
            self.footer = footer
            self.from = from
            self.changes = changes
        }
    }

    static let examples: [Example] = [
        Example(
            "EST5EDT,M3.2.0,M11.1.0", from: "2030-01-01T00:00:00Z",
            ("2030-03-10T07:00:00Z", -14_400), ("2030-11-03T06:00:00Z", -18_000)),
        Example(
            "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", from: "2030-01-01T00:00:00Z",
            ("2030-04-06T15:00:00Z", 37_800), ("2030-10-05T15:30:00Z", 39_600)),
        Example(
            "IST-1GMT0,M10.5.0,M3.5.0/1", from: "2030-01-01T00:00:00Z",
            ("2030-03-31T01:00:00Z", 3_600), ("2030-10-27T01:00:00Z", 0)),
        Example(
            "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", from: "2030-01-01T00:00:00Z",
            ("2030-03-31T01:00:00Z", -3_600), ("2030-10-27T01:00:00Z", -7_200)),
        Example(
            "IST-2IDT,M3.4.4/26,M10.5.0", from: "2030-01-01T00:00:00Z",
            ("2030-03-29T00:00:00Z", 10_800), ("2030-10-26T23:00:00Z", 7_200)),
        Example(
            "AAA0BBB,J60/0,J300/0", from: "2027-01-01T00:00:00Z",
            ("2027-03-01T00:00:00Z", 3_600), ("2027-10-26T23:00:00Z", 0),
            ("2028-03-01T00:00:00Z", 3_600), ("2028-10-26T23:00:00Z", 0)),
        Example(
            "AAA0BBB,J59/0,J60/1", from: "2027-01-01T00:00:00Z",
            ("2027-02-28T00:00:00Z", 3_600), ("2027-03-01T00:00:00Z", 0),
            ("2028-02-28T00:00:00Z", 3_600), ("2028-03-01T00:00:00Z", 0)),
        Example(
            "AAA0BBB,59/0,300/0", from: "2027-01-01T00:00:00Z",
            ("2027-03-01T00:00:00Z", 3_600), ("2027-10-27T23:00:00Z", 0),
            ("2028-02-29T00:00:00Z", 3_600), ("2028-10-26T23:00:00Z", 0)),
        Example(
            "AAA-1:02:03BBB-2:30,M2.5.6/167:59:59,M9.1.1/-167", from: "2030-01-01T00:00:00Z",
            ("2030-03-01T22:57:56Z", 9_000), ("2030-08-25T22:30:00Z", 3_723)),
    ]

    // Each form of rule gives the changes that RFC 9636 defines for it: weekdays of a month, days
    // with and without 29 February, negative and long times, quoted names, offsets with seconds.
    @Test(arguments: examples)
    func changesFollowTheRule(example: Example) throws {
        let rules = try ZoneFileBuilder.rules(footer: example.footer)
        var position = try seconds(example.from)
        for (instant, offset) in example.changes {
            let expected = TimeZoneRules.Transition(
                utcSeconds: try seconds(instant), offsetSeconds: offset)
            #expect(rules.nextTransition(after: position) == expected)
            #expect(rules.lastTransition(atOrBefore: expected.utcSeconds) == expected)
            #expect(rules.lastTransition(atOrBefore: expected.utcSeconds + 5) == expected)
            position = expected.utcSeconds
        }
    }

    // A rule without daylight time, and one whose daylight time never ends, are one offset.
    @Test(arguments: [
        ("<+03>-3", 10_800), ("UTC0", 0), ("LMT0:01:15", -75), ("AAA+24:59:59", -89_999),
        ("EST5EDT,0/0,J365/25", -14_400), ("<-03>3<-02>,J1/0,J365/25:00:00", -7_200),
    ])
    func constantRulesHaveOneOffset(footer: String, offset: Int32) throws {
        let rules = try ZoneFileBuilder.rules(footer: footer)
        for instant in ["1970-01-01T00:00:00Z", "2024-07-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
            #expect(rules.offsetSeconds(atUTCSeconds: try seconds(instant)) == offset)
        }
        #expect(rules.nextTransition(after: try seconds("2000-01-01T00:00:00Z")) == nil)
    }

    // Under a rule that changes nothing the last listed transition stays the last, in any century.
    @Test(arguments: ["EST4", "EST5EDT,0/0,J365/25"])
    func constantRulesKeepTheLastTransition(footer: String) throws {
        let rules = try ZoneFileBuilder(
            times: [100], typeIndexes: [1], offsets: [0, -14_400], footer: footer
        ).rules()
        let only = TimeZoneRules.Transition(utcSeconds: 100, offsetSeconds: -14_400)
        for instant in ["1970-01-02T00:00:00Z", "2500-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
            #expect(rules.lastTransition(atOrBefore: try seconds(instant)) == only)
            #expect(rules.nextTransition(after: try seconds(instant)) == nil)
        }
    }

    // The rule holds in every later century: the calendar repeats after 400 years, and so do the
    // changes, across the place where the table begins to repeat. The second rule has changes only
    // in leap years (1 March) and the years after them.
    @Test(arguments: [("CET-1CEST,M3.5.0,M10.5.0/3", 800), ("AAA0BBB,59/0,J60/1", 194)])
    func ruleRepeatsAfterFourHundredYears(footer: String, changesInFourHundredYears: Int) throws {
        let rules = try ZoneFileBuilder.rules(footer: footer)
        let period: Int64 = 146_097 * 86_400
        var position = try seconds("1950-01-01T00:00:00Z")
        let end = try seconds("2350-01-01T00:00:00Z")
        var count = 0
        while let change = rules.nextTransition(after: position), change.utcSeconds < end {
            for shift in [period, 8 * period, 18 * period] {
                let later = change.utcSeconds + shift
                let expected = TimeZoneRules.Transition(
                    utcSeconds: later, offsetSeconds: change.offsetSeconds)
                #expect(rules.nextTransition(after: position + shift) == expected)
                #expect(rules.lastTransition(atOrBefore: later) == expected)
                #expect(rules.offsetSeconds(atUTCSeconds: later) == change.offsetSeconds)
                #expect(rules.offsetSeconds(atUTCSeconds: later - 1) != change.offsetSeconds)
            }
            position = change.utcSeconds
            count += 1
        }
        #expect(count == changesInFourHundredYears)
        #expect(rules.nextTransition(after: try seconds("9999-12-01T00:00:00Z")) == nil)
    }

    // The rule takes over at the last listed transition, whatever offset that names, and leaves
    // those before alone.
    @Test func ruleStartsAtTheLastListedTransition() throws {
        let rules = try ZoneFileBuilder(
            times: [try seconds("1995-01-01T00:00:00Z"), try seconds("2020-08-01T00:00:00Z")],
            typeIndexes: [1, 2], offsets: [60, 120, 9_999],
            footer: "CET-1CEST,M3.5.0,M10.5.0/3"
        ).rules()
        #expect(rules.offsetSeconds(atUTCSeconds: try seconds("1994-07-01T00:00:00Z")) == 60)
        #expect(rules.offsetSeconds(atUTCSeconds: try seconds("2020-07-01T00:00:00Z")) == 120)
        #expect(rules.offsetSeconds(atUTCSeconds: try seconds("2020-08-01T00:00:00Z")) == 7_200)
        let autumn = rules.nextTransition(after: try seconds("2020-08-01T00:00:00Z"))
        #expect(autumn?.utcSeconds == (try seconds("2020-10-25T01:00:00Z")))
        #expect(autumn?.offsetSeconds == 3_600)
    }

    // Text that is not a whole TZ string is refused, not half read.
    @Test(arguments: [
        "E5", "EST", "EST5EDT", "EST5EDT,M3.2.0", "EST5EDT,M3.2.0,M11.1.0,", "EST25",
        "EST5EDT,M13.1.0,M11.1.0", "EST5EDT,M3.0.0,M11.1.0", "EST5EDT,M3.6.0,M11.1.0",
        "EST5EDT,M3.2.7,M11.1.0", "EST5EDT,J0,J365", "EST5EDT,J366,J1", "EST5EDT,366,1",
        "EST5EDT,M3.2.0/168,M11.1.0", "EST5:60", "EST5:", "<+03-3", "<+0>-3", "EST5EDT,M3.2,1",
        "EST5EDT,M3.2.0/,M11.1.0", "EST+-5", "EST5 ", "ÉST5", "EST5EDT5x,M3.2.0,M11.1.0", "9",
    ])
    func badFootersAreRefused(footer: String) {
        #expect {
            try ZoneFileBuilder.rules(footer: footer)
        } throws: { error in
            guard case .malformed(let reason) = error as? TimeZoneError else { return false }
            return reason.contains("footer")
        }
    }
}
