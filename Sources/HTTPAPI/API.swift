// The HTTP API without HTTP: a request goes in, an answer comes out. Nothing here knows of sockets.

import Billing
import Crypto
package import Engine
import EventLog
package import Notifications
package import Projections
package import StripeSync
import Synchronization
import Telemetry

package struct API: Sendable {
    package let engine: Engine
    package let configuration: APIConfiguration
    package var routes: [APIRoute] { APIRoute.all }
    let log: @Sendable (APILogRecord) -> Void
    let currency: String
    let tree: RouteTree
    /// Pages of the log.
    let logReader: ReaderThread
    /// Folds of the log up to some point: one at a time.
    let foldReader: ReaderThread
    /// The log as a file: a piece of one at a time.
    let exportReader: ReaderThread
    /// Nil: there are none, and what is read from them is answered 503.
    package let readModels: ReadModels?
    let viewReader: ReaderThread
    let streams: EventStreams
    /// Nil: they are another process's business, and what is asked of them is answered 503.
    let webhooks: Webhooks?
    let webhookReader: ReaderThread
    /// Nil: this process has nothing to do with Stripe.
    package let stripe: StripeSync?
    let gate = AdminGate()
    let prices = PriceCatalogCache()
    let metrics: HTTPMetrics
    let lifecycle = Lifecycle()
    let requestIDs = RequestIDs()
    let traceIDs = TraceIDs()
    let limiter: RateLimiter?
    let bodies: BodyBudget
    let metricsReader = ReaderThread(queueMax: 4)
    let oldestHold = OldestHold()
    /// Nil: there is nothing to learn from.
    let expectedLengths: ExpectedLengths?

    /// - Parameter log: called once for each request, after its answer is made; must not block.
    package init(
        engine: Engine, configuration: APIConfiguration = APIConfiguration(),
        readModels: ReadModels? = nil, webhooks: Webhooks? = nil, stripe: StripeSync? = nil,
        log: @escaping @Sendable (APILogRecord) -> Void = { _ in }
    ) {
        self.engine = engine
        self.configuration = configuration
        self.log = log
        currency = engine.store.identity.currency
        tree = RouteTree(APIRoute.all)
        logReader = ReaderThread(queueMax: 256)
        foldReader = ReaderThread(queueMax: 16)
        exportReader = ReaderThread(queueMax: 16)
        self.readModels = readModels
        viewReader = ReaderThread(queueMax: 64)
        self.webhooks = webhooks
        self.stripe = stripe
        webhookReader = ReaderThread(queueMax: 64)
        expectedLengths = readModels.flatMap { readModels in
            guard configuration.expectedOutputPerThousand > 0 else { return nil }
            return ExpectedLengths(
                readModels, reader: ReaderThread(queueMax: 256),
                perThousand: configuration.expectedOutputPerThousand,
                clock: configuration.monotonicClock)
        }
        streams = EventStreams(
            max: configuration.eventStreamsMax, heartbeat: configuration.eventHeartbeat,
            commits: engine.commits)
        metrics = HTTPMetrics(APIRoute.all)
        limiter = RateLimiter(configuration)
        bodies = BodyBudget(bytesMax: configuration.bodiesBytesMax)
    }

    /// Ends all streams of events, and lets no new ones begin: the server is about to stop.
    package func closeStreams() { streams.close() }

    package func respond(to request: APIRequest) async -> APIResponse {
        await respond(to: request, admit(request))
    }

    /// Answers a request that was admitted, or says why it was not.
    package func respond(
        to request: APIRequest, _ admission: Admission
    ) async -> APIResponse {
        let note = configuration.logsCustomers ? CustomerNote() : nil
        let response: APIResponse
        do throws(APIError) {
            let call = try call(request, admission.result.get())
            note?.set(call.customerInPath)
            if let note {
                response = try await CustomerNote.$current.withValue(note) { () async in
                    await carryOut(call)
                }.get()
            } else {
                response = try await call.route.handler(self)(call)
            }
        } catch {
            response = answer(error)
        }
        return finish(
            response, admission, customer: note?.customer, requestBytes: request.body.count)
    }

    private func carryOut(_ call: APICall) async -> Result<APIResponse, APIError> {
        do throws(APIError) {
            return .success(try await call.route.handler(self)(call))
        } catch {
            return .failure(error)
        }
    }

    /// The last of every request: the headers that all answers have, the log, the counters.
    func finish(
        _ response: APIResponse, _ admission: Admission, customer: String? = nil,
        requestBytes: Int = 0
    ) -> APIResponse {
        var response = response
        response.headers.append(("X-Request-Id", admission.requestID))
        response.headers.append(("traceparent", admission.trace.header))
        response.headers += admission.rate?.headers ?? []
        let duration = admission.start.duration(to: .now)
        metrics.ended(admission.route, status: response.status, duration)
        log(
            APILogRecord(
                method: admission.method, route: admission.route?.template ?? "",
                operation: admission.route?.operationID ?? "", status: response.status,
                code: response.code, requestID: admission.requestID, actor: admission.actor,
                trace: admission.trace, customer: customer, duration: duration,
                requestBytes: requestBytes, responseBytes: response.body.count))
        return response
    }

    func answer(_ error: APIError) -> APIResponse {
        var response = APIResponse(
            status: error.status, headers: error.headers,
            body: error.body(documentationURL: configuration.documentationURL))
        response.code = error.code
        return response
    }

    private func call(
        _ request: APIRequest, _ admitted: Admission.Admitted
    ) throws(APIError) -> APICall {
        let route = admitted.route
        guard let query = queryItems(request.query) else {
            throw .malformed("malformed_url", "The query is not well-formed.")
        }
        try check(query, route)
        if let key = request.idempotencyKey {
            guard (1...256).contains(key.utf8.count),
                key.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
            else {
                throw .malformed(
                    "invalid_header", "Idempotency-Key must be 1 to 256 visible ASCII characters.",
                    param: "Idempotency-Key")
            }
        }
        if request.body.count > min(configuration.maxBodyBytes, route.bodyBytesMax) {
            throw .bodyTooLarge
        }
        return APICall(
            request: request, route: route, parameters: admitted.parameters, query: query,
            principal: admitted.principal, maxBodyBytes: configuration.maxBodyBytes)
    }

    func match(_ request: APIRequest) throws(APIError) -> (APIRoute, [String]) {
        switch tree.match(method: request.method, path: request.path) {
        case .route(let route, let parameters):
            if route.isAboutOperatorID {
                guard parameters[0].isOperatorID else {
                    let form = "id \(String.operatorIDForm)"
                    if route.method == .put { throw .invalid(form, param: "id") }
                    throw .notFound("Nothing has such an id: \(form).")
                }
            } else if !parameters.allSatisfy(\.isID) {
                throw .notFound("Nothing has such an id: 1 to 256 bytes, no control characters.")
            }
            return (route, parameters)
        case .otherMethods(let methods):
            var error = APIError(
                405, .invalidRequest, "method_not_allowed",
                "This path has \(methods.joined(separator: ", ")).")
            error.headers = [("Allow", methods.joined(separator: ", "))]
            throw error
        case .unknown:
            throw APIError(
                404, .notFound, "unknown_route", "There is no such path; see /openapi.yaml.")
        case .malformed: throw .malformed("malformed_url", "The path is not well-formed.")
        }
    }

    private func check(
        _ query: [(name: String, value: String)], _ route: APIRoute
    ) throws(APIError) {
        for (place, item) in query.enumerated() {
            guard route.query.contains(item.name) else {
                throw .malformed(
                    "unknown_parameter", "The query parameter is not known here.", param: item.name)
            }
            if query[..<place].contains(where: { $0.name == item.name }) {
                throw .malformed(
                    "duplicate_field", "The query parameter is there twice.", param: item.name)
            }
        }
    }
}

// MARK: - Who asks

extension API {
    func authenticate(_ authorization: String?) throws(APIError) -> APIPrincipal {
        guard let secret = bearerToken(authorization) else {
            throw unauthenticated("An API key is needed: Authorization: Bearer fg_….")
        }
        let hash = secretHash(secret)
        if let key = engine.key(secretHash: hash) {
            guard key.revokedAt == nil else { throw unauthenticated("This API key was revoked.") }
            return APIPrincipal(actor: key.id, role: key.role, project: key.project)
        }
        if let bootstrap = configuration.bootstrapKeyHash, bootstrap == hash {
            return APIPrincipal(actor: "bootstrap", role: .admin)
        }
        throw unauthenticated("This API key is not known.")
    }

    private func bearerToken(_ authorization: String?) -> String? {
        guard let authorization, authorization.utf8.count <= 512 else { return nil }
        let parts = authorization.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1])
    }

    private func unauthenticated(_ message: String) -> APIError {
        var error = APIError(401, .authentication, "unauthenticated", message)
        error.headers = [("WWW-Authenticate", "Bearer")]
        return error
    }
}

extension KeyRole {
    /// Each role includes those of less power.
    package var power: Int {
        switch self {
        case .read: 0
        case .meter: 1
        case .admin: 2
        }
    }
}

/// Lower-case hex SHA-256 of a secret, as keys are kept.
package func secretHash(_ secret: String) -> String { sha256Hex(Array(secret.utf8)) }

/// Lower-case hex.
package func sha256Hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    let digest = SHA256.hash(data: bytes)
    return String(unsafeUninitializedCapacity: 64) { buffer in
        var place = 0
        for byte in digest {
            buffer[place] = digits[Int(byte >> 4)]
            buffer[place + 1] = digits[Int(byte & 15)]
            place += 2
        }
        return place
    }
}

// MARK: - Request ids

/// The caller's id, when it is one that a log can hold without quoting.
func validRequestID(_ text: String) -> String? { text.isOperatorID ? text : nil }

/// Ids for requests that bring none: a random start, then a count, so that one costs no system
/// call.
final class RequestIDs: Sendable {
    private let start: String
    private let count = Atomic<UInt64>(0)

    init() {
        var random = SystemRandomNumberGenerator()
        start = "req_" + String(random.next() as UInt64, radix: 36) + "_"
    }

    func next() -> String {
        start + String(count.wrappingAdd(1, ordering: .relaxed).newValue, radix: 36)
    }
}
