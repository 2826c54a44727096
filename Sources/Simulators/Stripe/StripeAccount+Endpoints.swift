// Where events are sent.

import CanonicalJSON

struct SimEndpoint {
    enum Form { case everything, snapshot, thin }

    var id: String
    var created: Int64
    var url: String
    var secret: String
    var form: Form
    var types: [String]

    func wants(_ type: String, isThin: Bool) -> Bool {
        switch form {
        case .everything: return true
        case .snapshot: if isThin { return false }
        case .thin: if !isThin { return false }
        }
        return types.contains("*") || types.contains(type)
    }

    /// - Parameter showsSecret: only when it is made.
    func json(showsSecret: Bool) -> JSONValue {
        var object = JSONObject([
            ("id", .string(id)), ("object", .string("webhook_endpoint")),
            ("api_version", .string("2026-10-28.endive")), ("created", seconds(created)),
            ("enabled_events", .array(types.map { .string($0) })), ("livemode", .bool(false)),
            ("metadata", .object(JSONObject())), ("status", .string("enabled")),
            ("url", .string(url)),
        ])
        if showsSecret { object.append("secret", .string(secret)) }
        return .object(object)
    }

    func destination(showsSecret: Bool) -> JSONValue {
        var endpoint = JSONObject([("url", .string(url))])
        if showsSecret { endpoint.append("signing_secret", .string(secret)) }
        return Simulators.json([
            "id": .string(id), "object": .string("v2.core.event_destination"),
            "enabled_events": .array(types.map { .string($0) }),
            "event_payload": .string("thin"), "livemode": .bool(false),
            "status": .string("enabled"), "type": .string("webhook_endpoint"),
            "webhook_endpoint": .object(endpoint),
        ])
    }
}

extension StripeAccount {
    mutating func webhookEndpoints(
        _ isPost: Bool, _ form: StripeParameters
    ) throws(StripeSimError) -> JSONValue {
        guard isPost else {
            let known = endpoints.reversed().filter { $0.form != .thin }
            return try page(
                known.map { ($0.id, $0.json(showsSecret: false)) }, "/v1/webhook_endpoints", form)
        }
        try form.allow("url", "enabled_events", "api_version", "description", "connect")
        let types = form.names.filter { $0.hasPrefix("enabled_events[") }.compactMap { form[$0] }
        guard !types.isEmpty else { throw .missing("enabled_events") }
        let endpoint = SimEndpoint(
            id: newID("we"), created: now, url: try form.required("url"),
            secret: newID("whsec_made"), form: .snapshot, types: types)
        endpoints.append(endpoint)
        return endpoint.json(showsSecret: true)
    }

    var destinations: JSONValue {
        let known = endpoints.filter { $0.form == .thin }
        return json([
            "data": .array(known.map { $0.destination(showsSecret: false) }),
            "next_page_url": .null, "previous_page_url": .null,
        ])
    }

    mutating func createDestination(_ body: [UInt8]) throws(StripeSimError) -> JSONValue {
        guard let asked = try? StrictJSON.parse(body),
            let url = asked["webhook_endpoint"]?["url"]?.text,
            asked["event_payload"]?.text == "thin"
        else { throw .invalid("Only thin events to a webhook_endpoint are simulated", nil) }
        let endpoint = SimEndpoint(
            id: newID("ed_test"), created: now, url: url, secret: newID("whsec_made"), form: .thin,
            types: (asked["enabled_events"]?.items ?? []).compactMap(\.text))
        endpoints.append(endpoint)
        return endpoint.destination(showsSecret: true)
    }
}
