// One line for each request:
//
//   {"label":"faregate","level":"info","message":"request","metadata":{"actor":"key_app",
//    "code":"exhausted","duration_us":"1432","method":"POST","request_bytes":"118",
//    "request_id":"req_2k1_9","response_bytes":"522","route":"/v1/reservations","span_id":"…",
//    "status":"402","trace_id":"…"},"time":"…"}
//
// `actor` is the id of the API key, never its secret. The route is the template, so neither ids in
// paths nor queries are in it; bodies and headers are never looked at. `customer` is there where
// `log_customers` is on.

package import HTTPAPI
package import Logging
import Telemetry

package struct AccessLog: Sendable {
    package enum Level: String, Sendable, CaseIterable {
        /// Only server errors.
        case off
        case debug
        case info
    }

    private let logger: Logger
    private let level: Level

    package init(_ logger: Logger, level: Level) {
        self.logger = logger
        self.level = level
    }

    /// Server errors are warnings, whatever the level.
    package func write(_ record: APILogRecord) {
        let line: Logger.Level
        switch level {
        case _ where record.status >= 500: line = .warning
        case .off: return
        case .debug: line = .debug
        case .info: line = .info
        }
        guard line >= logger.logLevel else { return }
        var metadata: Logger.Metadata = [
            "method": .string(record.method), "route": .string(record.route),
            "status": .string(String(record.status)),
            "request_id": .string(record.requestID), "trace_id": .string(record.trace.traceText),
            "span_id": .string(record.trace.spanText),
            "duration_us": .string(String(Int(record.duration / .microseconds(1)))),
            "request_bytes": .string(String(record.requestBytes)),
            "response_bytes": .string(String(record.responseBytes)),
        ]
        if let code = record.code { metadata["code"] = .string(code) }
        if let actor = record.actor { metadata["actor"] = .string(actor) }
        if let customer = record.customer { metadata["customer"] = .string(customer) }
        logger.log(level: line, "request", metadata: metadata)
    }
}
