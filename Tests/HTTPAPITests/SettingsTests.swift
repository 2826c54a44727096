import Billing
import CanonicalJSON
import Engine
import FaregateTestSupport
import HTTPAPI
import Testing

@Suite struct SettingsTests {
    // Budgets are added once, replaced, read with their counters, and removed.
    @Test func budgets() async throws {
        let fixture = try await APIFixture()
        let body =
            #"{"id":"cap","match":{"model":"gpt-*","tags":{"team":"red"}},"#
            + #""per":["customer","tag:team"],"#
            + #""measure":"tokens","window":"week","time_zone":"Europe/Berlin","amount":5000,"#
            + #""holds":"expected","on_exceed":"warn"}"#
        let created = await fixture.post("/v1/budgets", body, key: "k")
        #expect(created.status == 201)
        #expect(created.string("name") == "cap")
        #expect(created.integer("amount") == 5_000)
        #expect(created.string("per[1]") == "tag:team")
        let replayed = await fixture.post("/v1/budgets", body, key: "k")
        #expect(replayed.response.body == created.response.body)
        #expect(await fixture.post("/v1/budgets", body).code == "409 already_exists")
        await fixture.reserveTokens("r", "acme", more: #","tags":{"team":"red"}"#)
        let counters = await fixture.get("/v1/budgets/cap/counters")
        #expect(counters.count("data") == 1)
        #expect(counters.string("data[0].scope") == "default/acme/red")
        #expect(counters.integer("data[0].held") == 1_500)
        #expect(counters.integer("data[0].open_holds") == 1)
        #expect(counters.bool("data[0].current") == true)
        #expect(counters.string("data[0].window.start") == "2026-03-01T23:00:00.000000Z")
        let replaced = await fixture.ask(
            "PUT", "/v1/budgets/cap", #"{"measure":"charge","window":"day","amount":"1.5"}"#)
        #expect(replaced.status == 200)
        #expect(replaced.string("amount") == "1.5")
        #expect(await fixture.get("/v1/budgets/cap").integer("counters") == 0)
        #expect(await fixture.ask("DELETE", "/v1/budgets/cap").bool("removed") == true)
        #expect(await fixture.get("/v1/budgets/cap").status == 404)
        let made = await fixture.post(
            "/v1/budgets", #"{"measure":"charge","window":"day","amount":"1"}"#)
        #expect(made.string("id")?.hasPrefix("bud_") == true)
        let mixed = await fixture.post(
            "/v1/budgets", #"{"measure":"tokens","window":"day","amount":"1"}"#)
        #expect(mixed.code == "400 wrong_type")
    }

    /// Ids that are not made of letters, digits and `._:-`; some of them look as if they were, or
    /// are the same as ones that are, to Unicode.
    static let notOperatorIDs = [
        "a/b", "a b", "caf\u{e9}", "cafe\u{301}", "\u{212a}", "A\u{30a}", "\u{ff41}",
        "a\u{200b}", "$run", "a%", "", String(repeating: "a", count: 129),
    ]

    // What operators name has ids of plain characters, so that no two of them can be taken for one
    // another; the error names the field.
    @Test(arguments: notOperatorIDs)
    func operatorIDs(_ id: String) async throws {
        let fixture = try await APIFixture.shared.value
        let budget = #""measure":"charge","window":"day","amount":"1""#
        let bodies = [
            ("POST", "/v1/projects", #"{"id":"\#(id)"}"#, "id"),
            ("POST", "/v1/plans", #"{"id":"\#(id)"}"#, "id"),
            ("POST", "/v1/budgets", #"{"id":"\#(id)",\#(budget)}"#, "id"),
            ("POST", "/v1/keys", #"{"id":"\#(id)","role":"read"}"#, "id"),
            ("POST", "/v1/keys", #"{"project":"\#(id)","role":"read"}"#, "project"),
            ("POST", "/v1/budgets", #"{"match":{"project":"\#(id)"},\#(budget)}"#, "match.project"),
            ("POST", "/v1/budgets", #"{"match":{"plan":"\#(id)"},\#(budget)}"#, "match.plan"),
            ("POST", "/v1/projects", #"{"id":"x","default_plan":"\#(id)"}"#, "default_plan"),
            ("POST", "/v1/customers", #"{"id":"x","plan":"\#(id)"}"#, "plan"),
            ("POST", "/v1/customers", #"{"id":"x","project":"\#(id)"}"#, "project"),
            (
                "POST", "/v1/reservations",
                #"{"id":"r","customer":"c","project":"\#(id)","model":"m","amount":"1"}"#, "project"
            ),
        ]
        for (method, path, body, param) in bodies {
            let answer = await fixture.ask(method, path, body)
            #expect(answer.code == "422 invalid_request", "\(body)")
            #expect(answer.string("error.param") == param)
        }
        if id.isEmpty { return }
        let path = percentEncoded(id)
        let inQuery = await fixture.get("/v1/customers?project=\(path)")
        #expect(inQuery.code == "422 invalid_request")
        #expect(inQuery.string("error.param") == "project")
        for list in ["projects", "plans", "budgets"] {
            #expect(await fixture.get("/v1/\(list)/\(path)").code == "404 not_found")
        }
        let put = await fixture.ask("PUT", "/v1/plans/\(path)", "{}")
        #expect(put.code == "422 invalid_request")
        #expect(put.string("error.param") == "id")
        #expect(await fixture.ask("DELETE", "/v1/budgets/\(path)").code == "404 not_found")
        #expect(await fixture.post("/v1/keys/\(path)/revoke").code == "404 not_found")
    }

    // All of the characters there are, up to the longest.
    @Test func operatorIDsOfAllCharacters() async throws {
        let fixture = try await APIFixture()
        for id in ["aZ09._:-", ".", String(repeating: "a", count: 128)] {
            #expect(await fixture.post("/v1/projects", #"{"id":"\#(id)"}"#).status == 201)
            #expect(await fixture.get("/v1/projects/\(id)").string("id") == id)
        }
    }

    // Lists by id come in pages of any size, in order.
    @Test func pages() async throws {
        let fixture = try await APIFixture()
        let ids = ["é", "b", "a", "z", "m", "B", "10", "2"]
        let names = ["_", "b", "a", "z", "m", "B", "10", "2"]
        for (id, name) in zip(ids, names) {
            _ = await fixture.ask(
                "PUT", "/v1/budgets/\(name)",
                #"{"measure":"charge","window":"day","amount":"1"}"#)
            await fixture.reserve("r-\(id)", id, amount: "1")
        }
        _ = await fixture.ask(
            "PUT", "/v1/budgets/each",
            #"{"per":["customer"],"measure":"requests","window":"day","amount":9}"#)
        for id in ids { await fixture.reserve("s-\(id)", id, amount: "0") }
        for (list, name, expected) in [
            ("/v1/budgets", "id", (names + ["each"]).sorted()),
            ("/v1/budgets/each/counters", "scope", ids.map { "default/" + $0 }.sorted()),
        ] {
            for limit in [1, 3, 8, 9, 20] {
                var found: [String] = []
                var after = ""
                while true {
                    let page = await fixture.get("\(list)?limit=\(limit)\(after)")
                    found += (0..<(page.count("data") ?? 0)).compactMap {
                        page.string("data[\($0)].\(name)")
                    }
                    guard page.bool("has_more") == true, let next = page.string("next") else {
                        break
                    }
                    after = "&after=\(percentEncoded(next))"
                }
                #expect(found == expected)
            }
        }
        let some = await fixture.get("/v1/budgets/each/counters?scope_prefix=default/m")
        #expect(some.count("data") == 1)
    }

    // Plans are added once, replaced, and their terms hold for their customers.
    @Test func plans() async throws {
        let fixture = try await APIFixture()
        let created = await fixture.post(
            "/v1/plans", #"{"id":"pro","name":"Pro","terms":{"funding":"prepaid"}}"#, key: "k")
        #expect(created.status == 201)
        let replayed = await fixture.post(
            "/v1/plans", #"{"id":"pro","name":"Pro","terms":{"funding":"prepaid"}}"#, key: "k")
        #expect(replayed.response.body == created.response.body)
        _ = await fixture.post("/v1/customers", #"{"id":"acme","plan":"pro"}"#)
        let balance = await fixture.get("/v1/customers/acme/balance")
        #expect(balance.string("funding") == "prepaid")
        let replaced = await fixture.ask(
            "PUT", "/v1/plans/pro", #"{"terms":{"markup_ppm":100000}}"#)
        #expect(replaced.string("name") == "")
        #expect(await fixture.get("/v1/plans/pro").integer("terms.markup_ppm") == 100_000)
        #expect(await fixture.get("/v1/plans").count("data") == 2)
    }

    // A project changes field by field; null takes the ceiling rates away.
    @Test func projects() async throws {
        let fixture = try await APIFixture()
        let created = await fixture.post(
            "/v1/projects",
            #"{"id":"blue","hold_seconds":60,"ceiling_rates":{"input_per_million":"10","#
                + #""output_per_million":"30.5"}}"#)
        #expect(created.status == 201)
        #expect(created.string("ceiling_rates.output_per_million") == "30.5")
        let guarded = await fixture.post(
            "/v1/reservations?project=blue",
            #"{"id":"a","customer":"c","model":"unheard-of","#
                + #""usage_estimate":{"input_tokens":1000000,"#
                + #""max_output_tokens":0}}"#)
        #expect(guarded.string("hold.charge") == "10")
        #expect(guarded.string("estimate.method") == "ceiling")
        #expect(guarded.string("estimate.ceiling.input_per_million") == "10")
        #expect(guarded.string("expires_at") == "2026-03-02T12:01:00.000000Z")
        let kept = await fixture.ask("PATCH", "/v1/projects/blue", #"{"on_expiry":"charge"}"#)
        #expect(kept.integer("hold_seconds") == 60)
        #expect(kept["ceiling_rates"] != nil)
        let without = await fixture.ask("PATCH", "/v1/projects/blue", #"{"ceiling_rates":null}"#)
        #expect(without["ceiling_rates"] == nil)
        #expect(without.string("on_expiry") == "charge")
        #expect(await fixture.get("/v1/projects").count("data") == 2)
    }

    // Many changes at once lose none: each sees the one before.
    @Test func concurrentChanges() async throws {
        let fixture = try await APIFixture()
        let bodies = [
            #"{"name":"N"}"#, #"{"hold_seconds":77}"#, #"{"on_expiry":"charge"}"#,
            #"{"allow_amount_settlement":true}"#,
            #"{"ceiling_rates":{"input_per_million":"1","output_per_million":"2"}}"#,
        ]
        await withTaskGroup { group in
            for body in bodies {
                group.addTask { _ = await fixture.ask("PATCH", "/v1/projects/default", body) }
            }
        }
        let project = await fixture.get("/v1/projects/default")
        #expect(project.string("name") == "N")
        #expect(project.integer("hold_seconds") == 77)
        #expect(project.string("on_expiry") == "charge")
        #expect(project.bool("allow_amount_settlement") == true)
        #expect(project.string("ceiling_rates.output_per_million") == "2")
        let versions = await withTaskGroup(of: Int64?.self) { group in
            for number in 0..<8 {
                group.addTask {
                    await fixture.post(
                        "/v1/price-book",
                        #"{"source":"s","entries":[{"model":"m\#(number)","#
                            + #""rates":{"request":"1"}}]}"#
                    ).integer("version")
                }
            }
            return await group.reduce(into: [Int64]()) {
                if let version = $1 { $0.append(version) }
            }
        }
        #expect(versions.sorted() == [2, 3, 4, 5, 6, 7, 8, 9])
    }

    // A published version counts from its instant on; what came before stays as it was.
    @Test func prices() async throws {
        let fixture = try await APIFixture()
        await fixture.reserveTokens("old", "acme")
        let published = await fixture.post(
            "/v1/price-book",
            #"{"source":"contract","effective_at":"2026-03-02T13:00:00Z","#
                + #""entries":[{"model":"gpt-4o","#
                + #""rates":{"input":"5","output":"20","input@batch":"1","input>1000":"6"},"#
                + #""max_output":1000,"multipliers":{"region=us":"1.1"}},"#
                + #"{"model":"mine","alias_of":"gpt-4o"}],"removals":[{"model":"gpt-4o-mini"}]}"#,
            key: "k")
        #expect(published.status == 201)
        #expect(published.integer("version") == 2)
        #expect(published.integer("entries") == 2)
        let early = await fixture.get("/v1/price-book?model=gpt-4o")
        #expect(early.integer("version") == 1)
        #expect(early.integer("latest") == 2)
        #expect(early.string("data[0].rates.input") == "2.5")
        let later = await fixture.get("/v1/price-book?model=mine&version=2")
        #expect(later.string("chain[0]") == "mine")
        #expect(later.string("chain[1]") == "gpt-4o")
        #expect(later.string("data[0].rates.input@batch") == "1")
        #expect(later.string("data[0].multipliers.region=us") == "1.1")
        fixture.ledger.clock.advance(seconds: 3_600)
        #expect(await fixture.get("/v1/price-book?model=gpt-4o").integer("version") == 2)
        #expect(await fixture.get("/v1/price-book?model=gpt-4o-mini").status == 404)
        let settled = await fixture.post(
            "/v1/reservations/old/settle", #"{"usage":{"input_tokens":1000,"output_tokens":0}}"#)
        #expect(settled.string("charge") == "0.0025")
        let versions = await fixture.get("/v1/price-book/versions")
        #expect(versions.count("data") == 2)
        #expect(versions.string("data[1].source") == "contract")
        let again = await fixture.post(
            "/v1/price-book",
            #"{"source":"contract","effective_at":"2026-03-02T13:00:00Z","#
                + #""entries":[{"model":"gpt-4o","#
                + #""rates":{"input":"5","output":"20","input@batch":"1","input>1000":"6"},"#
                + #""max_output":1000,"multipliers":{"region=us":"1.1"}},"#
                + #"{"model":"mine","alias_of":"gpt-4o"}],"removals":[{"model":"gpt-4o-mini"}]}"#,
            key: "k")
        #expect(again.response.body == published.response.body)
    }

    // The whole book comes in pages, each entry once.
    @Test func pricePages() async throws {
        let fixture = try await APIFixture()
        var models: [String] = []
        var after = ""
        while true {
            let page = await fixture.get("/v1/price-book?limit=1000\(after)")
            models += (0..<(page.count("data") ?? 0)).compactMap {
                page.string("data[\($0)].model")
            }
            guard page.bool("has_more") == true, let next = page.string("next") else { break }
            after = "&after=\(percentEncoded(next))"
        }
        let first = await fixture.get("/v1/price-book/versions")
        #expect(Int64(models.count) == first.integer("data[0].entries"))
        #expect(Set(models).count == models.count)
    }

    // A key's secret is shown once, works at once, and is gone when revoked.
    @Test func keys() async throws {
        let fixture = try await APIFixture()
        let made = await fixture.post("/v1/keys", #"{"name":"ci","role":"meter"}"#, key: "k")
        #expect(made.status == 201)
        let secret = try #require(made.string("secret"))
        #expect(secret.hasPrefix("fg_"))
        #expect(secret.utf8.count == 46)
        #expect(await fixture.get("/v1/plans", secret: secret).status == 200)
        let again = await fixture.post("/v1/keys", #"{"name":"ci","role":"meter"}"#, key: "k")
        #expect(again.string("id") == made.string("id"))
        #expect(again["secret"] == nil)
        let events = await fixture.get("/v1/events?type=key.created&limit=1000")
        #expect(!events.text.contains(secret))
        let id = try #require(made.string("id"))
        let revoked = await fixture.post("/v1/keys/\(id)/revoke")
        #expect(revoked.status == 200)
        #expect(await fixture.get("/v1/plans", secret: secret).code == "401 unauthenticated")
        let twice = await fixture.post("/v1/keys/\(id)/revoke")
        #expect(twice.status == 200)
        #expect(twice["event"] == nil)
        #expect(twice.string("revoked_at") == revoked.string("revoked_at"))
        let list = await fixture.get("/v1/keys")
        #expect(list.count("data") == 4)
        #expect(!list.text.contains("secret"))
    }

    // A run has a cap of its own; stopped, even before it was seen, its calls are refused.
    @Test func runs() async throws {
        let fixture = try await APIFixture()
        let started = await fixture.post(
            "/v1/runs", #"{"id":"r","customer":"acme","cap":"3","metadata":{"job":"7"}}"#)
        #expect(started.status == 201)
        #expect(started.string("status") == "active")
        #expect(await fixture.post("/v1/runs", #"{"id":"r"}"#).code == "409 already_exists")
        func reserve(_ id: String, _ run: String, _ amount: String) async -> Answer {
            await fixture.post(
                "/v1/reservations",
                #"{"id":"\#(id)","customer":"acme","run":"\#(run)","model":"m","#
                    + #""amount":"\#(amount)"}"#
            )
        }
        #expect(await reserve("a", "r", "2").status == 201)
        let refused = await reserve("b", "r", "2")
        #expect(refused.code == "429 holds_full")
        #expect(refused.string("error.rule") == "run_cap")
        let seen = await fixture.get("/v1/runs/r")
        #expect(seen.string("held") == "2")
        #expect(seen.string("available") == "1")
        #expect(seen.bool("cap_exceeded") == true)
        let stopped = await fixture.post("/v1/runs/r/stop", #"{"reason":"loop"}"#)
        #expect(stopped.string("reason") == "loop")
        let again = await fixture.post("/v1/runs/r/stop")
        #expect(again["event"] == nil)
        #expect(again.string("stopped_at") == stopped.string("stopped_at"))
        #expect(await reserve("c", "r", "1").code == "402 policy")
        let ended = await fixture.post("/v1/runs/r/end")
        #expect(ended["ended_at"] != nil)
        #expect(await fixture.get("/v1/runs/r").string("status") == "stopped")
        #expect(await fixture.post("/v1/runs/unseen/stop").status == 200)
        #expect(await reserve("d", "unseen", "1").code == "402 policy")
    }
}
