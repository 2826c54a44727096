// Figures, estimates, budgets and funds in answers.

import Billing
import CanonicalJSON
import Money

extension JSONWriter {
    mutating func figures(_ name: StaticString, _ figures: CallFigures) {
        object(name) { json in
            json.member("charge", figures.charge)
            json.member("cost", figures.cost)
            json.member("requests", figures.requests)
            json.member("tokens", figures.tokens)
        }
    }

    mutating func price(_ name: StaticString, ifPresent price: PriceReference?) {
        guard let price else { return }
        object(name) { json in
            json.member("book_version", price.bookVersion)
            json.member("card", price.card)
            json.member("chain", price.chain)
            json.member("entry", price.entry)
        }
    }

    mutating func rates(_ name: StaticString, ifPresent rates: CeilingRates?) {
        guard let rates else { return }
        object(name) { json in
            json.member("input_per_million", rates.input.decimalPerMillionText)
            json.member("output_per_million", rates.output.decimalPerMillionText)
        }
    }

    mutating func marks(_ marks: [RatingMark]) {
        list("marks", marks) { json, mark in json.string(mark.rawValue) }
    }

    mutating func estimate(_ estimate: Estimate) {
        object("estimate") { json in
            json.figures("bound", estimate.bound)
            json.price("card_price", ifPresent: estimate.cardPrice)
            json.rates("ceiling", ifPresent: estimate.ceiling)
            json.member("completions", estimate.completions)
            json.figures("expected", estimate.expected)
            json.member("expected_output_tokens", estimate.expectedOutputTokens)
            json.member("extra_output_tokens", ifPresent: estimate.extraOutputTokens)
            json.member("full_contexts", ifPresent: estimate.fullContexts)
            json.member("input_audio_tokens", ifPresent: estimate.inputAudioTokens)
            json.member("input_image_tokens", ifPresent: estimate.inputImageTokens)
            json.member("input_tokens", estimate.inputTokens)
            json.marks(estimate.marks)
            json.member("markup_ppm", estimate.markupPartsPerMillion)
            json.member("max_input_tokens", ifPresent: estimate.maxInputTokens)
            json.member("max_output_tokens", estimate.maxOutputTokens)
            json.member("method", estimate.method)
            json.price("price", ifPresent: estimate.price)
            json.source(ifPresent: estimate.source)
            json.member("tier", estimate.tier)
        }
    }

    private mutating func source(ifPresent source: EstimateSource?) {
        guard let source else { return }
        object("source") { json in
            json.member("dialect", source.dialect)
            json.member("request_bytes", source.requestBytes)
            json.member("request_sha256", ifPresent: source.requestSHA256)
            json.member("tokenizer", source.tokenizer)
            if !source.unbounded.isEmpty { json.member("unbounded", source.unbounded) }
        }
    }

    mutating func rated(_ rated: RatedUsage) {
        object("rated") { json in
            json.member("above_prompt_tokens", rated.abovePromptTokens)
            json.price("card_price", ifPresent: rated.cardPrice)
            json.member("charge", rated.charge)
            json.member("cost", rated.cost)
            json.object("counts") { json in
                for line in rated.counts.lines {
                    json.key(dynamic: line.unit.rawValue)
                    json.integer(line.count)
                }
            }
            json.marks(rated.marks)
            json.price("price", ifPresent: rated.price)
            json.member("tier", rated.tier)
        }
    }

    mutating func window(_ window: Window) {
        object("window") { json in
            json.member("end", ifPresent: window.end)
            json.member("start", window.start)
        }
    }

    /// - Parameter isHeld: whether the call's hold is on the counter and part of what is shown as
    /// held.
    mutating func budgets(_ lines: [BudgetLine], isHeld: Bool) {
        list("budgets", lines) { json, line in
            let held = isHeld ? line.held.addingClamped(line.hold) : line.held
            json.object { json in
                json.member("amount", ifPresent: line.amount, line.measure)
                let available = line.amount.map {
                    $0.addingClamped(-line.spent).addingClamped(-held)
                }
                json.member("available", ifPresent: available, line.measure)
                json.member("budget", line.budget)
                json.member("held", held, line.measure)
                json.member("hold", line.hold, line.measure)
                json.member("measure", line.measure)
                json.member("outcome", line.outcome)
                json.member("scope", line.scope)
                json.member("spent", line.spent, line.measure)
                json.window(line.window)
            }
        }
    }

    mutating func portions(_ name: StaticString, _ portions: [GrantPortion]) {
        list(name, portions) { json, portion in
            json.object { json in
                json.member("amount", portion.amount)
                json.member("grant", portion.grant)
            }
        }
    }

    /// - Parameter hold: what the call took of the funds, when it was let through.
    mutating func funds(_ funds: FundsView, hold: FundingHold?) {
        object("funds") { json in
            json.member("credit_limit", ifPresent: funds.creditLimit)
            if let hold { json.portions("grants", hold.grants) }
            json.member("grants_available", funds.grantsAvailable)
            json.member("held_uncovered", funds.heldUncovered)
            json.member("mode", funds.mode)
            json.member("need", funds.need)
            json.member("owed", funds.owed)
            if let hold { json.member("uncovered", hold.uncovered) }
        }
    }

    mutating func split(_ split: FundingSplit) {
        object("split") { json in
            json.member("absorbed", split.absorbed)
            json.member("billable", split.billable)
            json.member("debt", split.debt)
            json.portions("grants", split.grants)
        }
    }

    mutating func terms(_ terms: Terms) {
        object("terms") { json in
            json.member("credit_limit", ifPresent: terms.creditLimit)
            json.member("funding", ifPresent: terms.funding?.rawValue)
            json.member("funding_holds", ifPresent: terms.fundingHolds?.rawValue)
            json.member("markup_ppm", ifPresent: terms.markupPartsPerMillion)
            json.member("rate_card", ifPresent: terms.rateCard)
        }
    }
}
