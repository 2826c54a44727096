// What the sandbox reads of the server's answers, and nothing else: answers may gain fields.

import CanonicalJSON
package import Money

/// 201 of a reservation.
struct ReservedAnswer: Sendable {
    /// The cap to keep to: lower than the one asked for where a budget clamped it.
    var maxOutputTokens: Int64
    var isClamped: Bool
    /// Ids of budgets that let the call through with a warning.
    var warned: Int64
    var shadowed: Int64
    /// The expected estimate: what an expiry with `charge` charges.
    var expected: ChargedFigures
    var event: Int

    init(_ body: JSONValue) throws {
        var fields = try JSONFields(body)
        maxOutputTokens = Int64(try fields.int("max_output_tokens"))
        isClamped = fields.has("clamped_from")
        event = try fields.int("event")
        var estimate = try fields.object("estimate")
        var expected = try estimate.object("expected")
        self.expected = ChargedFigures(
            cost: try expected.money("cost"), charge: try expected.money("charge"),
            tokens: Int64(try expected.int("tokens")))
        var warned: Int64 = 0
        var shadowed: Int64 = 0
        for var line in try fields.objects("budgets", maxCount: 1_000) {
            switch try line.string("outcome") {
            case "warned": warned += 1
            case "shadowed": shadowed += 1
            default: break
            }
        }
        self.warned = warned
        self.shadowed = shadowed
    }
}

/// 402 or 429 of a reservation.
struct RefusedAnswer: Sendable {
    var code: String
    var rule: String
    var budget: String?
    /// What the customer would probably have been charged; nil where the call could not be priced
    /// or was not looked at.
    var expectedCharge: Money?

    init(_ body: JSONValue) throws {
        var outer = try JSONFields(body)
        var fields = try outer.object("error")
        code = try fields.string("code")
        rule = try fields.string("rule")
        budget = try fields.optionalString("budget")
        if var estimate = try fields.optionalObject("estimate") {
            expectedCharge = try estimate.money("expected")
        }
    }
}

/// 200 of a settlement.
struct SettledAnswer: Sendable {
    var figures: ChargedFigures
    var overrun: Money
    var isLate: Bool
    /// What the expiry had charged provisionally.
    var replaced: ChargedFigures
    var event: Int

    /// - Parameter tokens: those that were reported.
    init(_ body: JSONValue, tokens: Int64) throws {
        var fields = try JSONFields(body)
        figures = ChargedFigures(
            cost: try fields.money("cost"), charge: try fields.money("charge"), tokens: tokens)
        overrun = try fields.money("overrun")
        isLate = try fields.bool("late")
        event = try fields.int("event")
        replaced = ChargedFigures()
        if var replaced = try fields.optionalObject("replaced") {
            self.replaced = ChargedFigures(
                cost: try replaced.money("cost"), charge: try replaced.money("charge"),
                tokens: Int64(try replaced.int("tokens")))
        }
    }
}

/// A customer's balance as the server has it.
struct BalanceAnswer: Sendable {
    var plan: String
    var funding: String
    var currency: String
    var openReservations: Int64
    var held: Money
    var grantsAvailable: Money
    var debt: Money
    var owed: Money
    var totals: CustomerFigures
    /// The ledger's time, RFC 3339.
    var time: String

    init(_ body: JSONValue) throws {
        var fields = try JSONFields(body)
        plan = try fields.string("plan")
        funding = try fields.string("funding")
        currency = try fields.string("currency")
        openReservations = Int64(try fields.int("open_reservations"))
        held = try fields.money("held")
        grantsAvailable = try fields.money("grants_available")
        debt = try fields.money("debt")
        owed = try fields.money("owed")
        var asOf = try fields.object("as_of")
        time = try asOf.string("time")
        var totals = try fields.object("totals")
        self.totals = CustomerFigures(
            reserved: Int64(try totals.int("reserved")), settled: Int64(try totals.int("settled")),
            released: Int64(try totals.int("released")), expired: Int64(try totals.int("expired")),
            rejected: Int64(try totals.int("rejected")), tokens: Int64(try totals.int("tokens")),
            cost: try totals.money("cost"), charge: try totals.money("charge"),
            overrun: try totals.money("overrun"))
    }
}

/// Cost, charge and tokens of a call.
package struct ChargedFigures: Sendable, Equatable {
    package var cost = Money.zero
    package var charge = Money.zero
    package var tokens: Int64 = 0
}

/// What both sides count for a customer, each for itself.
package struct CustomerFigures: Sendable, Equatable {
    package var reserved: Int64 = 0
    package var settled: Int64 = 0
    package var released: Int64 = 0
    package var expired: Int64 = 0
    package var rejected: Int64 = 0
    package var tokens: Int64 = 0
    package var cost = Money.zero
    package var charge = Money.zero
    package var overrun = Money.zero
}

extension JSONFields {
    mutating func money(_ name: String) throws -> Money {
        let text = try decimalText(name)
        guard let money = try? Money(decimal: text) else {
            throw error(.invalid, name, "is not an amount of money")
        }
        return money
    }
}
