import AsyncHTTPClient
import CanonicalJSON
import Configuration
import Glibc
import Logging
import NIOCore
import NIOHTTP1

@testable import Server

/// A folder of the test's own, deleted with the last reference.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        var template = Array("\(Self.root)/faregate-test-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!) }
        precondition(made != nil, "no folder for temporary files")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        guard let folder = opendir(path) else { return }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { unlink("\(path)/\(name)") }
        }
        closedir(folder)
        rmdir(path)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    private static var root: String {
        guard let named = getenv("TMPDIR") else { return "/tmp" }
        return String(cString: named)
    }
}

let quietLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// A ledger of a test's own, served on a port that the system chooses. Holds on to its folder.
struct Setup: Sendable {
    let folder: TemporaryFolder
    let configuration: ServerConfiguration

    init(
        in folder: TemporaryFolder = TemporaryFolder(), _ options: [String: ConfigContent] = [:]
    ) throws {
        self.folder = folder
        var all: [String: ConfigContent] = [
            "db": .string(folder.file("ledger.db")), "port": .int(0),
            "log_level": .string("error"),
        ]
        all.merge(options) { $1 }
        configuration = try ServerConfiguration(options: all.mapValues { ($0, "test") })
    }

    var ledgerPath: String { folder.file("ledger.db") }
}

/// What a test learns from a running server.
struct RunningServer: Sendable {
    let address: ServerAddress
    let ledger: OpenLedger
    /// Secret of the first key, when one was made.
    let firstKey: String?
}

/// Runs a server while `body` does, then stops it.
func withServer<Result: Sendable>(
    _ setup: Setup,
    _ body: @escaping @Sendable (RunningServer) async throws -> Result
) async throws -> Result {
    defer { withExtendedLifetime(setup) {} }
    let (keys, keyFound) = AsyncStream.makeStream(of: String.self)
    let (openings, opened) = AsyncStream.makeStream(of: RunningServer.self)
    var hooks = ServerHooks()
    hooks.onFirstKey = { keyFound.yield($0) }
    hooks.onReady = { address, ledger in
        keyFound.finish()
        Task {
            var firstKey: String?
            for await key in keys { firstKey = key }
            opened.yield(RunningServer(address: address, ledger: ledger, firstKey: firstKey))
            opened.finish()
        }
    }
    let server = FaregateServer(setup.configuration, logger: quietLogger, hooks: hooks)
    let stop = StopSignal()
    return try await withThrowingTaskGroup(of: ServerStep<Result>.self) { group in
        group.addTask {
            defer { opened.finish() }
            try await server.run(handlingSignals: false, stop: stop)
            return .served
        }
        group.addTask {
            defer { stop.stop() }
            for await running in openings { return .finished(try await body(running)) }
            return .served
        }
        var result: Result?
        while let step = try await group.next() {
            if case .finished(let value) = step { result = value }
        }
        guard let result else { throw NeverReady() }
        return result
    }
}

private enum ServerStep<Result: Sendable>: Sendable {
    case served
    case finished(Result)
}

struct NeverReady: Error {}

/// One request over HTTP.
func ask(
    _ server: RunningServer, _ method: String, _ path: String, key: String? = nil,
    body: String? = nil
) async throws -> (status: Int, json: JSONValue) {
    var request = HTTPClientRequest(url: server.address.url + path)
    request.method = HTTPMethod(rawValue: method)
    if let key { request.headers.add(name: "Authorization", value: "Bearer \(key)") }
    if let body {
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(Array(body.utf8))
    }
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
    let bytes = try await response.body.collect(upTo: 16 << 20)
    let json = (try? StrictJSON.parse(Array(bytes.readableBytesView))) ?? .null
    return (Int(response.status.code), json)
}

extension JSONValue {
    subscript(_ name: String) -> JSONValue? {
        guard case .object(let object) = self else { return nil }
        return object[name]
    }
}
