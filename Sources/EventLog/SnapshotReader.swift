/// Reads what `SnapshotWriter` wrote, from bytes that it borrows. Every step is bounds-checked: a
/// damaged snapshot is an error, after which the log is folded from its beginning.
package struct SnapshotReader: RecordVisitor {
    package typealias Failure = CodecError

    private let bytes: UnsafeRawBufferPointer
    private(set) var offset = 0
    /// Where it is, for errors.
    private var recordName: StaticString = "snapshot"
    private var fieldName: StaticString = ""

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    package mutating func field<F: Form>(
        _ name: StaticString, _ form: F, _ value: inout F.Value, _ note: StaticString
    ) throws(CodecError) {
        fieldName = name
        value = try form.read(from: &self)
    }

    package mutating func field<F: Form>(
        _ name: StaticString, _ form: F, _ value: inout F.Value, omitting omitted: F.Value,
        _ note: StaticString
    ) throws(CodecError) where F.Value: Equatable {
        fieldName = name
        value = try form.read(from: &self)
    }

    package mutating func optional<F: Form>(
        _ name: StaticString, _ form: F, _ value: inout F.Value?, _ note: StaticString
    ) throws(CodecError) {
        fieldName = name
        value = try flag() ? form.read(from: &self) : nil
    }

    mutating func record<R: Record>(_ type: R.Type) throws(CodecError) -> R {
        let outer = (recordName, fieldName)
        recordName = R.recordName
        fieldName = ""
        var record = R.blank()
        try R.fields(&self, &record)
        (recordName, fieldName) = outer
        return record
    }

    func error(_ code: CodecError.Code) -> CodecError {
        CodecError(
            code, record: recordName.description, field: fieldName.description, offset: offset)
    }

    /// Bytes not yet read.
    var remaining: Int { bytes.count &- offset }

    private mutating func byte() throws(CodecError) -> UInt8 {
        guard offset < bytes.count else { throw error(.truncated) }
        defer { offset &+= 1 }
        return bytes[offset]
    }

    mutating func unsigned() throws(CodecError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try byte()
            // The tenth byte has room for one bit; a last byte of zero would be a longer way to
            // write the same number.
            if shift == 63, byte > 1 { throw error(.outOfRange) }
            value |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 {
                if byte == 0, shift > 0 { throw error(.malformed) }
                return value
            }
            shift &+= 7
        }
    }

    mutating func integer() throws(CodecError) -> Int64 {
        let zigzag = try unsigned()
        return Int64(bitPattern: zigzag &>> 1) ^ -Int64(bitPattern: zigzag & 1)
    }

    mutating func flag() throws(CodecError) -> Bool {
        switch try byte() {
        case 0: return false
        case 1: return true
        default: throw error(.malformed)
        }
    }

    /// A number of things that take at least one byte each.
    mutating func count() throws(CodecError) -> Int {
        let value = try unsigned()
        guard value <= UInt64(remaining) else { throw error(.truncated) }
        return Int(value)
    }

    mutating func text() throws(CodecError) -> String {
        let count = try count()
        let content = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset &+ count])
        guard let text = String(validating: content, as: UTF8.self) else {
            throw error(.invalidText)
        }
        offset &+= count
        return text
    }

    /// Bytes of a fixed number.
    mutating func raw(_ count: Int) throws(CodecError) -> [UInt8] {
        guard count <= remaining else { throw error(.truncated) }
        defer { offset &+= count }
        return Array(bytes[offset..<offset &+ count])
    }

    func finish() throws(CodecError) {
        if offset != bytes.count { throw error(.trailingBytes) }
    }
}
