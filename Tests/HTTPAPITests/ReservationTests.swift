import Billing
import CanonicalJSON
import Engine
import EventLog
import FaregateTestSupport
import HTTPAPI
import Testing

@Suite struct ReservationTests {
    // A hold shows the estimate, what every budget has left after it, and the funds.
    @Test func reserve() async throws {
        let fixture = try await APIFixture()
        try await fixture.ledger.setBudget("monthly", amount: "1", per: [.customer], window: .month)
        let answer = await fixture.reserveTokens(
            "r1", "acme", more: #","user":"u","run":"run-1","tags":{"team":"red"},"ttl_seconds":60"#
        )
        #expect(answer.status == 201)
        #expect(answer.string("status") == "reserved")
        #expect(answer.string("reservation") == "r1")
        #expect(answer.string("project") == "default")
        #expect(answer.string("tags.team") == "red")
        // gpt-4o: 2.5 and 10 dollars per million, so 0.0025 + 0.005.
        #expect(answer.string("estimate.bound.charge") == "0.0075")
        #expect(answer.string("hold.charge") == "0.0075")
        #expect(answer.integer("hold.tokens") == 1_500)
        #expect(answer.integer("max_output_tokens") == 500)
        #expect(answer.string("budgets[0].budget") == "monthly")
        #expect(answer.string("budgets[0].scope") == "default/acme")
        #expect(answer.string("budgets[0].spent") == "0")
        #expect(answer.string("budgets[0].held") == "0.0075")
        #expect(answer.string("budgets[0].available") == "0.9925")
        #expect(answer.string("budgets[0].window.end") == "2026-04-01T00:00:00.000000Z")
        #expect(answer.string("funds.mode") == "postpaid")
        #expect(answer.string("expires_at") == "2026-03-02T12:01:00.000000Z")
        #expect(answer.string("on_expiry") == "release")
    }

    // A refusal is 402 in the form that is promised, and 429 with Retry-After only for full holds.
    @Test func refusals() async throws {
        let fixture = try await APIFixture()
        try await fixture.ledger.setBudget("limit", amount: "5", per: [.customer], window: .month)
        await fixture.reserve("a", "acme", amount: "4")
        let full = await fixture.reserve("b", "acme", amount: "2")
        #expect(full.code == "429 holds_full")
        #expect(full.response.header("x-should-retry") == "true")
        #expect(full.response.header("retry-after") == "5")
        #expect(full.bool("error.retryable") == true)
        #expect(full.string("error.frees_at") == "2026-03-02T12:10:00.000000Z")

        _ = await fixture.post("/v1/reservations/a/settle", #"{"amount":"4"}"#)
        let exhausted = await fixture.reserve("c", "acme", amount: "2")
        #expect(exhausted.code == "402 exhausted")
        #expect(exhausted.response.header("x-should-retry") == "false")
        #expect(exhausted.response.header("retry-after") == nil)
        #expect(exhausted.string("error.type") == "spend_limit")
        #expect(exhausted.string("error.rule") == "budget")
        #expect(exhausted.string("error.budget") == "limit")
        #expect(exhausted.string("error.measure") == "charge")
        #expect(exhausted.string("error.amount") == "5")
        #expect(exhausted.string("error.spent") == "4")
        #expect(exhausted.string("error.held") == "0")
        #expect(exhausted.string("error.available") == "1")
        #expect(exhausted.string("error.estimate.bound") == "2")
        #expect(exhausted.string("error.resets_at") == "2026-04-01T00:00:00.000000Z")
        #expect(exhausted.bool("error.retryable") == false)
        #expect((exhausted.integer("error.rejection_event") ?? 0) > 0)
        #expect(
            exhausted.string("error.message")
                == "Customer 'acme' has 1.00 USD of 5.00 USD left under budget 'limit' until "
                + "2026-04-01 00:00:00 UTC; this call may cost up to 2.00 USD.")

        let large = await fixture.reserve("d", "acme", amount: "6")
        #expect(large.code == "402 request_too_large")
        #expect(
            large.string("error.message")
                == "This call may cost up to 6.00 USD, which is more than the whole of budget "
                + "'limit', 5.00 USD.")
    }

    // Refusals that are not about budgets say what they are about.
    @Test func otherRefusals() async throws {
        let fixture = try await APIFixture()
        _ = await fixture.post("/v1/customers", #"{"id":"pre","terms":{"funding":"prepaid"}}"#)
        let poor = await fixture.reserve("a", "pre", amount: "1")
        #expect(poor.code == "402 exhausted")
        #expect(poor.string("error.rule") == "prepaid_funds")
        #expect(
            poor.string("error.message")
                == "Customer 'pre' has 0.00 USD of credit left; this call may cost up to 1.00 USD.")

        let unpriced = await fixture.reserveTokens("b", "acme", model: "no-such-model")
        #expect(unpriced.code == "402 unknown_price")
        #expect(unpriced.string("error.type") == "policy")

        _ = await fixture.post("/v1/customers/acme/suspend", #"{"reason":"unpaid invoice"}"#)
        let suspended = await fixture.reserve("c", "acme", amount: "1")
        #expect(suspended.code == "402 suspended")
        #expect(
            suspended.string("error.message") == "Customer 'acme' is suspended: unpaid invoice.")

        _ = await fixture.post("/v1/runs/loop/stop", #"{"reason":"runs away"}"#)
        let stopped = await fixture.post(
            "/v1/reservations",
            #"{"id":"d","customer":"other","model":"gpt-4o","amount":"1","run":"loop"}"#)
        #expect(stopped.code == "402 policy")
        #expect(stopped.string("error.rule") == "run_stopped")
    }

    // The same id and body get the same bytes for ever, refusals included, also after a restart.
    @Test func replay() async throws {
        let store = InMemoryStores.make()
        let first = try await APIFixture(store: store)
        try await first.ledger.setBudget("limit", amount: "5")
        let reserved = await first.reserve("a", "acme", amount: "4")
        let refused = await first.reserve("b", "acme", amount: "4")
        let settled = await first.post("/v1/reservations/a/settle", #"{"amount":"3"}"#)
        #expect(reserved.status == 201)
        #expect(refused.status == 429)
        #expect(settled.status == 200)
        #expect(reserved.response.header("Idempotent-Replayed") == nil)

        let second = try await RestartedAPI(store: store)
        for (original, repeated) in [
            (reserved, await second.reserve("a", "acme", amount: "4")),
            (refused, await second.reserve("b", "acme", amount: "4")),
            (settled, await second.post("/v1/reservations/a/settle", #"{"amount":"3"}"#)),
        ] {
            #expect(repeated.status == original.status)
            #expect(repeated.response.body == original.response.body)
            #expect(repeated.response.header("Idempotent-Replayed") == "true")
        }
        let other = await second.reserve("a", "acme", amount: "2")
        #expect(other.code == "409 idempotency_mismatch")
    }

    // Members in another order and other white space are the same request.
    @Test func canonicalBody() async throws {
        let fixture = try await APIFixture()
        let one = await fixture.reserve("a", "acme", amount: "1")
        let two = await fixture.post(
            "/v1/reservations",
            #" { "amount" : "1", "model":"gpt-4o", "customer":"acme","project":"default","id":"a"}"#
        )
        #expect(two.response.body == one.response.body)
        #expect(two.response.header("Idempotent-Replayed") == "true")
    }

    // A dry run decides and records nothing; the id is not used up.
    @Test func dryRun() async throws {
        let fixture = try await APIFixture()
        try await fixture.ledger.setBudget("limit", amount: "1")
        let before = fixture.ledger.store.head.sequence
        let fits = await fixture.post(
            "/v1/reservations",
            #"{"id":"a","customer":"acme","model":"gpt-4o","amount":"1","dry_run":true}"#)
        #expect(fits.status == 200)
        #expect(fits.bool("dry_run") == true)
        #expect(fits.string("would_be") == "reserved")
        #expect(fits.string("answer.hold.charge") == "1")
        #expect(fits["answer.event"] == nil)
        let refused = await fixture.post(
            "/v1/reservations",
            #"{"id":"a","customer":"acme","model":"gpt-4o","amount":"2","dry_run":true}"#)
        #expect(refused.status == 200)
        #expect(refused.string("would_be") == "rejected")
        #expect(refused.string("answer.error.code") == "request_too_large")
        #expect(refused["answer.error.rejection_event"] == nil)
        #expect(fixture.ledger.store.head.sequence == before)
        let real = await fixture.reserve("a", "acme", amount: "1")
        #expect(real.status == 201)
    }

    // A clamping budget lowers the output cap, and the answer says so.
    @Test func clamp() async throws {
        let fixture = try await APIFixture()
        try await fixture.ledger.setBudget("limit", amount: "0.005", onExceed: .clamp)
        let answer = await fixture.reserveTokens("a", "acme")
        #expect(answer.status == 201)
        #expect(answer.integer("clamped_from") == 500)
        #expect(answer.integer("max_output_tokens") == 250)
        #expect(answer.string("warnings[0].code") == "output_clamped")
        #expect(answer.string("budgets[0].outcome") == "clamped")
        #expect(answer.string("budgets[0].available") == "0")
    }

    // Settling rates the usage at the pinned price, gives back the rest, and says what overran.
    @Test func settle() async throws {
        let fixture = try await APIFixture()
        await fixture.reserveTokens("a", "acme")
        let settled = await fixture.post(
            "/v1/reservations/a/settle",
            #"{"usage":{"input_tokens":1000,"cached_input_tokens":200,"output_tokens":100}}"#)
        #expect(settled.status == 200)
        #expect(settled.string("status") == "settled")
        // 800 × 2.5 + 200 × 1.25 + 100 × 10 dollars per million.
        #expect(settled.string("charge") == "0.00325")
        #expect(settled.integer("rated.counts.input") == 800)
        #expect(settled.integer("rated.counts.cache_read") == 200)
        #expect(settled.string("overrun") == "0")
        #expect(settled.bool("late") == false)
        #expect(settled.string("split.billable") == "0.00325")

        await fixture.reserveTokens("b", "acme", output: 10)
        let over = await fixture.post(
            "/v1/reservations/b/settle", #"{"usage":{"input_tokens":1000,"output_tokens":110}}"#)
        #expect(over.string("overrun") == "0.001")
    }

    // Explicit zero is zero; usage that never came is the expected estimate, marked.
    @Test func zeroIsNotMissing() async throws {
        let fixture = try await APIFixture()
        await fixture.reserveTokens("zero", "acme")
        let zero = await fixture.post(
            "/v1/reservations/zero/settle", #"{"usage":{"input_tokens":0,"output_tokens":0}}"#)
        #expect(zero.string("charge") == "0")
        #expect(zero.count("warnings") == 0)
        for (id, body) in [("none", nil), ("empty", "{}"), ("no-count", #"{"usage":{}}"#)] {
            await fixture.reserveTokens(id, "acme")
            let missing = await fixture.post("/v1/reservations/\(id)/settle", body)
            #expect(missing.status == 200)
            #expect(missing.string("charge") == "0.0075")
            #expect(missing.string("rated.marks[0]") == "usage_estimated")
            #expect(missing.string("warnings[0].code") == "usage_estimated")
        }
    }

    // Released, a hold gives everything back; releasing again, or after the expiry, changes
    // nothing.
    @Test func release() async throws {
        let fixture = try await APIFixture()
        await fixture.reserve("a", "acme", amount: "4")
        let released = await fixture.post("/v1/reservations/a/release", #"{"reason":"cancelled"}"#)
        #expect(released.status == 200)
        #expect(released.string("status") == "released")
        #expect(released.string("reason") == "cancelled")
        let again = await fixture.post("/v1/reservations/a/release")
        #expect(again.status == 200)
        #expect(again.string("status") == "released")
        #expect(again["event"] == nil)
        await fixture.reserve("b", "acme", amount: "4")
        fixture.ledger.clock.advance(seconds: 601)
        let expired = await fixture.post("/v1/reservations/b/release")
        #expect(expired.status == 200)
        #expect(expired.string("status") == "expired")
        let balance = await fixture.get("/v1/customers/acme/balance")
        #expect(balance.string("held") == "0")
    }

    // Extended, a hold lives on past its first end.
    @Test func extend() async throws {
        let fixture = try await APIFixture()
        await fixture.reserve("a", "acme", amount: "4")
        fixture.ledger.clock.advance(seconds: 500)
        let extended = await fixture.post("/v1/reservations/a/extend", #"{"ttl_seconds":300}"#)
        #expect(extended.status == 200)
        #expect(extended.string("expires_at") == "2026-03-02T12:13:20.000000Z")
        fixture.ledger.clock.advance(seconds: 200)
        let found = await fixture.get("/v1/reservations/a")
        #expect(found.string("status") == "reserved")
        fixture.ledger.clock.advance(seconds: 101)
        let late = await fixture.get("/v1/reservations/a")
        #expect(late.string("status") == "expired")
        let settled = await fixture.post("/v1/reservations/a/settle", #"{"amount":"3"}"#)
        #expect(settled.bool("late") == true)
    }

    // A call reserved by counts is settled by an amount only where its project allows it.
    @Test func settleByAmount() async throws {
        let fixture = try await APIFixture()
        await fixture.reserveTokens("a", "acme")
        let refused = await fixture.post("/v1/reservations/a/settle", #"{"amount":"1"}"#)
        #expect(refused.code == "422 invalid_request")
        #expect(refused.string("error.param") == "amount")
        let changed = await fixture.ask(
            "PATCH", "/v1/projects/default", #"{"allow_amount_settlement":true}"#)
        #expect(changed.bool("allow_amount_settlement") == true)
        await fixture.reserveTokens("b", "acme")
        let settled = await fixture.post("/v1/reservations/b/settle", #"{"amount":"1"}"#)
        #expect(settled.string("charge") == "1")
    }

    // What a call became, from its id: also refusals.
    @Test func look() async throws {
        let fixture = try await APIFixture()
        try await fixture.ledger.setBudget("limit", amount: "1")
        await fixture.reserve("a", "acme", amount: "1")
        await fixture.reserve("b", "acme", amount: "5")
        let open = await fixture.get("/v1/reservations/a")
        #expect(open.string("status") == "reserved")
        #expect(open.string("budgets[0].held") == "1")
        #expect(open.string("funding.mode") == "postpaid")
        let refused = await fixture.get("/v1/reservations/b")
        #expect(refused.string("status") == "rejected")
        #expect(await fixture.get("/v1/reservations/zzz").code == "404 not_found")
    }
}
