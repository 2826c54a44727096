import Billing
import CanonicalJSON
import Engine
import FaregateTestSupport
import HTTPAPI
import Testing

@Suite struct CustomerTests {
    // A customer's life: opened, changed, suspended, resumed, linked, closed.
    @Test func life() async throws {
        let fixture = try await APIFixture()
        let opened = await fixture.post(
            "/v1/customers",
            #"{"id":"acme","name":"Acme","billing_day":15,"terms":{"funding":"prepaid","#
                + #""credit_limit":"2.5","markup_ppm":200000,"funding_holds":"expected"}}"#)
        #expect(opened.status == 201)
        #expect(opened.string("plan") == "default")
        #expect(opened.string("terms.credit_limit") == "2.5")
        #expect(opened.integer("terms.markup_ppm") == 200_000)
        let changed = await fixture.ask(
            "PATCH", "/v1/customers/acme", #"{"terms":{"funding":"unfunded"}}"#)
        #expect(changed.status == 200)
        #expect(changed.string("name") == "Acme")
        #expect(changed.integer("billing_day") == 15)
        #expect(changed["terms.credit_limit"] == nil)
        let suspended = await fixture.post("/v1/customers/acme/suspend", #"{"reason":"why"}"#)
        #expect(suspended.string("status") == "suspended")
        #expect(await fixture.get("/v1/customers/acme").string("status_reason") == "why")
        #expect(await fixture.post("/v1/customers/acme/resume").string("status") == "active")
        let linked = await fixture.post(
            "/v1/customers/acme/link", #"{"stripe_customer":"cus_1"}"#)
        #expect(linked.string("stripe_customer") == "cus_1")
        let closed = await fixture.post("/v1/customers/acme/close", #"{"reason":"bye"}"#)
        #expect(closed.string("status") == "closed")
        let seen = await fixture.get("/v1/customers/acme")
        #expect(seen.string("status") == "closed")
        #expect(seen.string("stripe_customer") == "cus_1")
        #expect(seen.string("opened_at") == "2026-03-02T12:00:00.000000Z")
    }

    // An Idempotency-Key gets the same bytes for ever; with another request it is a conflict.
    @Test func idempotencyKey() async throws {
        let fixture = try await APIFixture()
        let body = #"{"id":"acme","name":"A"}"#
        let first = await fixture.post("/v1/customers", body, key: "k1")
        let second = await fixture.post("/v1/customers", body, key: "k1")
        #expect(first.status == 201)
        #expect(second.response.body == first.response.body)
        #expect(second.response.header("Idempotent-Replayed") == "true")
        let other = await fixture.post("/v1/customers", #"{"id":"other"}"#, key: "k1")
        #expect(other.code == "409 idempotency_mismatch")
        let elsewhere = await fixture.post("/v1/customers/acme/resume", key: "k1")
        #expect(elsewhere.code == "409 idempotency_mismatch")
        #expect(await fixture.post("/v1/customers", body, key: "k2").code == "409 already_exists")
        for key in ["", "a b", "é", String(repeating: "k", count: 257)] {
            let answer = await fixture.post("/v1/customers", #"{"id":"z"}"#, key: key)
            #expect(answer.code == "400 invalid_header")
        }
    }

    // Pages follow the order of opening and lose nothing, whatever their size.
    @Test func pages() async throws {
        let fixture = try await APIFixture()
        _ = await fixture.post("/v1/projects", #"{"id":"blue"}"#)
        for number in 0..<7 {
            _ = await fixture.post("/v1/customers", #"{"id":"c\#(6 - number)"}"#)
            _ = await fixture.post("/v1/customers", #"{"id":"b\#(number)","project":"blue"}"#)
        }
        for limit in [1, 2, 3, 7, 100] {
            var found: [String] = []
            var target = "/v1/customers?limit=\(limit)"
            while true {
                let page = await fixture.get(target)
                found += (0..<(page.count("data") ?? 0)).compactMap {
                    page.string("data[\($0)].id")
                }
                guard page.bool("has_more") == true, let next = page.string("next") else { break }
                target = "/v1/customers?limit=\(limit)&after=\(next)"
            }
            #expect(found == ["c6", "c5", "c4", "c3", "c2", "c1", "c0"])
        }
    }

    // Grants burn, expire and are taken back; the list says how much of each is left.
    @Test func credits() async throws {
        let fixture = try await APIFixture()
        _ = await fixture.post("/v1/customers", #"{"id":"acme","terms":{"funding":"prepaid"}}"#)
        let granted = await fixture.post(
            "/v1/customers/acme/credits",
            #"{"id":"g1","amount":"10","priority":-1,"category":"promotional","models":["gpt-*"],"#
                + #""expires_at":"2026-04-01T00:00:00Z"}"#)
        #expect(granted.status == 201)
        #expect(granted.string("grant.effective_at") == "2026-03-02T12:00:00.000000Z")
        #expect(granted.string("repaid_debt") == "0")
        let made = await fixture.post("/v1/customers/acme/credits", #"{"amount":"5"}"#)
        #expect(made.string("grant.id")?.hasPrefix("grant_") == true)
        _ = await fixture.post(
            "/v1/customers/acme/credits",
            #"{"id":"later","amount":"1","effective_at":"2026-05-01T00:00:00Z"}"#)
        await fixture.reserve("r", "acme", amount: "4")
        _ = await fixture.post("/v1/reservations/r/settle", #"{"amount":"3"}"#)
        let list = await fixture.get("/v1/customers/acme/credits")
        #expect(list.count("data") == 3)
        #expect(list.string("data[0].burnt") == "3")
        #expect(list.string("data[0].available") == "7")
        #expect(list.string("data[2].status") == "pending")
        let revoked = await fixture.post(
            "/v1/customers/acme/credits/g1/revoke", #"{"reason":"mistake"}"#)
        #expect(revoked.string("amount") == "7")
        let again = await fixture.post("/v1/customers/acme/credits/g1/revoke")
        #expect(again.status == 200)
        #expect(again["event"] == nil)
        let page = await fixture.get("/v1/customers/acme/credits?limit=2")
        #expect(page.bool("has_more") == true)
        let rest = await fixture.get(
            "/v1/customers/acme/credits?limit=2&after=\(page.string("next") ?? "")")
        #expect(rest.string("data[0].id") == "later")
        #expect(rest.bool("has_more") == false)
        let unknown = await fixture.post("/v1/customers/acme/credits/none/revoke")
        #expect(unknown.code == "404 not_found")
    }

    // A payment lowers what is owed, and can be taken back.
    @Test func payments() async throws {
        let fixture = try await APIFixture()
        await fixture.reserve("r", "acme", amount: "4")
        _ = await fixture.post("/v1/reservations/r/settle", #"{"amount":"4"}"#)
        let paid = await fixture.post(
            "/v1/customers/acme/payments", #"{"amount":"3","reference":"in_1"}"#)
        #expect(paid.status == 201)
        #expect(await fixture.get("/v1/customers/acme/balance").string("owed") == "1")
        _ = await fixture.post("/v1/customers/acme/payments", #"{"amount":"-3"}"#)
        #expect(await fixture.get("/v1/customers/acme/balance").string("owed") == "4")
        let zero = await fixture.post("/v1/customers/acme/payments", #"{"amount":"0"}"#)
        #expect(zero.code == "422 invalid_request")
    }

    // A customer's events are found by scanning, a bounded stretch at a time.
    @Test func events() async throws {
        let fixture = try await APIFixture { $0.scannedEventsMax = 10 }
        for number in 0..<30 {
            await fixture.reserve("r\(number)", number % 10 == 0 ? "acme" : "other", amount: "1")
        }
        var found: [Int64] = []
        var pages = 0
        var after: Int64 = 0
        while true {
            let page = await fixture.get("/v1/customers/acme/events?after=\(after)&limit=2")
            found += (0..<(page.count("data") ?? 0)).compactMap { page.integer("data[\($0)].seq") }
            after = page.integer("next") ?? after
            pages += 1
            if page.bool("has_more") != true { break }
        }
        // Opened once, reserved three times.
        #expect(found.count == 4)
        #expect(found == found.sorted())
        #expect(pages > 2)
    }
}
