// The server as a whole: ledger, API, sockets, signals.
//
// The port comes first, so that probes see a server that is reading its log; then lock and log,
// engine, first key. It stops from the outside in: readiness says so, no new connections, what is
// under way is answered, then the engine finishes what it accepted, snapshots and closes the file.

import CEmbedded
import Engine
import Gateway
import Glibc
import HTTPAPI
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import Notifications
import Projections
import SQLiteEventLog
import ServiceLifecycle
import UnixSignals

/// Where a server listens.
package struct ServerAddress: Sendable, Equatable {
    package var host: String
    package var port: Int

    /// For the machine itself, when the server listens on all addresses.
    package var url: String {
        let reachable = host == "0.0.0.0" ? "127.0.0.1" : host == "::" ? "::1" : host
        let isIPv6 = reachable.utf8.contains(UInt8(ascii: ":"))
        return "http://\(isIPv6 ? "[\(reachable)]" : reachable):\(port)"
    }
}

/// What a server says while it starts.
package struct ServerHooks: Sendable {
    /// The first key of a new ledger was made: its secret, kept nowhere else.
    package var onFirstKey: @Sendable (String) -> Void = { _ in }
    /// Events folded, events to fold.
    package var onLoading: @Sendable (UInt64, UInt64) -> Void = { _, _ in }
    /// It listens, and answers 503 until it is ready. Must not block.
    package var onListening: @Sendable (ServerAddress) -> Void = { _ in }
    /// It serves its ledger. Must not block.
    package var onReady: @Sendable (ServerAddress, OpenLedger) -> Void = { _, _ in }

    /// Ends the process without waiting for anything, with this status: told to stop twice, or not
    /// stopped in time.
    package var endAtOnce: @Sendable (Int32) -> Void = { _exit($0) }

    package init() {}
}

package struct FaregateServer: Sendable {
    private let configuration: ServerConfiguration
    private let logger: Logger
    private let hooks: ServerHooks
    /// Secret of an administrator for this run only.
    private let runKey: String?

    /// - Parameter runKey: stands in for `admin_key` of the configuration, when that has none.
    package init(
        _ configuration: ServerConfiguration, logger: Logger, hooks: ServerHooks = ServerHooks(),
        runKey: String? = nil
    ) {
        self.configuration = configuration
        self.logger = logger
        self.hooks = hooks
        self.runKey = configuration.adminKey ?? runKey
    }

    /// Serves until it is told to stop: by SIGTERM or SIGINT, by `stop`, or by cancelling the task
    /// (which does not wait for requests under way).
    package func run(
        handlingSignals: Bool = true, stop: StopSignal = StopSignal()
    ) async throws(ServerFailure) {
        let files = handlingSignals ? raiseFileLimit() : .max
        // A call through the gateway has a connection to its client and one to its provider.
        let each = configuration.gateway.upstreams.isEmpty ? 1 : 2
        let needed = each * configuration.connectionsMax + 64
        if files < needed {
            logger.warning(
                "fewer files may be open than connections_max needs",
                metadata: ["files": "\(files)", "needed": "\(needed)"])
        }
        for name in configuration.strangeVariables {
            logger.warning("environment variable without meaning", metadata: ["name": "\(name)"])
        }
        if let path = configuration.exposedKeysPath {
            logger.warning(
                "the file of the upstreams has keys in it and can be read by others",
                metadata: ["path": "\(path)", "remedy": "chmod 600 \(path)"])
        }
        if configuration.stripe?.gate == nil, configuration.stripe != nil {
            logger.warning(
                "Stripe's webhooks are not taken: stripe_webhook_secrets is not set")
        }
        let stopping = Stopping(
            stop: stop,
            limitSeconds: configuration.drainDelaySeconds + configuration.shutdownTimeoutSeconds,
            logger: logger, endAtOnce: hooks.endAtOnce)
        let signals = handlingSignals ? Task { await stopping.followSignals() } : nil
        defer { signals?.cancel() }
        try await serve(stop, limitSeconds: stopping.limitSeconds)
        logger.info("stopped")
    }

    private func serve(_ stop: StopSignal, limitSeconds: Int) async throws(ServerFailure) {
        let gate = ServingGate()
        let listening = Latch<ServerAddress>()
        let connections = ConnectionMetrics()
        let calls = GatewayMetrics(configuration.gateway)
        let noted = FailureNote()
        let configuration = configuration
        let ledger = LedgerService(
            gate: gate, failure: noted, listening: listening,
            webhooks: {
                WebhookSender(
                    rules: configuration.notifications.targets,
                    timeoutSeconds: Int64(configuration.webhookTimeoutSeconds))
            },
            open: { () async throws(ServerFailure) in
                try await openLedger(gate, connections, calls)
            },
            gateway: { ledger in
                if configuration.gateway.upstreams.isEmpty { return nil }
                return Gateway(api: ledger.api, settings: configuration.gateway, metrics: calls)
            },
            onReady: hooks.onReady)
        // Stopped in the opposite order.
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = [
            .init(
                service: ledger, successTerminationBehavior: .gracefullyShutdownGroup,
                serviceName: "ledger")
        ]
        if configuration.metricsPort != 0 {
            services.append(
                .init(service: operatorsListener(gate, noted), serviceName: "metrics"))
        }
        services += [
            .init(
                service: listener(gate, connections, listening),
                successTerminationBehavior: .gracefullyShutdownGroup, serviceName: "http"),
            .init(
                service: DrainService(
                    gate: gate, delaySeconds: configuration.drainDelaySeconds,
                    callsSeconds: max(configuration.shutdownTimeoutSeconds - 5, 1)),
                serviceName: "drain"),
            .init(
                service: stop, successTerminationBehavior: .gracefullyShutdownGroup,
                serviceName: "stop"),
        ]
        var group = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [], logger: quietLogger)
        group.maximumGracefulShutdownDuration = .seconds(limitSeconds)
        do {
            try await ServiceGroup(configuration: group).run()
        } catch {
            let (host, port) = (configuration.host, configuration.port)
            let failure = noted.value ?? Self.failure(error, host, port, option: "--port")
            if let failure { throw failure }
        }
        if let failure = noted.value { throw failure }
    }

    private func openLedger(
        _ gate: ServingGate, _ connections: ConnectionMetrics, _ calls: GatewayMetrics
    ) async throws(ServerFailure) -> OpenLedger {
        var engine = EngineConfiguration()
        engine.queueMax = configuration.queueMax
        let (logger, hooks, path) = (logger, hooks, configuration.databasePath)
        let accessLog = AccessLog(logger, level: configuration.accessLog)
        let ledger = try await OpenLedger.owned(
            path: path,
            creation: OpenLedger.Creation(
                currency: configuration.currency, isTestClock: configuration.isTestClock),
            views: configuration.viewsPath, engine: engine, api: api(connections, calls),
            notifications: configuration.notifications, stripe: configuration.stripe,
            log: { accessLog.write($0) }, notice: { logger.warning("\($0)") },
            loading: { folded, total in
                gate.progressed(folded, of: total)
                hooks.onLoading(folded, total)
            })
        do throws(ServerFailure) {
            try configuration.check(ledger.store.identity)
            for advisory in ledger.store.advisories { logger.warning("\(advisory)") }
            if runKey == nil, let secret = try await FirstKey.makeIfNeeded(ledger, path: path) {
                hooks.onFirstKey(secret)
            }
        } catch {
            await ledger.shutdown()
            throw error
        }
        return ledger
    }

    private func api(
        _ connections: ConnectionMetrics, _ calls: GatewayMetrics
    ) -> APIConfiguration {
        var api = APIConfiguration()
        api.maxBodyBytes = configuration.bodyBytesMax
        api.bodiesBytesMax = configuration.bodiesBytesMax
        api.bootstrapKeyHash = runKey.map(secretHash)
        api.openAPI = Self.openAPI
        api.eventStreamsMax = configuration.eventStreamsMax
        api.eventHeartbeat = .seconds(configuration.eventHeartbeatSeconds)
        api.rateLimit = configuration.rateLimit
        api.rateLimitByKey = configuration.rateLimitByKey
        api.logsCustomers = configuration.logsCustomers
        api.expectedOutputPerThousand = configuration.expectedOutputPerThousand
        let (ledger, views) = (configuration.databasePath, configuration.viewsPath)
        let connectionsMax = configuration.connectionsMax
        api.moreMetrics = [
            { connections.write(to: &$0, max: connectionsMax) },
            { calls.write(to: &$0) },
            { text in
                ProcessMetrics.writeFiles(
                    to: &text, ledger: ledger,
                    views: views ?? OpenLedger.viewsPath(beside: ledger))
                ProcessMetrics.write(to: &text, version: Self.version)
            },
        ]
        return api
    }

    /// Of the program.
    package static let version = "0.1.0"

    private static var openAPI: [UInt8] {
        [UInt8](
            UnsafeRawBufferPointer(
                start: faregate_embedded_openapi(), count: faregate_embedded_openapi_length()))
    }

    private func listener(
        _ gate: ServingGate, _ connections: ConnectionMetrics, _ listening: Latch<ServerAddress>
    ) -> some Service {
        let (configuration, hooks) = (configuration, hooks)
        let limits = ConnectionWatch.Limits(
            headSeconds: configuration.headTimeoutSeconds,
            idleSeconds: configuration.idleTimeoutSeconds,
            bodySeconds: configuration.requestTimeoutSeconds,
            writeSeconds: configuration.writeTimeoutSeconds)
        return Application(
            responder: gate.responder,
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [
                        ConnectionGuardInstaller(limits, connections), PeerWatch(),
                    ],
                    idleTimeout: .seconds(Int64(configuration.idleTimeoutSeconds)))),
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port),
                serverName: "faregate", backlog: 1_024,
                availableConnectionsDelegate: MaximumAvailableConnections(
                    configuration.connectionsMax, logger: quietLogger)),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? configuration.port
                let address = ServerAddress(host: configuration.host, port: port)
                hooks.onListening(address)
                listening.resolve(address)
            },
            logger: quietLogger)
    }

    /// A port for whoever watches the server, with few connections of its own: it answers when the
    /// other one is full.
    private func operatorsListener(
        _ gate: ServingGate, _ noted: FailureNote
    ) -> some Service {
        let limits = ConnectionWatch.Limits(
            headSeconds: 10, idleSeconds: 75, bodySeconds: 10, writeSeconds: 30)
        let metrics = ConnectionMetrics()
        let application = Application(
            responder: gate.operatorsResponder,
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [ConnectionGuardInstaller(limits, metrics)],
                    idleTimeout: .seconds(75))),
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.metricsHost, port: configuration.metricsPort),
                serverName: "faregate", backlog: 64,
                availableConnectionsDelegate: MaximumAvailableConnections(64, logger: quietLogger)),
            logger: quietLogger)
        let (host, port) = (configuration.metricsHost, configuration.metricsPort)
        return FailureNotingService(service: application) { error in
            if let failure = Self.failure(error, host, port, option: "metrics_port") {
                noted.set(failure)
            }
        }
    }

    /// The libraries' own chatter is for debugging; what matters is logged here.
    private var quietLogger: Logger {
        var quiet = logger
        quiet.logLevel = max(
            logger.logLevel, logger.logLevel <= .debug ? logger.logLevel : .warning)
        return quiet
    }
}

extension FaregateServer {
    /// Nil: the end was asked for.
    private static func failure(
        _ error: any Error, _ host: String, _ port: Int, option: String
    ) -> ServerFailure? {
        let place = "\(host):\(port)"
        if error is CancellationError { return nil }
        if let failure = error as? ServerFailure { return failure }
        if let error = error as? IOError {
            switch error.errnoCode {
            case EADDRINUSE:
                return ServerFailure(
                    .inputOutput, "port_taken",
                    "\(place) is taken by another program: stop it or choose another \(option)")
            case EACCES, EPERM:
                return ServerFailure(
                    .inputOutput, "port_forbidden",
                    "\(place): the system does not let this user listen there")
            case EADDRNOTAVAIL:
                return ServerFailure(
                    .configuration, "unknown_address",
                    "\(host) is no address of this machine")
            default: break
            }
        }
        if error is SocketAddressError || error is SocketAddressError.UnknownHost {
            return ServerFailure(
                .configuration, "unknown_address",
                "\(host) is neither an address nor a known host")
        }
        return ServerFailure(.inputOutput, "server_failed", "\(place): \(error)")
    }
}
