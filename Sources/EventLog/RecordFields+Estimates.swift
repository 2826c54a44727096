// Fields of what several `usage.*` events have in common: figures, estimates, budget lines, funds.

package import Billing
import Money

extension CallFigures: Record {
    package static var recordName: StaticString { "call_figures" }
    package static var recordNote: StaticString {
        "What one call amounts to, in every measure a budget can have."
    }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("charge", .money, &value.charge, "What the customer is billed.")
        try visitor.field("cost", .money, &value.cost, "What the provider bills.")
        try visitor.field(
            "requests", .count, &value.requests, omitting: 1, "0 for a call that was not made.")
        try visitor.field("tokens", .count, &value.tokens, "Prompt and output tokens.")
    }
}

extension Estimate: Record {
    package static var recordName: StaticString { "estimate" }
    package static var recordNote: StaticString {
        "The two numbers of a call before it is made, and how they came about."
    }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field(
            "bound", .record(), &value.bound, "Cannot be exceeded if the output cap is honoured.")
        try visitor.optional(
            "card_price", .record(), &value.cardPrice,
            "The customer's rate-card entry when the charge is rated by it.")
        try visitor.optional(
            "ceiling", .record(), &value.ceiling,
            "The project's rates for models without a price, when they were used.")
        try visitor.field(
            "completions", .count, &value.completions, omitting: 1,
            "Answers asked for; each has the output tokens below.")
        try visitor.field(
            "expected", .record(), &value.expected, "What the call will probably come to.")
        try visitor.field("expected_output_tokens", .count, &value.expectedOutputTokens)
        try visitor.optional(
            "extra_output_tokens", .count, &value.extraOutputTokens,
            "In the bound beyond the output cap, of each answer: a prediction may be rejected.")
        try visitor.optional(
            "full_contexts", .count, &value.fullContexts,
            "Of how many prompts the bound took the model's maximum.")
        try visitor.optional(
            "input_audio_tokens", .count, &value.inputAudioTokens, "Part of the prompt.")
        try visitor.optional(
            "input_image_tokens", .count, &value.inputImageTokens, "Part of the prompt.")
        try visitor.field(
            "input_tokens", .count, &value.inputTokens,
            "The whole prompt as expected, cache included.")
        try visitor.field("marks", .list(.choice()), &value.marks, omitting: [])
        try visitor.field(
            "markup_ppm", .partsPerMillion, &value.markupPartsPerMillion, omitting: 0,
            "On cost: 200000 is 20 %.")
        try visitor.optional(
            "max_input_tokens", .count, &value.maxInputTokens,
            "The bound's prompt, when it is larger than the expected one.")
        try visitor.field("max_output_tokens", .count, &value.maxOutputTokens)
        try visitor.field("method", .choice(), &value.method, "Where the counts came from.")
        try visitor.optional(
            "price", .record(), &value.price,
            "The provider price; absent when the caller gave an amount.")
        try visitor.optional(
            "source", .record(), &value.source,
            "Where the counts came from, when they were counted in the request itself.")
        try visitor.field(
            "tier", .choice(), &value.tier, omitting: .standard,
            "The dearest that may be served.")
    }
}

extension EstimateSource: Record {
    package static var recordName: StaticString { "estimate_source" }
    package static var recordNote: StaticString {
        "A request whose size was taken: names, sizes and a hash, never its text."
    }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("dialect", .text, &value.dialect, "How the request was written.")
        try visitor.field("request_bytes", .count, &value.requestBytes)
        try visitor.optional(
            "request_sha256", .hex, &value.requestSHA256,
            "Of the request: as received at the gateway, of its RFC 8785 form elsewhere.")
        try visitor.field("tokenizer", .text, &value.tokenizer, "What counted its text.")
        try visitor.field(
            "unbounded", .list(.text), &value.unbounded, omitting: [],
            "Places in it whose cost nothing bounds; the caller let them through.")
    }
}

extension RatedUsage: Record {
    package static var recordName: StaticString { "rated_usage" }
    package static var recordNote: StaticString {
        "What was used and what it costs, rated at a pinned price."
    }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field(
            "above_prompt_tokens", .count, &value.abovePromptTokens, omitting: 0,
            "Prompt-size threshold whose rates were used.")
        try visitor.optional("card_price", .record(), &value.cardPrice)
        try visitor.field("charge", .money, &value.charge, "What the customer is billed.")
        try visitor.field("cost", .money, &value.cost, "What the provider bills.")
        try visitor.field(
            "counts", .usageCounts, &value.counts, omitting: UsageCounts(),
            "Units are disjoint: input excludes cached tokens, output excludes reasoning.")
        try visitor.field("marks", .list(.choice()), &value.marks, omitting: [])
        try visitor.optional(
            "price", .record(), &value.price, "Absent when settled by an amount.")
        try visitor.field(
            "tier", .choice(), &value.tier, omitting: .standard, "As served.")
    }
}

extension Window: Record {
    package static var recordName: StaticString { "window" }
    package static var recordNote: StaticString {
        "A span of time: start belongs to it, end does not; no end is for ever."
    }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.optional("end", .time, &value.end)
        try visitor.field("start", .time, &value.start)
    }
}

extension BudgetLine: Record {
    package static var recordName: StaticString { "budget_line" }
    package static var recordNote: StaticString {
        "One counter and what the call did to it; its figures are those before the call."
    }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        let isMoney = value.measure.isMoney
        try visitor.optional(
            "amount", .quantity(isMoney: isMoney), &value.amount, "The limit; absent: none.")
        try visitor.field(
            "budget", .text, &value.budget, "Id of the budget; $run: the run's own cap.")
        try visitor.field(
            "generation", .sequence, &value.generation,
            "The event since which the counter counts.")
        try visitor.field("held", .quantity(isMoney: isMoney), &value.held)
        try visitor.field(
            "hold", .quantity(isMoney: isMoney), &value.hold, "What this call holds.")
        try visitor.field("measure", .choice(), &value.measure)
        try visitor.field("outcome", .choice(), &value.outcome, omitting: .fits)
        try visitor.field(
            "scope", .text, &value.scope, omitting: "",
            "Which of the budget's counters: values of its dimensions, joined by slashes.")
        try visitor.field("spent", .quantity(isMoney: isMoney), &value.spent)
        try visitor.field("window", .record(), &value.window)
    }
}

extension CounterReference: Record {
    package static var recordName: StaticString { "counter_reference" }
    package static var recordNote: StaticString { "Names one counter of a budget." }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("budget", .text, &value.budget)
        try visitor.field("generation", .sequence, &value.generation)
        try visitor.field("measure", .choice(), &value.measure)
        try visitor.field("scope", .text, &value.scope, omitting: "")
        try visitor.field("window_start", .time, &value.windowStart)
    }
}

extension GrantPortion: Record {
    package static var recordName: StaticString { "grant_portion" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("amount", .money, &value.amount)
        try visitor.field("grant", .text, &value.grant, "Its id.")
    }
}

extension FundingHold: Record {
    package static var recordName: StaticString { "funding_hold" }
    package static var recordNote: StaticString {
        "What the hold has taken from the customer's funds."
    }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field(
            "grants", .list(.record()), &value.grants, omitting: [], "In burn order.")
        try visitor.field("mode", .choice(), &value.mode)
        try visitor.field(
            "uncovered", .money, &value.uncovered, "The part that no grant covers.")
    }
}

extension FundingSplit: Record {
    package static var recordName: StaticString { "funding_split" }
    package static var recordNote: StaticString {
        "Where a charge went; its parts, absent ones being zero, add up to it."
    }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field(
            "absorbed", .money, &value.absorbed, omitting: .zero,
            "Borne by the operator (unfunded).")
        try visitor.field(
            "billable", .money, &value.billable, omitting: .zero,
            "Billed to the customer (postpaid).")
        try visitor.field(
            "debt", .money, &value.debt, omitting: .zero, "Beyond the grants (prepaid).")
        try visitor.field(
            "grants", .list(.record()), &value.grants, omitting: [], "In burn order.")
    }
}

extension FundsView: Record {
    package static var recordName: StaticString { "funds" }
    package static var recordNote: StaticString {
        "The customer's funds at the moment of the decision, before the call; absent amounts are zero."
    }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.optional("credit_limit", .money, &value.creditLimit)
        try visitor.field(
            "grants_available", .money, &value.grantsAvailable, omitting: .zero,
            "In grants usable for the model, not held.")
        try visitor.field(
            "held_uncovered", .money, &value.heldUncovered, omitting: .zero,
            "Held by open reservations beyond grants.")
        try visitor.field("mode", .choice(), &value.mode)
        try visitor.field("need", .money, &value.need, "What this call needs of the funds.")
        try visitor.field(
            "owed", .money, &value.owed, omitting: .zero,
            "What is owed (postpaid) or the debt (prepaid).")
    }
}
