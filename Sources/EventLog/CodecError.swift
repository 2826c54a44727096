// Why bytes are not what they should be. Codes are stable; a message names the record, the field
// and the offset, and never repeats what the bytes said.

/// An event or snapshot that cannot be read.
package struct CodecError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Error, Sendable {
        /// The bytes end inside a value.
        case truncated
        /// Not canonical JSON, or not of the form that the field has.
        case malformed
        /// A field that every such record has is not there.
        case missingField = "missing_field"
        /// A name (of an enumeration, a unit) that this program does not know.
        case unknownName = "unknown_name"
        /// A number or amount outside its range.
        case outOfRange = "out_of_range"
        /// Text that is not UTF-8.
        case invalidText = "invalid_text"
        /// Entries that are not in ascending order, or one twice.
        case notSorted = "not_sorted"
        /// Bytes after the end.
        case trailingBytes = "trailing_bytes"
        /// An event type that this program does not know.
        case unknownType = "unknown_type"
        /// A schema version that is newer than this program, or that it has no upcaster for.
        case unsupportedVersion = "unsupported_version"
        /// A snapshot of another format or another layout.
        case otherFormat = "other_format"
    }

    package var code: Code
    /// Type of the event or name of the nested record: `usage.reserved`, `budget_line`.
    package var record: String
    /// Name of the field; empty when it is about the record as a whole.
    package var field: String
    /// Where in the bytes, from 0.
    package var offset: Int

    package init(_ code: Code, record: String, field: String, offset: Int) {
        self.code = code
        self.record = record
        self.field = field
        self.offset = offset
    }

    /// One sentence: "missing_field at budget_line.amount (byte 31)".
    package var description: String {
        let place = field.isEmpty ? record : "\(record).\(field)"
        return "\(code.rawValue) at \(place) (byte \(offset))"
    }
}
