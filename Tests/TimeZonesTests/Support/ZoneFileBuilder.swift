// Zone files made for a test, byte by byte (RFC 9636).

import TimeZones

struct ZoneFileBuilder {
    /// NUL for version 1, or an ASCII digit.
    var version = UInt8(ascii: "2")
    var times: [Int64] = []
    var typeIndexes: [UInt8] = []
    var offsets: [Int32] = [0]
    var footer = ""
    /// What the 32-bit block of a version 2 file says; readers must skip it.
    var oldOffsets: [Int32] = [12_345]
    var leapSeconds = 0

    var bytes: [UInt8] {
        guard version != 0 else {
            return header(times: times.count, types: offsets.count, leaps: leapSeconds)
                + body(bytesPerTime: 4)
        }
        var old = self
        (old.times, old.typeIndexes, old.offsets) = ([7], [0], oldOffsets)
        return old.header(times: 1, types: oldOffsets.count, leaps: 0)
            + old.body(bytesPerTime: 4, leaps: 0)
            + header(times: times.count, types: offsets.count, leaps: leapSeconds)
            + body(bytesPerTime: 8) + Array("\n\(footer)\n".utf8)
    }

    func rules() throws -> TimeZoneRules { try TimeZoneRules(tzif: bytes) }

    /// A zone that only its footer describes.
    static func rules(footer: String) throws -> TimeZoneRules {
        try ZoneFileBuilder(footer: footer).rules()
    }

    private func header(times: Int, types: Int, leaps: Int) -> [UInt8] {
        let counts = [0, 0, leaps, times, types, 4]
        return Array("TZif".utf8) + [version] + [UInt8](repeating: 0, count: 15)
            + counts.flatMap { bigEndian(Int64($0), bytes: 4) }
    }

    private func body(bytesPerTime: Int, leaps: Int? = nil) -> [UInt8] {
        let leapBytes = (leaps ?? leapSeconds) * (bytesPerTime + 4)
        return times.flatMap { bigEndian($0, bytes: bytesPerTime) } + typeIndexes
            + offsets.flatMap { bigEndian(Int64($0), bytes: 4) + [0, 0] }
            + Array("XXX\0".utf8) + [UInt8](repeating: 0, count: leapBytes)
    }

    private func bigEndian(_ value: Int64, bytes: Int) -> [UInt8] {
        (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * Int64($0))) }
    }
}
