// One request on its way through a handler: authenticated, its path taken apart, its query known.

import Billing
import CanonicalJSON
import Engine
import Estimation

struct APICall: Sendable {
    let request: APIRequest
    let route: APIRoute
    /// Values of the path's parameters, decoded, in the order of the template.
    let parameters: [String]
    var query: [(name: String, value: String)]
    /// In a batch: the project of commands that name none.
    var projectOfBatch: String?
    let principal: APIPrincipal
    let maxBodyBytes: Int

    // MARK: Query

    /// A text of the query: 1 to 256 bytes without control characters.
    func queryID(_ name: String) throws(APIError) -> String? {
        guard let text = queryText(name) else { return nil }
        guard text.isID else {
            throw .invalid(
                "\(name) must have 1 to 256 bytes and no control characters", param: name)
        }
        return text
    }

    /// The id of something that the operator names.
    func queryOperatorID(_ name: String) throws(APIError) -> String? {
        guard let text = queryText(name) else { return nil }
        guard text.isOperatorID else {
            throw .invalid("\(name) \(String.operatorIDForm)", param: name)
        }
        return text
    }

    func queryText(_ name: String) -> String? { query.first { $0.name == name }?.value }

    /// An integer of the query.
    func queryInteger(
        _ name: String, in range: ClosedRange<Int64>
    ) throws(APIError) -> Int64? {
        guard let text = queryText(name) else { return nil }
        let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
        let isNumber =
            !digits.isEmpty && digits.allSatisfy { (0x30...0x39).contains($0) }
            && (digits.count == 1 || digits.first != UInt8(ascii: "0"))
        guard isNumber else {
            throw .malformed("wrong_type", "\(name) must be an integer", param: name)
        }
        guard let value = Int64(text), range.contains(value) else {
            throw .invalid(
                "\(name) must be between \(range.lowerBound) and \(range.upperBound)", param: name)
        }
        return value
    }

    /// Items of a page.
    func limit() throws(APIError) -> Int {
        Int(try queryInteger("limit", in: 1...1_000) ?? 100)
    }

    /// `next` of the page before, for lists whose cursor is text.
    func after() throws(APIError) -> String? { try longText("after") }

    /// A text of the query: 1 to 1,024 bytes without control characters.
    func longText(_ name: String) throws(APIError) -> String? {
        guard let text = queryText(name) else { return nil }
        guard (1...1_024).contains(text.utf8.count), text.hasNoControlCharacters else {
            throw .invalid(
                "\(name) must have 1 to 1,024 bytes and no control characters", param: name)
        }
        return text
    }

    // MARK: Project

    /// The project that the call is about: the one named, else the key's own, else `default`.
    func project(named: String? = nil) throws(APIError) -> String {
        let inQuery = try queryOperatorID("project")
        if let named, let inQuery, named != inQuery {
            throw .invalid(
                "project is '\(inQuery)' in the query and '\(named)' in the body", param: "project")
        }
        guard let wanted = named ?? inQuery ?? projectOfBatch else {
            return principal.project ?? Project.builtIn
        }
        try require(project: wanted)
        return wanted
    }

    /// This call as one command of a batch sees it.
    func inBatch(of project: String) -> APICall {
        var call = self
        call.query = []
        call.projectOfBatch = project
        return call
    }

    func require(project: String) throws(APIError) {
        if let own = principal.project, own != project {
            throw .forbidden("This key acts in project '\(own)' only.", param: "project")
        }
    }

    /// For what belongs to the ledger as a whole.
    func requireAllProjects() throws(APIError) {
        if let own = principal.project {
            throw .forbidden("This key acts in project '\(own)' only, not on the whole ledger.")
        }
    }

    // MARK: Body

    /// The fields of a JSON body.
    ///
    /// - Parameter mayBeEmpty: no bytes at all are an empty object.
    func body(mayBeEmpty: Bool = false, maxNodes: Int = 200_000) throws(APIError) -> JSONFields {
        if mayBeEmpty && request.body.isEmpty { return JSONFields(JSONObject()) }
        return try fields(limits(maxNodes: maxNodes))
    }

    /// The fields of a body that may have a provider's request in it: what that may hold, and the
    /// levels around it. Fields of our own have their lengths checked one by one.
    func bodyWithRequest() throws(APIError) -> JSONFields {
        let inner = RequestSizing.limits
        return try fields(
            JSONLimits(
                maxBytes: maxBodyBytes, maxDepth: inner.maxDepth + 4, maxNodes: inner.maxNodes,
                maxStringBytes: maxBodyBytes))
    }

    private func fields(_ limits: JSONLimits) throws(APIError) -> JSONFields {
        guard mediaType == "application/json" else { throw unsupportedMediaType }
        let value = try json(limits)
        return try reading { () throws(FieldError) in try JSONFields(value) }
    }

    func json(maxNodes: Int = 200_000) throws(APIError) -> JSONValue {
        try json(limits(maxNodes: maxNodes))
    }

    private func limits(maxNodes: Int) -> JSONLimits {
        JSONLimits(
            maxBytes: maxBodyBytes, maxDepth: 16, maxNodes: maxNodes, maxStringBytes: 1 << 16)
    }

    private func json(_ limits: JSONLimits) throws(APIError) -> JSONValue {
        do throws(JSONError) {
            return try StrictJSON.parse(request.body, limits: limits)
        } catch {
            throw APIError(error)
        }
    }

    /// `application/json` of `application/json; charset=utf-8`.
    var mediaType: String {
        let type = request.contentType ?? ""
        if type == "application/json" { return type }
        return type.prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
    }

    var unsupportedMediaType: APIError {
        APIError(
            415, .invalidRequest, "unsupported_media_type",
            "The body must be JSON: Content-Type: application/json.")
    }

    // MARK: Idempotency

    /// A write under the caller's Idempotency-Key, if there is one.
    func write(
        _ command: Command, project: String, _ body: JSONFields
    ) throws(APIError) -> EngineRequest {
        EngineRequest(
            command, actor: principal.actor,
            idempotencyKey: request.idempotencyKey.map {
                Fingerprint(.idempotencyKey, project, $0)
            },
            requestHash: try requestHash(
                route.operationID, [project] + parameters, body.object, dropping: ["project"]))
    }
}

/// Digest of what is asked: the operation, what its path names, and the canonical body without the
/// members that are in the path or do not belong to the question.
func requestHash(
    _ operation: String, _ path: [String], _ body: JSONObject, dropping dropped: Set<String>
) throws(APIError) -> Fingerprint {
    var bytes = Array(operation.utf8)
    for part in path {
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: part.utf8)
    }
    bytes.append(UInt8(ascii: "\n"))
    var kept = JSONObject()
    for member in body.members where !dropped.contains(member.key) {
        kept.append(member.key, member.value)
    }
    do throws(JSONError) {
        bytes.append(contentsOf: try CanonicalJSON.encode(.object(kept)))
    } catch {
        throw APIError(error)
    }
    return Fingerprint(hashing: bytes)
}

/// Runs `body` and turns what is wrong with a field into an answer. May run it twice: it must do
/// nothing but read.
func reading<T>(_ body: () throws(FieldError) -> T) throws(APIError) -> T {
    do throws(FieldError) {
        return try readingFields(body)
    } catch {
        throw APIError(error)
    }
}
