// Forms of single values. In JSON:
//
//   money, rate   exact decimal text in major units (a rate: per million units of usage). RFC 8785
//                 numbers are doubles, which a 64-bit count of nano units does not fit
//   time          RFC 3339 in UTC with exactly six digits of fraction, as text
//   count         integer ≥ 0; `integer` any, `partsPerMillion` a ratio; all within ±(2⁵³ − 1)
//   sequence      number of an event, as an integer
//   quantity      an amount in a budget's measure: money as decimal text, anything else an integer
//   text, hex     text
//   flag          true or false
//
// In snapshots money and rates are their integers, a time its microseconds.

package import Billing
package import CanonicalJSON
package import Money
import TimeZones

package struct MoneyForm: Form {
    package func write(_ value: Money, to json: inout JSONRecordWriter) {
        json.decimal(value.nanos, places: 9)
    }

    package func read(from json: inout JSONRecordReader) throws(CodecError) -> Money {
        Money(nanos: try json.decimal(places: 9))
    }

    package func write(_ value: Money, to snapshot: inout SnapshotWriter) {
        snapshot.integer(value.nanos)
    }

    package func read(from snapshot: inout SnapshotReader) throws(CodecError) -> Money {
        Money(nanos: try snapshot.integer())
    }

    package func schema(_ definitions: inout SchemaDefinitions) -> JSONValue {
        definitions.money()
    }
}

package struct RateForm: Form {
    package func write(_ value: Rate, to json: inout JSONRecordWriter) {
        json.decimal(value.picos, places: 6)
    }

    package func read(from json: inout JSONRecordReader) throws(CodecError) -> Rate {
        Rate(picos: try json.decimal(places: 6))
    }

    package func write(_ value: Rate, to snapshot: inout SnapshotWriter) {
        snapshot.integer(value.picos)
    }

    package func read(from snapshot: inout SnapshotReader) throws(CodecError) -> Rate {
        Rate(picos: try snapshot.integer())
    }

    package func schema(_ definitions: inout SchemaDefinitions) -> JSONValue {
        definitions.rate()
    }
}

package struct TimeForm: Form {
    package func write(_ value: Instant, to json: inout JSONRecordWriter) {
        json.time(microseconds: value.microseconds)
    }

    package func read(from json: inout JSONRecordReader) throws(CodecError) -> Instant {
        let start = json.offset
        let text = try json.plainText()
        guard let microseconds = RFC3339.parseCanonical(text.span) else {
            throw json.error(.malformed, offset: start)
        }
        return Instant(microseconds: microseconds)
    }

    package func write(_ value: Instant, to snapshot: inout SnapshotWriter) {
        snapshot.integer(value.microseconds)
    }

    package func read(from snapshot: inout SnapshotReader) throws(CodecError) -> Instant {
        Instant(microseconds: try snapshot.integer())
    }

    package func schema(_ definitions: inout SchemaDefinitions) -> JSONValue {
        definitions.time()
    }
}

package struct IntegerForm: Form {
    package enum Kind: Sendable { case any, count }
    package let kind: Kind

    package func write(_ value: Int64, to json: inout JSONRecordWriter) {
        assert(value.magnitude < 1 << 53, "the edges keep counts within what JSON numbers hold")
        json.integer(value)
    }

    package func read(from json: inout JSONRecordReader) throws(CodecError) -> Int64 {
        try json.integer()
    }

    package func write(_ value: Int64, to snapshot: inout SnapshotWriter) {
        snapshot.integer(value)
    }

    package func read(from snapshot: inout SnapshotReader) throws(CodecError) -> Int64 {
        try snapshot.integer()
    }

    package func schema(_ definitions: inout SchemaDefinitions) -> JSONValue {
        definitions.integer(kind)
    }
}

package struct SequenceForm: Form {
    package func write(_ value: UInt64, to json: inout JSONRecordWriter) {
        assert(value < 1 << 53, "a log is shorter than that")
        json.integer(Int64(truncatingIfNeeded: value))
    }

    package func read(from json: inout JSONRecordReader) throws(CodecError) -> UInt64 {
        let start = json.offset
        guard let value = UInt64(exactly: try json.integer()) else {
            throw json.error(.outOfRange, offset: start)
        }
        return value
    }

    package func write(_ value: UInt64, to snapshot: inout SnapshotWriter) {
        snapshot.unsigned(value)
    }

    package func read(from snapshot: inout SnapshotReader) throws(CodecError) -> UInt64 {
        try snapshot.unsigned()
    }

    package func schema(_ definitions: inout SchemaDefinitions) -> JSONValue {
        definitions.integer(.count)
    }
}

/// An amount in the measure of a budget. A reader goes by the JSON type, because the measure's own
/// field comes later.
package struct QuantityForm: Form {
    /// Of the value to be written; nothing to a reader.
    package let isMoney: Bool

    package func write(_ value: Int64, to json: inout JSONRecordWriter) {
        if isMoney {
            MoneyForm().write(Money(nanos: value), to: &json)
        } else {
            IntegerForm(kind: .any).write(value, to: &json)
        }
    }

    package func read(from json: inout JSONRecordReader) throws(CodecError) -> Int64 {
        if json.isAtString { return try json.decimal(places: 9) }
        return try json.integer()
    }

    package func write(_ value: Int64, to snapshot: inout SnapshotWriter) {
        snapshot.integer(value)
    }

    package func read(from snapshot: inout SnapshotReader) throws(CodecError) -> Int64 {
        try snapshot.integer()
    }

    package func schema(_ definitions: inout SchemaDefinitions) -> JSONValue {
        definitions.quantity()
    }
}

package struct TextForm: Form {
    package enum Kind: Sendable {
        case text
        /// An even number of lower-case hex digits.
        case hex
    }
    package let kind: Kind

    package func write(_ value: String, to json: inout JSONRecordWriter) { json.string(value) }

    package func read(from json: inout JSONRecordReader) throws(CodecError) -> String {
        try json.string()
    }

    package func write(_ value: String, to snapshot: inout SnapshotWriter) { snapshot.text(value) }

    package func read(from snapshot: inout SnapshotReader) throws(CodecError) -> String {
        try snapshot.text()
    }

    package func schema(_ definitions: inout SchemaDefinitions) -> JSONValue {
        definitions.text(kind)
    }
}

package struct FlagForm: Form {
    package func write(_ value: Bool, to json: inout JSONRecordWriter) { json.flag(value) }

    package func read(from json: inout JSONRecordReader) throws(CodecError) -> Bool {
        try json.flag()
    }

    package func write(_ value: Bool, to snapshot: inout SnapshotWriter) { snapshot.flag(value) }

    package func read(from snapshot: inout SnapshotReader) throws(CodecError) -> Bool {
        try snapshot.flag()
    }

    package func schema(_ definitions: inout SchemaDefinitions) -> JSONValue {
        definitions.flag()
    }
}

extension JSONRecordReader {
    /// Decimal text as a count of 10^-places units.
    fileprivate mutating func decimal(places: Int) throws(CodecError) -> Int64 {
        let start = offset
        let text = try plainText()
        do { return try RecordText.readDecimal(text, places: places) } catch {
            throw self.error(error, offset: start)
        }
    }
}

extension Form where Self == MoneyForm { static var money: MoneyForm { MoneyForm() } }
extension Form where Self == RateForm { static var rate: RateForm { RateForm() } }
extension Form where Self == TimeForm { static var time: TimeForm { TimeForm() } }
extension Form where Self == SequenceForm { static var sequence: SequenceForm { SequenceForm() } }
extension Form where Self == FlagForm { static var flag: FlagForm { FlagForm() } }

extension Form where Self == IntegerForm {
    static var integer: IntegerForm { IntegerForm(kind: .any) }
    static var count: IntegerForm { IntegerForm(kind: .count) }
    static var partsPerMillion: IntegerForm { IntegerForm(kind: .any) }
}

extension Form where Self == QuantityForm {
    static func quantity(isMoney: Bool) -> QuantityForm { QuantityForm(isMoney: isMoney) }
}

extension Form where Self == TextForm {
    static var text: TextForm { TextForm(kind: .text) }
    static var hex: TextForm { TextForm(kind: .hex) }
}
