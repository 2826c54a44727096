// Stripe: its webhooks in, where both sides stand, and pages for customers.

import Billing
import CanonicalJSON
import Engine
import EventLog
import Money
import StripeAPI
import StripeSync

extension API {
    // MARK: Webhooks in

    /// Stripe sends again what is not answered 2xx, for three days.
    func receiveStripeWebhook(_ call: APICall) async throws(APIError) -> APIResponse {
        let sync = try stripeOrRefusal()
        let receipt = await sync.takeIn(
            signature: call.request.stripeSignature, body: call.request.body,
            now: SystemClock().now().microseconds / 1_000_000)
        switch receipt {
        case .recorded(let isNew): return webhookAnswer(isNew ? "recorded" : "known")
        case .foreign: return webhookAnswer("foreign")
        case .refused(let verdict):
            throw .malformed(
                "invalid_signature", Self.words(verdict), param: "Stripe-Signature")
        case .malformed(let fault):
            throw .malformed("malformed_webhook", "The event cannot be used: \(fault).")
        case .noSecrets:
            throw .unavailable(
                "stripe_webhooks_not_configured",
                "No webhooks are taken: stripe_webhook_secrets is not set.", retryAfter: 3_600)
        case .failed(let error): throw APIError(error)
        }
    }

    private func webhookAnswer(_ result: String) -> APIResponse {
        APIResponse(
            status: 200, body: JSONWriter.document { json in json.member("result", result) })
    }

    private static func words(_ verdict: WebhookVerdict) -> String {
        switch verdict {
        case .valid: "The signature is right."
        case .missingHeader: "The header Stripe-Signature is missing."
        case .malformedHeader: "The header Stripe-Signature is not well-formed."
        case .noSignature: "The header Stripe-Signature has no signature of scheme v1."
        case .mismatch: "No signature is right for this body and the configured secrets."
        case .outsideTolerance:
            "The signature's time is too far from this machine's: one of the clocks is wrong."
        }
    }

    /// Takes in a page of Stripe's own list of events, as if they had come as webhooks.
    func replayStripeEvents(_ call: APICall) async throws(APIError) -> APIResponse {
        try call.requireAllProjects()
        let body = try call.body(mayBeEmpty: true)
        let now = engine.clock.now()
        let (since, after) = try reading { () throws(FieldError) in
            var fields = body
            let since = try fields.optionalTime("since") ?? now.advanced(bySeconds: -3 * 86_400)
            let after = try fields.optionalString("after", minBytes: 1, maxBytes: 255)
            try fields.rejectUnknown()
            return (since, after)
        }
        let sync = try stripeOrRefusal()
        do throws(StripeRefusal) {
            let page = try await sync.replayEvents(since: since, after: after)
            return APIResponse(
                status: 200,
                body: JSONWriter.document { json in
                    json.member("has_more", page.next != nil)
                    json.member("next", ifPresent: page.next)
                    json.member("recorded", page.recorded)
                    json.member("seen", page.seen)
                })
        } catch {
            throw APIError(error)
        }
    }

    // MARK: Where it stands

    func getStripeStatus(_ call: APICall) async throws(APIError) -> APIResponse {
        try call.requireAllProjects()
        let sync = try stripeOrRefusal()
        let status = try await problemAsAnswer { () async throws(StripeProblem) in
            try await sync.status()
        }
        let currency = currency
        return APIResponse(
            status: 200,
            body: JSONWriter.document { json in json.stripeStatus(status, currency) })
    }

    /// Compares sums soon; the result is in the status.
    func reconcileStripe(_ call: APICall) async throws(APIError) -> APIResponse {
        try call.requireAllProjects()
        let body = try call.body(mayBeEmpty: true)
        try reading { () throws(FieldError) in try body.rejectUnknown() }
        let sync = try stripeOrRefusal()
        await sync.reconcileSoon()
        let now = engine.clock.now()
        return APIResponse(
            status: 202, body: JSONWriter.document { json in json.member("requested_at", now) })
    }

    func getCustomerStripe(_ call: APICall) async throws(APIError) -> APIResponse {
        let key = CustomerKey(project: try call.project(), id: call.parameters[0])
        let sync = try stripeOrRefusal()
        let customer = try await read { $0.state.customers[key] }
        guard let customer else { throw noStripeCustomer(key) }
        let found = try await problemAsAnswer { () async throws(StripeProblem) in
            try await sync.standing(of: key)
        }
        var standing = found ?? StripeStanding()
        if standing.stripeCustomer.isEmpty {
            standing.stripeCustomer = customer.stripeCustomer ?? ""
        }
        let (shown, currency) = (standing, currency)
        return APIResponse(
            status: 200,
            body: JSONWriter.document { json in json.stripeStanding(shown, key, currency) })
    }

    // MARK: Pages

    func createStripeCheckout(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.body()
        let (named, asked) = try reading { () throws(FieldError) in
            var fields = body
            let project = try fields.optionalOperatorID("project")
            let order = CheckoutOrder(
                key: CustomerKey(project: "", id: call.parameters[0]), stripeCustomer: "",
                amount: try fields.money("amount"), credit: try fields.optionalMoney("credit"),
                name: try fields.optionalText("name") ?? "Credit",
                successURL: try fields.pageURL("success_url"),
                cancelURL: try fields.optionalPageURL("cancel_url"), idempotencyKey: "")
            try fields.rejectUnknown()
            return (project, order)
        }
        var order = asked
        let sync = try stripeOrRefusal()
        order.key.project = try call.project(named: named)
        order.stripeCustomer = try await stripeCustomer(of: order.key)
        order.idempotencyKey = pageKey(call, order.key)
        let complete = order
        return try await pageAnswer { () async throws(StripeRefusal) in
            try await sync.checkout(complete)
        }
    }

    func createStripePortal(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.body()
        let (named, url) = try reading { () throws(FieldError) in
            var fields = body
            let project = try fields.optionalOperatorID("project")
            let url = try fields.pageURL("return_url")
            try fields.rejectUnknown()
            return (project, url)
        }
        let sync = try stripeOrRefusal()
        let key = CustomerKey(project: try call.project(named: named), id: call.parameters[0])
        let stripeCustomer = try await stripeCustomer(of: key)
        return try await pageAnswer { () async throws(StripeRefusal) in
            try await sync.portal(stripeCustomer: stripeCustomer, returnURL: url)
        }
    }

    /// Stripe answers the same key with the same page for a day at least.
    private func pageKey(_ call: APICall, _ key: CustomerKey) -> String {
        guard let own = call.request.idempotencyKey else { return newID("once_") }
        return Fingerprint(.idempotencyKey, key.project, "\(key.id)\n\(own)").hex
    }

    private func stripeCustomer(of key: CustomerKey) async throws(APIError) -> String {
        guard let customer = try await read({ $0.state.customers[key] }) else {
            throw noStripeCustomer(key)
        }
        if let stripeCustomer = customer.stripeCustomer { return stripeCustomer }
        throw APIError(
            409, .conflict, "not_linked",
            "Customer '\(key.id)' is linked to no Stripe customer:"
                + " POST /v1/customers/{id}/link does that.")
    }

    private func pageAnswer(
        _ body: () async throws(StripeRefusal) -> StripePage
    ) async throws(APIError) -> APIResponse {
        do throws(StripeRefusal) {
            let page = try await body()
            return APIResponse(
                status: 201,
                body: JSONWriter.document { json in
                    json.member("expires_at", ifPresent: page.expiresAt)
                    json.member("id", page.id)
                    json.member("url", page.url)
                })
        } catch {
            throw APIError(error)
        }
    }

    // MARK: Shared

    private func stripeOrRefusal() throws(APIError) -> StripeSync {
        if let stripe { return stripe }
        throw APIError(
            404, .notFound, "stripe_not_configured",
            "This server has no key for Stripe: stripe_key is not set.")
    }

    private func noStripeCustomer(_ key: CustomerKey) -> APIError {
        .notFound("There is no customer '\(key.id)' in project '\(key.project)'.")
    }

    private func problemAsAnswer<Value>(
        _ body: () async throws(StripeProblem) -> Value
    ) async throws(APIError) -> Value {
        do throws(StripeProblem) {
            return try await body()
        } catch {
            throw .unavailable(
                "stripe_unavailable", "The Stripe file cannot be read: \(error).")
        }
    }
}

extension APIError {
    fileprivate init(_ refusal: StripeRefusal) {
        switch refusal {
        case .amount(let message): self = .invalid(message, param: "amount")
        case .ledger(let error): self.init(error)
        case .strange(let message):
            self.init(502, .unavailable, "stripe_error", message + ".")
        case .stripe(let failure):
            if let error = failure.stripe, error.status < 500, error.kind != .rateLimit {
                self.init(502, .unavailable, "stripe_refused", "\(error)")
            } else {
                self = .unavailable(
                    "stripe_unreachable", "Stripe does not answer: \(failure).", retryAfter: 5)
            }
        }
    }
}

extension JSONFields {
    fileprivate mutating func pageURL(_ name: String) throws(FieldError) -> String {
        if let url = try optionalPageURL(name) { return url }
        try refuseMissing(name)
        return ""
    }

    fileprivate mutating func optionalPageURL(_ name: String) throws(FieldError) -> String? {
        guard let url = try optionalString(name, minBytes: 1, maxBytes: 2_000) else { return nil }
        return try checkedPageURL(url, name)
    }

    private func checkedPageURL(_ url: String, _ name: String) throws(FieldError) -> String {
        let isURL = url.hasPrefix("https://") || url.hasPrefix("http://")
        guard isURL, url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw error(.invalid, name, "must be an http:// or https:// URL")
        }
        return url
    }
}

extension JSONWriter {
    /// Micro-units as money.
    private mutating func member(_ name: StaticString, microUnits: Int64) {
        member(name, Money(nanos: Int64(clamping: Int128(microUnits) * 1_000)))
    }

    fileprivate mutating func stripeStatus(_ status: StripeStatus, _ currency: String) {
        member("billable", Money(nanos: status.billableNanos))
        member("billed", microUnits: status.billed)
        member("carried", Money(nanos: status.carriedNanos))
        member("clock_skew_seconds", ifPresent: status.clockSkewSeconds)
        member("currency", currency)
        object("disputes") { json in
            json.member("next_due_at", ifPresent: status.nextDisputeDue)
            json.member("open", status.openDisputes)
        }
        object("drift") { json in
            json.member("amount", microUnits: status.driftQuantity)
            json.member("standing", status.standingDrifts)
        }
        member("linked_customers", status.linkedCustomers)
        object("meter") { json in
            json.member("event_name", status.meter)
            json.member("id", ifPresent: status.meterID.isEmpty ? nil : status.meterID)
        }
        member("odd_invoices", status.oddInvoices)
        object("pending") { json in
            json.member("oldest_push_at", ifPresent: status.oldestOpenPush)
            json.member("oldest_window_at", ifPresent: status.oldestWindow)
            json.member("pushes", status.openPushes)
        }
        member("problem", ifPresent: status.problem)
        member("pushed", microUnits: status.pushed)
        if let run = status.lastRun {
            object("reconciled") { json in
                json.member("at", Instant(microseconds: run.at))
                json.member("checked", run.checked)
                json.member("differing", run.differing)
                json.member("equal", run.equal)
                json.member("event", run.sequence)
                json.member("failed", run.failed)
                json.member("pending", run.pending)
            }
        }
        member("sequence", status.sequence)
        object("stuck") { json in
            json.member("amount", Money(nanos: status.stuckNanos))
            json.member("blocked_customers", status.blockedCustomers)
            json.member("ended_customers", status.endedCustomers)
        }
        member("unsubscribed", Money(nanos: status.unsubscribedNanos))
        member("waiting", Money(nanos: status.waitingNanos))
        member("webhooks_waiting", status.waitingWebhooks)
    }

    fileprivate mutating func stripeStanding(
        _ standing: StripeStanding, _ key: CustomerKey, _ currency: String
    ) {
        func present(_ text: String) -> String? { text.isEmpty ? nil : text }
        member("billable", Money(nanos: standing.billableNanos))
        member("billed", microUnits: standing.billed)
        member("blocked", ifPresent: present(standing.blocked))
        member("carried", Money(nanos: standing.carriedNanos))
        member("currency", currency)
        member("customer", key.id)
        member("period_end", ifPresent: standing.periodEnd)
        member("period_start", ifPresent: standing.periodStart)
        member("project", key.project)
        member("pushed", microUnits: standing.pushed)
        member("stripe_customer", ifPresent: present(standing.stripeCustomer))
        member("subscription", ifPresent: present(standing.subscription))
        member("subscription_status", ifPresent: present(standing.subscriptionStatus))
        member("waiting", Money(nanos: standing.waitingNanos))
    }
}
