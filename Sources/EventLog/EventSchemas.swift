// JSON Schemas (2020-12) of stored events, made from the same descriptions as the codec: one for
// each type and version, of the whole envelope, each complete in itself.
//
// They say exactly what this program writes: no members beyond those named. Readers must be wider
// and step over members that they do not know, because events of the same version may get more of
// them.

import Billing
package import CanonicalJSON

package enum EventSchemas {
    /// The schemas of all types, in the order of `EventCatalog.entries`.
    package static func all() -> [(fileName: String, schema: JSONValue)] {
        EventCatalog.entries.map { entry in
            let version = Upcasters.current.currentVersion(of: entry.type)
            return ("\(entry.type).v\(version).json", schema(entry, version: version))
        }
    }

    private static func schema(_ entry: EventCatalog.Entry, version: Int64) -> JSONValue {
        var source = PayloadSchema()
        let known = EventCatalog.event(entry.type, from: &source)
        precondition(known != nil, "the catalogue's types have payloads")

        var visitor = SchemaBuilder(source.definitions)
        var envelope = EventEnvelope()
        envelope.fieldsBeforeData(&visitor)
        visitor.member("data", source.schema, isRequired: true)
        envelope.fieldsAfterData(&visitor)
        visitor.replace("type", JSONObject([("const", .string(entry.type))]))
        visitor.replace("v", JSONObject([("const", .integer(version))]))
        visitor.require(entry.owner.members)

        var schema = JSONObject([
            ("$schema", .string("https://json-schema.org/draft/2020-12/schema")),
            ("$id", .string("urn:faregate:event:\(entry.type):v\(version)")),
            ("title", .string("\(entry.type) (version \(version))")),
            ("description", .string(entry.note)),
        ])
        for member in visitor.objectSchema.members { schema.append(member.key, member.value) }
        schema.append("$defs", .object(visitor.definitions.sorted))
        return .object(schema)
    }
}

extension EventCatalog.Owner {
    /// Members of the envelope that are there in addition to those of every event.
    fileprivate var members: [String] {
        switch self {
        case .ledger: []
        case .project: ["project"]
        case .customer: ["project", "customer"]
        case .reservation: ["project", "customer", "reservation"]
        }
    }
}

/// Describes the payload that it is asked for.
private struct PayloadSchema: PayloadSource {
    typealias Failure = Never

    var definitions = SchemaDefinitions()
    var schema = JSONValue.null

    mutating func payload<Payload: Record>() -> Payload {
        var visitor = SchemaBuilder(definitions)
        schema = .object(visitor.describe(Payload.self))
        definitions = visitor.definitions
        return Payload.blank()
    }
}
