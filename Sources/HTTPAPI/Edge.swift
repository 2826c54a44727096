// What another edge of the same server shares with the API: who asks and at which rate, under which
// request id and trace, room for bodies, the line in the log. The gateway is such an edge: its
// paths are its configuration's, its answers are in other dialects, and all else is as here.

package import Billing
package import Telemetry

/// A request to another edge: admitted, or refused before its body is read.
package struct EdgeCall: Sendable {
    package let requestID: String
    package let trace: TraceContext
    package let start: ContinuousClock.Instant
    package fileprivate(set) var result: Result<APIPrincipal, APIError>
    /// Id of the API key, as far as it is known.
    package fileprivate(set) var actor: String?
    fileprivate var rate: RateVerdict?

    /// Headers that every answer has.
    package var headers: [(name: String, value: String)] {
        [("X-Request-Id", requestID), ("traceparent", trace.header)] + (rate?.headers ?? [])
    }
}

/// How a request to another edge ended, for the log.
package struct EdgeOutcome: Sendable {
    package var method: String
    /// With its parameters' names in place of their values.
    package var route: String
    package var operation: String
    package var status: Int
    /// Stable code of the error or refusal; nil for a success.
    package var code: String?
    package var customer: String?
    package var requestBytes = 0
    package var responseBytes = 0

    package init(
        method: String, route: String, operation: String, status: Int, code: String? = nil,
        customer: String? = nil
    ) {
        self.method = method
        self.route = route
        self.operation = operation
        self.status = status
        self.code = code
        self.customer = customer
    }
}

extension API {
    /// Finds who asks and whether it may; to be followed by one `finish`.
    package func admit(edge request: APIRequest, role: KeyRole) -> EdgeCall {
        var call = EdgeCall(
            requestID: request.requestID.flatMap(validRequestID) ?? requestIDs.next(),
            trace: traceIDs.span(continuing: request.traceparent), start: .now,
            result: .failure(.overloaded))
        do throws(APIError) {
            let principal = try authenticate(request.authorization)
            call.actor = principal.actor
            if let actor = principal.actor, let verdict = limiter?.take(actor) {
                call.rate = verdict
                if !verdict.isAllowed { throw verdict.error }
            }
            guard principal.role.power >= role.power else {
                throw .forbidden(
                    "This needs a key of role \(role.rawValue); yours has "
                        + "\(principal.role.rawValue).")
            }
            call.result = .success(principal)
        } catch {
            call.result = .failure(error)
        }
        return call
    }

    package func finish(_ call: EdgeCall, _ outcome: EdgeOutcome) {
        log(
            APILogRecord(
                method: outcome.method, route: outcome.route, operation: outcome.operation,
                status: outcome.status, code: outcome.code, requestID: call.requestID,
                actor: call.actor, trace: call.trace,
                customer: configuration.logsCustomers ? outcome.customer : nil,
                duration: call.start.duration(to: .now), requestBytes: outcome.requestBytes,
                responseBytes: outcome.responseBytes))
    }

    /// Sets room for a body aside; false: there is none.
    package func takeBodyRoom(_ bytes: Int) -> Bool { bodies.take(bytes) }

    package func giveBodyRoom(_ bytes: Int) { bodies.give(bytes) }

    /// The server is about to stop: what begins now may not be finished.
    package var isDraining: Bool { lifecycle.isDraining }

    /// ISO 4217 code of the ledger's currency.
    package var ledgerCurrency: String { currency }

    /// Whether a text may be the id of a project, plan, budget or key.
    package static func isOperatorID(_ text: String) -> Bool { text.isOperatorID }

    /// Whether a text may be the id of a customer, user, run or model.
    package static func isID(_ text: String) -> Bool { text.isID }
}
