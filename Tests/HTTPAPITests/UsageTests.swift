import Billing
import CanonicalJSON
import FaregateTestSupport
import HTTPAPI
import Testing

@Suite struct UsageTests {
    // Usage without a hold is charged, counted on budgets, and idempotent by its id.
    @Test func plain() async throws {
        let fixture = try await APIFixture()
        try await fixture.ledger.setBudget("limit", amount: "5")
        let body =
            #"{"id":"u1","customer":"acme","model":"gpt-4o","usage":{"input_tokens":1000,"#
            + #""output_tokens":100},"occurred_at":"2026-03-01T10:00:00+01:00"}"#
        let answer = await fixture.post("/v1/usage", body)
        #expect(answer.status == 201)
        #expect(answer.string("usage") == "u1")
        #expect(answer.string("charge") == "0.0035")
        #expect(answer.string("occurred_at") == "2026-03-01T09:00:00.000000Z")
        #expect(answer.string("budgets[0].outcome") == "counted")
        let again = await fixture.post("/v1/usage", body)
        #expect(again.response.body == answer.response.body)
        #expect(again.response.header("Idempotent-Replayed") == "true")
        let other = await fixture.post(
            "/v1/usage", #"{"id":"u1","customer":"acme","model":"gpt-4o","amount":"2"}"#)
        #expect(other.code == "409 idempotency_mismatch")
        let without = await fixture.post(
            "/v1/usage", #"{"id":"u2","customer":"acme","model":"gpt-4o"}"#)
        #expect(without.code == "400 missing_field")
        let empty = await fixture.post(
            "/v1/usage", #"{"id":"u2","customer":"acme","model":"gpt-4o","usage":{}}"#)
        #expect(empty.code == "422 invalid_request")
    }

    static func event(_ id: String, _ more: String = "", data: String = "") -> String {
        #"{"specversion":"1.0","id":"\#(id)","source":"urn:app:1","type":"faregate.usage""#
            + #"\#(more),"data":{"model":"gpt-4o","amount":"1"\#(data)}}"#
    }

    private func send(
        _ fixture: APIFixture, _ body: String, batch: Bool = false
    ) async -> Answer {
        await fixture.ask(
            "POST", "/v1/usage", body,
            contentType: batch
                ? "application/cloudevents-batch+json" : "application/cloudevents+json")
    }

    // A CloudEvent in structured mode: its id is source and id, its subject the customer.
    @Test func cloudEvent() async throws {
        let fixture = try await APIFixture()
        let answer = await send(
            fixture,
            Self.event("1", #","subject":"acme","time":"2026-03-01T10:00:00Z","traceid":"x""#))
        #expect(answer.status == 201)
        #expect(answer.string("usage") == "urn:app:1|1")
        #expect(answer.string("customer") == "acme")
        #expect(answer.string("occurred_at") == "2026-03-01T10:00:00.000000Z")
        let again = await send(
            fixture,
            Self.event("1", #","subject":"acme","time":"2026-03-01T10:00:00Z","traceid":"y""#))
        #expect(again.response.body == answer.response.body)
        let other = await send(fixture, Self.event("1", #","subject":"else""#))
        #expect(other.code == "409 idempotency_mismatch")
        let named = await send(fixture, Self.event("2", data: #","customer":"inner""#))
        #expect(named.string("customer") == "inner")
    }

    // What is no CloudEvent of ours is refused by name.
    @Test(arguments: [
        (#"{"id":"1","source":"s","type":"faregate.usage","data":{}}"#, "specversion"),
        (
            #"{"specversion":"0.3","id":"1","source":"s","type":"faregate.usage","data":{}}"#,
            "specversion"
        ),
        (#"{"specversion":"1.0","id":"1","source":"s","type":"other","data":{}}"#, "type"),
        (
            #"{"specversion":"1.0","id":"1","source":"a|b","type":"faregate.usage","data":{}}"#,
            "source"
        ),
        (#"{"specversion":"1.0","id":"1","source":"s","type":"faregate.usage"}"#, "data"),
        (
            #"{"specversion":"1.0","id":"1","source":"s","type":"faregate.usage","data":{}}"#,
            "data.customer"
        ),
        (event("1"), "data.customer"),
        (event("1", #","Bad-Name":"x""#), "Bad-Name"),
        (event("1", #","datacontenttype":"text/plain""#), "datacontenttype"),
        (event("1", #","data_base64":"e30=""#), "data_base64"),
        (event("1", #","subject":"a""#, data: #","id":"x""#), "data.id"),
    ]) func wrongCloudEvents(_ body: String, _ param: String) async throws {
        let fixture = try await APIFixture()
        let answer = await send(fixture, body)
        #expect(answer.status == 400 || answer.status == 422)
        #expect(answer.string("error.param") == param)
    }

    // A batch of CloudEvents: each its own answer.
    @Test func cloudEventBatch() async throws {
        let fixture = try await APIFixture()
        let body =
            "[" + Self.event("1", #","subject":"a""#) + "," + Self.event("2") + ","
            + Self.event("1", #","subject":"a""#) + "]"
        let answer = await send(fixture, body, batch: true)
        #expect(answer.status == 200)
        #expect(answer.count("results") == 3)
        #expect(answer.integer("results[0].status") == 201)
        #expect(answer.string("results[0].id") == "urn:app:1|1")
        #expect(answer.integer("results[1].status") == 400)
        #expect(answer.string("results[1].body.error.param") == "[1].data.customer")
        #expect(answer.integer("results[2].status") == 201)
        #expect(answer.bool("results[2].replayed") == true)
        #expect(await send(fixture, "[]", batch: true).code == "422 invalid_request")
        #expect(await send(fixture, "{}", batch: true).code == "400 wrong_type")
    }

    // Binary mode: the attributes are headers, percent-encoded.
    @Test func binaryCloudEvent() async throws {
        let fixture = try await APIFixture()
        var request = APIRequest(
            "POST", path: "/v1/usage", body: Array(#"{"model":"gpt-4o","amount":"1"}"#.utf8),
            contentType: "application/json", principal: .operatorProcess)
        request.cloudEvent = [
            ("specversion", "1.0"), ("id", "7"), ("source", "urn:app"), ("type", "faregate.usage"),
            ("subject", "acm%C3%A9"),
        ]
        let answer = Answer(await fixture.api.respond(to: request))
        #expect(answer.status == 201)
        #expect(answer.string("usage") == "urn:app|7")
        #expect(answer.string("customer") == "acmé")
        request.cloudEvent[4].value = "%"
        #expect(Answer(await fixture.api.respond(to: request)).code == "400 invalid_header")
    }

    // An estimate tells what a call may cost and what would happen to it; nothing is held.
    @Test func estimates() async throws {
        let fixture = try await APIFixture()
        try await fixture.ledger.setBudget("limit", amount: "0.005", per: [.customer])
        let body =
            #"{"customer":"acme","model":"gpt-4o","usage_estimate":{"input_tokens":1000,"#
            + #""max_output_tokens":500,"expected_output_tokens":100}}"#
        let answer = await fixture.post("/v1/estimates", body)
        #expect(answer.status == 200)
        #expect(answer.string("estimate.bound.charge") == "0.0075")
        #expect(answer.string("estimate.expected.charge") == "0.0035")
        #expect(answer.string("would_be") == "rejected")
        #expect(answer.string("refusal.code") == "request_too_large")
        #expect(answer.integer("affordable_max_tokens") == 250)
        #expect(answer["refusal.rejection_event"] == nil)
        #expect(answer["refusal.reservation"] == nil)
        #expect(answer.string("refusal.customer") == "acme")
        let event = await fixture.get("/v1/events/\(answer.integer("event") ?? 0)")
        #expect(event.string("type") == "usage.estimated")
        try await fixture.ledger.setBudget("limit", amount: "1", per: [.customer])
        let fits = await fixture.post("/v1/estimates", body)
        #expect(fits.string("would_be") == "reserved")
        #expect(fits.integer("affordable_max_tokens") == 500)
        #expect(await fixture.get("/v1/customers/acme").status == 404)
    }

    // A correction is linked to what it corrects, by usage or by amounts.
    @Test func adjustments() async throws {
        let fixture = try await APIFixture()
        await fixture.reserveTokens("a", "acme")
        _ = await fixture.post(
            "/v1/reservations/a/settle", #"{"usage":{"input_tokens":1000,"output_tokens":500}}"#)
        let first = await fixture.get("/v1/reservations/a").integer("first_event")
        let corrected = await fixture.post(
            "/v1/adjustments",
            #"{"reservation":"a","reason":"cached","usage":{"input_tokens":1000,"#
                + #""cached_input_tokens":1000,"output_tokens":500}}"#, key: "adj-1")
        #expect(corrected.status == 201)
        #expect(corrected.string("charge") == "-0.00125")
        #expect(corrected.string("author") == "key_admin")
        #expect(corrected.integer("corrects") == first)
        let again = await fixture.post(
            "/v1/adjustments",
            #"{"reservation":"a","reason":"cached","usage":{"input_tokens":1000,"#
                + #""cached_input_tokens":1000,"output_tokens":500}}"#, key: "adj-1")
        #expect(again.response.body == corrected.response.body)
        let delta = await fixture.post(
            "/v1/adjustments",
            #"{"reservation":"a","reason":"goodwill","author":"jo","charge_delta":"-0.001"}"#)
        #expect(delta.string("charge") == "-0.001")
        #expect(delta.string("cost") == "0")
        #expect(delta.string("author") == "jo")
        #expect(await fixture.get("/v1/reservations/a").string("actual.charge") == "0.00525")
        let neither = await fixture.post("/v1/adjustments", #"{"reservation":"a","reason":"r"}"#)
        #expect(neither.code == "400 missing_field")
    }
}
