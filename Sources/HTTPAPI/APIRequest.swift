// Requests and answers without a transport: the Hummingbird adapter fills one from a socket, the
// CLI one of its own for a ledger that it opened itself, a test whatever it likes.

package import Billing

/// Who asks.
package struct APIPrincipal: Sendable, Hashable {
    /// Id of the API key; nil: the operator's own process.
    package var actor: String?
    package var role: KeyRole
    /// The one project it may act in; nil: all.
    package var project: String?

    package init(actor: String?, role: KeyRole, project: String? = nil) {
        self.actor = actor
        self.role = role
        self.project = project
    }

    /// The operator's own process: may do everything, and its events name no actor.
    package static let operatorProcess = APIPrincipal(actor: nil, role: .admin)
}

package struct APIRequest: Sendable {
    /// `GET`, `POST` …
    package var method: String
    /// As sent, percent-encoded, without the query.
    package var path: String
    /// As sent, without the question mark; empty when there is none.
    package var query: String
    package var authorization: String?
    package var contentType: String?
    /// The Accept header: JSON unless it prefers another form that there is.
    package var accept: String?
    package var idempotencyKey: String?
    package var requestID: String?
    /// Number of the last event that a client of the event stream has seen, as it says.
    package var lastEventID: String?
    /// The W3C Trace Context header.
    package var traceparent: String?
    /// The `Stripe-Signature` header.
    package var stripeSignature: String?
    /// `ce-` headers of a CloudEvent in binary mode, names in lower case without the prefix.
    package var cloudEvent: [(name: String, value: String)] = []
    package var body: [UInt8]
    /// Set by callers in the same process instead of an Authorization header; never by a transport.
    package var principal: APIPrincipal?

    package init(
        _ method: String, path: String, query: String = "", body: [UInt8] = [],
        contentType: String? = nil, authorization: String? = nil, idempotencyKey: String? = nil,
        requestID: String? = nil, accept: String? = nil, lastEventID: String? = nil,
        principal: APIPrincipal? = nil
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.accept = accept
        self.lastEventID = lastEventID
        self.body = body
        self.contentType = contentType
        self.authorization = authorization
        self.idempotencyKey = idempotencyKey
        self.requestID = requestID
        self.principal = principal
    }

    /// A request of one's own making: encodes the parts of the path and of the query.
    ///
    /// - Parameter segments: `["v1", "customers", "a/b"]` for `/v1/customers/a%2Fb`.
    package init(
        _ method: String, segments: [String], query: [(name: String, value: String)] = [],
        json: [UInt8]? = nil, idempotencyKey: String? = nil, principal: APIPrincipal? = nil
    ) {
        self.init(
            method, path: segments.map { "/" + percentEncoded($0) }.joined(),
            query: query.map { percentEncoded($0.name) + "=" + percentEncoded($0.value) }
                .joined(separator: "&"),
            body: json ?? [], contentType: json == nil ? nil : "application/json",
            idempotencyKey: idempotencyKey, principal: principal)
    }
}

package struct APIResponse: Sendable {
    package var status: Int
    /// Without `Content-Type` and `Content-Length`.
    package var headers: [(name: String, value: String)]
    package var contentType: String
    package var body: [UInt8]
    /// Stable code of the error or refusal that this answer is; nil for a success.
    package var code: String?
    /// What follows instead of `body`, for as long as somebody reads it.
    package var stream: EventStream?
    /// In place of `body`, for answers of any length: the next piece, nil at the end.
    package var pieces: (@Sendable () async throws -> [UInt8]?)?

    package init(
        status: Int, headers: [(name: String, value: String)] = [],
        contentType: String = "application/json", body: [UInt8]
    ) {
        self.status = status
        self.headers = headers
        self.contentType = contentType
        self.body = body
    }

    /// The first header of this name, in any case.
    package func header(_ name: String) -> String? {
        let wanted = name.lowercased()
        return headers.first { $0.name.lowercased() == wanted }?.value
    }
}
