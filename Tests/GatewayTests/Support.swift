import AsyncHTTPClient
import Billing
import CanonicalJSON
import Dialects
import Engine
import EventLog
import FaregateTestSupport
import Hummingbird
import Money
import NIOCore
import NIOHTTP1
import Synchronization
import Telemetry
import Testing

@testable import Gateway
@testable import HTTPAPI

/// A gateway on a ledger in memory, in front of a fake provider, all of it over sockets.
final class GatewayFixture: Sendable {
    let ledger: LedgerFixture
    let api: API
    let gateway: Gateway
    let metrics: GatewayMetrics
    let upstream: FakeUpstream
    let app: LiveApp
    let log: LogLines

    static let secret = "fg_meter-secret-of-the-test"
    static let upstreamSecret = "sk-canary-of-the-upstream"

    private init(
        ledger: LedgerFixture, api: API, gateway: Gateway, metrics: GatewayMetrics,
        upstream: FakeUpstream, app: LiveApp, log: LogLines
    ) {
        self.log = log
        self.ledger = ledger
        self.api = api
        self.gateway = gateway
        self.metrics = metrics
        self.upstream = upstream
        self.app = app
    }

    /// Runs `body` with a gateway whose upstreams `openai`, `anthropic` and `azure` are one fake.
    static func with(
        store: (any EventStore)? = nil, engine: EngineConfiguration = EngineConfiguration(),
        limits: @Sendable (inout UpstreamLimits) -> Void = { _ in },
        change: @Sendable (inout GatewaySettings) -> Void = { _ in },
        api configure: (inout APIConfiguration) -> Void = { _ in },
        _ body: (GatewayFixture) async throws -> Void
    ) async throws {
        let upstream = FakeUpstream()
        try await upstream.start()
        let ledger = try await LedgerFixture(store: store, configuration: engine)
        var configuration = APIConfiguration()
        configure(&configuration)
        let log = LogLines()
        let api = API(engine: ledger.engine, configuration: configuration) { log.add($0) }
        var settings = GatewaySettings()
        for (name, dialect) in [
            ("anthropic", "anthropic"), ("azure", "openai"), ("openai", "openai"),
        ] {
            var one = Upstream(
                name: name, dialect: .init(rawValue: dialect)!, baseURL: try BaseURL(upstream.url))
            one.key = UpstreamKey(upstreamSecret)
            one.pathStyle = name == "azure" ? .azure : .plain
            limits(&one.limits)
            settings.upstreams.append(one)
        }
        change(&settings)
        let metrics = GatewayMetrics(settings)
        let gateway = Gateway(
            api: api, settings: settings, metrics: metrics, tick: .milliseconds(20),
            settleWait: .seconds(60))
        let app = try await LiveApp(
            context: ChannelContext.self, handlers: { [PeerWatch()] }
        ) { request, context in
            try await gateway.respond(to: request, channel: context.channel)
        }
        let fixture = GatewayFixture(
            ledger: ledger, api: api, gateway: gateway, metrics: metrics, upstream: upstream,
            app: app, log: log)
        try await fixture.addKey("key_app", secret)
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(fixture))
        } catch {
            result = .failure(error)
        }
        upstream.release()
        await gateway.shutdown()
        await app.stop()
        await upstream.stop()
        try result.get()
    }

    func addKey(
        _ id: String, _ secret: String, _ role: KeyRole = .meter, project: String? = nil
    ) async throws {
        var key = KeyCreated()
        key.id = id
        key.role = role
        key.project = project
        key.secretHash = secretHash(secret)
        try await ledger.ask(.createKey(key))
    }

    // MARK: Asking

    func request(
        _ path: String, _ body: String?, headers: [(String, String)] = [],
        customer: String? = "acme", key: String? = GatewayFixture.secret, method: String = "POST"
    ) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: app.url + path)
        request.method = HTTPMethod(rawValue: method)
        if let key { request.headers.add(name: "Authorization", value: "Bearer \(key)") }
        if let customer { request.headers.add(name: "X-Faregate-Customer", value: customer) }
        for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(Array(body.utf8))
        }
        return request
    }

    func open(_ request: HTTPClientRequest) async throws -> HTTPClientResponse {
        try await HTTPClient.shared.execute(request, timeout: .seconds(60))
    }

    func ask(
        _ path: String, _ body: String? = nil, headers: [(String, String)] = [],
        customer: String? = "acme", key: String? = GatewayFixture.secret, method: String = "POST"
    ) async throws -> GatewayReply {
        let response = try await open(
            request(
                path, body, headers: headers, customer: customer, key: key, method: method))
        return try await GatewayReply(response)
    }

    func chat(
        _ more: String = #","max_tokens":100"#, headers: [(String, String)] = [],
        customer: String? = "acme", model: String = "gpt-4o"
    ) async throws -> GatewayReply {
        try await ask(
            "/openai/v1/chat/completions", Self.chatBody(more, model: model), headers: headers,
            customer: customer)
    }

    static func chatBody(_ more: String, model: String = "gpt-4o") -> String {
        #"{"model":"\#(model)","messages":[{"role":"user","content":"Say hello."}]\#(more)}"#
    }

    // MARK: Looking

    /// The events of the only reservation, or of the one named.
    func history(_ id: String? = nil) async throws -> [Event] {
        let project = LedgerFixture.project
        var found: [Event] = []
        for event in try await events() {
            guard let reservation = event.reservation, id == nil || reservation == id else {
                continue
            }
            #expect(event.project == project)
            found.append(event.event)
        }
        return found
    }

    private func events() async throws -> [RecordedEvent] {
        // What is read is durable.
        try await ledger.engine.read { (_) throws(EngineError) in }
        return try ledger.store.read(after: 0, limit: .max, maxBytes: .max)
            .map { try EventCodec.decode($0.bytes) }
    }

    /// Waits until all calls are settled, then looks at the only settlement.
    func settlement() async throws -> UsageSettled {
        try await settled()
        let found = try await history().compactMap(\.settlement)
        #expect(found.count == 1)
        return try #require(found.first)
    }

    /// Waits until no call is under way.
    func settled() async throws {
        for _ in 0..<1_000 {
            if gateway.liveCount == 0 { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("calls are still under way")
    }

    /// The metrics as they are read.
    var figures: String {
        var text = PrometheusText()
        metrics.write(to: &text)
        return String(decoding: text.finished(), as: UTF8.self)
    }

    func openHolds() async throws -> Int {
        try await ledger.engine.read { $0.state.reservations.count }
    }
}

/// What was logged.
final class LogLines: Sendable {
    private let lines = Mutex<[APILogRecord]>([])

    func add(_ line: APILogRecord) { lines.withLock { $0.append(line) } }

    var codes: [String?] { lines.withLock { $0.map(\.code) } }
}

struct GatewayReply: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var text: String
    /// The body broke off.
    var isBroken = false

    init(_ response: HTTPClientResponse) async throws {
        status = Int(response.status.code)
        headers = response.headers
        var bytes: [UInt8] = []
        do {
            for try await part in response.body { bytes += part.readableBytesView }
        } catch {
            isBroken = true
        }
        text = String(decoding: bytes, as: UTF8.self)
    }

    var json: JSONValue { (try? StrictJSON.parse(text)) ?? .null }

    func header(_ name: String) -> String? { headers.first(name: name) }

    /// `error.code`.
    subscript(_ path: String) -> JSONValue? {
        var value = json
        for part in path.split(separator: ".") {
            guard case .object(let object) = value, let member = object[String(part)] else {
                return nil
            }
            value = member
        }
        return value
    }

    func string(_ path: String) -> String? {
        if case .string(let text)? = self[path] { text } else { nil }
    }
}
