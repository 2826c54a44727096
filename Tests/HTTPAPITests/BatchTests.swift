import CanonicalJSON
import FaregateTestSupport
import HTTPAPI
import Testing

@Suite struct BatchTests {
    // Commands of a batch are carried out in order, each with its own answer.
    @Test func mixed() async throws {
        let fixture = try await APIFixture()
        try await fixture.ledger.setBudget("limit", amount: "5")
        let answer = await fixture.post(
            "/v1/reservations/batch",
            #"""
            {"commands":[
              {"op":"reserve","id":"a","customer":"acme","model":"m","amount":"4"},
              {"op":"reserve","id":"b","customer":"acme","model":"m","amount":"4"},
              {"op":"extend","id":"a","ttl_seconds":30},
              {"op":"settle","id":"a","amount":"1"},
              {"op":"reserve","id":"c","customer":"acme","model":"m","amount":"4"},
              {"op":"release","id":"c","reason":"not needed"},
              {"op":"settle","id":"none","amount":"1"},
              {"op":"reserve","id":"d","customer":"acme","model":"m","amount":4},
              {"op":"refund","id":"d"},
              {"op":"reserve","id":"a","customer":"acme","model":"m","amount":"4"},
              7
            ]}
            """#)
        #expect(answer.status == 200)
        let statuses = (0..<11).map { answer.integer("results[\($0)].status") }
        #expect(statuses == [201, 429, 200, 200, 201, 200, 404, 400, 422, 201, 400])
        #expect(answer.string("results[1].body.error.code") == "holds_full")
        #expect(answer.string("results[3].body.charge") == "1")
        #expect(answer.string("results[7].body.error.param") == "commands[7].amount")
        #expect(answer.string("results[8].body.error.param") == "commands[8].op")
        #expect(answer.bool("results[9].replayed") == true)
        #expect(answer["results[0].replayed"] == nil)
        #expect(answer.string("results[9].id") == "a")
        #expect(answer["results[10].id"] == nil)
    }

    // A command alone and in a batch is the same request: the same id gets the same answer.
    @Test func sameDigest() async throws {
        let fixture = try await APIFixture()
        let alone = await fixture.reserve("a", "acme", amount: "4")
        let settled = await fixture.post("/v1/reservations/a/settle", #"{"amount":"1"}"#)
        let batch = await fixture.post(
            "/v1/reservations/batch",
            #"{"commands":[{"op":"reserve","id":"a","customer":"acme","model":"gpt-4o","#
                + #""amount":"4"},"#
                + #"{"op":"settle","id":"a","amount":"1"}]}"#)
        #expect(batch["results[0].body"] == alone.json)
        #expect(batch["results[1].body"] == settled.json)
        #expect(batch.bool("results[0].replayed") == true)
        #expect(batch.bool("results[1].replayed") == true)
    }

    // A thousand commands fit, one more does not, none is none.
    @Test func size() async throws {
        let fixture = try await APIFixture()
        func commands(_ count: Int) -> String {
            let list = (0..<count).map {
                #"{"op":"reserve","id":"r\#($0)","customer":"c\#($0 % 7)","model":"m","#
                    + #""amount":"1"}"#
            }
            return #"{"commands":[\#(list.joined(separator: ","))]}"#
        }
        let full = await fixture.post("/v1/reservations/batch", commands(1_000))
        #expect(full.count("results") == 1_000)
        #expect((0..<1_000).allSatisfy { full.integer("results[\($0)].status") == 201 })
        let over = await fixture.post("/v1/reservations/batch", commands(1_001))
        #expect(over.code == "422 invalid_request")
        #expect(over.string("error.param") == "commands")
        let none = await fixture.post("/v1/reservations/batch", #"{"commands":[]}"#)
        #expect(none.code == "422 invalid_request")
    }

    // A command's own project counts before the batch's.
    @Test func projects() async throws {
        let fixture = try await APIFixture()
        _ = await fixture.post("/v1/projects", #"{"id":"blue"}"#)
        let answer = await fixture.post(
            "/v1/reservations/batch?project=blue",
            #"{"commands":[{"op":"reserve","id":"a","customer":"c","model":"m","amount":"1"},"#
                + #"{"op":"reserve","id":"a","customer":"c","model":"m","amount":"1","#
                + #""project":"default"}]}"#
        )
        #expect(answer.string("results[0].body.project") == "blue")
        #expect(answer.string("results[1].body.project") == "default")
    }
}
