// The simulator's own routes.
//
// `GET /_books` says what the account has billed and what is under way. `GET /_pay/{session}` pays
// a checkout session, as a customer would on Stripe's page. `POST /_control` takes an object; each
// member is optional, and they are carried out in this order:
//
//     {"endpoint": {"url": "http://…/webhooks/stripe", "secret": "whsec_…"},
//      "faults": {"lost_answer": 20, "aggregation_lag_seconds": [30, 600]},   thousandths; see below
//      "advance_seconds": 3600,                    its clock, with all that happens meanwhile
//      "advance_to": "2026-12-01T00:00:00Z",
//      "pay": "cs_…", "refund": {"session": "cs_…", "amount": 500},
//      "dispute": "cs_…", "close_dispute": {"session": "cs_…", "dispute": "du_…", "status": "won"},
//      "end_subscription": {"subscription": "sub_…", "invoice_now": true},
//      "delete_customer": "cus_…"}

package import CanonicalJSON
import HTTPTypes
import Hummingbird
import NIOCore
import TimeZones

extension StripeSimulator {
    func control(_ method: String, _ path: String, _ bytes: [UInt8]) async -> Response {
        switch (method, path) {
        case ("GET", "/_books"): return answer(await desk.change { $0.books })
        case ("POST", "/_control"):
            do {
                return answer(try await apply(try StrictJSON.parse(bytes)))
            } catch {
                return answer(json(["error": .string("\(error)")]), status: 400)
            }
        case ("GET", _) where path.hasPrefix("/_pay/"):
            let session = String(path.dropFirst(6))
            let isPaid = await desk.change { $0.paySession(session) }
            return answer(json(["paid": .bool(isPaid)]), status: isPaid ? 200 : 404)
        default: return answer(json(["error": .string("no such route")]), status: 404)
        }
    }

    private func answer(_ value: JSONValue, status: Int = 200) -> Response {
        let bytes = value.bytes
        return Response(
            status: .init(code: status), headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    private static let members = [
        "endpoint", "faults", "advance_seconds", "advance_to", "pay", "refund", "dispute",
        "close_dispute", "end_subscription", "delete_customer",
    ]

    private func apply(_ body: JSONValue) async throws -> JSONValue {
        if let unknown = body.members.first(where: { !Self.members.contains($0.key) }) {
            throw InstructionError("'\(unknown.key)' is not known")
        }
        if let endpoint = body["endpoint"] {
            guard let url = endpoint["url"]?.text, let secret = endpoint["secret"]?.text else {
                throw InstructionError("endpoint needs url and secret")
            }
            await desk.change { $0.addEndpoint(url: url, secret: secret) }
        }
        if let faults = body["faults"] {
            let wanted = try StripeFaults(faults)
            await desk.change { $0.faults = wanted }
        }
        if let seconds = body["advance_seconds"]?.integer {
            guard (0...1_000_000_000).contains(seconds) else {
                throw InstructionError("advance_seconds must be 0 to 1,000,000,000")
            }
            await desk.advance(to: await desk.now + Int64(seconds) * 1_000_000)
        }
        if let text = body["advance_to"]?.text {
            await desk.advance(to: try RFC3339.parse(text))
        }
        return await desk.change { account in Self.act(body, &account) }
    }

    /// What people do.
    private static func act(_ body: JSONValue, _ account: inout StripeAccount) -> JSONValue {
        var done: [(String, JSONValue)] = []
        if let session = body["pay"]?.text {
            done.append(("paid", .bool(account.paySession(session))))
        }
        if let refund = body["refund"], let session = refund["session"]?.text {
            let amount = min(max(refund["amount"]?.integer ?? 0, 0), 1_000_000_000_000)
            account.refundSession(session, amount: Int64(amount))
        }
        if let session = body["dispute"]?.text {
            done.append(("dispute", optional(account.disputeSession(session))))
        }
        if let close = body["close_dispute"], let session = close["session"]?.text {
            account.closeDispute(
                close["dispute"]?.text ?? "", ofSession: session,
                status: close["status"]?.text ?? "lost")
        }
        if let end = body["end_subscription"], let id = end["subscription"]?.text {
            account.endSubscription(id, invoiceNow: end["invoice_now"]?.flag ?? false)
        }
        if let customer = body["delete_customer"]?.text { account.deleteCustomer(customer) }
        var object = JSONObject()
        for (name, value) in done { object.append(name, value) }
        object.append("done", .bool(true))
        return .object(object)
    }
}

extension StripeAccount {
    /// What was billed and what is under way, as the account itself has it.
    fileprivate var books: JSONValue {
        var billed = JSONObject()
        for (customer, quantity) in billedQuantities.sorted(by: { $0.key < $1.key }) {
            billed.append(customer, .integer(quantity))
        }
        return json([
            "now": .string(RFC3339.text(microseconds: now)),
            "billed_quantities": .object(billed),
            "invoices": .array(invoiceDocuments),
            "webhooks_waiting": count(waitingDeliveries),
        ])
    }
}

extension StripeFaults {
    /// Thousandths and, for `…_seconds`, spans.
    package init(_ object: JSONValue) throws(InstructionError) {
        self.init()
        let chances: [(String, WritableKeyPath<StripeFaults, Int>)] = [
            ("lost_answer", \.lostAnswer), ("refused", \.refused), ("limited", \.limited),
            ("locked", \.locked), ("failed_and_kept", \.failedAndKept), ("failed", \.failed),
            ("conflict", \.conflict), ("silent_rejection", \.silentRejection),
            ("webhook_duplicate", \.webhookDuplicate), ("webhook_lost", \.webhookLost),
            ("payment_failed", \.paymentFailed),
        ]
        for member in object.members {
            if let chance = chances.first(where: { $0.0 == member.key }) {
                guard let thousandths = member.value.integer, (0...1_000).contains(thousandths)
                else { throw InstructionError("\(member.key) must be 0 to 1000 thousandths") }
                self[keyPath: chance.1] = thousandths
                continue
            }
            switch member.key {
            case "duplicates_are_silent": duplicatesAreSilent = member.value.flag ?? false
            case "aggregation_lag_seconds": aggregationLag = try Self.span(member)
            case "webhook_delay_seconds": webhookDelay = try Self.span(member)
            default: throw InstructionError("faults: '\(member.key)' is not known")
            }
        }
    }

    private static func span(
        _ member: (key: String, value: JSONValue)
    ) throws(InstructionError) -> ClosedRange<Int64> {
        let ends = member.value.items.compactMap(\.integer)
        guard ends.count == 2, ends[0] >= 0, ends[1] >= ends[0], ends[1] < 1_000_000_000 else {
            throw InstructionError("\(member.key) must be two ascending numbers of seconds")
        }
        return Int64(ends[0]) * 1_000_000...Int64(ends[1]) * 1_000_000
    }
}
