// One request that is answered: its orders, what is written, and the books at the end of it.

import CanonicalJSON
import HTTPTypes
import Hummingbird
import NIOCore

struct Exchange: Sendable {
    let simulator: ProviderSimulator
    let number: Int
    let call: Call
    let orders: Instructions
    let context: SimulatorContext
    let watch: DisconnectWatch?
    let labels: Labels

    private static let hangSeconds: Int64 = 600

    init(
        _ simulator: ProviderSimulator, _ number: Int, _ call: Call, _ orders: Instructions,
        _ context: SimulatorContext
    ) async {
        self.simulator = simulator
        self.number = number
        self.call = call
        self.orders = orders
        self.context = context
        watch = await context.watch
        let prefix =
            switch call.dialect {
            case .chat: "chatcmpl-"
            case .responses: "resp_"
            case .embeddings: "embd-"
            case .messages: "msg_"
            }
        labels = Labels(
            // A date of its own, so that the same requests get the same bytes.
            id: prefix + "sim\(number)", created: 1_764_028_800 + number,
            model: orders.servedModel ?? call.model.servedName,
            tier: orders.servedTier ?? Self.tier(call))
    }

    private static func tier(_ call: Call) -> String? {
        switch (call.dialect, call.askedTier) {
        case (.embeddings, _): nil
        case (.messages, _): "standard"
        case (_, nil), (_, "auto"): "default"
        case (_, let tier): tier
        }
    }

    /// What is answered instead, where the orders say so.
    func instead() async throws -> Response? {
        if orders.closesBeforeHeaders {
            book(pieces: nil, nil, .cut, status: 0)
            return try await close()
        }
        if orders.hangs {
            let end = ContinuousClock().now + .seconds(Self.hangSeconds)
            do { try await Pace.sleep(until: end, watch) } catch {}
            book(pieces: nil, nil, watch?.isGone == true ? .clientGone : .cut, status: 0)
            return try await close()
        }
        guard let status = orders.status else { return nil }
        let error = ProviderError(faultStatus: status, retryAfter: orders.retryAfter)
        book(pieces: nil, nil, .refused, status: status)
        return simulator.response(error, call.dialect.family)
    }

    private func close() async throws -> Response {
        try? await context.channel.close().get()
        throw ClientGone()
    }

    // MARK: Usage

    private func usage(_ output: Int, _ thinking: Int) -> Usage? {
        if orders.hasNoUsage { return nil }
        let claimed = orders.wrongUsage ?? output
        return Usage(
            input: call.input, output: claimed, thinking: min(thinking, max(0, claimed)),
            cost: orders.cost)
    }

    func usage(_ composition: Composition, afterPieces count: Int) -> Usage? {
        usage(
            composition.outputTokens(afterPieces: count),
            composition.thinkingTokens(afterPieces: count))
    }

    /// Closes the books on this request.
    ///
    /// - Parameter pieces: how many were written; nil: the model did not run.
    func book(
        pieces: Int?, _ composition: Composition?, _ end: ServedRequest.End, status: Int = 200
    ) {
        simulator.books.end(number) { request in
            request.status = status
            request.end = end
            guard let pieces else { return }
            request.servedModel = labels.model
            request.servedTier = labels.tier
            request.inputTokens = call.input.fresh
            request.cacheReadTokens = call.input.cacheRead
            request.cacheWrite5mTokens = call.input.cacheWrite5m
            request.cacheWrite1hTokens = call.input.cacheWrite1h
            guard let composition else { return }
            request.outputTokens = composition.outputTokens(afterPieces: pieces)
            if call.dialect != .messages {
                request.reasoningTokens = composition.thinkingTokens(afterPieces: pieces)
            }
        }
    }

    // MARK: Whole answers

    func whole(_ composition: Composition, _ answer: any Rendering) async throws -> Response {
        let all = composition.pieces.count
        do {
            try await simulator.pace(orders).wait(
                tokens: all + composition.hiddenReasoning, watch)
        } catch {
            // Whoever goes has had the whole answer written for it.
            book(pieces: all, composition, .clientGone)
            return try await close()
        }
        return whole(answer.whole(usage(composition, afterPieces: all))) { end in
            book(pieces: all, composition, end)
        }
    }

    /// A body that may be told to be broken.
    func whole(
        _ value: JSONValue, _ ended: @escaping @Sendable (ServedRequest.End) -> Void
    ) -> Response {
        var bytes = value.bytes
        if orders.isInvalidJSON { bytes.removeLast(bytes.count / 2) }
        let isCut = orders.cutsAfter != nil || orders.cutsMidEvent != nil
        let (sent, length) = (isCut ? Array(bytes.prefix(bytes.count / 2)) : bytes, bytes.count)
        let channel = context.channel
        let body = ResponseBody(contentLength: length) { writer in
            do {
                try await writer.write(ByteBuffer(bytes: sent))
                if !isCut { try await writer.finish(nil) }
            } catch {
                ended(.clientGone)
                throw error
            }
            ended(isCut ? .cut : .complete)
            if isCut { try await channel.close() }
        }
        var headers = simulator.headers(call.dialect.family, number)
        headers[.contentType] = "application/json"
        headers[.contentLength] = String(length)
        return Response(status: .ok, headers: headers, body: body)
    }
}
