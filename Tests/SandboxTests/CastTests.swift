import Money
import Testing

@testable import Sandbox

struct CastTests {
    private let cast = Cast.standard(requests: 2_000)

    // Everything that refers to something refers to something that is there.
    @Test func isConsistent() {
        let customers = Set(cast.customers.map(\.id))
        let plans = Set(cast.plans.map(\.id))
        #expect(customers.count == cast.customers.count)
        #expect(cast.customers.allSatisfy { plans.contains($0.plan) })
        for budget in cast.budgets {
            #expect(budget.customer.map(customers.contains) ?? true)
            #expect(budget.plan.map(plans.contains) ?? true)
        }
        #expect(Set(cast.budgets.map(\.id)).count == cast.budgets.count)
        #expect(cast.cues.map(\.thousandths) == cast.cues.map(\.thousandths).sorted())
        #expect(Cast.rateCardPrices.map(\.model) == TrafficRule.models)
    }

    // Every kind of limit, funding and price takes part.
    @Test func showsEveryKind() {
        #expect(Set(cast.budgets.map(\.onExceed)) == ["reject", "clamp", "warn", "shadow"])
        #expect(Set(cast.budgets.map(\.measure)) == ["charge", "cost", "tokens", "requests"])
        #expect(
            Set(cast.plans.compactMap(\.terms.funding)) == ["prepaid", "postpaid", "unfunded"])
        #expect(Set(cast.customers.flatMap(\.grants).map(\.category)) == ["paid", "promotional"])
        #expect(cast.customers.contains { $0.terms.rateCard != nil })
        #expect(cast.customers.contains { $0.terms.markupPartsPerMillion != nil })
        #expect(cast.customers.contains { !$0.isOpenedFirst })
        #expect(cast.customers.flatMap(\.grants).contains { $0.expiresAtThousandths != nil })
    }

    // Amounts grow with the trace, and never fall below those for the sample.
    @Test(arguments: [(1, "2"), (2_000, "2"), (3_000, "3"), (19_366, "19.366")])
    func scalesWithTheTrace(requests: Int, amount: String) throws {
        let birch = try #require(
            Cast.standard(requests: requests).customers.first { $0.id == "birch" })
        #expect(birch.grants.last?.amount == (try Money(decimal: amount)))
    }

    // A call of the agent belongs to the run that is under way at its place.
    @Test(arguments: [
        (0, "agent-1"), (332, "agent-1"), (333, "agent-2"), (666, "agent-2"), (667, "agent-3"),
        (999, "agent-3"),
    ])
    func knowsTheRun(position: Int64, run: String) {
        #expect(Cast.run(atThousandths: position) == run)
    }
}
