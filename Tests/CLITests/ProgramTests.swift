import Billing
import CanonicalJSON
import Engine
import Glibc
import Server
import Testing

@testable import faregate

/// What only the real program can show: signals, files, exit statuses.
@Suite struct ProgramTests {
    /// A server as its own process, on a port of the system's choice.
    private struct Served {
        let program: Program
        let folder: TemporaryFolder
        let cli: Shell
        let port: Int
    }

    private static let key = "fg_administrator-of-the-tests"

    private func serve(
        _ folder: TemporaryFolder, named name: String = "server", _ more: [String] = []
    ) async throws -> Served {
        let portFile = folder.file("\(name).port")
        unlink(portFile)
        let program = try Program(
            ["serve", "--db", folder.file("ledger.db"), "--port", "0", "--port-file", portFile]
                + more,
            in: folder, named: name, environment: ["FAREGATE_ADMIN_KEY": Self.key])
        let text = try await Program.appearance(of: portFile)
        let port = try #require(Int(text.dropLast()))
        return Served(
            program: program, folder: folder,
            cli: Shell(environment: [
                "FAREGATE_URL": "http://127.0.0.1:\(port)", "FAREGATE_KEY": Self.key,
            ]), port: port)
    }

    // Ready is one line on standard output with the URL; SIGTERM and SIGINT end the server with 0.
    @Test(arguments: [SIGTERM, SIGINT])
    func readyLineAndSignals(signal: Int32) async throws {
        let folder = TemporaryFolder()
        let server = try await serve(folder)
        #expect(
            server.program.out.hasPrefix(
                "faregate is ready at http://127.0.0.1:\(server.port) (ledger /"))
        #expect(server.program.out.split(separator: "\n").count == 1)
        try await server.cli.must("customer", "create", "a")
        server.program.signal(signal)
        #expect(try await server.program.end() == 0)
        #expect(
            try await Shell().must("customer", "list", "--db", folder.file("ledger.db")).contains(
                "a"))
    }

    // Requests under way when the server is told to stop are answered, and what was answered is
    // there afterwards.
    @Test func stoppingUnderLoad() async throws {
        let folder = TemporaryFolder()
        let server = try await serve(folder)
        let created = try await withThrowingTaskGroup(of: [String].self) { group in
            for caller in 0..<8 {
                group.addTask {
                    var created: [String] = []
                    for number in 0..<500 {
                        let id = "c\(caller)-\(number)"
                        let outcome = await server.cli.run("customer", "create", id)
                        if outcome.status == 0 { created.append(id) } else { return created }
                    }
                    return created
                }
            }
            group.addTask {
                try await Task.sleep(for: .milliseconds(700))
                server.program.signal(SIGTERM)
                return []
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(try await server.program.end() == 0)
        #expect(!created.isEmpty)
        let ledger = try await OpenLedger.owned(path: folder.file("ledger.db"))
        let known = try await ledger.engine.read { Set($0.state.customers.keys.map(\.id)) }
        await ledger.shutdown()
        #expect(created.filter { !known.contains($0) } == [])
    }

    // The second server on a file ends with 5 and says which process has it.
    @Test func twoServersOnOneFile() async throws {
        let folder = TemporaryFolder()
        let server = try await serve(folder)
        let second = try Program(
            ["serve", "--db", folder.file("ledger.db"), "--port", "0"], in: folder, named: "second")
        #expect(try await second.end() == 5)
        #expect(second.out == "")
        #expect(
            second.error.hasPrefix("error: ")
                && second.error.hasSuffix(
                    "is in use by process \(server.program.processID) (locked)\n"),
            "\(second.error)")
        server.program.signal(SIGTERM)
        #expect(try await server.program.end() == 0)
    }

    // A port that is taken ends the start with 5.
    @Test func portTaken() async throws {
        let (folder, other) = (TemporaryFolder(), TemporaryFolder())
        let server = try await serve(folder)
        let second = try Program(
            [
                "serve", "--db", other.file("ledger.db"), "--port", "\(server.port)", "--log-level",
                "critical",
            ],
            in: other, environment: ["FAREGATE_ADMIN_KEY": Self.key])
        #expect(try await second.end() == 5)
        #expect(second.error.hasSuffix("choose another --port (port_taken)\n"), "\(second.error)")
        server.program.signal(SIGTERM)
        #expect(try await server.program.end() == 0)
    }

    // The first start of a new ledger without any key shows the first one, clearly marked and once.
    @Test func firstKeyIsShownOnce() async throws {
        let folder = TemporaryFolder()
        let arguments = ["serve", "--db", folder.file("ledger.db"), "--port", "0", "--port-file"]
        let first = try Program(arguments + [folder.file("1.port")], in: folder, named: "first")
        let port = try await Program.appearance(of: folder.file("1.port")).dropLast()
        let line = try #require(first.error.split(separator: "\n").first { $0.hasPrefix("  fg_") })
        let secret = String(line.dropFirst(2))
        let cli = Shell(environment: [
            "FAREGATE_URL": "http://127.0.0.1:\(port)", "FAREGATE_KEY": secret,
        ])
        try await cli.must("key", "list")
        first.signal(SIGTERM)
        #expect(try await first.end() == 0)
        let second = try Program(arguments + [folder.file("2.port")], in: folder, named: "second")
        _ = try await Program.appearance(of: folder.file("2.port"))
        #expect(!second.error.contains("fg_"))
        second.signal(SIGTERM)
        #expect(try await second.end() == 0)
    }

    // A full disk (here: a limit on the size of files) at the start is one line and ends with 5,
    // whether the tables do not fit or the first events.
    @Test(arguments: [70, 160])
    func fullDiskAtTheStart(blocks: Int) async throws {
        let folder = TemporaryFolder()
        let program = try Program(
            ["serve", "--db", folder.file("ledger.db"), "--port", "0"], in: folder,
            fileBlocksMax: blocks)
        #expect(try await program.end() == 5)
        #expect(program.error.split(separator: "\n").count == 1)
        #expect(program.error.hasPrefix("error: \(folder.file("ledger.db")): the disk is full"))
        #expect(program.error.hasSuffix("(full)\n"), "\(program.error)")
    }

    // The statuses of the documentation are those of the process.
    @Test(
        arguments: [
            (["--version"], 0), (["frobnicate"], 2),
            (["customer", "list", "--url", "http://127.0.0.1:1"], 4),
            (["customer", "list", "--db", "/nonexistent/ledger.db"], 5),
        ] as [([String], Int32)])
    func exitStatuses(arguments: [String], status: Int32) async throws {
        let folder = TemporaryFolder()
        let program = try Program(arguments, in: folder)
        #expect(try await program.end() == status)
        withExtendedLifetime(folder) {}
    }

    // `config check` prints every setting with its origin, and never a secret.
    @Test func configCheck() async throws {
        let folder = TemporaryFolder()
        try WholeFile.replace(
            folder.file("faregate.json"), with: Array(#"{"port": 9000, "queue_max": 128}"#.utf8))
        let program = try Program(
            ["config", "check", "--config", folder.file("faregate.json"), "--host", "::1"],
            in: folder,
            environment: ["FAREGATE_ADMIN_KEY": Self.key, "FAREGATE_PROT": "1"])
        #expect(try await program.end() == 0)
        #expect(program.error == "warning: FAREGATE_PROT is no setting of faregate\n")
        let rows = program.out.split(separator: "\n").map { line in
            line.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
        }
        func row(_ name: String) -> [String] { rows.first { $0.first == name } ?? [] }
        #expect(row("port").prefix(3) == ["port", "9000", folder.file("faregate.json")])
        #expect(row("host").prefix(4) == ["host", "::1", "option", "--host"])
        #expect(
            row("admin_key").prefix(4) == [
                "admin_key", "[redacted]", "environment", "FAREGATE_ADMIN_KEY",
            ])
        #expect(row("currency").prefix(3) == ["currency", "USD", "default"])
        #expect(!program.out.contains(Self.key))
    }

    // Keys in a file that others can read are warned of, with the command that mends it.
    @Test func readableKeys() async throws {
        let folder = TemporaryFolder()
        let path = folder.file("upstreams.json")
        try WholeFile.replace(
            path,
            with: Array(
                #"{"upstreams":{"a":{"dialect":"openai","base_url":"https://h","key":"k"}}}"#.utf8))
        for (mode, warning) in [(0o644, "chmod 600 \(path)\n"), (0o600, "")] as [(mode_t, String)] {
            chmod(path, mode)
            let program = try Program(["config", "check", "--upstreams", path], in: folder)
            #expect(try await program.end() == 0)
            #expect(program.error.hasSuffix(warning) && program.error.isEmpty == warning.isEmpty)
        }
    }
}
