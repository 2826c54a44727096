import CanonicalJSON

// The tables that several commands show.

/// What every budget said to a call.
func budgetLines(_ lines: [JSONValue]) -> String {
    var table = Table([
        .text("Budget"), .text("Scope"), .text("Measure"), .money("Amount"), .money("Spent"),
        .money("Held"), .money("This call"), .money("Available"), .text("Outcome"), .text("Until"),
    ])
    for line in lines {
        table.add([
            line["budget"].word, line["scope"].word, line["measure"].word,
            quantity(line["amount"]), quantity(line["spent"]), quantity(line["held"]),
            quantity(line["hold"]), quantity(line["available"]), line["outcome"].word,
            shortTime(line["window"]["end"]),
        ])
    }
    return table.text(whenEmpty: "No budget applies.")
}

/// The two numbers.
func estimateTable(_ estimate: JSONValue?) -> String {
    var table = Table([
        .text("Estimate"), .money("Charge"), .money("Cost"), .number("Tokens"),
    ])
    for name in ["expected", "bound"] {
        let figures = estimate[name]
        table.add([
            name, figures["charge"].word, figures["cost"].word,
            quantity(figures["tokens"]),
        ])
    }
    return table.text()
}

func grantsTable(_ grants: [JSONValue]) -> String {
    var table = Table([
        .text("Grant"), .text("Status"), .money("Amount"), .money("Remaining"), .money("Held"),
        .money("Available"), .money("Burnt"), .number("Priority"), .text("Category"),
        .text("Expires"), .text("Models"),
    ])
    for grant in grants {
        table.add([
            grant["id"].word, grant["status"].word, grant["amount"].word,
            grant["remaining"].word, grant["held"].word,
            grant["available"].word, grant["burnt"].word,
            grant["priority"].word, grant["category"].word,
            shortTime(grant["expires_at"]), grant["models"].list ?? "",
        ])
    }
    return table.text(whenEmpty: "No grants.")
}

func eventsTable(_ events: [JSONValue]) -> String {
    var table = Table([
        .number("Seq"), .text("Time"), .text("Type"), .text("Customer"), .text("Reservation"),
        .text("What"),
    ])
    for event in events { table.add(eventCells(event)) }
    return table.text(whenEmpty: "No events.")
}

func eventCells(_ event: JSONValue) -> [String] {
    let project = event["project"].word
    let customer = event["customer"].word
    return [
        event["seq"].word, shortTime(event["time"]), event["type"].word,
        project.isEmpty || project == "default" || customer.isEmpty
            ? customer : "\(project)/\(customer)",
        event["reservation"].word, eventPhrase(event),
    ]
}

/// What the event's data comes to, in a few words.
private func eventPhrase(_ event: JSONValue) -> String {
    let data = event["data"]
    let words: [String]
    switch event["type"].word {
    case "usage.reserved", "usage.estimated":
        words = [data["model"].word, "at most", data["estimate"]["bound"]["charge"].word]
    case "usage.rejected":
        words = [data["model"].word, data["code"].word, data["budget"].word, data["reason"].word]
    case "usage.recorded": words = [data["model"].word, "charge", data["rated"]["charge"].word]
    case "usage.settled":
        words = ["charge", data["rated"]["charge"].word, data["late"].flag ? "late" : ""]
    case "usage.adjusted": words = ["charge", data["charge"].word, data["reason"].word]
    case "usage.extended": words = ["until", shortTime(data["expires_at"])]
    case "usage.expired":
        words = [data["policy"].word, data["provisional"]["charge"].word]
    case "credit.granted": words = [data["grant"]["id"].word, data["grant"]["amount"].word]
    case "credit.expired", "credit.revoked", "credit.activated":
        words = [data["grant"].word, data["amount"].word, data["reason"].word]
    case "payment.received": words = [data["amount"].word, data["reference"].word]
    case "price_book.published": words = ["version", data["version"].word]
    case "customer.opened", "customer.updated": words = ["plan", data["plan"].word]
    case "clock.advanced": words = ["to", shortTime(data["to"])]
    default:
        // What is set or removed names itself.
        words = ["id", "budget", "run", "reason", "stripe_customer"].map { data[$0].word }
    }
    return words.filter { !$0.isEmpty }.joined(separator: " ")
}

/// A reservation after it was made.
func reservationText(_ answer: JSONValue) -> String {
    var sheet = FactSheet()
    sheet.add("Reserved", answer["reservation"].text)
    sheet.add("Customer", answer["customer"].text)
    sheet.add("Model", answer["model"].text)
    sheet.add("Hold", answer["hold"]["charge"].text)
    if let tokens = answer["max_output_tokens"].integer, tokens > 0 {
        sheet.add("Most output", "\(grouped(tokens)) tokens")
    }
    sheet.add("Lowered from", answer["clamped_from"].text.map { "\($0) tokens" })
    sheet.add(
        "Expires", "\(shortTime(answer["expires_at"])) (then \(answer["on_expiry"].word))")
    sheet.add("Price", pricePhrase(answer["estimate"]["price"]))
    return
        ([
            sheet.text, "", estimateTable(answer["estimate"]), "",
            budgetLines(answer["budgets"].items),
        ]
        + warningLines(answer)).joined(separator: "\n")
}

/// Why a call was refused, with the figures of the rule that refused it.
func refusalText(_ error: JSONValue?) -> String {
    var sheet = FactSheet()
    sheet.add("Rule", error["rule"].text)
    sheet.add("Budget", error["budget"].text)
    sheet.add("Measure", error["measure"].text)
    sheet.add("Amount", quantity(error["amount"]))
    sheet.add("Spent", quantity(error["spent"]))
    sheet.add("Held", quantity(error["held"]))
    sheet.add("Available", quantity(error["available"]))
    sheet.add("This call needs", quantity(error["need"]))
    sheet.add("Affordable output", error["affordable_max_tokens"].text.map { "\($0) tokens" })
    sheet.add("Resets", shortTime(error["resets_at"]))
    sheet.add("Frees", shortTime(error["frees_at"]))
    sheet.add("Why", error["reason"].text)
    sheet.add("Worth retrying", error["retryable"].flag ? "yes" : "no")
    return sheet.text
}
