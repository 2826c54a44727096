// Writes JSON byte by byte, for hot paths that know their members.
//
// The form is RFC 8785's: no white space; in strings only `"`, `\` and code points below U+0020 are
// escaped, by `\b \t \n \f \r` where those exist and else by `\u00xx` in lower case; members of an
// object in the order of their names' UTF-16 code units. The writer places commas and colons. The
// order of members is the caller's duty, which debug builds check.

package struct JSONWriter {
    /// What has been written, after what was there before.
    package var bytes: [UInt8]
    /// Whether the next member or element follows another one.
    private var needsComma = false
    #if DEBUG
        private var order = MemberOrderCheck()
    #endif

    package init(reservingCapacity capacity: Int = 0) {
        bytes = []
        if capacity > 0 { bytes.reserveCapacity(capacity) }
    }

    /// Lets `body` write one document at the end of `bytes`, without copying them.
    @inline(__always)
    package static func append<Failure: Error>(
        to bytes: inout [UInt8], _ body: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        var writer = JSONWriter()
        swap(&writer.bytes, &bytes)
        defer { swap(&writer.bytes, &bytes) }
        try body(&writer)
    }

    // MARK: Containers

    package mutating func beginObject() {
        open(UInt8(ascii: "{"))
        #if DEBUG
            order.open(.object)
        #endif
    }

    package mutating func endObject() {
        close(UInt8(ascii: "}"))
        #if DEBUG
            order.close(.object)
        #endif
    }

    package mutating func beginArray() {
        open(UInt8(ascii: "["))
        #if DEBUG
            order.open(.array)
        #endif
    }

    package mutating func endArray() {
        close(UInt8(ascii: "]"))
        #if DEBUG
            order.close(.array)
        #endif
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    // MARK: Names

    /// Starts the member `name`, which must need no escapes.
    package mutating func key(_ name: StaticString) {
        #if DEBUG
            order.key(name.description)
            assert(plainPrefix(of: name.bytes, stoppingAtNonASCII: false) == name.utf8CodeUnitCount)
        #endif
        let comma = needsComma ? 1 : 0
        let count = name.utf8CodeUnitCount
        let source = name.utf8Start
        bytes.append(exactly: count &+ 3 &+ comma) { output in
            output[0] = UInt8(ascii: ",")
            output[comma] = UInt8(ascii: "\"")
            (output + comma + 1).update(from: source, count: count)
            output[comma &+ count &+ 1] = UInt8(ascii: "\"")
            output[comma &+ count &+ 2] = UInt8(ascii: ":")
        }
        needsComma = false
    }

    /// Starts the member `name`, any text.
    package mutating func key(dynamic name: String) {
        #if DEBUG
            order.key(name)
        #endif
        appendQuoted(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    // MARK: Values

    package mutating func string(_ text: String) {
        appendQuoted(text)
        needsComma = true
    }

    /// A string whose content `body` appends, in bytes that need no escapes: digits, hex, base64.
    @inline(__always)
    package mutating func plainString(_ body: (inout [UInt8]) -> Void) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        body(&bytes)
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    /// All digits, also beyond ±(2⁵³ − 1), where RFC 8785 wants a string instead: readers that keep
    /// numbers as floating point would round. The caller's format decides.
    package mutating func integer(_ value: Int64) {
        appendDigits(value)
        needsComma = true
    }

    package mutating func bool(_ value: Bool) {
        word(value ? "true" : "false")
    }

    package mutating func null() {
        word("null")
    }

    /// One value that is canonical JSON already.
    package mutating func raw(_ json: [UInt8]) {
        separate()
        bytes.append(contentsOf: json)
        needsComma = true
    }

    private mutating func word(_ text: StaticString) {
        separate()
        bytes.append(contentsOf: text.bytes)
        needsComma = true
    }

    @inline(__always)
    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }
}

extension JSONWriter {
    private mutating func appendDigits(_ value: Int64) {
        let comma = needsComma ? 1 : 0
        let sign = value < 0 ? 1 : 0
        let magnitude = value.magnitude
        var digits = 1
        var bound: UInt64 = 10
        // 19 digits at most: the bound cannot overflow before the loop ends.
        while digits < 19, magnitude >= bound {
            digits &+= 1
            bound &*= 10
        }
        bytes.append(exactly: comma &+ sign &+ digits) { output in
            output[0] = UInt8(ascii: ",")
            if sign == 1 { output[comma] = UInt8(ascii: "-") }
            var rest = magnitude
            var index = comma &+ sign &+ digits
            for _ in 0..<digits {
                index &-= 1
                let tenth = rest / 10
                output[index] = 0x30 &+ UInt8(truncatingIfNeeded: rest &- tenth &* 10)
                rest = tenth
            }
        }
    }

    private mutating func appendQuoted(_ text: String) {
        let comma = needsComma ? 1 : 0
        text.withUTF8Bytes { source in
            let plain = plainPrefix(of: source, stoppingAtNonASCII: false)
            bytes.append(exactly: comma &+ plain &+ 1) { output in
                output[0] = UInt8(ascii: ",")
                output[comma] = UInt8(ascii: "\"")
                if let from = source.baseAddress {
                    (output + comma + 1).update(from: from, count: plain)
                }
            }
            if plain < source.count {
                for byte in source[plain...] { appendEscaped(byte) }
            }
            bytes.append(UInt8(ascii: "\""))
        }
    }

    private mutating func appendEscaped(_ byte: UInt8) {
        let letter: UInt8
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): letter = byte
        case 0x08: letter = UInt8(ascii: "b")
        case 0x09: letter = UInt8(ascii: "t")
        case 0x0A: letter = UInt8(ascii: "n")
        case 0x0C: letter = UInt8(ascii: "f")
        case 0x0D: letter = UInt8(ascii: "r")
        case 0..<0x20:
            let low = byte & 0xF
            bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "u"), 0x30, 0x30])
            bytes.append(0x30 + byte >> 4)
            bytes.append(low < 10 ? 0x30 + low : UInt8(ascii: "a") + low - 10)
            return
        default:
            bytes.append(byte)
            return
        }
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(letter)
    }
}

extension [UInt8] {
    /// Appends `count` bytes (at least one), all of which `write` must set.
    @inline(__always)
    fileprivate mutating func append(
        exactly count: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Void
    ) {
        append(addingCapacity: count) { output in
            output.withUnsafeMutableBufferPointer { buffer, initialized in
                precondition(buffer.count &- initialized >= count)
                write(buffer.baseAddress.unsafelyUnwrapped + initialized)
                initialized &+= count
            }
        }
    }
}
