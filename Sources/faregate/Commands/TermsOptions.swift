import ArgumentParser
import CanonicalJSON

/// Commercial terms of a customer or a plan.
struct TermsOptions: ParsableArguments {
    @Option(help: ArgumentHelp("prepaid, postpaid or unfunded.", valueName: "mode"))
    var funding: String?

    @Option(
        help: ArgumentHelp(
            "Prepaid: how far below zero. Postpaid: the most owed and held.", valueName: "amount"))
    var creditLimit: DecimalAmount?

    @Option(
        help: ArgumentHelp(
            "bound or expected: which estimate the funds must cover.", valueName: "figure"))
    var fundingHolds: String?

    @Option(help: ArgumentHelp("On cost: 20 or 20% makes 1.00 into 1.20.", valueName: "percent"))
    var markup: Percentage?

    @Option(help: ArgumentHelp("Card of the price book with own prices.", valueName: "card"))
    var rateCard: String?

    /// Empty when no term is given.
    var object: JSONObject {
        var terms = JSONObject()
        terms.set("funding", funding)
        terms.set("credit_limit", creditLimit?.text)
        terms.set("funding_holds", fundingHolds)
        terms.set("markup_ppm", markup?.partsPerMillion)
        terms.set("rate_card", rateCard)
        return terms
    }
}
