// Turns requests into figures: looks the price up in the version that counts and lets `Pricing` do
// the sums. What comes out is a fact for `decide`; nothing here changes anything.

import Billing
import Money
import Pricing

extension EngineCore {
    /// Quote and markup for a call that may be made now.
    func quote(_ call: CallRequest, now: Instant) -> (Result<Quote, QuoteError>, Int64) {
        let terms = termsInForce(for: call.subject.customerKey)
        let markup = terms.markupPartsPerMillion ?? 0
        do throws(QuoteError) {
            switch call.size {
            case .amount(let amount):
                return (.success(try Quoting.quote(amount: amount)), 0)
            case .counts(let estimate):
                let rating = try ratingTerms(
                    model: call.model, terms, project: call.subject.project, now: now)
                return (.success(try Quoting.quote(estimate, terms: rating)), markup)
            }
        } catch {
            return (.failure(error), markup)
        }
    }

    /// The figures of reported usage at the price that the reservation pinned.
    func rated(
        _ usage: ReportedUsage, for reservation: Reservation
    ) -> Result<RatedUsage, QuoteError> {
        let estimate = reservation.estimate
        guard let pinned = estimate.price else {
            return .failure(.unknownPrice(model: reservation.model))
        }
        let markup = estimate.markupPartsPerMillion
        var usage = usage
        // A batch is only ever served as one; other tiers are what the provider says, else
        // standard.
        if usage.servedTier == nil, estimate.tier == .batch { usage.servedTier = "batch" }
        var terms: RatingTerms?
        if let ceiling = estimate.ceiling {
            terms = Quoting.ceilingTerms(
                model: reservation.model, inputRate: ceiling.input, outputRate: ceiling.output,
                version: pinned.bookVersion, card: card(pinnedBy: estimate.cardPrice),
                markupPartsPerMillion: markup)
        } else {
            terms = catalog.terms(
                servedModel: usage.servedModel, askedModel: reservation.model,
                rateCard: estimate.cardPrice?.card, markupPartsPerMillion: markup,
                version: pinned.bookVersion)
        }
        guard let terms else { return .failure(.unknownPrice(model: reservation.model)) }
        return Self.rate(usage, terms)
    }

    /// The figures of usage without a hold, at the price in force now.
    func rated(
        _ usage: ReportedUsage, request: UsageRequest, now: Instant
    ) -> (Result<RatedUsage, QuoteError>, Int64) {
        let terms = termsInForce(for: request.subject.customerKey)
        let markup = terms.markupPartsPerMillion ?? 0
        do throws(QuoteError) {
            let rating = try ratingTerms(
                model: usage.servedModel ?? request.model, asked: request.model, terms,
                project: request.subject.project, now: now)
            return (Self.rate(usage, rating), markup)
        } catch {
            return (.failure(error), markup)
        }
    }

    private static func rate(
        _ usage: ReportedUsage, _ terms: RatingTerms
    ) -> Result<RatedUsage, QuoteError> {
        guard let rated = try? Rating.rate(usage, terms: terms) else { return .failure(.overflow) }
        return .success(rated)
    }

    private func ratingTerms(
        model: String, asked: String? = nil, _ terms: Terms, project: String, now: Instant
    ) throws(QuoteError) -> RatingTerms {
        let markup = terms.markupPartsPerMillion ?? 0
        let version = catalog.version(at: now.microseconds) ?? 0
        if version > 0,
            let found = catalog.terms(
                servedModel: model, askedModel: asked ?? model, rateCard: terms.rateCard,
                markupPartsPerMillion: markup, version: version)
        {
            return found
        }
        guard let ceiling = state.projects[project]?.ceilingRates else {
            throw .unknownPrice(model: model)
        }
        return Quoting.ceilingTerms(
            model: model, inputRate: ceiling.input, outputRate: ceiling.output, version: version,
            card: card(terms.rateCard, [model, asked ?? model], version: version),
            markupPartsPerMillion: markup)
    }

    /// What the customer pays for the first of `models` that is on its card: also where only a
    /// ceiling says what the model costs.
    private func card(_ name: String?, _ models: [String], version: Int64) -> PricedEntry? {
        guard let name, version > 0 else { return nil }
        for model in models {
            if let found = catalog.resolve(model: model, card: name, version: version) {
                return found
            }
        }
        return nil
    }

    private func card(pinnedBy reference: PriceReference?) -> PricedEntry? {
        guard let reference else { return nil }
        return catalog.entry(
            model: reference.entry, card: reference.card, version: reference.bookVersion
        ).map { PricedEntry(entry: $0, reference: reference) }
    }

    private func termsInForce(for key: CustomerKey) -> Terms {
        if let customer = state.customers[key] { return state.terms(of: customer) }
        let plan = state.projects[key.project]?.defaultPlan ?? Project.builtInPlan
        return state.terms(own: Terms(), plan: plan)
    }
}
