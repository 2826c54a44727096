import Billing
import Engine
import FaregateTestSupport
import HTTPAPI

extension Transcript {
    /// Everything that the API does, once, with everything that it refuses.
    static func tour() async throws -> Transcript {
        var tour = Transcript(try await APIFixture(hasStripe: true))
        await tour.setUp()
        await tour.calls()
        await tour.requests()
        await tour.usage()
        await tour.customers()
        await tour.reads()
        await tour.reports()
        await tour.webhooks()
        await tour.stripe()
        await tour.ends()
        for wrong in ErrorTests.cases { await tour.ask(wrong.method, wrong.target, wrong.body) }
        for wrong in StrictBodyTests.cases {
            await tour.ask("POST", "/v1/reservations", wrong.body)
        }
        for route in APIRoute.all {
            let path = route.template.replacing("{seq}", with: "1").replacing("{id}", with: "x")
            let body = route.method == .get || route.method == .delete ? nil : "{}"
            await tour.ask(route.method.rawValue, path, body, secret: "fg_unknown")
            await tour.ask(route.method.rawValue, path, body, secret: APIFixture.secrets[.read])
            await tour.ask(route.method.rawValue, path, body, contentType: "text/plain")
            await tour.ask(route.method.rawValue, path + "?odd=1", body)
        }
        return tour
    }

    private mutating func post(_ target: String, _ body: String? = nil, key: String? = nil) async {
        await ask("POST", target, body, key: key)
    }

    private mutating func setUp() async {
        for path in ["/healthz", "/readyz", "/openapi.yaml", "/metrics"] { await ask("GET", path) }
        await post("/v1/projects", #"{"id":"blue","name":"Blue","on_expiry":"charge"}"#, key: "a")
        await post("/v1/projects", #"{"id":"blue","name":"Blue","on_expiry":"charge"}"#, key: "a")
        await ask(
            "PATCH", "/v1/projects/default",
            #"{"ceiling_rates":{"input_per_million":"10","output_per_million":"30"}}"#)
        await post(
            "/v1/plans",
            #"{"id":"pro","terms":{"funding":"prepaid","credit_limit":"1","markup_ppm":100000,"#
                + #""funding_holds":"expected","rate_card":"gold"}}"#)
        await ask("PUT", "/v1/plans/basic", #"{"name":null}"#)
        await post(
            "/v1/budgets",
            #"{"id":"each","per":["customer"],"measure":"charge","window":"month","amount":"5"}"#)
        await post(
            "/v1/budgets",
            #"{"id":"tokens","match":{"tags":{"t":"clamp"}},"measure":"tokens","window":"day","#
                + #""amount":1200,"on_exceed":"clamp","holds":"bound","time_zone":"Asia/Tokyo"}"#)
        await ask(
            "PUT", "/v1/budgets/warn",
            #"{"match":{"customer":"acme"},"measure":"requests","window":"hour","amount":1,"#
                + #""on_exceed":"warn"}"#)
        await ask(
            "PUT", "/v1/budgets/shadow",
            #"{"match":{"model":"gpt-*"},"measure":"cost","window":"lifetime","amount":"0.001","#
                + #""on_exceed":"shadow"}"#)
        await post(
            "/v1/price-book",
            #"{"source":"test","entries":[{"model":"gpt-4o","card":"gold","provider":"openai","#
                + #""mode":"chat","rates":{"input":"1","output":"2"},"max_input":9,"max_output":9,"#
                + #""multipliers":{"speed=fast":"2"},"deprecation_date":"2027-01-01"},"#
                + #"{"model":"old","alias_of":"gpt-4o"}],"removals":[{"model":"gpt-4o-mini"}]}"#)
        await post("/v1/keys", #"{"id":"ci","name":"CI","role":"read","project":"blue"}"#, key: "b")
        await post("/v1/keys", #"{"id":"ci","name":"CI","role":"read","project":"blue"}"#, key: "b")
        await post(
            "/v1/runs", #"{"id":"run","customer":"acme","user":"u","cap":"3","metadata":{"k":"v"}}"#
        )
        await post("/v1/customers", #"{"id":"rich","plan":"pro","name":"Rich","billing_day":3}"#)
        await ask(
            "PATCH", "/v1/customers/rich", #"{"name":"Richer","terms":{"credit_limit":"2"}}"#)
        await post(
            "/v1/customers/rich/credits",
            #"{"id":"g","amount":"3","category":"promotional","models":["gpt-*"],"priority":2,"#
                + #""expires_at":"2027-01-01T00:00:00Z","source":"stripe_checkout","#
                + #""source_reference":"cs_1"}"#)
        await post("/v1/customers/rich/credits", #"{"id":"h","amount":"1.50"}"#)
    }

    /// Sized requests, of which each answer shows another member.
    private mutating func requests() async {
        let said = #""messages":[{"role":"user","content":"hi"}],"max_tokens":9"#
        for (more, request) in [
            ("", #"{"model":"gpt-4o",\#(said),"prediction":{"content":"hi"}}"#),
            (#","dialect":"anthropic.messages""#, #"{"model":"claude-sonnet-4-5",\#(said)}"#),
            (
                "",
                #"{"model":"gpt-4o","input":[{"role":"user","content":[{"type":"input_image","#
                    + #""image_url":"https://example.com/a.png"}]}],"previous_response_id":"r"}"#
            ),
            (#","model":"gpt-4o""#, #"{\#(said),"tools":[{"type":"oracle"}]}"#),
            (#","allow_unbounded":true"#, #"{"model":"gpt-4o",\#(said),"plugins":[1]}"#),
            ("", #"{"model":"gpt-4o","messages":1}"#),
        ] {
            let body = #""customer":"acme"\#(more),"request":\#(request)"#
            await post("/v1/estimates", "{\(body)}")
            await post("/v1/reservations", #"{"id":"sized-\#(request.utf8.count)",\#(body)}"#)
        }
    }

    private mutating func calls() async {
        let counts =
            #""usage_estimate":{"input_tokens":1000,"cached_input_tokens":10,"#
            + #""max_output_tokens":500,"#
            + #""expected_output_tokens":50,"completions":2,"web_searches":1,"#
            + #""service_tier":"auto","#
            + #""attributes":{"speed":"fast"}}"#
        for (id, more) in [
            (
                "a",
                #""customer":"acme","user":"u","run":"run","tags":{"é":"1","z":"2"},"#
                    + #""model":"gpt-4o","#
            ),
            ("b", #""customer":"rich","model":"gpt-4o","on_expiry":"charge","ttl_seconds":60,"#),
            ("c", #""customer":"acme","tags":{"t":"clamp"},"model":"gpt-4o","#),
            ("d", #""customer":"acme","model":"unheard-of","#),
            ("e", #""customer":"acme","model":"gpt-4o","occurred_at":"2026-03-01T00:00:00Z","#),
        ] {
            let body = #"{"id":"\#(id)",\#(more)\#(counts)}"#
            await post("/v1/reservations", body)
            await post("/v1/reservations", body)
            await post(
                "/v1/reservations", #"{"id":"dry-\#(id)","dry_run":true,\#(more)\#(counts)}"#)
            await post("/v1/estimates", "{\(more)\(counts)}")
        }
        await post("/v1/estimates", #"{"customer":"acme","model":"m","amount":"1"}"#)
        await post("/v1/estimates", #"{"customer":"acme","model":"m","amount":"100"}"#)
        for (id, customer, amount) in [
            ("f", "full", "4"), ("g", "full", "4"), ("h", "full", "6"), ("i", "rich", "9"),
            ("j", "late", "1"), ("k", "late", "1"), ("l", "late", "1"),
        ] {
            await post(
                "/v1/reservations",
                #"{"id":"\#(id)","customer":"\#(customer)","model":"m","amount":"\#(amount)"}"#)
        }
        await post(
            "/v1/reservations",
            #"{"id":"dry","customer":"full","model":"m","amount":"9","dry_run":true}"#)
        await post("/v1/reservations/a/extend", #"{"ttl_seconds":900}"#, key: "x")
        await post("/v1/reservations/a/extend", #"{"ttl_seconds":900}"#, key: "x")
        await post(
            "/v1/reservations/a/settle",
            #"{"usage":{"input_tokens":10,"cached_input_tokens":20,"output_tokens":900,"#
                + #""reasoning_tokens":1,"served_model":"old","service_tier":"turbo","#
                + #""attributes":{"planet":"mars"}},"occurred_at":"2026-03-02T12:00:00.5Z"}"#)
        await post("/v1/reservations/c/settle")
        await post("/v1/reservations/d/settle", #"{"usage":{"input_tokens":5}}"#)
        await post("/v1/reservations/e/release", #"{"reason":"cancelled"}"#)
        await post("/v1/reservations/e/release")
        await post("/v1/reservations/f/settle", #"{"amount":"4.5"}"#)
        await post("/v1/reservations/f/settle", #"{"amount":"4.5"}"#)
        await post(
            "/v1/reservations",
            #"{"id":"m","customer":"full","model":"m","amount":"1"}"#)
        await post(
            "/v1/reservations/batch",
            #"{"commands":[{"op":"reserve","id":"n","customer":"c","model":"m","amount":"1"},"#
                + #"{"op":"extend","id":"n","ttl_seconds":5},{"op":"release","id":"n"},"#
                + #"{"op":"settle","id":"n","amount":"1"},{"op":"settle","id":"none"}]}"#)
        await post("/v1/test_clock", #"{"advance_seconds":650}"#)
        await post(
            "/v1/reservations/b/settle", #"{"usage":{"input_tokens":900,"output_tokens":40}}"#)
        await post("/v1/reservations/j/settle", #"{"amount":"0.5"}"#)
        await post("/v1/reservations/k/release")
    }

    private mutating func usage() async {
        await post(
            "/v1/usage",
            #"{"id":"u","customer":"acme","user":"u","run":"run","model":"gpt-4o","#
                + #""tags":{"k":"v"},"#
                + #""usage":{"input_tokens":10,"output_tokens":10}}"#)
        for id in ["1", "1"] {
            await ask(
                "POST", "/v1/usage", UsageTests.event(id, #","subject":"acme""#),
                contentType: "application/cloudevents+json")
        }
        await ask(
            "POST", "/v1/usage", "[\(UsageTests.event("2", #","subject":"acme","x":"y""#))]",
            contentType: "application/cloudevents-batch+json")
        await post(
            "/v1/adjustments", #"{"reservation":"a","reason":"r","usage":{"input_tokens":10}}"#)
        await post(
            "/v1/adjustments", #"{"reservation":"b","reason":"r","cost_delta":"0.5","author":"jo"}"#
        )
    }

    private mutating func customers() async {
        await post("/v1/customers/acme/payments", #"{"amount":"1","reference":"in_1"}"#)
        await post("/v1/customers/acme/link", #"{"stripe_customer":"cus_1"}"#)
        await post("/v1/customers/acme/suspend", #"{"reason":"unpaid"}"#)
        await post("/v1/reservations", #"{"id":"s","customer":"acme","model":"m","amount":"1"}"#)
        await post("/v1/customers/acme/resume")
        await post("/v1/customers/rich/credits/g/revoke", #"{"reason":"r"}"#)
        await post("/v1/customers/rich/credits/g/revoke")
        await post("/v1/customers/late/close", #"{"reason":"gone"}"#)
    }

    private mutating func reads() async {
        for id in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "s", "u"] {
            await ask("GET", "/v1/reservations/\(id)")
            await ask("GET", "/v1/reservations/\(id)/explain")
        }
        await post("/v1/reservations/a/explain")
        for customer in ["acme", "rich", "full", "late"] {
            await ask("GET", "/v1/customers/\(customer)")
            await ask("GET", "/v1/customers/\(customer)/balance")
            await ask("GET", "/v1/customers/\(customer)/events?limit=3")
            await ask("GET", "/v1/customers/\(customer)/credits?limit=1")
        }
        await ask("GET", "/v1/customers/rich/balance?as_of=60")
        for list in [
            "customers", "budgets", "plans", "projects", "keys", "price-book",
            "price-book/versions", "events", "budgets/each/counters", "budgets/tokens/counters",
        ] {
            await ask("GET", "/v1/\(list)?limit=2")
            await ask("GET", "/v1/\(list)?limit=1000")
        }
        for path in [
            "budgets/each", "budgets/shadow", "plans/pro", "projects/default", "runs/run",
            "price-book?model=old", "price-book?model=gpt-4o&card=gold", "events/7",
            "checkpoints/latest", "test_clock", "events?type=usage.settled&customer=acme",
        ] {
            await ask("GET", "/v1/" + path)
        }
    }

    private mutating func reports() async {
        for report in ["usage", "refusals", "revenue", "customers/acme/usage"] {
            for query in [
                "", "?group_by=day", "?group_by=customer,project,day&limit=1",
                "?from=2026-03-01&to=2027-01-01T00:00:00Z&project=default",
                "?group_by=colour", "?from=yesterday", "?from=2026-03-01T01:00:00Z",
                "?from=2026-03-02&to=2026-03-01", "?after=x&group_by=day", "?project=",
            ] {
                await ask("GET", "/v1/\(report)\(query)")
                await ask("GET", "/v1/\(report)\(query)", accept: "text/csv")
            }
        }
        await ask("GET", "/v1/usage?group_by=model,customer&customer=acme&model=gpt-4o")
        await ask("GET", "/v1/refusals?group_by=rule,code,budget,model&limit=1000")
        for path in [
            "reservations", "reservations?customer=full&project=default&limit=1",
            "customers/rich/credits/history?limit=1", "customers/rich/credits/history?grant=h",
            "customers/none/credits/history", "customers/none/usage",
            "budgets/each/history?limit=2", "budgets/tokens/history?from=2026-03-01",
            "budgets/each/history?scope=default/acme", "budgets/none/history", "projections",
        ] {
            await ask("GET", "/v1/" + path)
        }
        await post("/v1/projections/rebuild")
        await post("/v1/projections/rebuild", "{}")
        await post("/v1/projections/rebuild", #"{"now":true}"#)
    }

    private mutating func webhooks() async {
        let url = #""url":"https://example.com/hook""#
        await post("/v1/webhooks", "{\(url),\"id\":\"w\",\"types\":[\"usage.rejected\"]}")
        await post("/v1/webhooks", "{\(url),\"id\":\"w\"}")
        await post(
            "/v1/webhooks",
            "{\(url),\"id\":\"v\",\"project\":\"default\",\"enabled\":false,\"description\":\"d\"}")
        for body in [
            "{}", #"{"url":"http://example.com"}"#, #"{"url":"https://10.0.0.1/"}"#,
            #"{"url":5}"#, "{\(url),\"types\":[\"webhook.test\"]}",
            "{\(url),\"id\":\"deliveries\"}",
            "{\(url),\"more\":1}", "{",
        ] { await post("/v1/webhooks", body) }
        await ask("PATCH", "/v1/webhooks/w", #"{"types":[],"enabled":true,"description":"x"}"#)
        await ask("PATCH", "/v1/webhooks/w", #"{"url":"https://127.0.0.1/"}"#)
        await ask("PATCH", "/v1/webhooks/none", "{}")
        await post("/v1/webhooks/w/rotate", #"{"overlap_seconds":60}"#)
        await post("/v1/webhooks/w/rotate", #"{"overlap_seconds":-1}"#)
        await post("/v1/webhooks/none/rotate")
        await post("/v1/webhooks/w/test")
        await post("/v1/webhooks/w/test", #"{"a":1}"#)
        await post("/v1/webhooks/none/test")
        let list = await fixture.get("/v1/webhooks/deliveries")
        let delivery = list.string("data[0].id") ?? ""
        for path in [
            "", "/w", "/none", "?limit=1", "?after=v", "/deliveries",
            "/deliveries?limit=1&webhook=w",
            "/deliveries?state=waiting", "/deliveries?state=lost", "/deliveries?after=x",
            "/deliveries/none", "/deliveries/\(delivery)",
        ] { await ask("GET", "/v1/webhooks" + path) }
        await post("/v1/webhooks/deliveries/\(delivery)/resend")
        await post("/v1/webhooks/deliveries/none/resend")
        await ask("DELETE", "/v1/webhooks/v")
        await ask("DELETE", "/v1/webhooks/v")
    }

    private mutating func ends() async {
        await post("/v1/runs/run/stop", #"{"reason":"loop"}"#)
        await post("/v1/runs/run/stop")
        await post("/v1/runs/run/end")
        await ask("GET", "/v1/runs/run")
        await post(
            "/v1/reservations",
            #"{"id":"z","customer":"acme","run":"run","model":"m","amount":"1"}"#)
        await post("/v1/keys/ci/revoke")
        await post("/v1/keys/ci/revoke")
        await ask("GET", "/v1/keys")
        await ask("DELETE", "/v1/budgets/warn", key: "del")
        await ask("DELETE", "/v1/budgets/warn", key: "del")
    }
}
