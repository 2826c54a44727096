// The simulator's own routes.
//
// `POST /_control` takes an object; each member is optional:
//
//     {"instructions": "no_usage",                       for every request from now on
//      "next": ["status=429", "cut_after=2"],            for the next requests, one each
//      "random": {"percent": 20, "seed": 7, "lines": ["status=503", "cut_after=3"]},
//      "watch": ["fg_secret"],                           texts that must stand in no header
//      "clear": true}                                    first: no books, queue, randomness, cache

import CanonicalJSON
import HTTPTypes
import Hummingbird
import NIOCore

extension ProviderSimulator {
    func served(_ request: Request) -> Response {
        let after = request.uri.queryParameters.get("after", as: Int.self) ?? 0
        return response(books.json(after: after), headers: [:])
    }

    func control(_ bytes: [UInt8]) -> Response {
        do {
            try apply(try StrictJSON.parse(bytes))
            return response(json(["done": .bool(true)]), headers: [:])
        } catch {
            return response(.invalid("_control: \(error)"), .openAI)
        }
    }

    private func apply(_ body: JSONValue) throws {
        let known = ["instructions", "next", "random", "watch", "clear"]
        if let unknown = body.members.first(where: { !known.contains($0.key) }) {
            throw InstructionError("'\(unknown.key)' is not known")
        }
        let standing = try body["instructions"]?.text.map { try Instructions($0) }
        let queue = try lines(body["next"])
        var random: InstructionSource.Random?
        if let wanted = body["random"] {
            random = InstructionSource.Random(
                percent: wanted["percent"]?.integer ?? 0, lines: try lines(wanted["lines"]),
                generator: SplitMix(UInt64(clamping: wanted["seed"]?.integer ?? 0)))
        }
        if body["clear"]?.flag == true {
            source.clear()
            source.set(standing: configuration.instructions)
            books.clear()
            cache.clear()
        }
        if let standing { source.set(standing: standing) }
        source.enqueue(queue)
        if random != nil { source.set(random: random) }
        if let watched = body["watch"] { books.watch(for: watched.items.compactMap(\.text)) }
    }

    private func lines(_ value: JSONValue?) throws -> [Instructions] {
        try (value?.items ?? []).map { try Instructions($0.text ?? "") }
    }

    // MARK: Plain answers

    func response(_ error: ProviderError, _ family: ProviderFamily) -> Response {
        var fields = headers(family, 0)
        for header in error.headers {
            if let name = HTTPField.Name(header.name) { fields[name] = header.value }
        }
        return response(error.body(family), status: error.status, headers: fields)
    }

    func response(_ value: JSONValue, status: Int = 200, headers: HTTPFields) -> Response {
        var headers = headers
        let bytes = value.bytes
        headers[.contentType] = "application/json"
        headers[.contentLength] = String(bytes.count)
        return Response(
            status: .init(code: status), headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    func headers(_ family: ProviderFamily, _ number: Int) -> HTTPFields {
        switch family {
        case .openAI: [.requestID: "req_sim\(number)", .openAIVersion: "2020-10-01"]
        case .anthropic: [.anthropicRequestID: "req_sim\(number)"]
        }
    }
}

extension HTTPField.Name {
    static let anthropicVersion = Self("anthropic-version")!
    static let xAPIKey = Self("x-api-key")!
    static let azureKey = Self("api-key")!
    static let simulate = Self("x-simulate")!
    fileprivate static let requestID = Self("x-request-id")!
    fileprivate static let openAIVersion = Self("openai-version")!
    fileprivate static let anthropicRequestID = Self("request-id")!
}
