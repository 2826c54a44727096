import CanonicalJSON
import Configuration
import Glibc
import Logging
import Synchronization
import Testing

@testable import Server
@testable import faregate

/// A folder of the test's own, deleted with the last reference.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        let root = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(root)/faregate-cli-XXXXXX".utf8CString)
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
}

/// What a command line came to.
struct Outcome: Sendable {
    var status: Int32
    var out: String
    var error: String

    func json() throws -> JSONValue { try StrictJSON.parse(out) }
}

/// Runs command lines in this process.
struct Shell: Sendable {
    var environment: [String: String] = [:]

    func run(_ arguments: String...) async -> Outcome { await run(arguments) }

    func run(_ arguments: [String]) async -> Outcome {
        final class Sink: Sendable {
            let text = Mutex("")
            func add(_ piece: String) { text.withLock { $0 += piece } }
        }
        let (out, error) = (Sink(), Sink())
        let console = Console(
            writeOut: { out.add($0) }, writeError: { error.add($0) }, isErrorTerminal: false,
            isOutTerminal: false, width: 100, environment: environment)
        let status = await Faregate.run(arguments, console)
        return Outcome(
            status: status, out: out.text.withLock { $0 }, error: error.text.withLock { $0 })
    }

    /// For steps that must succeed; returns what they printed.
    @discardableResult
    func must(
        _ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let outcome = await run(arguments)
        try #require(
            outcome.status == 0, "\(arguments): \(outcome.error)", sourceLocation: sourceLocation)
        return outcome.out
    }
}

/// A server in this process with a command line that speaks to it.
struct LiveServer: Sendable {
    let folder: TemporaryFolder
    let address: ServerAddress
    let ledger: OpenLedger
    let cli: Shell

    static let adminKey = "fg_administrator-of-the-tests"

    var ledgerPath: String { folder.file("ledger.db") }

    /// Runs `body` beside a server on a new ledger.
    static func run(
        _ settings: [String: ConfigContent] = [:],
        _ body: @escaping @Sendable (LiveServer) async throws -> Void
    ) async throws {
        let folder = TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        var all: [String: ConfigContent] = [
            "db": .string(folder.file("ledger.db")), "port": .int(0),
            "admin_key": .string(adminKey),
        ]
        all.merge(settings) { $1 }
        let configuration = try ServerConfiguration(options: all.mapValues { ($0, "test") })
        let (openings, opened) = AsyncStream.makeStream(of: LiveServer.self)
        var hooks = ServerHooks()
        hooks.onReady = { address, ledger in
            let cli = Shell(environment: [
                "FAREGATE_URL": address.url, "FAREGATE_KEY": adminKey,
            ])
            opened.yield(
                LiveServer(folder: folder, address: address, ledger: ledger, cli: cli))
        }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let server = FaregateServer(configuration, logger: logger, hooks: hooks)
        let stop = StopSignal()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { opened.finish() }
                try await server.run(handlingSignals: false, stop: stop)
            }
            group.addTask {
                defer { stop.stop() }
                for await live in openings {
                    try await body(live)
                    return
                }
            }
            try await group.waitForAll()
        }
    }
}
