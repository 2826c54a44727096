// Usage that was not reserved, and corrections of what was charged.

import Billing
import CanonicalJSON
import Engine
import Money

extension API {
    func recordUsage(_ call: APICall) async throws(APIError) -> APIResponse {
        switch call.mediaType {
        case "application/cloudevents-batch+json":
            return try await recordCloudEvents(call)
        case "application/cloudevents+json":
            let value = try call.json()
            let event = try reading { () throws(FieldError) in try CloudEvent(value, path: "") }
            return try answer(try await submit(try usage(event, call, key: true)))
        case "application/json" where !call.request.cloudEvent.isEmpty:
            let value = try call.json()
            let event = try CloudEvent(headers: call.request.cloudEvent, data: value)
            return try answer(try await submit(try usage(event, call, key: true)))
        default:
            let body = try call.body()
            return try answer(try await submit(try usage(body, call)))
        }
    }

    private func usage(_ body: JSONFields, _ call: APICall) throws(APIError) -> EngineRequest {
        let (id, input) = try reading { () throws(FieldError) in
            var fields = body
            let id = try fields.id("id")
            return (id, try UsageInput(&fields))
        }
        let project = try call.project(named: input.call.project)
        return try idempotent(
            .recordUsage(input.request(id: id, project: project)), "usage", [project], body.object,
            dropping: ["project"], call, key: project)
    }

    private func usage(
        _ event: CloudEvent, _ call: APICall, key: Bool
    ) throws(APIError) -> EngineRequest {
        let project = try call.project(named: event.usage.call.project)
        return try idempotent(
            .recordUsage(event.usage.request(id: event.usageID, project: project)), "cloudevent",
            [project], event.identity, dropping: [], call, key: key ? project : nil)
    }

    private func recordCloudEvents(_ call: APICall) async throws(APIError) -> APIResponse {
        guard case .array(let values) = try call.json() else {
            throw .malformed("wrong_type", "the body must be an array of CloudEvents")
        }
        guard (1...Self.batchMax).contains(values.count) else {
            throw .invalid("the body must have 1 to \(Self.batchMax) CloudEvents")
        }
        let single = call.inBatch(of: try call.project())
        var batch: [BatchedCommand] = []
        batch.reserveCapacity(values.count)
        for (place, value) in values.enumerated() {
            do throws(APIError) {
                let event = try reading { () throws(FieldError) in
                    try CloudEvent(value, path: "[\(place)]")
                }
                batch.append(
                    BatchedCommand(
                        id: event.usageID,
                        request: .success(try usage(event, single, key: false))))
            } catch {
                batch.append(BatchedCommand(id: nil, request: .failure(error)))
            }
        }
        return try await carryOut(batch)
    }

    // MARK: Corrections

    func createAdjustment(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.body()
        let input = try reading { () throws(FieldError) in try AdjustmentInput(body) }
        let project = try call.project(named: input.project)
        let request = AdjustRequest(
            key: ReservationKey(project: project, id: input.reservation),
            correction: input.correction, reason: input.reason,
            author: input.author ?? call.principal.actor ?? "operator")
        return try answer(
            try await submit(try call.write(.adjust(request), project: project, body)))
    }
}

private struct AdjustmentInput {
    var reservation: String
    var project: String?
    var reason: String
    var author: String?
    var correction: Correction

    init(_ fields: JSONFields) throws(FieldError) {
        var fields = fields
        let range = -LedgerLimits.amountMax...LedgerLimits.amountMax
        reservation = try fields.id("reservation")
        project = try fields.optionalOperatorID("project")
        reason = try fields.reason("reason")
        author = try fields.optionalID("author")
        let usage = try fields.optionalObject("usage")
        let charge = try fields.optionalMoney("charge_delta", in: range)
        let cost = try fields.optionalMoney("cost_delta", in: range)
        try fields.rejectUnknown()
        switch (usage, charge ?? cost) {
        case (let usage?, nil):
            let reported = try ReportedUsage(usage)
            if reported.isMissing {
                throw fields.error(.invalid, "usage", "must have at least one count")
            }
            correction = .usage(reported)
        case (nil, _?): correction = .delta(cost: cost ?? .zero, charge: charge ?? .zero)
        case (nil, nil):
            throw fields.error(.missing, "usage", "or charge_delta or cost_delta is required")
        case (_?, _?):
            throw fields.error(.invalid, "usage", "and deltas exclude each other")
        }
    }
}
