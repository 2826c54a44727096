// Writes a stream: opening, pieces at their times, closing. Everything that can go wrong with a
// stream goes wrong here, when it was ordered.

import CanonicalJSON
import HTTPTypes
import Hummingbird
import NIOCore

struct StreamDelivery: Sendable {
    let exchange: Exchange
    let composition: Composition
    var answer: any Rendering
    private var written = 0

    init(_ exchange: Exchange, _ composition: Composition, _ answer: any Rendering) {
        self.exchange = exchange
        self.composition = composition
        self.answer = answer
    }

    private var orders: Instructions { exchange.orders }

    /// The stream ended before its end, as ordered.
    private struct Cut: Error {}

    func response() -> Response {
        let delivery = self
        let channel = exchange.context.channel
        let body = ResponseBody { writer in
            var delivery = delivery
            let end: ServedRequest.End
            do {
                end = try await delivery.run(&writer)
            } catch {
                // Whatever was written was paid for.
                let end: ServedRequest.End = error is Cut ? .cut : .clientGone
                delivery.exchange.book(
                    pieces: delivery.written, delivery.composition, end)
                try await channel.close()
                throw error
            }
            // A model that fails before its first token has not been used.
            let isFailure = end == .cut && delivery.written == 0
            delivery.exchange.book(
                pieces: isFailure ? nil : delivery.written, delivery.composition, end)
            try await writer.finish(nil)
        }
        var headers = exchange.simulator.headers(
            exchange.call.dialect.family, exchange.number)
        headers[.contentType] = "text/event-stream; charset=utf-8"
        headers[.cacheControl] = "no-cache"
        return Response(status: .ok, headers: headers, body: body)
    }

    @concurrent
    private mutating func run(
        _ writer: inout any ResponseBodyWriter
    ) async throws -> ServedRequest.End {
        let pace = exchange.simulator.pace(orders)
        var first = exchange.usage(composition, afterPieces: 0)
        // Anthropic's first count: one token is about to come. It is no claim about the whole.
        first?.output = 1
        let inOpening = exchange.call.dialect == .messages || orders.hasUsageOnEveryChunk
        try await pace.wait(tokens: composition.hiddenReasoning, exchange.watch)
        try await write(answer.opening(inOpening ? first : nil), &writer)
        for piece in composition.pieces {
            try await pace.wait(
                tokens: composition.hiddenReasoning + written + 1, exchange.watch)
            if orders.cutsAfter == written { throw Cut() }
            if orders.hangsAfter == written { try await hang() }
            if orders.errorEvent == written { return try await fail(&writer) }
            if exchange.watch?.isGone == true { throw ClientGone() }
            let usage =
                orders.hasUsageOnEveryChunk
                ? exchange.usage(composition, afterPieces: written + 1) : nil
            var events = answer.events(for: piece, usage)
            let isCutHere = orders.cutsMidEvent == written
            written += 1
            if isCutHere, let last = events.popLast() {
                try await write(events, &writer)
                let bytes = last.bytes
                try await writer.write(ByteBuffer(bytes: bytes.prefix(bytes.count / 2)))
                throw Cut()
            }
            if orders.isInvalidJSON, written == 3 { events = [Event(text: "{\"choices\":[{")] }
            try await write(events, &writer)
        }
        // A stream that is to be cut after more than there is, is cut before its end.
        if orders.cutsAfter != nil || orders.cutsMidEvent != nil { throw Cut() }
        if orders.errorEvent != nil { return try await fail(&writer) }
        try await write(
            answer.closing(exchange.usage(composition, afterPieces: written)), &writer)
        if !orders.hasNoDone { try await write(answer.end(), &writer) }
        return .complete
    }

    private func hang() async throws {
        try await Pace.sleep(until: ContinuousClock().now + .seconds(600), exchange.watch)
        throw Cut()
    }

    @concurrent
    private func fail(
        _ writer: inout any ResponseBodyWriter
    ) async throws -> ServedRequest.End {
        let error = ProviderError(
            status: exchange.call.dialect == .messages ? 529 : 500,
            message: "The model broke off (simulated).", type: "server_error")
        try await write(answer.failure(error), &writer)
        return .cut
    }

    @concurrent
    private func write(_ events: [Event], _ writer: inout any ResponseBodyWriter) async throws {
        guard !events.isEmpty else { return }
        var bytes: [UInt8] = []
        for event in events {
            if orders.hasComments { bytes += Array(": SIMULATOR PROCESSING\n\n".utf8) }
            bytes += event.bytes
        }
        guard let pause = orders.slowLorisMilliseconds else {
            return try await writer.write(ByteBuffer(bytes: bytes))
        }
        for byte in bytes {
            try await writer.write(ByteBuffer(bytes: CollectionOfOne(byte)))
            try await Pace.sleep(
                until: ContinuousClock().now + .milliseconds(pause), exchange.watch)
        }
    }
}
