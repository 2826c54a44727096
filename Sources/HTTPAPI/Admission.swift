// The first half of a request: what can be said before its body is there. A stranger's body is
// never read into memory, and a key over its rate is refused before anything is done for it.

import Billing
import Engine
import Synchronization
import Telemetry

package struct Admission: Sendable {
    struct Admitted: Sendable {
        var route: APIRoute
        /// Values of the path's parameters, decoded.
        var parameters: [String]
        var principal: APIPrincipal
    }

    let method: String
    let start: ContinuousClock.Instant
    let requestID: String
    let trace: TraceContext
    /// Nil: the path is unknown.
    var route: APIRoute?
    /// Id of the API key.
    var actor: String?
    var rate: RateVerdict?
    var result: Result<Admitted, APIError>

    /// Nothing more is asked of a request that was refused.
    var isRefused: Bool {
        if case .failure = result { true } else { false }
    }
}

extension API {
    /// Finds the route, who asks and whether it may. To be followed by one `respond` or `finish`.
    package func admit(_ request: APIRequest) -> Admission {
        metrics.began()
        var admission = Admission(
            method: request.method, start: .now,
            requestID: request.requestID.flatMap(validRequestID) ?? requestIDs.next(),
            trace: traceIDs.span(continuing: request.traceparent), actor: request.principal?.actor,
            result: .failure(.overloaded))
        do throws(APIError) {
            admission.result = .success(try admitted(request, &admission))
        } catch {
            admission.result = .failure(error)
        }
        return admission
    }

    private func admitted(
        _ request: APIRequest, _ admission: inout Admission
    ) throws(APIError) -> Admission.Admitted {
        let (route, parameters) = try match(request)
        admission.route = route
        if route.isSigned, request.stripeSignature?.isEmpty ?? true {
            throw .malformed(
                "invalid_signature", "The header Stripe-Signature is missing.",
                param: "Stripe-Signature")
        }
        var principal = APIPrincipal(actor: nil, role: .read)
        if let role = route.role {
            if let inProcess = request.principal {
                principal = inProcess
            } else {
                principal = try authenticate(request.authorization)
                if let actor = principal.actor, let verdict = limiter?.take(actor) {
                    admission.rate = verdict
                    admission.actor = actor
                    if !verdict.isAllowed { throw verdict.error }
                }
            }
            admission.actor = principal.actor
            guard principal.role.power >= role.power else {
                throw .forbidden(
                    "This needs a key of role \(role.rawValue); yours has "
                        + "\(principal.role.rawValue)."
                )
            }
        }
        return Admission.Admitted(route: route, parameters: parameters, principal: principal)
    }
}

// MARK: - Whom a request is about

/// Carries the customer from where it is known to the log record, where logs may name customers.
final class CustomerNote: Sendable {
    @TaskLocal static var current: CustomerNote?

    private let name = Mutex<String?>(nil)

    init() {}

    func set(_ customer: String?) {
        if let customer { name.withLock { $0 = customer } }
    }

    var customer: String? { name.withLock { $0 } }
}

extension APICall {
    /// The `{id}` of a path below `/v1/customers/`.
    var customerInPath: String? {
        route.template.hasPrefix("/v1/customers/{id}") ? parameters.first : nil
    }
}

// MARK: - Bodies in memory

/// How many bytes of bodies are in memory at a time, over all requests.
final class BodyBudget: Sendable {
    private let bytesMax: Int
    private let bytes = Atomic<Int>(0)

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// Bytes set aside at present.
    var bytesInUse: Int { bytes.load(ordering: .relaxed) }

    /// Sets room aside; false: there is none.
    func take(_ count: Int) -> Bool {
        if bytes.wrappingAdd(count, ordering: .relaxed).newValue <= bytesMax { return true }
        give(count)
        return false
    }

    func give(_ count: Int) { bytes.wrappingSubtract(count, ordering: .relaxed) }
}

// MARK: - The end

/// Where the server is in its life, as far as readiness says it.
final class Lifecycle: Sendable {
    private let draining = Atomic<Bool>(false)

    var isDraining: Bool { draining.load(ordering: .relaxed) }

    func drain() { draining.store(true, ordering: .relaxed) }
}

extension API {
    /// The server is about to stop: `/readyz` says so from here on, all else goes on.
    package func beginDraining() { lifecycle.drain() }
}
