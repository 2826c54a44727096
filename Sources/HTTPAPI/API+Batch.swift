// Up to a thousand commands in one request and one hop to the engine, each with its own answer.

import Billing
import CanonicalJSON
import Engine

/// One command of a batch: its request, or what is wrong with it.
struct BatchedCommand {
    var id: String?
    var request: Result<EngineRequest, APIError>
}

extension API {
    static let batchMax = 1_000

    func batchReservations(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.bodyWithRequest()
        let (named, commands) = try reading { () throws(FieldError) in
            var fields = body
            let project = try fields.optionalOperatorID("project")
            let commands = try fields.array("commands", maxCount: Self.batchMax)
            try fields.rejectUnknown()
            if commands.isEmpty {
                throw fields.error(.outOfRange, "commands", "must not be empty")
            }
            return (project, commands)
        }
        let single = call.inBatch(of: try call.project(named: named))
        var batch: [BatchedCommand] = []
        batch.reserveCapacity(commands.count)
        for (place, value) in commands.enumerated() {
            batch.append(command(value, path: "commands[\(place)]", single))
        }
        return try await carryOut(batch)
    }

    private func command(
        _ value: JSONValue, path: String, _ call: APICall
    ) -> BatchedCommand {
        var id: String?
        do throws(APIError) {
            var fields = try reading { () throws(FieldError) in try JSONFields(value, path: path) }
            if case .string(let text)? = fields.object["id"], text.isID { id = text }
            let op = try reading { () throws(FieldError) in
                try fields.choice("op", of: BatchOperation.self)
            }
            if op == .reserve {
                return BatchedCommand(
                    id: id, request: .success(try reserve(fields, call, key: false)))
            }
            let request: EngineRequest =
                switch op {
                case .reserve, .settle: try settle(fields, id: nil, call, key: false)
                case .release: try release(fields, id: nil, call, key: false)
                case .extend: try extend(fields, id: nil, call, key: false)
                }
            return BatchedCommand(id: id, request: .success(request))
        } catch {
            return BatchedCommand(id: id, request: .failure(error))
        }
    }

    /// Submits what is well-formed, in order, and answers each in its place.
    func carryOut(_ batch: [BatchedCommand]) async throws(APIError) -> APIResponse {
        let requests = batch.compactMap { try? $0.request.get() }
        let replies = await decide(requests)
        if !replies.isEmpty, let error = replies.lazy.compactMap(\.refusalOfAll).first {
            throw APIError(error)
        }
        var next = replies.makeIterator()
        var json = JSONWriter(reservingCapacity: batch.count * 512)
        json.beginObject()
        json.list("results", batch) { json, command in
            let response = answer(command, &next)
            json.object { json in
                json.key("body")
                json.raw(response.body)
                json.member("id", ifPresent: command.id)
                if response.header("Idempotent-Replayed") != nil { json.member("replayed", true) }
                json.member("status", response.status)
            }
        }
        json.endObject()
        return APIResponse(status: 200, body: json.bytes)
    }

    private func answer(
        _ command: BatchedCommand,
        _ replies: inout IndexingIterator<[Result<CommandReply, EngineError>]>
    ) -> APIResponse {
        do throws(APIError) {
            let request = try command.request.get()
            switch replies.next() {
            case .success(let reply)?: return try answer(reply, isDryRun: request.isDryRun)
            case .failure(let error)?: throw APIError(error)
            case nil: throw .overloaded
            }
        } catch {
            return answer(error)
        }
    }
}

private enum BatchOperation: String, CaseIterable {
    case reserve, settle, release, extend
}

extension Result<CommandReply, EngineError> {
    /// An error that no command of a batch escaped: the batch as a whole was not taken.
    fileprivate var refusalOfAll: EngineError? {
        switch self {
        case .failure(.overloaded): .overloaded
        case .failure(.shuttingDown): .shuttingDown
        default: nil
        }
    }
}
