// Bodies that trickle in. A connection on which nothing moves is closed by the idle timeout; one
// that sends a byte now and then would live for ever and hold its share of the server. So the time
// that a whole body may take is limited too, looked at whenever a piece arrives: no timer for each
// request.

import Hummingbird
import NIOCore

/// What the server knows of a request besides the request.
struct ServerContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}

struct BodyDeadline<Inner: HTTPResponder>: HTTPResponder where Inner.Context == ServerContext {
    let inner: Inner
    let limit: Duration

    func respond(to request: Request, context: ServerContext) async throws -> Response {
        if request.method == .get { return try await inner.respond(to: request, context: context) }
        var request = request
        request.body = RequestBody(
            asyncSequence: TimedBody(
                body: request.body, deadline: .now + limit, channel: context.channel))
        return try await inner.respond(to: request, context: context)
    }
}

private struct TimedBody: AsyncSequence, Sendable {
    let body: RequestBody
    let deadline: ContinuousClock.Instant
    let channel: any Channel

    struct Overdue: Error {}

    struct AsyncIterator: AsyncIteratorProtocol {
        var pieces: RequestBody.AsyncIterator
        let deadline: ContinuousClock.Instant
        let channel: any Channel

        @concurrent
        mutating func next() async throws -> ByteBuffer? {
            let piece = try await pieces.next()
            if piece != nil, ContinuousClock.now > deadline {
                // There is no answer that would end it: the server reads a body to its end before
                // the next request.
                channel.close(promise: nil)
                throw Overdue()
            }
            return piece
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(pieces: body.makeAsyncIterator(), deadline: deadline, channel: channel)
    }
}
