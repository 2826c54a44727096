// An explanation in plain English: one line each for the question, the price, the estimate, every
// budget, the funds, the decision, and what came after.

import Billing
import Money
import Pricing

extension Explanation {
    private var english: PlainEnglish { PlainEnglish(currency: currency) }

    func text() -> String {
        var lines = [question]
        lines += [priceLine(price, "Price"), priceLine(cardPrice, "The customer's own price")]
            .compactMap { $0 }
        if let estimateLine { lines.append(estimateLine) }
        lines += self.lines.map(budgetLine)
        if let fundsLine { lines.append(fundsLine) }
        lines.append(decisionLine)
        lines += later.compactMap(laterLine)
        lines.append(outcome)
        return lines.joined(separator: "\n")
    }

    private var question: String {
        var text = "\(english.time(first.time)): customer '\(first.customer ?? "")' of project "
        text += "'\(first.project ?? "")' (plan '\(call.plan)')"
        if let user = call.user { text += ", user '\(user)'" }
        if let run = call.run { text += ", run '\(run)'" }
        if !call.tags.isEmpty {
            let tags = call.tags.map { "'\($0.key)=\($0.value)'" }
            text += (tags.count == 1 ? ", tag " : ", tags ") + tags.joined(separator: ", ")
        }
        if case .recorded = decision {
            text += " used model '\(call.model)' without a reservation."
            return text
        }
        text += " asked to call model '\(call.model)'"
        let estimate = reservation.estimate
        switch estimate.method {
        case .amount: text += " for an amount"
        case .counts, .request, .ceiling:
            if case .rejected(let event) = decision, event.estimate == nil { break }
            text += " with \(english.count(estimate.inputTokens, "input token"))"
            text += sizes(of: estimate) + " and an output cap of "
            text += english.count(estimate.maxOutputTokens, "token")
            if estimate.completions > 1 { text += " for each of \(estimate.completions) answers" }
        }
        text += "."
        if case .reserved(let event) = decision, let asked = event.clampedFrom {
            text += " A budget had lowered the cap from \(english.number(asked))."
        }
        return text
    }

    /// How the prompt's tokens came about, in brackets; nothing where the caller counted them.
    private func sizes(of estimate: Estimate) -> String {
        var notes: [String] = []
        if let most = estimate.maxInputTokens { notes.append("at most \(english.number(most))") }
        if let images = estimate.inputImageTokens {
            notes.append("\(english.number(images)) of them images")
        }
        if let audio = estimate.inputAudioTokens {
            notes.append("\(english.number(audio)) of them sound")
        }
        if let contexts = estimate.fullContexts {
            notes.append(
                "\(english.count(contexts, "prompt")) bounded by the most that the model takes")
        }
        if let source = estimate.source {
            notes.append(
                "counted by \(counter(source)) in a request of "
                    + "\(english.count(source.requestBytes, "byte")) as \(source.dialect)")
            if !source.unbounded.isEmpty {
                notes.append("without a bound for \(source.unbounded.joined(separator: ", "))")
            }
        }
        return notes.isEmpty ? "" : " (\(notes.joined(separator: "; ")))"
    }

    private func counter(_ source: EstimateSource) -> String {
        source.tokenizer == EstimateSource.provider ? "the provider itself" : source.tokenizer
    }

    private func priceLine(_ price: PinnedPrice?, _ title: String) -> String? {
        guard let price else { return nil }
        let reference = price.reference
        var text = "\(title): '\(reference.entry)'"
        if reference.chain.count > 1 {
            text += " (reached as \(reference.chain.joined(separator: " → ")))"
        }
        guard let entry = price.entry else {
            guard let rates = reservation.estimate.ceiling else { return text + "." }
            return text + " has none; the project's ceiling rates were taken: input "
                + "\(rates.input.decimalPerMillionText) and output "
                + "\(rates.output.decimalPerMillionText) \(currency) per million."
        }
        text += " in version \(reference.bookVersion) of the price book"
        if let published = price.published {
            text += ", effective \(english.time(published.effectiveAt)), source \(published.source)"
        }
        let cells = entry.rates.filter { $0.tier == .standard && $0.abovePromptTokens == 0 }
            .map { "\($0.unit.rawValue) \($0.rate.decimalPerMillionText)" }
        return text + ". \(currency) per million units: \(cells.joined(separator: ", "))."
    }

    private var estimateLine: String? {
        if case .recorded = decision { return nil }
        if case .rejected(let event) = decision, event.estimate == nil { return nil }
        let estimate = reservation.estimate
        var text = "Estimate: at most \(english.money(estimate.bound.charge)), probably "
        text += english.money(estimate.expected.charge)
        if estimate.bound.charge != estimate.bound.cost {
            text += " (cost at most \(english.money(estimate.bound.cost)), markup "
            text += "\(english.percent(estimate.markupPartsPerMillion)))"
        }
        return text + "."
    }

    private func budgetLine(_ line: BudgetLine) -> String {
        let measure = line.measure
        var text =
            line.budget == BudgetLine.runCap
            ? "Run '\(line.scope)'" : "Budget '\(line.budget)'"
        if !line.scope.isEmpty, line.budget != BudgetLine.runCap {
            text += " for '\(line.scope)'"
        }
        if let end = line.window.end {
            text += ", \(english.time(line.window.start)) to \(english.time(end))"
        }
        text += ": \(english.quantity(line.spent, measure)) spent and "
        text += "\(english.quantity(line.held, measure)) held"
        if let amount = line.amount {
            let available = amount.addingClamped(-line.spent).addingClamped(-line.held)
            text += " of \(english.quantity(amount, measure)), "
            text += "\(english.quantity(available, measure)) available"
        }
        if line.outcome != .counted {
            text += ", \(english.quantity(line.hold, measure)) needed: \(line.outcome.sentence)"
        }
        return text + "."
    }

    private var fundsLine: String? {
        let funds: FundsView
        switch decision {
        case .reserved(let event): funds = event.funds
        case .rejected(let event):
            guard let view = event.funds else { return nil }
            funds = view
        case .recorded: return nil
        }
        if case .rejected(let event) = decision, event.rule == .debt {
            return "Funds (\(funds.mode.rawValue)): \(english.money(funds.owed)) of debt, which "
                + "blocks beyond \(english.money(funds.creditLimit ?? .zero))."
        }
        guard funds.mode != .unfunded else { return "Funds: none are asked of this customer." }
        var text =
            "Funds (\(funds.mode.rawValue)): \(english.money(funds.grantsAvailable)) in grants, "
        text +=
            "\(english.money(funds.owed)) owed, \(english.money(funds.heldUncovered)) held beyond "
        text += "grants"
        if let limit = funds.creditLimit { text += ", credit limit \(english.money(limit))" }
        return text + "; \(english.money(funds.need)) needed."
    }

    private var decisionLine: String {
        switch decision {
        case .reserved(let event):
            "Decision: reserved \(english.money(event.funds.need)) until "
                + "\(english.time(event.expiresAt))."
        case .rejected(let event):
            "Decision: refused (\(event.code.rawValue)). \(refusal?.message ?? "")"
        case .recorded(let event):
            "Charged \(english.money(event.rated.charge)) "
                + "(cost \(english.money(event.rated.cost)))."
        }
    }

    private func laterLine(_ recorded: RecordedEvent) -> String? {
        let what: String
        switch recorded.event {
        case .usageExtended(let event):
            what = "the hold was extended to \(english.time(event.expiresAt))"
        case .usageSettled(let event): what = settlement(event)
        case .usageReleased(let event):
            what = "released" + (event.reason.map { " (\($0))" } ?? "") + ": nothing charged"
        case .usageExpired(let event):
            what =
                event.policy == .charge
                ? "nobody settled in time: \(english.money(event.provisional.charge)) charged "
                    + "until the true usage comes"
                : "nobody settled in time: the hold was given back"
        case .usageAdjusted(let event):
            what =
                "corrected by \(english.money(event.charge)) (cost \(english.money(event.cost))) "
                + "by '\(event.author)': \(event.reason)"
        default: return nil
        }
        return "\(english.time(recorded.time)): \(what)."
    }

    private func settlement(_ event: UsageSettled) -> String {
        var text = event.isLate ? "settled late" : "settled"
        let counts = event.rated.counts.lines
            .map { "\(english.number($0.count)) \($0.unit.rawValue)" }
        if !counts.isEmpty { text += " with \(counts.joined(separator: ", "))" }
        text += ": \(english.money(event.rated.charge)) charged (cost "
        text += "\(english.money(event.rated.cost)))"
        if event.rated.marks.contains(.usageEstimated) { text += ", estimated: no usage came" }
        if event.overrun > .zero {
            text += ", \(english.money(event.overrun)) more than was held"
        }
        return text
    }

    private var outcome: String {
        let split = reservation.split
        var text =
            "Now: \(reservation.status.apiName), \(english.money(reservation.actual.charge)) "
        text += "charged"
        var parts: [String] = []
        if split.fromGrants != .zero {
            parts.append("\(english.money(split.fromGrants)) from grants")
        }
        if split.billable != .zero { parts.append("\(english.money(split.billable)) to be billed") }
        if split.debt != .zero { parts.append("\(english.money(split.debt)) as debt") }
        if split.absorbed != .zero {
            parts.append("\(english.money(split.absorbed)) borne by the operator")
        }
        if !parts.isEmpty { text += " (\(parts.joined(separator: ", ")))" }
        return text + "."
    }
}

extension LineOutcome {
    fileprivate var sentence: String {
        switch self {
        case .fits: "fits"
        case .clamped: "fits, with a lowered output cap"
        case .warned: "does not fit, let through with a warning"
        case .shadowed: "does not fit, and would have been refused"
        case .refused: "refused"
        case .counted: "only counted"
        }
    }
}
