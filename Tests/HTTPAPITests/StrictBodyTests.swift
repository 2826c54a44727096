import CanonicalJSON
import EventLog
import FaregateTestSupport
import HTTPAPI
import Testing

@Suite struct StrictBodyTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var body: String
        var expected: String
        var param: String?
        var testDescription: String { "\(expected): \(body)" }

        init(_ body: String, _ expected: String, _ param: String? = nil) {
            self.body = body
            self.expected = expected
            self.param = param
        }
    }

    static let cases: [Case] = [
        Case("", "400 malformed_json"),
        Case("{", "400 malformed_json"),
        Case("{} x", "400 malformed_json"),
        Case("\u{FEFF}{}", "400 malformed_json"),
        Case("[]", "400 wrong_type"),
        Case("null", "400 wrong_type"),
        Case(#"{"id":"a","id":"a"}"#, "400 duplicate_field", "id"),
        Case(#"{"id":"a","\u0069d":"a"}"#, "400 duplicate_field", "id"),
        Case(#"{"customer":"c","model":"m","amount":"1"}"#, "400 missing_field", "id"),
        Case(#"{"id":"a","model":"m","amount":"1"}"#, "400 missing_field", "customer"),
        Case(#"{"id":"a","customer":"c","amount":"1"}"#, "400 missing_field", "model"),
        Case(#"{"id":"a","customer":"c","model":"m"}"#, "400 missing_field", "usage_estimate"),
        Case(#"{"id":1,"customer":"c","model":"m","amount":"1"}"#, "400 wrong_type", "id"),
        Case(#"{"id":"","customer":"c","model":"m","amount":"1"}"#, "422 invalid_request", "id"),
        Case(
            #"{"id":"a\u0000","customer":"c","model":"m","amount":"1"}"#, "422 invalid_request",
            "id"),
        Case(
            #"{"id":"\#(String(repeating: "é", count: 129))","customer":"c","model":"m","#
                + #""amount":"1"}"#,
            "422 invalid_request", "id"),
        Case(#"{"id":"a","customer":"c","model":"m","amount":1}"#, "400 wrong_type", "amount"),
        Case(
            #"{"id":"a","customer":"c","model":"m","amount":"1e3"}"#, "422 invalid_request",
            "amount"),
        Case(
            #"{"id":"a","customer":"c","model":"m","amount":"-1"}"#, "422 invalid_request", "amount"
        ),
        Case(
            #"{"id":"a","customer":"c","model":"m","amount":"1000001"}"#, "422 invalid_request",
            "amount"),
        Case(
            #"{"id":"a","customer":"c","model":"m","amount":"0.0000000001"}"#,
            "422 invalid_request",
            "amount"),
        Case(
            #"{"id":"a","customer":"c","model":"m","amount":"99999999999999999999"}"#,
            "422 invalid_request", "amount"),
        Case(
            #"{"id":"a","customer":"c","model":"m","amount":"1","#
                + #""usage_estimate":{"input_tokens":1}}"#,
            "422 invalid_request", "amount"),
        Case(
            #"{"id":"a","customer":"c","model":"m","amount":"1","ttl_second":5}"#,
            "400 unknown_field",
            "ttl_second"),
        Case(
            #"{"id":"a","custommer":"c","model":"m","amount":"1"}"#, "400 unknown_field",
            "custommer"),
        Case(
            #"{"id":"a","customer":"c","model":"m","ammount":"1"}"#, "400 unknown_field", "ammount"
        ),
        Case(
            #"{"id":"a","customer":"c","model":"m","usage_estimate":{"input_token":1}}"#,
            "400 unknown_field", "usage_estimate.input_token"),
        Case(
            #"{"id":"a","custommer":"c","model":"m","usage_estimate":{}}"#, "400 unknown_field",
            "custommer"),
        Case(
            #"{"id":"a","custommer":"c","model":5,"amount":"1"}"#, "400 missing_field", "customer"),
        Case(
            #"{"id":"a","customer":"c","model":"m","amount":"1","ttl_seconds":0}"#,
            "422 invalid_request", "ttl_seconds"),
        Case(
            #"{"id":"a","customer":"c","model":"m","amount":"1","ttl_seconds":604801}"#,
            "422 invalid_request", "ttl_seconds"),
        Case(
            #"{"id":"a","customer":"c","model":"m","amount":"1","ttl_seconds":5.0}"#,
            "400 wrong_type",
            "ttl_seconds"),
        Case(
            #"{"id":"a","customer":"c","model":"m","amount":"1","ttl_seconds":1e2}"#,
            "400 wrong_type",
            "ttl_seconds"),
        Case(
            #"{"id":"a","customer":"c","model":"m","amount":"1","on_expiry":"keep"}"#,
            "422 invalid_request", "on_expiry"),
        Case(
            #"{"id":"a","customer":"c","model":"m","amount":"1","dry_run":"true"}"#,
            "400 wrong_type",
            "dry_run"),
        Case(
            #"{"id":"a","customer":"c","model":"m","amount":"1","occurred_at":"yesterday"}"#,
            "422 invalid_request", "occurred_at"),
        Case(
            #"{"id":"a","customer":"c","model":"m","amount":"1","tags":{"k":1}}"#, "400 wrong_type",
            "tags.k"),
        Case(
            #"{"id":"a","customer":"c","model":"m","amount":"1","tags":["k"]}"#, "400 wrong_type",
            "tags"),
        Case(
            #"{"id":"a","customer":"c","model":"m","amount":"1","tags":{\#(manyTags)}}"#,
            "422 invalid_request", "tags"),
        Case(
            #"{"id":"a","customer":"c","model":"m","usage_estimate":{"max_output_tokens":1}}"#,
            "400 missing_field", "usage_estimate.input_tokens"),
        Case(
            #"{"id":"a","customer":"c","model":"m","usage_estimate":{"input_tokens":-1}}"#,
            "422 invalid_request", "usage_estimate.input_tokens"),
        Case(
            #"{"id":"a","customer":"c","model":"m","#
                + #""usage_estimate":{"input_tokens":1000000000001}}"#,
            "422 invalid_request", "usage_estimate.input_tokens"),
        Case(
            #"{"id":"a","customer":"c","model":"m","usage_estimate":{"input_tokens":1,"#
                + #""outputs":1}}"#,
            "400 unknown_field", "usage_estimate.outputs"),
        Case(
            #"{"id":"a","customer":"c","model":"m","usage_estimate":{"input_tokens":1,"#
                + #""service_tier":"turbo"}}"#, "422 invalid_request", "usage_estimate.service_tier"
        ),
        Case(
            #"{"id":"a","customer":"c","model":"m","usage_estimate":{"input_tokens":1,"#
                + #""attributes":{"region":"a=b"}}}"#, "422 invalid_request",
            "usage_estimate.attributes.region"),
        Case(
            String(repeating: "[", count: 80) + String(repeating: "]", count: 80),
            "400 malformed_json"),
    ]

    static let manyTags = (0..<17).map { #""k\#($0)":"v""# }.joined(separator: ",")

    // A body is taken as it stands or not at all; what is wrong with it is named.
    @Test(arguments: cases) func strict(_ wrong: Case) async throws {
        let fixture = try await APIFixture.shared.value
        let answer = await fixture.post("/v1/reservations", wrong.body)
        #expect(answer.code == wrong.expected)
        if let param = wrong.param { #expect(answer.string("error.param") == param) }
    }

    // In every body an unknown field is named, whatever else is missing.
    @Test(
        arguments: APIRoute.all.filter {
            [.post, .put, .patch].contains($0.method) && !$0.isSigned
        })
    func unknownBeforeMissing(_ route: APIRoute) async throws {
        let store = InMemoryEventStore(identity: LedgerFixture.identity)
        let fixture = try await APIFixture(store: store)
        let path = route.template.replacing("{id}", with: "x").replacing("{grant}", with: "y")
        let answer = await fixture.ask(route.method.rawValue, path, #"{"no_such_field":1}"#)
        // A revoked key has nothing more to say.
        if route.operationID == "revokeKey" { return }
        #expect(answer.code == "400 unknown_field", "\(answer.text)")
        #expect(answer.string("error.param") == "no_such_field")
    }

    // The same in each command of a batch, and in objects within objects.
    @Test func unknownBeforeMissingInside() async throws {
        let fixture = try await APIFixture.shared.value
        let batch = await fixture.post(
            "/v1/reservations/batch",
            #"{"commands":[{"op":"settle","idd":"a"},{"op":"extend","id":"a","ttl":1},"#
                + #"{"op":"reserve","id":"a","user_id":"u"}]}"#)
        for (place, name) in ["idd", "ttl", "user_id"].enumerated() {
            let path = "results[\(place)].body.error"
            #expect(batch.string("\(path).code") == "unknown_field")
            #expect(batch.string("\(path).param") == "commands[\(place)].\(name)")
        }
        let prices = await fixture.post(
            "/v1/price-book", #"{"source":"s","entries":[{"modle":"m","rates":{"input":"1"}}]}"#)
        #expect(prices.string("error.param") == "entries[0].modle")
        let usage = await fixture.post(
            "/v1/usage", #"{"id":"u","customer":"c","usage":{"output":1}}"#)
        #expect(usage.string("error.param") == "usage.output")
    }

    // Null is as good as absent where a field is optional.
    @Test func null() async throws {
        let fixture = try await APIFixture()
        let answer = await fixture.post(
            "/v1/reservations",
            #"{"id":"a","customer":"c","model":"m","amount":"1","usage_estimate":null,"user":null,"#
                + #""tags":null,"ttl_seconds":null,"on_expiry":null,"dry_run":null,"project":null}"#
        )
        #expect(answer.status == 201)
        let required = await fixture.post(
            "/v1/reservations", #"{"id":null,"customer":"c","model":"m","amount":"1"}"#)
        #expect(required.code == "400 wrong_type")
    }

    // Ids are any text: they come back as they were sent, also through paths.
    @Test func ids() async throws {
        let fixture = try await APIFixture()
        for id in ["a/b", "a b", "ä", "a%2Fb", "?", "#", "..", "batch", "🦊", "a+b"] {
            let created = await fixture.post(
                "/v1/reservations",
                #"{"id":"\#(id)","customer":"\#(id)","model":"m","amount":"1"}"#)
            #expect(created.string("reservation") == id)
            let path = percentEncoded(id)
            #expect(await fixture.get("/v1/reservations/\(path)").string("reservation") == id)
            #expect(await fixture.get("/v1/customers/\(path)").string("id") == id)
            #expect(await fixture.post("/v1/reservations/\(path)/settle", "{}").status == 200)
        }
    }
}
