// The sandbox's way to the server: JSON over HTTP/1.1, and the only retries there are.
//
// A request is sent again, unchanged, when the server says 503 (nothing was recorded) or when no
// answer came (something may have been). Both are safe: a reservation's id, or the Idempotency-Key,
// makes the repetition get the first answer. 429 is not for here: it refuses this reservation id
// for ever.

import AsyncHTTPClient
import CanonicalJSON
import NIOCore
import NIOHTTP1

/// A request to the server.
struct LedgerRequest: Sendable {
    enum Method: String { case get = "GET", post = "POST", put = "PUT" }

    var method: Method
    /// With query, percent-encoded.
    var path: String
    var body: JSONValue?
    var idempotencyKey: String?

    static func get(_ path: String) -> LedgerRequest { LedgerRequest(method: .get, path: path) }
}

/// What came back.
struct LedgerAnswer: Sendable {
    var status: Int
    var body: JSONValue
    /// The server said that it had been asked this before.
    var isReplay = false
    var retryAfterSeconds: Int64?
    /// Of the attempt that was answered.
    var latency = Duration.zero
    /// Why it was sent again, once for each time: "503 overloaded", "no answer".
    var retries: [String] = []

    /// "409 already_exists: …", for people.
    var errorText: String {
        guard case .object(let outer) = body, case .object(let error) = outer["error"],
            case .string(let code) = error["code"], case .string(let message) = error["message"]
        else { return "\(status)" }
        return "\(status) \(code): \(message)"
    }

    var errorCode: String? {
        guard case .object(let outer) = body, case .object(let error) = outer["error"],
            case .string(let code) = error["code"]
        else { return nil }
        return code
    }
}

struct LedgerClient: Sendable {
    static let longestAnswer = 4 << 20

    let client: HTTPClient
    let baseURL: String
    let authorization: String

    init(_ client: HTTPClient, options: SandboxOptions) {
        self.client = client
        var url = options.baseURL
        while url.last == "/" { url.removeLast() }
        baseURL = url
        authorization = "Bearer " + options.adminKey
    }

    /// A client with bounded connections; `shutdown()` is the caller's duty.
    static func makeHTTPClient(options: SandboxOptions) -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit =
            options.connections
        configuration.timeout.connect = .seconds(5)
        configuration.redirectConfiguration = .disallow
        return HTTPClient(
            eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
    }

    /// - Throws: `.unreachable` when there is no answer for all the retries, `.server` for one that
    /// is
    ///   not JSON, `CancellationError`.
    func send(_ request: LedgerRequest) async throws -> LedgerAnswer {
        var retries: [String] = []
        while true {
            let pause: Duration
            switch try await attempt(request) {
            case .success(var answer):
                answer.retries = retries
                guard answer.status == 503,
                    let wait = RetryRule.pause(
                        attempt: retries.count, retryAfterSeconds: answer.retryAfterSeconds)
                else { return answer }
                pause = wait
                retries.append("503 " + (answer.errorCode ?? "without a code"))
            case .failure(let error):
                guard let wait = RetryRule.pause(attempt: retries.count, retryAfterSeconds: nil)
                else { throw error }
                pause = wait
                retries.append("no answer")
            }
            try await Task.sleep(for: pause)
        }
    }

    private func attempt(
        _ request: LedgerRequest
    ) async throws -> Result<LedgerAnswer, SandboxError> {
        let http = try httpRequest(request)
        let clock = ContinuousClock()
        let start = clock.now
        var answer: LedgerAnswer
        var bytes: ByteBuffer
        do {
            let response = try await client.execute(http, timeout: .seconds(30))
            bytes = try await response.body.collect(upTo: Self.longestAnswer)
            answer = LedgerAnswer(
                status: Int(response.status.code), body: .null,
                isReplay: response.headers.first(name: "idempotent-replayed") == "true",
                retryAfterSeconds: response.headers.first(name: "retry-after").flatMap {
                    Int64($0)
                },
                latency: clock.now - start)
        } catch {
            try Task.checkCancellation()
            return .failure(.unreachable("\(baseURL): \(error)"))
        }
        let body = bytes.readBytes(length: bytes.readableBytes) ?? []
        do {
            if !body.isEmpty { answer.body = try StrictJSON.parse(body) }
        } catch {
            throw SandboxError.server(
                "\(request.path) was answered \(answer.status) with a body that is not JSON: \(error)"
            )
        }
        return .success(answer)
    }

    private func httpRequest(_ request: LedgerRequest) throws -> HTTPClientRequest {
        var http = HTTPClientRequest(url: baseURL + request.path)
        http.method = HTTPMethod(rawValue: request.method.rawValue)
        http.headers.add(name: "authorization", value: authorization)
        if let key = request.idempotencyKey {
            http.headers.add(name: "idempotency-key", value: key)
        }
        if let body = request.body {
            http.headers.add(name: "content-type", value: "application/json")
            http.body = .bytes(ByteBuffer(bytes: try CanonicalJSON.encode(body)))
        }
        return http
    }
}

/// When a request that failed for want of a server is sent again.
enum RetryRule {
    static let retries = 6
    static let longestPause: Int64 = 5

    /// - Parameter attempt: attempts made before the one that failed.
    /// - Returns: how long to wait; nil to give up, also where the server asks for more than
    ///   `longestPause` seconds.
    static func pause(attempt: Int, retryAfterSeconds: Int64?) -> Duration? {
        guard attempt < retries else { return nil }
        if let seconds = retryAfterSeconds {
            return (0...longestPause).contains(seconds) ? .seconds(seconds) : nil
        }
        return .milliseconds(50 << attempt)
    }
}
