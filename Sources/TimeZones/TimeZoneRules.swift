// The offset from UTC of one time zone at every instant.
//
// Listed transitions and the footer's rule become one sorted table, so that every question is one
// binary search. The Gregorian calendar repeats every 400 years, which are a whole number of
// weeks; the table therefore carries the rule 420 years past the last listed transition, and an
// instant beyond it is answered by the one a multiple of 400 years earlier.

/// The offset from UTC of one time zone at every instant of `SupportedInstants`; an instant outside
/// is treated as the nearest one inside.
package struct TimeZoneRules: Equatable, Sendable {
    /// A change of the offset.
    package struct Transition: Equatable, Sendable {
        /// The first instant of the new offset, in seconds since 1970-01-01T00:00:00Z.
        package var utcSeconds: Int64
        /// The offset from this instant on, in seconds east of UTC.
        package var offsetSeconds: Int32

        package init(utcSeconds: Int64, offsetSeconds: Int32) {
            self.utcSeconds = utcSeconds
            self.offsetSeconds = offsetSeconds
        }
    }

    /// RFC 9636, section 3.2, keeps offsets between -25 and +26 hours; here on both sides 26.
    static let offsetLimits: ClosedRange<Int32> = -93_599...93_599

    /// Strictly ascending; every entry changes the offset of the one before it.
    private let transitions: [Transition]
    private let initialOffset: Int32
    /// From this instant on the table repeats itself; `nil` when nothing changes any more.
    private let repetitionStart: Int64?

    private static let repetitionSeconds: Int64 = 146_097 * 86_400

    /// Coordinated Universal Time: no offset, ever.
    package static let utc = TimeZoneRules(fixedOffsetSeconds: 0)

    private init(fixedOffsetSeconds: Int32) {
        transitions = []
        initialOffset = fixedOffsetSeconds
        repetitionStart = nil
    }

    /// Reads a zone file (TZif version 1 to 4; RFC 8536, RFC 9636).
    ///
    /// - Throws: `TimeZoneError.malformed`.
    package init(tzif bytes: [UInt8]) throws(TimeZoneError) {
        self.init(try TZifContents(tzif: bytes))
    }

    init(_ contents: TZifContents) {
        let range = SupportedInstants.utcSeconds
        var table = contents.transitions.filter { range.contains($0.utcSeconds) }
        let initial =
            contents.transitions.last { $0.utcSeconds < range.lowerBound }?.offsetSeconds
            ?? contents.initialOffset
        let lastInFile = contents.transitions.last?.utcSeconds ?? .min

        guard let footer = contents.footer, lastInFile < range.upperBound else {
            transitions = Self.withoutIdleEntries(table, initialOffset: initial)
            initialOffset = initial
            repetitionStart = nil
            return
        }

        // A file with a footer and nothing listed follows the footer from 1890 on, and before that
        // its standard offset.
        let lastListed = table.last?.utcSeconds
        let baseYear =
            lastListed.map { CivilDate(epochDay: Int(floorDivide($0, 86_400))).year } ?? 1900
        // Eight years can pass between two changes of an odd rule (29 February around 1900), so
        // some ten years of the rule stand on both sides of the repeated 400. The last year is cut
        // short because a period of daylight time that it ends may go on in the next.
        let end = Self.startOfYear(baseYear + 421)
        let changes = footer.transitions(years: baseYear - 10...baseYear + 421)
            .prefix { $0.utcSeconds < end }
        if let lastListed {
            // The last entry and the rule must agree; in a file where they do not, the rule holds.
            let inForce =
                changes.last { $0.utcSeconds <= lastListed }?.offsetSeconds
                ?? footer.standardOffset
            table[table.count - 1].offsetSeconds = inForce
            initialOffset = initial
            table += changes.drop { $0.utcSeconds <= lastListed }
        } else {
            initialOffset = footer.standardOffset
            table = Array(changes)
        }
        transitions = Self.withoutIdleEntries(table, initialOffset: initialOffset)

        let start = Self.startOfYear(baseYear + 410)
        let changesForEver = transitions.contains {
            $0.utcSeconds >= start - Self.repetitionSeconds && $0.utcSeconds < start
        }
        repetitionStart = changesForEver ? start : nil
    }

    private static func startOfYear(_ year: Int) -> Int64 {
        Int64(CivilDate(year: year, month: 1, day: 1).epochDay) * 86_400
    }

    /// Keeps the last entry of each instant and drops those that leave the offset as it is.
    private static func withoutIdleEntries(
        _ entries: [Transition], initialOffset: Int32
    ) -> [Transition] {
        var kept: [Transition] = []
        kept.reserveCapacity(entries.count)
        for entry in entries {
            if let last = kept.last, last.utcSeconds == entry.utcSeconds { kept.removeLast() }
            if entry.offsetSeconds != kept.last?.offsetSeconds ?? initialOffset {
                kept.append(entry)
            }
        }
        return kept
    }
}

// MARK: - Questions

extension TimeZoneRules {
    /// The offset in force at an instant, in seconds east of UTC.
    package func offsetSeconds(atUTCSeconds utcSeconds: Int64) -> Int32 {
        offset(atEntry: entry(atOrBefore: folded(utcSeconds).inTable))
    }

    /// The first change of the offset after an instant, or `nil` when there is none any more
    /// (within `SupportedInstants`).
    package func nextTransition(after utcSeconds: Int64) -> Transition? {
        let instant = folded(utcSeconds)
        let index = entry(atOrBefore: instant.inTable) + 1
        guard index < transitions.count else { return nil }
        let next = shifted(transitions[index], by: instant.shift)
        return next.utcSeconds < SupportedInstants.utcSeconds.upperBound ? next : nil
    }

    /// The last change of the offset at or before an instant, or `nil` when there was none.
    package func lastTransition(atOrBefore utcSeconds: Int64) -> Transition? {
        let instant = folded(utcSeconds)
        let index = entry(atOrBefore: instant.inTable)
        return index >= 0 ? shifted(transitions[index], by: instant.shift) : nil
    }

    /// A stretch of time with one offset. The first and the last have no bound of their own.
    struct Segment {
        var startUTCSeconds: Int64
        var endUTCSeconds: Int64
        var offsetSeconds: Int64
    }

    /// The stretch that contains an instant of `SupportedInstants`.
    func segment(containing utcSeconds: Int64) -> Segment {
        let instant = folded(utcSeconds)
        let index = entry(atOrBefore: instant.inTable)
        let next = index + 1
        var end = Int64.max
        if next < transitions.count {
            let change = transitions[next].utcSeconds + instant.shift
            // A change outside the supported instants could not be looked up in its turn.
            if change < SupportedInstants.utcSeconds.upperBound { end = change }
        }
        return Segment(
            startUTCSeconds: index >= 0 ? transitions[index].utcSeconds + instant.shift : .min,
            endUTCSeconds: end,
            offsetSeconds: Int64(offset(atEntry: index)))
    }

    /// The index of the last entry at or before an instant, or -1.
    private func entry(atOrBefore utcSeconds: Int64) -> Int {
        transitions.withUnsafeBufferPointer { entries in
            var low = 0
            var high = entries.count
            while low < high {
                let middle = (low + high) >> 1
                if entries[middle].utcSeconds <= utcSeconds {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            return low - 1
        }
    }

    private func offset(atEntry index: Int) -> Int32 {
        index >= 0 ? transitions[index].offsetSeconds : initialOffset
    }

    /// The instant, or the one of the table that stands for it, and the difference.
    private func folded(_ utcSeconds: Int64) -> (inTable: Int64, shift: Int64) {
        let range = SupportedInstants.utcSeconds
        let instant = min(max(utcSeconds, range.lowerBound), range.upperBound - 1)
        guard let repetitionStart, instant >= repetitionStart else { return (instant, 0) }
        let repetitions = (instant - repetitionStart) / Self.repetitionSeconds + 1
        let shift = repetitions * Self.repetitionSeconds
        return (instant - shift, shift)
    }

    private func shifted(_ transition: Transition, by seconds: Int64) -> Transition {
        Transition(
            utcSeconds: transition.utcSeconds + seconds, offsetSeconds: transition.offsetSeconds)
    }
}
