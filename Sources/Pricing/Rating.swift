// Usage → cost and charge.
//
// cost   = Σ (rate × count) × multipliers of the provider's entry
// charge = Σ (rate × count) × multipliers of the customer's rate-card entry, where it has one,
//          else cost, before rounding, × (1 + markup)
//
// Each is an exact fraction until its one rounding, half to even, to nano units. The whole request
// is priced in the band that its total prompt, cache included, falls into.

package import Billing
package import Money

package enum Rating {
    /// Usage as disjoint counts. Where it contradicts itself, the reading that costs more at the
    /// provider's price is taken and marked.
    ///
    /// - Throws: `.overflow` for a count below zero or above 2^40.
    package static func normalize(
        _ usage: ReportedUsage, terms: RatingTerms
    ) throws(MoneyError) -> (counts: UsageCounts, marks: [RatingMark]) {
        var marks = MarkSet()
        let tier = servedTier(usage, marks: &marks)
        let counts = try dearestReading(
            of: UsageReadings(usage), entry: terms.price.entry, tier: tier, marks: &marks)
        return (counts, marks.intersection(.contradictoryUsage).names(with: []))
    }

    /// What was used and what it costs.
    ///
    /// Usage that says nothing at all rates as zero: estimate it first (`isMissing`), zero is a
    /// claim. A request fee is due for a call that used anything; explicit zero stays zero.
    ///
    /// - Throws: `.overflow` for a count out of range, or money beyond ±9.2 billion units.
    package static func rate(
        _ usage: ReportedUsage, terms: RatingTerms
    ) throws(MoneyError) -> RatedUsage {
        let entry = terms.price.entry
        var marks = MarkSet()
        let tier = servedTier(usage, marks: &marks)
        var counts = try dearestReading(
            of: UsageReadings(usage), entry: entry, tier: tier, marks: &marks)
        let hasRequestFee = entry.hasRequestFee || terms.card?.entry.hasRequestFee == true
        if hasRequestFee && !counts.lines.isEmpty { counts[.request] = 1 }

        let bill = Bill(counts, entry: entry, tier: tier)
        let factor = try entry.factor(for: usage.attributes, marks: &marks)
        marks.formUnion(bill.marks)
        let charge: Money
        if let card = terms.card {
            let cardBill = Bill(counts, entry: card.entry, tier: tier)
            let cardFactor = try card.entry.factor(for: usage.attributes, marks: &marks)
            marks.formUnion(cardBill.marks)
            charge = try cardFactor.rounded(cardBill.sum)
        } else {
            charge = try factor.marked(up: terms.markupPartsPerMillion).rounded(bill.sum)
        }
        return RatedUsage(
            counts: counts, price: terms.price.reference, cardPrice: terms.card?.reference,
            tier: entry.prices(tier) ? tier : .standard, abovePromptTokens: bill.abovePromptTokens,
            cost: try factor.rounded(bill.sum), charge: charge,
            marks: marks.names(with: terms.marks))
    }

    /// A call settled by an amount: it is the cost, and the charge is that with the markup.
    package static func amount(
        _ cost: Money, markupPartsPerMillion: Int64 = 0
    ) throws(MoneyError) -> RatedUsage {
        let sum = PicoSum(picos: Int128(cost.nanos) * 1_000)
        let charge = try PriceFactor().marked(up: markupPartsPerMillion).rounded(sum)
        return RatedUsage(cost: cost, charge: charge)
    }

    private static func servedTier(_ usage: ReportedUsage, marks: inout MarkSet) -> ServiceTier {
        guard let name = usage.servedTier else { return .standard }
        if let tier = ServiceTier(served: name) { return tier }
        marks.insert(.servedTierUnpriced)
        return .standard
    }

    private static func dearestReading(
        of readings: UsageReadings, entry: PriceEntry, tier: ServiceTier, marks: inout MarkSet
    ) -> UsageCounts {
        if readings.isContradictory { marks.insert(.contradictoryUsage) }
        var dearest: (counts: UsageCounts, sum: PicoSum)?
        for input in readings.inputs {
            for output in readings.outputs {
                let counts = readings.counts(input: input, output: output)
                if readings.inputs.count == 1 && readings.outputs.count == 1 { return counts }
                let sum = Bill(counts, entry: entry, tier: tier).sum
                if let dearest, sum <= dearest.sum { continue }
                dearest = (counts, sum)
            }
        }
        return dearest?.counts ?? UsageCounts()
    }
}

/// Counts priced by one entry, before multipliers, markup and rounding.
struct Bill {
    private(set) var sum = PicoSum()
    private(set) var marks: MarkSet = []
    private(set) var abovePromptTokens: Int64 = 0

    init(_ counts: UsageCounts, entry: PriceEntry, tier: ServiceTier) {
        let promptTokens = counts.promptTokens
        for line in counts.lines {
            // One call is no claim that a fee is due: only an entry that asks one has one.
            if line.unit.isSame(as: .request) && !entry.hasRequestFee { continue }
            let found = entry.rate(for: line.unit, tier: tier, promptTokens: promptTokens)
            sum.add(found.rate, times: line.count)
            marks.formUnion(found.marks)
            abovePromptTokens = max(abovePromptTokens, found.abovePromptTokens)
        }
    }
}

extension PriceEntry {
    /// Whether any rate is published for the tier.
    func prices(_ tier: ServiceTier) -> Bool { rates.contains { $0.tier.isSame(as: tier) } }

    /// Whether a call costs something whatever its size; few models do that.
    var hasRequestFee: Bool { rates.contains { $0.unit.isSame(as: .request) } }
}

extension PriceFactor {
    /// This factor times (1 + markup).
    func marked(up partsPerMillion: Int64) throws(MoneyError) -> PriceFactor {
        let (parts, overflow) = partsPerMillion.addingReportingOverflow(1_000_000)
        if overflow { throw .overflow }
        var factor = self
        try factor.multiply(byPartsPerMillion: parts)
        return factor
    }
}
