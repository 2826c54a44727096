// The gateway: /{upstream}/… in the providers' own dialects. A caller changes the base URL of its
// library and nothing else.
//
//   authenticate ─ classify ─ body ─ size ─ whom ─ reserve ─┬─ refused: 402 in the caller's words
//                                                           └─ forward ─ relay ─ settle
//
// The first half is here and is done by the client's own task; the second is an `Exchange`, which
// outlives it. A route that is billable and not understood is closed, never passed through for
// nothing.

import Billing
import Dialects
import Engine
import Estimation
package import HTTPAPI
import HTTPTypes
package import Hummingbird
package import NIOCore

package final class Gateway: Sendable {
    let api: API
    let settings: GatewaySettings
    package let metrics: GatewayMetrics
    private let clients: [String: UpstreamClient]
    private let calls: LiveCalls
    private let settleWait: Duration

    /// - Parameters:
    ///   - tick: how often calls are looked at, for their timeouts and holds.
    ///   - settleWait: how long an answer waits for its settlement, whose charge it names.
    package init(
        api: API, settings: GatewaySettings, metrics: GatewayMetrics,
        tick: Duration = .milliseconds(250), settleWait: Duration = .seconds(1)
    ) {
        self.settleWait = settleWait
        self.api = api
        self.settings = settings
        self.metrics = metrics
        clients = Dictionary(
            uniqueKeysWithValues: settings.upstreams.map { ($0.name, UpstreamClient($0)) })
        calls = LiveCalls(tick: tick)
    }

    /// Whether a path leads to an upstream.
    package func serves(_ path: String) -> Bool { client(path) != nil }

    private func client(_ path: String) -> UpstreamClient? {
        guard path.utf8.first == UInt8(ascii: "/") else { return nil }
        return clients[String(path.dropFirst().prefix { $0 != "/" })]
    }

    /// Calls under way.
    package var liveCount: Int { calls.count }

    // MARK: The end

    /// No calls begin any more; those under way go on.
    package func close() { calls.close() }

    /// What is under way is ended, and settled by what has come of it.
    package func stopCalls() { calls.stopAll() }

    /// Ends with the last settlement, as long as the engine takes any: it must still be there. What
    /// is not settled then is charged when its hold expires.
    package func shutdown(within limit: Duration = .seconds(10)) async {
        calls.stopAll()
        await calls.allEnded(within: limit)
        for client in clients.values { await client.shutdown() }
    }

    // MARK: Requests

    /// - Throws: when the client has gone, or the answer cannot be finished: the connection is then
    ///   to be closed.
    package func respond(
        to request: Request, channel: (any Channel)?
    ) async throws -> Response {
        guard let client = client(request.uri.path) else {
            return Response(status: .notFound)
        }
        let asked = GatewayRequest(request, client.upstream)
        let admitted = api.admit(edge: asked.api, role: .meter)
        var record = GatewayRecord(asked, admitted)
        let prepared: Prepared
        do throws(APIError) {
            prepared = try await prepare(request, asked, client, admitted, &record)
        } catch {
            let result: CallResult = error.status >= 500 ? .unavailable : .invalid
            return respond(GatewayAnswer.error(error), record, result)
        }
        switch prepared {
        case .refused(let answer, let reservation):
            return respond(answer, record, .refused, reservation: reservation)
        case .forward(let plan, let upstreamRequest):
            return try await forward(plan, upstreamRequest, record, channel)
        }
    }

    private func prepare(
        _ request: Request, _ asked: GatewayRequest, _ client: UpstreamClient,
        _ admitted: EdgeCall, _ record: inout GatewayRecord
    ) async throws(APIError) -> Prepared {
        let principal = try admitted.result.get()
        let route = try asked.route()
        try asked.checkEncoding()
        let limit = api.configuration.maxBodyBytes
        let most = asked.declaredLength ?? (asked.isChunked ? limit : 0)
        guard most <= limit else { throw .bodyTooLarge }
        guard let room = BodyRoom(api, bytes: most) else { throw .overloaded }
        let body = try await asked.body(request, upTo: limit)
        room.shrink(to: body.readableBytes)
        record.requestBytes = body.readableBytes
        let readAt = monotonicNanos()
        let prepared = try await prepare(asked, route, client, principal, body, &record)
        guard case .forward(let plan, var upstreamRequest) = prepared else { return prepared }
        upstreamRequest.room = room
        metrics.forwards(client.upstream.name, after: monotonicNanos() - readAt)
        return .forward(plan, upstreamRequest)
    }

    /// An answer of our own.
    private func respond(
        _ answer: RefusalBody, _ record: GatewayRecord, _ result: CallResult,
        reservation: String? = nil
    ) -> Response {
        let body = answer.body(for: record.upstream.dialect)
        var fields = HTTPFields()
        for header in answer.headers + record.headers {
            if let name = HTTPField.Name(header.name) { fields[name] = header.value }
        }
        if let reservation { fields[.faregateReservation] = reservation }
        fields[.contentLength] = String(body.count)
        metrics.ended(record.upstream.name, result)
        api.finish(
            record.admitted, record.outcome(answer.status, answer.code, bytes: body.count))
        return Response(
            status: .init(code: answer.status), headers: fields,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }

    // MARK: Forwarding

    private func forward(
        _ plan: Exchange.Plan, _ request: UpstreamRequest, _ record: GatewayRecord,
        _ channel: (any Channel)?
    ) async throws -> Response {
        let made = calls.enter { id in
            Exchange(
                id: id, plan: plan, request: request, metrics: metrics, settleWait: settleWait)
        }
        guard let exchange = made else {
            // Nothing was sent.
            if let settler = plan.metered?.settler {
                _ = await settler.carryOut(.release(reason: "the server is stopping")) { $0 }
            }
            let stopping = APIError(
                503, .unavailable, "shutting_down", "The server is stopping.")
            return respond(GatewayAnswer.error(stopping), record, .unavailable)
        }
        let peer = PeerGuard(channel, exchange)
        Task { await carryOut(exchange, record) }
        let first = await exchange.pipe.take()
        guard case .head(let head)? = first.first else { throw ClientGone() }
        return Response(
            status: .init(code: head.status), headers: Self.fields(head),
            body: ResponseBody(contentLength: head.length) { writer in
                defer { peer.finished() }
                var pieces = first
                do {
                    while true {
                        for piece in pieces {
                            switch piece {
                            case .head: break
                            case .bytes(let buffer): try await writer.write(buffer)
                            case .end: return try await writer.finish(nil)
                            case .broken: throw BrokenAnswer()
                            }
                        }
                        pieces = await exchange.pipe.take()
                    }
                } catch {
                    exchange.clientLeft()
                    throw error
                }
            })
    }

    private func carryOut(_ exchange: Exchange, _ record: GatewayRecord) async {
        let name = exchange.upstream.name
        metrics.began(name)
        await exchange.run()
        metrics.finished(name)
        let result = exchange.result
        metrics.ended(name, result)
        if result.isUpstreamsFault { metrics.failed(name) }
        let status = exchange.status
        api.finish(
            record.admitted,
            record.outcome(
                status, exchange.code, bytes: exchange.bytesRelayed))
        calls.leave(exchange.id)
    }

    private static func fields(_ head: AnswerHead) -> HTTPFields {
        var fields = HTTPFields()
        fields.reserveCapacity(head.headers.count + 1)
        for header in head.headers {
            guard let name = HTTPField.Name(header.name) else { continue }
            fields.append(HTTPField(name: name, value: header.value))
        }
        if let length = head.length { fields[.contentLength] = String(length) }
        return fields
    }
}

/// The client has gone before its answer began.
struct ClientGone: Error {}

/// The answer ends here although it is not whole: the connection is closed so that the client can
/// tell.
struct BrokenAnswer: Error {}

/// Ties a call to its client for as long as there is an answer to be written: when the client goes,
/// or nobody writes any more, the call is told.
private final class PeerGuard: Sendable {
    private let exchange: Exchange
    private let channel: (any Channel)?

    init(_ channel: (any Channel)?, _ exchange: Exchange) {
        self.channel = channel
        self.exchange = exchange
        watch { [weak exchange] in exchange?.clientLeft() }
    }

    func finished() { watch(nil) }

    private func watch(_ body: (@Sendable () -> Void)?) {
        guard let channel else { return }
        // Channels without such a handler are tests': there a client is gone when writing fails.
        channel.pipeline.handler(type: PeerWatch.self).map { $0.peer }.whenSuccess { peer in
            peer.whenGone(body)
        }
    }

    deinit { exchange.pipe.leave() }
}
