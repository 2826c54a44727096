import Billing
import CanonicalJSON
import Engine
import EventLog
import FaregateTestSupport
import HTTPAPI
import Testing

@Suite struct BalanceTests {
    // A balance shows funds, grants, holds, totals and the budgets that count for the customer.
    @Test func now() async throws {
        let fixture = try await APIFixture()
        try await fixture.ledger.setBudget("all", amount: "100", window: .month)
        try await fixture.ledger.setBudget("each", amount: "5", per: [.customer], window: .day)
        try await fixture.ledger.setBudget(
            "calls", amount: "9", match: BudgetMatch(customer: "acme"), measure: .requests)
        try await fixture.ledger.setBudget("user", amount: "5", per: [.user])
        try await fixture.ledger.setBudget("model", amount: "5", per: [.model])
        _ = await fixture.post(
            "/v1/customers",
            #"{"id":"acme","terms":{"funding":"prepaid","credit_limit":"1","markup_ppm":500000}}"#)
        _ = await fixture.post("/v1/customers/acme/credits", #"{"id":"g","amount":"3"}"#)
        await fixture.reserveTokens("a", "acme")
        _ = await fixture.post(
            "/v1/reservations/a/settle", #"{"usage":{"input_tokens":1000,"output_tokens":500}}"#)
        await fixture.reserve("b", "acme", amount: "2")
        let balance = await fixture.get("/v1/customers/acme/balance")
        #expect(balance.status == 200)
        #expect(balance.string("currency") == "USD")
        #expect(balance.string("funding") == "prepaid")
        #expect(balance.string("terms.funding_holds") == "bound")
        #expect(balance.string("totals.cost") == "0.0075")
        #expect(balance.string("totals.charge") == "0.01125")
        #expect(balance.string("totals.margin") == "0.00375")
        #expect(balance.string("totals.from_grants") == "0.01125")
        #expect(balance.integer("totals.settled") == 1)
        #expect(balance.string("held") == "2")
        #expect(balance.string("grants[0].remaining") == "2.98875")
        #expect(balance.string("grants[0].held") == "2")
        #expect(balance.string("available") == "1.98875")
        #expect(balance.integer("open_reservations") == 1)
        #expect(balance.count("budgets") == 3)
        #expect(balance.string("budgets[0].budget") == "all")
        #expect(balance.string("budgets[0].held") == "2")
        #expect(balance.integer("budgets[1].spent") == 1)
        #expect(balance.integer("budgets[1].available") == 7)
        #expect(balance.string("budgets[2].scope") == "default/acme")
        #expect(balance.string("budgets[2].available") == "2.98875")
        fixture.ledger.clock.advance(seconds: 86_400)
        let tomorrow = await fixture.get("/v1/customers/acme/balance")
        #expect(tomorrow.string("budgets[2].spent") == "0")
        #expect(tomorrow["budgets[2].window"] == nil)
        #expect(tomorrow.string("held") == "0")
    }

    // A more specific budget of one name stands in the place of the general one.
    @Test func overridden() async throws {
        let fixture = try await APIFixture()
        try await fixture.ledger.setBudget("a-general", amount: "5", per: [.customer], name: "cap")
        try await fixture.ledger.setBudget(
            "b-special", amount: "9", match: BudgetMatch(customer: "acme"), name: "cap")
        await fixture.reserve("r", "acme", amount: "1")
        let balance = await fixture.get("/v1/customers/acme/balance")
        #expect(balance.bool("budgets[0].overridden") == true)
        #expect(balance.bool("budgets[1].overridden") == false)
        #expect(balance.string("budgets[1].held") == "1")
    }

    // The balance of any moment of the past, by number and by time, is what it was then.
    @Test func asOf() async throws {
        let fixture = try await APIFixture()
        struct Moment { var sequence: UInt64; var time: String; var body: Answer }
        var moments: [Moment] = []
        for number in 0..<12 {
            fixture.ledger.clock.advance(seconds: 10)
            await fixture.reserve("r\(number)", "acme", amount: "2")
            if number % 3 == 1 {
                _ = await fixture.post("/v1/reservations/r\(number)/settle", #"{"amount":"1.5"}"#)
            }
            let balance = await fixture.get("/v1/customers/acme/balance")
            moments.append(
                Moment(
                    sequence: UInt64(balance.integer("as_of.sequence") ?? 0),
                    time: balance.string("as_of.time") ?? "", body: balance))
        }
        for moment in moments {
            let target = "/v1/customers/acme/balance?as_of="
            let bySequence = await fixture.get(target + "\(moment.sequence)")
            let byTime = await fixture.get(target + percentEncoded(moment.time))
            #expect(bySequence.response.body == moment.body.response.body)
            #expect(byTime.response.body == moment.body.response.body)
        }
        let between = await fixture.get(
            "/v1/customers/acme/balance?as_of=2026-03-02T13:00:15+01:00")
        #expect(between.integer("as_of.sequence") == moments[0].body.integer("as_of.sequence"))
        #expect(between.string("as_of.time") == "2026-03-02T12:00:15.000000Z")
        #expect(between["totals"] == moments[0].body["totals"])
        let future = await fixture.get("/v1/customers/acme/balance?as_of=2030-01-01T00:00:00Z")
        #expect(future["totals"] == moments[11].body["totals"])
    }
}
