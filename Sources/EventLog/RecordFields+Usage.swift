// Fields of `usage.*`. What describes the call (`CallDescription`) lies flat among the others.

package import Billing
import Money

extension UsageEstimated: Record {
    package static var recordName: StaticString { "usage_estimated" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("estimate", .record(), &value.estimate)
        try visitor.field("model", .text, &value.call.model)
        try visitor.optional("occurred_at", .time, &value.call.occurredAt, occurredAtNote)
        try visitor.field("plan", .text, &value.call.plan, planNote)
        try visitor.optional("run", .text, &value.call.run)
        try visitor.field("tags", .tags, &value.call.tags, omitting: [])
        try visitor.optional("user", .text, &value.call.user)
    }
}

extension UsageReserved: Record {
    package static var recordName: StaticString { "usage_reserved" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field(
            "allows_amount_settlement", .flag, &value.allowsAmountSettlement, omitting: false,
            "May be settled by a plain amount.")
        try visitor.field("budgets", .list(.record()), &value.lines, omitting: [], budgetsNote)
        try visitor.optional(
            "clamped_from", .count, &value.clampedFrom,
            "The output cap asked for, in tokens, when a budget lowered it.")
        try visitor.field("estimate", .record(), &value.estimate)
        try visitor.field(
            "expires_at", .time, &value.expiresAt, "From this instant the hold does not count.")
        try visitor.field("funding", .record(), &value.funding)
        try visitor.field("funds", .record(), &value.funds)
        try visitor.field("model", .text, &value.call.model)
        try visitor.optional("occurred_at", .time, &value.call.occurredAt, occurredAtNote)
        try visitor.field("on_expiry", .choice(), &value.onExpiry, omitting: .release)
        try visitor.field("plan", .text, &value.call.plan, planNote)
        try visitor.optional("run", .text, &value.call.run)
        try visitor.field("tags", .tags, &value.call.tags, omitting: [])
        try visitor.optional("user", .text, &value.call.user)
    }
}

extension UsageRejected: Record {
    package static var recordName: StaticString { "usage_rejected" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        // Without a measure the rule is about funds.
        let isMoney = value.measure?.isMoney ?? true
        try visitor.optional(
            "affordable_max_tokens", .count, &value.affordableMaxTokens,
            "The highest output cap that would have passed; absent: none.")
        try visitor.optional(
            "amount", .quantity(isMoney: isMoney), &value.amount, "Limit of the refusing rule.")
        try visitor.optional("available", .quantity(isMoney: isMoney), &value.available)
        try visitor.optional("budget", .text, &value.budget, "Id of the budget that refused.")
        try visitor.field("budgets", .list(.record()), &value.lines, omitting: [], budgetsNote)
        try visitor.field("code", .choice(), &value.code)
        try visitor.optional(
            "estimate", .record(), &value.estimate, "Absent when the price is unknown.")
        try visitor.optional(
            "frees_at", .time, &value.freesAt,
            "The window's end, or the earliest expiry of a hold in the way.")
        try visitor.optional("funds", .record(), &value.funds)
        try visitor.optional("held", .quantity(isMoney: isMoney), &value.held)
        try visitor.optional(
            "measure", .choice(), &value.measure, "Of the figures here; absent: money.")
        try visitor.field("model", .text, &value.call.model)
        try visitor.optional(
            "need", .quantity(isMoney: isMoney), &value.need, "What the call would have held.")
        try visitor.optional("occurred_at", .time, &value.call.occurredAt, occurredAtNote)
        try visitor.field("plan", .text, &value.call.plan, planNote)
        try visitor.optional(
            "reason", .text, &value.reason, "Why the customer is suspended or the run stopped.")
        try visitor.field("rule", .choice(), &value.rule)
        try visitor.optional("run", .text, &value.call.run)
        try visitor.optional("spent", .quantity(isMoney: isMoney), &value.spent)
        try visitor.field("tags", .tags, &value.call.tags, omitting: [])
        try visitor.optional("user", .text, &value.call.user)
    }
}

extension UsageExtended: Record {
    package static var recordName: StaticString { "usage_extended" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("expires_at", .time, &value.expiresAt)
        try visitor.field("previous", .sequence, &value.previous, previousNote)
    }
}

extension UsageSettled: Record {
    package static var recordName: StaticString { "usage_settled" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.optional(
            "bound_ratio_ppm", .partsPerMillion, &value.boundRatio,
            "Actual cost ÷ the bound; absent when the bound was zero.")
        try visitor.field("counters", .list(.record()), &value.counters, omitting: [], countersNote)
        try visitor.optional(
            "expected_ratio_ppm", .partsPerMillion, &value.expectedRatio,
            "Actual cost ÷ the expected one; absent when that was zero.")
        try visitor.field(
            "late", .flag, &value.isLate, omitting: false, "The hold had expired before.")
        try visitor.optional("occurred_at", .time, &value.occurredAt, occurredAtNote)
        try visitor.field(
            "overrun", .money, &value.overrun, omitting: .zero, "Charge above what was held.")
        try visitor.field("previous", .sequence, &value.previous, previousNote)
        try visitor.field("rated", .record(), &value.rated)
        try visitor.field(
            "repaid_debt", .list(.record()), &value.repaidDebt, omitting: [], repaidNote)
        try visitor.field(
            "replaced", .record(), &value.replaced, omitting: .zero,
            "What the expiry had charged provisionally.")
        try visitor.field(
            "split", .record(), &value.split,
            "Of the charge; of its change when it was late.")
    }
}

extension UsageReleased: Record {
    package static var recordName: StaticString { "usage_released" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("previous", .sequence, &value.previous, previousNote)
        try visitor.optional("reason", .text, &value.reason)
        try visitor.field(
            "repaid_debt", .list(.record()), &value.repaidDebt, omitting: [], repaidNote)
    }
}

extension UsageExpired: Record {
    package static var recordName: StaticString { "usage_expired" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field(
            "expired_at", .time, &value.expiredAt,
            "The instant from which the hold no longer counted.")
        try visitor.field("policy", .choice(), &value.policy)
        try visitor.field("previous", .sequence, &value.previous, previousNote)
        try visitor.field(
            "provisional", .record(), &value.provisional, omitting: .zero,
            "The expected estimate, charged until the true usage comes.")
        try visitor.field(
            "repaid_debt", .list(.record()), &value.repaidDebt, omitting: [], repaidNote)
        try visitor.field("split", .record(), &value.split, omitting: FundingSplit())
    }
}

extension UsageAdjusted: Record {
    package static var recordName: StaticString { "usage_adjusted" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("author", .text, &value.author)
        try visitor.field("charge", .money, &value.charge, "Added to what was charged.")
        try visitor.field(
            "corrects", .sequence, &value.corrects, "First event of what is corrected.")
        try visitor.field("cost", .money, &value.cost, "Added to the cost.")
        try visitor.field("counters", .list(.record()), &value.counters, omitting: [], countersNote)
        try visitor.field("previous", .sequence, &value.previous, previousNote)
        try visitor.optional(
            "rated", .record(), &value.rated, "The corrected usage, when usage was given.")
        try visitor.field("reason", .text, &value.reason)
        try visitor.field(
            "repaid_debt", .list(.record()), &value.repaidDebt, omitting: [], repaidNote)
        try visitor.field("split", .record(), &value.split, omitting: FundingSplit())
        try visitor.field(
            "tokens", .integer, &value.tokens, omitting: 0, "Added to the tokens.")
    }
}

extension UsageRecorded: Record {
    package static var recordName: StaticString { "usage_recorded" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("budgets", .list(.record()), &value.lines, omitting: [], budgetsNote)
        try visitor.optional(
            "ceiling", .record(), &value.ceiling,
            "The project's rates for models without a price, when they were used.")
        try visitor.field(
            "markup_ppm", .partsPerMillion, &value.markupPartsPerMillion, omitting: 0,
            "On cost: 200000 is 20 %.")
        try visitor.field("mode", .choice(), &value.mode)
        try visitor.field("model", .text, &value.call.model)
        try visitor.optional("occurred_at", .time, &value.call.occurredAt, occurredAtNote)
        try visitor.field("plan", .text, &value.call.plan, planNote)
        try visitor.field("rated", .record(), &value.rated)
        try visitor.optional("run", .text, &value.call.run)
        try visitor.field("split", .record(), &value.split)
        try visitor.field("tags", .tags, &value.call.tags, omitting: [])
        try visitor.optional("user", .text, &value.call.user)
    }
}

private let budgetsNote: StaticString = "Every counter that the call touched."
private let countersNote: StaticString = "The reservation's counters."
private let occurredAtNote: StaticString = "When the caller says it happened."
private let planNote: StaticString = "Plan the customer was on."
private let previousNote: StaticString = "The reservation's event before this one."
private let repaidNote: StaticString =
    "Debt repaid with what came back to grants; below zero: a repayment undone."
