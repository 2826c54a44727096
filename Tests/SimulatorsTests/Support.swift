import AsyncHTTPClient
import CanonicalJSON
import NIOCore
import NIOHTTP1
import Testing

@testable import Simulators

/// A simulator on a port of its own, and a client for it.
struct SimulatorFixture: Sendable {
    static let key = "sim_key_of_the_tests"

    let simulator: ProviderSimulator
    let url: String

    static func run(
        _ configure: (inout ProviderSimulator.Configuration) -> Void = { _ in },
        _ body: @escaping @Sendable (SimulatorFixture) async throws -> Void
    ) async throws {
        var configuration = ProviderSimulator.Configuration()
        configuration.key = key
        configure(&configuration)
        let simulator = ProviderSimulator(configuration)
        try await simulator.serving { url in
            try await body(SimulatorFixture(simulator: simulator, url: url))
        }
    }

    struct Answer: Sendable {
        var status: Int
        var headers: [String: String]
        var text: String
        /// The connection ended before the answer did.
        var isBroken = false

        var json: JSONValue {
            get throws { try StrictJSON.parse(text) }
        }

        /// The data of each event.
        var data: [String] {
            text.split(separator: "\n")
                .filter { $0.hasPrefix("data: ") }
                .map { String($0.dropFirst("data: ".count)) }
        }

        /// The data of each event that is JSON.
        var events: [JSONValue] { data.compactMap { try? StrictJSON.parse($0) } }
    }

    func post(
        _ path: String, _ body: String, headers: [String: String] = [:], key: String? = key
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: url + path)
        request.method = .POST
        request.body = .bytes(ByteBuffer(string: body))
        return try await send(&request, headers, key)
    }

    func get(_ path: String, headers: [String: String] = [:]) async throws -> Answer {
        var request = HTTPClientRequest(url: url + path)
        return try await send(&request, headers, Self.key)
    }

    private func send(
        _ request: inout HTTPClientRequest, _ headers: [String: String], _ key: String?
    ) async throws -> Answer {
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let key {
            let isAnthropic = headers["anthropic-version"] != nil
            request.headers.add(
                name: isAnthropic ? "x-api-key" : "authorization",
                value: isAnthropic ? key : "Bearer \(key)")
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        var answer = Answer(status: Int(response.status.code), headers: [:], text: "")
        for (name, value) in response.headers { answer.headers[name.lowercased()] = value }
        var bytes: [UInt8] = []
        do {
            for try await part in response.body { bytes += Array(part.readableBytesView) }
        } catch {
            answer.isBroken = true
        }
        answer.text = String(decoding: bytes, as: UTF8.self)
        return answer
    }

    // MARK: Dialects

    func chat(
        _ members: String, prompt: String = "Hello", headers: [String: String] = [:]
    ) async throws -> Answer {
        let more = members.isEmpty ? "" : "," + members
        return try await post(
            "/v1/chat/completions",
            #"{"model":"gpt-4o","messages":[{"role":"user","content":"\#(prompt)"}]\#(more)}"#,
            headers: headers)
    }

    func message(_ members: String, prompt: String = "Hello") async throws -> Answer {
        let more = members.isEmpty ? "" : "," + members
        return try await post(
            "/v1/messages",
            #"{"model":"claude-haiku-4-5","max_tokens":500,"messages":[{"role":"user","content":"\#(prompt)"}]\#(more)}"#,
            headers: ["anthropic-version": "2023-06-01"])
    }

    func responses(_ members: String, prompt: String = "Hello") async throws -> Answer {
        let more = members.isEmpty ? "" : "," + members
        return try await post(
            "/v1/responses", #"{"model":"gpt-5-mini","input":"\#(prompt)"\#(more)}"#)
    }

    /// The newest request, once it has ended.
    func newest() async throws -> ServedRequest {
        for _ in 0..<400 {
            if let last = simulator.books.requests.last, last.end != .inFlight { return last }
            try await Task.sleep(for: .milliseconds(10))
        }
        return try #require(simulator.books.requests.last)
    }
}

/// Walks into JSON: `at(json, "choices", "0", "message")`.
func at(_ value: JSONValue, _ path: String...) -> JSONValue? {
    path.reduce(value) { value, step in
        guard let value else { return nil }
        if let index = Int(step) {
            return value.items.indices.contains(index) ? value.items[index] : nil
        }
        return value[step]
    }
}
