import CanonicalJSON

// How single values are shown to people.

/// An instant without its fraction: 2026-11-22T14:45:19Z.
func shortTime(_ value: JSONValue?) -> String {
    guard let text = value.text else { return "" }
    guard let point = text.firstIndex(of: "."), text.hasSuffix("Z") else { return text }
    return text[..<point] + "Z"
}

/// A budget's quantity: an amount as it is, a count in groups of three.
func quantity(_ value: JSONValue?) -> String {
    value.integer.map { grouped($0) } ?? value.word
}

/// "charge 5.00 a month" of a budget.
func limitPhrase(_ budget: JSONValue) -> String {
    let window = budget["window"].text ?? budget["window_kind"].word
    let words = ["run": "a run", "lifetime": "for ever", "billing_period": "a billing period"]
    return "\(budget["measure"].word) \(quantity(budget["amount"])) "
        + (words[window] ?? (window == "hour" ? "an hour" : "a \(window)"))
}

/// "a=1, b=2" of tags or attributes.
func pairs(_ value: JSONValue?) -> String? {
    let pairs = value.members.map { "\($0.key)=\($0.value.word)" }
    return pairs.isEmpty ? nil : pairs.joined(separator: ", ")
}

/// "customer acme, model gpt-*" of a budget's match; what it applies to.
func matchPhrase(_ match: JSONValue?) -> String {
    let parts = match.members.map { member in
        member.key == "tags"
            ? "tags \(pairs(member.value) ?? "")" : "\(member.key) \(member.value.word)"
    }
    return parts.isEmpty ? "every call" : parts.joined(separator: ", ")
}

/// "prepaid, credit limit 5, markup 20%" of terms.
func termsPhrase(_ terms: JSONValue?) -> String {
    var parts: [String] = []
    if let funding = terms["funding"].text { parts.append(funding) }
    if let limit = terms["credit_limit"].text { parts.append("credit limit \(limit)") }
    if let holds = terms["funding_holds"].text { parts.append("holds \(holds)") }
    if let markup = terms["markup_ppm"].integer {
        parts.append("markup \(Percentage.text(partsPerMillion: markup))")
    }
    if let card = terms["rate_card"].text { parts.append("rate card \(card)") }
    return parts.isEmpty ? "none of its own" : parts.joined(separator: ", ")
}

/// "gpt-4o → gpt-4o-2024-11-20, book version 3" of a pinned price.
func pricePhrase(_ price: JSONValue?) -> String? {
    guard let price else { return nil }
    let chain = price["chain"].items.compactMap(\.text).joined(separator: " → ")
    let card = price["card"].text.map { $0.isEmpty ? "" : ", card \($0)" } ?? ""
    let version = price["book_version"].text.map { ", price book version \($0)" } ?? ""
    return chain + card + version
}

/// "1,234 tokens, at most 1,310, by o200k_base in 5432 bytes as openai.chat" of a sized request.
func sourcePhrase(_ estimate: JSONValue?) -> String? {
    guard let source = estimate["source"] else { return nil }
    let most = estimate["max_input_tokens"].text.map { ", at most \($0)" } ?? ""
    let tokenizer = source["tokenizer"].word
    let counter = tokenizer == "provider" ? "the provider" : tokenizer
    return "\(estimate["input_tokens"].word) tokens\(most), by \(counter) in "
        + "\(source["request_bytes"].word) bytes as \(source["dialect"].word)"
}

/// "12.00 from grants, 3.00 billed" of where a charge went.
func splitPhrase(_ split: JSONValue?) -> String? {
    var parts: [String] = []
    for portion in split["grants"].items {
        parts.append("\(portion["amount"].word) from grant \(portion["grant"].word)")
    }
    for (name, phrase) in [("billable", "billed"), ("debt", "debt"), ("absorbed", "absorbed")] {
        if let amount = split[name].text, amount != "0" { parts.append("\(amount) \(phrase)") }
    }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
}

/// One line for each warning.
func warningLines(_ answer: JSONValue) -> [String] {
    answer["warnings"].items.map {
        "warning: \($0["message"].word) (\($0["code"].word))"
    }
}
