import CanonicalJSON
import Configuration
import Glibc
import HTTPAPI
import Server
import Testing

@testable import faregate

@Suite struct VerifyTests {
    private func fill(_ cli: Shell) async throws {
        try await cli.must(
            "budget", "set", "b", "--amount", "5", "--window", "day", "--per", "customer")
        for customer in ["a", "b"] {
            try await cli.must("credit", "grant", customer, "3")
            for number in 1...3 {
                let id = "\(customer)\(number)"
                try await cli.must(
                    "reserve", id, "--customer", customer, "--model", "x", "--amount", "1")
            }
            try await cli.must("settle", "\(customer)1", "--amount", "0.4")
            try await cli.must("release", "\(customer)2")
        }
    }

    // A sound ledger passes every check: over the API, beside the server, and at rest.
    @Test func soundLedger() async throws {
        let folder = TemporaryFolder()
        try await LiveServer.run(["db": .string(folder.file("x.db"))]) { server in
            try await fill(server.cli)
            let live = await server.cli.run("verify")
            #expect(live.status == 0, "\(live.error)")
            #expect(live.out.hasSuffix("The ledger is sound.\n"))
            #expect(live.out.contains("balances"))
            let beside = await Shell().run("verify", "--db", folder.file("x.db"))
            #expect(beside.status == 0, "\(beside.error)")
        }
        let atRest = await Shell().run("verify", "--db", folder.file("x.db"), "--json")
        #expect(atRest.status == 0)
        #expect(try atRest.json()["passed"].flag)
        let names = try atRest.json()["checks"].items.map { $0["name"].word }
        #expect(names.contains("replay"))
        #expect(names.contains("merkle"))
    }

    // The state in the memory of the process that owns the ledger is the fold of the log, byte for
    // byte.
    @Test func ownedLedger() async throws {
        try await LiveServer.run { server in
            try await fill(server.cli)
            let console = Console(
                writeOut: { _ in }, writeError: { _ in }, isErrorTerminal: false,
                isOutTerminal: false, width: 80, environment: [:])
            let result = try await VerifyCommand.verifyOwned(server.ledger, console)
            #expect(result.passed)
            let replay = try #require(result.checks.first { $0.name == "replay" })
            #expect(replay.examined == result.sequence)
        }
    }

    // One changed byte in the file is found, and the command ends with 1.
    @Test func damagedFile() async throws {
        let folder = TemporaryFolder()
        let path = folder.file("x.db")
        try await LiveServer.run(["db": .string(path)]) { try await fill($0.cli) }
        var bytes = try WholeFile.read(path)
        let text = Array(#""charge":"0.4""#.utf8)
        // All copies: SQLite leaves old ones behind in the free part of its pages.
        let places = bytes.indices.filter { bytes[$0...].starts(with: text) }
        #expect(!places.isEmpty)
        for place in places { bytes[place + text.count - 2] = UInt8(ascii: "3") }
        try WholeFile.replace(path, with: bytes)
        let outcome = await Shell().run("verify", "--db", path)
        #expect(outcome.status == 1 || outcome.status == 5, "\(outcome)")
        #expect(outcome.out.contains("NOT sound") || outcome.error.contains("(corrupt)"))
    }

    /// Passes requests on and changes answers, as a server that lies would.
    private struct Liar: LedgerClient {
        let client: any LedgerClient
        let lie: @Sendable (APIRequest, inout APIResponse) -> Void

        func send(_ request: APIRequest) async throws(CommandFailure) -> APIResponse {
            var response = try await client.send(request)
            lie(request, &response)
            return response
        }

        func close() async { await client.close() }
    }

    private func verification(
        of server: LiveServer, _ lie: @escaping @Sendable (APIRequest, inout APIResponse) -> Void
    ) async throws -> Verification {
        let client = try HTTPLedgerClient(
            url: server.address.url, key: LiveServer.adminKey, timeoutSeconds: 30)
        let console = Console(
            writeOut: { _ in }, writeError: { _ in }, isErrorTerminal: false, isOutTerminal: false,
            width: 80, environment: [:])
        let session = LedgerSession(
            client: Liar(client: client, lie: lie), wantsJSON: false, console: console)
        defer { withExtendedLifetime(client) {} }
        do {
            let result = try await VerifyCommand.verifyServer(session)
            await client.close()
            return result
        } catch {
            await client.close()
            throw error
        }
    }

    private static func replace(_ text: String, by other: String, in response: inout APIResponse) {
        let (old, new) = (Array(text.utf8), Array(other.utf8))
        guard
            let place = response.body.indices.first(where: {
                response.body[$0...].starts(with: old)
            })
        else { return }
        response.body.replaceSubrange(place..<place + old.count, with: new)
    }

    private func failed(_ result: Verification) -> Set<String> {
        Set(result.checks.filter { $0.violationCount > 0 }.map(\.name))
    }

    // A server that hands out another event than it has in its tree is found by the checkpoint's
    // root.
    @Test func changedEvent() async throws {
        try await LiveServer.run { server in
            try await fill(server.cli)
            let result = try await verification(of: server) { request, response in
                guard request.path == "/v1/events" else { return }
                Self.replace(#""charge":"0.4""#, by: #""charge":"0.3""#, in: &response)
            }
            #expect(failed(result).contains("checkpoint"))
            #expect(!result.passed)
        }
    }

    // A balance that is not the fold of the log is found, for whichever customer.
    @Test func changedBalance() async throws {
        try await LiveServer.run { server in
            try await fill(server.cli)
            let honest = try await verification(of: server) { _, _ in }
            #expect(honest.passed)
            let result = try await verification(of: server) { request, response in
                guard request.path == "/v1/customers/b/balance" else { return }
                Self.replace(#""charge":"0.4""#, by: #""charge":"0.5""#, in: &response)
            }
            #expect(failed(result) == ["balances"])
            let found = result.checks.flatMap(\.violations)
            #expect(found == ["default/b: charge is answered as 0.5, the log says 0.4"])
        }
    }

    // Calls that go on during the comparison do not disturb it.
    @Test func movingServer() async throws {
        try await LiveServer.run { server in
            try await fill(server.cli)
            let engine = server.ledger.api
            let result = try await verification(of: server) { request, _ in
                guard request.path.hasSuffix("/balance") else { return }
                // Between one balance and the next the log moves on.
                Task {
                    _ = await engine.respond(
                        to: APIRequest(
                            "POST", segments: ["v1", "plans"], json: Array(#"{"id":"p"}"#.utf8),
                            principal: .operatorProcess))
                }
            }
            #expect(result.passed)
        }
    }

    // Events are cut out of a page by bytes: brackets and quotes inside strings do not mislead.
    @Test func cuttingEvents() throws {
        let first = #"{"a":"]}\"{","b":[1,{"c":2}]}"#
        let second = #"{"d":"\\"}"#
        let page = Array(#"{"data":[\#(first),\#(second)],"has_more":false,"next":2}"#.utf8)
        let events = try RemoteLog.events(of: page).map {
            String(decoding: page[$0], as: UTF8.self)
        }
        #expect(events == [first, second])
        #expect(try RemoteLog.events(of: Array(#"{"data":[],"next":0}"#.utf8)).isEmpty)
    }

    @Test(arguments: ["", "[]", #"{"data":["#, #"{"data":[{"a":1}"#, #"{"data":[{"a":"]}"#])
    func pagesThatCannotBeRead(text: String) {
        #expect(throws: CommandFailure.self) { try RemoteLog.events(of: Array(text.utf8)) }
    }
}
