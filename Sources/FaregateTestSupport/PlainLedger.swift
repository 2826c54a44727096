// A ledger for tests of rules: a currency for which there are no built-in prices, and two models
// whose prices are whole nano units a token, so that every figure can be worked out in one's head.

package import Billing
package import Engine
package import EventLog
import Money

package enum PlainLedger {
    package static let identity = LedgerIdentity(
        ledgerID: "plain-ledger", currency: "EUR", isTestClock: true)

    /// Whole nano units a token; a markup in whole quarters leaves these whole.
    package static let book = NaiveBook(prices: [
        "flat-small": NaivePrice(input: 4_000, output: 8_000),
        "flat-large": NaivePrice(input: 40_000, output: 120_000),
    ])

    /// Version 1 of the book, in force at once.
    package static let priceBook = book.published(version: 1)

    /// A fixture on such a ledger; 1 in its amounts is 1 nano unit's billionth, as everywhere.
    package static func fixture(
        store: (any EventStore)? = nil, start: Instant = LedgerFixture.start,
        configuration: EngineConfiguration = EngineConfiguration()
    ) async throws -> LedgerFixture {
        let ledger = try await LedgerFixture(
            store: store ?? InMemoryEventStore(identity: identity), start: start,
            configuration: configuration)
        try await ledger.ask(priceBook)
        return ledger
    }

    /// A fixture on a store that was used and left, with the clock where its log ends.
    package static func reopened(
        _ store: any EventStore, configuration: EngineConfiguration = EngineConfiguration()
    ) async throws -> LedgerFixture {
        try await LedgerFixture(store: store, configuration: configuration)
    }
}
