import CanonicalJSON
import Foundation
import StripeAPI
import Testing

/// Our calls beside those of Stripe's own Python SDK, which `make_golden.py` took down.
@Suite struct GoldenCallTests {
    private static let webhook = "https://faregate.example.com/webhooks/stripe"
    private static let credit = ["faregate_credit": "paid", "faregate_customer": "a b+c/d"]

    static let calls: [(name: String, call: StripeCall)] = [
        (
            "meter_event",
            MeterEventBody(
                eventName: "faregate_usage", stripeCustomer: "cus_1", value: -2_500,
                identifier: "key-1", timestampSeconds: 1_795_332_300
            ).call(identifier: "key-1")
        ),
        (
            "create_meter",
            StripeMeter.create(eventName: "faregate_usage", displayName: "LLM usage & more")
        ),
        ("meters", StripeMeter.list),
        (
            "summaries",
            MeterSummaries.total(
                meter: "mtr_1", stripeCustomer: "cus_1", startSeconds: 1_795_332_000,
                endSeconds: 1_795_335_600)
        ),
        ("customer", StripeCalls.customer("cus_1")),
        ("subscriptions", StripeCalls.subscriptions(ofCustomer: "cus_1")),
        ("subscription", StripeCalls.subscription("sub_1")),
        ("invoice", StripeCalls.invoice("in_1")),
        ("invoice_lines", StripeCalls.lines(ofInvoice: "in_1")),
        ("invoices", StripeCalls.invoices(ofCustomer: "cus_1", subscription: "sub_1")),
        ("events", StripeCalls.events(since: 1_795_332_300)),
        ("thin_event", StripeCalls.thinEvent("evt_1")),
        ("product", StripeCalls.product("faregate_usage")),
        (
            "create_product",
            StripeCalls.createProduct(id: "faregate_usage", name: "Usage [ä] 100%")
        ),
        ("prices", StripeCalls.prices(lookupKey: "faregate_usage_usd_month")),
        (
            "create_price",
            StripeCalls.createPrice(
                product: "faregate_usage", meter: "mtr_1", currency: "usd",
                unitAmountDecimal: "0.0001", interval: "month",
                lookupKey: "faregate_usage_usd_month")
        ),
        (
            "create_checkout",
            StripeCalls.createCheckout(
                stripeCustomer: "cus_1", amountMinorUnits: 5_000, currency: "usd", name: "Credit",
                successURL: "https://example.com/yes?session={CHECKOUT_SESSION_ID}",
                cancelURL: "https://example.com/no", metadata: credit, idempotencyKey: "key-1")
        ),
        (
            "create_portal",
            StripeCalls.createPortal(
                stripeCustomer: "cus_1", returnURL: "https://example.com/account")
        ),
        ("dispute", StripeCalls.dispute("du_1")),
        (
            "stage_evidence",
            StripeCalls.stageEvidence(
                dispute: "du_1", activityLog: "2026-11-24: 14 calls\n2026-11-25: 3 calls",
                idempotencyKey: "key-1")
        ),
        ("webhook_endpoints", StripeCalls.webhookEndpoints),
        (
            "create_webhook_endpoint",
            StripeCalls.createWebhookEndpoint(url: webhook, idempotencyKey: "key-1")
        ),
        ("event_destinations", StripeCalls.eventDestinations),
        (
            "create_event_destination",
            StripeCalls.createEventDestination(url: webhook, idempotencyKey: "key-1")
        ),
    ]

    private static func golden() throws -> [JSONValue] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "fixtures/stripe/golden-calls.json")
        let document = try StrictJSON.parse(Array(try Data(contentsOf: file)))
        return document.member("calls")?.elements ?? []
    }

    /// In a query the SDK escapes brackets of names too, which means the same.
    private static func query(_ text: String) -> String {
        text.replacing("%5B", with: "[").replacing("%5D", with: "]")
    }

    // What we send is what Stripe's SDK sends for the same parameters, byte for byte in forms.
    @Test func callsAreTheSDKs() throws {
        let golden = try Self.golden()
        #expect(golden.map { $0.member("name")?.stringValue ?? "" } == Self.calls.map(\.name))
        for (wanted, (name, call)) in zip(golden, Self.calls) {
            let comment = Comment(rawValue: name)
            #expect(call.method.rawValue == wanted.member("method")?.stringValue, comment)
            #expect(call.path == wanted.member("path")?.stringValue, comment)
            #expect(
                Self.query(call.query) == Self.query(wanted.member("query")?.stringValue ?? ""),
                comment)
            #expect(call.contentType == wanted.member("content_type")?.stringValue, comment)
            let body = wanted.member("body")?.stringValue ?? ""
            if call.contentType == StripeCall.Content.json.rawValue {
                let (ours, theirs) = (call.body, Array(body.utf8))
                #expect(try StrictJSON.parse(ours) == StrictJSON.parse(theirs), comment)
            } else {
                #expect(String(decoding: call.body, as: UTF8.self) == body, comment)
            }
            if let key = call.idempotencyKey {
                #expect(key == wanted.member("idempotency_key")?.stringValue, comment)
            }
        }
    }
}
