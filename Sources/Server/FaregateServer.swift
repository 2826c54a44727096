// The server as a whole: ledger, API, sockets, signals.
//
// It starts from the inside out (lock and log, engine, first key, then the port), and stops from
// the outside in: no new connections, what is under way is answered, then the engine finishes what
// it accepted, snapshots and closes the file.

import CEmbedded
import Engine
import Glibc
import HTTPAPI
import Hummingbird
package import Logging
import NIOCore
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
    /// It listens. Must not block: the first connection waits for it.
    package var onReady: @Sendable (ServerAddress, OpenLedger) -> Void = { _, _ in }

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
        let path = configuration.databasePath
        let ledger = try await openLedger()
        do throws(ServerFailure) {
            try configuration.check(ledger.store.identity)
            for advisory in ledger.store.advisories { logger.warning("\(advisory)") }
            for name in configuration.strangeVariables {
                logger.warning(
                    "environment variable without meaning", metadata: ["name": "\(name)"])
            }
            if runKey == nil, let secret = try await FirstKey.makeIfNeeded(ledger, path: path) {
                hooks.onFirstKey(secret)
            }
        } catch {
            await ledger.shutdown()
            throw error
        }
        try await serve(ledger, handlingSignals: handlingSignals, stop)
    }

    private func openLedger() async throws(ServerFailure) -> OpenLedger {
        var engine = EngineConfiguration()
        engine.queueMax = configuration.queueMax
        var api = APIConfiguration()
        api.maxBodyBytes = configuration.bodyBytesMax
        api.bootstrapKeyHash = runKey.map(secretHash)
        api.openAPI = Self.openAPI
        let logger = logger
        return try await OpenLedger.owned(
            path: configuration.databasePath,
            creation: OpenLedger.Creation(
                currency: configuration.currency, isTestClock: configuration.isTestClock),
            views: configuration.viewsPath, engine: engine, api: api,
            log: { Self.log($0, logger) }, notice: { logger.warning("\($0)") },
            loading: hooks.onLoading)
    }

    private static var openAPI: [UInt8] {
        [UInt8](
            UnsafeRawBufferPointer(
                start: faregate_embedded_openapi(), count: faregate_embedded_openapi_length()))
    }

    private func serve(
        _ ledger: OpenLedger, handlingSignals: Bool, _ stop: StopSignal
    ) async throws(ServerFailure) {
        ledger.readModels.start()
        var group = ServiceGroupConfiguration(
            services: [
                .init(service: LedgerService(ledger: ledger), serviceName: "ledger"),
                .init(
                    service: application(ledger),
                    successTerminationBehavior: .gracefullyShutdownGroup, serviceName: "http"),
                .init(
                    service: stop, successTerminationBehavior: .gracefullyShutdownGroup,
                    serviceName: "stop"),
            ],
            gracefulShutdownSignals: handlingSignals ? [.sigterm, .sigint] : [], logger: quietLogger
        )
        group.maximumGracefulShutdownDuration = .seconds(configuration.shutdownTimeoutSeconds)
        do {
            try await ServiceGroup(configuration: group).run()
        } catch {
            // Whatever ended the group, the file is closed before anybody hears of it.
            await ledger.shutdown()
            if let failure = failure(error) { throw failure }
        }
        logger.info("stopped")
    }

    private func application(_ ledger: OpenLedger) -> some Service {
        let responder = BodyDeadline(
            inner: ledger.api.router(context: ServerContext.self).buildResponder(),
            limit: .seconds(configuration.requestTimeoutSeconds))
        let (configuration, hooks) = (configuration, hooks)
        return Application(
            responder: responder,
            server: .http1(
                configuration: .init(
                    idleTimeout: .seconds(Int64(configuration.idleTimeoutSeconds)))),
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port),
                serverName: "faregate", backlog: 1_024),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? configuration.port
                hooks.onReady(ServerAddress(host: configuration.host, port: port), ledger)
            },
            logger: quietLogger)
    }

    /// The libraries' own chatter is for debugging; what matters is logged here.
    private var quietLogger: Logger {
        var quiet = logger
        quiet.logLevel = max(
            logger.logLevel, logger.logLevel <= .debug ? logger.logLevel : .warning)
        return quiet
    }

    private static func log(_ record: APILogRecord, _ logger: Logger) {
        let level: Logger.Level = record.status >= 500 ? .warning : .debug
        logger.log(
            level: level, "request",
            metadata: [
                "method": "\(record.method)", "route": "\(record.route)",
                "status": "\(record.status)", "code": "\(record.code ?? "")",
                "request_id": "\(record.requestID)", "actor": "\(record.actor ?? "")",
                "duration_us": "\(Int(record.duration / .microseconds(1)))",
                "request_bytes": "\(record.requestBytes)",
                "response_bytes": "\(record.responseBytes)",
            ])
    }
}

extension FaregateServer {
    /// Nil: the end was asked for.
    private func failure(_ error: any Error) -> ServerFailure? {
        let place = "\(configuration.host):\(configuration.port)"
        if error is CancellationError { return nil }
        if let error = error as? IOError {
            switch error.errnoCode {
            case EADDRINUSE:
                return ServerFailure(
                    .inputOutput, "port_taken",
                    "\(place) is taken by another program: stop it or choose another --port")
            case EACCES, EPERM:
                return ServerFailure(
                    .inputOutput, "port_forbidden",
                    "\(place): the system does not let this user listen there")
            case EADDRNOTAVAIL:
                return ServerFailure(
                    .configuration, "unknown_address",
                    "\(configuration.host) is no address of this machine")
            default: break
            }
        }
        if error is SocketAddressError || error is SocketAddressError.UnknownHost {
            return ServerFailure(
                .configuration, "unknown_address",
                "\(configuration.host) is neither an address nor a known host")
        }
        return ServerFailure(.inputOutput, "server_failed", "\(place): \(error)")
    }
}

/// Keeps the engine running until everything in front of it has stopped.
private struct LedgerService: Service {
    let ledger: OpenLedger

    func run() async throws {
        // Ends by graceful shutdown or by cancellation; either way the engine is stopped properly.
        try? await gracefulShutdown()
        await ledger.shutdown()
    }
}
