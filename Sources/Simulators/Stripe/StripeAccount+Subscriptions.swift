// Subscriptions, and what tests and the sandbox have people do: pay, ask for money back, dispute.

package import CanonicalJSON

extension StripeAccount {
    mutating func subscriptions(
        _ rest: [String], _ method: String, _ form: StripeParameters
    ) throws(StripeSimError) -> JSONValue {
        if method == "POST", rest.count == 1 { return try createSubscription(form) }
        if rest.count == 2 {
            guard subscriptions[rest[1]] != nil else { throw .notFound("subscription", rest[1]) }
            if method == "DELETE" {
                endSubscription(rest[1], invoiceNow: form["invoice_now"] == "true")
            } else if method == "POST" {
                try form.allow("cancel_at_period_end", "items", "proration_behavior")
                if let flag = form["cancel_at_period_end"] {
                    subscriptions[rest[1]]?.cancelsAtPeriodEnd = flag == "true"
                }
                if let price = form["items[0][price]"] {
                    guard prices[price] != nil else {
                        throw .notFound("price", price, param: "items[0][price]")
                    }
                    changePrice(of: rest[1], to: price)
                }
                emitUpdate(rest[1])
            }
            return subscriptions[rest[1]].map { object(of: $0) } ?? .null
        }
        let found = subscriptionOrder.reversed().compactMap { subscriptions[$0] }.filter { one in
            (form["customer"].map { $0 == one.customer } ?? true)
                && (form["status"] == "all" || (form["status"] ?? one.status) == one.status)
        }
        return try page(found.map { ($0.id, object(of: $0)) }, "/v1/subscriptions", form)
    }

    /// Usage from now on is billed at another price; what came before stays at the old one.
    private mutating func changePrice(of id: String, to price: String) {
        guard let old = subscriptions[id]?.price, old != price else { return }
        subscriptions[id]?.formerPrices.append((old, now / 1_000_000 * 1_000_000))
        subscriptions[id]?.price = price
    }

    private mutating func emitUpdate(_ id: String) {
        guard let subscription = subscriptions[id] else { return }
        emit("customer.subscription.updated", object(of: subscription))
    }

    private mutating func createSubscription(
        _ form: StripeParameters
    ) throws(StripeSimError) -> JSONValue {
        try form.allow(
            "customer", "items", "collection_method", "days_until_due", "billing_cycle_anchor",
            "billing_cycle_anchor_config", "backdate_start_date", "billing_mode",
            "payment_behavior", "off_session", "proration_behavior", "cancel_at_period_end")
        let customer = try live(try form.required("customer"), param: "customer")
        let price = try form.required("items[0][price]")
        guard prices[price] != nil else {
            throw .notFound("price", price, param: "items[0][price]")
        }
        if form["items[0][quantity]"] != nil, prices[price]?.meter != nil {
            throw .invalid("Quantity must not be set for metered prices", "items[0][quantity]")
        }
        var subscription = SimSubscription(
            id: newID("sub"), itemID: newID("si"), created: now, customer: customer.id,
            price: price, anchor: now, periodStart: now, periodEnd: now,
            metadata: form.map("metadata"))
        if let anchor = try form.integer("billing_cycle_anchor") {
            // A first period up to the anchor, whole ones from then on.
            guard anchor > now / 1_000_000 else {
                throw .invalid("billing_cycle_anchor must be in the future", "billing_cycle_anchor")
            }
            subscription.anchor = anchor * 1_000_000
            subscription.periods = -1
        }
        subscription.cancelsAtPeriodEnd = form["cancel_at_period_end"] == "true"
        return start(subscription)
    }

    /// - Parameter invoiceNow: bills what was metered; without it that is billed nowhere.
    package mutating func endSubscription(_ id: String, invoiceNow: Bool) {
        guard var subscription = subscriptions[id], subscription.endedAt == nil else { return }
        subscription.status = "canceled"
        subscription.endedAt = now
        if invoiceNow {
            makeDraft(
                &subscription, subscription.periodStart, max(now, subscription.periodStart + 1),
                "subscription_update")
        }
        subscriptions[id] = subscription
        emit("customer.subscription.deleted", object(of: subscription))
    }

    /// What an operator's own code would do for a new customer.
    mutating func subscribe(customer name: String, project: String, price: String) {
        let customer = SimCustomer(
            id: newID("cus"), created: now, name: name,
            metadata: [("faregate_customer", name), ("faregate_project", project)])
        customers[customer.id] = customer
        customerOrder.append(customer.id)
        emit("customer.created", customer.json)
        start(
            SimSubscription(
                id: newID("sub"), itemID: newID("si"), created: now, customer: customer.id,
                price: price, anchor: now, periodStart: now, periodEnd: now, metadata: []))
    }

    @discardableResult
    private mutating func start(_ new: SimSubscription) -> JSONValue {
        var subscription = new
        subscription.periodEnd = periodEnd(of: subscription)
        subscriptions[subscription.id] = subscription
        subscriptionOrder.append(subscription.id)
        subscriptionsOfCustomer[subscription.customer, default: []].append(subscription.id)
        timers.add(subscription.periodEnd, .endPeriod(subscription: subscription.id))
        emit("customer.subscription.created", object(of: subscription))
        return object(of: subscription)
    }

    // MARK: What people do

    /// The page was filled in and the money came.
    ///
    /// - Returns: false: there is no such page, or not any more.
    @discardableResult
    package mutating func paySession(_ id: String) -> Bool {
        guard sessions[id]?.status == "open" else { return false }
        let intent = newID("pi")
        sessions[id]?.status = "complete"
        sessions[id]?.paymentStatus = "paid"
        sessions[id]?.paymentIntent = intent
        let charge = newID("ch")
        sessions[id]?.charge = charge
        emit("checkout.session.completed", sessions[id]?.json ?? .null)
        return true
    }

    private func charge(of session: SimSession) -> JSONValue {
        json([
            "id": optional(session.charge), "object": .string("charge"),
            "amount": .integer(session.amount), "amount_refunded": .integer(session.refunded),
            "currency": .string(session.currency), "customer": optional(session.customer),
            "livemode": .bool(false), "payment_intent": optional(session.paymentIntent),
            "refunded": .bool(session.refunded >= session.amount),
        ])
    }

    /// - Parameter amount: minor units, on top of what was given back before.
    package mutating func refundSession(_ id: String, amount: Int64) {
        guard var session = sessions[id], session.paymentStatus == "paid" else { return }
        session.refunded = min(session.refunded + amount, session.amount)
        sessions[id] = session
        emit("charge.refunded", charge(of: session))
    }

    private func dispute(_ id: String, of session: SimSession, _ status: String) -> JSONValue {
        json([
            "id": .string(id), "object": .string("dispute"), "amount": .integer(session.amount),
            "charge": optional(session.charge), "currency": .string(session.currency),
            "livemode": .bool(false), "payment_intent": optional(session.paymentIntent),
            "reason": .string("fraudulent"), "status": .string(status),
            "evidence_details": json([
                "due_by": seconds(now + 14 * 86_400_000_000), "has_evidence": .bool(false),
                "past_due": .bool(false), "submission_count": .integer(0),
            ]),
        ])
    }

    /// - Returns: the dispute's id.
    package mutating func disputeSession(_ id: String) -> String? {
        guard let session = sessions[id], session.paymentStatus == "paid" else { return nil }
        let dispute = newID("du")
        emit("charge.dispute.created", self.dispute(dispute, of: session, "needs_response"))
        return dispute
    }

    package mutating func closeDispute(_ dispute: String, ofSession id: String, status: String) {
        guard let session = sessions[id] else { return }
        emit("charge.dispute.closed", self.dispute(dispute, of: session, status))
    }

    // MARK: For comparisons

    /// Σ quantity on invoices that are final, by Stripe customer.
    package var billedQuantities: [String: Int64] {
        var sums: [String: Int64] = [:]
        for invoice in invoices.values where invoice.finalizedAt != nil {
            sums[invoice.customer, default: 0] += invoice.quantity
        }
        return sums
    }

    /// Amounts of a customer's final invoices, minor units, oldest first.
    package func finalAmounts(ofCustomer id: String) -> [Int64] {
        invoiceOrder.compactMap { invoices[$0] }
            .filter { $0.customer == id && $0.finalizedAt != nil }.map(\.amount)
    }

    /// The events of the last days as Stripe lists them, oldest first.
    package var eventDocuments: [[UInt8]] { events.map(\.json.bytes) }

    /// Invoices as people see them, oldest first.
    package var invoiceDocuments: [JSONValue] { invoiceOrder.compactMap { invoices[$0]?.json } }
}
