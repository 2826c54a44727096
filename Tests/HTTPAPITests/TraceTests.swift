import Billing
import Engine
import FaregateTestSupport
import HTTPAPI
import Synchronization
import Telemetry
import Testing

@Suite struct TraceTests {
    private final class Records: Sendable {
        private let list = Mutex<[APILogRecord]>([])
        func add(_ record: APILogRecord) { list.withLock { $0.append(record) } }
        var all: [APILogRecord] { list.withLock { $0 } }
    }

    private func api(
        _ ledger: LedgerFixture, _ records: Records, logsCustomers: Bool = false
    ) -> API {
        var configuration = APIConfiguration()
        configuration.logsCustomers = logsCustomers
        return API(engine: ledger.engine, configuration: configuration) { records.add($0) }
    }

    private func request(_ traceparent: String?) -> APIRequest {
        var request = APIRequest("GET", path: "/healthz")
        request.traceparent = traceparent
        return request
    }

    // A caller's trace goes on: in the answer and in the log with one and the same new span.
    @Test func continued() async throws {
        let records = Records()
        let api = api(try await LedgerFixture(), records)
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let answer = await api.respond(to: request(header))
        let sent = try #require(answer.header("traceparent").flatMap { TraceContext(header: $0) })
        #expect(sent.traceText == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(sent.spanText != "00f067aa0ba902b7")
        #expect(sent.isSampled)
        #expect(records.all.map(\.trace) == [sent])
    }

    // Without a header, or with one that is not valid, a new trace begins.
    @Test(arguments: [nil, "", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "x"])
    func begun(header: String?) async throws {
        let records = Records()
        let api = api(try await LedgerFixture(), records)
        let answer = await api.respond(to: request(header))
        #expect(answer.status == 200)
        let sent = try #require(answer.header("traceparent").flatMap { TraceContext(header: $0) })
        #expect(!sent.isSampled)
        #expect(records.all.map(\.trace) == [sent])
    }

    // Log records name a customer only where that was asked for: from the path, from the body, and
    // also where the call was refused.
    @Test(arguments: [true, false])
    func customers(isNamed: Bool) async throws {
        let records = Records()
        let api = api(try await LedgerFixture(), records, logsCustomers: isNamed)
        func ask(_ method: String, _ path: String, _ body: String = "") async {
            _ = await api.respond(
                to: APIRequest(
                    method, path: path, body: Array(body.utf8), contentType: "application/json",
                    principal: .operatorProcess))
        }
        await ask(
            "POST", "/v1/reservations", #"{"id":"a","customer":"acme","model":"m","amount":"1"}"#)
        await ask("POST", "/v1/reservations/a/settle", #"{"amount":"1"}"#)
        await ask("GET", "/v1/customers/acme/balance")
        await ask(
            "POST", "/v1/reservations",
            #"{"id":"b","customer":"other","model":"unheard-of","usage_estimate":"#
                + #"{"input_tokens":1,"max_output_tokens":1}}"#)
        await ask("GET", "/v1/plans")
        let expected: [String?] =
            isNamed
            ? ["acme", "acme", "acme", "other", nil]
            : .init(
                repeating: nil, count: 5)
        #expect(records.all.map(\.customer) == expected)
        #expect(records.all.map(\.status) == [201, 200, 200, 402, 200])
    }
}
