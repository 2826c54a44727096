import CanonicalJSON
import Glibc
import HTTPAPI
import Logging
import Testing

@testable import Observability
@testable import Server

@Suite struct AccessLogTests {
    /// What is logged while `body` asks an API on a ledger of its own.
    private func log(
        _ level: Logger.Level, _ access: AccessLog.Level,
        _ body: (API) async throws -> Void
    ) async throws -> String {
        let folder = TemporaryFolder()
        let path = folder.file("log")
        let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
        let logger = Logger(
            jsonLabel: "test", level: level, output: LogOutput(descriptor: descriptor))
        let log = AccessLog(logger, level: access)
        var api = APIConfiguration()
        api.bootstrapKeyHash = secretHash("fg_admin-of-this-test")
        let ledger = try await OpenLedger.owned(
            path: folder.file("ledger.db"), creation: .init(), api: api, log: { log.write($0) })
        try await body(ledger.api)
        await ledger.shutdown()
        close(descriptor)
        return String(decoding: try WholeFile.read(path), as: UTF8.self)
    }

    // No secret and no text of a prompt gets into the log, whatever route it is sent to and
    // wherever it stands: in headers, query, path or body, of requests that pass and that fail.
    @Test func canary() async throws {
        let canary = "kanarienvogel"
        let text = try await log(.trace, .info) { api in
            for route in APIRoute.all {
                for secret in ["fg_admin-of-this-test", "fg_\(canary)-0123456789", canary] {
                    for body in [
                        "", canary, "{\"prompt\":\"\(canary)\",\"\(canary)\":1}",
                        "{\"id\":\"\(canary)\",\"customer\":\"\(canary)\",\"model\":\"\(canary)\","
                            + "\"amount\":\"1\",\"tags\":{\"\(canary)\":\"\(canary)\"}}",
                        "{\"name\":\"\(canary)\",\"role\":\"admin\",\"reason\":\"\(canary)\"}",
                    ] {
                        let path = route.template.replacing("{seq}", with: canary)
                            .replacing("{id}", with: canary).replacing("{grant}", with: canary)
                        var request = APIRequest(
                            route.method.rawValue, path: path, query: "\(canary)=\(canary)",
                            body: Array(body.utf8), contentType: "application/json",
                            authorization: "Bearer \(secret)", idempotencyKey: canary,
                            requestID: "not a valid id: \(canary)", accept: canary)
                        request.traceparent = canary
                        _ = await api.respond(to: request)
                        request.query = ""
                        _ = await api.respond(to: request)
                    }
                }
            }
            _ = await api.respond(
                to: APIRequest("GET", path: "/\(canary)", authorization: "Bearer \(canary)"))
        }
        let lines = text.split(separator: "\n")
        #expect(lines.count == APIRoute.all.count * 30 + 1)
        #expect(!text.contains(canary))
        #expect(!text.contains("fg_admin-of-this-test"))
        // Passing ones among them, so that the test is about more than refusals.
        #expect(text.contains(#""status":"201""#))
        for line in lines { _ = try StrictJSON.parse(Array(line.utf8)) }
    }

    // A line says which request, how it went and whose key it was; the key by its id.
    @Test func line() async throws {
        let text = try await log(.debug, .debug) { api in
            _ = await api.respond(
                to: APIRequest(
                    "GET", path: "/v1/plans/none", authorization: "Bearer fg_admin-of-this-test",
                    requestID: "my-request"))
        }
        let line = try StrictJSON.parse(Array(text.utf8))
        #expect(line["level"] == .string("debug"))
        #expect(line["message"] == .string("request"))
        let metadata = line["metadata"]
        let expected = [
            "actor": "bootstrap", "code": "not_found", "method": "GET", "route": "/v1/plans/{id}",
            "status": "404", "request_id": "my-request",
        ]
        for (name, value) in expected { #expect(metadata?[name] == .string(value)) }
        for name in ["trace_id", "span_id", "duration_us", "request_bytes", "response_bytes"] {
            #expect(metadata?[name] != nil, "\(name) is missing")
        }
    }

    // One setting says at which level requests are logged, the other which levels are.
    @Test(arguments: [
        (Logger.Level.info, AccessLog.Level.off, 0), (.info, .debug, 0), (.info, .info, 1),
        (.debug, .off, 0), (.debug, .debug, 1), (.warning, .info, 0),
    ])
    func levels(level: Logger.Level, access: AccessLog.Level, lines: Int) async throws {
        let text = try await log(level, access) { api in
            _ = await api.respond(to: APIRequest("GET", path: "/healthz"))
        }
        #expect(text.split(separator: "\n").count == lines)
    }
}
