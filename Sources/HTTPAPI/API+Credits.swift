// Credit grants and payments.

import Billing
import CanonicalJSON
import Engine
import Money

extension API {
    /// In the order in which they were given; the cursor is the number of the granting event.
    func listCredits(_ call: APICall) async throws(APIError) -> APIResponse {
        let key = CustomerKey(project: try call.project(), id: call.parameters[0])
        let limit = try call.limit()
        let after = UInt64(try call.queryInteger("after", in: 0...(1 << 53 - 1)) ?? 0)
        guard let customer = try await read({ $0.state.customers[key] }) else {
            throw noCustomer(key)
        }
        let following = customer.grants.filter { $0.createdSequence > after }
        let shown = Array(following.prefix(limit))
        return page(
            shown, hasMore: following.count > limit,
            next: shown.last.map { String($0.createdSequence) }
        ) { json, grant in json.grant(grant) }
    }

    func grantCredit(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.body()
        let input = try reading { () throws(FieldError) in try GrantInput(body) }
        let project = try call.project(named: input.project)
        var terms = input.terms
        if terms.id.isEmpty { terms.id = newID("grant_") }
        // Now, when none is said: the engine decides at this instant or later.
        terms.effectiveAt = input.effectiveAt ?? engine.clock.now()
        let key = CustomerKey(project: project, id: call.parameters[0])
        return try creditAnswer(
            try await submit(
                try call.write(.grantCredit(key, terms), project: project, body)), call)
    }

    func revokeCredit(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.body(mayBeEmpty: true)
        let (reason, named) = try reading { () throws(FieldError) in
            var fields = body
            let reason = try fields.optionalReason("reason")
            let project = try fields.optionalOperatorID("project")
            try fields.rejectUnknown()
            return (reason, project)
        }
        let project = try call.project(named: named)
        let key = CustomerKey(project: project, id: call.parameters[0])
        let reply = try await submit(
            try call.write(
                .revokeCredit(key, grant: call.parameters[1], reason: reason), project: project,
                body))
        if reply.event == nil {
            return APIResponse(
                status: 200,
                body: revoked(key, grant: call.parameters[1], amount: .zero, nil, nil))
        }
        return try creditAnswer(reply, call)
    }

    func recordPayment(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.body()
        let (amount, reference, named) = try reading { () throws(FieldError) in
            var fields = body
            let amount = try fields.money(
                "amount", in: -LedgerLimits.amountMax...LedgerLimits.amountMax)
            let reference = try fields.optionalID("reference")
            let project = try fields.optionalOperatorID("project")
            try fields.rejectUnknown()
            return (amount, reference, project)
        }
        let project = try call.project(named: named)
        let key = CustomerKey(project: project, id: call.parameters[0])
        return try creditAnswer(
            try await submit(
                try call.write(
                    .receivePayment(key, amount: amount, reference: reference), project: project,
                    body)), call)
    }

    // MARK: Answers

    private func creditAnswer(
        _ reply: CommandReply, _ call: APICall
    ) throws(APIError) -> APIResponse {
        guard let recorded = reply.event else { throw otherRequest }
        let key = CustomerKey(project: recorded.project ?? "", id: recorded.customer ?? "")
        let response: APIResponse
        switch recorded.event {
        case .creditGranted(let event):
            response = APIResponse(status: 201, body: granted(recorded, event))
        case .creditRevoked(let event):
            response = APIResponse(
                status: 200,
                body: revoked(
                    key, grant: event.grant, amount: event.amount, recorded.sequence, event.reason))
        case .paymentReceived(let event):
            response = APIResponse(status: 201, body: paid(recorded, event))
        default: throw otherRequest
        }
        return replayed(response, reply)
    }

    private func granted(_ recorded: RecordedEvent, _ event: CreditGranted) -> [UInt8] {
        JSONWriter.document { json in
            json.member("customer", recorded.customer ?? "")
            json.member("event", recorded.sequence)
            json.object("grant") { json in
                json.member("amount", event.grant.amount)
                json.member("category", event.grant.category)
                json.member("effective_at", event.grant.effectiveAt)
                json.member("expires_at", ifPresent: event.grant.expiresAt)
                json.member("id", event.grant.id)
                json.member("models", event.grant.models)
                json.member("priority", event.grant.priority)
                json.member("source", event.grant.source)
                json.member("source_reference", ifPresent: event.grant.sourceReference)
            }
            json.member("project", recorded.project ?? "")
            json.member("repaid_debt", event.repaidDebt)
        }
    }

    private func revoked(
        _ key: CustomerKey, grant: String, amount: Money, _ event: UInt64?, _ reason: String?
    ) -> [UInt8] {
        JSONWriter.document { json in
            json.member("amount", amount)
            json.member("customer", key.id)
            json.member("event", ifPresent: event)
            json.member("grant", grant)
            json.member("project", key.project)
            json.member("reason", ifPresent: reason)
        }
    }

    private func paid(_ recorded: RecordedEvent, _ event: PaymentReceived) -> [UInt8] {
        JSONWriter.document { json in
            json.member("amount", event.amount)
            json.member("customer", recorded.customer ?? "")
            json.member("event", recorded.sequence)
            json.member("project", recorded.project ?? "")
            json.member("received_at", recorded.time)
            json.member("reference", ifPresent: event.reference)
        }
    }
}

private struct GrantInput {
    var project: String?
    var terms: GrantTerms
    var effectiveAt: Instant?

    /// Sources that a caller may name; `correction` is the engine's own.
    private enum Source: String, CaseIterable {
        case manual
        case stripeCheckout = "stripe_checkout"
        case stripeInvoice = "stripe_invoice"
    }

    init(_ fields: JSONFields) throws(FieldError) {
        var fields = fields
        terms = GrantTerms(id: try fields.optionalID("id") ?? "")
        project = try fields.optionalOperatorID("project")
        terms.amount = try fields.money("amount")
        guard terms.amount > .zero else {
            throw fields.error(.outOfRange, "amount", "must be above zero")
        }
        terms.priority = Int64(
            try fields.optionalInt("priority", in: -1_000_000...1_000_000) ?? 0)
        effectiveAt = try fields.optionalTime("effective_at")
        terms.expiresAt = try fields.optionalTime("expires_at")
        terms.category = try fields.optionalChoice("category") ?? .paid
        terms.models = try fields.optionalStrings("models", maxCount: 64, maxBytes: 256) ?? []
        guard terms.models.allSatisfy(\.isID) else {
            throw fields.error(
                .invalid, "models", "must have globs of 1 to 256 bytes without control characters")
        }
        let source = try fields.optionalChoice("source", of: Source.self) ?? .manual
        terms.source = GrantSource(rawValue: source.rawValue) ?? .manual
        terms.sourceReference = try fields.optionalID("source_reference")
        try fields.rejectUnknown()
    }
}

extension JSONWriter {
    mutating func grant(_ grant: Grant) {
        member("amount", grant.terms.amount)
        member("available", grant.available)
        member("burnt", grant.burnt)
        member("category", grant.terms.category)
        member("effective_at", grant.terms.effectiveAt)
        member("expired", grant.expired)
        member("expires_at", ifPresent: grant.terms.expiresAt)
        member("held", grant.held)
        member("id", grant.terms.id)
        member("models", grant.terms.models)
        member("priority", grant.terms.priority)
        member("remaining", grant.remaining)
        member("revoked", grant.revoked)
        member("source", grant.terms.source)
        member("source_reference", ifPresent: grant.terms.sourceReference)
        member("status", grant.isEnded ? "ended" : grant.isActive ? "active" : "pending")
    }
}
