// Hold, settle, release, extend: the hot path. One hop to the engine a request.

import Billing
import CanonicalJSON
import Engine

extension API {
    func createReservation(_ call: APICall) async throws(APIError) -> APIResponse {
        let request = try reserve(try call.bodyWithRequest(), call, key: true)
        let reply = try await submit(request)
        return try answer(reply, isDryRun: request.isDryRun)
    }

    func settleReservation(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.body(mayBeEmpty: true)
        return try answer(
            try await submit(try settle(body, id: call.parameters[0], call, key: true)))
    }

    func releaseReservation(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.body(mayBeEmpty: true)
        return try answer(
            try await submit(try release(body, id: call.parameters[0], call, key: true)))
    }

    func extendReservation(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.body()
        return try answer(
            try await submit(try extend(body, id: call.parameters[0], call, key: true)))
    }

    func getReservation(_ call: APICall) async throws(APIError) -> APIResponse {
        let key = ReservationKey(project: try call.project(), id: call.parameters[0])
        let found = try await read { (view) throws(EngineError) in try view.reservation(key) }
        guard let found else { throw noReservation(key) }
        return APIResponse(status: 200, body: UsageAnswers.reservation(found))
    }

    func noReservation(_ key: ReservationKey) -> APIError {
        .notFound("There is no reservation '\(key.id)' in project '\(key.project)'.")
    }

    // MARK: Bodies into requests

    /// - Parameter key: whether the request's Idempotency-Key is this command's.
    func reserve(
        _ fields: JSONFields, _ call: APICall, key: Bool
    ) throws(APIError) -> EngineRequest {
        let input = try reading { () throws(FieldError) in
            var fields = fields
            return try ReserveInput(&fields)
        }
        if let place = input.size.refused.first { throw .unbounded(place) }
        let project = try call.project(named: input.call.project)
        let reserve = ReserveRequest(
            id: input.id, call: callRequest(input.call, input.size, project: project),
            holdSeconds: input.holdSeconds, onExpiry: input.onExpiry)
        var request = try idempotent(
            .reserve(reserve), "reserve", [project], fields.object,
            dropping: ReserveInput.unhashed, call, key: key ? project : nil)
        request.isDryRun = input.isDryRun
        return request
    }

    /// - Parameter pathID: the id that the path names; nil: the body does.
    func settle(
        _ fields: JSONFields, id pathID: String?, _ call: APICall, key: Bool
    ) throws(APIError) -> EngineRequest {
        let (id, input) = try reading { () throws(FieldError) in
            var fields = fields
            let id = try fields.id(unless: pathID)
            return (id, try SettleInput(&fields))
        }
        let project = try call.project(named: input.project)
        let settle = SettleRequest(
            key: ReservationKey(project: project, id: id), actual: input.actual,
            occurredAt: input.occurredAt)
        return try idempotent(
            .settle(settle), "settle", [project, id], fields.object, dropping: Self.inPath, call,
            key: key ? project : nil)
    }

    func release(
        _ fields: JSONFields, id pathID: String?, _ call: APICall, key: Bool
    ) throws(APIError) -> EngineRequest {
        let (id, reason, named) = try reading { () throws(FieldError) in
            var fields = fields
            let id = try fields.id(unless: pathID)
            let reason = try fields.optionalReason("reason")
            let project = try fields.optionalOperatorID("project")
            try fields.rejectUnknown()
            return (id, reason, project)
        }
        let project = try call.project(named: named)
        return try idempotent(
            .release(ReservationKey(project: project, id: id), reason: reason), "release",
            [project, id], fields.object, dropping: Self.inPath, call, key: key ? project : nil)
    }

    func extend(
        _ fields: JSONFields, id pathID: String?, _ call: APICall, key: Bool
    ) throws(APIError) -> EngineRequest {
        let (id, seconds, named) = try reading { () throws(FieldError) in
            var fields = fields
            let id = try fields.id(unless: pathID)
            let seconds = try fields.holdSeconds("ttl_seconds")
            let project = try fields.optionalOperatorID("project")
            try fields.rejectUnknown()
            return (id, seconds, project)
        }
        let project = try call.project(named: named)
        return try idempotent(
            .extend(ReservationKey(project: project, id: id), seconds: seconds), "extend",
            [project, id], fields.object, dropping: Self.inPath, call, key: key ? project : nil)
    }

    /// Members of a batched command that a single one has in its path.
    private static let inPath: Set<String> = ["project", "op", "id"]

    /// The same digest whether a command comes alone or in a batch.
    ///
    /// - Parameter key: the project that the Idempotency-Key is scoped to; nil: it is not taken.
    func idempotent(
        _ command: Command, _ operation: String, _ path: [String], _ body: JSONObject,
        dropping dropped: Set<String>, _ call: APICall, key project: String?
    ) throws(APIError) -> EngineRequest {
        var request = EngineRequest(
            command, actor: call.principal.actor,
            requestHash: try requestHash(operation, path, body, dropping: dropped))
        if let project, let key = call.request.idempotencyKey {
            request.idempotencyKey = Fingerprint(.idempotencyKey, project, key)
        }
        return request
    }

    // MARK: Answers

    /// The answer to a command about a call.
    func answer(_ reply: CommandReply, isDryRun: Bool = false) throws(APIError) -> APIResponse {
        guard let recorded = reply.event else { return try answerWithoutEvent(reply) }
        let isRecorded = !isDryRun || reply.isReplay
        var response: APIResponse
        switch recorded.event {
        case .usageReserved(let event):
            response = APIResponse(
                status: 201, body: UsageAnswers.reserved(recorded, event, isRecorded: isRecorded))
        case .usageRejected(let event):
            let refusal = Refusal(
                recorded: recorded, event: event, currency: currency, isRecorded: isRecorded)
            response = APIResponse(
                status: refusal.status, headers: refusal.headers, body: refusal.body())
            response.code = event.code.rawValue
        case .usageExtended(let event):
            response = APIResponse(status: 200, body: UsageAnswers.extended(recorded, event))
        case .usageSettled(let event):
            response = APIResponse(status: 200, body: UsageAnswers.settled(recorded, event))
        case .usageReleased(let event):
            response = APIResponse(status: 200, body: UsageAnswers.released(recorded, event))
        case .usageRecorded(let event):
            response = APIResponse(status: 201, body: UsageAnswers.recorded(recorded, event))
        case .usageAdjusted(let event):
            response = APIResponse(status: 201, body: UsageAnswers.adjusted(recorded, event))
        default: throw otherRequest
        }
        if isDryRun { response = dryRun(response) }
        return replayed(response, reply)
    }

    /// An Idempotency-Key that answered a request of quite another kind.
    var otherRequest: APIError { APIError(EngineError.idempotencyMismatch) }

    /// There was nothing to do: a release after the end of the hold.
    private func answerWithoutEvent(_ reply: CommandReply) throws(APIError) -> APIResponse {
        guard let reservation = reply.reservation else { throw otherRequest }
        return APIResponse(
            status: 200,
            body: UsageAnswers.released(
                project: reservation.subject.project, customer: reservation.subject.customer,
                id: reservation.id, status: reservation.status.apiName))
    }

    private func dryRun(_ answer: APIResponse) -> APIResponse {
        let body = JSONWriter.document(reservingCapacity: answer.body.count + 64) { json in
            json.key("answer")
            json.raw(answer.body)
            json.member("dry_run", true)
            json.member("would_be", answer.status == 201 ? "reserved" : "rejected")
        }
        return APIResponse(status: 200, body: body)
    }

    func replayed(_ response: APIResponse, _ reply: CommandReply) -> APIResponse {
        guard reply.isReplay else { return response }
        var response = response
        response.headers.append(("Idempotent-Replayed", "true"))
        return response
    }
}

extension JSONFields {
    /// The id in the body, unless the path has named it.
    fileprivate mutating func id(unless pathID: String?) throws(FieldError) -> String {
        if let pathID { return pathID }
        return try id("id")
    }
}

// MARK: - The engine

extension API {
    func submit(_ request: EngineRequest) async throws(APIError) -> CommandReply {
        do throws(EngineError) {
            let reply = try await decide(request)
            CustomerNote.current?.set(reply.event?.customer)
            return reply
        } catch {
            throw APIError(error)
        }
    }

    func read<T: Sendable>(
        _ body: @escaping @Sendable (borrowing EngineView) throws(EngineError) -> T
    ) async throws(APIError) -> T {
        do throws(EngineError) {
            return try await engine.read(body)
        } catch {
            throw APIError(error)
        }
    }
}
