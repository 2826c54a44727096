// Prices and rounding, plainly. Nothing here is shared with `Pricing` or `Money`: rates are whole
// pico units a token, a call's exact charge is a whole number of millionths of a pico unit, and
// what is charged is the nearest nano unit.

package import Billing
import Money

/// Pico units a token.
package struct NaivePrice: Sendable, Hashable {
    package var input: Int64 = 0
    package var output: Int64 = 0

    package init(input: Int64 = 0, output: Int64 = 0) {
        self.input = input
        self.output = output
    }

    func picos(input tokensIn: Int64, output tokensOut: Int64) -> Int64 {
        input * tokensIn + output * tokensOut
    }

    /// The entry that says so in a price book.
    func entry(model: String, card: String = "") -> PriceEntry {
        PriceEntry(
            model: model, card: card, provider: "test", mode: "chat",
            rates: [
                PriceRate(unit: .input, rate: Rate(picos: input)),
                PriceRate(unit: .output, rate: Rate(picos: output)),
            ])
    }
}

/// What providers ask for each model, and what is on each rate card.
package struct NaiveBook: Sendable {
    package var prices: [String: NaivePrice] = [:]
    package var cards: [String: [String: NaivePrice]] = [:]

    package init(
        prices: [String: NaivePrice] = [:], cards: [String: [String: NaivePrice]] = [:]
    ) {
        self.prices = prices
        self.cards = cards
    }

    /// Publishes the whole of it.
    package func published(version: Int64) -> Command {
        var book = PriceBookPublished()
        book.version = version
        book.source = "tests"
        book.upserts = prices.sorted { $0.key < $1.key }.map { $1.entry(model: $0) }
        for (name, card) in cards.sorted(by: { $0.key < $1.key }) {
            book.upserts += card.sorted { $0.key < $1.key }.map { $1.entry(model: $0, card: name) }
        }
        return .publishPrices(book)
    }
}

/// What one call is rated by, as it was when the call was made.
struct NaiveTariff: Sendable {
    var price = NaivePrice()
    var isCeiling = false
    var card: NaivePrice?
    var cardName: String?
    /// Millionths of the cost.
    var markup: Int64 = 0

    func figures(input: Int64, output: Int64) -> NaiveFigures {
        let cost = price.picos(input: input, output: output)
        let charge =
            card.map { $0.picos(input: input, output: output) * 1_000_000 }
            ?? cost * (1_000_000 + markup)
        return NaiveFigures(
            cost: Self.nearestNano(cost * 1_000_000), charge: Self.nearestNano(charge),
            tokens: input + output, requests: 1)
    }

    /// The nano unit nearest to a number of millionths of a pico unit; halfway, the even one.
    private static func nearestNano(_ amount: Int64) -> Int64 {
        let below = amount / 1_000_000_000
        let rest = amount - below * 1_000_000_000
        if rest > 500_000_000 { return below + 1 }
        if rest == 500_000_000, below % 2 == 1 { return below + 1 }
        return below
    }

    var text: String { (isCeiling ? "ceiling" : "book") + (cardName.map { ", card \($0)" } ?? "") }
}

extension NaiveLedger {
    /// How a call of this customer to `model` is rated now; nil: nobody says what it costs.
    func tariff(_ model: String, _ customer: NaiveCustomer) -> NaiveTariff? {
        let terms = terms(of: customer)
        var tariff = NaiveTariff(markup: terms.markupPartsPerMillion ?? 0)
        if let price = book.prices[model] {
            tariff.price = price
        } else if let ceiling = projects[customer.key.project]?.ceilingRates {
            tariff.price = NaivePrice(input: ceiling.input.picos, output: ceiling.output.picos)
            tariff.isCeiling = true
        } else {
            return nil
        }
        if let name = terms.rateCard, let card = book.cards[name]?[model] {
            tariff.card = card
            tariff.cardName = name
        }
        return tariff
    }
}
