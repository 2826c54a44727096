import CanonicalJSON
import NIOCore
import NIOHTTP1
import NIOPosix

/// An HTTP/1.1 server on a free port of this machine that answers from a closure.
final class FakeServer: Sendable {
    struct Request: Sendable {
        var method: String
        /// Without the query.
        var path: String
        var body: JSONObject
        var idempotencyKey: String?
    }

    struct Answer: Sendable {
        var status: Int
        var headers: [String: String] = [:]
        var body: JSONValue = .object(JSONObject())
        /// The connection is closed without an answer.
        var isLost = false
    }

    private let channel: any Channel

    var baseURL: String { "http://127.0.0.1:\(channel.localAddress?.port ?? 0)" }

    init(answer: @escaping @Sendable (Request) -> Answer) async throws {
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(answer: answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    func close() async throws { try await channel.close() }
}

private final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let answer: @Sendable (FakeServer.Request) -> FakeServer.Answer
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(answer: @escaping @Sendable (FakeServer.Request) -> FakeServer.Answer) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
        case .body(var part): body += part.readBytes(length: part.readableBytes) ?? []
        case .end: respond(context)
        }
    }

    private func respond(_ context: ChannelHandlerContext) {
        guard let head else { return }
        var request = FakeServer.Request(
            method: head.method.rawValue,
            path: String(head.uri.prefix { $0 != "?" }), body: JSONObject(),
            idempotencyKey: head.headers.first(name: "idempotency-key"))
        if case .object(let object)? = try? StrictJSON.parse(body) { request.body = object }
        let answer = answer(request)
        if answer.isLost { return context.close(promise: nil) }
        let bytes = (try? CanonicalJSON.encode(answer.body)) ?? []
        var headers = HTTPHeaders([("content-length", String(bytes.count))])
        for (name, value) in answer.headers { headers.add(name: name, value: value) }
        let response = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: answer.status),
            headers: headers)
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}
