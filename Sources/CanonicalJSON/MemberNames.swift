// How member names are compared.
//
// Equal means equal bytes (see JSONValue.swift). RFC 8785 orders names by their UTF-16 code units.
// UTF-8 bytes give the same order but for one thing: code points from U+10000 (lead bytes F0…F4)
// are surrogate pairs in UTF-16, which begin with D800…DBFF and so come *before* U+E000…U+FFFF
// (lead bytes EE, EF). Moving those lead bytes down to just above ED (≤ U+D7FF) is all it takes,
// because two names that differ first at a continuation byte share their lead byte.

typealias UTF8Bytes = UnsafeBufferPointer<UInt8>

extension String {
    /// Lends the UTF-8 of the text. Native strings, the only ones on Linux, have it in one piece.
    @inline(__always)
    func withUTF8Bytes<Result>(_ body: (UTF8Bytes) -> Result) -> Result {
        if let result = utf8.withContiguousStorageIfAvailable(body) { return result }
        return Array(utf8).withUnsafeBufferPointer(body)
    }
}

extension StaticString {
    /// The UTF-8 of a literal.
    var bytes: UTF8Bytes { UTF8Bytes(start: utf8Start, count: utf8CodeUnitCount) }
}

/// Whether two texts are the same bytes.
@inline(__always)
func hasSameBytes(_ a: String, _ b: String) -> Bool {
    guard a.utf8.count == b.utf8.count else { return false }
    return a.withUTF8Bytes { x in b.withUTF8Bytes { y in hasSameBytes(x, y) } }
}

@inline(__always)
func hasSameBytes(_ a: UTF8Bytes, _ b: UTF8Bytes) -> Bool {
    guard a.count == b.count, let x = a.baseAddress, let y = b.baseAddress else {
        return a.count == b.count
    }
    return isEqual(x, y, a.count)
}

/// memcmp, which the standard library does not have, for a few bytes: eight at a time, the last
/// eight overlapping.
@inline(__always)
func isEqual(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    var index = 0
    if count >= 8 {
        let x = UnsafeRawPointer(a)
        let y = UnsafeRawPointer(b)
        let last = count &- 8
        while index < last {
            let left = x.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if left != y.loadUnaligned(fromByteOffset: index, as: UInt64.self) { return false }
            index &+= 8
        }
        return x.loadUnaligned(fromByteOffset: last, as: UInt64.self)
            == y.loadUnaligned(fromByteOffset: last, as: UInt64.self)
    }
    while index < count {
        if a[index] != b[index] { return false }
        index &+= 1
    }
    return true
}

/// RFC 8785 order: negative when `a` comes first, zero when they are the same.
func compareMemberNames(_ a: String, _ b: String) -> Int {
    a.withUTF8Bytes { x in b.withUTF8Bytes { y in compareMemberNames(x, y) } }
}

/// The same for bytes, which must be valid UTF-8.
func compareMemberNames(_ a: UTF8Bytes, _ b: UTF8Bytes) -> Int {
    for index in 0..<min(a.count, b.count) where a[index] != b[index] {
        return utf16Rank(a[index]) < utf16Rank(b[index]) ? -1 : 1
    }
    return a.count - b.count
}

/// Places F0…F4 between ED and EE.
private func utf16Rank(_ byte: UInt8) -> UInt16 {
    byte >= 0xF0 ? 0xED00 + UInt16(byte) : UInt16(byte) << 8
}

/// Finds a member name that an object already has, while the object is being read.
///
/// Up to 16 names: one bit of 64 for each, and a scan only when a bit is hit twice. Beyond: a hash
/// set, so that a hostile object of 100,000 names costs no more than its length.
struct MemberNameCheck {
    private var filter: UInt64 = 0
    private var names: Set<ByteExactName> = []

    /// - Parameter members: the members read before it.
    @inline(__always)
    mutating func isDuplicate(
        _ name: String, among members: [(key: String, value: JSONValue)]
    ) -> Bool {
        if members.count >= 16 { return isDuplicateInLargeObject(name, among: members) }
        let bit = name.withUTF8Bytes(Self.filterBit)
        if filter & bit == 0 {
            filter |= bit
            return false
        }
        return members.contains { hasSameBytes($0.key, name) }
    }

    @inline(never)
    private mutating func isDuplicateInLargeObject(
        _ name: String, among members: [(key: String, value: JSONValue)]
    ) -> Bool {
        if names.isEmpty {
            names.reserveCapacity(64)
            for member in members { names.insert(ByteExactName(text: member.key)) }
        }
        return !names.insert(ByteExactName(text: name)).inserted
    }

    /// Length, first, middle and last byte tell the names of one object apart well enough.
    @inline(__always)
    private static func filterBit(_ name: UTF8Bytes) -> UInt64 {
        let count = name.count
        guard count > 0 else { return 1 }
        let mixed =
            UInt64(name[0]) &* 7 ^ UInt64(name[count &>> 1]) &* 13
            ^ UInt64(name[count &- 1]) &* 29 ^ UInt64(truncatingIfNeeded: count) &* 3
        return 1 &<< (mixed & 63)
    }
}

/// A name that hashes and compares by its bytes.
private struct ByteExactName: Hashable {
    let text: String

    static func == (a: ByteExactName, b: ByteExactName) -> Bool { hasSameBytes(a.text, b.text) }

    func hash(into hasher: inout Hasher) {
        text.withUTF8Bytes { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
