import Billing
import CanonicalJSON
import Configuration
import Engine
import EventLog
import Glibc
import HTTPAPI
import SQLiteEventLog
import Testing

@testable import Server

@Suite struct ServerTests {
    // A new ledger gets a first key; with it the API can be used; the next start makes no other.
    @Test func firstStartMakesOneKey() async throws {
        let setup = try Setup()
        let key = try await withServer(setup) { server in
            let key = try #require(server.firstKey)
            let listed = try await ask(server, "GET", "/v1/keys", key: key)
            #expect(listed.status == 200)
            let stranger = try await ask(server, "GET", "/v1/keys")
            #expect(stranger.status == 401)
            return key
        }
        try await withServer(setup) { server in
            #expect(server.firstKey == nil)
            let listed = try await ask(server, "GET", "/v1/keys", key: key)
            #expect(listed.status == 200)
        }
    }

    // With an admin_key in the configuration that secret is an administrator, and no key is made.
    @Test func configuredAdminKeyWorks() async throws {
        let secret = "fg_configured-by-the-operator"
        let setup = try Setup(["admin_key": .string(secret)])
        try await withServer(setup) { server in
            #expect(server.firstKey == nil)
            let made = try await ask(
                server, "POST", "/v1/keys", key: secret, body: #"{"role":"read","id":"reader"}"#)
            #expect(made.status == 201)
            let events = try await ask(server, "GET", "/v1/events?type=key.created", key: secret)
            guard case .array(let found) = events.json["data"] else {
                Issue.record("no events")
                return
            }
            #expect(found.first?["actor"] == .string("bootstrap"))
        }
    }

    // Stopping finishes what was accepted and closes the file: the next process can take it at
    // once, and everything that was acknowledged is there.
    @Test func stoppingClosesTheLedger() async throws {
        let setup = try Setup()
        try await withServer(setup) { server in
            let key = try #require(server.firstKey)
            for number in 1...20 {
                let made = try await ask(
                    server, "POST", "/v1/customers", key: key, body: #"{"id":"c\#(number)"}"#)
                #expect(made.status == 201)
            }
        }
        let ledger = try await OpenLedger.owned(path: setup.ledgerPath)
        let count = try await ledger.engine.read { $0.state.customers.count }
        #expect(count == 20)
        await ledger.shutdown()
    }

    // Cancelling the task that serves ends it too, and closes the file.
    @Test func cancellingEndsTheServer() async throws {
        let setup = try Setup()
        let (openings, opened) = AsyncStream.makeStream(of: ServerAddress.self)
        var hooks = ServerHooks()
        hooks.onReady = { address, _ in opened.yield(address) }
        let server = FaregateServer(setup.configuration, logger: quietLogger, hooks: hooks)
        let serving = Task { try await server.run(handlingSignals: false) }
        for await _ in openings { break }
        serving.cancel()
        try await serving.value
        let ledger = try await OpenLedger.owned(path: setup.ledgerPath)
        await ledger.shutdown()
    }

    // The three unauthenticated routes answer, and the contract is served from the binary.
    @Test func healthReadinessAndContract() async throws {
        try await withServer(Setup()) { server in
            let health = try await ask(server, "GET", "/healthz")
            #expect(health.json["status"] == .string("ok"))
            let readiness = try await ask(server, "GET", "/readyz")
            #expect(readiness.json["state"] == .string("healthy"))
            let served = try await ask(server, "GET", "/openapi.yaml")
            #expect(served.status == 200)
            let contract = await server.ledger.api.respond(
                to: APIRequest("GET", path: "/openapi.yaml"))
            #expect(String(decoding: contract.body, as: UTF8.self).contains("openapi: 3.1"))
        }
    }

    // A body above the limit is refused with 413; the limit is the configured one.
    @Test func bodyLimitIsTheConfiguredOne() async throws {
        let setup = try Setup(
            ["body_bytes_max": .int(1_024)])
        try await withServer(setup) { server in
            let key = try #require(server.firstKey)
            let name = String(repeating: "x", count: 2_000)
            let answer = try await ask(
                server, "POST", "/v1/plans", key: key, body: #"{"id":"p","name":"\#(name)"}"#)
            #expect(answer.status == 413)
        }
    }

    // A body that trickles in is cut off when its time is up, though bytes keep coming.
    @Test func tricklingBodyIsCutOff() async throws {
        let setup = try Setup(
            ["request_timeout_seconds": .int(1), "idle_timeout_seconds": .int(60)])
        try await withServer(setup) { server in
            let port = server.address.port
            let milliseconds = try await blocking { () throws(ServerFailure) -> Int in
                Trickle.millisecondsUntilCutOff(port: port, everyMilliseconds: 200, limit: 8_000)
            }
            #expect((900...6_000).contains(milliseconds), "cut off after \(milliseconds) ms")
            let health = try await ask(server, "GET", "/healthz")
            #expect(health.status == 200)
        }
    }

    // Who asks before sending a body is told to go on, and then answered.
    @Test func continues() async throws {
        try await withServer(try Setup()) { server in
            let port = server.address.port
            let answers = try await blocking { () throws(ServerFailure) -> [String] in
                Trickle.answers(
                    port: port,
                    to: [
                        "POST /v1/plans HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
                            + "Expect: 100-continue\r\n\r\n",
                        "{}", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
                    ])
            }
            try #require(answers.count == 3)
            #expect(answers[0] == "HTTP/1.1 100 Continue\r\n\r\n")
            #expect(answers[1].hasPrefix("HTTP/1.1 401"))
            #expect(answers[2].hasPrefix("HTTP/1.1 200"))
        }
    }

    // The port for operators answers status and metrics without a key, and nothing else; the other
    // port wants a key.
    @Test func metricsPort() async throws {
        let port = Int.random(in: 20_000...30_000)
        try await withServer(Setup(["metrics_port": .int(port)])) { server in
            let operators = RunningServer(
                address: ServerAddress(host: "127.0.0.1", port: port), ledger: server.ledger,
                firstKey: nil)
            for path in ["/healthz", "/readyz", "/metrics"] {
                #expect(try await ask(operators, "GET", path).status == 200, "\(path)")
            }
            let key = try #require(server.firstKey)
            for path in ["/v1/plans", "/openapi.yaml", "/"] {
                #expect(try await ask(operators, "GET", path, key: key).status == 404, "\(path)")
            }
            #expect(try await ask(operators, "POST", "/metrics", body: "{}").status == 405)
            #expect(try await ask(server, "GET", "/metrics").status == 401)
            #expect(try await ask(server, "GET", "/metrics", key: key).status == 200)
        }
    }

    // A connection on which nothing happens is closed after the idle timeout.
    @Test func idleConnectionIsClosed() async throws {
        let setup = try Setup(
            ["idle_timeout_seconds": .int(1)])
        try await withServer(setup) { server in
            let port = server.address.port
            let milliseconds = try await blocking { () throws(ServerFailure) -> Int in
                Trickle.millisecondsUntilCutOff(port: port, everyMilliseconds: nil, limit: 8_000)
            }
            #expect((900...6_000).contains(milliseconds), "closed after \(milliseconds) ms")
        }
    }

    // A test clock stands at a fixed instant until it is set, and only forward from there.
    @Test func testClockStandsStill() async throws {
        let setup = try Setup(
            ["test_clock": .bool(true)])
        try await withServer(setup) { server in
            let key = try #require(server.firstKey)
            let now = try await ask(server, "GET", "/v1/test_clock", key: key)
            #expect(now.json["now"] == .string("2000-01-01T00:00:00.000000Z"))
            let set = try await ask(
                server, "POST", "/v1/test_clock", key: key, body: #"{"now":"2030-01-01T00:00:00Z"}"#
            )
            #expect(set.json["now"] == .string("2030-01-01T00:00:00.000000Z"))
        }
    }
}

/// A client that is slow on purpose. Blocks.
private enum Trickle {
    /// Sends the beginning of a request, then a byte now and then (or nothing), until the server
    /// hangs up.
    static func millisecondsUntilCutOff(
        port: Int, everyMilliseconds interval: Int?, limit: Int
    ) -> Int {
        let (socket, isConnected) = connection(port)
        defer { close(socket) }
        guard isConnected else { return -1 }
        let start = monotonicMilliseconds()
        if interval != nil {
            let head =
                "POST /v1/plans HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n"
                + "Content-Type: application/json\r\n\r\n"
            _ = send(socket, head, head.utf8.count, Int32(MSG_NOSIGNAL))
        }
        while monotonicMilliseconds() - start < limit {
            if let interval {
                guard send(socket, " ", 1, Int32(MSG_NOSIGNAL)) == 1 else { break }
                usleep(UInt32(interval) * 1_000)
            }
            var byte: UInt8 = 0
            let flags = Int32(MSG_DONTWAIT)
            let received = recv(socket, &byte, 1, flags)
            if received == 0 || (received < 0 && errno != EAGAIN) { break }
            if interval == nil { usleep(20_000) }
        }
        return monotonicMilliseconds() - start
    }

    /// Sends one text after the other, and gives what the server said to each.
    static func answers(port: Int, to texts: [String]) -> [String] {
        let (socket, isConnected) = connection(port)
        defer { close(socket) }
        guard isConnected else { return [] }
        return texts.map { text in
            _ = send(socket, text, text.utf8.count, Int32(MSG_NOSIGNAL))
            var bytes = [UInt8](repeating: 0, count: 4_096)
            let count = recv(socket, &bytes, bytes.count, 0)
            return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
        }
    }

    private static func connection(_ port: Int) -> (socket: Int32, isConnected: Bool) {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return (socket, connected == 0)
    }

    private static func monotonicMilliseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
    }
}
