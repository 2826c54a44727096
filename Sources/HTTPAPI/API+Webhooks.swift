// Webhook endpoints: kept beside the log and not on it, so these writes make no events and know no
// Idempotency-Key; an endpoint's id, chosen by the caller, stands in for one.

import Billing
import CanonicalJSON
import Engine
import EventLog
import Notifications

extension API {
    func listWebhooks(_ call: APICall) async throws(APIError) -> APIResponse {
        let limit = try call.limit()
        let after = try call.after() ?? ""
        let own = call.principal.project
        let all = try await webhooks { file, _ throws(StoreError) in try file.endpoints() }
        let found = all.filter { $0.id > after && (own == nil || $0.project == own) }
        let shown = found.prefix(limit)
        let now = webhookNow
        return page(Array(shown), hasMore: found.count > limit, next: shown.last?.id) {
            json, endpoint in json.endpoint(endpoint, call.principal, now)
        }
    }

    func getWebhook(_ call: APICall) async throws(APIError) -> APIResponse {
        let id = call.parameters[0]
        let found = try await webhooks { file, _ throws(StoreError) in try file.endpoint(id) }
        return answer(try own(found, call), call)
    }

    func createWebhook(_ call: APICall) async throws(APIError) -> APIResponse {
        var random = SystemRandomNumberGenerator()
        let secret = WebhookSecret(random: &random)
        let head = engine.store.head.sequence
        let rules = try webhookSettings().targets
        let body = try call.body()
        let now = webhookNow
        var endpoint = try reading { () throws(FieldError) in
            var fields = body
            let id = try fields.optionalOperatorID("id") ?? newID("wh_")
            if id == "deliveries" {
                throw fields.error(.invalid, "id", "must be another name: this one is taken")
            }
            var endpoint = Endpoint(
                id: id, url: "", createdAt: now, afterSequence: head, secret: secret)
            endpoint.project = try fields.optionalOperatorID("project")
            if let url = try fields.webhookURL(rules) {
                endpoint.url = url
            } else {
                try fields.refuseMissing("url")
            }
            try fields.change(&endpoint)
            try fields.rejectUnknown()
            return endpoint
        }
        if let project = endpoint.project { try call.require(project: project) }
        endpoint.project = endpoint.project ?? call.principal.project
        let new = endpoint
        let fault = try await webhooks { file, _ throws(StoreError) -> APIError? in
            let all = try file.endpoints()
            if all.contains(where: { $0.id == new.id }) {
                return .alreadyExists("There is a webhook '\(new.id)'.")
            }
            if all.count >= WebhookLimits.endpointsMax {
                return .invalid("There are \(all.count) webhooks, and may be no more.")
            }
            try file.save(new)
            return nil
        }
        if let fault { throw fault }
        return answer(new, call, status: 201, showsSecret: true)
    }

    func updateWebhook(_ call: APICall) async throws(APIError) -> APIResponse {
        let rules = try webhookSettings().targets
        let body = try call.body()
        return try await change(call) { endpoint, _ throws(FieldError) in
            var fields = body
            if let url = try fields.webhookURL(rules) { endpoint.url = url }
            try fields.change(&endpoint)
            try fields.rejectUnknown()
        }
    }

    func rotateWebhook(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.body(mayBeEmpty: true)
        var random = SystemRandomNumberGenerator()
        let secret = WebhookSecret(random: &random)
        return try await change(call, showsSecret: true) { endpoint, now throws(FieldError) in
            var fields = body
            let overlap = try fields.optionalInt("overlap_seconds", in: 0...604_800) ?? 86_400
            try fields.rejectUnknown()
            endpoint.oldSecret = endpoint.secret
            endpoint.oldSecretUntil = now.advanced(bySeconds: Int64(overlap))
            endpoint.secret = secret
        }
    }

    func deleteWebhook(_ call: APICall) async throws(APIError) -> APIResponse {
        let id = call.parameters[0]
        let found = try await webhooks { file, _ throws(StoreError) in try file.endpoint(id) }
        _ = try own(found, call)
        let isGone = try await webhooks { file, _ throws(StoreError) in
            try file.removeEndpoint(id)
        }
        guard isGone else { throw noWebhook(id) }
        let body = JSONWriter.document { json in
            json.member("id", id)
            json.member("removed", true)
        }
        return APIResponse(status: 200, body: body)
    }

    func testWebhook(_ call: APICall) async throws(APIError) -> APIResponse {
        let id = call.parameters[0]
        let body = try call.body(mayBeEmpty: true)
        try reading { () throws(FieldError) in try body.rejectUnknown() }
        let found = try await webhooks { file, _ throws(StoreError) in try file.endpoint(id) }
        let endpoint = try own(found, call)
        let notification = newID("ntf_")
        let delivery = try await webhooks { file, now throws(StoreError) in
            try file.addTest(to: endpoint, id: notification, now: now)
        }
        guard let delivery else { throw noWebhook(id) }
        return answer(delivery, status: 202)
    }

    // MARK: Deliveries

    func listDeliveries(_ call: APICall) async throws(APIError) -> APIResponse {
        let limit = try call.limit()
        let endpoint = try call.queryOperatorID("webhook")
        var state: DeliveryState?
        if let text = call.queryText("state") {
            state = DeliveryState(rawValue: text)
            if state == nil {
                throw .invalid("state must be waiting, delivered or failed", param: "state")
            }
        }
        let before = try call.queryInteger("after", in: 1...(1 << 53 - 1)) ?? .max
        let (wanted, project) = (state, call.principal.project)
        let found = try await webhooks { file, _ throws(StoreError) in
            try file.deliveries(
                endpoint: endpoint, state: wanted, project: project, before: before,
                limit: limit + 1)
        }
        let shown = Array(found.prefix(limit))
        return page(
            shown, hasMore: found.count > limit, next: shown.last.map { String($0.number) }
        ) { json, delivery in json.delivery(delivery) }
    }

    func getDelivery(_ call: APICall) async throws(APIError) -> APIResponse {
        answer(try await delivery(call), status: 200)
    }

    func resendDelivery(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.body(mayBeEmpty: true)
        try reading { () throws(FieldError) in try body.rejectUnknown() }
        let id = try await delivery(call).id
        let again = try await webhooks { file, now throws(StoreError) in
            try file.resend(id, now: now)
        }
        guard let again else { throw noDelivery(id) }
        return answer(again, status: 202)
    }

    private func delivery(_ call: APICall) async throws(APIError) -> Delivery {
        let id = call.parameters[0]
        let found = try await webhooks {
            file, _ throws(StoreError) -> (delivery: Delivery, endpoint: Endpoint?)? in
            guard let delivery = try file.delivery(id) else { return nil }
            return (delivery, try file.endpoint(delivery.endpoint))
        }
        guard let found else { throw noDelivery(id) }
        if let project = call.principal.project, found.endpoint?.project != project {
            throw noDelivery(id)
        }
        return found.delivery
    }

    // MARK: Shared

    private func change(
        _ call: APICall, showsSecret: Bool = false,
        _ body: @escaping @Sendable (inout Endpoint, Instant) throws(FieldError) -> Void
    ) async throws(APIError) -> APIResponse {
        let id = call.parameters[0]
        let now = webhookNow
        var random = SystemRandomNumberGenerator()
        // The body comes first, on no endpoint of anybody's: it is right or wrong by itself.
        var blank = Endpoint(
            id: id, url: "", createdAt: now, afterSequence: 0,
            secret: WebhookSecret(random: &random))
        try reading { () throws(FieldError) in try body(&blank, now) }
        let found = try await webhooks { file, _ throws(StoreError) in try file.endpoint(id) }
        _ = try own(found, call)
        // Once more under the file's lock: an attempt may have switched it off meanwhile.
        let changed = try await webhooks {
            file, now throws(StoreError) -> Result<Endpoint, APIError>? in
            guard var endpoint = try file.endpoint(id) else { return nil }
            do throws(FieldError) {
                try body(&endpoint, now)
            } catch {
                return .failure(APIError(error))
            }
            try file.save(endpoint)
            return .success(endpoint)
        }
        guard let changed else { throw noWebhook(id) }
        return answer(try changed.get(), call, showsSecret: showsSecret)
    }

    /// On the thread for the webhooks' file, with the time that deliveries go by.
    private func webhooks<Result: Sendable>(
        _ body: @escaping @Sendable (WebhookFile, Instant) throws(StoreError) -> Result
    ) async throws(APIError) -> Result {
        guard let webhooks else { throw noWebhooks }
        return try await webhookReader.run { () throws(APIError) in
            let now = webhooks.now
            do throws(StoreError) {
                return try webhooks.perform { file throws(StoreError) in try body(file, now) }
            } catch {
                throw .unavailable(
                    "webhooks_unavailable", "The webhooks' file cannot be used: \(error).")
            }
        }
    }

    private var noWebhooks: APIError {
        .unavailable(
            "webhooks_unavailable", "Webhooks are the business of the process that has the ledger.")
    }

    private func webhookSettings() throws(APIError) -> NotificationSettings {
        guard let webhooks else { throw noWebhooks }
        return webhooks.settings
    }

    private var webhookNow: Instant { webhooks?.now ?? .zero }

    /// The endpoint, if the key may know of it.
    private func own(_ endpoint: Endpoint?, _ call: APICall) throws(APIError) -> Endpoint {
        let project = call.principal.project
        guard let endpoint, project == nil || endpoint.project == project else {
            throw noWebhook(call.parameters[0])
        }
        return endpoint
    }

    private func noWebhook(_ id: String) -> APIError {
        .notFound("There is no webhook '\(id)'.", param: "id")
    }

    private func noDelivery(_ id: String) -> APIError {
        .notFound("There is no delivery '\(id)' (any more).", param: "id")
    }

    private func answer(
        _ endpoint: Endpoint, _ call: APICall, status: Int = 200, showsSecret: Bool = false
    ) -> APIResponse {
        let now = webhookNow
        let body = JSONWriter.document { json in
            json.endpoint(endpoint, call.principal, now, showsSecret: showsSecret)
        }
        return APIResponse(status: status, body: body)
    }

    private func answer(_ delivery: Delivery, status: Int) -> APIResponse {
        let body = JSONWriter.document { $0.delivery(delivery, showsBody: true) }
        return APIResponse(status: status, body: body)
    }
}

extension JSONFields {
    /// Where an endpoint's notifications are to go.
    fileprivate mutating func webhookURL(_ rules: TargetRules) throws(FieldError) -> String? {
        guard let url = try optionalString("url", minBytes: 1, maxBytes: 2_048) else { return nil }
        do throws(Target.Fault) {
            _ = try Target(url: url, rules: rules)
        } catch {
            throw self.error(.invalid, "url", error.message)
        }
        return url
    }

    /// What can be changed of an endpoint besides its URL.
    fileprivate mutating func change(_ endpoint: inout Endpoint) throws(FieldError) {
        if let text = try optionalText("description") { endpoint.description = text }
        if let names = try optionalStrings("types", maxCount: 32) {
            var types: [NotificationType] = []
            for (index, name) in names.enumerated() {
                guard let type = NotificationType(rawValue: name), type != .webhookTest else {
                    throw FieldError(
                        .invalid, param: "types[\(index)]",
                        message: "types[\(index)] is no type of notification")
                }
                if !types.contains(type) { types.append(type) }
            }
            endpoint.types = types
        }
        guard let isEnabled = try optionalBool("enabled") else { return }
        endpoint.isEnabled = isEnabled
        endpoint.disabledReason = nil
        endpoint.failingSince = nil
    }
}

extension JSONWriter {
    fileprivate mutating func endpoint(
        _ endpoint: Endpoint, _ principal: APIPrincipal, _ now: Instant, showsSecret: Bool = false
    ) {
        member("created_at", endpoint.createdAt)
        member("description", endpoint.description)
        member("disabled_reason", ifPresent: endpoint.disabledReason?.rawValue)
        member("enabled", endpoint.isEnabled)
        member("failing_since", ifPresent: endpoint.failingSince)
        member("id", endpoint.id)
        if let until = endpoint.oldSecretUntil, now < until { member("old_secret_until", until) }
        member("project", ifPresent: endpoint.project)
        if showsSecret { member("secret", endpoint.secret.text) }
        member("types", endpoint.types.map(\.rawValue))
        // The rest of some URLs is a secret in itself.
        let isAdmin = principal.role.power >= KeyRole.admin.power
        member("url", isAdmin ? endpoint.url : Self.origin(of: endpoint.url))
    }

    /// `https://hooks.example.com/…`
    private static func origin(of url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return "" }
        let host = url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
        return url[..<scheme.upperBound] + host + "/\u{2026}"
    }

    fileprivate mutating func delivery(_ delivery: Delivery, showsBody: Bool = false) {
        member("attempts", delivery.attempts)
        member("created_at", delivery.createdAt)
        if delivery.sequence > 0 { member("event", delivery.sequence) }
        member("id", delivery.id)
        member("last_attempt_at", ifPresent: delivery.lastAttemptAt)
        member("last_error", ifPresent: delivery.lastError)
        member("last_status", ifPresent: delivery.lastStatus)
        if delivery.state == .waiting { member("next_attempt_at", delivery.dueAt) }
        member("notification", delivery.notification)
        if showsBody {
            key("payload")
            raw(Array(delivery.body.utf8))
        }
        member("project", ifPresent: delivery.project)
        member("state", delivery.state)
        member("type", delivery.type)
        member("webhook", delivery.endpoint)
    }
}
