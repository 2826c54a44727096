import Billing
import CanonicalJSON
import Engine
import EventLog
import FaregateTestSupport
import HTTPAPI
import Projections
import Testing

@Suite struct ReportTests {
    /// A ledger with two customers, two models, one refusal and a correction on the next day.
    private func filled() async throws -> APIFixture {
        let api = try await APIFixture()
        _ = await api.post(
            "/v1/budgets",
            #"{"id":"cap","per":["customer"],"measure":"charge","window":"day","amount":"2"}"#)
        for (id, customer, amount) in [("a", "acme", "1.5"), ("b", "zoe", "0.25")] {
            await api.reserve(id, customer, amount: amount)
            _ = await api.post("/v1/reservations/\(id)/settle", #"{"amount":"\#(amount)"}"#)
        }
        await api.reserve("c", "acme", amount: "1")
        await api.reserveTokens("d", "zoe", model: "gpt-4o-mini")
        _ = await api.post(
            "/v1/reservations/d/settle",
            #"{"usage":{"input_tokens":1000,"cached_input_tokens":400,"output_tokens":100}}"#)
        _ = await api.post("/v1/test_clock", #"{"advance_seconds":86400}"#)
        _ = await api.post(
            "/v1/adjustments", #"{"reservation":"a","reason":"r","charge_delta":"-0.5"}"#)
        await api.reserve("open", "acme", amount: "0.75")
        return api
    }

    // What was written before is in the answer, and the answer says as of which event it is.
    @Test func answersKnowWhatWasWritten() async throws {
        let api = try await APIFixture()
        for index in 1...5 {
            _ = await api.post(
                "/v1/usage",
                #"{"id":"u\#(index)","customer":"acme","model":"gpt-4o","amount":"0.1"}"#)
            let answer = await api.get("/v1/usage")
            #expect(answer.string("data[0].charge") == (index == 5 ? "0.5" : "0.\(index)"))
            #expect(
                answer.integer("as_of.sequence") == Int64(api.ledger.store.head.sequence))
        }
    }

    // Lines by any columns, in their order; corrections have their own day.
    @Test func usageByColumns() async throws {
        let api = try await filled()
        let days = await api.get("/v1/usage?group_by=customer,day")
        #expect(days.status == 200)
        let lines = (0..<(days.count("data") ?? 0)).map { line in
            ["customer", "day", "charge"].map { days.string("data[\(line)].\($0)") ?? "" }
        }
        #expect(
            lines.map { $0.joined(separator: " ") } == [
                "acme 2026-03-02 1.5", "acme 2026-03-03 -0.5", "zoe 2026-03-02 0.25018",
            ])
        let all = await api.get("/v1/usage")
        #expect(all.count("data") == 1)
        #expect(all.string("data[0].charge") == "1.25018")
        #expect(all.integer("data[0].calls.settled") == 3)
        #expect(all.integer("data[0].calls.reserved") == 4)
        #expect(all.integer("data[0].tokens.total") == 1_100)
        #expect(all.integer("data[0].tokens.cache_read") == 400)
        #expect(all.integer("data[0].tokens.input") == 600)
        let first = await api.get("/v1/customers/acme/usage?group_by=model&to=2026-03-03")
        #expect(first.count("data") == 1)
        #expect(first.string("data[0].charge") == "1.5")
        #expect(first.string("data[0].model") == "gpt-4o")
        #expect(first.string("to") == "2026-03-03")
    }

    // Pages of one line come to the same as one page of all.
    @Test func pages() async throws {
        let api = try await filled()
        let whole = await api.get("/v1/usage?group_by=day,customer")
        var seen: [JSONValue] = []
        var next: String?
        repeat {
            let cursor = next.map { "&after=" + percentEncoded($0) } ?? ""
            let page = await api.get("/v1/usage?group_by=day,customer&limit=1" + cursor)
            if let line = page["data[0]"] { seen.append(line) }
            #expect(page.bool("has_more") == (page.string("next") != nil))
            next = page.string("next")
        } while next != nil && seen.count < 10
        #expect(seen.count == 3)
        #expect(whole["data"] == .array(seen))
    }

    // CSV has a row of names, and what JSON says beside the lines in headers.
    @Test func csv() async throws {
        let api = try await filled()
        let answer = await api.ask(
            "GET", "/v1/refusals?group_by=rule,budget,customer", accept: "text/csv")
        #expect(answer.response.contentType == "text/csv; charset=utf-8")
        #expect(
            answer.text == "rule,budget,customer,refused,unpriced,bound_cost,bound_charge,"
                + "expected_cost,expected_charge\r\nbudget,cap,acme,1,0,1,1,1,1\r\n")
        #expect(answer.response.header("X-Faregate-Next") == nil)
        let page = await api.ask(
            "GET", "/v1/usage?group_by=customer&limit=1", accept: "text/csv;q=0.9, */*;q=0.1")
        #expect(page.text.hasPrefix("customer,charge,cost,margin,overrun,requests,"))
        #expect(page.response.header("X-Faregate-Next") == "acme")
        #expect(page.response.header("X-Faregate-As-Of") != nil)
        let json = await api.ask(
            "GET", "/v1/usage", accept: "text/csv;q=0, application/json")
        #expect(json.response.contentType == "application/json")
    }

    // An id that a spreadsheet would take for a formula, or that has commas and quotation marks,
    // stays text.
    @Test func csvCellsAreText() async throws {
        let api = try await APIFixture()
        for id in [#"=HYPERLINK(\"x\")"#, "+1", "-1", "@a", #"a,\"b\""#, "plain"] {
            _ = await api.post(
                "/v1/usage",
                #"{"id":"u-\#(id)","customer":"\#(id)","model":"gpt-4o","amount":"0.1"}"#)
        }
        let answer = await api.ask("GET", "/v1/revenue?group_by=customer", accept: "text/csv")
        let cells = answer.text.split(separator: "\r\n").dropFirst().map {
            String($0.split(separator: ",0.1").first ?? "")
        }
        #expect(
            Set(cells) == [
                "\"'=HYPERLINK(\"\"x\"\")\"", "'+1", "'-1", "'@a", #""a,""b""""#, "plain",
            ])
    }

    // A column that is not there is refused by name, like a date that is none.
    @Test func wrongQuestions() async throws {
        let api = try await APIFixture.shared.value
        for (query, code, param) in [
            ("group_by=colour", "400 unknown_group", "group_by"),
            ("group_by=day,day", "400 unknown_group", "group_by"),
            ("group_by=day,", "400 unknown_group", "group_by"),
            ("group_by=rule", "400 unknown_group", "group_by"),
            ("groupby=day", "400 unknown_parameter", "groupby"),
            ("from=yesterday", "422 invalid_request", "from"),
            ("from=2026-02-30", "422 invalid_request", "from"),
            ("to=2026-03-01T00:00:01Z", "422 invalid_request", "to"),
            ("from=2026-03-02&to=2026-03-01", "422 invalid_request", "to"),
            ("after=x", "422 invalid_request", "after"),
            ("group_by=day&after=x", "422 invalid_request", "after"),
            ("group_by=day,model&after=1", "422 invalid_request", "after"),
        ] {
            let answer = await api.get("/v1/usage?" + query)
            #expect(answer.code == code, "\(query)")
            #expect(answer.string("error.param") == param, "\(query)")
        }
        #expect(await api.get("/v1/customers/nobody/usage").code == "404 not_found")
    }

    // A key bound to one project sees its project, whatever it asks for.
    @Test func keysSeeTheirProject() async throws {
        let api = try await filled()
        _ = await api.post("/v1/projects", #"{"id":"blue"}"#)
        try await api.addKey("blue", "fg_blue-secret", .read, project: "blue")
        _ = await api.post(
            "/v1/usage",
            #"{"id":"x","project":"blue","customer":"acme","model":"gpt-4o","amount":"0.1"}"#)
        let secret = "fg_blue-secret"
        for path in ["usage", "revenue"] {
            let own = await api.get("/v1/\(path)?group_by=project", secret: secret)
            #expect(own.count("data") == 1, "\(path)")
            #expect(own.string("data[0].project") == "blue", "\(path)")
            #expect(await api.get("/v1/\(path)?group_by=project").count("data") == 2, "\(path)")
        }
        #expect(await api.get("/v1/refusals", secret: secret).integer("data[0].refused") == 0)
        #expect(await api.get("/v1/reservations", secret: secret).count("data") == 0)
        for path in ["usage", "refusals", "revenue", "reservations"] {
            let other = await api.get("/v1/\(path)?project=default", secret: secret)
            #expect(other.code == "403 forbidden", "\(path)")
        }
        #expect(
            await api.get("/v1/customers/acme/usage", secret: secret).string("data[0].charge")
                == "0.1")
        #expect(await api.get("/v1/budgets/cap/history", secret: secret).code == "404 not_found")
        #expect(await api.post("/v1/projections/rebuild", secret: secret).code == "403 forbidden")
    }

    // Histories: a budget's windows with what was spent and held at most, a grant's days, what is
    // held now.
    @Test func histories() async throws {
        let api = try await filled()
        let windows = await api.get("/v1/budgets/cap/history?scope=acme")
        let scopes = await api.get("/v1/budgets/cap/history")
        #expect((scopes.count("data") ?? 0) >= 3)
        let scope = scopes.string("data[0].scope") ?? ""
        let first = await api.get(
            "/v1/budgets/cap/history?limit=1&scope=\(percentEncoded(scope))")
        #expect(first.string("data[0].spent") == "1")
        #expect(first.string("data[0].held_peak") == "1.5")
        #expect(first.integer("data[0].refused") == 1)
        #expect(first.bool("has_more") == true)
        #expect(windows.count("data") == 0)

        let open = await api.get("/v1/reservations?customer=acme")
        #expect(open.count("data") == 1)
        #expect(open.string("data[0].reservation") == "open")
        #expect(open.string("data[0].estimate.bound.charge") == "0.75")

        _ = await api.post("/v1/customers/acme/credits", #"{"id":"g","amount":"3"}"#)
        _ = await api.post(
            "/v1/usage", #"{"id":"y","customer":"acme","model":"gpt-4o","amount":"1"}"#)
        _ = await api.post("/v1/test_clock", #"{"advance_seconds":86400}"#)
        _ = await api.post("/v1/customers/acme/credits/g/revoke")
        let credits = await api.get("/v1/customers/acme/credits/history?grant=g")
        #expect(credits.count("data") == 2)
        #expect(credits.string("data[0].burnt") == "1")
        #expect(credits.string("data[0].remaining") == "2")
        #expect(credits.string("data[1].lost") == "2")
        #expect(credits.string("data[1].remaining") == "0")
    }

    // How far the read models are can be asked, and a rebuild changes no answer.
    @Test func projections() async throws {
        let api = try await filled()
        let before = await api.get("/v1/usage?group_by=customer,day,model")
        let status = await api.get("/v1/projections")
        #expect(status.string("state") == "following")
        #expect(status.integer("lag_events") == 0)
        #expect(status.integer("sequence") == Int64(api.ledger.store.head.sequence))
        let begun = await api.post("/v1/projections/rebuild")
        #expect(begun.status == 202)
        #expect(begun["rebuild"] != nil)
        for _ in 0..<1_000 {
            if await api.get("/v1/projections")["rebuild"] == nil { break }
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(await api.get("/v1/usage?group_by=customer,day,model").json == before.json)
        let reader = APIFixture.secrets[.read]
        #expect(await api.post("/v1/projections/rebuild", secret: reader).code == "403 forbidden")
    }

    // Without read models everything else works, and reports say why they do not.
    @Test func withoutReadModels() async throws {
        let ledger = try await LedgerFixture()
        let api = API(engine: ledger.engine)
        for path in ["/v1/usage", "/v1/projections"] {
            let answer = Answer(
                await api.respond(
                    to: APIRequest("GET", path: path, principal: .operatorProcess)))
            #expect(answer.code == "503 projections_unavailable")
        }
        let ready = Answer(await api.respond(to: APIRequest("GET", path: "/readyz")))
        #expect(ready.status == 200)
    }
}
