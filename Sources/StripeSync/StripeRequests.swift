// Facts on their way to the log. Each has an idempotency key of its own, so that a fact that is
// found twice (after a crash, from a webhook and from a list) is recorded once.

import Billing
package import Engine

/// What of the engine is used.
package protocol StripeLedger: Sendable {
    func submit(_ requests: [EngineRequest]) async -> [Result<CommandReply, EngineError>]
}

extension Engine: StripeLedger {}

enum StripeRequests {
    /// No caller's key can be in this scope: projects have no such names.
    private static let scope = "\u{0}stripe"

    static func record(
        _ fact: StripeFact, _ customer: CustomerKey?, key: String?
    ) -> EngineRequest {
        command(.recordStripe(fact, customer), key: key)
    }

    static func command(_ command: Command, key: String?) -> EngineRequest {
        EngineRequest(
            command,
            idempotencyKey: key.map { Fingerprint(.idempotencyKey, scope, $0) },
            requestHash: key.map { Fingerprint(.request, scope, $0) })
    }
}

extension StripeCustomerRow {
    var key: CustomerKey { CustomerKey(project: project, id: customer) }
}

extension StripePushRow {
    var customerKey: CustomerKey { CustomerKey(project: project, id: customer) }
}
