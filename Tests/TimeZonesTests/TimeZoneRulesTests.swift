import Testing
import TimeZones

/// Zone files of every version, and the questions asked of them.
struct TimeZoneRulesTests {
    // UTC has no offset and no transition, at any instant a 64-bit number can name.
    @Test(arguments: [Int64.min, -1, 0, 1_780_000_000, .max])
    func utcHasNoOffset(instant: Int64) {
        #expect(TimeZoneRules.utc.offsetSeconds(atUTCSeconds: instant) == 0)
        #expect(TimeZoneRules.utc.nextTransition(after: instant) == nil)
        #expect(TimeZoneRules.utc.lastTransition(atOrBefore: instant) == nil)
    }

    // A version 1 file is read from its 32-bit times; its last offset stays for ever.
    @Test func versionOneIsRead() throws {
        let rules = try ZoneFileBuilder(
            version: 0, times: [-1_000, 2_000], typeIndexes: [1, 0], offsets: [3_600, -7_200]
        ).rules()
        #expect(rules.offsetSeconds(atUTCSeconds: -1_001) == 3_600)
        #expect(rules.offsetSeconds(atUTCSeconds: -1_000) == -7_200)
        #expect(rules.offsetSeconds(atUTCSeconds: 1_999) == -7_200)
        #expect(rules.offsetSeconds(atUTCSeconds: 2_000) == 3_600)
        #expect(rules.offsetSeconds(atUTCSeconds: .max) == 3_600)
        #expect(rules.nextTransition(after: 2_000) == nil)
    }

    // Versions 2, 3, 4 and later are read from the 64-bit block; the old block is skipped.
    @Test(arguments: [UInt8(ascii: "2"), UInt8(ascii: "3"), UInt8(ascii: "4"), UInt8(ascii: "7")])
    func laterVersionsUseTheSecondBlock(version: UInt8) throws {
        let beyond32Bits: Int64 = 10_000_000_000
        let rules = try ZoneFileBuilder(
            version: version, times: [beyond32Bits], typeIndexes: [1], offsets: [60, 120]
        ).rules()
        #expect(rules.offsetSeconds(atUTCSeconds: 0) == 60)
        #expect(rules.offsetSeconds(atUTCSeconds: beyond32Bits) == 120)
    }

    // Entries that only change the name or the daylight flag are not changes of the offset.
    @Test func entriesWithoutChangeAreNoTransitions() throws {
        let rules = try ZoneFileBuilder(
            times: [10, 20, 30], typeIndexes: [0, 1, 2], offsets: [60, 120, 120]
        ).rules()
        let only = TimeZoneRules.Transition(utcSeconds: 20, offsetSeconds: 120)
        #expect(rules.nextTransition(after: 0) == only)
        #expect(rules.nextTransition(after: 20) == nil)
        #expect(rules.lastTransition(atOrBefore: 1_000) == only)
        #expect(rules.lastTransition(atOrBefore: 19) == nil)
    }

    // Times that have no four-digit year are kept out of the table, and decide what lies inside.
    @Test func extremeTimesAreHarmless() throws {
        let builder = ZoneFileBuilder(
            times: [.min, -(1 << 59), 0, 1 << 59, .max], typeIndexes: [1, 2, 3, 4, 0],
            offsets: [0, 60, 120, 180, 240], footer: "EST5EDT,M3.2.0,M11.1.0")
        let rules = try builder.rules()
        #expect(rules.offsetSeconds(atUTCSeconds: .min) == 120)
        #expect(rules.offsetSeconds(atUTCSeconds: -1) == 120)
        #expect(rules.offsetSeconds(atUTCSeconds: .max) == 180)
        #expect(rules.nextTransition(after: 0) == nil)
    }

    // A last listed transition anywhere in the supported years is a safe start for the footer.
    @Test(arguments: [
        "0000-01-01T00:00:00Z", "0001-03-01T00:00:00Z", "1600-02-29T00:00:00Z",
        "9590-06-01T00:00:00Z", "9999-12-31T23:59:59Z",
    ])
    func footerMayStartInAnyYear(instant: String) throws {
        let last = try seconds(instant)
        let rules = try ZoneFileBuilder(
            times: [last], typeIndexes: [1], offsets: [0, -18_000],
            footer: "EST5EDT,M3.2.0,M11.1.0"
        ).rules()
        for instant in [last - 1, last, last + 1, last + 86_400 * 300, .min, .max] {
            for kind in windowKinds {
                let scaled = instant.multipliedReportingOverflow(by: 1_000_000)
                let microseconds = scaled.overflow ? instant : scaled.partialValue
                guard microseconds < .max else { continue }
                #expect(partitionFaults(kind, at: microseconds, in: rules) == [])
            }
        }
    }

    // What is not a zone file, or one that counts leap seconds, is refused with the reason.
    @Test func malformedFilesAreRefused() throws {
        var leap = ZoneFileBuilder()
        leap.leapSeconds = 1
        var otherVersions = ZoneFileBuilder().bytes
        let second = try #require(
            otherVersions.indices.dropFirst().first { index in
                otherVersions[index...].starts(with: "TZif2".utf8)
            })
        otherVersions[second + 4] = UInt8(ascii: "3")
        let cases: [([UInt8], String)] = [
            ([], "ends"),
            (Array("TZif".utf8), "ends"),
            (
                Array("# version 2025b, a text of more than forty-four bytes".utf8),
                "begin with TZif"
            ),
            (ZoneFileBuilder(version: UInt8(ascii: "1")).bytes, "version"),
            (ZoneFileBuilder(offsets: []).bytes, "local time types"),
            (ZoneFileBuilder(offsets: [93_600]).bytes, "out of range"),
            (ZoneFileBuilder(offsets: [.min]).bytes, "out of range"),
            (ZoneFileBuilder(times: [5, 5], typeIndexes: [0, 0]).bytes, "order"),
            (ZoneFileBuilder(times: [5], typeIndexes: [1]).bytes, "local time type 1"),
            (Array(ZoneFileBuilder().bytes.dropLast()), "newlines"),
            (leap.bytes, "leap"),
            (otherVersions, "different versions"),
        ]
        for (bytes, part) in cases {
            #expect {
                try TimeZoneRules(tzif: bytes)
            } throws: { error in
                guard case .malformed(let reason) = error as? TimeZoneError else { return false }
                return reason.contains(part)
            }
        }
    }
}
