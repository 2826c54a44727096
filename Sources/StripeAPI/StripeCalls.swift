// The other calls that are made, and nothing else of Stripe's API. Each names the fields that are
// sent; what is read of an answer is read where it is needed. Source: Stripe's API reference.

package enum StripeCalls {
    private static func part(_ id: String) -> String { FormBody.escapedPath(id) }

    package static func customer(_ id: String) -> StripeCall { .get("/v1/customers/\(part(id))") }

    package static func subscriptions(ofCustomer id: String) -> StripeCall {
        var query = FormBody()
        query.add("customer", id)
        query.add("status", "all")
        return .get("/v1/subscriptions", query)
    }

    package static func subscription(_ id: String) -> StripeCall {
        .get("/v1/subscriptions/\(part(id))")
    }

    package static func invoice(_ id: String) -> StripeCall { .get("/v1/invoices/\(part(id))") }

    package static func lines(ofInvoice id: String) -> StripeCall {
        .get("/v1/invoices/\(part(id))/lines")
    }

    package static func invoices(ofCustomer id: String, subscription: String?) -> StripeCall {
        var query = FormBody()
        query.add("customer", id)
        query.add("subscription", subscription)
        return .get("/v1/invoices", query)
    }

    /// Reaches back 30 days.
    package static func events(since seconds: Int64) -> StripeCall {
        var query = FormBody()
        query.add("created[gte]", seconds)
        return .get("/v1/events", query)
    }

    package static func thinEvent(_ id: String) -> StripeCall {
        .get("/v2/core/events/\(part(id))")
    }

    package static func product(_ id: String) -> StripeCall { .get("/v1/products/\(part(id))") }

    package static func createProduct(id: String, name: String) -> StripeCall {
        var form = FormBody()
        form.add("id", id)
        form.add("metadata", ["faregate": "usage"])
        form.add("name", name)
        return .post("/v1/products", form, idempotencyKey: "faregate:product:\(id)")
    }

    package static func price(_ id: String) -> StripeCall { .get("/v1/prices/\(part(id))") }

    package static func prices(lookupKey: String) -> StripeCall {
        var query = FormBody()
        query.add("active", true)
        query.add("lookup_keys", [lookupKey])
        return .get("/v1/prices", query)
    }

    /// - Parameter unitAmountDecimal: in minor units, as decimal text.
    package static func createPrice(
        product: String, meter: String, currency: String, unitAmountDecimal: String,
        interval: String, lookupKey: String
    ) -> StripeCall {
        var form = FormBody()
        form.add("billing_scheme", "per_unit")
        form.add("currency", currency)
        form.add("lookup_key", lookupKey)
        form.add("product", product)
        form.add("recurring[interval]", interval)
        form.add("recurring[meter]", meter)
        form.add("recurring[usage_type]", "metered")
        form.add("unit_amount_decimal", unitAmountDecimal)
        return .post(
            "/v1/prices", form, idempotencyKey: "faregate:price:\(lookupKey):\(product):\(meter)")
    }

    /// - Parameter idempotencyKey: so that one order makes one session, however often it is sent.
    package static func createCheckout(
        stripeCustomer: String, amountMinorUnits: Int64, currency: String, name: String,
        successURL: String, cancelURL: String?, metadata: [String: String], idempotencyKey: String
    ) -> StripeCall {
        var form = FormBody()
        form.add("cancel_url", cancelURL)
        form.add("customer", stripeCustomer)
        form.add("line_items[0][price_data][currency]", currency)
        form.add("line_items[0][price_data][product_data][name]", name)
        form.add("line_items[0][price_data][unit_amount]", amountMinorUnits)
        form.add("line_items[0][quantity]", 1 as Int64)
        form.add("metadata", metadata)
        form.add("mode", "payment")
        form.add("payment_intent_data[metadata]", metadata)
        form.add("success_url", successURL)
        return .post("/v1/checkout/sessions", form, idempotencyKey: idempotencyKey)
    }

    package static func createPortal(stripeCustomer: String, returnURL: String) -> StripeCall {
        var form = FormBody()
        form.add("customer", stripeCustomer)
        form.add("return_url", returnURL)
        return .post("/v1/billing_portal/sessions", form, idempotencyKey: nil)
    }

    package static func dispute(_ id: String) -> StripeCall { .get("/v1/disputes/\(part(id))") }

    /// Puts evidence in without submitting it: submission is final, and a person's to decide.
    package static func stageEvidence(
        dispute id: String, activityLog: String, idempotencyKey: String
    ) -> StripeCall {
        var form = FormBody()
        form.add("evidence[access_activity_log]", activityLog)
        form.add("submit", false)
        return .post("/v1/disputes/\(part(id))", form, idempotencyKey: idempotencyKey)
    }
}
