import Billing
import CanonicalJSON
import FaregateTestSupport
import HTTPAPI
import Simulators
import StripeAPI
import StripeSimulation
import StripeSync
import Synchronization
import Testing

/// Stripe's side of the API.
@Suite struct StripeTests {
    private func event(_ id: String, isLive: Bool = false) -> String {
        #"{"object":"event","id":"\#(id)","type":"plan.created","created":1795332300,"#
            + #""livemode":\#(isLive),"data":{"object":{"id":"plan_1"}}}"#
    }

    private func received(_ fixture: APIFixture) async -> Int {
        let page = await fixture.get("/v1/events?type=stripe.webhook_received")
        return page["data"]?.elements.count ?? -1
    }

    // A webhook is on the log when it is answered 2xx, and one that comes again changes nothing.
    @Test func webhookOnce() async throws {
        let fixture = try await APIFixture(hasStripe: true)
        let body = event("evt_a")
        for wanted in ["recorded", "known", "known"] {
            let answer = await fixture.ask(
                "POST", "/webhooks/stripe", body, secret: "no key at all",
                signature: fixture.stripeSignature(body))
            #expect(answer.status == 200)
            #expect(answer["result"] == .string(wanted))
        }
        #expect(await received(fixture) == 1)
    }

    // What Stripe did not sign leaves nothing behind, and says which header is wrong.
    @Test func refusesForgeries() async throws {
        let fixture = try await APIFixture(hasStripe: true)
        let body = event("evt_a")
        let old = WebhookVerifier.header(
            secret: APIFixture.stripeSecret, body: Array(body.utf8), seconds: 1_795_332_300)
        let signatures = [
            nil, "", "t=1", "v1=00", old, fixture.stripeSignature(body, secret: "whsec_other"),
            fixture.stripeSignature(body + " "),
        ]
        for signature in signatures {
            let answer = await fixture.ask(
                "POST", "/webhooks/stripe", body, signature: signature)
            #expect(answer.status == 400)
            #expect(answer["error.code"] == .string("invalid_signature"))
            #expect(answer["error.param"] == .string("Stripe-Signature"))
        }
        let notAnEvent = #"{"object":"charge"}"#
        let answer = await fixture.ask(
            "POST", "/webhooks/stripe", notAnEvent, signature: fixture.stripeSignature(notAnEvent))
        #expect(answer["error.code"] == .string("malformed_webhook"))
        #expect(await received(fixture) == 0)
    }

    // Events of the other mode are taken, so that Stripe does not send them again, and not kept.
    @Test func foreignMode() async throws {
        let fixture = try await APIFixture(hasStripe: true)
        let body = event("evt_a", isLive: true)
        let answer = await fixture.ask(
            "POST", "/webhooks/stripe", body, signature: fixture.stripeSignature(body))
        #expect(answer.status == 200)
        #expect(answer["result"] == .string("foreign"))
        #expect(await received(fixture) == 0)
    }

    // A stranger's body is bounded more tightly than a caller's.
    @Test func largeBody() async throws {
        let fixture = try await APIFixture(hasStripe: true)
        let body = String(repeating: " ", count: 1 << 20) + event("evt_a")
        let answer = await fixture.ask(
            "POST", "/webhooks/stripe", body, signature: fixture.stripeSignature(body))
        #expect(answer.status == 413)
    }

    // Without a key for Stripe every route of it says so.
    @Test func notConfigured() async throws {
        let fixture = try await APIFixture()
        for (method, target) in [
            ("GET", "/v1/stripe/status"), ("POST", "/v1/stripe/reconcile"),
            ("POST", "/v1/stripe/replay"), ("GET", "/v1/customers/a/stripe"),
        ] {
            let answer = await fixture.ask(method, target)
            #expect(answer.status == 404)
            #expect(answer["error.code"] == .string("stripe_not_configured"))
        }
        let body = event("evt_a")
        let answer = await fixture.ask(
            "POST", "/webhooks/stripe", body, signature: fixture.stripeSignature(body))
        #expect(answer["error.code"] == .string("stripe_not_configured"))
    }

    // Credit that is bought on Stripe's page is granted once, with what was agreed.
    @Test func topUp() async throws {
        let fixture = try await APIFixture(hasStripe: true)
        let stripe = try #require(fixture.stripe)
        let client = stripe.client()
        stripe.account.withLock { $0.addEndpoint(url: "x", secret: APIFixture.stripeSecret) }
        _ = try await client.perform(
            StripeMeter.create(eventName: "faregate_usage", displayName: "Usage"))
        let customer = try await client.perform(
            .post("/v1/customers", FormBody(), idempotencyKey: nil))
        let id = try #require(customer.body.objectID)
        _ = await fixture.post("/v1/customers", #"{"id":"acme"}"#)
        _ = await fixture.post("/v1/customers/acme/link", #"{"stripe_customer":"\#(id)"}"#)
        let order = #"{"amount":"50","credit":"55.5","success_url":"https://a.test"}"#
        var sessions: Set<String> = []
        for _ in 0..<2 {
            let page = await fixture.post(
                "/v1/customers/acme/stripe/checkout", order, key: "order-1")
            #expect(page.status == 201)
            sessions.insert(page["id"]?.stringValue ?? "")
        }
        #expect(sessions.count == 1)
        let session = try #require(sessions.first)
        let isPaid = stripe.account.withLock { $0.paySession(session) }
        #expect(isPaid)
        let sync = try #require(fixture.api.stripe)
        for _ in 0..<2 {
            for body in stripe.account.withLock({ $0.eventDocuments }) {
                let text = String(decoding: body, as: UTF8.self)
                let answer = await fixture.ask(
                    "POST", "/webhooks/stripe", text, signature: fixture.stripeSignature(text))
                #expect(answer.status == 200)
            }
            for _ in 0..<3 { try await sync.turn() }
        }
        let credits = await fixture.get("/v1/customers/acme/credits")
        #expect(credits["data"]?.elements.count == 1)
        #expect(credits["data[0].amount"] == .string("55.5"))
        #expect(credits["data[0].source"] == .string("stripe_checkout"))
    }

    // The figures of the status are those of the ledger, wherever the usage is.
    @Test func statusAddsUp() async throws {
        let fixture = try await APIFixture(hasStripe: true)
        _ = await fixture.post(
            "/v1/customers", #"{"id":"acme","terms":{"funding":"postpaid"}}"#)
        _ = await fixture.post(
            "/v1/usage", #"{"id":"u","customer":"acme","model":"m","amount":"1.25"}"#)
        let status = await fixture.get("/v1/stripe/status")
        #expect(status["billable"] == .string("1.25"))
        #expect(status["unsubscribed"] == .string("1.25"))
        #expect(status["pushed"] == .string("0"))
        let standing = await fixture.get("/v1/customers/acme/stripe")
        #expect(standing["carried"] == .string("1.25"))
        #expect(standing["stripe_customer"] == nil)
    }
}
