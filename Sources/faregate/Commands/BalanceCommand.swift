import ArgumentParser
import CanonicalJSON
import HTTPAPI

struct BalanceCommand: LedgerCommand {
    static let configuration = CommandConfiguration(
        commandName: "balance",
        abstract: "Show a customer's money: grants, holds, debt, totals and budgets.",
        discussion: """
            --as-of folds the log up to an instant or an event, so that any balance of the past can
            be shown.

            Examples:
              faregate balance acme
              faregate balance acme --as-of 2026-11-01T00:00:00Z
              faregate balance acme --as-of 1234
            """)

    @Argument(help: "Id of the customer.") var customer: String

    @Option(help: ArgumentHelp("An instant (RFC 3339) or an event's number.", valueName: "point"))
    var asOf: String?

    @OptionGroup var project: ProjectOption
    @OptionGroup var ledger: LedgerOptions

    func run(_ ledger: LedgerSession) async throws {
        let request = APIRequest.get("customers", customer, "balance")
            .asking([("project", project.name), ("as_of", asOf)])
        try await ledger.show(request, Self.text)
    }

    static func text(_ balance: JSONValue) -> String {
        let totals = balance["totals"]
        var sheet = FactSheet()
        sheet.add("Customer", balance["customer"].text)
        sheet.add("Plan", balance["plan"].text)
        sheet.add("Status", balance["status"].text)
        sheet.add("Terms", termsPhrase(balance["terms"]))
        let point = balance["as_of"]
        sheet.add("As of", "event \(point["sequence"].word), \(shortTime(point["time"]))")
        var money = Table([.text(balance["currency"].word), .money("Amount"), .text("")])
        func add(_ name: String, _ value: JSONValue?, _ meaning: String) {
            guard let amount = value.text else { return }
            money.add([name, amount, meaning])
        }
        add("Available", balance["available"], "for new calls")
        add("In grants", balance["grants_available"], "not held")
        add(
            "Held", balance["held"],
            "by \(quantity(balance["open_reservations"])) open reservations")
        add("Owed", balance["owed"], "billed and not paid")
        add("Debt", balance["debt"], "beyond grants; blocks new calls")
        add("Charged", totals["charge"], "in all")
        add("Cost", totals["cost"], "in all")
        add("Margin", totals["margin"], "")
        add("From grants", totals["from_grants"], "")
        add("Billed", totals["billable"], "")
        add("Paid", totals["paid"], "")
        add("Absorbed", totals["absorbed"], "borne by the operator")
        add("Overrun", totals["overrun"], "beyond the holds")
        var calls = Table([
            .number("Reserved"), .number("Settled"), .number("Released"), .number("Expired"),
            .number("Rejected"), .number("Recorded"), .number("Tokens"),
        ])
        calls.add(
            ["reserved", "settled", "released", "expired", "rejected", "recorded", "tokens"].map {
                quantity(totals[$0])
            })
        var parts = [sheet.text, money.text(), calls.text()]
        let grants = balance["grants"].items
        if !grants.isEmpty { parts.append(grantsTable(grants)) }
        parts.append(budgetsTable(balance["budgets"].items))
        return parts.joined(separator: "\n\n")
    }

    private static func budgetsTable(_ budgets: [JSONValue]) -> String {
        var table = Table([
            .text("Budget"), .text("Scope"), .text("Limit"), .money("Spent"), .money("Held"),
            .money("Available"), .text("On exceed"), .text("Until"),
        ])
        for budget in budgets {
            table.add([
                budget["budget"].word, budget["scope"].word, limitPhrase(budget),
                quantity(budget["spent"]), quantity(budget["held"]),
                quantity(budget["available"]),
                budget["overridden"].flag ? "overridden" : budget["on_exceed"].word,
                shortTime(budget["window"]["end"]),
            ])
        }
        return table.text(whenEmpty: "No budgets.")
    }
}
