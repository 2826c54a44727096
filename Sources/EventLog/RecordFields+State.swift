// Fields of what only snapshots hold: entities of the state with what was folded into them.

package import Billing

extension APIKey: Record {
    package static var recordName: StaticString { "api_key" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("created_at", .time, &value.createdAt)
        try visitor.field("id", .text, &value.id)
        try visitor.field("name", .text, &value.name)
        try visitor.optional("project", .text, &value.project)
        try visitor.optional("revoked_at", .time, &value.revokedAt)
        try visitor.field("role", .choice(), &value.role)
        try visitor.field("secret_hash", .hex, &value.secretHash)
    }
}

extension Grant: Record {
    package static var recordName: StaticString { "grant_state" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("active", .flag, &value.isActive)
        try visitor.field("burnt", .money, &value.burnt)
        try visitor.field("created_sequence", .sequence, &value.createdSequence)
        try visitor.field("ended", .flag, &value.isEnded)
        try visitor.field("expired", .money, &value.expired)
        try visitor.field("held", .money, &value.held)
        try visitor.field("remaining", .money, &value.remaining)
        try visitor.field("repaid", .money, &value.repaid)
        try visitor.field("revoked", .money, &value.revoked)
        try visitor.field("terms", .record(), &value.terms)
    }
}

extension Counter: Record {
    package static var recordName: StaticString { "counter" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("earliest_expiry", .time, &value.earliestExpiry)
        // The measure is the budget's: told apart by no one here.
        try visitor.field("held", .quantity(isMoney: true), &value.held)
        try visitor.field("open_holds", .count, &value.openHolds)
        try visitor.field("spent", .quantity(isMoney: true), &value.spent)
        try visitor.field("window", .record(), &value.window)
    }
}

extension CustomerTotals: Record {
    package static var recordName: StaticString { "customer_totals" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("absorbed", .money, &value.absorbed)
        try visitor.field("billable", .money, &value.billable)
        try visitor.field("charge", .money, &value.charge)
        try visitor.field("cost", .money, &value.cost)
        try visitor.field("expired_count", .count, &value.expiredCount)
        try visitor.field("from_grants", .money, &value.fromGrants)
        try visitor.field("overrun", .money, &value.overrun)
        try visitor.field("paid", .money, &value.paid)
        try visitor.field("recorded_count", .count, &value.recordedCount)
        try visitor.field("rejected_count", .count, &value.rejectedCount)
        try visitor.field("released_count", .count, &value.releasedCount)
        try visitor.field("reserved_count", .count, &value.reservedCount)
        try visitor.field("settled_count", .count, &value.settledCount)
        try visitor.field("tokens", .integer, &value.tokens)
    }
}

extension Customer: Record {
    package static var recordName: StaticString { "customer" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("billing_day", .count, &value.billingDay)
        try visitor.field("debt", .money, &value.debt)
        try visitor.field("grants", .list(.record()), &value.grants)
        try visitor.field("held_charge", .money, &value.heldCharge)
        try visitor.field("held_uncovered", .money, &value.heldUncovered)
        try visitor.field("id", .text, &value.id)
        try visitor.optional("name", .text, &value.name)
        try visitor.field("open_reservations", .count, &value.openReservations)
        try visitor.field("opened_at", .time, &value.openedAt)
        try visitor.field("opened_sequence", .sequence, &value.openedSequence)
        try visitor.field("plan", .text, &value.plan)
        try visitor.field("project", .text, &value.project)
        try visitor.field("status", .choice(), &value.status)
        try visitor.optional("status_reason", .text, &value.statusReason)
        try visitor.optional("stripe_customer", .text, &value.stripeCustomer)
        try visitor.field("terms", .record(), &value.terms)
        try visitor.field("totals", .record(), &value.totals)
    }
}

extension Run: Record {
    package static var recordName: StaticString { "run" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.optional("cap", .money, &value.cap)
        try visitor.field("cap_exceeded", .flag, &value.wasCapExceeded)
        try visitor.field("counter", .record(), &value.counter)
        try visitor.optional("customer", .text, &value.customer)
        try visitor.optional("ended_at", .time, &value.endedAt)
        try visitor.field("generation", .sequence, &value.generation)
        try visitor.field("id", .text, &value.id)
        try visitor.field("metadata", .tags, &value.metadata)
        try visitor.field("project", .text, &value.project)
        try visitor.field("started_at", .time, &value.startedAt)
        try visitor.field("status", .choice(), &value.status)
        try visitor.optional("status_reason", .text, &value.statusReason)
        try visitor.optional("stopped_at", .time, &value.stoppedAt)
        try visitor.optional("user", .text, &value.user)
    }
}

extension Reservation: Record {
    package static var recordName: StaticString { "reservation" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("actual", .record(), &value.actual)
        try visitor.field("allows_amount_settlement", .flag, &value.allowsAmountSettlement)
        try visitor.field("budgets", .list(.record()), &value.lines)
        try visitor.field("customer", .text, &value.subject.customer)
        try visitor.field("estimate", .record(), &value.estimate)
        try visitor.field("expires_at", .time, &value.expiresAt)
        try visitor.field("first_sequence", .sequence, &value.firstSequence)
        try visitor.field("funding", .record(), &value.funding)
        try visitor.field("id", .text, &value.id)
        try visitor.field("last_sequence", .sequence, &value.lastSequence)
        try visitor.field("model", .text, &value.model)
        try visitor.field("on_expiry", .choice(), &value.onExpiry)
        try visitor.field("project", .text, &value.subject.project)
        try visitor.field("reserved_at", .time, &value.reservedAt)
        try visitor.optional("run", .text, &value.subject.run)
        try visitor.field("split", .record(), &value.split)
        try visitor.field("status", .choice(), &value.status)
        try visitor.field("tags", .tags, &value.subject.tags)
        try visitor.optional("user", .text, &value.subject.user)
    }
}
