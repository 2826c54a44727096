// What the settings about Stripe say, checked.

import CurlTransport
import Money
package import StripeAPI
package import StripeSync

package struct StripeConfiguration: Sendable {
    package var key: StripeKey
    package var endpoint: StripeEndpoint
    /// Empty: no webhooks are taken.
    var webhookSecrets: [String]
    var toleranceSeconds: Int64
    /// Without the currency, which is the ledger's.
    package var settings: StripeSettings

    /// Nil: there is no key.
    init?(_ reader: inout SettingReader) throws(ConfigurationError) {
        let keyText = try reader.optionalText(.stripeKey) {
            StripeKey($0) == nil ? "must be a secret or restricted key, sk_… or rk_…" : nil
        }
        let secrets = try reader.optionalText(.stripeWebhookSecrets, Self.fault(inSecrets:))
        webhookSecrets = secrets.map { $0.split(separator: ",").map { String($0) } } ?? []
        toleranceSeconds = Int64(try reader.integer(.stripeWebhookTolerance))
        endpoint = StripeEndpoint()
        endpoint.account = try reader.optionalText(.stripeAccount) {
            $0.hasPrefix("acct_") && Self.isPlain($0) ? nil : "must be the id of an account, acct_…"
        }
        settings = StripeSettings()
        settings.meter = try reader.text(.stripeMeter) {
            (1...100).contains($0.utf8.count) && Self.isPlain($0)
                ? nil : "must have 1 to 100 visible ASCII characters"
        }
        settings.windowSeconds = Int64(try reader.integer(.stripeWindow))
        guard [3_600, 86_400].contains(settings.windowSeconds) else {
            throw ConfigurationError(
                Setting.stripeWindow.name, "\(Setting.stripeWindow.name) must be 3600 or 86400")
        }
        settings.graceSeconds = Int64(try reader.integer(.stripeGrace))
        settings.reconcileSeconds = Int64(try reader.integer(.stripeReconcile))
        settings.repairsDrift = try reader.flag(.stripeRepairs)
        settings.lateSeconds = Int64(try reader.integer(.stripeLate))
        settings.suspendAfterAttempts = Int64(try reader.integer(.stripeSuspendAfter))
        settings.dunningDailyNanos = try reader.optionalText(.stripeDunningDaily) { text in
            Self.amount(text) == nil ? "must be an amount with at most nine places" : nil
        }.flatMap(Self.amount)
        let url = try reader.text(.stripeAPIURL, Self.fault(inURL:))
        if url != endpoint.api {
            endpoint.api = url
            endpoint.files = url
        }
        guard let keyText, let key = StripeKey(keyText) else {
            if secrets == nil { return nil }
            throw ConfigurationError(
                Setting.stripeWebhookSecrets.name,
                "stripe_webhook_secrets is of no use without stripe_key")
        }
        self.key = key
    }

    /// For a simulated account at `url`, whose webhooks are signed with `secret`.
    package init(simulatedAt url: String, secret: String) {
        key = .simulated
        endpoint = StripeEndpoint()
        endpoint.api = url
        endpoint.files = url
        webhookSecrets = [secret]
        toleranceSeconds = WebhookVerifier.toleranceSecondsDefault
        settings = StripeSettings()
    }

    private static func amount(_ text: String) -> Int64? {
        guard let amount = try? Money(decimal: text), amount >= .zero else { return nil }
        return amount.nanos
    }

    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }

    private static func fault(inSecrets text: String) -> String? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let areSecrets = parts.allSatisfy { part in
            part.hasPrefix("whsec_") && (12...255).contains(part.utf8.count)
                && isPlain(String(part))
        }
        return areSecrets && parts.count <= 16
            ? nil : "must be signing secrets, whsec_…, with commas and nothing else between them"
    }

    private static func fault(inURL text: String) -> String? {
        if text.hasSuffix("/") { return "must have no slash at its end" }
        if text.hasPrefix("https://"), text.utf8.count > 8, isPlain(text) { return nil }
        let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"]
        let isLocal = local.contains { text == $0 || text.hasPrefix($0 + ":") }
        return isLocal && isPlain(text)
            ? nil : "must be an https:// URL, or an http:// URL of this machine"
    }

    /// Only simulators are on this machine.
    var isPlainLoopback: Bool { endpoint.api.hasPrefix("http://") }

    /// A client with a transport of its own.
    package func client() throws(ServerFailure) -> StripeClient {
        var curl = CurlSettings()
        curl.allowsPlainLoopback = isPlainLoopback
        do throws(TransportError) {
            return StripeClient(transport: try CurlTransport(curl), key: key, endpoint: endpoint)
        } catch {
            throw ServerFailure(.inputOutput, "no_libcurl", error.description)
        }
    }

    /// Makes what has to be at Stripe, with a client of its own.
    package func setUp(
        _ setup: StripeSetup
    ) async throws(ServerFailure) -> [StripeSetup.Step] {
        let client = try client()
        do throws(StripeSetup.Failure) {
            let steps = try await setup.run(client)
            await client.shutdown()
            return steps
        } catch {
            await client.shutdown()
            throw ServerFailure(.refused, "stripe_setup", error.description)
        }
    }

    func settings(currency: String) -> StripeSettings {
        var settings = settings
        settings.currency = currency.lowercased()
        settings.minorUnitsPerUnit = StripeCurrency.minorUnitsPerUnit(currency)
        return settings
    }

    var gate: WebhookGate? {
        WebhookVerifier(secrets: webhookSecrets, toleranceSeconds: toleranceSeconds).map {
            WebhookGate(verifier: $0, isLive: key.isLive, account: endpoint.account)
        }
    }
}
