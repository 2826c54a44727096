// Fields of customers, their credit and their runs.

package import Billing
import Money

extension CustomerOpened: Record {
    package static var recordName: StaticString { "customer_opened" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field(
            "billing_day", .count, &value.billingDay, omitting: 1,
            "Day of the month on which its billing periods start.")
        try visitor.field(
            "first_sight", .flag, &value.isFirstSight, omitting: false,
            "Opened by its first call rather than by an operator.")
        try visitor.optional("name", .text, &value.name)
        try visitor.field("plan", .text, &value.plan)
        try visitor.field("terms", .record(), &value.terms, omitting: Terms())
    }
}

extension CustomerUpdated: Record {
    package static var recordName: StaticString { "customer_updated" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field(
            "billing_day", .count, &value.billingDay, omitting: 1,
            "Day of the month on which its billing periods start.")
        try visitor.optional("name", .text, &value.name)
        try visitor.field("plan", .text, &value.plan)
        try visitor.field("terms", .record(), &value.terms, omitting: Terms())
    }
}

extension CustomerSuspended: Record {
    package static var recordName: StaticString { "customer_suspended" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("reason", .text, &value.reason)
    }
}

extension CustomerResumed: Record {
    package static var recordName: StaticString { "customer_resumed" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {}
}

extension CustomerClosed: Record {
    package static var recordName: StaticString { "customer_closed" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("reason", .text, &value.reason)
    }
}

extension CustomerLinked: Record {
    package static var recordName: StaticString { "customer_linked" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("stripe_customer", .text, &value.stripeCustomer)
    }
}

extension CreditGranted: Record {
    package static var recordName: StaticString { "credit_granted" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("grant", .record(), &value.grant)
        try visitor.field(
            "repaid_debt", .money, &value.repaidDebt, omitting: .zero,
            "Part that repaid debt at once.")
    }
}

extension GrantTerms: Record {
    package static var recordName: StaticString { "grant" }
    package static var recordNote: StaticString { "A credit grant as it was given." }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("amount", .money, &value.amount)
        try visitor.field("category", .choice(), &value.category)
        try visitor.field("effective_at", .time, &value.effectiveAt)
        try visitor.optional("expires_at", .time, &value.expiresAt)
        try visitor.field("id", .text, &value.id)
        try visitor.field(
            "models", .list(.text), &value.models, omitting: [],
            "Globs over the model; absent: usable for every model.")
        try visitor.field(
            "priority", .integer, &value.priority, omitting: 0, "Lower burns first.")
        try visitor.field("source", .choice(), &value.source)
        try visitor.optional(
            "source_reference", .text, &value.sourceReference,
            "Checkout session, invoice, or the reservation that a correction belongs to.")
    }
}

extension CreditActivated: Record {
    package static var recordName: StaticString { "credit_activated" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("grant", .text, &value.grant, "Its id.")
        try visitor.field(
            "repaid_debt", .money, &value.repaidDebt, omitting: .zero,
            "Part that repaid debt at once.")
    }
}

extension CreditEnded: Record {
    package static var recordName: StaticString { "credit_ended" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("amount", .money, &value.amount, "What was lost at once.")
        try visitor.field("grant", .text, &value.grant, "Its id.")
        try visitor.optional("reason", .text, &value.reason)
    }
}

extension PaymentReceived: Record {
    package static var recordName: StaticString { "payment_received" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("amount", .money, &value.amount)
        try visitor.optional("reference", .text, &value.reference)
    }
}

extension RunStarted: Record {
    package static var recordName: StaticString { "run_started" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.optional(
            "cap", .money, &value.cap, "Most that the run's calls may be charged; absent: no cap.")
        try visitor.field("metadata", .tags, &value.metadata, omitting: [])
        try visitor.field("run", .text, &value.run)
        try visitor.optional("user", .text, &value.user)
    }
}

extension RunStopped: Record {
    package static var recordName: StaticString { "run_stopped" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.optional("reason", .text, &value.reason)
        try visitor.field("run", .text, &value.run)
    }
}

extension RunEnded: Record {
    package static var recordName: StaticString { "run_ended" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("run", .text, &value.run)
    }
}
