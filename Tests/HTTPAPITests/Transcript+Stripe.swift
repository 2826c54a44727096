import HTTPAPI
import Simulators
import StripeAPI
import StripeSimulation
import StripeSync
import Synchronization

extension Transcript {
    /// What passes between the ledger and Stripe, with everything that Stripe refuses.
    mutating func stripe() async {
        await webhooksOfStripe()
        await ask("GET", "/v1/stripe/status")
        await ask("POST", "/v1/stripe/reconcile")
        await ask("POST", "/v1/stripe/reconcile", "{}")
        _ = try? await fixture.api.stripe?.turn()
        await ask("GET", "/v1/stripe/status")
        await ask("POST", "/v1/stripe/replay")
        await ask("POST", "/v1/stripe/replay", #"{"since":"2020-01-01T00:00:00Z"}"#)
        await ask("POST", "/v1/stripe/replay", #"{"since":"yesterday"}"#)
        await ask("POST", "/v1/stripe/replay", #"{"after":"evt_unknown"}"#)
        let target = "/v1/customers/buyer/stripe"
        await ask("GET", target)
        await ask("GET", "/v1/customers/nobody/stripe")
        let order = #"{"amount":"50","credit":"55","name":"Credit","success_url":"https://a.test"}"#
        await ask("POST", target + "/checkout", order, key: "order-1")
        await ask("POST", "/v1/customers/nobody/stripe/checkout", order)
        await ask("POST", target + "/checkout", #"{"amount":"0.001","success_url":"https://a.b"}"#)
        await ask("POST", target + "/checkout", #"{"amount":"1","success_url":"ftp://a"}"#)
        await ask("POST", target + "/portal", #"{"return_url":"https://a.test"}"#)
        await ask("POST", "/v1/customers", #"{"id":"unlinked"}"#)
        await ask("POST", "/v1/customers/unlinked/stripe/checkout", order)
        await ask("POST", "/v1/customers/unlinked/link", #"{"stripe_customer":"cus_unknown"}"#)
        await ask(
            "POST", "/v1/customers/unlinked/stripe/portal", #"{"return_url":"https://a.test"}"#)
        fixture.stripe?.isDown.store(true, ordering: .relaxed)
        await ask("POST", target + "/portal", #"{"return_url":"https://a.test"}"#)
        fixture.stripe?.isDown.store(false, ordering: .relaxed)
    }

    private mutating func webhooksOfStripe() async {
        guard let client = fixture.stripe?.client() else { return }
        var form = FormBody()
        form.add("metadata[faregate_customer]", "buyer")
        _ = try? await client.perform(.post("/v1/customers", form, idempotencyKey: nil))
        let customer = fixture.stripe?.account.withLock { $0.eventDocuments.last } ?? []
        let body = String(decoding: customer, as: UTF8.self)
        await hook(body)
        await hook(body)
        await hook(#"{"object":"event","id":"evt_1"}"#)
        await ask("POST", "/webhooks/stripe", body, signature: "t=1,v1=00")
        await ask("POST", "/webhooks/stripe", body)
        // The meter has to be there before anything follows.
        _ = try? await client.perform(
            StripeMeter.create(eventName: "faregate_usage", displayName: "Usage"))
        for _ in 0..<3 { _ = try? await fixture.api.stripe?.turn() }
    }

    private mutating func hook(_ body: String) async {
        await ask(
            "POST", "/webhooks/stripe", body,
            signature: fixture.stripeSignature(body))
    }
}
