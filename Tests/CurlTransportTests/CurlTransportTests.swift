import CurlTransport
import Foundation
import StripeAPI
import Synchronization
import Testing

@Suite(.serialized)
struct CurlTransportTests {
    private static func transport(
        _ change: (inout CurlSettings) -> Void = { _ in }
    ) throws -> CurlTransport {
        var settings = CurlSettings()
        settings.allowsPlainLoopback = true
        change(&settings)
        return try CurlTransport(settings)
    }

    private static func kind(
        _ transport: CurlTransport, _ request: TransportRequest
    ) async -> TransportError.Kind? {
        do throws(TransportError) {
            _ = try await transport.send(request)
            return nil
        } catch {
            return error.kind
        }
    }

    @Test("Request and answer pass whole, on one kept connection")
    func exchanges() async throws {
        let heard = Mutex<[String]>([])
        let server = try SocketServer { connection in
            while let request = connection.request() {
                heard.withLock { $0.append(request) }
                connection.answer("pong", headers: "X-One: 1\r\nx-one:  2 \r\nX-Empty:\r\n")
            }
        }
        defer { server.stop() }
        let transport = try Self.transport()
        for _ in 0..<3 {
            let answer = try await transport.send(
                TransportRequest(
                    .post, server.url + "v1/x?a=b",
                    headers: [("Idempotency-Key", "k"), ("X-Empty", "")], body: Array("a=1".utf8)))
            #expect(answer.status == 200)
            #expect(answer.body == Array("pong".utf8))
            #expect(
                answer.headers.filter { $0.name.lowercased() == "x-one" }.map(\.value) == [
                    "1", "2",
                ])
            #expect(answer.header("x-empty")?.isEmpty == true)
        }
        #expect(server.connections == 1)
        let request = try #require(heard.withLock { $0.first })
        #expect(request.hasPrefix("POST /v1/x?a=b HTTP/1.1\r\n"))
        #expect(request.hasSuffix("\r\n\r\na=1"))
        #expect(request.contains("Idempotency-Key: k\r\n"))
        // Nothing that libcurl adds by itself.
        #expect(!request.contains("Expect:") && !request.contains("Content-Type:"))
        await transport.shutdown()
    }

    @Test("GET and DELETE carry no body and no content type")
    func usesMethods() async throws {
        let server = try SocketServer { connection in
            while let request = connection.request() {
                connection.answer(String(request.prefix { $0 != " " }))
            }
        }
        defer { server.stop() }
        let transport = try Self.transport()
        for method in [TransportRequest.Method.get, .post, .delete] {
            let answer = try await transport.send(TransportRequest(method, server.url))
            #expect(String(decoding: answer.body, as: UTF8.self) == method.rawValue)
        }
        await transport.shutdown()
    }

    @Test("Chunked answers come whole; redirects are answers like others")
    func takesChunks() async throws {
        let server = try SocketServer { connection in
            _ = connection.request()
            connection.send(
                "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            connection.send("2\r\nde\r\n0\r\n\r\n")
        }
        defer { server.stop() }
        let transport = try Self.transport()
        let answer = try await transport.send(TransportRequest(.get, server.url))
        #expect(answer.status == 302)
        #expect(answer.body == Array("abcde".utf8))
        await transport.shutdown()
    }

    @Test("What failed before anything was sent is told from what failed after")
    func tellsWhatWasSent() async throws {
        let gone = try SocketServer { _ in }
        gone.stop()
        let transport = try Self.transport { $0.lowSpeedSeconds = 1 }
        #expect(await Self.kind(transport, TransportRequest(.get, gone.url)) == .connection)
        let closing = try SocketServer { _ = $0.request() }
        defer { closing.stop() }
        #expect(
            await Self.kind(
                transport, TransportRequest(.post, closing.url, body: Array("x".utf8))) == .broken)
        let silent = try SocketServer { connection in
            _ = connection.request()
            sleep(5)
        }
        defer { silent.stop() }
        #expect(
            await Self.kind(
                transport, TransportRequest(.get, silent.url, timeoutMicroseconds: 200_000))
                == .timeout)
        #expect(await Self.kind(transport, TransportRequest(.get, silent.url)) == .timeout)
        let cutting = try SocketServer { connection in
            _ = connection.request()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        }
        defer { cutting.stop() }
        #expect(await Self.kind(transport, TransportRequest(.get, cutting.url)) == .broken)
        await transport.shutdown()
    }

    @Test("A kept connection that the server has closed is replaced")
    func replacesStaleConnections() async throws {
        let server = try SocketServer { connection in
            _ = connection.request()
            connection.answer("once")
        }
        defer { server.stop() }
        let transport = try Self.transport()
        for _ in 0..<5 {
            let answer = try await transport.send(TransportRequest(.get, server.url))
            #expect(answer.body == Array("once".utf8))
            try await Task.sleep(for: .milliseconds(20))
        }
        await transport.shutdown()
    }

    @Test("Bodies and heads that are too long are given up")
    func capsAnswers() async throws {
        let server = try SocketServer { connection in
            guard let request = connection.request() else { return }
            if request.hasPrefix("GET /head") {
                connection.answer("", headers: "X: \(String(repeating: "h", count: 70_000))\r\n")
            } else {
                connection.answer(String(repeating: "b", count: 1_001))
            }
        }
        defer { server.stop() }
        let transport = try Self.transport()
        #expect(
            await Self.kind(
                transport, TransportRequest(.get, server.url, responseBytesMax: 1_000))
                == .tooLarge)
        let whole = try await transport.send(
            TransportRequest(.get, server.url, responseBytesMax: 1_001))
        #expect(whole.body.count == 1_001)
        #expect(
            await Self.kind(transport, TransportRequest(.get, server.url + "head")) == .tooLarge)
        await transport.shutdown()
    }

    @Test("Nothing leaves over http to others, nor with a header that would split")
    func refusesUnsafe() async throws {
        let transport = try Self.transport()
        for url in [
            "http://example.com/", "http://127.0.0.1@example.com/", "http://127.0.0.1.example.com/",
            "ftp://127.0.0.1/", "file:///etc/passwd",
        ] {
            #expect(await Self.kind(transport, TransportRequest(.get, url)) == .connection)
        }
        let split = TransportRequest(
            .get, "http://127.0.0.1:1/", headers: [("X", "secret\r\nY: 1")])
        do throws(TransportError) {
            _ = try await transport.send(split)
            Issue.record("was sent")
        } catch {
            #expect(error.kind == .connection)
            #expect(!error.description.contains("secret"))
        }
        await transport.shutdown()
        let strict = try CurlTransport()
        #expect(
            await Self.kind(strict, TransportRequest(.get, "http://127.0.0.1:1/")) == .connection)
        await strict.shutdown()
    }

    @Test("A cancelled task hears so soon, waiting or on its way")
    func cancels() async throws {
        let server = try SocketServer { connection in
            _ = connection.request()
            sleep(5)
        }
        defer { server.stop() }
        let transport = try Self.transport { $0.concurrentMax = 1 }
        let start = ContinuousClock.now
        let tasks = (0..<4).map { _ in
            Task { await Self.kind(transport, TransportRequest(.get, server.url)) }
        }
        try await Task.sleep(for: .milliseconds(100))
        for task in tasks { task.cancel() }
        for task in tasks { #expect(await task.value == .cancelled) }
        let early = Task { await Self.kind(transport, TransportRequest(.get, server.url)) }
        early.cancel()
        #expect(await early.value == .cancelled)
        #expect(start.duration(to: .now) < .seconds(3))
        await transport.shutdown()
    }

    @Test("Beyond the queue requests are refused; a shutdown answers everybody")
    func boundsAndEnds() async throws {
        let server = try SocketServer { connection in
            _ = connection.request()
            sleep(5)
        }
        defer { server.stop() }
        let transport = try Self.transport {
            $0.queueMax = 10
            $0.concurrentMax = 2
        }
        let tasks = (0..<40).map { _ in
            Task { await Self.kind(transport, TransportRequest(.get, server.url)) }
        }
        try await Task.sleep(for: .milliseconds(200))
        await transport.shutdown()
        var kinds: [TransportError.Kind: Int] = [:]
        for task in tasks {
            let kind = try #require(await task.value)
            kinds[kind, default: 0] += 1
        }
        // Requests come faster than the thread takes them, so not all are still waiting at once.
        #expect(kinds[.overloaded, default: 0] >= 20)
        #expect(kinds[.closed, default: 0] >= 2)
        #expect(kinds.values.reduce(0, +) == 40)
        #expect(await Self.kind(transport, TransportRequest(.get, server.url)) == .closed)
        await transport.shutdown()
    }

    @Test("Of a thousand requests to a server that misbehaves, each gets exactly one end")
    func survivesStorm() async throws {
        let counter = Atomic<UInt64>(1)
        let server = try SocketServer { connection in
            while let request = connection.request() {
                let number = counter.add(1, ordering: .relaxed).newValue &* 0x9E37_79B9_7F4A_7C15
                switch (number >> 32) % 5 {
                case 0: return
                case 1:
                    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
                    return
                case 2: connection.send("nonsense\r\n\r\n")
                default:
                    let path = request.dropFirst(5).prefix { $0 != " " }
                    connection.answer(String(path))
                }
            }
        }
        defer { server.stop() }
        let transport = try Self.transport()
        let good = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<1_000 {
                group.addTask {
                    let request = TransportRequest(
                        .get, server.url + "\(number)", timeoutMicroseconds: 5_000_000)
                    guard let answer = try? await transport.send(request) else { return false }
                    // Never somebody else's answer.
                    return answer.body == Array("\(number)".utf8)
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect((300...900).contains(good))
        await transport.shutdown()
    }

    @Test("Ten thousand requests leave no descriptors behind, and not their memory")
    func leaksNothing() async throws {
        let server = try SocketServer { connection in
            while connection.request() != nil { connection.answer("ok") }
        }
        defer { server.stop() }
        let transport = try Self.transport()
        func count() throws -> (descriptors: Int, kilobytes: Int) {
            let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
            let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
                .split(separator: " ")[1]
            return (descriptors.count, (Int(pages) ?? 0) * 4)
        }
        for _ in 0..<1_000 { _ = try await transport.send(TransportRequest(.get, server.url)) }
        let before = try count()
        for _ in 0..<10_000 { _ = try await transport.send(TransportRequest(.get, server.url)) }
        let after = try count()
        // Other suites run meanwhile; one of these a request would be thousands.
        #expect(after.descriptors - before.descriptors < 500)
        #expect(after.kilobytes - before.kilobytes < 200_000)
        await transport.shutdown()
    }
}
