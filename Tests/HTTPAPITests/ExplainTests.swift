import Billing
import CanonicalJSON
import Engine
import FaregateTestSupport
import HTTPAPI
import Testing

@Suite struct ExplainTests {
    // A decision is told from the log: question, price, estimate, budgets, funds, what came after.
    @Test func reservation() async throws {
        let fixture = try await APIFixture()
        try await fixture.ledger.setBudget("monthly", amount: "5", per: [.customer], window: .month)
        _ = await fixture.post("/v1/customers", #"{"id":"acme","terms":{"markup_ppm":200000}}"#)
        await fixture.reserveTokens("r", "acme")
        fixture.ledger.clock.advance(seconds: 30)
        _ = await fixture.post(
            "/v1/reservations/r/settle", #"{"usage":{"input_tokens":1000,"output_tokens":100}}"#)
        _ = await fixture.post(
            "/v1/adjustments",
            #"{"reservation":"r","reason":"goodwill","author":"jo","charge_delta":"-0.001"}"#)
        let answer = await fixture.get("/v1/reservations/r/explain")
        #expect(answer.status == 200)
        #expect(answer.string("decision") == "reserved")
        #expect(answer.string("status") == "settled")
        #expect(answer.string("budgets[0].held") == "0")
        #expect(answer.string("budgets[0].hold") == "0.009")
        #expect(answer.integer("price.book_version") == 1)
        #expect(answer.string("price.entry.rates.input") == "2.5")
        #expect(answer.count("events") == 3)
        #expect(answer.string("events[1].type") == "usage.settled")
        let lines = (answer.string("text") ?? "").split(separator: "\n").map(String.init)
        #expect(
            lines[0] == "2026-03-02 12:00:00 UTC: customer 'acme' of project 'default' (plan "
                + "'default') asked to call model 'gpt-4o' with 1,000 input tokens and an output "
                + "cap of 500 tokens.")
        #expect(lines[1].hasPrefix("Price: 'gpt-4o' in version 1 of the price book, effective "))
        #expect(lines[1].contains("input 2.5"))
        #expect(
            lines[2] == "Estimate: at most 0.009 USD, probably 0.009 USD (cost at most 0.0075 USD, "
                + "markup 20 %).")
        #expect(
            lines[3]
                == "Budget 'monthly' for 'default/acme', 2026-03-01 00:00:00 UTC to 2026-04-01 "
                + "00:00:00 UTC: 0.00 USD spent and 0.00 USD held of 5.00 USD, 5.00 USD available, "
                + "0.009 USD needed: fits.")
        #expect(
            lines[4] == "Funds (postpaid): 0.00 USD in grants, 0.00 USD owed, 0.00 USD held beyond "
                + "grants; 0.009 USD needed.")
        #expect(lines[5] == "Decision: reserved 0.009 USD until 2026-03-02 12:10:00 UTC.")
        #expect(
            lines[6] == "2026-03-02 12:00:30 UTC: settled with 1,000 input, 100 output: 0.0042 USD "
                + "charged (cost 0.0035 USD).")
        #expect(
            lines[7] == "2026-03-02 12:00:30 UTC: corrected by -0.001 USD (cost 0.00 USD) by 'jo': "
                + "goodwill.")
        #expect(lines[8] == "Now: settled, 0.0032 USD charged (0.0032 USD to be billed).")
        let posted = await fixture.post("/v1/reservations/r/explain")
        #expect(posted.response.body == answer.response.body)
    }

    // A refusal explains itself months later, with the figures of its moment.
    @Test func refusal() async throws {
        let fixture = try await APIFixture()
        try await fixture.ledger.setBudget("daily", amount: "1", window: .day)
        await fixture.reserve("first", "acme", amount: "0.75")
        let refused = await fixture.reserve("r", "acme", amount: "0.5")
        fixture.ledger.clock.advance(seconds: 100 * 86_400)
        _ = await fixture.ask("DELETE", "/v1/budgets/daily")
        let answer = await fixture.get("/v1/reservations/r/explain")
        #expect(answer.string("decision") == "rejected")
        #expect(answer["refusal"] == refused["error"])
        #expect(answer.string("budgets[0].held") == "0.75")
        #expect(answer.string("budgets[0].outcome") == "refused")
        #expect(
            answer.string("text")?.contains(
                "Decision: refused (holds_full). Customer 'acme' has "
                    + "0.25 USD of 1.00 USD left under budget 'daily'") == true)
    }

    // Debt from prepaid days refuses the customer whose funding is another now, and says so in the
    // refusal, in the explanation and in the balance.
    @Test func debt() async throws {
        let fixture = try await APIFixture()
        _ = await fixture.post("/v1/customers", #"{"id":"acme","terms":{"funding":"prepaid"}}"#)
        _ = await fixture.post(
            "/v1/usage", #"{"id":"u","customer":"acme","model":"gpt-4o","amount":"1"}"#)
        for funding in ["postpaid", "unfunded"] {
            _ = await fixture.ask(
                "PATCH", "/v1/customers/acme",
                #"{"terms":{"funding":"\#(funding)","credit_limit":"50"}}"#)
            let refused = await fixture.reserve("r-\(funding)", "acme", amount: "0")
            #expect(refused.code == "402 exhausted")
            #expect(refused.string("error.rule") == "debt")
            #expect(refused.string("error.spent") == "1")
            #expect(refused.string("error.available") == "-1")
            #expect(refused["error.amount"] == nil)
            let answer = await fixture.get("/v1/reservations/r-\(funding)/explain")
            #expect(answer["refusal"] == refused["error"])
            #expect(
                answer.string("text")?.contains(
                    "Funds (\(funding)): 1.00 USD of debt, which blocks beyond 0.00 USD.") == true)
            let balance = await fixture.get("/v1/customers/acme/balance")
            #expect(balance.string("available") == "-1")
        }
    }

    // The price is the one that was pinned, whatever was published since.
    @Test func pinnedPrice() async throws {
        let fixture = try await APIFixture()
        await fixture.reserveTokens("r", "acme")
        _ = await fixture.post(
            "/v1/price-book",
            #"{"source":"new","entries":[{"model":"gpt-4o","rates":{"input":"99","output":"99"}}]}"#
        )
        let answer = await fixture.get("/v1/reservations/r/explain")
        #expect(answer.integer("price.book_version") == 1)
        #expect(answer.string("price.entry.rates.input") == "2.5")
    }

    // Usage without a hold, an unpriced model and an expired hold have their explanations too.
    @Test func others() async throws {
        let fixture = try await APIFixture()
        _ = await fixture.post(
            "/v1/usage", #"{"id":"u","customer":"acme","model":"gpt-4o","amount":"1"}"#)
        let usage = await fixture.get("/v1/reservations/u/explain")
        #expect(usage.string("decision") == "recorded")
        #expect(usage.string("text")?.contains("without a reservation") == true)
        await fixture.reserveTokens("p", "acme", model: "no-such-model")
        let unpriced = await fixture.get("/v1/reservations/p/explain")
        #expect(unpriced.string("refusal.code") == "unknown_price")
        #expect(unpriced["estimate"] == nil)
        await fixture.reserve("e", "acme", amount: "1")
        fixture.ledger.clock.advance(seconds: 601)
        let expired = await fixture.get("/v1/reservations/e/explain")
        #expect(
            expired.string("text")?.contains("nobody settled in time: the hold was given back")
                == true)
        #expect(await fixture.get("/v1/reservations/zzz/explain").code == "404 not_found")
    }
}
