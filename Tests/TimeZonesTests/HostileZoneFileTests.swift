import Testing
import TimeZones

/// Bytes that nobody vouches for: the reader may refuse them, and must not stop the process.
struct HostileZoneFileTests {
    // A file damaged at random is refused with a typed error, or gives rules on which every
    // question has a consistent answer and every kind of window still partitions time.
    @Test(arguments: [
        "Europe/Berlin", "America/New_York", "Africa/Casablanca", "Pacific/Apia", "Asia/Kolkata",
    ])
    func damagedFilesAreRefusedOrConsistent(zone: String) throws {
        let original = try zoneFileBytes(zone)
        var random = SeededGenerator(seed: 0x5EED_0001)
        var accepted = 0
        var refused = 0
        for _ in 0..<500 {
            let bytes = damaged(original, with: &random)
            do {
                let rules = try TimeZoneRules(tzif: bytes)
                accepted += 1
                let faults = inconsistencies(of: rules, random: &random)
                #expect(faults == [], "\(bytes)")
            } catch {
                guard case .malformed = error else {
                    Issue.record("unexpected error \(error)")
                    continue
                }
                refused += 1
            }
        }
        // Otherwise the damage is of one kind only and the test shows little.
        #expect(accepted > 30 && refused > 30, "\(accepted) accepted, \(refused) refused")
    }

    // A file cut off anywhere is refused.
    @Test func truncatedFilesAreRefused() throws {
        let original = try zoneFileBytes("Europe/Berlin")
        for length in stride(from: 0, to: original.count, by: 7) {
            #expect(throws: TimeZoneError.self) {
                try TimeZoneRules(tzif: Array(original[..<length]))
            }
        }
    }

    // Random rules, however odd, leave windows that partition time.
    @Test func randomRulesStayConsistent() throws {
        var random = SeededGenerator(seed: 0x5EED_0002)
        for _ in 0..<500 {
            let start = ruleDate(&random)
            let end = ruleDate(&random)
            let footer = "AAA\(time(24, &random))BBB\(time(24, &random)),\(start),\(end)"
            var builder = ZoneFileBuilder(footer: footer)
            if Bool.random(using: &random) {
                let base = Int64.random(in: -3_000_000_000...3_000_000_000, using: &random)
                builder.times = (0..<6).map { base + $0 * Int64.random(in: 1...40_000) }
                builder.times = Array(Set(builder.times)).sorted()
                builder.offsets = (0..<4).map { _ in
                    Int32.random(in: -93_599...93_599, using: &random)
                }
                builder.typeIndexes = builder.times.map { _ in
                    UInt8.random(in: 0..<4, using: &random)
                }
            }
            let faults = inconsistencies(of: try builder.rules(), random: &random)
            #expect(faults == [], "\(footer) \(builder.times)")
        }
    }

    private func time(_ hours: Int, _ random: inout SeededGenerator) -> String {
        let sign = Bool.random(using: &random) ? "-" : ""
        let hour = Int.random(in: 0...hours, using: &random)
        let minute = Int.random(in: 0...59, using: &random)
        return "\(sign)\(hour):\(minute)"
    }

    private func ruleDate(_ random: inout SeededGenerator) -> String {
        let day =
            switch Int.random(in: 0..<3, using: &random) {
            case 0: "J\(Int.random(in: 1...365, using: &random))"
            case 1: "\(Int.random(in: 0...365, using: &random))"
            default:
                "M\(Int.random(in: 1...12, using: &random))."
                    + "\(Int.random(in: 1...5, using: &random))."
                    + "\(Int.random(in: 0...6, using: &random))"
            }
        return "\(day)/\(time(167, &random))"
    }

    /// A copy with one to four pieces of damage, half of it in the header and the footer.
    private func damaged(
        _ original: [UInt8], with random: inout SeededGenerator
    ) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...4, using: &random) where bytes.count > 100 {
            let position =
                switch Int.random(in: 0..<4, using: &random) {
                case 0: Int.random(in: 0..<44, using: &random)
                case 1: bytes.count - 1 - Int.random(in: 0..<30, using: &random)
                default: Int.random(in: 0..<bytes.count, using: &random)
                }
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[position] = UInt8.random(in: 0...255, using: &random)
            case 2: bytes[position] = UInt8.random(in: 44...60, using: &random)
            case 3: bytes.swapAt(position, Int.random(in: 0..<bytes.count, using: &random))
            default:
                if Int.random(in: 0..<10, using: &random) == 0 {
                    bytes.removeLast(Int.random(in: 1...40, using: &random))
                }
            }
        }
        return bytes
    }

    private func inconsistencies(
        of rules: TimeZoneRules, random: inout SeededGenerator
    ) -> [String] {
        var faults: [String] = []
        var instants: [Int64] = [.min, -70_000_000_000, 0, 1_700_000_000, 260_000_000_000, .max]
        for _ in 0..<4 {
            let any = Int64.random(in: -63_000_000_000...254_000_000_000, using: &random)
            instants.append(any)
            instants += [any, 1_700_000_000].compactMap { rules.nextTransition(after: $0) }
                .flatMap { [$0.utcSeconds - 1, $0.utcSeconds, $0.utcSeconds + 1] }
        }
        for instant in instants {
            let offset = rules.offsetSeconds(atUTCSeconds: instant)
            let last = rules.lastTransition(atOrBefore: instant)
            let next = rules.nextTransition(after: instant)
            if let last,
                last.utcSeconds > max(instant, -62_167_219_200) || last.offsetSeconds != offset
            {
                faults.append("last at \(instant): \(last), offset \(offset)")
            }
            if let next, next.utcSeconds <= instant || next.offsetSeconds == offset {
                faults.append("next at \(instant): \(next), offset \(offset)")
            }
            if let next, rules.lastTransition(atOrBefore: next.utcSeconds) != next {
                faults.append("next at \(instant) is not last at itself")
            }
            let scaled = instant.multipliedReportingOverflow(by: 1_000_000)
            let microseconds = scaled.overflow ? instant : scaled.partialValue
            // Half-open ranges cannot contain the very last number.
            guard microseconds < .max else { continue }
            for kind in windowKinds {
                faults += partitionFaults(kind, at: microseconds, in: rules)
            }
        }
        return faults
    }
}
