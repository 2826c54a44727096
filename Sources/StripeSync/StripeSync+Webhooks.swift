// Webhooks: taken in, and handled from the log.

import Billing
import CanonicalJSON
package import Engine
import EventLog
import Money
package import StripeAPI

/// What became of a request to the webhook endpoint.
package enum WebhookReceipt: Sendable {
    /// On the log; or it was before.
    case recorded(isNew: Bool)
    /// Stripe's, and of another mode or account: nothing is kept.
    case foreign
    case refused(WebhookVerdict)
    /// Signed by Stripe, and not an event.
    case malformed(String)
    case noSecrets
    /// The ledger does not take it now.
    case failed(EngineError)
}

extension StripeSync {
    /// Puts a verified webhook on the log. It is handled from there; one that came before changes
    /// nothing.
    ///
    /// - Throws: when the ledger does not take it: Stripe is to send it again.
    package nonisolated static func receive(
        _ event: StripeEvent, body: [UInt8], into ledger: any StripeLedger
    ) async throws(EngineError) -> Bool {
        let received = WebhookDetails.received(event, body: body)
        // Each mode and account has ids of its own.
        let key = "webhook:\(event.account ?? ""):\(event.isLive):\(event.id)"
        let request = StripeRequests.record(.webhookReceived(received), nil, key: key)
        guard let result = await ledger.submit([request]).first else { return false }
        return try !result.get().isReplay
    }

    /// Takes in what came to the webhook endpoint.
    ///
    /// - Parameters:
    ///   - signature: the `Stripe-Signature` header.
    ///   - now: seconds since 1970 UTC by the machine's clock, which is what Stripe signs by.
    package nonisolated func takeIn(
        signature: String?, body: [UInt8], now: Int64
    ) async -> WebhookReceipt {
        guard let webhooks else { return .noSecrets }
        let event: StripeEvent
        switch webhooks.judge(signature: signature, body: body, now: now) {
        case .ours(let found): event = found
        case .foreign:
            counts.add(.webhooksForeign)
            return .foreign
        case .refused(let verdict):
            counts.add(.webhooksRefused)
            return .refused(verdict)
        case .malformed(let fault):
            counts.add(.webhooksRefused)
            return .malformed(fault)
        }
        do throws(EngineError) {
            let isNew = try await Self.receive(event, body: body, into: ledger)
            counts.add(isNew ? .webhooksRecorded : .webhooksRepeated)
            wake()
            return .recorded(isNew: isNew)
        } catch {
            counts.add(.webhooksFailed)
            return .failed(error)
        }
    }

    func actions() throws(StripeProblem) -> WebhookActions {
        WebhookActions(file: try file(), settings: settings, now: clock.now(), feeds: feeds)
    }

    func handleWebhooks() async throws(StripeProblem) {
        // What the meter's id is needed for can wait until it is known.
        guard !settings.meterID.isEmpty else { return }
        var handled = true
        while handled {
            handled = false
            let rows = try reading { (file: StripeFile) throws(StoreError) in
                try file.waitingWebhooks(limit: 200)
            }
            for row in rows where try await handle(row) { handled = true }
        }
    }

    /// - Returns: false: it waits for something that is fetched.
    private func handle(_ row: StripeInboxRow) async throws(StripeProblem) -> Bool {
        guard !busy.contains(.webhook(row.id)) else { return false }
        let actions = try actions()
        let received: StripeWebhookReceived
        var plan: WebhookPlan
        do throws(StoreError) {
            guard let found = try Self.webhook(row, store) else { return false }
            received = found
            plan = try actions.plan(received, fetched: fetched[row.id])
        } catch {
            throw .store(error)
        }
        if let fetch = plan.fetch {
            guard nextAt[.webhook(row.id)] ?? .min <= clock.now().microseconds else {
                return false
            }
            nextAt[.webhook(row.id)] = clock.now().advanced(bySeconds: 30).microseconds
            let result = await client.fetch(fetch)
            guard case .success(let answer) = result else { return false }
            fetched[row.id] = answer.body
            return true
        }
        if let price = plan.price { return await learn(price) }
        fetched[row.id] = nil
        if received.type == "billing.meter.deactivated", plan.note != nil {
            // Looked for anew, and a problem until there is one.
            settings.meterID = ""
            nextAt[.meter] = nil
        }
        if received.type == "charge.refunded" {
            plan = try await refund(DetailReader(received))
        }
        for error in try await record(plan.requests) {
            guard let error, error.code != .alreadyExists else { continue }
            plan.outcome = error.code == .notFound ? .unknownCustomer : .refused
            plan.note = error.message
        }
        if plan.asksForSums {
            let soon = clock.now().advanced(bySeconds: settings.graceSeconds).microseconds
            reconciliation.nextRunAt = min(reconciliation.nextRunAt, soon)
        }
        var handled = StripeWebhookHandled()
        handled.id = row.id
        handled.outcome = plan.outcome
        handled.note = plan.note.map { String($0.prefix(300)) }
        try await record([
            StripeRequests.record(.webhookHandled(handled), nil, key: "handled:\(row.id)")
        ])
        return true
    }

    /// Asks whether our meter feeds a price.
    ///
    /// - Returns: false: Stripe does not say now.
    func learn(_ price: String) async -> Bool {
        let job = StripeJob.price(price)
        guard nextAt[job] ?? .min <= clock.now().microseconds else { return false }
        nextAt[job] = clock.now().advanced(bySeconds: 30).microseconds
        switch await client.fetch(.once(StripeCalls.price(price))) {
        case .success(let answer):
            let meter = answer.body.member("recurring")?.member("meter")?.stringValue
            feeds[price] = meter == settings.meterID
        case .failure(.stripe(let error)) where error.status == 404: feeds[price] = false
        case .failure: return false
        }
        nextAt[job] = nil
        return true
    }

    private static func webhook(
        _ row: StripeInboxRow, _ store: any EventStore
    ) throws(StoreError) -> StripeWebhookReceived? {
        guard let sequence = UInt64(exactly: row.sequence), sequence > 0,
            let stored = try store.read(after: sequence - 1, limit: 1, maxBytes: 1).first,
            let event = try? EventCodec.decode(stored.bytes),
            case .stripe(.webhookReceived(let received)) = event.event
        else { return nil }
        return received
    }

    /// Takes credit back that a refunded payment had bought: what is left of it, and no more.
    private func refund(_ reader: DetailReader) async throws(StripeProblem) -> WebhookPlan {
        let topUp = try reading { (file: StripeFile) throws(StoreError) in
            try file.find(StripeTopUpRow(reader["payment_intent"] ?? ""))
        }
        guard let topUp, !topUp.customer.isEmpty, let charge = reader.received.objectID,
            let total = reader.integer("amount_refunded"), total >= 0,
            let paid = reader.integer("amount")
        else { return .unknownCustomer() }
        let delta = total - topUp.refundedMinorUnits
        guard delta > 0, paid > 0 else { return WebhookPlan() }
        let key = CustomerKey(project: topUp.project, id: topUp.customer)
        // The same share of the credit as of the payment.
        let wanted = Money(
            nanos: Int64(
                clamping: Int128(topUp.amountNanos) * Int128(delta)
                    / Int128(max(paid - topUp.refundedMinorUnits, 1))))
        let revoke = StripeRequests.command(
            .revokeCredit(key, grant: topUp.grant, reason: "refunded: \(charge)"),
            key: "refund-revoke:\(charge):\(total)")
        var revoked = Money.zero
        switch await ledger.submit([revoke]).first {
        case .success(let reply)?:
            if case .creditRevoked(let event)? = reply.event?.event { revoked = event.amount }
        case .failure(.command)?, nil: break
        case .failure(let error)?: throw .engine(error)
        }
        let taken = min(revoked, wanted)
        var event = PaymentRefunded()
        event.charge = charge
        event.paymentIntent = topUp.paymentIntent
        event.refundedMinorUnits = total
        event.taken = taken
        event.short = wanted - taken
        var requests: [EngineRequest] = []
        if revoked > taken {
            let id = "\(charge)-\(total)"
            event.grant = id
            let terms = GrantTerms(
                id: id, amount: revoked - taken, effectiveAt: reader.received.createdAt,
                category: .paid, source: .stripeCheckout,
                sourceReference: StripeReference.text(
                    session: charge, paymentIntent: topUp.paymentIntent))
            requests.append(
                StripeRequests.command(
                    .grantCredit(key, terms), key: "refund-rest:\(charge):\(total)"))
        }
        requests.append(
            StripeRequests.record(
                .paymentRefunded(event), key, key: "refund:\(charge):\(total)"))
        return WebhookPlan(requests: requests, outcome: .applied)
    }
}
