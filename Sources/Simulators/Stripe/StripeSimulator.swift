// The simulated Stripe account over HTTP: what the core answers, and its webhooks sent to where
// they were ordered. Below `/_` are the simulator's own routes: see StripeSimulator+Control.swift.

import AsyncHTTPClient
import CanonicalJSON
import Glibc
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import NIOHTTP1
import ServiceLifecycle

package struct StripeSimulator: Sendable {
    package struct Endpoint: Sendable, Equatable {
        package var url: String
        package var secret: String

        package init(url: String, secret: String) {
            self.url = url
            self.secret = secret
        }
    }

    package struct Configuration: Sendable {
        package var host = "127.0.0.1"
        /// 0: the system chooses.
        package var port = 0
        package var seed: UInt64 = 2_026
        /// Where webhooks go; more can be added while it runs.
        package var endpoints: [Endpoint] = []
        package var faults = StripeFaults()
        /// Where its clock stands at the start and stays until it is told otherwise, microseconds
        /// since 1970 UTC; nil: the machine's clock, and what it is told on top.
        package var clockAt: Int64?
        /// Seconds from an invoice's making to when it is final.
        package var finalizeSeconds: Int64 = 3_600

        package init() {}
    }

    let configuration: Configuration
    let desk: StripeDesk

    package init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        desk = StripeDesk(configuration)
    }

    /// Serves until SIGTERM or SIGINT.
    package func runUntilSignal(onReady: @escaping @Sendable (Int) -> Void) async throws {
        let courier = courier()
        defer { courier.cancel() }
        try await application(onReady: onReady).runService()
    }

    /// Serves while `body` runs; `body` is given the base URL.
    package func serving<Value: Sendable>(
        _ body: @escaping @Sendable (String) async throws -> Value
    ) async throws -> Value {
        let courier = courier()
        defer { courier.cancel() }
        let (simulator, host) = (self, configuration.host)
        return try await Serving.during(
            { simulator.application(onReady: $0) }, { try await body("http://\(host):\($0)") })
    }

    private func application(
        onReady: @escaping @Sendable (Int) -> Void
    ) -> Application<CallbackResponder<SimulatorContext>> {
        let (simulator, desk, host) = (self, desk, configuration.host)
        return Application(
            responder: CallbackResponder { request, context in
                try await simulator.respond(request, context)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port),
                serverName: "faregate-stripe-simulator", backlog: 1_024),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? 0
                await desk.set(pages: "http://\(host):\(port)/_pay/")
                onReady(port)
            },
            logger: Serving.quiet)
    }

    private func respond(_ request: Request, _ context: SimulatorContext) async throws -> Response {
        let body = try await request.body.collect(upTo: 16 << 20)
        let bytes = Array(body.readableBytesView)
        if request.uri.path.hasPrefix("/_") {
            return await control(request.method.rawValue, request.uri.path, bytes)
        }
        let asked = StripeSimRequest(
            method: request.method.rawValue, path: request.uri.path,
            query: request.uri.query ?? "",
            headers: request.headers.map { ($0.name.canonicalName, $0.value) }, body: bytes)
        switch await desk.respond(asked) {
        case .answer(let answer):
            var fields = HTTPFields()
            for (name, value) in answer.headers {
                if let name = HTTPField.Name(name) { fields[name] = value }
            }
            return Response(
                status: .init(code: answer.status), headers: fields,
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)))
        case .dropped, .refused:
            try? await context.channel.close().get()
            throw CancellationError()
        }
    }

    // MARK: In the same process

    /// The account as it is at this moment, to go on alone.
    package var account: StripeAccount {
        get async { await desk.change { $0 } }
    }

    package func addEndpoint(_ endpoint: Endpoint) async {
        await desk.change { $0.addEndpoint(url: endpoint.url, secret: endpoint.secret) }
    }

    /// A customer whose metadata name one of the ledger's, on a subscription to the price.
    package func subscribe(customer: String, project: String, price: String) async {
        await desk.change {
            $0.subscribe(customer: customer, project: project, price: price)
        }
    }

    // MARK: Webhooks out

    /// Delivers what is due, now and then, until it is cancelled.
    private func courier() -> Task<Void, Never> {
        let desk = desk
        return Task {
            while !Task.isCancelled {
                for delivery in await desk.dueDeliveries() {
                    Task {
                        let status = await Self.post(delivery)
                        await desk.delivered(delivery.id, status: status)
                    }
                }
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    private static func post(_ delivery: StripeSimDelivery) async -> Int? {
        var request = HTTPClientRequest(url: delivery.url)
        request.method = .POST
        for header in delivery.headers {
            request.headers.add(name: header.name, value: header.value)
        }
        request.body = .bytes(ByteBuffer(bytes: delivery.body))
        do {
            let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
            _ = try await answer.body.collect(upTo: 1 << 20)
            return Int(answer.status.code)
        } catch {
            return nil
        }
    }
}

/// The account behind a counter: one request at a time.
actor StripeDesk {
    private var account: StripeAccount
    /// Nil: the clock stands until it is moved.
    private var offset: Int64?

    init(_ configuration: StripeSimulator.Configuration) {
        let start = configuration.clockAt ?? Self.machineTime()
        account = StripeAccount(seed: configuration.seed, now: start)
        account.faults = configuration.faults
        account.finalizeDelay = configuration.finalizeSeconds * 1_000_000
        for endpoint in configuration.endpoints {
            account.addEndpoint(url: endpoint.url, secret: endpoint.secret)
        }
        offset = configuration.clockAt == nil ? 0 : nil
    }

    private static func machineTime() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }

    var now: Int64 {
        guard let offset else { return account.now }
        return max(account.now, Self.machineTime() + offset)
    }

    func set(pages: String) { account.pageBase = pages }

    func respond(_ request: StripeSimRequest) -> StripeSimReply {
        account.respond(request, at: now)
    }

    /// Signed with the machine's time, wherever the simulated clock stands: receivers go by theirs.
    func dueDeliveries() -> [StripeSimDelivery] {
        account.dueDeliveries(at: now, signedAt: Self.machineTime() / 1_000_000)
    }

    func delivered(_ id: Int, status: Int?) { account.delivered(id, status: status, at: now) }

    /// Lets everything happen until then.
    func advance(to time: Int64) {
        if offset != nil { offset = max(offset ?? 0, time - Self.machineTime()) }
        account.advance(to: time)
    }

    func change<Result: Sendable>(_ body: @Sendable (inout StripeAccount) -> Result) -> Result {
        account.advance(to: now)
        return body(&account)
    }
}
