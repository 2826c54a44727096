import Billing
import CanonicalJSON
import Engine
import EventLog
import FaregateTestSupport
import HTTPAPI
import Testing

@Suite struct ErrorTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var expected: String
        var method: String
        var target: String
        var body: String?
        var param: String?
        var testDescription: String { "\(expected): \(method) \(target) \(body ?? "")" }

        init(
            _ expected: String, _ method: String, _ target: String, _ body: String? = nil,
            param: String? = nil
        ) {
            self.expected = expected
            self.method = method
            self.target = target
            self.body = body
            self.param = param
        }
    }

    static let cases: [Case] = [
        Case("404 unknown_route", "GET", "/nothing"),
        Case("404 unknown_route", "GET", "/v1/customers/"),
        Case("404 unknown_route", "GET", "/v1//customers"),
        Case("405 method_not_allowed", "DELETE", "/v1/customers"),
        Case("405 method_not_allowed", "HEAD", "/healthz"),
        Case("400 malformed_url", "GET", "/v1/customers/%zz"),
        Case("400 malformed_url", "GET", "/v1/customers/%ff"),
        Case("400 malformed_url", "GET", "/v1/customers?project=%"),
        Case("400 unknown_parameter", "GET", "/v1/customers?limits=3", param: "limits"),
        Case("400 duplicate_field", "GET", "/v1/customers?limit=3&limit=4", param: "limit"),
        Case("400 wrong_type", "GET", "/v1/customers?limit=ten", param: "limit"),
        Case("422 invalid_request", "GET", "/v1/customers?limit=0", param: "limit"),
        Case("422 invalid_request", "GET", "/v1/customers?limit=1001", param: "limit"),
        Case("422 invalid_request", "GET", "/v1/customers?project=", param: "project"),
        Case("404 not_found", "GET", "/v1/customers?project=none", param: "project"),
        Case("404 not_found", "GET", "/v1/customers/none"),
        Case("404 not_found", "GET", "/v1/customers/%01"),
        Case("404 not_found", "GET", "/v1/customers/none/balance"),
        Case("404 not_found", "GET", "/v1/customers/none/credits"),
        Case("404 not_found", "GET", "/v1/customers/none/events"),
        Case("422 invalid_request", "GET", "/v1/customers/acme/balance?as_of=now", param: "as_of"),
        Case("422 invalid_request", "GET", "/v1/customers/acme/balance?as_of=0", param: "as_of"),
        Case("404 not_found", "GET", "/v1/customers/acme/balance?as_of=99999", param: "as_of"),
        Case("404 not_found", "GET", "/v1/customers/acme/balance?as_of=2020-01-01T00:00:00Z"),
        Case("404 not_found", "GET", "/v1/budgets/none"),
        Case("404 not_found", "DELETE", "/v1/budgets/none"),
        Case("404 not_found", "GET", "/v1/budgets/none/counters"),
        Case("404 not_found", "GET", "/v1/plans/none"),
        Case("404 not_found", "GET", "/v1/projects/none"),
        Case("404 not_found", "GET", "/v1/runs/none"),
        Case("404 not_found", "GET", "/v1/events/0"),
        Case("404 not_found", "GET", "/v1/events/x"),
        Case("404 not_found", "GET", "/v1/events/999999"),
        Case("422 invalid_request", "GET", "/v1/events?type=no.such", param: "type"),
        Case("404 not_found", "GET", "/v1/price-book?model=no-such-model", param: "model"),
        Case("404 not_found", "GET", "/v1/price-book?version=9", param: "version"),
        Case("404 not_found", "POST", "/v1/keys/none/revoke"),
        Case("404 not_found", "POST", "/v1/runs/none/end"),
        Case("404 not_found", "POST", "/v1/runs/r/stop?project=none"),
        Case("404 not_found", "POST", "/v1/customers/none/suspend", #"{"reason":"r"}"#),
        Case("409 already_exists", "POST", "/v1/customers", #"{"id":"acme"}"#),
        Case("409 already_exists", "POST", "/v1/plans", #"{"id":"default"}"#),
        Case("409 already_exists", "POST", "/v1/projects", #"{"id":"default"}"#),
        Case("409 already_exists", "POST", "/v1/keys", #"{"id":"key_read","role":"read"}"#),
        Case("422 invalid_request", "POST", "/v1/customers", #"{"id":"x","plan":"none"}"#),
        Case("404 not_found", "POST", "/v1/keys", #"{"role":"read","project":"none"}"#),
        Case("404 not_found", "POST", "/v1/reservations/none/settle"),
        Case("404 not_found", "POST", "/v1/reservations/none/release"),
        Case("404 not_found", "POST", "/v1/reservations/none/extend", #"{"ttl_seconds":1}"#),
        Case("404 not_found", "POST", "/v1/reservations/none/explain"),
        Case(
            "404 not_found", "POST", "/v1/adjustments",
            #"{"reservation":"none","reason":"r","charge_delta":"1"}"#),
        Case(
            "422 unknown_price", "POST", "/v1/estimates",
            #"{"customer":"c","model":"none","usage_estimate":{"input_tokens":1,"#
                + #""max_output_tokens":1}}"#
        ),
        Case(
            "422 unknown_price", "POST", "/v1/usage",
            #"{"id":"u","customer":"c","model":"none","usage":{"input_tokens":1}}"#),
        Case(
            "422 overflow", "POST", "/v1/estimates",
            #"{"customer":"c","model":"gpt-4o","usage_estimate":{"input_tokens":1000000000000,"#
                + #""max_output_tokens":1000000000000}}"#),
        Case(
            "422 invalid_request", "POST", "/v1/price-book",
            #"{"source":"s","effective_at":"2026-03-01T00:00:00Z","#
                + #""removals":[{"model":"gpt-4o"}]}"#,
            param: "effective_at"),
        Case("422 invalid_request", "POST", "/v1/price-book", #"{"source":"s"}"#, param: "entries"),
        Case(
            "422 invalid_request", "POST", "/v1/price-book",
            #"{"source":"s","entries":[{"model":"m","rates":{"input":"1"}}]}"#,
            param: "entries[0].rates"),
        Case(
            "422 invalid_request", "POST", "/v1/test_clock", #"{"now":"2020-01-01T00:00:00Z"}"#,
            param: "now"),
        Case("422 invalid_request", "POST", "/v1/test_clock", #"{"now":"3000-01-01T00:00:00Z"}"#),
        Case("422 invalid_request", "PUT", "/v1/plans/%01", "{}", param: "id"),
        Case(
            "422 invalid_request", "POST", "/v1/budgets",
            #"{"measure":"charge","window":"day","amount":"1","time_zone":"Mars/Olympus"}"#,
            param: "time_zone"),
    ]

    // Every way to be wrong has its stable code and names the field.
    @Test(arguments: cases) func error(_ wrong: Case) async throws {
        // None of them changes anything, so one ledger does for all.
        let fixture = try await APIFixture.shared.value
        _ = await fixture.post("/v1/customers", #"{"id":"acme"}"#)
        let answer = await fixture.ask(wrong.method, wrong.target, wrong.body)
        #expect(answer.code == wrong.expected)
        #expect(answer.string("error.message")?.isEmpty == false)
        #expect(answer.string("error.type")?.isEmpty == false)
        if let param = wrong.param { #expect(answer.string("error.param") == param) }
    }

    // What cannot be done to a reservation in its state is a conflict that says which.
    @Test func conflicts() async throws {
        let fixture = try await APIFixture()
        try await fixture.ledger.setBudget("limit", amount: "9")
        await fixture.reserve("settled", "acme", amount: "1")
        _ = await fixture.post("/v1/reservations/settled/settle", #"{"amount":"1"}"#)
        #expect(
            await fixture.post("/v1/reservations/settled/settle", #"{"amount":"2"}"#).code
                == "409 already_settled")
        #expect(
            await fixture.post("/v1/reservations/settled/release").code == "409 already_settled")
        await fixture.reserve("released", "acme", amount: "1")
        _ = await fixture.post("/v1/reservations/released/release")
        #expect(
            await fixture.post("/v1/reservations/released/settle", #"{"amount":"2"}"#).code
                == "409 already_released")
        await fixture.reserve("refused", "acme", amount: "99")
        #expect(
            await fixture.post("/v1/reservations/refused/settle", #"{"amount":"2"}"#).code
                == "409 not_reserved")
        await fixture.reserve("expired", "acme", amount: "1")
        _ = await fixture.post(
            "/v1/reservations",
            #"{"id":"charged","customer":"acme","model":"m","amount":"1","on_expiry":"charge"}"#)
        fixture.ledger.clock.advance(seconds: 700)
        #expect(
            await fixture.post("/v1/reservations/expired/extend", #"{"ttl_seconds":9}"#).code
                == "409 expired")
        #expect(
            await fixture.post("/v1/reservations/charged/release").code == "409 expired_charged")
        _ = await fixture.post("/v1/customers/acme/close", #"{"reason":"gone"}"#)
        #expect(
            await fixture.post("/v1/customers/acme/credits", #"{"amount":"1"}"#).code
                == "409 closed")
    }

    // Without a good key nothing is answered but health and the description of the API.
    @Test func keys() async throws {
        let fixture = try await APIFixture()
        for authorization in [nil, "", "Bearer", "Basic Zm9v", "Bearer fg_wrong", "Bearer a b"] {
            let request = APIRequest("GET", path: "/v1/customers", authorization: authorization)
            let answer = Answer(await fixture.api.respond(to: request))
            #expect(answer.code == "401 unauthenticated")
            #expect(answer.response.header("WWW-Authenticate") == "Bearer")
        }
        for path in ["/healthz", "/readyz", "/openapi.yaml"] {
            #expect(await fixture.api.respond(to: APIRequest("GET", path: path)).status == 200)
        }
        let meter = APIFixture.secrets[.meter]
        #expect(await fixture.get("/v1/customers", secret: meter).status == 200)
        _ = await fixture.post("/v1/keys/key_meter/revoke")
        #expect(await fixture.get("/v1/customers", secret: meter).code == "401 unauthenticated")
        let bootstrap = APIFixture.bootstrapSecret
        let made = await fixture.post("/v1/plans", #"{"id":"p"}"#, secret: bootstrap)
        #expect(made.status == 201)
        let event = await fixture.get("/v1/events/\(made.integer("event") ?? 0)")
        #expect(event.string("actor") == "bootstrap")
    }

    // Bodies larger than the limit, and bodies that are not JSON, are not read.
    @Test func bodies() async throws {
        let fixture = try await APIFixture { $0.maxBodyBytes = 100 }
        let large = #"{"id":"\#(String(repeating: "x", count: 100))"}"#
        #expect(await fixture.post("/v1/customers", large).code == "413 body_too_large")
        for type in ["text/plain", "", "application/xml", "application/jsonx"] {
            let answer = await fixture.ask(
                "POST", "/v1/customers", #"{"id":"x"}"#, contentType: type)
            #expect(answer.code == "415 unsupported_media_type")
        }
        for type in ["application/json; charset=utf-8", "Application/JSON", "application/json "] {
            let answer = await fixture.ask(
                "POST", "/v1/customers", #"{"id":"\#(type)"}"#, contentType: type)
            #expect(answer.status == 201)
        }
    }

    // A full disk is a named 503 and nothing is recorded; reading goes on; a full queue is another.
    @Test func unavailable() async throws {
        let store = InMemoryStores.make()
        let fixture = try await APIFixture(store: store)
        store.failAppends(with: StoreError(.full, "no space left"))
        let refused = await fixture.reserve("a", "acme", amount: "1")
        #expect(refused.code == "503 store_unavailable")
        #expect(refused.string("error.store_code") == "full")
        #expect(refused.response.header("retry-after") == "1")
        #expect(await fixture.get("/v1/customers").status == 200)
        let readiness = await fixture.get("/readyz")
        #expect(readiness.status == 503)
        #expect(readiness.string("state") == "degraded")
        #expect(readiness.string("store_code") == "full")

        var tiny = EngineConfiguration()
        tiny.queueMax = 1
        let hanging = HangingStore()
        let full = try await APIFixture(store: hanging, engine: tiny)
        hanging.hang()
        async let first = full.post("/v1/plans", #"{"id":"p"}"#)
        while hanging.waiting == 0 { try await Task.sleep(for: .milliseconds(1)) }
        async let second = full.get("/v1/plans")
        while full.api.engine.queueDepth == 0 { try await Task.sleep(for: .milliseconds(1)) }
        let overloaded = await full.post(
            "/v1/reservations/batch",
            #"{"commands":[{"op":"release","id":"a"},{"op":"release","id":"b"}]}"#)
        #expect(overloaded.code == "503 overloaded")
        hanging.goOn()
        #expect(await first.status == 201)
        #expect(await second.status == 200)
        await full.api.engine.shutdown()
        let stopped = await full.get("/v1/plans")
        #expect(stopped.code == "503 shutting_down")
    }

    // Errors can point at their documentation.
    @Test func documentation() async throws {
        let fixture = try await APIFixture { $0.documentationURL = "https://example.com/errors#" }
        let answer = await fixture.get("/v1/plans/none")
        #expect(answer.string("error.doc_url") == "https://example.com/errors#not_found")
    }

    // Each request has an id: the caller's when it is well-formed.
    @Test func requestIDs() async throws {
        let fixture = try await APIFixture()
        func id(_ sent: String?) async -> String? {
            await fixture.api.respond(to: APIRequest("GET", path: "/healthz", requestID: sent))
                .header("X-Request-Id")
        }
        #expect(await id("abc-1.2:3_X") == "abc-1.2:3_X")
        for wrong in [nil, "", "a b", "é", String(repeating: "a", count: 129)] {
            let given = await id(wrong)
            #expect(given?.hasPrefix("req_") == true)
            #expect(given != wrong)
        }
        #expect(await id(nil) != (await id(nil)))
    }
}
