import Configuration
import Logging
import Testing

@testable import Server

@Suite struct ConfigurationTests {
    private func configuration(
        file: String? = nil, environment: [String: String] = [:],
        options: [String: (value: ConfigContent, option: String)] = [:]
    ) throws(ConfigurationError) -> ServerConfiguration {
        try ServerConfiguration(
            file: file.map { (path: "conf.json", bytes: Array($0.utf8)) },
            environment: environment, options: options)
    }

    // Without anything the documented defaults hold, and the server is reachable from this machine
    // only.
    @Test func defaults() throws {
        let found = try configuration()
        #expect(found.databasePath == "faregate.db")
        #expect(found.host == "127.0.0.1")
        #expect(found.port == 8080)
        #expect(found.adminKey == nil)
        #expect(found.isTestClock == false)
        #expect(found.currency == "USD")
        #expect(found.logLevel == .info)
        #expect(found.expectedOutputPerThousand == 950)
        #expect(found.report.map(\.name) == Setting.all.map(\.name))
        #expect(found.report.allSatisfy { $0.origin == .fallback })
    }

    // Default < file < environment < command line, setting by setting, and the origin is told.
    @Test func layersOverrideEachOther() throws {
        let found = try configuration(
            file: #"{"port": 1, "host": "file", "queue_max": 100, "test_clock": true, "#
                + #""expected_output_per_thousand": 0}"#,
            environment: [
                "FAREGATE_PORT": "2", "FAREGATE_HOST": "env", "FAREGATE_TEST_CLOCK": "false",
            ],
            options: ["port": (value: 3, option: "--port")])
        #expect(found.port == 3)
        #expect(found.host == "env")
        #expect(found.queueMax == 100)
        #expect(found.expectedOutputPerThousand == 0)
        #expect(found.isTestClock == false)
        func origin(_ name: String) -> SettingOrigin? {
            found.report.first { $0.name == name }?.origin
        }
        #expect(origin("port") == .commandLine("--port"))
        #expect(origin("host") == .environment("FAREGATE_HOST"))
        #expect(origin("queue_max") == .file("conf.json"))
        #expect(origin("currency") == .fallback)
    }

    // A variable that is empty counts as not set, as it does in most container set-ups.
    @Test func emptyVariableIsUnset() throws {
        #expect(try configuration(environment: ["FAREGATE_PORT": ""]).port == 8080)
    }

    // Every fault names its setting and where the value came from.
    @Test(arguments: [
        (#"{"prot": 1}"#, "prot", "prot is not a known field (conf.json)"),
        (#"{"port": "80"}"#, "port", "port must be an integer, not a string (conf.json)"),
        (#"{"port": 70000}"#, "port", "port must be between 0 and 65535 (conf.json)"),
        (#"{"port": 1.0}"#, "port", "without fraction"),
        (#"{"test_clock": 1}"#, "test_clock", "test_clock must be true or false"),
        (#"{"currency": "usd"}"#, "currency", "currency must be an ISO 4217 code"),
        (#"{"log_level": "loud"}"#, "log_level", "log_level must be one of trace"),
        (#"{"db": ""}"#, "db", "db must not be empty"),
        (#"{"port": 1, "port": 2}"#, "", "duplicate"),
        (#"[]"#, "", "must be an object"),
        (#"{"#, "", "conf.json"),
    ])
    func faultsInTheFile(text: String, setting: String, message: String) {
        let fault = #expect(throws: ConfigurationError.self) { try configuration(file: text) }
        #expect(fault?.setting == setting)
        #expect(fault?.description.contains(message) == true, "\(String(describing: fault))")
    }

    // The same for the environment, whose values are all text.
    @Test(arguments: [
        ("FAREGATE_PORT", "eighty", "port", "environment FAREGATE_PORT"),
        ("FAREGATE_PORT", "65536", "port", "between 0 and 65535, not 65536"),
        (
            "FAREGATE_EXPECTED_OUTPUT_PER_THOUSAND", "1001", "expected_output_per_thousand",
            "between 0 and 1000, not 1001"
        ),
        ("FAREGATE_TEST_CLOCK", "perhaps", "test_clock", "must be true or false"),
        ("FAREGATE_ADMIN_KEY", "short", "admin_key", "at least 20 characters"),
        ("FAREGATE_ADMIN_KEY", "has a space in the middle", "admin_key", "without spaces"),
        ("FAREGATE_REQUEST_TIMEOUT_SECONDS", "0", "request_timeout_seconds", "between 1 and 3600"),
    ])
    func faultsInTheEnvironment(variable: String, value: String, setting: String, message: String) {
        let fault = #expect(throws: ConfigurationError.self) {
            try configuration(environment: [variable: value])
        }
        #expect(fault?.setting == setting)
        #expect(fault?.description.contains(message) == true, "\(String(describing: fault))")
    }

    // A secret is masked in the report and never part of an error.
    @Test func secretsStaySecret() throws {
        let secret = "s3cret-s3cret-s3cret-s3cret"
        let found = try configuration(environment: ["FAREGATE_ADMIN_KEY": secret])
        #expect(found.adminKey == secret)
        let line = try #require(found.report.first { $0.name == "admin_key" })
        #expect(line.value == "[redacted]")
        let fault = #expect(throws: ConfigurationError.self) {
            try configuration(file: #"{"admin_key": "tiny secret"}"#)
        }
        #expect(fault?.description.contains("tiny") == false)
    }

    // A variable of ours that means nothing is pointed out; those of the client are not ours.
    @Test func strangeVariables() throws {
        let found = try configuration(environment: [
            "FAREGATE_PROT": "1", "FAREGATE_URL": "http://x", "PATH": "/bin",
        ])
        #expect(found.strangeVariables == ["FAREGATE_PROT"])
    }
}
