import CanonicalJSON
import Configuration
import Gateway
import Glibc
import HTTPAPI
import Testing

@testable import Server

/// The gateway as part of a server: its file, its paths, its figures.
@Suite struct GatewayServerTests {
    private let folder = TemporaryFolder()

    private func upstreams(_ text: String) throws -> String {
        let path = folder.file("upstreams.json")
        try WholeFile.replace(path, with: Array(text.utf8))
        return path
    }

    private func configuration(
        _ path: String, environment: [String: String] = [:]
    ) throws(ConfigurationError) -> ServerConfiguration {
        try ServerConfiguration(
            environment: environment, options: ["upstreams": (.string(path), "--upstreams")])
    }

    // The file is read with the configuration, keys from the environment, and no report has a key.
    @Test func file() throws {
        let path = try upstreams(
            #"{"upstreams":{"a":{"dialect":"openai","base_url":"https://h","key_env":"FAREGATE_A"},"#
                + #""b":{"dialect":"anthropic","base_url":"https://h","key":"canary-b"}}}"#)
        let found = try configuration(path, environment: ["FAREGATE_A": "canary-a"])
        #expect(found.gateway.upstreams.map(\.key?.secret) == ["canary-a", "canary-b"])
        #expect(found.strangeVariables == [])
        #expect(found.report.first { $0.name == "upstreams" }?.value == path)
        var shown = "\(found.report)"
        dump(found.gateway, to: &shown)
        #expect(!shown.contains("canary"))
    }

    // What is wrong is named with the file it is in, and no value of it is shown.
    @Test func faults() throws {
        let absent = folder.file("absent.json")
        var error = #expect(throws: ConfigurationError.self) { _ = try configuration(absent) }
        #expect(error?.setting == "upstreams")
        #expect(error?.description.contains("absent.json") == true)
        let path = try upstreams(
            #"{"upstreams":{"a":{"dialect":"openai","base_url":"https://u:canary@h"}}}"#)
        error = #expect(throws: ConfigurationError.self) { _ = try configuration(path) }
        #expect(error?.setting == "upstreams.a.base_url")
        #expect(error?.description.contains(path) == true)
        #expect(error?.description.contains("canary") == false)
        _ = try upstreams(#"{"upstreams":"#)
        error = #expect(throws: ConfigurationError.self) { _ = try configuration(path) }
        #expect(error?.description.contains(path) == true)
    }

    // A file with keys that others can read, and a key over plain HTTP, are found by the doctor.
    @Test func doctor() throws {
        let path = try upstreams(
            #"{"upstreams":{"a":{"dialect":"openai","base_url":"http://far.example","key":"k"},"#
                + #""b":{"dialect":"openai","base_url":"http://127.0.0.1:1","key":"k"}}}"#)
        let check = try #require(Doctor(try configuration(path)).upstreams())
        #expect(check.result == .warn)
        #expect(check.finding.contains("can be read by others"))
        #expect(check.remedy?.hasPrefix("chmod 600 \(path); ") == true)
        #expect(try configuration(path).exposedKeysPath == path)
        chmod(path, 0o600)
        #expect(try configuration(path).exposedKeysPath == nil)
        #expect(try Doctor(configuration(path)).upstreams()?.finding.contains(path) == false)
        #expect(check.finding.contains("'a'") && !check.finding.contains("'b'"))
        #expect(Doctor(try ServerConfiguration()).upstreams() == nil)
    }

    // Paths of an upstream go to it, all others to the API, and the figures say so.
    @Test func serving() async throws {
        let path = try upstreams(
            #"{"upstreams":{"nowhere":{"dialect":"openai","base_url":"http://127.0.0.1:1","#
                + #""retries":0}}}"#)
        let setup = try Setup(["upstreams": .string(path)])
        try await withServer(setup) { server in
            let key = try #require(server.firstKey)
            let stranger = try await ask(server, "GET", "/nowhere/v1/models")
            #expect(stranger.status == 401)
            let models = try await ask(server, "GET", "/nowhere/v1/models", key: key)
            #expect(models.status == 502)
            #expect(models.json["error"]?["code"] == .string("upstream_unreachable"))
            #expect(try await ask(server, "GET", "/v1/plans", key: key).status == 200)
            #expect(try await ask(server, "GET", "/other/v1/models", key: key).status == 404)
            let text = String(
                decoding: server.ledger.api.metricsText(), as: UTF8.self)
            #expect(
                text.contains(
                    #"faregate_gateway_requests_total{upstream="nowhere",dialect="openai","#
                        + #"outcome="unreachable"} 1"#))
        }
    }
}
