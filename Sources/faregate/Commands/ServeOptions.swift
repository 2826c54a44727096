import ArgumentParser
import Configuration
import Server

/// How a server is configured: from a file, the environment, and these options over both.
struct ServeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Configuration file, a JSON object. Default: $FAREGATE_CONFIG, else none.",
            valueName: "file"),
        completion: .file(extensions: ["json"]))
    var config: String?

    @Option(
        help: ArgumentHelp("The ledger's file; made if need be.", valueName: "file"),
        completion: .file())
    var db: String?

    @Option(
        help: ArgumentHelp(
            "The read models' file, which may be deleted. Default: the ledger's with .views.",
            valueName: "file"),
        completion: .file())
    var views: String?

    @Option(help: ArgumentHelp("Address to listen on.", valueName: "address"))
    var host: String?

    @Option(help: ArgumentHelp("Port to listen on; 0: the system chooses.", valueName: "number"))
    var port: Int?

    @Option(help: ArgumentHelp("ISO 4217 code of a new ledger's currency.", valueName: "code"))
    var currency: String?

    @Flag(help: "Give a new ledger a clock that callers set. Never for real money.")
    var testClock = false

    @Option(
        help: ArgumentHelp(
            "trace, debug, info, notice, warning, error or critical.", valueName: "level"))
    var logLevel: String?

    @Option(
        help: ArgumentHelp(
            "The providers that the gateway passes calls on to; see docs/gateway.md.",
            valueName: "file"),
        completion: .file(extensions: ["json"]))
    var upstreams: String?

    /// What file, environment and options come to.
    func configuration(_ console: Console) throws(CommandFailure) -> ServerConfiguration {
        try ServerConfiguration.read(config, console, options: options)
    }

    private var options: [String: (value: ConfigContent, option: String)] {
        var options: [String: (value: ConfigContent, option: String)] = [:]
        func set(_ setting: Setting, _ value: ConfigContent?, _ option: String) {
            if let value { options[setting.name] = (value, option) }
        }
        set(.db, db.map { .string($0) }, "--db")
        set(.views, views.map { .string($0) }, "--views")
        set(.host, host.map { .string($0) }, "--host")
        set(.port, port.map { .int($0) }, "--port")
        set(.currency, currency.map { .string($0) }, "--currency")
        set(.testClock, testClock ? .bool(true) : nil, "--test-clock")
        set(.logLevel, logLevel.map { .string($0) }, "--log-level")
        set(.upstreams, upstreams.map { .string($0) }, "--upstreams")
        return options
    }
}

extension ServerConfiguration {
    /// What the file, the environment and `options` come to.
    ///
    /// - Parameter config: path of the file; nil: `$FAREGATE_CONFIG`, else there is none.
    static func read(
        _ config: String?, _ console: Console,
        options: [String: (value: ConfigContent, option: String)] = [:]
    ) throws(CommandFailure) -> ServerConfiguration {
        var file: (path: String, bytes: [UInt8])?
        if let path = config ?? console.variable("FAREGATE_CONFIG") {
            do throws(WholeFile.Failure) {
                file = (path, try WholeFile.read(path, maxBytes: 1 << 20))
            } catch {
                throw CommandFailure(.usage, "the configuration cannot be read: \(error)")
            }
        }
        do throws(ConfigurationError) {
            return try ServerConfiguration(
                file: file, environment: console.environment, options: options)
        } catch {
            throw CommandFailure(.usage, error.description, code: "configuration")
        }
    }
}
