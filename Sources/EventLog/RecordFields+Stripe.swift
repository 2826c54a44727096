// The fields of events between the ledger and Stripe.

package import Billing

extension StripePushPlanned: Record {
    package static var recordName: StaticString { "stripe_push_planned" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("billable", .money, &value.billable, "Usage that is in it.")
        try visitor.field("body", .text, &value.body, "The request's body, byte for byte.")
        try visitor.field(
            "carried_after", .money, &value.carriedAfter,
            "What is carried on to the next push.")
        try visitor.field(
            "carried_before", .money, &value.carriedBefore,
            "What was carried from earlier pushes.")
        try visitor.optional("drift", .text, &value.drift, "Of a repair: what it makes up for.")
        try visitor.field(
            "identifier", .text, &value.identifier,
            "Of the meter event; also the request's Idempotency-Key.")
        try visitor.field("kind", .choice(), &value.kind)
        try visitor.field("meter", .text, &value.meter, "The meter's event name.")
        try visitor.field(
            "quantity", .integer, &value.quantity,
            "Whole micro-units of the currency.")
        try visitor.field("stripe_customer", .text, &value.stripeCustomer)
        try visitor.field(
            "through_sequence", .sequence, &value.throughSequence,
            "Last event of the log whose usage may be in it.")
        try visitor.field(
            "timestamp", .time, &value.timestamp,
            "What the meter event is stamped with.")
        try visitor.field(
            "windows", .list(.record()), &value.windows, omitting: [],
            "Where billable comes from.")
    }
}

extension StripeWindow: Record {
    package static var recordName: StaticString { "stripe_window" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("billable", .money, &value.billable)
        try visitor.field("start", .time, &value.start)
    }
}

extension StripePushAccepted: Record {
    package static var recordName: StaticString { "stripe_push_accepted" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("evidence", .choice(), &value.evidence, "How it is known.")
        try visitor.field("identifier", .text, &value.identifier)
        try visitor.field(
            "is_duplicate", .flag, &value.isDuplicate, omitting: false,
            "Stripe had it before: an earlier answer was lost.")
        try visitor.optional("request_id", .text, &value.requestID)
    }
}

extension StripePushFailed: Record {
    package static var recordName: StaticString { "stripe_push_failed" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("attempts", .count, &value.attempts)
        try visitor.field("code", .text, &value.code)
        try visitor.field("identifier", .text, &value.identifier)
        try visitor.optional("message", .text, &value.message)
        try visitor.optional("request_id", .text, &value.requestID)
    }
}

extension StripePushRejected: Record {
    package static var recordName: StaticString { "stripe_push_rejected" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("code", .text, &value.code)
        try visitor.field(
            "disposition", .choice(), &value.disposition,
            "What becomes of its usage: it goes into a new push, waits for somebody to see to it, or was made up for."
        )
        try visitor.optional("drift", .text, &value.drift)
        try visitor.field("evidence", .choice(), &value.evidence, "How it is known.")
        try visitor.field("identifier", .text, &value.identifier)
        try visitor.optional("message", .text, &value.message)
        try visitor.optional("request_id", .text, &value.requestID)
    }
}

extension StripeSubscriptionSeen: Record {
    package static var recordName: StaticString { "stripe_subscription_seen" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.optional("ended_at", .time, &value.endedAt, "Absent: it goes on.")
        try visitor.field("period_end", .time, &value.periodEnd)
        try visitor.field("period_start", .time, &value.periodStart)
        try visitor.field(
            "price", .text, &value.price,
            "Of the subscription's item that the meter feeds.")
        try visitor.field("seen_at", .time, &value.seenAt, "When Stripe said so.")
        try visitor.field("status", .text, &value.status)
        try visitor.field("subscription", .text, &value.subscription)
    }
}

extension StripePeriodClosed: Record {
    package static var recordName: StaticString { "stripe_period_closed" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.optional(
            "amount_minor_units", .integer, &value.amountMinorUnits,
            "What the invoice's line charges.")
        try visitor.field("billed", .integer, &value.billed, "Micro-units on the invoice.")
        try visitor.optional(
            "invoice", .text, &value.invoice,
            "Absent: the period ended without one.")
        try visitor.field("period_end", .time, &value.periodEnd)
        try visitor.field("period_start", .time, &value.periodStart)
        try visitor.field(
            "pushed", .integer, &value.pushed,
            "Micro-units of every push stamped in the period, repairs aside.")
        try visitor.optional("subscription", .text, &value.subscription)
    }
}

extension StripeDriftFound: Record {
    package static var recordName: StaticString { "stripe_drift_found" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("drift", .text, &value.drift)
        try visitor.field("ledger", .integer, &value.ledger, "Micro-units that were pushed.")
        try visitor.field("period_start", .time, &value.periodStart)
        try visitor.field("stripe", .integer, &value.stripe, "Micro-units that Stripe counts.")
        try visitor.field("through", .time, &value.through, "Up to when both were summed.")
    }
}

extension StripeRepaired: Record {
    package static var recordName: StaticString { "stripe_repaired" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("drift", .text, &value.drift)
        try visitor.field("how", .choice(), &value.how)
    }
}

extension StripeReconciled: Record {
    package static var recordName: StaticString { "stripe_reconciled" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("checked", .count, &value.checked, "Customers whose sums were read.")
        try visitor.field("differing", .count, &value.differing)
        try visitor.field("equal", .count, &value.equal)
        try visitor.field(
            "failed", .count, &value.failed,
            "Customers whose sums could not be read.")
        try visitor.field(
            "pending", .count, &value.pending,
            "Customers whose last push is too young to judge.")
    }
}

extension StripeWebhookReceived: Record {
    package static var recordName: StaticString { "stripe_webhook_received" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.optional("account", .text, &value.account)
        try visitor.optional("api_version", .text, &value.apiVersion)
        try visitor.field("body_sha256", .hex, &value.bodySHA256, "Of the bytes as they came.")
        try visitor.field("created_at", .time, &value.createdAt, "When Stripe made it.")
        try visitor.field(
            "details", .tags, &value.details, omitting: [],
            "Fields of its object that may be needed, each by its path.")
        try visitor.field("id", .text, &value.id)
        try visitor.field(
            "is_thin", .flag, &value.isThin, omitting: false,
            "It came without its object.")
        try visitor.field("livemode", .flag, &value.isLive, omitting: false)
        try visitor.optional("object_id", .text, &value.objectID)
        try visitor.field("type", .text, &value.type)
    }
}

extension StripeWebhookHandled: Record {
    package static var recordName: StaticString { "stripe_webhook_handled" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("id", .text, &value.id)
        try visitor.optional("note", .text, &value.note)
        try visitor.field("outcome", .choice(), &value.outcome, "What followed from it.")
    }
}

extension DisputeOpened: Record {
    package static var recordName: StaticString { "dispute_opened" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("amount_minor_units", .integer, &value.amountMinorUnits)
        try visitor.optional("charge", .text, &value.charge)
        try visitor.field("currency", .text, &value.currency)
        try visitor.field("dispute", .text, &value.dispute)
        try visitor.optional("due_by", .time, &value.dueBy, "Absent: there is nothing to answer.")
        try visitor.optional(
            "grant", .text, &value.grant,
            "The credit that the payment had bought.")
        try visitor.optional("payment_intent", .text, &value.paymentIntent)
        try visitor.field("reason", .text, &value.reason)
        try visitor.field("status", .text, &value.status)
    }
}

extension PaymentRefunded: Record {
    package static var recordName: StaticString { "payment_refunded" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("charge", .text, &value.charge)
        try visitor.optional(
            "grant", .text, &value.grant,
            "The credit that is left, where some is.")
        try visitor.field("payment_intent", .text, &value.paymentIntent)
        try visitor.field(
            "refunded_minor_units", .count, &value.refundedMinorUnits,
            "Given back of the payment so far.")
        try visitor.field(
            "short", .money, &value.short,
            "Credit that was spent before it could be taken.")
        try visitor.field("taken", .money, &value.taken, "Credit that was taken back.")
    }
}

extension DisputeClosed: Record {
    package static var recordName: StaticString { "dispute_closed" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("dispute", .text, &value.dispute)
        try visitor.field("status", .text, &value.status)
    }
}
