// The binary form of records in snapshots. Positional: every field of the description in its order,
// none left out, no names. Format and layout are checked by the header (SnapshotState.swift).
//
//   unsigned   LEB128: seven bits a byte, lowest first, the top bit says that more follow
//   integer    zigzag (0, −1, 1, −2 … as 0, 1, 2, 3 …), then as unsigned
//   text       count of bytes as unsigned, then the UTF-8
//   flag       one byte, 0 or 1
//   optional   a flag, then the value if it is 1
//   list       count as unsigned, then the elements
//   choice     its name as text: an enumeration may be reordered at will

package struct SnapshotWriter: RecordVisitor {
    package typealias Failure = Never

    private(set) var bytes: [UInt8] = []

    init(reservingCapacity capacity: Int) {
        bytes.reserveCapacity(capacity)
    }

    @inline(__always)
    package mutating func field<F: Form>(
        _ name: StaticString, _ form: F, _ value: inout F.Value, _ note: StaticString
    ) {
        form.write(value, to: &self)
    }

    @inline(__always)
    package mutating func field<F: Form>(
        _ name: StaticString, _ form: F, _ value: inout F.Value, omitting omitted: F.Value,
        _ note: StaticString
    ) where F.Value: Equatable {
        form.write(value, to: &self)
    }

    @inline(__always)
    package mutating func optional<F: Form>(
        _ name: StaticString, _ form: F, _ value: inout F.Value?, _ note: StaticString
    ) {
        flag(value != nil)
        if let value { form.write(value, to: &self) }
    }

    mutating func record<R: Record>(_ record: R) {
        var record = record
        R.fields(&self, &record)
    }

    mutating func unsigned(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest &>>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func integer(_ value: Int64) {
        unsigned(UInt64(bitPattern: value &<< 1 ^ value &>> 63))
    }

    mutating func flag(_ value: Bool) {
        bytes.append(value ? 1 : 0)
    }

    mutating func text(_ value: String) {
        var value = value
        value.withUTF8 { utf8 in
            unsigned(UInt64(utf8.count))
            bytes.append(contentsOf: utf8)
        }
    }

    /// Bytes of a fixed number.
    mutating func raw(_ value: some Collection<UInt8>) {
        bytes.append(contentsOf: value)
    }
}
