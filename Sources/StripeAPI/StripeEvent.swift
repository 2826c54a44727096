// Stripe's events, as webhooks bring them and as its lists hold them. Two forms:
//
//   snapshot  {"object":"event","id":"evt_…","type":"invoice.paid","created":1795332300,
//              "data":{"object":{…},"previous_attributes":{…}},"livemode":false,…}
//   thin
//   {"object":"v2.core.event","id":"evt_…","type":"v1.billing.meter.error_report_triggered",
//              "created":"2026-11-22T07:00:00.000Z","related_object":{…},…}; its data are fetched

package import CanonicalJSON
import TimeZones

package struct StripeEvent: Sendable {
    package var id: String
    package var type: String
    /// Microseconds since 1970 UTC.
    package var createdMicroseconds: Int64
    package var isLive: Bool
    package var account: String?
    package var apiVersion: String?
    package var isThin: Bool
    /// The object that it is about; of a thin one its data, when fetched.
    package var object: JSONValue
    package var previous: JSONValue
    /// Of a thin one.
    package var relatedObject: JSONValue

    /// What is wrong with a body; names the field.
    package struct Fault: Error, Sendable, Equatable, CustomStringConvertible {
        package var description: String

        init(_ description: String) { self.description = description }
    }

    /// Deep enough for Stripe's own objects.
    private static let limits = JSONLimits(maxBytes: 4 << 20, maxDepth: 64, maxNodes: 200_000)

    package init(body: [UInt8]) throws(Fault) {
        let document: JSONValue
        do throws(JSONError) {
            document = try StrictJSON.parse(body, limits: Self.limits)
        } catch {
            throw Fault("the body is not JSON: \(error)")
        }
        try self.init(document)
    }

    package init(_ document: JSONValue) throws(Fault) {
        guard case .object = document else { throw Fault("the body is not an object") }
        let form = document.member("object")?.stringValue
        switch form {
        case "event": isThin = false
        case "v2.core.event": isThin = true
        default: throw Fault("'object' is neither 'event' nor 'v2.core.event'")
        }
        guard let id = document.member("id")?.stringValue, (1...255).contains(id.utf8.count) else {
            throw Fault("'id' is missing or not a text of at most 255 bytes")
        }
        guard let type = document.member("type")?.stringValue, (1...200).contains(type.utf8.count)
        else { throw Fault("'type' is missing or not a text of at most 200 bytes") }
        self.id = id
        self.type = type
        switch document.member("created") {
        case .integer(let seconds) where (0...253_402_300_799).contains(seconds):
            createdMicroseconds = seconds * 1_000_000
        case .string(let text):
            guard let time = try? RFC3339.parse(text) else {
                throw Fault("'created' is not an RFC 3339 time")
            }
            createdMicroseconds = time
        default: throw Fault("'created' is not a time")
        }
        isLive = document.member("livemode")?.boolValue ?? false
        account = document.member("account")?.stringValue ?? document.member("context")?.stringValue
        apiVersion = document.member("api_version")?.stringValue
        let data = document.member("data")
        if isThin {
            object = data ?? .null
        } else {
            guard let snapshot = data?.member("object") else {
                throw Fault("'data.object' is missing")
            }
            object = snapshot
        }
        previous = data?.member("previous_attributes") ?? .null
        relatedObject = document.member("related_object") ?? .null
    }
}
