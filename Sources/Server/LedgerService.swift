// The services of a server besides its sockets.

import Engine
import Gateway
import HTTPAPI
import Logging
import Notifications
import Projections
import ServiceLifecycle
import Synchronization

/// Opens the ledger once the port is there, and keeps it until everything in front has stopped.
/// Ends with a failure noted when there is no ledger to serve: then the port is closed in order.
struct LedgerService: Service {
    let gate: ServingGate
    let failure: FailureNote
    let listening: Latch<ServerAddress>
    let webhooks: @Sendable () -> any WebhookTransport
    let open: @Sendable () async throws(ServerFailure) -> OpenLedger
    /// Nil: there are no upstreams.
    let gateway: @Sendable (OpenLedger) -> Gateway?
    let onReady: @Sendable (ServerAddress, OpenLedger) -> Void

    func run() async throws {
        guard let address = await listening.value else { return }
        let opened = Latch<Result<OpenLedger, ServerFailure>>()
        // Not a child: reading a long log cannot be interrupted, and a server that is told to stop
        // meanwhile has nothing to finish.
        let opening = Task { () async -> OpenLedger? in
            do throws(ServerFailure) {
                let ledger = try await open()
                opened.resolve(.success(ledger))
                return ledger
            } catch {
                opened.resolve(.failure(error))
                return nil
            }
        }
        guard let result = await opened.value else {
            Task { await opening.value?.shutdown() }
            return
        }
        let ledger: OpenLedger
        do throws(ServerFailure) {
            ledger = try result.get()
        } catch {
            failure.set(error)
            return
        }
        ledger.readModels.start()
        ledger.webhooks?.start(webhooks(), wokenBy: ledger.engine.commits)
        await ledger.stripe?.start(wokenBy: ledger.engine.commits)
        let gateway = gateway(ledger)
        gate.open(ledger.api, gateway)
        onReady(address, ledger)
        // Ends by graceful shutdown or by cancellation; either way the engine is stopped properly.
        try? await gracefulShutdown()
        // Not as part of this task, which may be cancelled: calls are settled first.
        await Task {
            await gateway?.shutdown()
            await ledger.shutdown()
        }.value
    }
}

/// Why a server could not serve.
final class FailureNote: Sendable {
    private let failure = Mutex<ServerFailure?>(nil)

    init() {}

    func set(_ error: ServerFailure) { failure.withLock { $0 = error } }

    var value: ServerFailure? { failure.withLock { $0 } }
}

/// A service whose failure is told before it ends the group, where it is known whose it was.
struct FailureNotingService<Inner: Service>: Service {
    let service: Inner
    let note: @Sendable (any Error) -> Void

    func run() async throws {
        do {
            try await service.run()
        } catch {
            note(error)
            throw error
        }
    }
}

/// Says that the server is about to stop, and gives whoever sends it requests time to notice. Then
/// the streams of events end, before the sockets are asked to finish what they have: a stream never
/// would.
struct DrainService: Service {
    let gate: ServingGate
    let delaySeconds: Int
    /// How long calls of the gateway may go on, after that.
    let callsSeconds: Int

    func run() async throws {
        try? await gracefulShutdown()
        let wasServing = gate.drain()
        if wasServing, delaySeconds > 0 { try? await Task.sleep(for: .seconds(delaySeconds)) }
        gate.endStreams()
        // The sockets are asked to finish now, and wait for the calls. Those that last longer are
        // ended while there is still time to settle them.
        let (gate, seconds) = (gate, callsSeconds)
        Task {
            try? await Task.sleep(for: .seconds(seconds))
            gate.stopCalls()
        }
    }
}
