// Server-sent events (WHATWG HTML, "Server-sent events"), cut out of a stream of bytes.
//
//   stream   [byte order mark] event*
//   event    line* blank line
//   line     `:` comment | name [`:` [space] value], ended by LF, CR or CR LF
//
// An event is what lies up to and including its blank line, byte for byte, so that all events put
// together are the stream again; blocks that hold nothing but comments (keep-alives) are events
// without data. Of the fields only `event` (the last one counts) and `data` (all of them, joined
// by LF) are read.
//
// How the bytes are cut into chunks makes no difference. After a CR that may end an event the next
// byte must be seen, as it may be the LF that belongs to it: a stream with bare CRs is passed on
// with one byte of delay. Each byte is searched once, however many chunks an event comes in.

/// One event, lent for the time of a call.
package struct ServerSentEvent {
    /// All its bytes, as they came.
    package let raw: UnsafeRawBufferPointer
    /// The `event` field; empty: none.
    package let name: UnsafeRawBufferPointer
    /// The `data` field; nil: there is none.
    package let data: UnsafeRawBufferPointer?
    /// False when the stream ended before the blank line.
    package let isTerminated: Bool
}

/// Cuts a stream into its events.
package struct ServerSentEventSplitter: Sendable {
    private var scan = EventEndScan()
    /// The bytes of an event whose end has not come.
    private var pending: [UInt8] = []
    private var isFirst = true
    private let maxEventBytes: Int
    private var scratch: [UInt8] = []

    package init(maxEventBytes: Int) {
        self.maxEventBytes = maxEventBytes
    }

    /// Bytes that wait for the end of their event.
    package var pendingBytes: Int { pending.count }

    /// Larger buffers are not kept between events: there may be ten thousand streams at once.
    static let keptCapacity = 1 << 13

    /// Takes the next chunk and lends the events that it ends.
    ///
    /// - Throws: `.eventTooLarge`. The part that was kept is forgotten; nothing may follow.
    package mutating func receive(
        _ chunk: UnsafeRawBufferPointer, _ body: (ServerSentEvent) -> Void
    ) throws(StreamFault) {
        var start = 0
        while let end = scan.findEnd(in: chunk, from: start) {
            let tail = UnsafeRawBufferPointer(rebasing: chunk[start..<end])
            try checkSize(adding: tail.count)
            if pending.isEmpty {
                lend(tail, isTerminated: true, body)
            } else {
                pending.append(contentsOf: tail)
                lendPending(isTerminated: true, body)
            }
            start = end
        }
        let rest = chunk.count - start
        try checkSize(adding: rest)
        if rest > 0 { pending.append(contentsOf: chunk[start...]) }
    }

    private mutating func checkSize(adding count: Int) throws(StreamFault) {
        if count <= maxEventBytes - pending.count { return }
        pending = []
        throw .eventTooLarge(limit: maxEventBytes)
    }

    /// The stream has ended. Lends what is left: an event that a CR ended, or part of one.
    package mutating func end(_ body: (ServerSentEvent) -> Void) {
        if !pending.isEmpty { lendPending(isTerminated: scan.isAtEnd, body) }
        scan = EventEndScan()
    }

    private mutating func lendPending(isTerminated: Bool, _ body: (ServerSentEvent) -> Void) {
        var event: [UInt8] = []
        swap(&event, &pending)
        event.withUnsafeBytes { lend($0, isTerminated: isTerminated, body) }
        event.removeAll(keepingCapacity: event.capacity <= Self.keptCapacity)
        swap(&event, &pending)
    }

    private mutating func lend(
        _ raw: UnsafeRawBufferPointer, isTerminated: Bool, _ body: (ServerSentEvent) -> Void
    ) {
        let hasMark =
            isFirst && raw.count >= 3 && raw[0] == 0xEF && raw[1] == 0xBB
            && raw[2] == 0xBF
        isFirst = false
        let fields = EventFields(raw, from: hasMark ? 3 : 0)
        func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(rebasing: raw[range])
        }
        let name = slice(fields.name)
        guard fields.dataLines > 1 else {
            let data = fields.dataLines == 0 ? nil : slice(fields.firstData)
            body(ServerSentEvent(raw: raw, name: name, data: data, isTerminated: isTerminated))
            return
        }
        scratch.removeAll(keepingCapacity: true)
        EventFields.join(raw, from: hasMark ? 3 : 0, into: &scratch)
        scratch.withUnsafeBytes { data in
            body(ServerSentEvent(raw: raw, name: name, data: data, isTerminated: isTerminated))
        }
        if scratch.capacity > Self.keptCapacity { scratch = [] }
    }
}

/// Looks for the blank line, across chunks.
private struct EventEndScan: Sendable {
    private enum State: Sendable {
        /// Nothing of the line has come: if it ends here, it is blank and ends the event.
        case atLineStart
        case inLine
        /// After the CR of a line: an LF belongs to it.
        case afterReturn
        /// After the CR of a blank line: the event ends here, or after an LF.
        case afterBlankReturn
    }

    private var state = State.atLineStart

    /// All that may still come is an LF.
    var isAtEnd: Bool { state == .afterBlankReturn }

    /// Where the event ends in `bytes`, or nil when that is not in them.
    mutating func findEnd(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var position = start
        while position < bytes.count {
            let byte = bytes[position]
            switch state {
            case .afterBlankReturn:
                state = .atLineStart
                return byte == 0x0A ? position &+ 1 : position
            case .afterReturn:
                state = .atLineStart
                if byte == 0x0A { position &+= 1 }
            case .atLineStart:
                if byte == 0x0A { return position &+ 1 }
                if byte == 0x0D {
                    state = .afterBlankReturn
                    position &+= 1
                } else {
                    state = .inLine
                }
            case .inLine:
                position = endOfLine(in: bytes, from: position)
                guard position < bytes.count else { return nil }
                state = bytes[position] == 0x0A ? .atLineStart : .afterReturn
                position &+= 1
            }
        }
        return nil
    }
}

/// The first CR or LF from `start` on, or the end. Eight bytes at a time: `(x - 0x01…01) & ~x &
/// 0x80…80` marks the zero bytes of x, and the lowest mark is always true.
private func endOfLine(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    var position = start
    while bytes.count &- position >= 8 {
        let word = UInt64(
            littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        let feeds = word ^ ones &* 0x0A
        let returns = word ^ ones &* 0x0D
        let marks =
            ((feeds &- ones) & ~feeds | (returns &- ones) & ~returns) & (ones &* 0x80)
        if marks != 0 { return position &+ marks.trailingZeroBitCount &>> 3 }
        position &+= 8
    }
    while position < bytes.count, bytes[position] != 0x0A, bytes[position] != 0x0D {
        position &+= 1
    }
    return position
}

/// Where the fields of one event lie in its bytes.
private struct EventFields {
    var name = 0..<0
    var firstData = 0..<0
    var dataLines = 0

    init(_ raw: UnsafeRawBufferPointer, from start: Int) {
        var position = start
        while let line = Self.nextLine(in: raw, at: &position) {
            if let value = Self.value(of: "data", in: line, of: raw) {
                if dataLines == 0 { firstData = value }
                dataLines += 1
            } else if let value = Self.value(of: "event", in: line, of: raw) {
                name = value
            }
        }
    }

    /// All data lines, for events that have several.
    static func join(_ raw: UnsafeRawBufferPointer, from start: Int, into data: inout [UInt8]) {
        var position = start
        var isFirst = true
        while let line = nextLine(in: raw, at: &position) {
            guard let value = value(of: "data", in: line, of: raw) else { continue }
            if !isFirst { data.append(0x0A) }
            data.append(contentsOf: raw[value])
            isFirst = false
        }
    }

    private static func nextLine(
        in raw: UnsafeRawBufferPointer, at position: inout Int
    ) -> Range<Int>? {
        guard position < raw.count else { return nil }
        let line = position..<endOfLine(in: raw, from: position)
        position = line.upperBound
        if position < raw.count {
            let isReturn = raw[position] == 0x0D
            position += 1
            if isReturn, position < raw.count, raw[position] == 0x0A { position += 1 }
        }
        return line
    }

    /// The value of the line if it is the field `name`.
    @inline(__always)
    private static func value(
        of name: StaticString, in line: Range<Int>, of raw: UnsafeRawBufferPointer
    ) -> Range<Int>? {
        let count = name.utf8CodeUnitCount
        guard line.count >= count else { return nil }
        for index in 0..<count where raw[line.lowerBound + index] != name.utf8Start[index] {
            return nil
        }
        var start = line.lowerBound + count
        if start == line.upperBound { return start..<start }
        guard raw[start] == UInt8(ascii: ":") else { return nil }
        start += 1
        if start < line.upperBound, raw[start] == 0x20 { start += 1 }
        return start..<line.upperBound
    }
}
