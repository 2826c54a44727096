import Billing
import Configuration
import StripeAPI
import StripeSync
import Testing

@testable import Server

/// The settings about Stripe.
@Suite struct StripeConfigurationTests {
    private static let key = "sk_test_0123456789"

    private func read(_ environment: [String: String]) throws -> ServerConfiguration {
        try ServerConfiguration(environment: environment)
    }

    // Without a key nothing goes to Stripe; with one, the defaults are those of the documentation.
    @Test func defaults() throws {
        #expect(try read([:]).stripe == nil)
        let stripe = try #require(try read(["FAREGATE_STRIPE_KEY": Self.key]).stripe)
        #expect(stripe.settings == StripeSettings())
        #expect(stripe.endpoint.api == "https://api.stripe.com")
        #expect(!stripe.key.isLive)
    }

    // Secrets are masked wherever the configuration is shown.
    @Test func secretsAreMasked() throws {
        let found = try read([
            "FAREGATE_STRIPE_KEY": Self.key,
            "FAREGATE_STRIPE_WEBHOOK_SECRETS": "whsec_canary_one,whsec_canary_two",
        ])
        var shown = "\(found.report) \(String(describing: found.stripe?.key))"
        dump(found.stripe?.key, to: &shown)
        #expect(!shown.contains("0123456789"))
        #expect(!shown.contains("canary"))
    }

    // What cannot be right is refused with the setting's name.
    @Test(arguments: [
        (["STRIPE_KEY": "pk_test_0123456789"], "stripe_key"),
        (["STRIPE_KEY": "sk_test_"], "stripe_key"),
        (["STRIPE_WEBHOOK_SECRETS": "whsec_0123456789"], "stripe_webhook_secrets"),
        (
            ["STRIPE_KEY": key, "STRIPE_WEBHOOK_SECRETS": "whsec_0123456789, whsec_x"],
            "stripe_webhook_secrets"
        ),
        (["STRIPE_KEY": key, "STRIPE_WINDOW_SECONDS": "7200"], "stripe_window_seconds"),
        (["STRIPE_KEY": key, "STRIPE_ACCOUNT": "cus_1"], "stripe_account"),
        (["STRIPE_KEY": key, "STRIPE_API_URL": "http://stripe.example.com"], "stripe_api_url"),
        (["STRIPE_KEY": key, "STRIPE_API_URL": "http://localhost.evil.com"], "stripe_api_url"),
        (["STRIPE_KEY": key, "STRIPE_API_URL": "https://a/"], "stripe_api_url"),
    ]) func refusals(variables: [String: String], setting: String) {
        var environment: [String: String] = [:]
        for (name, value) in variables { environment["FAREGATE_" + name] = value }
        let error = #expect(throws: ConfigurationError.self) { try read(environment) }
        #expect(error?.setting == setting)
    }

    // A ledger with a test clock never bills real money.
    @Test func liveKeyOnTestLedger() async throws {
        let folder = TemporaryFolder()
        let stripe = try read(["FAREGATE_STRIPE_KEY": "sk_live_0123456789"]).stripe
        let error = await #expect(throws: ServerFailure.self) {
            _ = try await OpenLedger.owned(
                path: folder.path + "/ledger.db",
                creation: OpenLedger.Creation(isTestClock: true), stripe: stripe)
        }
        #expect(error?.code == "live_key_on_test_ledger")
    }

    // The doctor says what libcurl there is, and what keeps Stripe's events out.
    @Test func doctor() throws {
        #expect(Doctor(try read([:])).stripe() == nil)
        let quiet = Doctor(
            try read([
                "FAREGATE_STRIPE_KEY": Self.key,
                "FAREGATE_STRIPE_WEBHOOK_SECRETS": "whsec_0123456789",
            ]))
        let check = try #require(quiet.stripe())
        #expect(check.result == .ok)
        #expect(check.finding.contains("libcurl/"))
        let deaf = Doctor(try read(["FAREGATE_STRIPE_KEY": Self.key]))
        #expect(deaf.stripe()?.result == .warn)
        #expect(deaf.stripe()?.remedy?.contains("stripe_webhook_secrets") == true)
    }
}
