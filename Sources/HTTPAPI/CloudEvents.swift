// CloudEvents 1.0 that carry usage (JSON format; binary mode of the HTTP binding):
//
//   specversion "1.0", type "faregate.usage", source, id: the usage's id is source|id, because only
//               both together are unique, and no URI reference has a vertical bar
//   data        the usage, as the plain body has it but for the id
//   subject     the customer, where the data names none
//   time        when it happened, where the data does not say
//   datacontenttype  application/json or absent
//
// Other attributes (extensions) are let through and not looked at, nor do they belong to what a
// repeated event must repeat.

import Billing
package import CanonicalJSON
import TimeZones

package struct CloudEvent {
    package var usageID: String
    var usage: UsageInput
    /// What a repeated event must repeat.
    package var identity: JSONObject

    static let type = "faregate.usage"

    /// An event in structured mode.
    package init(_ value: JSONValue, path: String) throws(FieldError) {
        var fields = try JSONFields(value, path: path)
        guard try fields.string("specversion") == "1.0" else {
            throw fields.error(.invalid, "specversion", "must be \"1.0\"")
        }
        if let type = try fields.optionalString("datacontenttype"), type != "application/json" {
            throw fields.error(.invalid, "datacontenttype", "must be \"application/json\"")
        }
        if fields.has("data_base64") {
            throw fields.error(.invalid, "data_base64", "is not taken: data must be JSON")
        }
        for (name, value) in fields.object.members where !Self.known.contains(name) {
            guard name.isAttributeName else {
                throw fields.error(.unknownField, name, Self.badName)
            }
            if case .array = value {
                throw fields.error(.wrongType, name, "must not be an array")
            }
        }
        let data = try fields.object("data")
        try self.init(&fields, data)
    }

    private static let badName =
        "is no CloudEvents attribute: those are lower-case letters and digits"
    private static let known: Set<String> = [
        "specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema",
        "data", "data_base64",
    ]

    private init(_ fields: inout JSONFields, _ data: JSONFields) throws(FieldError) {
        guard try fields.string("type") == Self.type else {
            throw fields.error(.invalid, "type", "must be \"\(Self.type)\"")
        }
        let id = try fields.id("id")
        let source = try fields.id("source")
        if source.utf8.contains(where: { $0 == UInt8(ascii: "|") || $0 == UInt8(ascii: " ") }) {
            throw fields.error(.invalid, "source", "must be a URI reference")
        }
        usageID = source + "|" + id
        guard usageID.utf8.count <= 256 else {
            throw fields.error(.outOfRange, "id", "and source must have at most 255 bytes together")
        }
        _ = try fields.optionalText("dataschema", maxBytes: 1_024)
        let subject = try fields.optionalID("subject")
        let time = try fields.optionalTime("time")
        var data = data
        usage = try UsageInput(&data, customer: subject)
        if usage.call.occurredAt == nil { usage.call.occurredAt = time }

        identity = JSONObject([("data", .object(data.object))])
        for name in ["id", "source", "subject", "time"] {
            if let value = fields.object[name] { identity.append(name, value) }
        }
    }

    /// An event in binary mode: attributes in headers, the data as the body.
    ///
    /// - Parameter headers: names without `ce-`, in lower case; values percent-encoded.
    package init(
        headers: [(name: String, value: String)], data: JSONValue
    ) throws(APIError) {
        var attributes = JSONObject()
        for (name, value) in headers {
            guard let text = percentDecoded(Substring(value).utf8) else {
                throw .malformed(
                    "invalid_header", "ce-\(name) is not well-formed.", param: "ce-\(name)")
            }
            if attributes[name] != nil {
                throw .malformed(
                    "invalid_header", "ce-\(name) is there twice.", param: "ce-\(name)")
            }
            attributes.append(name, .string(text))
        }
        attributes.append("data", data)
        self = try reading { () throws(FieldError) in
            try CloudEvent(.object(attributes), path: "")
        }
    }
}

extension String {
    fileprivate var isAttributeName: Bool {
        (1...64).contains(utf8.count)
            && utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
            }
    }
}
