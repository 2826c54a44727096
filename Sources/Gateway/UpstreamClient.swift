// Asks one upstream over HTTP, with connections of its own: one provider that hangs takes none of
// the connections to another.

import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix

struct UpstreamClient: Sendable {
    let upstream: Upstream
    private let client: HTTPClient

    init(_ upstream: Upstream) {
        self.upstream = upstream
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.decompression = .disabled
        configuration.httpVersion = .http1Only
        // What lies between two pieces is watched by whoever reads them: the client library would
        // count the time in which we do not ask for any.
        configuration.timeout = .init(
            connect: .seconds(Int64(upstream.limits.connectSeconds)), read: nil)
        // Below what providers and their proxies keep connections for, so that one is hardly ever
        // closed by the other side in the moment in which it is used.
        configuration.connectionPool.idleTimeout = .seconds(20)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit =
            upstream.limits.connectionsMax
        configuration.connectionPool.retryConnectionEstablishment = false
        // What a slow client does not take waits in buffers of this size, thousands of times.
        configuration.http1_1ConnectionDebugInitializer = { channel in
            channel.setOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(
                    minimum: 1 << 10, initial: 4 << 10, maximum: 16 << 10))
        }
        client = HTTPClient(
            eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
    }

    /// - Throws: also when its task is cancelled.
    ///
    /// - Parameter seconds: in which the head of an answer must be there; nil: a whole call's.
    func ask(
        _ request: UpstreamRequest, seconds: Int64? = nil
    ) async throws -> HTTPClientResponse {
        var http = HTTPClientRequest(url: request.url)
        http.method = HTTPMethod(rawValue: request.method)
        for header in request.headers { http.headers.add(name: header.name, value: header.value) }
        if let body = request.body { http.body = .bytes(body) }
        return try await client.execute(
            http, timeout: .seconds(seconds ?? Int64(upstream.limits.totalSeconds)))
    }

    func shutdown() async { try? await client.shutdown() }

    /// Surely nothing was sent: there was no connection to send it on. Errors that may mean either
    /// are taken for the other case.
    static func isConnectFailure(_ error: any Error) -> Bool {
        switch error {
        case is NIOConnectionError: true
        case let error as HTTPClientError:
            error == .connectTimeout || error == .tlsHandshakeTimeout
                || error == .getConnectionFromPoolTimeout
        case let error as IOError:
            // Errors that only connecting has.
            [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL].contains(error.errnoCode)
        default:
            // The TLS library's own, which is not ours to import: a certificate that does not fit.
            "\(type(of: error))" == "NIOSSLExtraError"
                || "\(type(of: error))" == "NIOSSLError" && "\(error)".contains("handshake")
        }
    }
}

struct UpstreamRequest: Sendable {
    var method: String
    var url: String
    var headers: [(name: String, value: String)]
    var body: ByteBuffer?
    /// What the body takes of all room for bodies.
    var room: BodyRoom?
}
