// A call through the gateway, as an SDK makes it: no retries, and what is streamed is read as it
// comes.

import AsyncHTTPClient
import CanonicalJSON
import NIOCore
import NIOHTTP1

/// How a streamed call went.
enum StreamOutcome: Sendable, Equatable {
    /// The stream came to its end; how long its first byte took.
    case ended(Duration)
    /// The caller left before.
    case left(Duration)
    /// 402: the code of the refusal.
    case refused(String)
    case failed(String)
}

extension LedgerClient {
    func stream(
        _ path: String, body: String, customer: String, project: String, leavingAfter parts: Int?
    ) async throws -> StreamOutcome {
        var request = HTTPClientRequest(url: baseURL + path)
        request.method = .POST
        request.headers.add(name: "authorization", value: authorization)
        request.headers.add(name: "content-type", value: "application/json")
        request.headers.add(name: "anthropic-version", value: "2023-06-01")
        request.headers.add(name: "x-faregate-customer", value: customer)
        request.headers.add(name: "x-faregate-project", value: project)
        request.body = .bytes(ByteBuffer(string: body))
        let clock = ContinuousClock()
        let start = clock.now
        do {
            let response = try await client.execute(request, timeout: .seconds(30))
            guard response.status == .ok else {
                let bytes = try await response.body.collect(upTo: Self.longestAnswer)
                return Self.refusal(Int(response.status.code), Array(bytes.readableBytesView))
            }
            var first: Duration?
            var seen = 0
            for try await _ in response.body {
                first = first ?? clock.now - start
                seen += 1
                if let parts, seen >= parts { return .left(first ?? .zero) }
            }
            return .ended(first ?? clock.now - start)
        } catch {
            try Task.checkCancellation()
            return .failed("\(path): \(error)")
        }
    }

    /// What an answer says that is not a stream.
    static func refusal(_ status: Int, _ bytes: [UInt8]) -> StreamOutcome {
        guard case .object(let outer)? = try? StrictJSON.parse(bytes),
            case .object(let error)? = outer["error"], case .string(let code)? = error["code"],
            status == 402
        else {
            return .failed("\(status) \(String(decoding: bytes.prefix(200), as: UTF8.self))")
        }
        return .refused(code)
    }
}
