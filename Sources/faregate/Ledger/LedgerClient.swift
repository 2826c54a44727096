// The one way to a ledger: a request of the API, answered by a server or by the same code in this
// process. Commands know nothing of which.

import CanonicalJSON
import HTTPAPI

protocol LedgerClient: Sendable {
    func send(_ request: APIRequest) async throws(CommandFailure) -> APIResponse

    /// Gives `body` every event of a stream, until it is cancelled: when the connection is lost, it
    /// goes on with the next one. Only servers have streams.
    func follow(
        _ request: APIRequest, _ body: (ServerSentEvent) throws -> Void
    ) async throws

    /// Sees to it that the read models have all that is on the log, where that is this process's
    /// business.
    func freshenReadModels() async

    /// Lets go of connections, files and locks.
    func close() async
}

extension LedgerClient {
    func freshenReadModels() async {}

    func follow(
        _ request: APIRequest, _ body: (ServerSentEvent) throws -> Void
    ) async throws {
        throw CommandFailure(.usage, "only a server can be followed: use --url")
    }

    /// The answer's JSON when the request was carried out.
    ///
    /// - Throws: what the API said otherwise.
    func ask(_ request: APIRequest) async throws(CommandFailure) -> JSONValue {
        let response = try await send(request)
        let json = try response.json()
        guard response.isSuccess else { throw CommandFailure(refusing: json, response.status) }
        return json
    }
}

extension APIResponse {
    var isSuccess: Bool { (200..<300).contains(status) }

    /// The call was weighed and refused.
    var isRejection: Bool { status == 402 || status == 429 }

    /// - Throws: for an answer that is not JSON: something else than a ledger is listening there.
    func json() throws(CommandFailure) -> JSONValue {
        do {
            return try StrictJSON.parse(
                body, limits: JSONLimits(maxBytes: 256 << 20, maxNodes: 10_000_000))
        } catch {
            throw CommandFailure(
                .inputOutput,
                "the answer (status \(status)) is not JSON: is this a Faregate server?")
        }
    }
}

extension CommandFailure {
    /// What an error answer says: `error: message (code)`.
    init(refusing json: JSONValue, _ status: Int) {
        let error = json["error"]
        self.init(
            status == 402 || status == 429 ? .rejected : .negative,
            error["message"].text ?? "the server answered with status \(status)",
            code: error["code"].text)
    }
}

/// Requests by the parts of their path after `/v1`.
extension APIRequest {
    static func get(_ path: String...) -> APIRequest { APIRequest("GET", segments: ["v1"] + path) }

    static func delete(_ path: String...) -> APIRequest {
        APIRequest("DELETE", segments: ["v1"] + path)
    }

    static func post(_ path: String..., body: JSONObject) throws(CommandFailure) -> APIRequest {
        APIRequest("POST", segments: ["v1"] + path, json: try encoded(body))
    }

    static func put(_ path: String..., body: JSONObject) throws(CommandFailure) -> APIRequest {
        APIRequest("PUT", segments: ["v1"] + path, json: try encoded(body))
    }

    static func patch(_ path: String..., body: JSONObject) throws(CommandFailure) -> APIRequest {
        APIRequest("PATCH", segments: ["v1"] + path, json: try encoded(body))
    }

    private static func encoded(_ body: JSONObject) throws(CommandFailure) -> [UInt8] {
        do {
            return try CanonicalJSON.encode(.object(body))
        } catch {
            throw CommandFailure(.usage, "the request cannot be written as JSON: \(error)")
        }
    }

    /// With these parameters, as far as they have a value.
    func asking(_ parameters: [(name: String, value: String?)]) -> APIRequest {
        var request = self
        for parameter in parameters {
            guard let value = parameter.value else { continue }
            if !request.query.isEmpty { request.query += "&" }
            request.query += "\(parameter.name)=\(percentEncoded(value))"
        }
        return request
    }

    /// In this project, where one is named.
    func within(_ project: String?) -> APIRequest { asking([("project", project)]) }

    func keyed(_ idempotencyKey: String?) -> APIRequest {
        var request = self
        request.idempotencyKey = idempotencyKey
        return request
    }

    var isRead: Bool { method == "GET" }

    /// Path and query as they stand in a request line.
    var target: String { query.isEmpty ? path : "\(path)?\(query)" }
}
