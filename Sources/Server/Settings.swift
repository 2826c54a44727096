// The settings of a server: names, meaning, defaults and limits, in one table that the reader, the
// printed configuration and the documentation share.
//
// A setting has one name. In the configuration file it is a member of the one JSON object
//
//   {"db": "/var/lib/faregate/faregate.db", "port": 8080, "test_clock": false}
//
// and in the environment a variable, FAREGATE_ before the name in capitals: FAREGATE_PORT=8080.
// Later ones of default < file < environment < command line win, setting by setting. A variable
// that is empty counts as not set.

import Configuration

/// What a setting's value can be.
enum SettingKind: Sendable, Equatable {
    case text
    case integer(ClosedRange<Int>)
    case flag
}

package struct Setting: Sendable {
    /// As in the file: `request_timeout_seconds`.
    package let name: String
    let kind: SettingKind
    let fallback: ConfigContent?
    /// What it is, one sentence.
    package let meaning: String
    let isSecret: Bool

    /// As in the environment: `FAREGATE_REQUEST_TIMEOUT_SECONDS`.
    package var variable: String { Self.variablePrefix + name.uppercased() }

    package static let variablePrefix = "FAREGATE_"

    init(
        _ name: String, _ kind: SettingKind, _ fallback: ConfigContent?, _ meaning: String,
        isSecret: Bool = false
    ) {
        self.name = name
        self.kind = kind
        self.fallback = fallback
        self.meaning = meaning
        self.isSecret = isSecret
    }

    package static let db = Setting(
        "db", .text, "faregate.db", "Path of the ledger's file; made at the first start.")
    package static let views = Setting(
        "views", .text, nil,
        "Path of the read models' file, which may be deleted; absent: db with .views after it.")
    package static let host = Setting(
        "host", .text, "127.0.0.1", "Address to listen on; 0.0.0.0 for all of IPv4.")
    package static let port = Setting(
        "port", .integer(0...65_535), 8080, "Port to listen on; 0 lets the system choose one.")
    package static let adminKey = Setting(
        "admin_key", .text, nil,
        "Secret of an administrator besides the keys on the ledger; 20 characters or more.",
        isSecret: true)
    package static let testClock = Setting(
        "test_clock", .flag, false,
        "Whether a new ledger gets a clock that callers set. Never for real money.")
    package static let currency = Setting(
        "currency", .text, "USD", "ISO 4217 code of a new ledger's one currency.")
    package static let bodyBytesMax = Setting(
        "body_bytes_max", .integer(1_024...67_108_864), 4_194_304,
        "Largest request body that is accepted, bytes.")
    package static let queueMax = Setting(
        "queue_max", .integer(64...1_048_576), 32_768,
        "Requests that may wait to be decided; more are answered 503.")
    package static let logLevel = Setting(
        "log_level", .text, "info", "trace, debug, info, notice, warning, error or critical.")
    package static let bodiesBytesMax = Setting(
        "bodies_bytes_max", .integer(1_048_576...68_719_476_736), 268_435_456,
        "Bytes of all request bodies that may be in memory at a time; more is answered 503.")
    package static let accessLog = Setting(
        "access_log", .text, "debug",
        "Level of the line for each request: off, debug or info. Server errors are warnings.")
    package static let logCustomers = Setting(
        "log_customers", .flag, false,
        "Whether the line for a request names its customer, where that is known.")
    package static let metricsHost = Setting(
        "metrics_host", .text, "127.0.0.1", "Address of metrics_port.")
    package static let metricsPort = Setting(
        "metrics_port", .integer(0...65_535), 0,
        "Port that answers /metrics, /readyz and /healthz without a key; 0: none.")
    package static let rateLimit = Setting(
        "rate_limit", .text, nil,
        "Requests a second that each API key may make, as 100 or, with a burst, 100/200;"
            + " absent: any number.")
    package static let rateLimits = Setting(
        "rate_limits", .text, nil,
        "Keys with limits of their own: key_batch=50/500,key_ops=none. The configured"
            + " administrator is called bootstrap.")
    package static let connectionsMax = Setting(
        "connections_max", .integer(16...1_000_000), 8_192,
        "Connections that may be open; more wait to be accepted.")
    package static let headTimeout = Setting(
        "head_timeout_seconds", .integer(1...3_600), 20,
        "How long a new connection may take to send the head of its first request.")
    package static let requestTimeout = Setting(
        "request_timeout_seconds", .integer(1...3_600), 30,
        "How long a request's body may take to arrive.")
    package static let idleTimeout = Setting(
        "idle_timeout_seconds", .integer(1...86_400), 75,
        "How long a connection may lie idle before it is closed.")
    package static let writeTimeout = Setting(
        "write_timeout_seconds", .integer(1...3_600), 60,
        "How long a client may take to receive an answer, or a piece of a long one.")
    package static let drainDelay = Setting(
        "drain_delay_seconds", .integer(0...3_600), 0,
        "How long /readyz says draining, and all else goes on, before the port is closed.")
    package static let shutdownTimeout = Setting(
        "shutdown_timeout_seconds", .integer(1...3_600), 30,
        "How long requests under way may take to end when the server is stopped.")

    package static let eventStreamsMax = Setting(
        "event_streams_max", .integer(0...10_000), 100,
        "Streams of events that may be open at once; more are answered 503.")
    package static let eventHeartbeat = Setting(
        "event_heartbeat_seconds", .integer(1...3_600), 15,
        "How often a stream of events says that it lives when there is nothing to send.")
    package static let webhookHTTP = Setting(
        "webhook_http", .flag, false,
        "Whether webhooks may go to http:// URLs; to this machine itself they always may.")
    package static let webhookPrivateTargets = Setting(
        "webhook_private_targets", .flag, false,
        "Whether webhooks may go to this machine and to private networks.")
    package static let webhookTimeout = Setting(
        "webhook_timeout_seconds", .integer(1...300), 15,
        "How long a webhook's receiver may take to answer.")
    package static let webhookThresholds = Setting(
        "webhook_thresholds", .text, "50,80,100",
        "Percentages of a budget that are notified when they are reached; empty: none.")
    package static let webhookRunSpike = Setting(
        "webhook_run_spike", .integer(2...10_000), 10,
        "A run is notified when it is charged this many times what the project's runs usually are.")

    package static let expectedOutput = Setting(
        "expected_output_per_thousand", .integer(0...1_000), 950,
        "Of a thousand answers, so many are not longer than is expected; 0: nothing is learned.")
    package static let upstreams = Setting(
        "upstreams", .text, nil,
        "Path of the JSON file with the providers that the gateway passes calls on to.")

    /// In the order in which people read them.
    package static let all =
        [
            db, views, host, port, adminKey, testClock, currency, metricsHost, metricsPort,
            logLevel,
            accessLog, logCustomers, bodyBytesMax, bodiesBytesMax, queueMax, connectionsMax,
            rateLimit,
            rateLimits, headTimeout, requestTimeout, idleTimeout, writeTimeout, drainDelay,
            shutdownTimeout, eventStreamsMax, eventHeartbeat,
            webhookHTTP, webhookPrivateTargets, webhookTimeout, webhookThresholds, webhookRunSpike,
            expectedOutput, upstreams,
        ] + aboutStripe
}

/// Where a value came from.
package enum SettingOrigin: Sendable, Equatable, CustomStringConvertible {
    case fallback
    /// Path of the configuration file.
    case file(String)
    /// Name of the variable.
    case environment(String)
    /// The option of the command line.
    case commandLine(String)

    package var description: String {
        switch self {
        case .fallback: "default"
        case .file(let path): path
        case .environment(let variable): "environment \(variable)"
        case .commandLine(let option): "option \(option)"
        }
    }
}

/// Why a configuration cannot be used; the text names the setting and where its value came from,
/// and never holds a secret.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The setting's name; empty when it is about the file as a whole.
    package var setting: String
    package var description: String

    init(_ setting: String, _ description: String) {
        self.setting = setting
        self.description = description
    }
}
