// All types of events: what each means, whom it must name, and which payload it carries.

package import Billing

/// Makes payloads: reads them, describes them, or invents them.
package protocol PayloadSource {
    associatedtype Failure: Error

    mutating func payload<Payload: Record>() throws(Failure) -> Payload
}

package enum EventCatalog {
    /// Whom the envelope of an event names.
    package enum Owner: Sendable {
        /// The ledger as a whole, or one project of it.
        case ledger
        case project
        case customer
        /// A customer, and the reservation or usage record that is the event's.
        case reservation
    }

    package struct Entry: Sendable {
        package let type: String
        package let owner: Owner
        package let note: String

        init(_ type: String, _ owner: Owner, _ note: String) {
            self.type = type
            self.owner = owner
            self.note = note
        }
    }

    package static let entries: [Entry] = [
        Entry("ledger.opened", .ledger, "The log begins."),
        Entry("clock.advanced", .ledger, "The clock of a test ledger was set."),
        Entry("project.set", .ledger, "A project as it is from now on."),
        Entry("plan.set", .ledger, "A plan as it is from now on."),
        Entry("budget.set", .ledger, "A budget as it is from now on."),
        Entry("budget.removed", .ledger, "A budget no longer limits anything."),
        Entry(
            "price_book.published", .ledger,
            "A new version of the price book: the one before it with these changes."),
        Entry("key.created", .ledger, "An API key; its secret is not kept."),
        Entry("key.revoked", .ledger, "An API key is refused from now on."),
        Entry("customer.opened", .customer, "A customer was opened."),
        Entry("customer.updated", .customer, "A customer's settings as they are from now on."),
        Entry("customer.suspended", .customer, "A customer's calls are refused from now on."),
        Entry("customer.resumed", .customer, "A customer is no longer suspended."),
        Entry("customer.closed", .customer, "A customer's calls are refused for good."),
        Entry("customer.linked", .customer, "A customer was linked to a Stripe customer."),
        Entry("credit.granted", .customer, "Credit was given."),
        Entry("credit.activated", .customer, "A grant's effective instant came."),
        Entry(
            "credit.expired", .customer,
            "A grant expired; what open reservations hold of it stays good for them."),
        Entry(
            "credit.revoked", .customer,
            "A grant was taken back; what open reservations hold of it stays good for them."),
        Entry("payment.received", .customer, "A payment lowers what a postpaid customer owes."),
        Entry("run.started", .project, "A run was opened."),
        Entry("run.stopped", .project, "A run's further calls are refused."),
        Entry("run.ended", .project, "A run is over."),
        Entry("usage.estimated", .customer, "What a call would cost was asked for."),
        Entry("usage.reserved", .reservation, "A call fits and its money is held."),
        Entry("usage.rejected", .reservation, "A call was refused before any money was spent."),
        Entry("usage.extended", .reservation, "A hold lives longer."),
        Entry("usage.settled", .reservation, "A call's true usage was charged."),
        Entry("usage.released", .reservation, "A hold was given back: the call was not made."),
        Entry("usage.expired", .reservation, "Nobody resolved a hold in time."),
        Entry("usage.adjusted", .reservation, "What was charged was corrected."),
        Entry("usage.recorded", .reservation, "Usage without a hold was charged."),
        Entry("stripe.push_planned", .customer, "A meter event is about to be sent to Stripe."),
        Entry("stripe.push_accepted", .customer, "Stripe has a meter event."),
        Entry(
            "stripe.push_failed", .customer,
            "A meter event could not be sent, or the answer was lost; it is sent again."),
        Entry(
            "stripe.push_rejected", .customer,
            "Stripe does not take a meter event, or could not use it."),
        Entry(
            "stripe.subscription_seen", .customer,
            "A customer's subscription to the meter's price, as Stripe has it."),
        Entry(
            "stripe.period_closed", .customer,
            "A billing period was invoiced, or ended without an invoice."),
        Entry(
            "stripe.drift_found", .customer,
            "Stripe's sum and the ledger's differ, twice in a row."),
        Entry("stripe.repaired", .customer, "A drift is no more."),
        Entry("stripe.reconciled", .ledger, "All customers' sums were compared with Stripe's."),
        Entry("stripe.webhook_received", .ledger, "A webhook of Stripe was verified."),
        Entry("stripe.webhook_handled", .ledger, "What followed from a webhook of Stripe."),
        Entry("dispute.opened", .customer, "A payment is disputed."),
        Entry("payment.refunded", .customer, "A payment that had bought credit was given back."),
        Entry("dispute.closed", .customer, "A dispute is over."),
    ]

    /// The event of `type` with a payload from `source`; nil for a type that is not known.
    package static func event<Source: PayloadSource>(
        _ type: String, from source: inout Source
    ) throws(Source.Failure) -> Event? {
        if type.hasPrefix("usage.") { return try usageEvent(type, from: &source) }
        if type.hasPrefix("stripe.") || type.hasPrefix("dispute.") || type == "payment.refunded" {
            return try stripeFact(type, from: &source).map { .stripe($0) }
        }
        return switch type {
        case "ledger.opened": .ledgerOpened(try source.payload())
        case "clock.advanced": .clockAdvanced(try source.payload())
        case "project.set": .projectSet(try source.payload())
        case "plan.set": .planSet(try source.payload())
        case "budget.set": .budgetSet(try source.payload())
        case "budget.removed": .budgetRemoved(try source.payload())
        case "price_book.published": .priceBookPublished(try source.payload())
        case "key.created": .keyCreated(try source.payload())
        case "key.revoked": .keyRevoked(try source.payload())
        case "customer.opened": .customerOpened(try source.payload())
        case "customer.updated": .customerUpdated(try source.payload())
        case "customer.suspended": .customerSuspended(try source.payload())
        case "customer.resumed": .customerResumed(try source.payload())
        case "customer.closed": .customerClosed(try source.payload())
        case "customer.linked": .customerLinked(try source.payload())
        case "credit.granted": .creditGranted(try source.payload())
        case "credit.activated": .creditActivated(try source.payload())
        case "credit.expired": .creditExpired(try source.payload())
        case "credit.revoked": .creditRevoked(try source.payload())
        case "payment.received": .paymentReceived(try source.payload())
        case "run.started": .runStarted(try source.payload())
        case "run.stopped": .runStopped(try source.payload())
        case "run.ended": .runEnded(try source.payload())
        default: nil
        }
    }

    private static func usageEvent<Source: PayloadSource>(
        _ type: String, from source: inout Source
    ) throws(Source.Failure) -> Event? {
        switch type {
        case "usage.reserved": .usageReserved(try source.payload())
        case "usage.settled": .usageSettled(try source.payload())
        case "usage.rejected": .usageRejected(try source.payload())
        case "usage.estimated": .usageEstimated(try source.payload())
        case "usage.extended": .usageExtended(try source.payload())
        case "usage.released": .usageReleased(try source.payload())
        case "usage.expired": .usageExpired(try source.payload())
        case "usage.adjusted": .usageAdjusted(try source.payload())
        case "usage.recorded": .usageRecorded(try source.payload())
        default: nil
        }
    }

    private static func stripeFact<Source: PayloadSource>(
        _ type: String, from source: inout Source
    ) throws(Source.Failure) -> StripeFact? {
        switch type {
        case "stripe.push_planned": .pushPlanned(try source.payload())
        case "stripe.push_accepted": .pushAccepted(try source.payload())
        case "stripe.push_failed": .pushFailed(try source.payload())
        case "stripe.push_rejected": .pushRejected(try source.payload())
        case "stripe.subscription_seen": .subscriptionSeen(try source.payload())
        case "stripe.period_closed": .periodClosed(try source.payload())
        case "stripe.drift_found": .driftFound(try source.payload())
        case "stripe.repaired": .repaired(try source.payload())
        case "stripe.reconciled": .reconciled(try source.payload())
        case "stripe.webhook_received": .webhookReceived(try source.payload())
        case "stripe.webhook_handled": .webhookHandled(try source.payload())
        case "dispute.opened": .disputeOpened(try source.payload())
        case "payment.refunded": .paymentRefunded(try source.payload())
        case "dispute.closed": .disputeClosed(try source.payload())
        default: nil
        }
    }
}
