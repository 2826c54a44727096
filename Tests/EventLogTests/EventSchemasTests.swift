import CanonicalJSON
import EventLog
import Testing

/// `schemas/events/` is made from the codec's descriptions. FAREGATE_UPDATE_SCHEMAS=1 rewrites it.
@Suite struct EventSchemasTests {
    private static let folder = "schemas/events"

    // The committed schemas are those of this program.
    @Test func committedSchemasAreCurrent() throws {
        let schemas = EventSchemas.all()
        for (fileName, schema) in schemas {
            let path = "\(Self.folder)/\(fileName)"
            let text = CanonicalJSON.pretty(schema) + "\n"
            if RepositoryFile.isSet("FAREGATE_UPDATE_SCHEMAS") {
                try RepositoryFile.write(Array(text.utf8), to: path)
            }
            let file = try #require(RepositoryFile.read(path), "no \(path)")
            #expect(String(decoding: file, as: UTF8.self) == text, "\(path) is out of date")
        }
        #expect(RepositoryFile.names(in: Self.folder) == schemas.map(\.fileName).sorted())
    }

    // Every property of a schema comes in the order of its name, the order of the canonical form.
    @Test func propertiesAreInCanonicalOrder() {
        for (fileName, schema) in EventSchemas.all() {
            forEachObjectSchema(in: schema) { properties in
                let names = properties.members.map(\.key)
                #expect(names == names.sorted(), "\(fileName)")
            }
        }
    }

    // Every type and every definition that is not plain from its name says what it is.
    @Test func schemasSayWhatTheyAre() throws {
        for (fileName, schema) in EventSchemas.all() {
            guard case .object(let object) = schema else {
                Issue.record("\(fileName) is no object")
                continue
            }
            for key in ["$schema", "$id", "title", "description"] {
                guard case .string(let text)? = object[key], !text.isEmpty else {
                    Issue.record("\(fileName) has no \(key)")
                    continue
                }
            }
            #expect(object["additionalProperties"] == .bool(false))
        }
    }

    private func forEachObjectSchema(in value: JSONValue, _ body: (JSONObject) -> Void) {
        switch value {
        case .object(let object):
            if case .object(let properties)? = object["properties"] { body(properties) }
            for member in object.members { forEachObjectSchema(in: member.value, body) }
        case .array(let elements):
            for element in elements { forEachObjectSchema(in: element, body) }
        default: break
        }
    }
}
