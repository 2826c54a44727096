/// What an API is told besides its engine.
package struct APIConfiguration: Sendable {
    /// Largest body taken, bytes. Also bounds what a price book may hold.
    package var maxBodyBytes = 8 << 20
    /// Lower-case hex SHA-256 of a secret that is an admin key for as long as the process lives:
    /// how the first key of a ledger is made. Its events name the actor `bootstrap`.
    package var bootstrapKeyHash: String?
    /// The bytes of `schemas/openapi.yaml`.
    package var openAPI: [UInt8] = []
    /// Where error codes are explained; errors then carry `doc_url`: this and the code.
    package var documentationURL: String?
    /// Events that one page of a filtered list looks at, at most.
    package var scannedEventsMax = 20_000

    package init() {}
}

/// What became of one request, for logs and metrics. No body, no secret, no query.
package struct APILogRecord: Sendable {
    package var method: String
    /// The path's template, `/v1/customers/{id}`; empty for an unknown path.
    package var route: String
    /// Name of the operation in the OpenAPI file; empty when there is none.
    package var operation: String
    package var status: Int
    /// Stable code of the error or refusal; nil for a success.
    package var code: String?
    package var requestID: String
    package var actor: String?
    package var duration: Duration
    package var requestBytes: Int
    package var responseBytes: Int
}
