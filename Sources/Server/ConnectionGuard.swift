// The watch on a channel: one timer a connection, none a request. It stands right behind the HTTP
// decoder, so that what it sees is what the client sent.

import Engine
import NIOCore
import NIOHTTP1
import Telemetry

/// Connections as metrics show them.
final class ConnectionMetrics: Sendable {
    private let open = CounterTable(1)
    private let faults = CounterTable(ConnectionWatch.Fault.allCases.count)

    func opened() { open.add(1) }
    func closed() { open.add(-1) }
    func cut(_ fault: ConnectionWatch.Fault) { faults.add(1, at: fault.rawValue) }

    var openCount: Int64 { open[0] }

    func write(to text: inout PrometheusText, max: Int) {
        text.single("faregate_http_connections", .gauge, "Connections that are open.", open[0])
        text.single(
            "faregate_http_connections_max", .gauge, "Connections that may be open.", Int64(max))
        text.family(
            "faregate_http_connections_cut_total", .counter,
            "Connections closed because the client was too slow, by what it was slow with.")
        for fault in ConnectionWatch.Fault.allCases {
            text.sample(faults[fault.rawValue], .one, [("waiting_for", fault.name)])
        }
    }
}

/// Puts a guard behind the decoder; the server library adds its handlers after it only.
final class ConnectionGuardInstaller: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private let limits: ConnectionWatch.Limits
    private let metrics: ConnectionMetrics

    init(_ limits: ConnectionWatch.Limits, _ metrics: ConnectionMetrics) {
        self.limits = limits
        self.metrics = metrics
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        do {
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(ConnectionGuard(limits, metrics), position: .after(decoder))
        } catch {
            // Without its guard a connection could hold the server for ever.
            context.close(promise: nil)
        }
    }
}

private final class ConnectionGuard: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private var watch: ConnectionWatch
    private let metrics: ConnectionMetrics
    private var timer: Scheduled<Void>?

    init(_ limits: ConnectionWatch.Limits, _ metrics: ConnectionMetrics) {
        watch = ConnectionWatch(limits, now: monotonicNanos())
        self.metrics = metrics
    }

    func handlerAdded(context: ChannelHandlerContext) {
        metrics.opened()
        // A client that is slow to take a long answer keeps no more of it waiting here than this,
        // and one that is slow to send no larger buffer: there may be thousands of them.
        context.channel.setOption(
            .writeBufferWaterMark, value: .init(low: 8 << 10, high: 16 << 10)
        ).whenFailure { _ in }
        context.channel.setOption(
            .recvAllocator,
            value: AdaptiveRecvByteBufferAllocator(
                minimum: 1 << 10, initial: 4 << 10, maximum: 32 << 10)
        ).whenFailure { _ in }
        schedule(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        metrics.closed()
        timer?.cancel()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            watch.readHead(now: monotonicNanos())
            if Self.asksToContinue(head), watch.isAlone { tellToContinue(context) }
        case .body: break
        case .end: watch.readEnd(now: monotonicNanos())
        }
        context.fireChannelRead(data)
    }

    /// curl asks before it sends more than a megabyte, and waits a second for the answer.
    private static func asksToContinue(_ head: HTTPRequestHead) -> Bool {
        head.version == .http1_1
            && head.headers[canonicalForm: "expect"].contains { $0.lowercased() == "100-continue" }
    }

    private func tellToContinue(_ context: ChannelHandlerContext) {
        let head = HTTPResponseHead(version: .http1_1, status: .continue)
        context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
    }

    func write(
        context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?
    ) {
        watch.gavePiece(now: monotonicNanos())
        if case .end = unwrapOutboundIn(data) { watch.wroteEnd(now: monotonicNanos()) }
        let promise = promise ?? context.eventLoop.makePromise()
        promise.futureResult.assumeIsolated().whenComplete { [self] _ in
            watch.clientTookPiece(now: monotonicNanos())
        }
        context.write(data, promise: promise)
    }

    private func schedule(_ context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(watch.tick)) {
            [self] in
            if let fault = watch.fault(now: monotonicNanos()) {
                metrics.cut(fault)
                context.close(promise: nil)
            } else {
                schedule(context)
            }
        }
    }
}
