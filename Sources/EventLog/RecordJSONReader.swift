// Reads records back from their canonical JSON, in one pass. `CanonicalScanner` walks; this adds
// forms, and errors that name record and field.

import CanonicalJSON

/// Reads records from canonical bytes that it borrows.
package struct JSONRecordReader: RecordVisitor {
    package typealias Failure = CodecError

    private let bytes: UnsafeRawBufferPointer
    private var scanner: CanonicalScanner
    /// Where it is, for errors.
    private var recordName: StaticString
    private var fieldName: StaticString = ""

    init(_ bytes: UnsafeRawBufferPointer, record: StaticString) {
        self.bytes = bytes
        scanner = CanonicalScanner(bytes)
        recordName = record
    }

    package mutating func field<F: Form>(
        _ name: StaticString, _ form: F, _ value: inout F.Value, _ note: StaticString
    ) throws(CodecError) {
        fieldName = name
        guard try find(name) else { throw error(.missingField) }
        value = try form.read(from: &self)
    }

    package mutating func field<F: Form>(
        _ name: StaticString, _ form: F, _ value: inout F.Value, omitting omitted: F.Value,
        _ note: StaticString
    ) throws(CodecError) where F.Value: Equatable {
        fieldName = name
        value = try find(name) ? form.read(from: &self) : omitted
    }

    package mutating func optional<F: Form>(
        _ name: StaticString, _ form: F, _ value: inout F.Value?, _ note: StaticString
    ) throws(CodecError) {
        fieldName = name
        value = try find(name) ? form.read(from: &self) : nil
    }

    mutating func record<R: Record>(_ type: R.Type) throws(CodecError) -> R {
        let outer = (recordName, fieldName)
        recordName = R.recordName
        fieldName = ""
        var record = R.blank()
        try enterObject()
        try R.fields(&self, &record)
        try leaveObject()
        (recordName, fieldName) = outer
        return record
    }
}

extension JSONRecordReader {
    var offset: Int { scanner.offset }

    /// An error about the field that is being read.
    func error(_ code: CodecError.Code, offset: Int? = nil) -> CodecError {
        CodecError(
            code, record: recordName.description, field: fieldName.description,
            offset: offset ?? scanner.offset)
    }

    private func error(_ cause: JSONError) -> CodecError {
        let code: CodecError.Code =
            switch cause.code {
            case .unexpectedEnd: .truncated
            case .trailingBytes: .trailingBytes
            case .invalidUTF8: .invalidText
            default: .malformed
            }
        return error(code, offset: cause.offset)
    }

    /// Goes to the value of the field `name`.
    mutating func require(_ name: StaticString) throws(CodecError) {
        fieldName = name
        guard try find(name) else { throw error(.missingField) }
    }

    private mutating func find(_ name: StaticString) throws(CodecError) -> Bool {
        do { return try scanner.field(name) } catch { throw self.error(error) }
    }

    mutating func enterObject() throws(CodecError) {
        do { try scanner.enterObject() } catch { throw self.error(error) }
    }

    mutating func leaveObject() throws(CodecError) {
        do { try scanner.leaveObject() } catch { throw self.error(error) }
    }

    /// The next member's name; nil at the object's end, which is left for `leaveObject`.
    mutating func nextMember() throws(CodecError) -> String? {
        do { return try scanner.nextMember() } catch { throw self.error(error) }
    }

    mutating func enterArray() throws(CodecError) {
        do { try scanner.enterArray() } catch { throw self.error(error) }
    }

    /// Goes to the next element; false past the last one, when the array is left.
    mutating func nextElement() throws(CodecError) -> Bool {
        do { return try scanner.nextElement() } catch { throw self.error(error) }
    }

    mutating func string() throws(CodecError) -> String {
        do { return try scanner.readString() } catch { throw self.error(error) }
    }

    /// An integer within ±(2⁵³ − 1): what JSON's numbers hold, and all that a writer writes.
    mutating func integer() throws(CodecError) -> Int64 {
        let start = scanner.offset
        let value: Int64
        do { value = try scanner.readInt64() } catch { throw self.error(error) }
        guard value.magnitude < 1 << 53 else { throw self.error(.outOfRange, offset: start) }
        return value
    }

    mutating func flag() throws(CodecError) -> Bool {
        do { return try scanner.readBool() } catch { throw self.error(error) }
    }

    /// Steps over a value of any kind.
    mutating func skip() throws(CodecError) {
        do { try scanner.skipValue() } catch { throw self.error(error) }
    }

    mutating func finish() throws(CodecError) {
        do { try scanner.finish() } catch { throw self.error(error) }
    }

    var isAtString: Bool {
        scanner.offset < bytes.count && bytes[scanner.offset] == UInt8(ascii: "\"")
    }

    /// Steps over a string and lends what is between its quotes as it was written: for text that
    /// never has escapes, such as amounts and times, without making a `String` of it.
    mutating func plainText() throws(CodecError) -> UnsafeBufferPointer<UInt8> {
        guard isAtString else { throw error(.malformed) }
        let start = scanner.offset + 1
        try skip()
        let content = UnsafeRawBufferPointer(rebasing: bytes[start..<scanner.offset - 1])
        return content.assumingMemoryBound(to: UInt8.self)
    }
}
