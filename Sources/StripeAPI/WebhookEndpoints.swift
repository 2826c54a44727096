// Where Stripe sends its events. Snapshots go to v1 endpoints; the reports on meter events that
// could not be used are thin events, which only v2 destinations get. Source: Stripe's API
// reference, "Webhook endpoints", "Event destinations".

package import CanonicalJSON

package struct WebhookEndpoint: Sendable, Equatable {
    package var id: String
    package var url: String
    package var isEnabled: Bool
    package var types: [String]
    /// Only in the answer to its making.
    package var secret: String?

    package init?(_ object: JSONValue) {
        guard let id = object.member("id")?.stringValue else { return nil }
        let destination = object.member("webhook_endpoint")
        guard
            let url = object.member("url")?.stringValue ?? destination?.member("url")?.stringValue
        else { return nil }
        self.id = id
        self.url = url
        isEnabled = object.member("status")?.stringValue == "enabled"
        types = (object.member("enabled_events")?.elements ?? []).compactMap(\.stringValue)
        secret =
            object.member("secret")?.stringValue
            ?? destination?.member("signing_secret")?.stringValue
    }

    /// What something follows from here.
    package static let snapshotTypes = [
        "billing.meter.deactivated", "charge.dispute.closed", "charge.dispute.created",
        "charge.dispute.updated", "charge.refunded", "checkout.session.async_payment_succeeded",
        "checkout.session.completed", "customer.created", "customer.deleted",
        "customer.subscription.created", "customer.subscription.deleted",
        "customer.subscription.paused", "customer.subscription.resumed",
        "customer.subscription.updated", "customer.updated", "invoice.created",
        "invoice.finalized", "invoice.paid", "invoice.payment_failed",
    ]

    package static let thinTypes = [
        "v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found",
    ]
}

extension StripeCalls {
    package static let webhookEndpoints = StripeCall.get("/v1/webhook_endpoints")

    /// - Parameter idempotencyKey: the answer has the secret; asked again, it is the same.
    package static func createWebhookEndpoint(url: String, idempotencyKey: String) -> StripeCall {
        var form = FormBody()
        form.add("api_version", StripeClient.apiVersion)
        form.add("description", "Faregate")
        form.add("enabled_events", WebhookEndpoint.snapshotTypes)
        form.add("url", url)
        return .post("/v1/webhook_endpoints", form, idempotencyKey: idempotencyKey)
    }

    package static let eventDestinations = StripeCall(
        .get, "/v2/core/event_destinations",
        query: "include[0]=webhook_endpoint.url&limit=100")

    package static func createEventDestination(
        url: String, idempotencyKey: String
    ) -> StripeCall {
        func texts(_ list: [String]) -> JSONValue { .array(list.map { .string($0) }) }
        let body = JSONObject([
            ("enabled_events", texts(WebhookEndpoint.thinTypes)),
            ("event_payload", .string("thin")),
            ("include", texts(["webhook_endpoint.signing_secret", "webhook_endpoint.url"])),
            ("name", .string("Faregate: meter reports")),
            ("type", .string("webhook_endpoint")),
            ("webhook_endpoint", .object(JSONObject([("url", .string(url))]))),
        ])
        // Everything in it is writable.
        let bytes = (try? CanonicalJSON.encode(.object(body))) ?? []
        return StripeCall(
            .post, "/v2/core/event_destinations", contentType: StripeCall.Content.json.rawValue,
            body: bytes, idempotencyKey: idempotencyKey)
    }
}
