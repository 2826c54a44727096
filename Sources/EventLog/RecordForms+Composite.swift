// Forms made of others. In JSON:
//
//   choice       the name of an enumeration's case, as text
//   record       an object
//   list         an array
//   tags         an object {key: value}, in the order that RFC 8785 demands of members (UTF-16 code
//                units), which is not the order that tags have in the domain (that of their bytes)
//   usageCounts  an object {unit: count}
//   dimension    the text of a budget's dimension: `customer`, `tag:KEY`

package import Billing
package import CanonicalJSON

package struct ChoiceForm<Choice>: Form
where Choice: RawRepresentable<String> & CaseIterable & Sendable {
    package init() {}

    package func write(_ value: Choice, to json: inout JSONRecordWriter) {
        json.string(value.rawValue)
    }

    package func read(from json: inout JSONRecordReader) throws(CodecError) -> Choice {
        let start = json.offset
        guard let value = Choice(rawValue: try json.string()) else {
            throw json.error(.unknownName, offset: start)
        }
        return value
    }

    package func write(_ value: Choice, to snapshot: inout SnapshotWriter) {
        snapshot.text(value.rawValue)
    }

    package func read(from snapshot: inout SnapshotReader) throws(CodecError) -> Choice {
        guard let value = Choice(rawValue: try snapshot.text()) else {
            throw snapshot.error(.unknownName)
        }
        return value
    }

    package func schema(_ definitions: inout SchemaDefinitions) -> JSONValue {
        definitions.choice(Choice.allCases.map(\.rawValue))
    }
}

package struct RecordForm<Value: Record>: Form {
    package init() {}

    package func write(_ value: Value, to json: inout JSONRecordWriter) { json.record(value) }

    package func read(from json: inout JSONRecordReader) throws(CodecError) -> Value {
        try json.record(Value.self)
    }

    package func write(_ value: Value, to snapshot: inout SnapshotWriter) { snapshot.record(value) }

    package func read(from snapshot: inout SnapshotReader) throws(CodecError) -> Value {
        try snapshot.record(Value.self)
    }

    package func schema(_ definitions: inout SchemaDefinitions) -> JSONValue {
        definitions.record(Value.self)
    }
}

package struct ListForm<Element: Form>: Form {
    package let element: Element

    package init(_ element: Element) { self.element = element }

    package func write(_ value: [Element.Value], to json: inout JSONRecordWriter) {
        json.beginArray()
        for index in value.indices {
            json.element()
            element.write(value[index], to: &json)
        }
        json.endArray()
    }

    package func read(from json: inout JSONRecordReader) throws(CodecError) -> [Element.Value] {
        try json.enterArray()
        var items: [Element.Value] = []
        while try json.nextElement() { items.append(try element.read(from: &json)) }
        return items
    }

    package func write(_ value: [Element.Value], to snapshot: inout SnapshotWriter) {
        snapshot.unsigned(UInt64(value.count))
        for item in value { element.write(item, to: &snapshot) }
    }

    package func read(from snapshot: inout SnapshotReader) throws(CodecError) -> [Element.Value] {
        var items: [Element.Value] = []
        for _ in 0..<(try snapshot.count()) { items.append(try element.read(from: &snapshot)) }
        return items
    }

    package func schema(_ definitions: inout SchemaDefinitions) -> JSONValue {
        definitions.list(element.schema(&definitions))
    }
}

package struct TagsForm: Form {
    package func write(_ value: [Tag], to json: inout JSONRecordWriter) {
        json.beginObject()
        for tag in inMemberOrder(value) {
            json.key(dynamic: tag.key)
            json.string(tag.value)
        }
        json.endObject()
    }

    /// The two orders differ only where a key is not ASCII.
    private func inMemberOrder(_ tags: [Tag]) -> [Tag] {
        let isASCII = tags.allSatisfy { $0.key.utf8.allSatisfy { $0 < 0x80 } }
        if isASCII { return tags }
        return tags.sorted { $0.key.utf16.lexicographicallyPrecedes($1.key.utf16) }
    }

    package func read(from json: inout JSONRecordReader) throws(CodecError) -> [Tag] {
        var tags: [Tag] = []
        var isSorted = true
        try json.enterObject()
        while true {
            let start = json.offset
            guard let key = try json.nextMember() else { break }
            let tag = Tag(key: key, value: try json.string())
            if let last = tags.last {
                // Not one twice either: which of the two values would it have?
                guard last.key.utf16.lexicographicallyPrecedes(key.utf16) else {
                    throw json.error(.notSorted, offset: start)
                }
                if tag < last { isSorted = false }
            }
            tags.append(tag)
        }
        try json.leaveObject()
        return isSorted ? tags : tags.sorted()
    }

    package func write(_ value: [Tag], to snapshot: inout SnapshotWriter) {
        snapshot.unsigned(UInt64(value.count))
        for tag in value {
            snapshot.text(tag.key)
            snapshot.text(tag.value)
        }
    }

    package func read(from snapshot: inout SnapshotReader) throws(CodecError) -> [Tag] {
        var tags: [Tag] = []
        for _ in 0..<(try snapshot.count()) {
            let key = try snapshot.text()
            tags.append(Tag(key: key, value: try snapshot.text()))
        }
        return tags
    }

    package func schema(_ definitions: inout SchemaDefinitions) -> JSONValue {
        definitions.tags()
    }
}

package struct UsageCountsForm: Form {
    static let unitNames = UsageUnit.allCases.map(\.rawValue).sorted()

    package func write(_ value: UsageCounts, to json: inout JSONRecordWriter) {
        json.beginObject()
        for line in value.lines {
            json.key(dynamic: line.unit.rawValue)
            IntegerForm(kind: .count).write(line.count, to: &json)
        }
        json.endObject()
    }

    package func read(from json: inout JSONRecordReader) throws(CodecError) -> UsageCounts {
        var lines: [UsageCounts.Line] = []
        try json.enterObject()
        while true {
            let start = json.offset
            guard let name = try json.nextMember() else { break }
            guard let unit = UsageUnit(rawValue: name) else {
                throw json.error(.unknownName, offset: start)
            }
            if let last = lines.last, last.unit >= unit {
                throw json.error(.notSorted, offset: start)
            }
            let count = try json.integer()
            guard count > 0 else { throw json.error(.outOfRange, offset: start) }
            lines.append(UsageCounts.Line(unit: unit, count: count))
        }
        try json.leaveObject()
        return UsageCounts(sortedLines: lines)
    }

    package func write(_ value: UsageCounts, to snapshot: inout SnapshotWriter) {
        snapshot.unsigned(UInt64(value.lines.count))
        for line in value.lines {
            snapshot.text(line.unit.rawValue)
            snapshot.integer(line.count)
        }
    }

    package func read(from snapshot: inout SnapshotReader) throws(CodecError) -> UsageCounts {
        var lines: [UsageCounts.Line] = []
        for _ in 0..<(try snapshot.count()) {
            guard let unit = UsageUnit(rawValue: try snapshot.text()) else {
                throw snapshot.error(.unknownName)
            }
            if let last = lines.last, last.unit >= unit { throw snapshot.error(.notSorted) }
            let count = try snapshot.integer()
            guard count > 0 else { throw snapshot.error(.outOfRange) }
            lines.append(UsageCounts.Line(unit: unit, count: count))
        }
        return UsageCounts(sortedLines: lines)
    }

    package func schema(_ definitions: inout SchemaDefinitions) -> JSONValue {
        definitions.usageCounts()
    }
}

package struct DimensionForm: Form {
    package func write(_ value: BudgetDimension, to json: inout JSONRecordWriter) {
        json.string(value.text)
    }

    package func read(from json: inout JSONRecordReader) throws(CodecError) -> BudgetDimension {
        let start = json.offset
        guard let value = BudgetDimension(text: try json.string()) else {
            throw json.error(.unknownName, offset: start)
        }
        return value
    }

    package func write(_ value: BudgetDimension, to snapshot: inout SnapshotWriter) {
        snapshot.text(value.text)
    }

    package func read(from snapshot: inout SnapshotReader) throws(CodecError) -> BudgetDimension {
        guard let value = BudgetDimension(text: try snapshot.text()) else {
            throw snapshot.error(.unknownName)
        }
        return value
    }

    package func schema(_ definitions: inout SchemaDefinitions) -> JSONValue {
        definitions.dimension()
    }
}

extension Form {
    static func choice<Choice>() -> Self where Self == ChoiceForm<Choice> { Self() }
    static func record<Value>() -> Self where Self == RecordForm<Value> { Self() }
    static func list<Element>(_ element: Element) -> Self where Self == ListForm<Element> {
        Self(element)
    }
}

extension Form where Self == TagsForm { static var tags: TagsForm { TagsForm() } }
extension Form where Self == DimensionForm {
    static var dimension: DimensionForm { DimensionForm() }
}
extension Form where Self == UsageCountsForm {
    static var usageCounts: UsageCountsForm { UsageCountsForm() }
}
