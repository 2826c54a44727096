// How values look in answers: the forms of schemas/openapi.yaml. Members are written in the order
// of their names (the writer checks that in debug builds), so that an answer, made again from its
// event, has the same bytes.

import Billing
import CanonicalJSON
import Money
import TimeZones

extension JSONWriter {
    // MARK: Members

    mutating func member(_ name: StaticString, _ text: String) {
        key(name)
        string(text)
    }

    mutating func member(_ name: StaticString, ifPresent text: String?) {
        if let text { member(name, text) }
    }

    mutating func member(_ name: StaticString, _ amount: Money) {
        key(name)
        plainString { bytes in amount.appendDecimalText(to: &bytes) }
    }

    mutating func member(_ name: StaticString, ifPresent amount: Money?) {
        if let amount { member(name, amount) }
    }

    mutating func member(_ name: StaticString, _ time: Instant) {
        key(name)
        plainString { bytes in RFC3339.write(microseconds: time.microseconds, into: &bytes) }
    }

    mutating func member(_ name: StaticString, ifPresent time: Instant?) {
        if let time { member(name, time) }
    }

    mutating func member(_ name: StaticString, _ number: Int64) {
        key(name)
        integer(number)
    }

    mutating func member(_ name: StaticString, _ number: Int) { member(name, Int64(number)) }

    mutating func member(_ name: StaticString, ifPresent number: Int64?) {
        if let number { member(name, number) }
    }

    mutating func member(_ name: StaticString, _ sequence: UInt64) {
        member(name, Int64(truncatingIfNeeded: sequence))
    }

    mutating func member(_ name: StaticString, ifPresent sequence: UInt64?) {
        if let sequence { member(name, sequence) }
    }

    mutating func member(_ name: StaticString, _ flag: Bool) {
        key(name)
        bool(flag)
    }

    mutating func member(_ name: StaticString, _ texts: [String]) {
        key(name)
        beginArray()
        for text in texts { string(text) }
        endArray()
    }

    /// Money for `charge` and `cost`, else a count.
    mutating func member(_ name: StaticString, _ quantity: Int64, _ measure: BudgetMeasure) {
        if measure.isMoney {
            member(name, Money(nanos: quantity))
        } else {
            member(name, quantity)
        }
    }

    mutating func member(
        _ name: StaticString, ifPresent quantity: Int64?, _ measure: BudgetMeasure
    ) {
        if let quantity { member(name, quantity, measure) }
    }

    mutating func member(_ name: StaticString, _ tags: [Tag]) {
        key(name)
        beginObject()
        for tag in tags.inMemberOrder {
            key(dynamic: tag.key)
            string(tag.value)
        }
        endObject()
    }

    mutating func member<Choice: RawRepresentable<String>>(
        _ name: StaticString, _ choice: Choice
    ) {
        key(name)
        string(choice.rawValue)
    }

    /// An object under `name`.
    mutating func object(_ name: StaticString, _ body: (inout JSONWriter) -> Void) {
        key(name)
        object(body)
    }

    mutating func object(_ body: (inout JSONWriter) -> Void) {
        beginObject()
        body(&self)
        endObject()
    }

    mutating func list<Element>(
        _ name: StaticString, _ elements: some Sequence<Element>,
        _ body: (inout JSONWriter, Element) -> Void
    ) {
        key(name)
        beginArray()
        for element in elements { body(&self, element) }
        endArray()
    }

    /// The bytes of one object.
    static func document(
        reservingCapacity capacity: Int = 512, _ body: (inout JSONWriter) -> Void
    ) -> [UInt8] {
        var json = JSONWriter(reservingCapacity: capacity)
        json.object(body)
        return json.bytes
    }
}

extension [Tag] {
    /// In the order of their keys' UTF-16 code units, which JSON's members have here. It differs
    /// from the order that tags are kept in only where a key is not ASCII.
    fileprivate var inMemberOrder: [Tag] {
        let isASCII = allSatisfy { $0.key.utf8.allSatisfy { $0 < 0x80 } }
        if isASCII { return self }
        return sorted { $0.key.utf16.lexicographicallyPrecedes($1.key.utf16) }
    }
}
