// What follows from a webhook. Events come in any order and more than once; so each consequence is
// keyed by the object that it is about, and what is older than what is known changes nothing.

import Billing
import CanonicalJSON
import Engine
import EventLog
import Money
import StripeAPI

/// What is to be done about one webhook.
struct WebhookPlan {
    var requests: [EngineRequest] = []
    var outcome = StripeWebhookOutcome.noted
    var note: String?
    /// Has to be fetched first.
    var fetch: StripeFetch?
    /// It has to be known first whether our meter feeds it.
    var price: String?
    /// Sums are to be read again soon.
    var asksForSums = false

    static func ignored() -> WebhookPlan { WebhookPlan(outcome: .ignored) }
    static func unknownCustomer() -> WebhookPlan { WebhookPlan(outcome: .unknownCustomer) }
}

/// What is asked of Stripe.
enum StripeFetch: Sendable {
    case once(StripeCall)
    /// All elements of a list.
    case list(StripeCall)
}

struct WebhookActions {
    let file: StripeFile
    let settings: StripeSettings
    let now: Instant
    /// Whether our meter feeds a price, as far as Stripe was asked.
    let feeds: [String: Bool]

    /// - Parameter fetched: what `fetch` of an earlier plan brought.
    func plan(
        _ received: StripeWebhookReceived, fetched: JSONValue?
    ) throws(StoreError) -> WebhookPlan {
        let reader = DetailReader(received)
        let type = received.type
        if type.hasPrefix("customer.subscription.") { return try subscription(reader) }
        if type.hasPrefix("invoice.") { return try invoice(reader, fetched) }
        if type.hasPrefix("charge.dispute.") { return try dispute(reader) }
        switch type {
        case "customer.created", "customer.updated": return try link(reader)
        case "customer.deleted": return try deleteCustomer(reader)
        case "checkout.session.completed", "checkout.session.async_payment_succeeded":
            return try topUp(reader)
        case "v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found":
            return try report(reader, fetched)
        case "billing.meter.deactivated":
            guard reader["event_name"] == settings.meter else { return .ignored() }
            return WebhookPlan(note: "the meter is deactivated: nothing can be pushed")
        default: return .ignored()
        }
    }

    private func customer(_ reader: DetailReader) throws(StoreError) -> StripeCustomerRow? {
        guard let id = reader["customer"] else { return nil }
        return try file.customer(ofStripe: id)
    }

    private func applied(_ requests: [EngineRequest], _ note: String? = nil) -> WebhookPlan {
        WebhookPlan(
            requests: requests, outcome: requests.isEmpty ? .noted : .applied, note: note)
    }

    // MARK: Customers and subscriptions

    private func link(_ reader: DetailReader) throws(StoreError) -> WebhookPlan {
        guard let id = reader.received.objectID else { return .ignored() }
        guard reader["metadata.faregate_customer"] != nil else { return .ignored() }
        guard let key = Self.named(reader) else {
            return WebhookPlan(
                outcome: .refused, note: "metadata.faregate_customer is no id of a customer")
        }
        if let known = try file.customer(ofStripe: id), known.key == key { return WebhookPlan() }
        return applied([
            Self.open(key, reader),
            StripeRequests.command(
                .linkCustomer(key, stripeCustomer: id),
                key: "link:\(id):\(reader.received.id)"),
        ])
    }

    /// Whom the metadata name; nil: nobody, or what can be nobody's id.
    private static func named(_ reader: DetailReader) -> CustomerKey? {
        guard let name = reader["metadata.faregate_customer"], name.isID else { return nil }
        return CustomerKey(
            project: reader["metadata.faregate_project"] ?? Project.builtIn, id: name)
    }

    /// Stripe may know a customer before its first call; a customer that is there stays as it is.
    private static func open(_ key: CustomerKey, _ reader: DetailReader) -> EngineRequest {
        StripeRequests.command(
            .openCustomer(CustomerSettings(key: key)), key: "open:\(reader.received.id)")
    }

    private func deleteCustomer(_ reader: DetailReader) throws(StoreError) -> WebhookPlan {
        guard let id = reader.received.objectID, let row = try file.customer(ofStripe: id) else {
            return .unknownCustomer()
        }
        if row.subscription.isEmpty || row.endedAt > 0 { return WebhookPlan() }
        // Its subscriptions ended with it; Stripe says so of each, or does not.
        var seen = StripeSubscriptionSeen()
        seen.subscription = row.subscription
        seen.status = "canceled"
        seen.periodStart = Instant(microseconds: row.periodStart)
        seen.periodEnd = Instant(microseconds: row.periodEnd)
        seen.seenAt = reader.received.createdAt
        seen.endedAt = reader.received.createdAt
        return applied(
            [
                StripeRequests.record(
                    .subscriptionSeen(seen), row.key, key: "deleted:\(id)")
            ], "the Stripe customer was deleted")
    }

    private func subscription(_ reader: DetailReader) throws(StoreError) -> WebhookPlan {
        guard let row = try customer(reader) else { return .unknownCustomer() }
        guard
            let seen = StripeObjects.subscription(
                reader, meterID: settings.meterID, seenAt: reader.received.createdAt)
        else { return .ignored() }
        return applied([Self.record(seen, row)])
    }

    static func record(
        _ seen: StripeSubscriptionSeen, _ row: StripeCustomerRow
    ) -> EngineRequest {
        let ended = seen.endedAt?.microseconds ?? 0
        let parts = [
            seen.subscription, seen.status, String(seen.periodStart.microseconds),
            String(seen.periodEnd.microseconds), String(ended), seen.price,
            String(seen.seenAt.microseconds),
        ]
        return StripeRequests.record(
            .subscriptionSeen(seen), row.key, key: "seen:" + parts.joined(separator: ":"))
    }

    // MARK: Invoices

    private func invoice(
        _ reader: DetailReader, _ fetched: JSONValue?
    ) throws(StoreError) -> WebhookPlan {
        guard let row = try customer(reader) else { return .unknownCustomer() }
        guard let id = reader.received.objectID else { return .ignored() }
        if reader["lines.has_more"] == "true" || reader["lines.data.more"] == "true",
            fetched == nil
        {
            return WebhookPlan(fetch: .list(StripeCalls.lines(ofInvoice: id)))
        }
        var requests: [EngineRequest] = []
        let whole = fetched.map { Self.withLines($0, of: reader) } ?? reader
        if let unknown = unknownPrice(whole, row) { return WebhookPlan(price: unknown) }
        for line in StripeObjects.lines(whole, prices: ourPrices(row)) ?? [] {
            if let request = try close(line, invoice: id, row, reader) { requests.append(request) }
        }
        switch reader.received.type {
        case "invoice.paid": requests += paid(id, row, reader)
        case "invoice.payment_failed": requests += try failed(id, row, reader)
        default: break
        }
        return applied(requests)
    }

    /// Prices whose lines count what was pushed.
    func ourPrices(_ row: StripeCustomerRow) -> Set<String> {
        Set(row.prices.split(separator: " ").map { String($0) })
            .union(feeds.filter(\.value).keys)
    }

    /// A line at a price that nobody knows must not be passed over: what it bills would be billed
    /// again.
    func unknownPrice(_ reader: DetailReader, _ row: StripeCustomerRow) -> String? {
        let known = ourPrices(row)
        return StripeObjects.prices(reader).first { !known.contains($0) && feeds[$0] == nil }
    }

    private static func withLines(_ lines: JSONValue, of reader: DetailReader) -> DetailReader {
        var received = reader.received
        received.details.removeAll { $0.key.hasPrefix("lines.") }
        let object = JSONValue.object(
            JSONObject([("lines", .object(JSONObject([("data", lines)])))]))
        received.details += WebhookDetails.tags(of: object, type: "invoice.finalized")
        return DetailReader(received)
    }

    /// A period's invoice; nil: it is known already.
    func close(
        _ line: StripeObjects.Line, invoice: String, _ row: StripeCustomerRow,
        _ reader: DetailReader
    ) throws(StoreError) -> EngineRequest? {
        let known = try file.find(
            StripePeriodRow(row.project, row.customer, start: line.start.microseconds))
        if let known, known.isClosed == 1, !known.invoice.isEmpty { return nil }
        var closed = StripePeriodClosed()
        closed.invoice = invoice
        closed.periodStart = line.start
        closed.periodEnd = line.end
        closed.billed = line.quantity
        closed.amountMinorUnits = line.amountMinorUnits
        closed.subscription = reader["parent.subscription_details.subscription"]
        closed.pushed = try file.pushed(
            row.project, row.customer, line.start.microseconds..<line.end.microseconds,
            kind: .usage)
        return StripeRequests.record(
            .periodClosed(closed), row.key,
            key: "period:\(invoice):\(line.start.microseconds)")
    }

    private func paid(
        _ invoice: String, _ row: StripeCustomerRow, _ reader: DetailReader
    ) -> [EngineRequest] {
        var requests: [EngineRequest] = []
        if let amount = money(reader, "amount_paid"), amount > .zero {
            requests.append(
                StripeRequests.command(
                    .receivePayment(row.key, amount: amount, reference: invoice),
                    key: "paid:\(invoice)"))
        }
        switch row.isDunned {
        case 1:
            requests.append(
                StripeRequests.command(.resumeCustomer(row.key), key: "resume:\(invoice)"))
        case 2:
            requests.append(
                StripeRequests.command(
                    .removeBudget(id: Self.dunningBudget(row)), key: "unlimit:\(invoice)"))
        default: break
        }
        return requests
    }

    private static func dunningBudget(_ row: StripeCustomerRow) -> String {
        let text = "\(row.project.utf8.count):\(row.project)\(row.customer)"
        return StripeReference.dunningBudget + Fingerprint(hashing: Array(text.utf8)).hex.prefix(32)
    }

    private func failed(
        _ invoice: String, _ row: StripeCustomerRow, _ reader: DetailReader
    ) throws(StoreError) -> [EngineRequest] {
        let attempts = reader.integer("attempt_count") ?? 0
        let isPaid = try file.find(StripeInvoiceRow(invoice))?.isPaid == 1
        guard settings.suspendAfterAttempts > 0, attempts >= settings.suspendAfterAttempts,
            !isPaid, row.isDunned == 0
        else { return [] }
        if let daily = settings.dunningDailyNanos {
            let id = Self.dunningBudget(row)
            let rule = BudgetRule(
                id: id, name: id,
                match: BudgetMatch(project: row.project, customer: row.customer),
                measure: .charge, window: .day, amount: daily)
            return [StripeRequests.command(.setBudget(rule), key: "limit:\(invoice)")]
        }
        let reason = "\(StripeReference.paymentFailed): \(invoice), attempt \(attempts)"
        return [
            StripeRequests.command(
                .suspendCustomer(row.key, reason: reason), key: "suspend:\(invoice)")
        ]
    }

    /// Minor units of the ledger's currency as money; nil: another currency, or no amount.
    private func money(_ reader: DetailReader, _ path: String) -> Money? {
        guard reader["currency"]?.lowercased() == settings.currency,
            let minor = reader.integer(path),
            case let (nanos, overflow) = minor.multipliedReportingOverflow(
                by: Money.nanosPerUnit / settings.minorUnitsPerUnit), !overflow
        else { return nil }
        return Money(nanos: nanos)
    }

    // MARK: Top-ups and disputes

    private func topUp(_ reader: DetailReader) throws(StoreError) -> WebhookPlan {
        guard reader["payment_status"] == "paid" else {
            return WebhookPlan(note: "not paid yet")
        }
        // Only sessions that were made for credit: others sell something else.
        guard let credit = reader["metadata.faregate_credit"] else { return .ignored() }
        guard let session = reader.received.objectID else { return .ignored() }
        let owner = try customer(reader)?.key
        guard let key = Self.named(reader) ?? owner else { return .unknownCustomer() }
        let amount = credit == "paid" ? money(reader, "amount_total") : try? Money(decimal: credit)
        guard let amount, amount > .zero else {
            return WebhookPlan(
                outcome: .refused, note: "metadata.faregate_credit or the currency is not right")
        }
        let terms = GrantTerms(
            id: session, amount: amount, effectiveAt: reader.received.createdAt,
            category: .paid, source: .stripeCheckout,
            sourceReference: StripeReference.text(
                session: session, paymentIntent: reader["payment_intent"]))
        return applied([
            Self.open(key, reader),
            StripeRequests.command(.grantCredit(key, terms), key: "checkout:\(session)"),
        ])
    }

    private func dispute(_ reader: DetailReader) throws(StoreError) -> WebhookPlan {
        guard let id = reader.received.objectID, let intent = reader["payment_intent"],
            let topUp = try file.find(StripeTopUpRow(intent)), !topUp.customer.isEmpty
        else { return .unknownCustomer() }
        let key = CustomerKey(project: topUp.project, id: topUp.customer)
        let known = try file.find(StripeDisputeRow(id))
        let status = reader["status"] ?? ""
        if reader.received.type == "charge.dispute.closed" {
            var closed = DisputeClosed()
            closed.dispute = id
            closed.status = status
            var requests = [
                StripeRequests.record(.disputeClosed(closed), key, key: "dispute-closed:\(id)")
            ]
            if ["won", "warning_closed", "prevented"].contains(status), let known,
                known.heldNanos > 0
            {
                let terms = GrantTerms(
                    id: id, amount: Money(nanos: known.heldNanos), effectiveAt: now,
                    category: .paid, source: .stripeCheckout,
                    sourceReference: StripeReference.text(session: id, paymentIntent: intent))
                requests.append(
                    StripeRequests.command(.grantCredit(key, terms), key: "dispute-won:\(id)"))
            }
            return applied(requests)
        }
        guard reader.received.type == "charge.dispute.created" else { return WebhookPlan() }
        var opened = DisputeOpened()
        opened.dispute = id
        opened.amountMinorUnits = reader.integer("amount") ?? 0
        opened.charge = reader["charge"]
        opened.currency = reader["currency"] ?? ""
        opened.paymentIntent = intent
        opened.reason = reader["reason"] ?? ""
        opened.status = status
        opened.grant = topUp.grant
        if let due = reader.time("evidence_details.due_by"), due > .zero { opened.dueBy = due }
        return applied([
            StripeRequests.record(.disputeOpened(opened), key, key: "dispute:\(id)"),
            StripeRequests.command(
                .revokeCredit(
                    key, grant: topUp.grant, reason: StripeReference.disputeReason(id)),
                key: "dispute-hold:\(id)"),
        ])
    }

    // MARK: Reports

    /// Meter events that Stripe took and could not use.
    private func report(
        _ reader: DetailReader, _ fetched: JSONValue?
    ) throws(StoreError) -> WebhookPlan {
        guard let fetched else {
            return WebhookPlan(fetch: .once(StripeCalls.thinEvent(reader.received.id)))
        }
        var plan = WebhookPlan()
        plan.asksForSums = true
        let reason = fetched.member("data")?.member("reason")
        var done: Set<String> = []
        for type in reason?.member("error_types")?.elements ?? [] {
            let code = type.member("code")?.stringValue ?? "unknown"
            for sample in type.member("sample_errors")?.elements ?? [] {
                let request = sample.member("request")
                let name =
                    request?.member("identifier")?.stringValue
                    ?? request?.member("idempotency_key")?.stringValue
                guard let name, done.insert(name).inserted,
                    let push = try file.find(StripePushRow(name)), !push.customer.isEmpty,
                    let request = try reject(push, code)
                else { continue }
                plan.requests.append(request)
            }
        }
        if !plan.requests.isEmpty { plan.outcome = .applied }
        return plan
    }

    private func reject(
        _ push: StripePushRow, _ code: String
    ) throws(StoreError) -> EngineRequest? {
        guard ["open", "accepted"].contains(push.state) else { return nil }
        var rejected = StripePushRejected()
        rejected.identifier = push.identifier
        rejected.code = String(code.prefix(100))
        rejected.evidence = .report
        let row = try file.customer(push.project, push.customer)
        let drift = try coveringDrift(push, row)
        if try file.isClosed(push.project, push.customer, at: push.stamp) {
            rejected.disposition = .covered
        } else if let drift {
            rejected.disposition = .covered
            rejected.drift = drift
        } else if [
            "timestamp_too_far_in_past", "timestamp_in_future", "no_meter", "archived_meter",
        ]
        .contains(code) {
            rejected.disposition = (row?.rejections ?? 0) < 5 ? .reopened : .blocked
        } else if code == "meter_event_customer_not_found" {
            rejected.code = "customer_missing"
            rejected.disposition = .blocked
        } else {
            rejected.disposition = (row?.rejections ?? 0) < 5 ? .reopened : .blocked
        }
        return StripeRequests.record(
            .pushRejected(rejected), push.customerKey, key: "rejected:\(push.identifier)")
    }

    /// A drift that was found since, and that this push explains.
    private func coveringDrift(
        _ push: StripePushRow, _ row: StripeCustomerRow?
    ) throws(StoreError) -> String? {
        guard let row, push.quantity != 0 else { return nil }
        let drifts = try file.drifts(push.project, push.customer, periodStart: row.periodStart)
        return drifts.first { drift in
            !drift.push.isEmpty && drift.through > push.stamp
                && (push.quantity > 0
                    ? drift.unexplained >= push.quantity : drift.unexplained <= push.quantity)
        }?.drift
    }
}
