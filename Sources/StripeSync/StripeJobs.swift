// What is asked of Stripe, and on whose behalf.

import Billing
package import CanonicalJSON
package import StripeAPI

enum StripeJob: Hashable, Sendable {
    /// Finds the meter's id.
    case meter
    /// Sends a push, by its identifier.
    case push(String)
    /// Reads what became of a push that may not be sent again.
    case resolve(String)
    /// Reads a customer's subscriptions.
    case subscriptions(CustomerKey)
    /// Looks for the invoice of a period, by its start.
    case invoices(CustomerKey, Int64)
    /// Reads a customer's sum up to an instant, microseconds.
    case sum(CustomerKey, Int64)
    /// Fetches what a webhook did not bring.
    case webhook(String)
    /// Asks whether our meter feeds a price.
    case price(String)
}

struct StripeOutcome: Sendable {
    var job: StripeJob
    /// Of a list: all its elements, as an array.
    var result: Result<StripeAnswer, AttemptFailure>
}

/// Carries calls out; tests have their own.
package protocol StripeCaller: Sendable {
    /// By how much this machine's clock is ahead of Stripe's, seconds; nil: it is not known.
    var clockSkewSeconds: Int64? { get }
    func performOnce(_ call: StripeCall) async throws(AttemptFailure) -> StripeAnswer
    func perform(_ call: StripeCall) async throws(StripeFailure) -> StripeAnswer
    func forEach(
        _ call: StripeCall, _ body: (JSONValue) throws(StripeFailure) -> Bool
    ) async throws(StripeFailure)
}

extension StripeClient: StripeCaller {}

extension StripeCaller {
    package var clockSkewSeconds: Int64? { nil }
}

extension StripeCaller {
    func fetch(_ fetch: StripeFetch) async -> Result<StripeAnswer, AttemptFailure> {
        do throws(StripeFailure) {
            switch fetch {
            case .once(let call): return .success(try await perform(call))
            case .list(let call):
                var items: [JSONValue] = []
                try await forEach(call) { item in
                    items.append(item)
                    return items.count < 10_000
                }
                return .success(
                    StripeAnswer(body: .array(items), requestID: nil, isReplayed: false))
            }
        } catch {
            return .failure(error.cause)
        }
    }
}
