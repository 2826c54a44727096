// Fields of what an operator sets up: ledger, projects, plans, budgets, keys.

package import Billing

extension LedgerOpened: Record {
    package static var recordName: StaticString { "ledger_opened" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field(
            "currency", .text, &value.currency, "ISO 4217 code of the one currency of all amounts.")
        try visitor.field("ledger_id", .text, &value.ledgerID)
        try visitor.field(
            "test_clock", .flag, &value.isTestClock, omitting: false,
            "The caller sets the ledger's time: never for real money.")
    }
}

extension ClockAdvanced: Record {
    package static var recordName: StaticString { "clock_advanced" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("to", .time, &value.to, "Later events are not earlier than this.")
    }
}

extension ProjectSet: Record {
    package static var recordName: StaticString { "project_set" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try Project.fields(&visitor, &value.project)
    }
}

extension Project: Record {
    package static var recordName: StaticString { "project" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field(
            "allows_amount_settlement", .flag, &value.allowsAmountSettlement, omitting: false,
            "A call reserved by token counts may be settled by a plain amount.")
        try visitor.optional(
            "ceiling_rates", .record(), &value.ceilingRates,
            "For models without a price; absent: such calls are refused.")
        try visitor.field(
            "default_plan", .text, &value.defaultPlan,
            "Plan of customers that are opened by their first call.")
        try visitor.field(
            "hold_seconds", .count, &value.holdSeconds,
            "Life of a hold when the caller names none, in seconds.")
        try visitor.field("id", .text, &value.id)
        try visitor.field("name", .text, &value.name, omitting: "")
        try visitor.field("on_expiry", .choice(), &value.onExpiry)
    }
}

extension CeilingRates: Record {
    package static var recordName: StaticString { "ceiling_rates" }
    package static var recordNote: StaticString { "Rates where the price book has no answer." }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("input", .rate, &value.input)
        try visitor.field("output", .rate, &value.output)
    }
}

extension PlanSet: Record {
    package static var recordName: StaticString { "plan_set" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try Plan.fields(&visitor, &value.plan)
    }
}

extension Plan: Record {
    package static var recordName: StaticString { "plan" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("id", .text, &value.id)
        try visitor.field("name", .text, &value.name, omitting: "")
        try visitor.field("terms", .record(), &value.terms, omitting: Terms())
    }
}

extension Terms: Record {
    package static var recordName: StaticString { "terms" }
    package static var recordNote: StaticString {
        "Commercial terms; a customer's own go before those of its plan, field by field."
    }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.optional(
            "credit_limit", .money, &value.creditLimit,
            "Prepaid: how far below zero the balance may go. Postpaid: the most owed and held.")
        try visitor.optional("funding", .choice(), &value.funding)
        try visitor.optional(
            "funding_holds", .choice(), &value.fundingHolds,
            "Which figure of the estimate the funding check holds.")
        try visitor.optional(
            "markup_ppm", .partsPerMillion, &value.markupPartsPerMillion,
            "On cost: 200000 is 20 %.")
        try visitor.optional(
            "rate_card", .text, &value.rateCard, "Name of the rate card in the price book.")
    }
}

extension BudgetSet: Record {
    package static var recordName: StaticString { "budget_set" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try BudgetRule.fields(&visitor, &value.rule)
    }
}

extension BudgetRule: Record {
    package static var recordName: StaticString { "budget" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field(
            "amount", .quantity(isMoney: value.measure.isMoney), &value.amount,
            "The limit, in the budget's measure.")
        try visitor.field(
            "holds", .choice(), &value.holds, "Which figure of the estimate is held.")
        try visitor.field("id", .text, &value.id)
        try visitor.field(
            "match", .record(), &value.match, omitting: BudgetMatch(),
            "Calls it applies to; absent: all.")
        try visitor.field("measure", .choice(), &value.measure)
        try visitor.field(
            "name", .text, &value.name,
            "Of the budgets of one name that match a call only the most specific applies.")
        try visitor.field("on_exceed", .choice(), &value.onExceed)
        try visitor.field(
            "per", .list(.dimension), &value.per, omitting: [],
            "Dimensions that get a counter each.")
        try visitor.field(
            "time_zone", .text, &value.timeZone, "IANA name; the window follows its calendar.")
        try visitor.field("window", .choice(), &value.window)
    }
}

extension BudgetMatch: Record {
    package static var recordName: StaticString { "budget_match" }
    package static var recordNote: StaticString { "All that is named here must be on the call." }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.optional("customer", .text, &value.customer)
        try visitor.optional(
            "model", .text, &value.model,
            "Glob over the model asked for: * any run of characters, ? one.")
        try visitor.optional("plan", .text, &value.plan)
        try visitor.optional("project", .text, &value.project)
        try visitor.optional("run", .text, &value.run)
        try visitor.field("tags", .tags, &value.tags, omitting: [])
        try visitor.optional("user", .text, &value.user)
    }
}

extension BudgetRemoved: Record {
    package static var recordName: StaticString { "budget_removed" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("budget", .text, &value.budget, "Its id.")
    }
}

extension KeyCreated: Record {
    package static var recordName: StaticString { "key_created" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("id", .text, &value.id)
        try visitor.field("name", .text, &value.name, omitting: "")
        try visitor.optional(
            "project", .text, &value.project, "The one project it may act in; absent: all.")
        try visitor.field("role", .choice(), &value.role)
        try visitor.field("secret_hash", .hex, &value.secretHash, "SHA-256 of the whole secret.")
    }
}

extension KeyRevoked: Record {
    package static var recordName: StaticString { "key_revoked" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("id", .text, &value.id)
    }
}
