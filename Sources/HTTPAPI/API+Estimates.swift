// What a call may cost, and what would happen if it were reserved now. Nothing is held.

import Billing
import CanonicalJSON
import Engine

extension API {
    func createEstimate(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.bodyWithRequest()
        let input = try reading { () throws(FieldError) in try EstimateInput(body) }
        let project = try call.project(named: input.call.project)
        let request = callRequest(input.call, input.size, project: project)
        // Both in one hop, so that they see the same state. The probe's id can be no caller's.
        let probe = ReserveRequest(id: "\u{0}estimate", call: request)
        let replies = await decide([
            EngineRequest(.estimate(request), actor: call.principal.actor),
            EngineRequest(.reserve(probe), actor: call.principal.actor, isDryRun: true),
        ])
        do throws(EngineError) {
            let estimated = try replies[0].get()
            let probed = try replies[1].get()
            guard let recorded = estimated.event, case .usageEstimated(let event) = recorded.event
            else { throw .unreadable("an estimate without its event") }
            return APIResponse(
                status: 200,
                body: answer(recorded, event, probed.event, unbounded: input.size.refused))
        } catch {
            throw APIError(error)
        }
    }

    private func answer(
        _ recorded: RecordedEvent, _ event: UsageEstimated, _ probe: RecordedEvent?,
        unbounded: [String]
    ) -> [UInt8] {
        var affordable: Int64?
        var refusal: Refusal?
        switch probe?.event {
        case .usageReserved(let reserved) where reserved.estimate.method != .amount:
            affordable = reserved.estimate.maxOutputTokens
        case .usageRejected(let rejected):
            affordable = rejected.affordableMaxTokens
            if let probe {
                refusal = Refusal(
                    recorded: probe, event: rejected, currency: currency, isRecorded: false)
                refusal?.recorded.reservation = nil
            }
        default: break
        }
        return JSONWriter.document(reservingCapacity: 1_024) { json in
            json.member("affordable_max_tokens", ifPresent: affordable)
            json.member("customer", recorded.customer ?? "")
            json.estimate(event.estimate)
            json.member("event", recorded.sequence)
            json.member("model", event.call.model)
            json.member("plan", event.call.plan)
            json.member("project", recorded.project ?? "")
            if let refusal { json.object("refusal") { json in refusal.writeMembers(&json) } }
            if unbounded.isEmpty {
                json.member("would_be", refusal == nil ? "reserved" : "rejected")
            } else {
                json.member("unbounded", unbounded)
                json.member("would_be", "unbounded")
            }
        }
    }
}
