// What every new ledger starts with: its identity, one plan, one project and the built-in price
// book.

package import Billing
package import EventLog
import Pricing

package enum Genesis {
    /// The commands that open an empty ledger, in order.
    ///
    /// - Parameter now: instant from which the built-in prices are in force.
    package static func commands(_ identity: LedgerIdentity, now: Instant) -> [Command] {
        var opened = LedgerOpened()
        opened.ledgerID = identity.ledgerID
        opened.currency = identity.currency
        opened.isTestClock = identity.isTestClock
        let prices = BuiltInPrices.load()
        var book = PriceBookPublished()
        book.version = 1
        book.effectiveAt = now
        book.source = "built-in, \(prices.date)"
        book.upserts = prices.entries
        var commands: [Command] = [
            .openLedger(opened),
            .setPlan(Plan(id: Project.builtInPlan, name: "Default", terms: LedgerState.lastResort)),
            .setProject(Project(id: Project.builtIn, name: "Default")),
        ]
        // A ledger of another currency starts without prices: rates are never converted.
        if prices.currency == identity.currency { commands.append(.publishPrices(book)) }
        return commands
    }

    /// Opens the ledger if nothing is on its log yet. What a crash left out is made good.
    package static func open(_ engine: Engine) async throws(EngineError) {
        let done = try await engine.read { Int($0.state.sequence) }
        let commands = commands(engine.store.identity, now: engine.clock.now())
        guard done < commands.count else { return }
        for result in await engine.submit(commands.dropFirst(done).map { EngineRequest($0) }) {
            _ = try result.get()
        }
    }
}
