import Engine
package import Telemetry

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
    /// Requests of each API key; nil: as many as it likes.
    package var rateLimit: RateLimit?
    /// For keys with a limit of their own, by id; nil: none.
    package var rateLimitByKey: [String: RateLimit?] = [:]
    /// Bytes of all bodies that may be in memory at a time; requests beyond get 503.
    package var bodiesBytesMax = 256 << 20
    /// Whether log records name the customer that a request is about.
    package var logsCustomers = false
    /// Writes metrics besides the API's own; may block.
    package var moreMetrics: [@Sendable (inout PrometheusText) -> Void] = []
    /// Nanoseconds of a monotonic clock, for rate limits.
    package var monotonicClock: @Sendable () -> Int64 = { monotonicNanos() }

    /// Of a thousand answers so many are not longer than is expected where nobody says; 0: nothing
    /// is learned from the answers that there were.
    package var expectedOutputPerThousand = 950
    /// Streams of events that may be open at once; more are answered 503.
    package var eventStreamsMax = 100
    /// A stream on which nothing happens says that it lives this often.
    package var eventHeartbeat = Duration.seconds(15)

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
    /// Id of the API key.
    package var actor: String?
    /// Where it belongs in the caller's trace.
    package var trace: TraceContext
    /// Whom it is about, where it is known and the configuration lets it be said.
    package var customer: String?
    package var duration: Duration
    package var requestBytes: Int
    package var responseBytes: Int
}
