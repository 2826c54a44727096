// Fields of the price book.

package import Billing

extension PriceBookPublished: Record {
    package static var recordName: StaticString { "price_book_published" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field("effective_at", .time, &value.effectiveAt)
        try visitor.field(
            "removals", .list(.record()), &value.removals, omitting: [],
            "Entries of the version before that are no longer there.")
        try visitor.field(
            "source", .text, &value.source, omitting: "", "Where the figures come from.")
        try visitor.field(
            "upserts", .list(.record()), &value.upserts, omitting: [],
            "Entries that are new or replace those of the same model and card.")
        try visitor.field("version", .count, &value.version)
    }
}

extension PriceEntryName: Record {
    package static var recordName: StaticString { "price_entry_name" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field(
            "card", .text, &value.card, omitting: "", "Rate card; absent: the provider's prices.")
        try visitor.field("model", .text, &value.model)
    }
}

extension PriceEntry: Record {
    package static var recordName: StaticString { "price_entry" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field(
            "alias_of", .text, &value.aliasOf, omitting: "",
            "The name stands for that model and has no rates of its own.")
        try visitor.field(
            "card", .text, &value.card, omitting: "", "Rate card; absent: the provider's prices.")
        try visitor.field(
            "deprecation_date", .text, &value.deprecationDate, omitting: "",
            "Date of retirement as published.")
        try visitor.optional("max_input_tokens", .count, &value.maxInputTokens)
        try visitor.optional("max_output_tokens", .count, &value.maxOutputTokens)
        try visitor.field("mode", .text, &value.mode, omitting: "")
        try visitor.field("model", .text, &value.model)
        try visitor.field("multipliers", .list(.record()), &value.multipliers, omitting: [])
        try visitor.field("provider", .text, &value.provider, omitting: "")
        try visitor.field("rates", .list(.record()), &value.rates, omitting: [])
        try visitor.field(
            "source", .text, &value.source, omitting: "", "Where the figures were published.")
    }
}

extension PriceRate: Record {
    package static var recordName: StaticString { "price_rate" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field(
            "above_prompt_tokens", .count, &value.abovePromptTokens, omitting: 0,
            "Holds for the whole request when its prompt, cache included, is larger than this.")
        try visitor.field("rate", .rate, &value.rate)
        try visitor.field("tier", .choice(), &value.tier, omitting: .standard)
        try visitor.field("unit", .choice(), &value.unit)
    }
}

extension PriceMultiplier: Record {
    package static var recordName: StaticString { "price_multiplier" }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        try visitor.field(
            "attribute", .text, &value.attribute, "name=value, as the usage states it.")
        try visitor.field(
            "ppm", .partsPerMillion, &value.partsPerMillion,
            "Factor on all rates of the entry: 1100000 is × 1.1.")
    }
}

extension PriceReference: Record {
    package static var recordName: StaticString { "price_reference" }
    package static var recordNote: StaticString {
        "Names an entry in a version of the price book for ever."
    }
    package static func blank() -> Self { Self() }

    package static func fields<V: RecordVisitor>(
        _ visitor: inout V, _ value: inout Self
    ) throws(V.Failure) {
        // A name that is its own entry is the usual case, and says so once.
        var chain = value.isItsOwnChain ? nil : value.chain
        try visitor.field("book", .count, &value.bookVersion, "Version of the price book.")
        try visitor.field(
            "card", .text, &value.card, omitting: "", "Rate card; absent: the provider's prices.")
        try visitor.optional(
            "chain", .list(.text), &chain,
            "Names from the one asked for to the entry; absent: the entry alone.")
        try visitor.field("entry", .text, &value.entry, "Model of the entry used.")
        if let chain {
            value.chain = chain
        } else if !value.isItsOwnChain {
            value.chain = [value.entry]
        }
    }

    /// By bytes: a name in another spelling that Unicode holds for the same is another name.
    private var isItsOwnChain: Bool {
        chain.count == 1 && chain[0].utf8.count == entry.utf8.count
            && chain[0].utf8.elementsEqual(entry.utf8)
    }
}
