// Stands between the sockets and the ledger: the server listens before there is a ledger to ask.

import Billing
import Gateway
import HTTPAPI
import Hummingbird
import NIOCore
import ServiceLifecycle
import Synchronization

final class ServingGate: Sendable {
    typealias Context = EdgeContext

    private enum State {
        case starting(StartingProgress)
        case serving(API, any HTTPResponder<Context>, Gateway?)
    }

    private let state = Mutex(State.starting(StartingProgress()))
    private let isStopping = Atomic<Bool>(false)
    private let areStreamsOver = Atomic<Bool>(false)

    init() {}

    func progressed(_ folded: UInt64, of total: UInt64) {
        state.withLock { state in
            if case .starting = state {
                state = .starting(StartingProgress(folded: folded, total: total))
            }
        }
    }

    /// From now on requests reach the ledger.
    func open(_ api: API, _ gateway: Gateway?) {
        let responder = api.router(context: Context.self).buildResponder()
        state.withLock { $0 = .serving(api, responder, gateway) }
        if isStopping.load(ordering: .sequentiallyConsistent) { api.beginDraining() }
        if areStreamsOver.load(ordering: .sequentiallyConsistent) { api.closeStreams() }
    }

    /// `/readyz` says that the server stops. False: there was no ledger yet.
    func drain() -> Bool {
        isStopping.store(true, ordering: .sequentiallyConsistent)
        guard case .serving(let api, _, _) = current else { return false }
        api.beginDraining()
        return true
    }

    /// Ends the streams of events; no new ones begin. Calls of the gateway go on, and none begin.
    func endStreams() {
        areStreamsOver.store(true, ordering: .sequentiallyConsistent)
        guard case .serving(let api, _, let gateway) = current else { return }
        api.closeStreams()
        gateway?.close()
    }

    /// Ends the calls of the gateway that are under way.
    func stopCalls() {
        if case .serving(_, _, let gateway) = current { gateway?.stopCalls() }
    }

    private var current: State { state.withLock { $0 } }

    /// The responder of the port for everybody.
    var responder: CallbackResponder<Context> {
        CallbackResponder { request, context in
            switch self.current {
            case .starting(let progress): progress.answer(APIRequest(headOf: request)).hummingbird
            case .serving(_, _, let gateway?) where gateway.serves(request.uri.path):
                try await gateway.respond(to: request, channel: context.channel)
            case .serving(_, let responder, _):
                try await responder.respond(to: request, context: context)
            }
        }
    }

    /// The responder of the port for operators: health, readiness and metrics, without a key.
    var operatorsResponder: CallbackResponder<Context> {
        CallbackResponder { request, _ in
            var asked = APIRequest(headOf: request)
            switch self.current {
            case .starting(let progress): return progress.answer(asked).hummingbird
            case .serving(let api, _, _):
                asked.authorization = nil
                let isOpen = ["/healthz", "/readyz", "/metrics"].contains(asked.path)
                // Whoever can connect here may read these, and nothing else.
                asked.principal = APIPrincipal(actor: nil, role: .read)
                if !isOpen { asked.path = "/unknown" }
                return await api.respond(to: asked).hummingbird
            }
        }
    }
}

/// A request with the connection that it came by.
struct EdgeContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}

/// Something that will be known once; whoever asks before waits.
final class Latch<Value: Sendable>: Sendable {
    private let stream: AsyncStream<Value>
    private let continuation: AsyncStream<Value>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func resolve(_ value: Value) {
        continuation.yield(value)
        continuation.finish()
    }

    /// For one waiter; nil when its task is cancelled or told to stop before.
    var value: Value? {
        get async {
            for await value in stream.cancelOnGracefulShutdown() { return value }
            return nil
        }
    }
}
