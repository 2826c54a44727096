// Makes a JSON Schema of a description.

import CanonicalJSON

/// Collects the fields of one record as the properties of an object schema.
struct SchemaBuilder: RecordVisitor {
    typealias Failure = Never

    private(set) var definitions: SchemaDefinitions
    private var properties: [(String, JSONObject)] = []
    private var required: [String] = []

    init(_ definitions: SchemaDefinitions) { self.definitions = definitions }

    mutating func field<F: Form>(
        _ name: StaticString, _ form: F, _ value: inout F.Value, _ note: StaticString
    ) {
        member(name.description, form, note, isRequired: true)
    }

    mutating func field<F: Form>(
        _ name: StaticString, _ form: F, _ value: inout F.Value, omitting omitted: F.Value,
        _ note: StaticString
    ) where F.Value: Equatable {
        member(name.description, form, note, isRequired: false, default: json(omitted, form))
    }

    mutating func optional<F: Form>(
        _ name: StaticString, _ form: F, _ value: inout F.Value?, _ note: StaticString
    ) {
        member(name.description, form, note, isRequired: false)
    }

    /// The object schema of a record.
    mutating func describe<R: Record>(_ type: R.Type) -> JSONObject {
        var blank = R.blank()
        R.fields(&self, &blank)
        var schema = JSONObject()
        if R.recordNote.utf8CodeUnitCount > 0 {
            schema.append("description", .string(R.recordNote.description))
        }
        for member in objectSchema.members { schema.append(member.key, member.value) }
        return schema
    }

    var objectSchema: JSONObject {
        JSONObject([
            ("type", .string("object")),
            ("properties", .object(JSONObject(properties.map { ($0.0, .object($0.1)) }))),
            ("required", .array(required.map { .string($0) })),
            ("additionalProperties", .bool(false)),
        ])
    }

    mutating func member(_ name: String, _ schema: JSONValue, isRequired: Bool) {
        guard case .object(let object) = schema else {
            preconditionFailure("a schema here is an object")
        }
        precondition(!properties.contains { $0.0 == name }, "one property of each name")
        properties.append((name, object))
        if isRequired { required.append(name) }
    }

    private mutating func member<F: Form>(
        _ name: String, _ form: F, _ note: StaticString, isRequired: Bool,
        default omitted: JSONValue? = nil
    ) {
        guard case .object(var schema) = form.schema(&definitions) else {
            preconditionFailure("a form's schema is an object")
        }
        if note.utf8CodeUnitCount > 0 { schema.append("description", .string(note.description)) }
        if let omitted { schema.append("default", omitted) }
        member(name, .object(schema), isRequired: isRequired)
    }

    private func json<F: Form>(_ value: F.Value, _ form: F) -> JSONValue {
        var bytes: [UInt8] = []
        JSONRecordWriter.append(to: &bytes) { writer in form.write(value, to: &writer) }
        guard let json = try? StrictJSON.parse(bytes) else {
            preconditionFailure("the writer writes JSON")
        }
        return json
    }

    mutating func replace(_ name: String, _ schema: JSONObject) {
        for index in properties.indices where properties[index].0 == name {
            properties[index].1 = schema
        }
    }

    mutating func require(_ names: [String]) {
        required = properties.map(\.0).filter { required.contains($0) || names.contains($0) }
    }
}

/// The named parts of a schema, and the schemas of the forms.
package struct SchemaDefinitions {
    private var definitions: [String: JSONObject] = [:]
    private var owners: [String: ObjectIdentifier] = [:]

    init() {}

    /// In the order of their names.
    var sorted: JSONObject {
        JSONObject(definitions.sorted { $0.key < $1.key }.map { ($0.key, .object($0.value)) })
    }

    mutating func record<R: Record>(_ type: R.Type) -> JSONValue {
        let name = R.recordName.description
        if let owner = owners[name] {
            precondition(owner == ObjectIdentifier(type), "one record of each name")
        } else {
            owners[name] = ObjectIdentifier(type)
            var builder = SchemaBuilder(self)
            let schema = builder.describe(type)
            self = builder.definitions
            definitions[name] = schema
        }
        return reference(name)
    }

    mutating func money() -> JSONValue {
        named(
            "money", pattern: decimalPattern(places: 9),
            "Exact amount in major units of the ledger's currency, at most nine places.")
    }

    mutating func rate() -> JSONValue {
        named(
            "rate", pattern: decimalPattern(places: 6),
            "Exact price of a million units of usage, in major units, at most six places.")
    }

    mutating func time() -> JSONValue {
        named(
            "time",
            pattern: #"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$"#,
            "RFC 3339 in UTC, to the microsecond.")
    }

    mutating func quantity() -> JSONValue {
        let amount = money()
        definitions["quantity"] = JSONObject([
            (
                "description",
                .string("Money where the measure is charge or cost, otherwise a count.")
            ),
            ("oneOf", .array([amount, integer(.any)])),
        ])
        return reference("quantity")
    }

    func integer(_ kind: IntegerForm.Kind) -> JSONValue {
        let largest: Int64 = 1 << 53 - 1
        return .object(
            JSONObject([
                ("type", .string("integer")),
                ("minimum", .integer(kind == .count ? 0 : -largest)),
                ("maximum", .integer(largest)),
            ]))
    }

    func text(_ kind: TextForm.Kind) -> JSONValue {
        var schema = JSONObject([("type", .string("string"))])
        if kind == .hex { schema.append("pattern", .string("^([0-9a-f]{2})+$")) }
        return .object(schema)
    }

    func flag() -> JSONValue { .object(JSONObject([("type", .string("boolean"))])) }

    func choice(_ names: [String]) -> JSONValue {
        .object(JSONObject([("enum", .array(names.map { .string($0) }))]))
    }

    func dimension() -> JSONValue {
        let pattern = "^((project|plan|customer|user|run|model)$|tag:.)"
        return .object(
            JSONObject([("type", .string("string")), ("pattern", .string(pattern))]))
    }

    func list(_ element: JSONValue) -> JSONValue {
        .object(JSONObject([("type", .string("array")), ("items", element)]))
    }

    func tags() -> JSONValue {
        .object(
            JSONObject([
                ("type", .string("object")), ("additionalProperties", text(.text)),
            ]))
    }

    func usageCounts() -> JSONValue {
        .object(
            JSONObject([
                ("type", .string("object")),
                ("propertyNames", choice(UsageCountsForm.unitNames)),
                ("additionalProperties", integer(.count)),
            ]))
    }

    private mutating func named(_ name: String, pattern: String, _ note: String) -> JSONValue {
        definitions[name] = JSONObject([
            ("description", .string(note)), ("type", .string("string")),
            ("pattern", .string(pattern)),
        ])
        return reference(name)
    }

    private func reference(_ name: String) -> JSONValue {
        .object(JSONObject([("$ref", .string("#/$defs/\(name)"))]))
    }

    /// The shortest text that says it exactly, and none other.
    private func decimalPattern(places: Int) -> String {
        let fraction = #"\.[0-9]{0,\#(places - 1)}[1-9]"#
        return #"^(0|-?(0\#(fraction)|[1-9][0-9]*(\#(fraction))?))$"#
    }
}
