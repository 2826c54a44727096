// Runs: one agent invocation or session, with a cap of its own and a stop from outside.

import Billing
import CanonicalJSON
import Engine
import Money

extension API {
    func startRun(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.body()
        let (named, input) = try reading { () throws(FieldError) in
            var fields = body
            let id = try fields.id("id")
            let project = try fields.optionalOperatorID("project")
            var run = RunRequest(key: RunKey(id: id))
            run.customer = try fields.optionalID("customer")
            run.user = try fields.optionalID("user")
            run.cap = try fields.optionalMoney("cap", in: .zero...LedgerLimits.totalMax)
            run.metadata = try fields.tags("metadata")
            try fields.rejectUnknown()
            return (project, run)
        }
        var run = input
        run.key.project = try call.project(named: named)
        let reply = try await submit(
            try call.write(.startRun(run), project: run.key.project, body))
        guard let recorded = reply.event, case .runStarted(let event) = recorded.event else {
            throw otherRequest
        }
        let answer = JSONWriter.document { json in
            json.member("cap", ifPresent: event.cap)
            json.member("customer", ifPresent: recorded.customer)
            json.member("event", recorded.sequence)
            json.member("id", event.run)
            json.member("metadata", event.metadata)
            json.member("project", recorded.project ?? "")
            json.member("started_at", recorded.time)
            json.member("status", RunStatus.active)
            json.member("user", ifPresent: event.user)
        }
        return replayed(APIResponse(status: 201, body: answer), reply)
    }

    func getRun(_ call: APICall) async throws(APIError) -> APIResponse {
        let key = RunKey(project: try call.project(), id: call.parameters[0])
        guard let run = try await read({ $0.state.runs[key] }) else { throw noRun(key) }
        return APIResponse(status: 200, body: JSONWriter.document { json in json.run(run) })
    }

    func stopRun(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.body(mayBeEmpty: true)
        let (named, reason) = try reading { () throws(FieldError) in
            var fields = body
            let project = try fields.optionalOperatorID("project")
            let reason = try fields.optionalReason("reason")
            try fields.rejectUnknown()
            return (project, reason)
        }
        let key = RunKey(project: try call.project(named: named), id: call.parameters[0])
        return try await change(.stopRun(key, reason: reason), key, call, body)
    }

    func endRun(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.body(mayBeEmpty: true)
        let named = try reading { () throws(FieldError) in
            var fields = body
            let project = try fields.optionalOperatorID("project")
            try fields.rejectUnknown()
            return project
        }
        let key = RunKey(project: try call.project(named: named), id: call.parameters[0])
        return try await change(.endRun(key), key, call, body)
    }

    private func change(
        _ command: Command, _ key: RunKey, _ call: APICall, _ body: JSONFields
    ) async throws(APIError) -> APIResponse {
        let reply = try await submit(try call.write(command, project: key.project, body))
        guard let recorded = reply.event else {
            // Nothing to change: what the state says.
            guard let run = try await read({ $0.state.runs[key] }) else { throw noRun(key) }
            return changed(
                key, event: nil, reason: run.statusReason, stopped: run.stoppedAt,
                ended: run.endedAt)
        }
        switch recorded.event {
        case .runStopped(let event):
            return replayed(
                changed(
                    RunKey(project: recorded.project ?? "", id: event.run),
                    event: recorded.sequence, reason: event.reason, stopped: recorded.time,
                    ended: nil), reply)
        case .runEnded(let event):
            return replayed(
                changed(
                    RunKey(project: recorded.project ?? "", id: event.run),
                    event: recorded.sequence, reason: nil, stopped: nil, ended: recorded.time),
                reply)
        default: throw otherRequest
        }
    }

    private func changed(
        _ key: RunKey, event: UInt64?, reason: String?, stopped: Instant?, ended: Instant?
    ) -> APIResponse {
        let body = JSONWriter.document { json in
            json.member("ended_at", ifPresent: ended)
            json.member("event", ifPresent: event)
            json.member("id", key.id)
            json.member("project", key.project)
            json.member("reason", ifPresent: reason)
            json.member("stopped_at", ifPresent: stopped)
        }
        return APIResponse(status: 200, body: body)
    }

    private func noRun(_ key: RunKey) -> APIError {
        .notFound("There is no run '\(key.id)' in project '\(key.project)'.", param: "run")
    }
}

extension JSONWriter {
    fileprivate mutating func run(_ run: Run) {
        let counter = run.counter
        if let cap = run.cap {
            let left = cap.nanos.addingClamped(-counter.spent).addingClamped(-counter.held)
            member("available", Money(nanos: left))
        }
        member("cap", ifPresent: run.cap)
        member("cap_exceeded", run.wasCapExceeded)
        member("customer", ifPresent: run.customer)
        member("ended_at", ifPresent: run.endedAt)
        member("held", Money(nanos: counter.held))
        member("id", run.id)
        member("metadata", run.metadata)
        member("open_holds", counter.openHolds)
        member("project", run.project)
        member("spent", Money(nanos: counter.spent))
        member("started_at", run.startedAt)
        member("status", run.status)
        member("status_reason", ifPresent: run.statusReason)
        member("stopped_at", ifPresent: run.stoppedAt)
        member("user", ifPresent: run.user)
    }
}
