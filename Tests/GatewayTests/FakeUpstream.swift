// A provider that does as it is told: notes what it is sent and answers by script.

import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// One server of a test's own, on a port that the system chooses.
final class LiveApp: Sendable {
    let port: Int
    private let task: Task<Void, any Error>

    init<Context: InitializableFromSource<ApplicationRequestContextSource> & RequestContext>(
        context: Context.Type,
        handlers: @escaping @Sendable () -> [any RemovableChannelHandler] = { [] },
        _ respond: @escaping @Sendable (Request, Context) async throws -> Response
    ) async throws {
        let (ports, found) = AsyncStream.makeStream(of: Int.self)
        let app = Application(
            responder: CallbackResponder { try await respond($0, $1) },
            server: .http1(configuration: .init(additionalChannelHandlers: handlers())),
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in
                found.yield(channel.localAddress?.port ?? 0)
                found.finish()
            },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        task = Task {
            defer { found.finish() }
            try await app.run()
        }
        var port = 0
        for await number in ports { port = number }
        self.port = port
    }

    var url: String { "http://127.0.0.1:\(port)" }

    func stop() async {
        task.cancel()
        _ = await task.result
    }
}

final class FakeUpstream: Sendable {
    struct Received: Sendable {
        var method: String
        var path: String
        var headers: HTTPFields
        var body: String
    }

    enum Step: Sendable {
        case text(String)
        case pause(Int)
        /// Until the test lets it go on.
        case hold
        /// The connection is closed here.
        case cut
    }

    struct Answer: Sendable {
        var status = 200
        var headers: [(String, String)] = [("content-type", "application/json")]
        var steps: [Step] = []
        /// Closed before anything is said.
        var isSilent = false

        static func json(_ body: String, status: Int = 200) -> Answer {
            Answer(status: status, steps: [.text(body)])
        }

        static func stream(_ steps: [Step]) -> Answer {
            Answer(headers: [("content-type", "text/event-stream; charset=utf-8")], steps: steps)
        }
    }

    private struct State {
        var received: [Received] = []
        var answers: [Answer] = []
        var written = 0
        var broken = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
        var isReleased = false
    }

    private let state = Mutex(State())
    private let app = Mutex<LiveApp?>(nil)

    init() {}

    func start() async throws {
        let live = try await LiveApp(context: ChannelContext.self) { [self] request, context in
            try await respond(request, context.channel)
        }
        app.withLock { $0 = live }
    }

    func stop() async {
        release()
        await app.withLock { $0 }?.stop()
    }

    var url: String { app.withLock { $0?.url ?? "" } }
    var port: Int { app.withLock { $0?.port ?? 0 } }
    var received: [Received] { state.withLock { $0.received } }
    /// Bytes of bodies that were handed to the socket.
    var written: Int { state.withLock { $0.written } }
    /// Answers whose reader went away.
    var broken: Int { state.withLock { $0.broken } }

    /// The next answers; the last one is given for ever.
    func answers(_ answers: Answer...) { state.withLock { $0.answers = answers } }

    /// Lets what waits at `.hold` go on.
    func release() {
        let waiters = state.withLock { state in
            state.isReleased = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    private func respond(
        _ request: Request, _ channel: any Channel
    ) async throws -> Response {
        let body = try await request.body.collect(upTo: 64 << 20)
        let answer = state.withLock { state -> Answer in
            state.received.append(
                Received(
                    method: request.method.rawValue, path: "\(request.uri)",
                    headers: request.headers, body: String(buffer: body)))
            guard state.answers.count > 1 else { return state.answers.first ?? Answer() }
            return state.answers.removeFirst()
        }
        var fields = HTTPFields()
        for (name, value) in answer.headers { fields[HTTPField.Name(name)!] = value }
        let isWhole = answer.steps.count == 1
        var length: Int?
        if isWhole, case .text(let text) = answer.steps[0] { length = text.utf8.count }
        if answer.isSilent {
            try? await channel.close()
            throw Cut()
        }
        return Response(
            status: .init(code: answer.status), headers: fields,
            body: ResponseBody(contentLength: length) { [self] writer in
                do {
                    for step in answer.steps {
                        switch step {
                        case .text(let text):
                            try await writer.write(ByteBuffer(string: text))
                            state.withLock { $0.written += text.utf8.count }
                        case .pause(let milliseconds):
                            try await Task.sleep(for: .milliseconds(milliseconds))
                        case .hold: await held()
                        case .cut: throw Cut()
                        }
                    }
                    try await writer.finish(nil)
                } catch {
                    if !(error is Cut) { state.withLock { $0.broken += 1 } }
                    throw error
                }
            })
    }

    private func held() async {
        await withCheckedContinuation { continuation in
            let isReleased = state.withLock { state in
                if !state.isReleased { state.waiters.append(continuation) }
                return state.isReleased
            }
            if isReleased { continuation.resume() }
        }
    }
}

struct Cut: Error {}

/// A request with the connection that it came by.
struct ChannelContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}

/// Says that something has happened.
final class Flag: Sendable {
    private let flag = Atomic<Bool>(false)

    init() {}

    func raise() { flag.store(true, ordering: .sequentiallyConsistent) }
    var isRaised: Bool { flag.load(ordering: .sequentiallyConsistent) }
}
