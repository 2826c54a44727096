// Writes records as canonical JSON (RFC 8785): an object with the fields that are not left out.
//
// Every event passes here on its way into the log, so this writer is not
// `CanonicalJSON.JSONWriter`: all of it is in one module with the descriptions, and it writes to
// memory of its own instead of a growing array, which together makes it about twice as fast. The
// tests hold that both say the same.

package struct JSONRecordWriter: RecordVisitor {
    package typealias Failure = Never

    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0

    private init(capacity: Int) {
        base = .allocate(capacity: capacity)
        self.capacity = capacity
    }

    /// Appends what `body` writes to `bytes`.
    @inline(__always)
    static func append(
        to bytes: inout [UInt8], expecting length: Int = 2_048,
        _ body: (inout JSONRecordWriter) -> Void
    ) {
        var writer = JSONRecordWriter(capacity: length)
        body(&writer)
        bytes.append(contentsOf: UnsafeBufferPointer(start: writer.base, count: writer.count))
        writer.base.deallocate()
    }

    @inline(__always)
    package mutating func field<F: Form>(
        _ name: StaticString, _ form: F, _ value: inout F.Value, _ note: StaticString
    ) {
        key(name)
        form.write(value, to: &self)
    }

    @inline(__always)
    package mutating func field<F: Form>(
        _ name: StaticString, _ form: F, _ value: inout F.Value, omitting omitted: F.Value,
        _ note: StaticString
    ) where F.Value: Equatable {
        if value == omitted { return }
        key(name)
        form.write(value, to: &self)
    }

    @inline(__always)
    package mutating func optional<F: Form>(
        _ name: StaticString, _ form: F, _ value: inout F.Value?, _ note: StaticString
    ) {
        guard let value else { return }
        key(name)
        form.write(value, to: &self)
    }

    /// Writes a record as an object. Takes a copy, because a description can only name what it may
    /// also change.
    mutating func record<R: Record>(_ record: consuming R) {
        beginObject()
        R.fields(&self, &record)
        endObject()
    }
}

extension JSONRecordWriter {
    mutating func beginObject() { put(UInt8(ascii: "{")) }
    mutating func endObject() { put(UInt8(ascii: "}")) }
    mutating func beginArray() { put(UInt8(ascii: "[")) }
    mutating func endArray() { put(UInt8(ascii: "]")) }

    /// Separates an element from the one before it.
    mutating func element() {
        if !isAtFirst { put(UInt8(ascii: ",")) }
    }

    /// Starts a member whose name needs no escapes.
    @inline(__always)
    mutating func key(_ name: StaticString) {
        let length = name.utf8CodeUnitCount
        var end = room(for: length &+ 4)
        if !isAtFirst {
            end.pointee = UInt8(ascii: ",")
            end += 1
        }
        end.pointee = UInt8(ascii: "\"")
        (end + 1).update(from: name.utf8Start, count: length)
        end += length &+ 1
        end.pointee = UInt8(ascii: "\"")
        (end + 1).pointee = UInt8(ascii: ":")
        count = (end + 2) - base
    }

    /// Starts a member of any name.
    mutating func key(dynamic name: String) {
        element()
        string(name)
        put(UInt8(ascii: ":"))
    }

    mutating func flag(_ value: Bool) {
        if value { plain("true") } else { plain("false") }
    }

    mutating func integer(_ value: Int64) {
        let text = UnsafeMutableBufferPointer(start: room(for: 20), count: 20)
        if value < 0 { text[0] = UInt8(ascii: "-") }
        let sign = value < 0 ? 1 : 0
        count &+= sign &+ RecordText.writeInteger(value.magnitude, at: sign, into: text)
    }

    /// Decimal text of a count of 10^-places units, as a string.
    mutating func decimal(_ value: Int64, places: Int) {
        plainString(upTo: RecordText.decimalLength) { text in
            RecordText.writeDecimal(value, places: places, into: text)
        }
    }

    /// A time as a string.
    mutating func time(microseconds: Int64) {
        plainString(upTo: RecordText.timeLength) { text in
            RecordText.writeTime(microseconds: microseconds, into: text)
            return RecordText.timeLength
        }
    }

    mutating func string(_ value: String) {
        var value = value
        value.withUTF8 { utf8 in
            put(UInt8(ascii: "\""))
            let plain = copyPlain(utf8)
            if plain < utf8.count {
                for byte in utf8[plain...] { escaped(byte) }
            }
            put(UInt8(ascii: "\""))
        }
    }
}

extension JSONRecordWriter {
    /// Nothing but an opening bracket itself ends with one.
    @inline(__always)
    private var isAtFirst: Bool {
        let last = base[count &- 1]
        return last == UInt8(ascii: "{") || last == UInt8(ascii: "[")
    }

    /// Where the next `length` bytes go.
    @inline(__always)
    private mutating func room(for length: Int) -> UnsafeMutablePointer<UInt8> {
        if capacity &- count < length { grow(by: length) }
        return base + count
    }

    @inline(never)
    private mutating func grow(by length: Int) {
        let larger = 2 * capacity + length
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        memory.update(from: base, count: count)
        base.deallocate()
        base = memory
        capacity = larger
    }

    @inline(__always)
    private mutating func put(_ byte: UInt8) {
        room(for: 1).pointee = byte
        count &+= 1
    }

    /// A string of at most `length` bytes that need no escapes, written by `body`, which returns
    /// their number.
    @inline(__always)
    private mutating func plainString(
        upTo length: Int, _ body: (UnsafeMutableBufferPointer<UInt8>) -> Int
    ) {
        let start = room(for: length &+ 2)
        start.pointee = UInt8(ascii: "\"")
        let written = body(UnsafeMutableBufferPointer(start: start + 1, count: length))
        start[written &+ 1] = UInt8(ascii: "\"")
        count &+= written &+ 2
    }

    private mutating func plain(_ text: StaticString) {
        let length = text.utf8CodeUnitCount
        room(for: length).update(from: text.utf8Start, count: length)
        count &+= length
    }

    /// Copies bytes up to the first one that does not stand for itself: control characters, quote
    /// and backslash. Returns their number.
    ///
    /// Eight at a time: `(x - 0x01…01) & ~x & 0x80…80` marks the zero bytes of x, and the lowest
    /// mark is always true (a false one needs a borrow from a true one below it).
    @inline(__always)
    private mutating func copyPlain(_ utf8: UnsafeBufferPointer<UInt8>) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let source = UnsafeRawBufferPointer(utf8)
        let target = UnsafeMutableRawPointer(room(for: source.count))
        var index = 0
        while source.count &- index >= 8 {
            let loaded = source.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let word = UInt64(littleEndian: loaded)
            let quotes = word ^ ones &* 0x22
            let backslashes = word ^ ones &* 0x5C
            var marks = (quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes
            marks |= (word &- ones &* 0x20) & ~word
            // In a statement of its own: & and &* bind alike.
            marks &= ones &* 0x80
            if marks != 0 { break }
            target.storeBytes(of: loaded, toByteOffset: index, as: UInt64.self)
            index &+= 8
        }
        while index < source.count {
            let byte = source[index]
            guard byte >= 0x20, byte != 0x22, byte != 0x5C else { break }
            target.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
            index &+= 1
        }
        count &+= index
        return index
    }

    private mutating func escaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): plain(#"\""#)
        case UInt8(ascii: "\\"): plain(#"\\"#)
        case 0x08: plain(#"\b"#)
        case 0x09: plain(#"\t"#)
        case 0x0A: plain(#"\n"#)
        case 0x0C: plain(#"\f"#)
        case 0x0D: plain(#"\r"#)
        case 0..<0x20:
            plain(#"\u00"#)
            put(UInt8(ascii: "0") &+ byte >> 4)
            let low = byte & 0xF
            put(low < 10 ? UInt8(ascii: "0") &+ low : UInt8(ascii: "a") &+ low &- 10)
        default: put(byte)
        }
    }
}
