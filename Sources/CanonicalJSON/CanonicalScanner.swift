// Reads canonical JSON that we wrote ourselves, straight into fields, without a tree.
//
// The form is RFC 8785's with integers only: no white space, members in ascending order of their
// names (so the reader asks for fields in that order and goes through the bytes once). A newer
// writer may have added members: those not asked for are stepped over. The order itself is not
// checked; a member out of order is one that is not found.
//
//     try scanner.enterObject()
//     try scanner.require("amount")
//     let amount = try scanner.readInt64()
//     if try scanner.field("run") { run = try scanner.readString() }
//     try scanner.leaveObject()
//
// Damaged bytes throw. Nothing here traps, whatever the bytes and whatever the order of calls.

/// A cursor over canonical bytes. It borrows them: use it only where they are lent.
package struct CanonicalScanner {
    private var cursor: JSONCursor

    package init(_ bytes: UnsafeRawBufferPointer) {
        cursor = JSONCursor(bytes.assumingMemoryBound(to: UInt8.self))
    }

    /// Lends `bytes` to a scanner for the time of `body`.
    @inlinable
    package static func reading<Result, Failure: Error>(
        _ bytes: [UInt8],
        _ body: (inout CanonicalScanner) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try bytes.withUnsafeBufferPointer { (buffer) throws(Failure) in
            var scanner = CanonicalScanner(UnsafeRawBufferPointer(buffer))
            return try body(&scanner)
        }
    }

    /// Bytes read so far.
    package var offset: Int { cursor.position }

    // MARK: Objects

    package mutating func enterObject() throws(JSONError) {
        try located { (cursor) throws(JSONFailure) in try cursor.expect(UInt8(ascii: "{")) }
    }

    /// Goes to the value of the member `name` if the object has one. Steps over members with
    /// smaller names; stays before the next larger one.
    package mutating func field(_ name: StaticString) throws(JSONError) -> Bool {
        if cursor.enterNextMember(named: name) { return true }
        return try searchField(name)
    }

    @inline(never)
    private mutating func searchField(_ name: StaticString) throws(JSONError) -> Bool {
        try located { (cursor) throws(JSONFailure) in
            while true {
                let before = cursor.position
                guard try cursor.enterMember() else { return false }
                let order = try cursor.scanName(comparedWith: name)
                if order == 0 { return true }
                if order > 0 {
                    cursor.position = before
                    return false
                }
                try cursor.skipCanonicalValue(depth: 0)
            }
        }
    }

    /// Goes to the value of the member `name`.
    ///
    /// - Throws: `.missingMember` when the object has none.
    package mutating func require(_ name: StaticString) throws(JSONError) {
        if cursor.enterNextMember(named: name) { return }
        if try searchField(name) { return }
        let path = JSONPath.locate(cursor.position, in: cursor.bytes, member: name.description)
        throw JSONError(.missingMember, offset: cursor.position, path: path)
    }

    /// Goes to the value of the next member, whatever its name: for maps. Nil at the object's end,
    /// which is left for `leaveObject`.
    package mutating func nextMember() throws(JSONError) -> String? {
        try located { (cursor) throws(JSONFailure) in
            guard try cursor.enterMember() else { return nil }
            let name = cursor.text(of: try cursor.scanString())
            try cursor.expect(UInt8(ascii: ":"))
            return name
        }
    }

    /// Steps over the members not asked for and the end of the object.
    package mutating func leaveObject() throws(JSONError) {
        try located { (cursor) throws(JSONFailure) in
            while try cursor.enterMember() {
                _ = try cursor.scanString()
                try cursor.expect(UInt8(ascii: ":"))
                try cursor.skipCanonicalValue(depth: 0)
            }
            try cursor.expect(UInt8(ascii: "}"))
        }
    }

    // MARK: Arrays

    package mutating func enterArray() throws(JSONError) {
        try located { (cursor) throws(JSONFailure) in try cursor.expect(UInt8(ascii: "[")) }
    }

    /// Goes to the next element; false past the last one, when the array is left.
    package mutating func nextElement() throws(JSONError) -> Bool {
        try located { (cursor) throws(JSONFailure) in
            if try cursor.enterElement() { return true }
            try cursor.expect(UInt8(ascii: "]"))
            return false
        }
    }

    // MARK: Values

    package mutating func readString() throws(JSONError) -> String {
        try located { (cursor) throws(JSONFailure) in
            cursor.text(of: try cursor.scanString())
        }
    }

    /// - Throws: `.invalidNumber` for anything but a canonical 64-bit integer.
    package mutating func readInt64() throws(JSONError) -> Int64 {
        try located { (cursor) throws(JSONFailure) in
            let start = cursor.position
            let byte = try cursor.current()
            guard byte == UInt8(ascii: "-") || byte &- UInt8(ascii: "0") <= 9 else {
                throw JSONFailure(.unexpectedByte, start)
            }
            guard let value = try cursor.scanNumber(), value != 0 || cursor.position == start &+ 1
            else { throw JSONFailure(.invalidNumber, start) }
            return value
        }
    }

    package mutating func readBool() throws(JSONError) -> Bool {
        try located { (cursor) throws(JSONFailure) in
            let isTrue = try cursor.current() == UInt8(ascii: "t")
            try cursor.expect(literal: isTrue ? "true" : "false")
            return isTrue
        }
    }

    /// Steps over `null` if the value is null; else stays.
    package mutating func readNull() throws(JSONError) -> Bool {
        try located { (cursor) throws(JSONFailure) in
            guard try cursor.current() == UInt8(ascii: "n") else { return false }
            try cursor.expect(literal: "null")
            return true
        }
    }

    /// Steps over one value of any kind.
    package mutating func skipValue() throws(JSONError) {
        try located { (cursor) throws(JSONFailure) in try cursor.skipCanonicalValue(depth: 0) }
    }

    /// Demands that the bytes end here.
    package mutating func finish() throws(JSONError) {
        try located { (cursor) throws(JSONFailure) in
            if cursor.position != cursor.bytes.count {
                throw JSONFailure(.trailingBytes, cursor.position)
            }
        }
    }

    /// Adds the path to a failure. A failed scanner stays at its last good place.
    @inline(__always)
    private mutating func located<Result>(
        _ body: (inout JSONCursor) throws(JSONFailure) -> Result
    ) throws(JSONError) -> Result {
        let start = cursor.position
        do {
            return try body(&cursor)
        } catch {
            cursor.position = start
            throw JSONError(error, in: cursor.bytes)
        }
    }
}

extension JSONCursor {
    /// Goes to the next member's name; false, without a move, at the end of the object.
    ///
    /// Whether a comma must come first shows in the byte before: nothing but the opening bracket
    /// itself ends with `{`.
    @inline(__always)
    fileprivate mutating func enterMember() throws(JSONFailure) -> Bool {
        if try current() == UInt8(ascii: "}") { return false }
        if position == 0 || bytes[position &- 1] != UInt8(ascii: "{") {
            try expect(UInt8(ascii: ","))
        }
        return true
    }

    /// The same for the elements of an array.
    @inline(__always)
    fileprivate mutating func enterElement() throws(JSONFailure) -> Bool {
        if try current() == UInt8(ascii: "]") { return false }
        if position == 0 || bytes[position &- 1] != UInt8(ascii: "[") {
            try expect(UInt8(ascii: ","))
        }
        return true
    }

    /// Goes to the value of the next member if that is exactly the one named: the case that pays.
    /// Else stays.
    @inline(__always)
    fileprivate mutating func enterNextMember(named name: StaticString) -> Bool {
        guard let base = bytes.baseAddress, position > 0 else { return false }
        let isFirst = base[position &- 1] == UInt8(ascii: "{")
        let quote = isFirst ? position : position &+ 1
        let count = name.utf8CodeUnitCount
        let end = quote &+ 1 &+ count
        guard bytes.count &- end >= 2, isFirst || base[position] == UInt8(ascii: ","),
            base[quote] == UInt8(ascii: "\""), base[end] == UInt8(ascii: "\""),
            base[end &+ 1] == UInt8(ascii: ":"), isEqual(base + quote + 1, name.utf8Start, count)
        else { return false }
        position = end &+ 2
        return true
    }

    /// Steps over a name and its colon. Negative when the name comes before the given one.
    fileprivate mutating func scanName(
        comparedWith name: StaticString
    ) throws(JSONFailure) -> Int {
        let token = try scanString()
        try expect(UInt8(ascii: ":"))
        if token.hasEscapes { return compareMemberNames(text(of: token), name.description) }
        return compareMemberNames(
            UnsafeBufferPointer(rebasing: bytes[token.start..<token.end]), name.bytes)
    }

    fileprivate mutating func skipCanonicalValue(depth: Int) throws(JSONFailure) {
        switch try current() {
        case UInt8(ascii: "\""): _ = try scanString()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): _ = try scanNumber()
        case UInt8(ascii: "t"): try expect(literal: "true")
        case UInt8(ascii: "f"): try expect(literal: "false")
        case UInt8(ascii: "n"): try expect(literal: "null")
        case UInt8(ascii: "{"):
            if depth == JSONLimits.deepestDepth { throw JSONFailure(.tooDeep, position) }
            position &+= 1
            while try enterMember() {
                _ = try scanString()
                try expect(UInt8(ascii: ":"))
                try skipCanonicalValue(depth: depth + 1)
            }
            try expect(UInt8(ascii: "}"))
        case UInt8(ascii: "["):
            if depth == JSONLimits.deepestDepth { throw JSONFailure(.tooDeep, position) }
            position &+= 1
            while try enterElement() { try skipCanonicalValue(depth: depth + 1) }
            try expect(UInt8(ascii: "]"))
        default: throw JSONFailure(.unexpectedByte, position)
        }
    }
}
