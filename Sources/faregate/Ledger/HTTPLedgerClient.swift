import AsyncHTTPClient
import Glibc
import HTTPAPI
import NIOCore
import NIOHTTP1
import NIOPosix

/// A ledger behind a server.
struct HTTPLedgerClient: LedgerClient {
    let base: String
    private let key: String?
    let timeoutSeconds: Int64
    private let client: HTTPClient

    /// - Parameters:
    ///   - url: scheme, host and port; a path before `/v1` is kept.
    ///   - key: secret of an API key; nil or empty sends none.
    init(url: String, key: String?, timeoutSeconds: Int) throws(CommandFailure) {
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw CommandFailure(
                .usage, "the server's URL must begin with http:// or https://, not \(url)")
        }
        var base = url
        while base.hasSuffix("/") { base.removeLast() }
        self.base = base
        self.key = key.flatMap { $0.isEmpty ? nil : $0 }
        self.timeoutSeconds = Int64(timeoutSeconds)
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout = .init(
            connect: .seconds(min(self.timeoutSeconds, 5)), read: .seconds(self.timeoutSeconds))
        client = HTTPClient(
            eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
    }

    func send(_ request: APIRequest) async throws(CommandFailure) -> APIResponse {
        let http = httpRequest(request)
        do {
            let response = try await client.execute(http, timeout: .seconds(timeoutSeconds))
            let body = try await response.body.collect(upTo: 256 << 20)
            return APIResponse(
                status: Int(response.status.code),
                headers: response.headers.map { ($0.name, $0.value) },
                contentType: response.headers.first(name: "Content-Type") ?? "",
                body: Array(body.readableBytesView))
        } catch {
            throw CommandFailure(.unreachable, "\(base): \(Self.reason(error))")
        }
    }

    /// Hands an answer of any length to `take`, a piece at a time.
    ///
    /// - Throws: what the server says instead of an answer, what `take` throws, and `.unreachable`
    ///   when the connection breaks on the way.
    func download(
        _ request: APIRequest, _ take: ([UInt8]) async throws -> Void
    ) async throws {
        let response: HTTPClientResponse
        do {
            // No deadline for the whole: the read timeout is for each piece.
            response = try await client.execute(httpRequest(request), deadline: .distantFuture)
            if !(200..<300).contains(response.status.code) {
                let body = try await response.body.collect(upTo: 1 << 20)
                let refusal = APIResponse(
                    status: Int(response.status.code), body: Array(body.readableBytesView))
                throw CommandFailure(refusing: try refusal.json(), refusal.status)
            }
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(.unreachable, "\(base): \(Self.reason(error))")
        }
        var pieces = response.body.makeAsyncIterator()
        while true {
            let piece: ByteBuffer?
            do {
                piece = try await pieces.next()
            } catch {
                throw CommandFailure(.unreachable, "\(base): the answer broke off (\(error))")
            }
            guard let piece else { return }
            try await take(Array(piece.readableBytesView))
        }
    }

    func httpRequest(_ request: APIRequest) -> HTTPClientRequest {
        var http = HTTPClientRequest(url: base + request.target)
        http.method = .RAW(value: request.method)
        http.headers.add(name: "Accept", value: request.accept ?? "application/json")
        if let key { http.headers.add(name: "Authorization", value: "Bearer \(key)") }
        if let idempotencyKey = request.idempotencyKey {
            http.headers.add(name: "Idempotency-Key", value: idempotencyKey)
        }
        if let contentType = request.contentType {
            http.headers.add(name: "Content-Type", value: contentType)
            http.body = .bytes(request.body, length: .known(Int64(request.body.count)))
        }
        return http
    }

    func close() async { try? await client.shutdown() }

    private static let unknownOutcome =
        ". Whether the request was carried out is not known; sent again with the same id or"
        + " --idempotency-key it is carried out once"

    static func reason(_ error: any Error) -> String {
        if let error = error as? HTTPClientError {
            switch error {
            case .connectTimeout: return "no server answers (timed out while connecting)"
            case .remoteConnectionClosed:
                return "the server closed the connection without an answer" + unknownOutcome
            case .readTimeout, .deadlineExceeded:
                return "the server did not answer in time" + unknownOutcome
            case .invalidURL, .emptyHost, .emptyScheme: return "this is not a URL"
            default: return "the connection failed (\(error))"
            }
        }
        if error is NIOConnectionError { return "no server answers there" }
        if let error = error as? IOError {
            return error.errnoCode == ECONNREFUSED
                ? "no server answers there"
                : "the connection failed (\(String(cString: strerror(error.errnoCode))))"
        }
        return "the connection failed (\(error))"
    }
}
