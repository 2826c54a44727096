import Billing
import CanonicalJSON
import Engine
import FaregateTestSupport
import HTTPAPI
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

/// Over sockets: the adapter changes nothing.
@Suite struct LiveTests {
    private static let authorization = "Bearer " + (APIFixture.secrets[.admin] ?? "")

    private func serve(
        _ fixture: APIFixture,
        _ body: @escaping @Sendable (any TestClientProtocol) async throws -> Void
    ) async throws {
        let application = Application(router: fixture.api.router())
        try await application.test(.live) { client in try await body(client) }
    }

    private func headers(_ more: [(String, String)] = []) -> HTTPFields {
        var fields = HTTPFields()
        fields[.authorization] = Self.authorization
        fields[.contentType] = "application/json"
        for (name, value) in more {
            if let name = HTTPField.Name(name) { fields[name] = value }
        }
        return fields
    }

    // An answer in pieces arrives whole over a socket.
    @Test func logFile() async throws {
        let fixture = try await APIFixture()
        for number in 0..<200 { await fixture.reserve("r\(number)", "c", amount: "1") }
        try await serve(fixture) { client in
            let answer = try await client.execute(
                uri: "/v1/log", method: .get, headers: headers())
            #expect(answer.status.code == 200)
            var bytes: [UInt8] = []
            let pieces = try #require(await fixture.get("/v1/log").response.pieces)
            while let piece = try await pieces() { bytes += piece }
            #expect(Array(answer.body.readableBytesView) == bytes)
        }
    }

    // A call over a socket gets the bytes, status and headers of the core.
    @Test func lifecycle() async throws {
        let fixture = try await APIFixture()
        try await serve(fixture) { client in
            let body = #"{"id":"a/b","customer":"acme","model":"m","amount":"4"}"#
            let reserved = try await client.execute(
                uri: "/v1/reservations", method: .post,
                headers: headers([("X-Request-Id", "my-id")]),
                body: ByteBuffer(string: body))
            #expect(reserved.status.code == 201)
            #expect(reserved.headers[.contentType] == "application/json")
            #expect(reserved.headers[HTTPField.Name("X-Request-Id")!] == "my-id")
            let core = await fixture.post("/v1/reservations", body)
            #expect(Array(reserved.body.readableBytesView) == core.response.body)
            let again = try await client.execute(
                uri: "/v1/reservations", method: .post, headers: headers(),
                body: ByteBuffer(string: body))
            #expect(again.headers[HTTPField.Name("Idempotent-Replayed")!] == "true")
            let settled = try await client.execute(
                uri: "/v1/reservations/a%2Fb/settle", method: .post, headers: headers(),
                body: ByteBuffer(string: #"{"amount":"1"}"#))
            #expect(settled.status.code == 200)
            let listed = try await client.execute(
                uri: "/v1/customers?project=default&limit=1", method: .get, headers: headers())
            #expect(listed.status.code == 200)
        }
    }

    // What no route takes is answered by the core as well.
    @Test func unmatched() async throws {
        let fixture = try await APIFixture()
        try await serve(fixture) { client in
            let unknown = try await client.execute(uri: "/nothing", method: .get)
            #expect(unknown.status.code == 404)
            #expect(String(buffer: unknown.body).contains("unknown_route"))
            let method = try await client.execute(uri: "/v1/customers", method: .delete)
            #expect(method.status.code == 405)
            #expect(method.headers[HTTPField.Name("Allow")!] == "GET, POST")
            let slash = try await client.execute(
                uri: "/v1/customers/", method: .get, headers: headers())
            #expect(slash.status.code == 404)
            let other = try await client.execute(
                uri: "/v1/reservations/batch/release", method: .post, headers: headers())
            #expect(String(buffer: other.body).contains("not_found"))
            let batch = try await client.execute(
                uri: "/v1/reservations/batch", method: .get, headers: headers())
            #expect(String(buffer: batch.body).contains("There is no reservation 'batch'"))
        }
    }

    // Too large a body is refused, announced or not.
    @Test func tooLarge() async throws {
        let fixture = try await APIFixture { $0.maxBodyBytes = 1_000 }
        try await serve(fixture) { client in
            let answer = try await client.execute(
                uri: "/v1/customers", method: .post, headers: headers(),
                body: ByteBuffer(repeating: UInt8(ascii: " "), count: 5_000))
            #expect(answer.status.code == 413)
            #expect(String(buffer: answer.body).contains("body_too_large"))
            #expect(answer.headers[HTTPField.Name("X-Request-Id")!] != nil)
        }
    }

    // A CloudEvent in binary mode comes in headers.
    @Test func binaryCloudEvent() async throws {
        let fixture = try await APIFixture()
        try await serve(fixture) { client in
            let answer = try await client.execute(
                uri: "/v1/usage", method: .post,
                headers: headers([
                    ("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "urn:a"),
                    ("ce-type", "faregate.usage"), ("ce-subject", "acme"),
                ]), body: ByteBuffer(string: #"{"model":"m","amount":"1"}"#))
            #expect(answer.status.code == 201)
            #expect(String(buffer: answer.body).contains(#""usage":"urn:a|1""#))
        }
    }

    // Every route of the table is a route of the router, and nothing else is.
    @Test func routerHasTheTable() async throws {
        let fixture = try await APIFixture()
        let routes = fixture.api.router().routes.map { "\($0.method.rawValue) \($0.path)" }
        let table = APIRoute.all.map { "\($0.method.rawValue) \($0.template)" }
        #expect(Set(routes) == Set(table))
        #expect(routes.count == table.count)
    }

    // Many callers at once over sockets never pass a limit.
    @Test func concurrency() async throws {
        let fixture = try await APIFixture()
        try await fixture.ledger.setBudget("limit", amount: "500")
        try await serve(fixture) { client in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        let body =
                            #"{"id":"r\#(number)","customer":"c","model":"m","amount":"75"}"#
                        return try await client.execute(
                            uri: "/v1/reservations", method: .post, headers: headers(),
                            body: ByteBuffer(string: body)
                        ).status.code
                    }
                }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(statuses.filter { $0 == 201 }.count == 6)
            #expect(statuses.filter { $0 == 429 }.count == 14)
        }
    }
}
