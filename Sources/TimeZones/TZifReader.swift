// The zone file format TZif (RFC 8536, RFC 9636). All integers are big-endian.
//
//     header   "TZif", version byte, 15 reserved bytes, six 32-bit counts:
//              isutcnt isstdcnt leapcnt timecnt typecnt charcnt            (44 bytes)
//     data     timecnt times, timecnt type indexes (1 byte), typecnt types (6 bytes: 32-bit
//              offset, daylight flag, name index), charcnt bytes of names, leapcnt leap seconds,
//              isstdcnt and isutcnt flags
//     version NUL: the file is one header and one data block with 32-bit times
//     version "2" and later: that block, which is skipped, then a second header and data block
//              with 64-bit times, then a newline, a POSIX TZ string (may be empty), a newline
//
// Files that count leap seconds (the "right/" zones) are refused: their times are not POSIX times.

/// What a zone file says, before it is made searchable.
struct TZifContents: Equatable, Sendable {
    /// Ascending instants and the offset from each on. May contain entries that change nothing.
    var transitions: [TimeZoneRules.Transition]
    /// The offset before the first transition.
    var initialOffset: Int32
    /// What follows the last transition; `nil` means that its offset stays.
    var footer: PosixTimeZone?

    init(tzif bytes: [UInt8]) throws(TimeZoneError) {
        var reader = Reader(bytes: bytes)
        let first = try reader.header()
        guard first.version != 0 else {
            self = try reader.body(of: first, bytesPerTime: 4)
            return
        }
        try reader.skip(first.bodyLength(bytesPerTime: 4))
        let second = try reader.header()
        guard second.version == first.version else {
            throw .malformed(reason: "the two headers are of different versions")
        }
        self = try reader.body(of: second, bytesPerTime: 8)
        footer = try reader.footer()
    }

    fileprivate init(transitions: [TimeZoneRules.Transition], initialOffset: Int32) {
        self.transitions = transitions
        self.initialOffset = initialOffset
    }
}

private struct Header {
    var version: UInt8
    var utcFlags: Int
    var standardFlags: Int
    var leapSeconds: Int
    var times: Int
    var types: Int
    var nameBytes: Int

    /// The counts are 32-bit, so this cannot overflow 64 bits.
    func bodyLength(bytesPerTime: Int) -> Int {
        times * (bytesPerTime + 1) + types * 6 + nameBytes
            + leapSeconds * (bytesPerTime + 4) + standardFlags + utcFlags
    }
}

private struct Reader {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func skip(_ count: Int) throws(TimeZoneError) {
        guard count <= bytes.count - position else {
            throw .malformed(reason: "it ends before byte \(position + count)")
        }
        position += count
    }

    /// The next bytes as one big-endian number.
    private mutating func unsigned(_ count: Int) throws(TimeZoneError) -> UInt64 {
        let start = position
        try skip(count)
        var value: UInt64 = 0
        for index in start..<position { value = value << 8 | UInt64(bytes[index]) }
        return value
    }

    mutating func header() throws(TimeZoneError) -> Header {
        guard try unsigned(4) == 0x545A_6966 else {
            throw .malformed(reason: "it does not begin with TZif")
        }
        let version = UInt8(try unsigned(1))
        guard version == 0 || version >= UInt8(ascii: "2") else {
            throw .malformed(reason: "version byte \(version) is unknown")
        }
        try skip(15)
        var counts: [Int] = []
        for _ in 0..<6 { counts.append(Int(try unsigned(4))) }
        let header = Header(
            version: version, utcFlags: counts[0], standardFlags: counts[1],
            leapSeconds: counts[2], times: counts[3], types: counts[4], nameBytes: counts[5])
        return header
    }

    mutating func body(
        of header: Header, bytesPerTime: Int
    ) throws(TimeZoneError) -> TZifContents {
        guard header.leapSeconds == 0 else {
            throw .malformed(reason: "it counts leap seconds, which POSIX time does not")
        }
        guard (1...256).contains(header.types) else {
            throw .malformed(reason: "it has \(header.types) local time types")
        }
        // Checked before anything is allocated by a count from the file.
        let length = header.bodyLength(bytesPerTime: bytesPerTime)
        guard length <= bytes.count - position else {
            throw .malformed(reason: "it ends inside its data block")
        }
        let end = position + length

        var times: [Int64] = []
        times.reserveCapacity(header.times)
        for _ in 0..<header.times {
            let raw = try unsigned(bytesPerTime)
            let time =
                bytesPerTime == 8
                ? Int64(bitPattern: raw) : Int64(Int32(bitPattern: UInt32(raw)))
            if let last = times.last, last >= time {
                throw .malformed(reason: "its transitions are not in order of time")
            }
            times.append(time)
        }
        let typeIndexes = bytes[position..<position + header.times]
        position += header.times
        var offsets: [Int32] = []
        for _ in 0..<header.types {
            let offset = Int32(bitPattern: UInt32(try unsigned(4)))
            guard TimeZoneRules.offsetLimits.contains(offset) else {
                throw .malformed(reason: "an offset of \(offset) seconds is out of range")
            }
            offsets.append(offset)
            try skip(2)
        }
        var transitions: [TimeZoneRules.Transition] = []
        transitions.reserveCapacity(header.times)
        for (time, type) in zip(times, typeIndexes) {
            guard Int(type) < offsets.count else {
                throw .malformed(reason: "a transition names local time type \(type)")
            }
            transitions.append(.init(utcSeconds: time, offsetSeconds: offsets[Int(type)]))
        }
        position = end
        return TZifContents(transitions: transitions, initialOffset: offsets[0])
    }

    mutating func footer() throws(TimeZoneError) -> PosixTimeZone? {
        let newline = UInt8(ascii: "\n")
        guard position < bytes.count, bytes[position] == newline,
            let end = bytes[(position + 1)...].firstIndex(of: newline)
        else { throw .malformed(reason: "its footer is not between two newlines") }
        let text = bytes[(position + 1)..<end]
        return text.isEmpty ? nil : try PosixTimeZone(text: text)
    }
}
