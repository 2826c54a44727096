// The comparison at the end: what the player added up from the answers to its calls, against what
// the server's balances say. Exact, to the last nano unit, or it is a difference.

import Money

/// The server's balances after the play, by index in the cast.
struct Books: Sendable {
    var balances: [BalanceAnswer?]
    /// One sentence each; empty when both sides agree.
    var differences: [String]

    /// Reads the balances once every hold has ended.
    static func closed(_ stage: Stage, tally: Tally) async throws -> Books {
        let clock = ContinuousClock()
        if let lastExpiry = tally.lastExpiry { try await clock.sleep(until: lastExpiry) }
        let patience = clock.now + .seconds(10)
        var balances: [BalanceAnswer?] = []
        for customer in stage.cast.customers {
            var balance = try await stage.balance(of: customer.id)
            // An expired hold counts no more at once, but its event may take a moment.
            while let open = balance?.openReservations, open > 0, clock.now < patience {
                try await clock.sleep(for: .milliseconds(100))
                balance = try await stage.balance(of: customer.id)
            }
            balances.append(balance)
        }
        var differences: [String] = []
        for (index, customer) in stage.cast.customers.enumerated() {
            differences += Self.differences(
                customer.id, ours: tally.customers[index].figures, balance: balances[index])
        }
        return Books(balances: balances, differences: differences)
    }

    /// What differs for one customer. A customer that the server never saw has nothing.
    static func differences(
        _ customer: String, ours: CustomerFigures, balance: BalanceAnswer?
    ) -> [String] {
        let theirs = balance?.totals ?? CustomerFigures()
        var found: [String] = []
        func compare<Value: Equatable>(_ what: String, _ mine: Value, _ other: Value) {
            if mine != other {
                found.append("\(customer): \(what): \(mine) answered, \(other) booked")
            }
        }
        compare("reserved", ours.reserved, theirs.reserved)
        compare("settled", ours.settled, theirs.settled)
        compare("released", ours.released, theirs.released)
        compare("expired", ours.expired, theirs.expired)
        compare("rejected", ours.rejected, theirs.rejected)
        compare("tokens", ours.tokens, theirs.tokens)
        compare("cost", ours.cost.decimalText, theirs.cost.decimalText)
        compare("charge", ours.charge.decimalText, theirs.charge.decimalText)
        compare("overrun", ours.overrun.decimalText, theirs.overrun.decimalText)
        if let balance, balance.openReservations > 0 {
            found.append("\(customer): \(balance.openReservations) reservations are still open")
        } else if let balance, balance.held != .zero {
            found.append("\(customer): \(balance.held.decimalText) held by no reservation")
        }
        return found
    }
}
