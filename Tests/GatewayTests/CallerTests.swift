import AsyncHTTPClient
import Billing
import Estimation
import FaregateTestSupport
import HTTPTypes
import Money
import NIOHTTP1
import Testing

@testable import Gateway
@testable import HTTPAPI

/// Headers and bodies from which nobody's customer, and nobody's money, is guessed.
@Suite struct CallerTests {
    private static let single = [
        "X-Faregate-Customer", "X-Faregate-User", "X-Faregate-Run", "X-Faregate-Project",
    ]

    private func subject(_ fields: [(String, [UInt8])]) throws -> Subject {
        var headers = HTTPFields()
        if !fields.contains(where: { $0.0 == "X-Faregate-Customer" }) {
            headers[.faregateCustomer] = "acme"
        }
        for (name, value) in fields {
            headers.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value))
        }
        let principal = APIPrincipal(actor: nil, role: .meter)
        let caller = Caller(headers: headers, principal: principal)
        let sized = SizedRequest(dialect: .openAIChat, model: "m", usage: UsageEstimate())
        return try caller.subject(project: try caller.project(), sized, fields: [])
    }

    // Bytes that are no text would all be the same customer; text of any language is one.
    @Test(arguments: single + ["X-Faregate-Tags"]) func encoding(name: String) throws {
        let value = name.hasSuffix("Tags") ? "a=" : ""
        let error = #expect(throws: APIError.self) {
            _ = try subject([(name, Array(value.utf8) + [0x61, 0xFF])])
        }
        #expect(error?.code == "invalid_header")
        #expect(error?.status == 400)
        #expect(error?.param == name)
        #expect(error?.message == "\(name) must be UTF-8.")
        let text = "Zürich 東京"
        #expect(try subject([("X-Faregate-Customer", Array(text.utf8))]).customer == text)
    }

    // Two values would be joined to a customer whom nobody meant.
    @Test(arguments: single) func twice(name: String) throws {
        let error = #expect(throws: APIError.self) {
            _ = try subject([(name, Array("a".utf8)), (name, Array("a".utf8))])
        }
        #expect(error?.code == "invalid_header")
        #expect(error?.param == name)
        let tags = try subject([
            ("X-Faregate-Customer", [0x61]), ("X-Faregate-Tags", Array("a=1".utf8)),
            ("X-Faregate-Tags", Array("b=2".utf8)),
        ]).tags
        #expect(tags == [Tag(key: "a", value: "1"), Tag(key: "b", value: "2")])
    }

    // The same over a socket.
    @Test func overASocket() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(.json(ChatTests.answer))
            var twice = fixture.request(
                "/openai/v1/chat/completions", GatewayFixture.chatBody(""))
            twice.headers.add(name: "X-Faregate-Customer", value: "other")
            let reply = try await GatewayReply(try await fixture.open(twice))
            #expect(reply.status == 400)
            #expect(reply.string("error.code") == "invalid_header")
            #expect(try await fixture.chat(customer: "a\u{FFFD}").status == 400)
            #expect(try await fixture.chat(customer: "Zürich 東京").status == 200)
            #expect(try await fixture.ledger.customer("Zürich 東京").totals.charge > .zero)
        }
    }

    // What is wrong with a body is named, before anything is held for it.
    @Test(arguments: [
        (#","max_tokens":1000000000000000000000000000000"#, "max_tokens", "must be between 1 and "),
        (#","max_tokens":1.5"#, "max_tokens", "must be an integer"),
        (#","user":17"#, "user", "must be a string"),
        (#","safety_identifier":[]"#, "safety_identifier", "must be a string"),
        (#","metadata":{"user_id":1}"#, "metadata.user_id", "must be a string"),
    ])
    func bodies(more: String, param: String, told: String) async throws {
        try await GatewayFixture.with { fixture in
            let reply = try await fixture.chat(more)
            #expect(reply.status == 400)
            #expect(reply.string("error.param") == param)
            #expect(reply.string("error.message")?.hasPrefix("\(param) \(told)") == true)
            #expect(try await fixture.history().isEmpty)
        }
    }

    // An answer in the background is refused before there is a hold to give back.
    @Test func background() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(.json(#"{"id":"resp_1","object":"response"}"#))
            func ask(_ flag: String) async throws -> GatewayReply {
                try await fixture.ask(
                    "/openai/v1/responses",
                    #"{"model":"gpt-4o","input":"hi","background":\#(flag)}"#)
            }
            let reply = try await ask("true")
            #expect(reply.status == 403)
            #expect(reply.string("error.code") == "route_closed")
            #expect(reply.string("error.param") == "background")
            #expect(try await fixture.history().isEmpty)
            #expect(try await ask("false").status == 200)
            #expect(fixture.upstream.received.map { $0.body.contains("background") } == [false])
        }
    }

    // A body that cannot be read is not passed on unread; in the words of each library.
    @Test(arguments: ["gzip", "identity, br"]) func contentEncoding(encoding: String) async throws {
        try await GatewayFixture.with { fixture in
            let headers = [("Content-Encoding", encoding)]
            let reply = try await fixture.chat(headers: headers)
            #expect(reply.status == 415)
            #expect(reply.string("error.code") == "unsupported_encoding")
            #expect(reply.string("error.type") == "invalid_request_error")
            let other = try await fixture.ask(
                "/anthropic/v1/messages/count_tokens", "{}", headers: headers)
            #expect(other.status == 415)
            #expect(other.string("type") == "error")
            #expect(fixture.upstream.received.isEmpty)
            fixture.upstream.answers(.json(ChatTests.answer))
            #expect(
                try await fixture.chat(headers: [("Content-Encoding", "identity")]).status == 200)
        }
    }

    // The log names what the client was sent.
    @Test func loggedCodes() async throws {
        try await GatewayFixture.with { fixture in
            fixture.upstream.answers(.init(isSilent: true))
            let failed = try await fixture.chat()
            #expect(failed.string("error.code") == "upstream_failed")
            try await fixture.settled()
            fixture.upstream.answers(.json("{}", status: 500))
            _ = try await fixture.chat()
            try await fixture.settled()
            fixture.upstream.answers(.json(ChatTests.answer))
            _ = try await fixture.chat()
            try await fixture.settled()
            #expect(fixture.log.codes == ["upstream_failed", "declined", nil])
        }
    }

    // A cost that the provider states is counted beside the price book's, and so is what is odd
    // about its report.
    @Test func statedCost() async throws {
        try await GatewayFixture.with { fixture in
            let answer = ChatTests.answer.replacing(
                #""total_tokens":14"#, with: #""total_tokens":1,"cost":1.4e-05"#)
            fixture.upstream.answers(.json(answer))
            #expect(try await fixture.chat().status == 200)
            try await fixture.settled()
            let text = fixture.figures
            for line in [
                #"stated_cost_total{upstream="openai"} 0.000014"#,
                #"stated_cost_rated_total{upstream="openai"} 0.000065"#,
                #"stated_cost_total{upstream="azure"} 0"#,
                #"usage_marks_total{upstream="openai",mark="total_disagrees"} 1"#,
            ] { #expect(text.contains("faregate_gateway_" + line)) }
        }
    }

    @Test(
        arguments: [
            ("0.00014", 140_000), ("1.4e-04", 140_000), ("0", 0), ("2", 2_000_000_000),
            ("0.0000000005", 1), ("0.00000000049", 0), ("1E2", 100_000_000_000), ("1e-999", 0),
            ("-1", nil), ("1e30", nil), ("12345678901234567890", nil), ("", 0),
            ("0.123456789012345678901234", 123_456_789),
        ] as [(String, Int64?)])
    func statedCostText(text: String, nanos: Int64?) { #expect(StatedCost.nanos(text) == nanos) }
}
