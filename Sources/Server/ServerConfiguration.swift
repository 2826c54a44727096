import CanonicalJSON
package import Configuration
package import Gateway
import Glibc
package import Logging
package import Notifications
import Observability
package import Telemetry

/// Everything a server is told from outside, checked. See Settings.swift for names and meaning.
package struct ServerConfiguration: Sendable {
    package var databasePath: String
    /// Nil: beside the ledger's file.
    package var viewsPath: String?
    package var host: String
    /// 0: the system chooses.
    package var port: Int
    /// Secret; nil when there is none.
    package var adminKey: String?
    package var isTestClock: Bool
    package var currency: String
    package var metricsHost: String
    /// 0: there is none.
    package var metricsPort: Int
    package var logLevel: Logger.Level
    package var accessLog: AccessLog.Level
    package var logsCustomers: Bool
    package var bodyBytesMax: Int
    package var bodiesBytesMax: Int
    package var queueMax: Int
    package var connectionsMax: Int
    /// Of each key; nil: none.
    package var rateLimit: RateLimit?
    /// Of keys with one of their own, by id; nil: none.
    package var rateLimitByKey: [String: RateLimit?]
    package var headTimeoutSeconds: Int
    package var requestTimeoutSeconds: Int
    package var idleTimeoutSeconds: Int
    package var writeTimeoutSeconds: Int
    package var drainDelaySeconds: Int
    package var shutdownTimeoutSeconds: Int
    package var eventStreamsMax: Int
    package var eventHeartbeatSeconds: Int
    package var notifications: NotificationSettings
    package var webhookTimeoutSeconds: Int
    package var expectedOutputPerThousand: Int
    /// Path of the file with the upstreams; nil: there are none.
    package var upstreamsPath: String?
    package var gateway: GatewaySettings
    /// Nil: nothing goes to Stripe.
    package var stripe: StripeConfiguration?

    /// All settings with where each came from, in the table's order; secrets are masked.
    package let report: [Line]

    /// Variables that begin with `FAREGATE_` and mean nothing: probably misspelt.
    package let strangeVariables: [String]

    package struct Line: Sendable, Equatable {
        package var name: String
        /// As it may be shown; empty when not set.
        package var value: String
        package var origin: SettingOrigin
    }

    /// Variables that other parts of the program read: the client's options.
    package static let clientVariables: Set<String> = [
        "FAREGATE_CONFIG", "FAREGATE_URL", "FAREGATE_KEY", "FAREGATE_PROJECT",
    ]

    /// - Parameters:
    ///   - file: path and bytes of the configuration file, if there is one.
    ///   - options: values of the command line by setting, with the option each was given by.
    ///   - read: reads the files that settings name.
    package init(
        file: (path: String, bytes: [UInt8])? = nil, environment: [String: String] = [:],
        options: [String: (value: ConfigContent, option: String)] = [:],
        read: (String) throws(WholeFile.Failure) -> [UInt8] = Self.readFile
    ) throws(ConfigurationError) {
        var parsed: ConfigurationFile?
        if let file { parsed = try ConfigurationFile(file.bytes, path: file.path) }
        var reader = SettingReader(
            layers: SettingLayers(file: parsed, environment: environment, options: options))
        databasePath = try reader.text(.db) { $0.isEmpty ? "must not be empty" : nil }
        viewsPath = try reader.optionalText(.views) { $0.isEmpty ? "must not be empty" : nil }
        host = try reader.text(.host) { $0.isEmpty ? "must not be empty" : nil }
        port = try reader.integer(.port)
        adminKey = try reader.optionalText(.adminKey, Self.fault(inAdminKey:))
        isTestClock = try reader.flag(.testClock)
        currency = try reader.text(.currency, Self.fault(inCurrency:))
        metricsHost = try reader.text(.metricsHost) { $0.isEmpty ? "must not be empty" : nil }
        metricsPort = try reader.integer(.metricsPort)
        let level = try reader.text(.logLevel) { text in
            Logger.Level(rawValue: text) == nil
                ? "must be one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))"
                : nil
        }
        logLevel = Logger.Level(rawValue: level) ?? .info
        let access = try reader.text(.accessLog) { text in
            AccessLog.Level(rawValue: text) == nil ? "must be one of off, debug, info" : nil
        }
        accessLog = AccessLog.Level(rawValue: access) ?? .debug
        logsCustomers = try reader.flag(.logCustomers)
        bodyBytesMax = try reader.integer(.bodyBytesMax)
        bodiesBytesMax = try reader.integer(.bodiesBytesMax)
        queueMax = try reader.integer(.queueMax)
        connectionsMax = try reader.integer(.connectionsMax)
        rateLimit = try reader.optionalText(.rateLimit) { RateLimitText.fault(in: $0) }
            .flatMap { RateLimitText.limit($0) ?? nil }
        rateLimitByKey =
            try reader.optionalText(.rateLimits) { RateLimitText.fault(inKeys: $0) }
            .flatMap { RateLimitText.limitsByKey($0) } ?? [:]
        headTimeoutSeconds = try reader.integer(.headTimeout)
        requestTimeoutSeconds = try reader.integer(.requestTimeout)
        idleTimeoutSeconds = try reader.integer(.idleTimeout)
        writeTimeoutSeconds = try reader.integer(.writeTimeout)
        drainDelaySeconds = try reader.integer(.drainDelay)
        shutdownTimeoutSeconds = try reader.integer(.shutdownTimeout)
        eventStreamsMax = try reader.integer(.eventStreamsMax)
        eventHeartbeatSeconds = try reader.integer(.eventHeartbeat)
        (notifications, webhookTimeoutSeconds) = try reader.webhooks()
        expectedOutputPerThousand = try reader.integer(.expectedOutput)
        upstreamsPath = try reader.optionalText(.upstreams) {
            $0.isEmpty ? "must not be empty" : nil
        }
        gateway = GatewaySettings()
        if let upstreamsPath {
            gateway = try Self.gateway(upstreamsPath, environment, read)
        }
        stripe = try StripeConfiguration(&reader)
        report = reader.lines

        let known = Set(Setting.all.map(\.variable)).union(Self.clientVariables)
        // A key of an upstream may be in a variable of any name.
        let keys = Set(gateway.upstreams.compactMap(\.keyVariable))
        strangeVariables = environment.keys
            .filter {
                $0.hasPrefix(Setting.variablePrefix) && !known.contains($0) && !keys.contains($0)
            }
            .sorted()
    }

    private static func gateway(
        _ path: String, _ environment: [String: String],
        _ read: (String) throws(WholeFile.Failure) -> [UInt8]
    ) throws(ConfigurationError) -> GatewaySettings {
        let name = Setting.upstreams.name
        let bytes: [UInt8]
        do throws(WholeFile.Failure) {
            bytes = try read(path)
        } catch {
            throw ConfigurationError(name, "the file of \(name) cannot be read: \(error)")
        }
        let json: JSONValue
        do throws(JSONError) {
            json = try StrictJSON.parse(bytes)
        } catch {
            throw ConfigurationError(name, "\(path): \(error)")
        }
        do throws(FieldError) {
            return try UpstreamFile.settings(json, environment: environment)
        } catch {
            throw ConfigurationError(error.param, "\(error.message) (\(path))")
        }
    }

    package static func readFile(_ path: String) throws(WholeFile.Failure) -> [UInt8] {
        try WholeFile.read(path, maxBytes: 1 << 20)
    }

    /// Path of the file with the upstreams, if there are keys in it that others than its owner can
    /// read; nil: there are not.
    package var exposedKeysPath: String? {
        guard let upstreamsPath,
            gateway.upstreams.contains(where: { $0.key != nil && $0.keyVariable == nil })
        else { return nil }
        var status = stat()
        let isExposed = stat(upstreamsPath, &status) == 0 && status.st_mode & 0o077 != 0
        return isExposed ? upstreamsPath : nil
    }

    private static func fault(inAdminKey key: String) -> String? {
        // Travels in a header, and is guessed at by whoever reaches the port.
        if key.utf8.count < 20 { return "must have at least 20 characters" }
        let isVisible = key.utf8.allSatisfy { (0x21...0x7e).contains($0) }
        return isVisible ? nil : "must be visible ASCII characters without spaces"
    }

    private static func fault(inCurrency code: String) -> String? {
        let isCode = code.utf8.count == 3 && code.utf8.allSatisfy { (0x41...0x5a).contains($0) }
        return isCode ? nil : "must be an ISO 4217 code: three capital letters"
    }
}

/// Reads settings and notes what was read.
struct SettingReader {
    let layers: SettingLayers
    var lines: [ServerConfiguration.Line] = []

    init(layers: SettingLayers) { self.layers = layers }

    mutating func text(
        _ setting: Setting, _ fault: (String) -> String?
    ) throws(ConfigurationError) -> String {
        let text = try optionalText(setting, fault)
        precondition(text != nil, "\(setting.name) has a default")
        return text ?? ""
    }

    mutating func optionalText(
        _ setting: Setting, _ fault: (String) -> String?
    ) throws(ConfigurationError) -> String? {
        let (content, origin) = try layers.value(of: setting)
        guard case .string(let text) = content else {
            note(setting, "", origin)
            return nil
        }
        if let fault = fault(text) {
            throw ConfigurationError(setting.name, "\(setting.name) \(fault) (\(origin))")
        }
        note(setting, setting.isSecret ? redacted(text) : text, origin)
        return text
    }

    mutating func integer(_ setting: Setting) throws(ConfigurationError) -> Int {
        let (content, origin) = try layers.value(of: setting)
        guard case .int(let number) = content else {
            preconditionFailure("\(setting.name) has a default")
        }
        note(setting, String(number), origin)
        return number
    }

    mutating func flag(_ setting: Setting) throws(ConfigurationError) -> Bool {
        let (content, origin) = try layers.value(of: setting)
        guard case .bool(let flag) = content else {
            preconditionFailure("\(setting.name) has a default")
        }
        note(setting, flag ? "true" : "false", origin)
        return flag
    }

    /// What is notified and where to, and how long a receiver may take.
    mutating func webhooks() throws(ConfigurationError) -> (NotificationSettings, Int) {
        var notifications = NotificationSettings()
        notifications.targets.allowsHTTP = try flag(.webhookHTTP)
        notifications.targets.allowsPrivate = try flag(.webhookPrivateTargets)
        let timeoutSeconds = try integer(.webhookTimeout)
        let thresholds = try text(.webhookThresholds) { text in
            NotificationSettings.percentages(text) == nil
                ? "must be at most 10 ascending whole percentages between 1 and 1000, as 50,80,100"
                : nil
        }
        notifications.rules.thresholds = NotificationSettings.percentages(thresholds) ?? []
        notifications.rules.runSpikeFactor = Int64(try integer(.webhookRunSpike))
        return (notifications, timeoutSeconds)
    }

    private mutating func note(_ setting: Setting, _ value: String, _ origin: SettingOrigin) {
        lines.append(.init(name: setting.name, value: value, origin: origin))
    }
}
