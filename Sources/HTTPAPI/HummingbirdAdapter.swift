// The API on a Hummingbird router: every route of the table is a route of the router, all with the
// same handler, which takes the request apart and gives it to the core. The core finds the route
// once more, so that a request answers the same with and without sockets.

import HTTPTypes
package import Hummingbird
import NIOCore

extension API {
    /// A router with all routes. Anything else that it is given is answered by the core too: 404
    /// for an unknown path, 405 with `Allow` for a known one.
    package func router<Context: RequestContext>(
        context: Context.Type = BasicRequestContext.self
    ) -> Router<Context> {
        let router = Router(context: context)
        add(to: router)
        return router
    }

    /// Adds all routes to a router that may have others.
    package func add<Context: RequestContext>(to router: Router<Context>) {
        router.add(middleware: UnmatchedRequests(api: self))
        for route in routes {
            router.on(RouterPath(route.template), method: route.method.httpMethod) {
                request, _ in await answer(request)
            }
        }
    }

    /// Asks the core, collects the body unless the request is refused without it, turns the answer
    /// into a response.
    package func answer(_ request: Request) async -> Response {
        let headers = request.headers
        var asked = APIRequest(headOf: request)
        if asked.path == "/v1/usage" { asked.cloudEvent = cloudEventAttributes(headers) }
        let admission = admit(asked)
        if admission.isRefused { return await respond(to: asked, admission).hummingbird }
        let limit = min(configuration.maxBodyBytes, admission.route?.bodyBytesMax ?? .max)
        let declared = headers[.contentLength].flatMap(Int.init)
        if let declared, declared > limit {
            return finish(answer(.bodyTooLarge), admission).hummingbird
        }
        // A body in chunks may become as large as any.
        let room = declared ?? (headers[.transferEncoding] == nil ? 0 : limit)
        guard bodies.take(room) else { return finish(answer(.overloaded), admission).hummingbird }
        defer { bodies.give(room) }
        do {
            let body = try await request.body.collect(upTo: limit)
            asked.body = Array(body.readableBytesView)
        } catch is NIOTooManyBytesError {
            return finish(answer(.bodyTooLarge), admission).hummingbird
        } catch {
            // The connection broke: nobody reads the answer.
            metrics.abandoned()
            return Response(status: .badRequest)
        }
        return await respond(to: asked, admission).hummingbird
    }

    private func cloudEventAttributes(_ headers: HTTPFields) -> [(name: String, value: String)] {
        headers.compactMap { field in
            let name = field.name.canonicalName
            guard name.hasPrefix("ce-") else { return nil }
            return (String(name.dropFirst(3)), field.value)
        }
    }
}

/// Requests that no route of the router matches.
private struct UnmatchedRequests<Context: RequestContext>: RouterMiddleware {
    let api: API

    @concurrent
    func handle(
        _ request: Request, context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            return await api.answer(request)
        }
    }
}

extension APIRequest {
    /// A request whose body has not been read.
    package init(headOf request: Request) {
        let headers = request.headers
        self.init(
            request.method.rawValue, path: request.uri.path, query: request.uri.query ?? "",
            contentType: headers[.contentType], authorization: headers[.authorization],
            idempotencyKey: headers[.idempotencyKey], requestID: headers[.requestID],
            accept: headers[.accept])
        // Two such headers are joined by a comma here, and so are not valid, as the standard wants.
        traceparent = headers[.traceparent]
        lastEventID = headers[.lastEventID]
        stripeSignature = headers[.stripeSignature]
    }
}

extension HTTPMethod {
    fileprivate var httpMethod: HTTPRequest.Method {
        switch self {
        case .get: .get
        case .post: .post
        case .put: .put
        case .patch: .patch
        case .delete: .delete
        }
    }
}

extension APIResponse {
    package var hummingbird: Response {
        var fields = HTTPFields()
        fields.reserveCapacity(headers.count + 2)
        fields[.contentType] = contentType
        if pieces == nil && stream == nil { fields[.contentLength] = String(body.count) }
        for header in headers {
            if let name = HTTPField.Name(header.name) { fields[name] = header.value }
        }
        return Response(
            status: .init(code: status), headers: fields, body: responseBody)
    }

    /// The next piece is made when the socket has room again: a slow reader is its own affair, and
    /// one that takes nothing at all is cut off by the watch on its connection.
    private var responseBody: ResponseBody {
        if let stream {
            return ResponseBody { writer in
                for await piece in stream { try await writer.write(ByteBuffer(bytes: piece)) }
                try await writer.finish(nil)
            }
        }
        guard let pieces else { return ResponseBody(byteBuffer: ByteBuffer(bytes: body)) }
        return ResponseBody { writer in
            while let piece = try await pieces() {
                try await writer.write(ByteBuffer(bytes: piece))
            }
            try await writer.finish(nil)
        }
    }
}

extension HTTPField.Name {
    fileprivate static let requestID = Self("X-Request-Id")!
    fileprivate static let lastEventID = Self("Last-Event-ID")!
    fileprivate static let stripeSignature = Self("Stripe-Signature")!
    fileprivate static let idempotencyKey = Self("Idempotency-Key")!
    fileprivate static let traceparent = Self("traceparent")!
}
