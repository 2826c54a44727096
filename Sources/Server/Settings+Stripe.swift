// Settings about Stripe.

import Configuration

extension Setting {
    package static let stripeKey = Setting(
        "stripe_key", .text, nil,
        "Secret or restricted API key of Stripe; absent: nothing goes to Stripe.", isSecret: true)
    package static let stripeWebhookSecrets = Setting(
        "stripe_webhook_secrets", .text, nil,
        "Signing secrets of Stripe's webhook endpoints, whsec_…; several with commas between them,"
            + " as while one is replaced.", isSecret: true)
    package static let stripeWebhookTolerance = Setting(
        "stripe_webhook_tolerance_seconds", .integer(1...3_600), 300,
        "How far the time of a Stripe webhook's signature may be from this machine's, either way.")
    package static let stripeAccount = Setting(
        "stripe_account", .text, nil,
        "The connected account, acct_…, that customers are billed in; absent: the key's own.")
    package static let stripeMeter = Setting(
        "stripe_meter", .text, "faregate_usage",
        "Event name of the meter at Stripe that counts charges in millionths of the currency.")
    package static let stripeWindow = Setting(
        "stripe_window_seconds", .integer(3_600...86_400), 3_600,
        "Usage is pushed to Stripe by windows of this length: 3600 or 86400.")
    package static let stripeGrace = Setting(
        "stripe_grace_seconds", .integer(60...86_400), 900,
        "How long Stripe may take to add up what was pushed before sums are compared.")
    package static let stripeReconcile = Setting(
        "stripe_reconcile_seconds", .integer(60...604_800), 21_600,
        "How often Stripe's sums are compared with the ledger's.")
    package static let stripeRepairs = Setting(
        "stripe_repairs", .flag, true,
        "Whether a difference that was found twice is made up for with a push.")
    package static let stripeLate = Setting(
        "stripe_late_seconds", .integer(0...3_600), 3_000,
        "How long after a billing period ended its usage is still pushed: less than Stripe waits"
            + " before it finalizes invoices, which is an hour unless the account says otherwise.")
    package static let stripeSuspendAfter = Setting(
        "stripe_suspend_after", .integer(0...100), 4,
        "A customer is suspended, or limited, when so many attempts to collect an invoice failed; 0:"
            + " never.")
    package static let stripeDunningDaily = Setting(
        "stripe_dunning_daily", .text, nil,
        "What such a customer may still be charged a day, as 5.00, by a budget that goes when it has"
            + " paid; absent: it is suspended.")
    package static let stripeAPIURL = Setting(
        "stripe_api_url", .text, "https://api.stripe.com",
        "Where Stripe's API is; http:// to this machine only, for simulators.")

    package static let aboutStripe = [
        stripeKey, stripeWebhookSecrets, stripeWebhookTolerance, stripeAccount, stripeMeter,
        stripeWindow, stripeGrace, stripeReconcile, stripeRepairs, stripeLate, stripeSuspendAfter,
        stripeDunningDaily, stripeAPIURL,
    ]
}
