// A request to the gateway before anything is done with it, and what is noted of it.

import Dialects
import HTTPAPI
import HTTPTypes
import Hummingbird
import NIOCore

struct GatewayRequest: Sendable {
    let upstream: Upstream
    let method: String
    /// What follows `/{upstream}`, as it was sent.
    let path: String
    let query: String
    let headers: HTTPFields

    init(_ request: Request, _ upstream: Upstream) {
        self.upstream = upstream
        method = request.method.rawValue
        path = String(request.uri.path.dropFirst(1 + upstream.name.utf8.count))
        query = request.uri.query ?? ""
        headers = request.headers
    }

    /// What the API looks at of it, for who asks and under which id.
    var api: APIRequest {
        var asked = APIRequest(
            method, path: path, authorization: Caller.authorization(headers),
            requestID: headers[.requestID])
        asked.traceparent = headers[.traceparent]
        return asked
    }

    var declaredLength: Int? { headers[.contentLength].flatMap { Int($0) } }
    var isChunked: Bool { headers[.transferEncoding] != nil }

    // MARK: The route

    enum Kind: Sendable {
        case free
        case metered(CallDialect, deployment: String?)
    }

    func route() throws(APIError) -> Kind {
        if path.isEmpty || path == "/" {
            throw APIError(
                404, .notFound, "not_found",
                "This is upstream '\(upstream.name)': the base URL of a library, and no route. "
                    + served)
        }
        guard isPlainPath else {
            throw APIError(
                400, .invalidRequest, "malformed_url", "The path is not well-formed.")
        }
        let route = GatewayRoute.classify(method: method, path: path, family: upstream.dialect)
        switch route.kind {
        case .metered(let dialect):
            // Elsewhere the model is the body's, whatever stands in the path.
            guard route.deployment == nil || upstream.pathStyle == .azure else {
                throw APIError(
                    403, .permission, "route_closed",
                    "Paths with deployments are for upstreams whose path_style is azure. " + served)
            }
            return .metered(dialect, deployment: route.deployment)
        case .free: return .free
        case .batch, .closed:
            if upstream.unmetered.contains(where: { $0.covers(method: method, path: path) }) {
                return .free
            }
            throw closed(route)
        }
    }

    private func closed(_ route: GatewayRoute) -> APIError {
        let why: String
        switch route.kind {
        case .batch: why = "A batch is not metered"
        case .closed(.notMetered(let name)): why = "Calls of \(name) are not metered"
        case .closed(.stored):
            why = "What the provider has stored is not kept apart by customer"
        case .closed(.methodNotAllowed):
            return APIError(
                405, .invalidRequest, "method_not_allowed", "This path has other methods.")
        default:
            return APIError(
                403, .permission, "route_closed",
                "This route is not known, so what it costs is not either: it is closed. " + served)
        }
        return APIError(
            403, .permission, "route_closed",
            "\(why): it is closed. To let it through without any charge, add "
                + "\"\(method) \(opened(route))\" to unmetered of upstream '\(upstream.name)'.")
    }

    /// The path as `unmetered` has it: what is stored has an id in its path.
    private func opened(_ route: GatewayRoute) -> String {
        let parts = path.split(separator: "/")
        let place = parts.firstIndex { $0 == "responses" || $0 == "completions" }
        guard route.kind == .closed(.stored), let place, place + 1 < parts.count else {
            return path
        }
        return "/" + parts[...place].joined(separator: "/") + "/*"
    }

    /// What there is instead, for whoever has the path of another dialect, or one that is misspelt.
    private var served: String {
        let theirs = ProviderFamily.allCases.first { other in
            guard other != upstream.dialect else { return false }
            let kind = GatewayRoute.classify(method: method, path: path, family: other).kind
            if case .closed = kind { return false }
            return true
        }
        let routes = GatewayRoute.open(upstream.dialect).map { route in
            "\(route.method) /\(upstream.name)\(route.path)"
        }
        return "Upstream '\(upstream.name)' speaks the dialect '\(upstream.dialect.rawValue)'"
            + (theirs.map { ", and this path is of '\($0.rawValue)'" } ?? "")
            + ". It serves \(routes.joined(separator: ", "))."
    }

    /// No segment that leads elsewhere at the other end, whatever that decodes.
    private var isPlainPath: Bool {
        guard path.utf8.first == UInt8(ascii: "/") else { return false }
        return path.utf8.dropFirst().split(
            separator: UInt8(ascii: "/"), omittingEmptySubsequences: false
        ).allSatisfy { part in
            guard let segment = percentDecoded(part) else { return false }
            return segment != "." && segment != ".." && !segment.contains("/")
                && !segment.contains("\\")
        }
    }

    // MARK: The body

    /// A body in another form than the dialects' own is not read, and is not sent on unread.
    func checkEncoding() throws(APIError) {
        guard let name = HTTPField.Name("Content-Encoding"), let encoding = headers[name] else {
            return
        }
        if HeaderPolicy.isReadable([(name: name.rawName, value: encoding)]) { return }
        throw APIError(
            415, .invalidRequest, "unsupported_encoding",
            "The body must be sent as it is, without Content-Encoding.", param: name.rawName)
    }

    func body(_ request: Request, upTo limit: Int) async throws(APIError) -> ByteBuffer {
        do {
            return try await request.body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw .bodyTooLarge
        } catch {
            // The connection broke: nobody reads the answer.
            throw APIError(400, .invalidRequest, "body_broken", "The body broke off.")
        }
    }

    /// The request to the upstream, with a body that may have been changed.
    func forwarded(_ body: ByteBuffer?) -> UpstreamRequest {
        let credential: UpstreamCredential =
            upstream.pathStyle == .azure ? .apiKey : UpstreamCredential(upstream.dialect)
        let theirs = headers.map { (name: $0.name.rawName, value: $0.value) }
        return UpstreamRequest(
            method: method, url: upstream.baseURL.url(path: path, query: query),
            headers: HeaderPolicy.upstreamRequest(
                theirs, key: upstream.key?.secret, credential: credential),
            body: body.flatMap { $0.readableBytes > 0 ? $0 : nil })
    }
}

/// What the log line of a call is made from.
struct GatewayRecord: Sendable {
    let upstream: Upstream
    let admitted: EdgeCall
    let method: String
    var route = ""
    var operation = ""
    var customer: String?
    var requestBytes = 0

    init(_ request: GatewayRequest, _ admitted: EdgeCall) {
        upstream = request.upstream
        method = request.method
        self.admitted = admitted
    }

    /// Of every answer. Where the provider has named the request as well its name stays in
    /// `X-Request-Id`, because that is what the provider's own support asks for.
    var headers: [(name: String, value: String)] {
        admitted.headers + [(HTTPField.Name.faregateRequestID.rawName, admitted.requestID)]
    }

    func outcome(_ status: Int, _ code: String?, bytes: Int) -> EdgeOutcome {
        var outcome = EdgeOutcome(
            method: method, route: "/\(upstream.name)" + route, operation: operation,
            status: status, code: code, customer: customer)
        outcome.requestBytes = requestBytes
        outcome.responseBytes = bytes
        return outcome
    }
}
