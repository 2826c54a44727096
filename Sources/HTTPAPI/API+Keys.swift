// API keys. A secret is made here, shown once, and only its hash goes further.

import Billing
import CanonicalJSON
import Engine

extension API {
    func listKeys(_ call: APICall) async throws(APIError) -> APIResponse {
        let limit = try call.limit()
        let after = try call.after()
        let own = call.principal.project
        let (keys, hasMore) = try await read { view in
            let state = view.state
            let found = pageOfKeys(state.keys.keys, after: after, limit: limit) {
                own == nil || state.keys[$0]?.project == own
            }
            return (found.keys.compactMap { state.keys[$0] }, found.hasMore)
        }
        return page(keys, hasMore: hasMore, next: keys.last?.id) { json, key in
            json.member("created_at", key.createdAt)
            json.member("id", key.id)
            json.member("name", key.name)
            json.member("project", ifPresent: key.project)
            json.member("revoked_at", ifPresent: key.revokedAt)
            json.member("role", key.role)
        }
    }

    func createKey(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.body()
        var event = try reading { () throws(FieldError) in
            var fields = body
            var event = KeyCreated()
            event.id = try fields.optionalOperatorID("id") ?? newID("key_")
            event.name = try fields.optionalText("name") ?? ""
            event.role = try fields.choice("role")
            event.project = try fields.optionalOperatorID("project")
            try fields.rejectUnknown()
            return event
        }
        if let own = call.principal.project, event.project != own {
            throw .forbidden("This key can make keys for project '\(own)' only.", param: "project")
        }
        let secret = newKeySecret()
        event.secretHash = secretHash(secret)
        // The project is part of what is asked here, so it stays in the digest.
        let reply = try await submit(
            try idempotent(
                .createKey(event), call.route.operationID, [], body.object, dropping: [], call,
                key: ""))
        guard let recorded = reply.event, case .keyCreated(let created) = recorded.event else {
            throw otherRequest
        }
        let answer = JSONWriter.document { json in
            json.member("created_at", recorded.time)
            json.member("event", recorded.sequence)
            json.member("id", created.id)
            json.member("name", created.name)
            json.member("project", ifPresent: created.project)
            json.member("role", created.role)
            if !reply.isReplay { json.member("secret", secret) }
        }
        return replayed(APIResponse(status: 201, body: answer), reply)
    }

    func revokeKey(_ call: APICall) async throws(APIError) -> APIResponse {
        let id = call.parameters[0]
        if let own = call.principal.project {
            let key = try await read { $0.state.keys[id] }
            if let key, key.project != own {
                throw .forbidden("Key '\(id)' does not belong to project '\(own)'.")
            }
        }
        let reply = try await submit(
            try call.write(.revokeKey(id: id), project: "", JSONFields(JSONObject())))
        if let recorded = reply.event {
            guard case .keyRevoked(let event) = recorded.event else { throw otherRequest }
            return replayed(
                revoked(event.id, at: recorded.time, event: recorded.sequence), reply)
        }
        // Revoked before: when, the state knows.
        guard let at = try await read({ $0.state.keys[id]?.revokedAt }) else { throw otherRequest }
        return revoked(id, at: at, event: nil)
    }

    private func revoked(_ id: String, at time: Instant, event: UInt64?) -> APIResponse {
        let body = JSONWriter.document { json in
            json.member("event", ifPresent: event)
            json.member("id", id)
            json.member("revoked_at", time)
        }
        return APIResponse(status: 200, body: body)
    }
}
