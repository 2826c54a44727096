// One description per type, many uses.
//
// Every payload and every type nested in one names its fields once, in `fields(_:_:)`, in ascending
// order of their JSON names. What is done with the fields is up to the visitor that is passed in:
//
//   JSONRecordWriter   canonical JSON (RFC 8785), the stored form of events
//   JSONRecordReader   the same, backwards
//   SnapshotWriter     compact binary, the form of snapshots
//   SnapshotReader     the same, backwards
//   SchemaBuilder      JSON Schema of the JSON form
//
// How one value looks in each of them is a `Form`: money, time, count, list of something … A field
// is a name, a form and the place of the value:
//
//     try visitor.field("amount", .money, &grant.amount)
//     try visitor.field("priority", .integer, &grant.priority, omitting: 0, "Lower burns first.")
//     try visitor.optional("expires_at", .time, &grant.expiresAt)
//
// Additive changes: a field that newer events have and older ones lack is `optional`, or says with
// `omitting:` what its absence means. A plain `field` has been there since the first version; an
// event without it is damaged, because money that is silently zero is the worst of all readings.
//
// Neither existentials nor closures nor key paths: with visitor and form known, the compiler makes
// straight-line code of a description.

package import CanonicalJSON

/// A type whose fields are described.
package protocol Record: Equatable {
    /// In errors, and in schemas the name of its definition.
    static var recordName: StaticString { get }

    /// One line for people, in schemas; empty for payloads, which their event describes.
    static var recordNote: StaticString { get }

    /// The value whose fields a reader fills in.
    static func blank() -> Self

    /// Names all fields, in ascending order of their names.
    static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure)
}

extension Record {
    package static var recordNote: StaticString { "" }
}

/// What is done with the fields of a record. Notes are for people and go into the schema; they give
/// the unit wherever the name does not.
package protocol RecordVisitor {
    associatedtype Failure: Error

    /// A field that is always there.
    mutating func field<F: Form>(
        _ name: StaticString, _ form: F, _ value: inout F.Value, _ note: StaticString
    ) throws(Failure)

    /// A field whose absence means `omitted`.
    mutating func field<F: Form>(
        _ name: StaticString, _ form: F, _ value: inout F.Value, omitting omitted: F.Value,
        _ note: StaticString
    ) throws(Failure) where F.Value: Equatable

    /// A field whose absence means nil.
    mutating func optional<F: Form>(
        _ name: StaticString, _ form: F, _ value: inout F.Value?, _ note: StaticString
    ) throws(Failure)
}

extension RecordVisitor {
    @inline(__always)
    mutating func field<F: Form>(
        _ name: StaticString, _ form: F, _ value: inout F.Value
    ) throws(Failure) {
        try field(name, form, &value, "")
    }

    @inline(__always)
    mutating func field<F: Form>(
        _ name: StaticString, _ form: F, _ value: inout F.Value, omitting omitted: F.Value
    ) throws(Failure) where F.Value: Equatable {
        try field(name, form, &value, omitting: omitted, "")
    }

    @inline(__always)
    mutating func optional<F: Form>(
        _ name: StaticString, _ form: F, _ value: inout F.Value?
    ) throws(Failure) {
        try optional(name, form, &value, "")
    }
}

/// How values of one kind look, in JSON and in snapshots.
package protocol Form: Sendable {
    associatedtype Value

    func write(_ value: Value, to json: inout JSONRecordWriter)
    func read(from json: inout JSONRecordReader) throws(CodecError) -> Value

    func write(_ value: Value, to snapshot: inout SnapshotWriter)
    func read(from snapshot: inout SnapshotReader) throws(CodecError) -> Value

    /// The JSON Schema of the JSON form; named parts go into `definitions`.
    func schema(_ definitions: inout SchemaDefinitions) -> JSONValue
}
