import Billing
import CanonicalJSON
import Engine
import FaregateTestSupport
import Foundation
import HTTPAPI
import Testing

/// `schemas/openapi.yaml` against the route table and against live answers.
@Suite struct OpenAPITests {
    static let file = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "schemas/openapi.yaml")

    /// `GET /v1/plans listPlans read` of every operation in the file, by its lines: the file is
    /// kept in block form down to there.
    static func described() throws -> Set<String> {
        var found: Set<String> = []
        var (path, method, operation, role) = ("", "", "", "-")
        func finish() {
            if !method.isEmpty { found.insert("\(method) \(path) \(operation) \(role)") }
            (method, operation, role) = ("", "", "-")
        }
        let text = try String(contentsOf: file, encoding: .utf8)
        for line in text.split(separator: "\n") {
            if line.hasPrefix("components:") { break }
            if line.hasPrefix("  /"), line.hasSuffix(":") {
                finish()
                path = String(line.dropFirst(2).dropLast())
            } else if line.hasPrefix("    "), line.hasSuffix(":"),
                let known = HTTPMethod(rawValue: line.dropFirst(4).dropLast().uppercased())
            {
                finish()
                method = known.rawValue
            } else if line.hasPrefix("      operationId: ") {
                operation = String(line.dropFirst(19))
            } else if line.hasPrefix("      x-faregate-role: ") {
                role = String(line.dropFirst(23))
            }
        }
        finish()
        return found
    }

    // What the file describes is what the server has, both ways.
    @Test func routes() throws {
        let table = Set(
            APIRoute.all.map {
                "\($0.method.rawValue) \($0.template) \($0.operationID) \($0.role?.rawValue ?? "-")"
            })
        let described = try Self.described()
        #expect(table.subtracting(described).sorted() == [])
        #expect(described.subtracting(table).sorted() == [])
        #expect(table.count == APIRoute.all.count)
    }

    // Live answers of every operation, good and bad, are as the file describes them.
    @Test func answers() async throws {
        let transcript = try await Transcript.tour()
        let folder = URL.temporaryDirectory.appending(path: "faregate-openapi-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "transcript.jsonl")
        try Data(transcript.bytes).write(to: path)
        let checker = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "check_openapi.py")
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", checker.path(), Self.file.path(), path.path()]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(text)")
    }
}

/// Requests and their answers as JSON lines, the route table first.
struct Transcript {
    private(set) var bytes: [UInt8] = []
    let fixture: APIFixture

    init(_ fixture: APIFixture) {
        self.fixture = fixture
        line { json in
            json.beginObject()
            json.key("routes")
            json.beginArray()
            for route in APIRoute.all {
                json.beginObject()
                json.key("method")
                json.string(route.method.rawValue)
                json.key("operation")
                json.string(route.operationID)
                json.key("query")
                json.beginArray()
                for name in route.query { json.string(name) }
                json.endArray()
                json.key("role")
                if let role = route.role { json.string(role.rawValue) } else { json.null() }
                json.key("template")
                json.string(route.template)
                json.endObject()
            }
            json.endArray()
            json.endObject()
        }
    }

    private mutating func line(_ write: (inout JSONWriter) -> Void) {
        JSONWriter.append(to: &bytes, write)
        bytes.append(UInt8(ascii: "\n"))
    }

    /// Asks and notes both sides. The template is found by its form, not by the code under test.
    @discardableResult
    mutating func ask(
        _ method: String, _ target: String, _ body: String? = nil, secret: String? = nil,
        key: String? = nil, contentType: String = "application/json", accept: String? = nil,
        signature: String? = nil
    ) async -> Answer {
        let answer = await fixture.ask(
            method, target, body, secret: secret, key: key, contentType: contentType,
            accept: accept, signature: signature)
        let path = target.split(separator: "?")[0].split(
            separator: "/", omittingEmptySubsequences: false)
        let route = APIRoute.all.first { route in
            let parts = route.template.split(separator: "/", omittingEmptySubsequences: false)
            return route.method.rawValue == method && parts.count == path.count
                && zip(parts, path).allSatisfy { $0 == $1 || $0.hasPrefix("{") }
        }
        line { json in
            json.beginObject()
            json.key("content_type")
            json.string(answer.response.contentType)
            json.key("headers")
            json.beginArray()
            for header in answer.response.headers { json.string(header.name) }
            json.endArray()
            json.key("method")
            json.string(method)
            json.key("request")
            json.string(body ?? "")
            json.key("request_type")
            json.string(contentType)
            json.key("response")
            json.string(answer.text)
            json.key("route")
            json.string(route?.template ?? "")
            json.key("status")
            json.integer(Int64(answer.status))
            json.key("target")
            json.string(target)
            json.endObject()
        }
        return answer
    }
}
