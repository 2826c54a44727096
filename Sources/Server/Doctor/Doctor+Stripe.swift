import CurlTransport
import StripeAPI
import StripeSync

extension Doctor {
    /// Nil: nothing goes to Stripe.
    func stripe() -> DoctorCheck? {
        guard let stripe = configuration.stripe else { return nil }
        let what =
            "\(stripe.key) for \(stripe.endpoint.api), meter \(stripe.settings.meter); "
            + CurlVersion.text
        if !CurlVersion.hasTLS {
            return .fail(
                "stripe", what + ", which has no TLS", "use the libcurl of your distribution")
        }
        if stripe.isPlainLoopback {
            return .warn(
                "stripe", what + ": a simulator", "unset stripe_api_url to speak to Stripe")
        }
        if stripe.gate == nil {
            return .warn(
                "stripe",
                what + ": its webhooks are not taken, so payments, top-ups and"
                    + " subscriptions are not heard of",
                "set stripe_webhook_secrets; faregate stripe setup --webhook-url makes them")
        }
        return .ok("stripe", what)
    }
}
