import Billing
import CanonicalJSON
import HTTPAPI
import Testing

@Suite struct RoleTests {
    /// The role that each operation needs, written down a second time on purpose.
    static let needed: [String: KeyRole] = {
        var roles: [String: KeyRole] = [:]
        for route in APIRoute.all where route.role != nil {
            switch route.operationID {
            case "createEstimate", "createReservation", "batchReservations", "extendReservation",
                "settleReservation", "releaseReservation", "recordUsage", "startRun", "stopRun",
                "endRun":
                roles[route.operationID] = .meter
            case "postExplanation": roles[route.operationID] = .read
            case "exportLog": roles[route.operationID] = .admin
            default: roles[route.operationID] = route.method == .get ? .read : .admin
            }
        }
        return roles
    }()

    // Every operation with every role: forbidden exactly when the role is too low.
    @Test(arguments: APIRoute.all) func matrix(_ route: APIRoute) async throws {
        let fixture = try await APIFixture.shared.value
        for role in KeyRole.allCases {
            let path = route.template.replacing("{seq}", with: "1")
                .replacing("{id}", with: "x").replacing("{grant}", with: "g")
            let answer = await fixture.ask(
                route.method.rawValue, path, "{}", secret: APIFixture.secrets[role])
            guard let needed = Self.needed[route.operationID] else {
                // Whoever signs needs no key, and nobody has signed this.
                #expect(answer.status == (route.isSigned ? 400 : 200))
                continue
            }
            if role.power < needed.power {
                #expect(answer.code == "403 forbidden")
            } else {
                #expect(answer.status != 403)
                #expect(answer.status != 401)
            }
            #expect(answer.status < 500)
        }
    }

    // A key bound to a project acts there and nowhere else.
    @Test func boundKey() async throws {
        let fixture = try await APIFixture()
        #expect(await fixture.post("/v1/projects", #"{"id":"blue"}"#).status == 201)
        let bound = "fg_bound"
        try await fixture.addKey("key_bound", bound, .admin, project: "blue")
        func post(_ target: String, _ body: String) async -> Answer {
            await fixture.post(target, body, secret: bound)
        }
        let own = await post(
            "/v1/reservations", #"{"id":"a","customer":"c","model":"m","amount":"1"}"#)
        #expect(own.string("project") == "blue")
        for body in [
            #"{"id":"b","customer":"c","model":"m","amount":"1","project":"default"}"#,
            #"{"id":"b","customer":"c","model":"m","amount":"1","project":"none"}"#,
        ] {
            #expect(await post("/v1/reservations", body).code == "403 forbidden")
        }
        for target in [
            "/v1/customers?project=default", "/v1/projects/default", "/v1/events?project=default",
        ] {
            #expect(await fixture.get(target, secret: bound).code == "403 forbidden")
        }
        #expect(await fixture.get("/v1/events/1", secret: bound).code == "404 not_found")
        let events = await fixture.get("/v1/events", secret: bound)
        #expect((events.count("data") ?? 0) >= 3)
        #expect(!events.text.contains(#""project":"default""#))
        for (target, body) in [
            ("/v1/plans", #"{"id":"p"}"#), ("/v1/projects", #"{"id":"red"}"#),
            ("/v1/keys", #"{"role":"read"}"#),
            ("/v1/keys", #"{"role":"read","project":"default"}"#),
            ("/v1/price-book", #"{"source":"s","removals":[{"model":"gpt-4o"}]}"#),
            ("/v1/budgets", #"{"measure":"charge","window":"day","amount":"1"}"#),
            ("/v1/test_clock", #"{"advance_seconds":1}"#), ("/v1/keys/key_read/revoke", "{}"),
        ] {
            #expect(await post(target, body).code == "403 forbidden", "\(target)")
        }
        let budget = await post(
            "/v1/budgets",
            #"{"id":"own","match":{"project":"blue"},"measure":"charge","window":"day","#
                + #""amount":"1"}"#
        )
        #expect(budget.status == 201)
        _ = await fixture.post(
            "/v1/budgets", #"{"id":"all","measure":"charge","window":"day","amount":"1"}"#)
        #expect(await fixture.get("/v1/budgets", secret: bound).count("data") == 1)
        #expect(await fixture.get("/v1/budgets/all", secret: bound).status == 404)
        let stolen = await fixture.ask(
            "PUT", "/v1/budgets/all",
            #"{"match":{"project":"blue"},"measure":"charge","window":"day","amount":"9"}"#,
            secret: bound)
        #expect(stolen.code == "403 forbidden")
        #expect(
            await fixture.ask("DELETE", "/v1/budgets/all", secret: bound).code == "403 forbidden")
        #expect(await fixture.get("/v1/projects", secret: bound).count("data") == 1)
        #expect(await post("/v1/keys", #"{"role":"meter","project":"blue"}"#).status == 201)
    }

    // A batch cannot reach into another project either.
    @Test func boundBatch() async throws {
        let fixture = try await APIFixture()
        _ = await fixture.post("/v1/projects", #"{"id":"blue"}"#)
        try await fixture.addKey("key_bound", "fg_bound", .meter, project: "blue")
        let answer = await fixture.post(
            "/v1/reservations/batch",
            #"{"commands":[{"op":"reserve","id":"a","customer":"c","model":"m","amount":"1"},"#
                + #"{"op":"reserve","id":"b","customer":"c","model":"m","amount":"1","#
                + #""project":"default"}]}"#,
            secret: "fg_bound")
        #expect(answer.status == 200)
        #expect(answer.integer("results[0].status") == 201)
        #expect(answer.string("results[0].body.project") == "blue")
        #expect(answer.integer("results[1].status") == 403)
    }
}
