// What has to be there at Stripe before anything can be billed: a meter that sums micro-units, a
// product, and a price of a micro-unit's worth for each. Found or made; made once, however often it
// is asked for.

import Billing
import CanonicalJSON
import Engine
package import StripeAPI

package struct StripeSetup: Sendable {
    /// The recommended shape: one meter of money.
    package var meter = "faregate_usage"
    /// ISO 4217, lower case.
    package var currency = "usd"
    /// `month`, `week`, `day` or `year`.
    package var interval = "month"
    /// As invoices name it.
    package var productName = "Usage"
    /// Where webhooks are to go; nil: somebody else sees to that.
    package var webhookURL: String?
    /// Changes nothing, says what it would.
    package var isDryRun = false

    package init() {}

    package enum Outcome: String, Sendable {
        case found, made
        /// Would be made.
        case missing
    }

    package struct Step: Sendable, Equatable {
        package var what: String
        package var outcome: Outcome
        /// Empty: there is none yet.
        package var id: String
        /// Of a webhook endpoint that was made: what it signs with. Not shown again.
        package var secret: String?
    }

    /// Why it cannot be set up.
    package enum Failure: Error, Sendable, CustomStringConvertible {
        case stripe(StripeFailure)
        /// Something of that name is there, and bills something else.
        case unfit(String)

        package var description: String {
            switch self {
            case .stripe(let failure): "\(failure)"
            case .unfit(let message): message
            }
        }
    }

    /// `faregate_usage_usd_month`: how the price is found again.
    package var lookupKey: String { "\(meter)_\(currency)_\(interval)" }

    /// The product's id, which is ours to choose.
    package var productID: String { "faregate_\(meter)" }

    package func run(_ client: any StripeCaller) async throws(Failure) -> [Step] {
        let meter = try await setUpMeter(client)
        let product = try await setUpProduct(client)
        let price = try await setUpPrice(client, meter: meter.id)
        guard let webhookURL else { return [meter, product, price] }
        return [
            meter, product, price, try await setUpEndpoint(client, webhookURL),
            try await setUpDestination(client, webhookURL),
        ]
    }

    private func setUpMeter(_ client: any StripeCaller) async throws(Failure) -> Step {
        let name = "meter \(meter)"
        let meters = try await list(client, StripeMeter.list).compactMap { StripeMeter($0) }
            .filter { $0.eventName == meter }
        if let found = meters.first(where: \.isActive) {
            guard found.formula == nil || found.formula == "sum" else {
                throw .unfit(
                    "the meter '\(meter)' (\(found.id)) does not sum, it has \(found.formula ?? "")"
                        + ": name another with stripe_meter")
            }
            guard found.eventTimeWindow == nil else {
                throw .unfit(
                    "the meter '\(meter)' (\(found.id)) counts only the last event of each"
                        + " \(found.eventTimeWindow ?? ""): name another with stripe_meter")
            }
            return Step(what: name, outcome: .found, id: found.id)
        }
        if let old = meters.first {
            throw .unfit(
                "the meter '\(meter)' (\(old.id)) is deactivated: reactivate it at Stripe, or name"
                    + " another with stripe_meter")
        }
        if isDryRun { return Step(what: name, outcome: .missing, id: "") }
        let made = try await make(
            client, StripeMeter.create(eventName: meter, displayName: productName))
        return Step(what: name, outcome: .made, id: made)
    }

    private func setUpProduct(_ client: any StripeCaller) async throws(Failure) -> Step {
        let name = "product \(productID)"
        let found: JSONValue?
        do throws(StripeFailure) {
            found = try await client.perform(StripeCalls.product(productID)).body
        } catch {
            guard error.stripe?.status == 404 else { throw .stripe(error) }
            found = nil
        }
        if let found, found.member("deleted")?.boolValue != true {
            guard found.member("active")?.boolValue != false else {
                throw .unfit("the product '\(productID)' is archived: activate it at Stripe")
            }
            return Step(what: name, outcome: .found, id: productID)
        }
        if isDryRun { return Step(what: name, outcome: .missing, id: "") }
        let made = try await make(
            client, StripeCalls.createProduct(id: productID, name: productName))
        return Step(what: name, outcome: .made, id: made)
    }

    private func setUpPrice(
        _ client: any StripeCaller, meter meterID: String
    ) async throws(Failure) -> Step {
        let name = "price \(lookupKey)"
        let wanted = StripeCurrency.microUnitPrice(currency)
        let prices = try await list(client, StripeCalls.prices(lookupKey: lookupKey))
        if let found = prices.first, let id = found.member("id")?.stringValue {
            let recurring = found.member("recurring")
            guard found.member("unit_amount_decimal")?.stringValue == wanted,
                recurring?.member("meter")?.stringValue == meterID || meterID.isEmpty,
                found.member("currency")?.stringValue == currency
            else {
                throw .unfit(
                    "the price '\(lookupKey)' (\(id)) does not bill \(wanted) minor units for each"
                        + " unit of the meter: give it another lookup key")
            }
            return Step(what: name, outcome: .found, id: id)
        }
        if isDryRun { return Step(what: name, outcome: .missing, id: "") }
        let made = try await make(
            client,
            StripeCalls.createPrice(
                product: productID, meter: meterID, currency: currency, unitAmountDecimal: wanted,
                interval: interval, lookupKey: lookupKey))
        return Step(what: name, outcome: .made, id: made)
    }

    // MARK: Webhooks

    private func setUpEndpoint(
        _ client: any StripeCaller, _ url: String
    ) async throws(Failure) -> Step {
        let name = "webhooks to \(url)"
        let known = try await list(client, StripeCalls.webhookEndpoints)
            .compactMap { WebhookEndpoint($0) }
        if let found = known.first(where: { $0.url == url && $0.isEnabled }) {
            let all = found.types.contains("*")
            let missing = WebhookEndpoint.snapshotTypes.filter { !found.types.contains($0) }
            guard all || missing.isEmpty else {
                throw .unfit(
                    "the webhook endpoint \(found.id) does not get "
                        + missing.joined(separator: ", ") + ": add these to it at Stripe")
            }
            return Step(what: name, outcome: .found, id: found.id)
        }
        if isDryRun { return Step(what: name, outcome: .missing, id: "") }
        return try await endpoint(
            client, name,
            StripeCalls.createWebhookEndpoint(url: url, idempotencyKey: key("endpoint", known)))
    }

    private func setUpDestination(
        _ client: any StripeCaller, _ url: String
    ) async throws(Failure) -> Step {
        let name = "meter reports to \(url)"
        let answer = try await perform(client, StripeCalls.eventDestinations)
        let known = (answer.member("data")?.elements ?? []).compactMap { WebhookEndpoint($0) }
        let found = known.first { one in
            one.url == url && one.isEnabled
                && WebhookEndpoint.thinTypes.allSatisfy { one.types.contains($0) }
        }
        if let found { return Step(what: name, outcome: .found, id: found.id) }
        if isDryRun { return Step(what: name, outcome: .missing, id: "") }
        return try await endpoint(
            client, name,
            StripeCalls.createEventDestination(
                url: url, idempotencyKey: key("destination", known)))
    }

    /// Another one once those that were there are others: one that was deleted is made again.
    private func key(_ kind: String, _ known: [WebhookEndpoint]) -> String {
        let ids = known.map(\.id).sorted().joined(separator: ",")
        let text = "\(kind)\n\(webhookURL ?? "")\n\(ids)"
        return "faregate:" + Fingerprint(hashing: Array(text.utf8)).hex
    }

    private func endpoint(
        _ client: any StripeCaller, _ name: String, _ call: StripeCall
    ) async throws(Failure) -> Step {
        guard let made = WebhookEndpoint(try await perform(client, call)) else {
            throw .unfit("Stripe's answer is no webhook endpoint")
        }
        return Step(what: name, outcome: .made, id: made.id, secret: made.secret)
    }

    // MARK: Calls

    private func list(
        _ client: any StripeCaller, _ call: StripeCall
    ) async throws(Failure) -> [JSONValue] {
        var items: [JSONValue] = []
        do throws(StripeFailure) {
            try await client.forEach(call) { item in
                items.append(item)
                return items.count < 10_000
            }
        } catch {
            throw .stripe(error)
        }
        return items
    }

    private func make(
        _ client: any StripeCaller, _ call: StripeCall
    ) async throws(Failure) -> String {
        try await perform(client, call).member("id")?.stringValue ?? ""
    }

    private func perform(
        _ client: any StripeCaller, _ call: StripeCall
    ) async throws(Failure) -> JSONValue {
        do throws(StripeFailure) {
            return try await client.perform(call).body
        } catch {
            throw .stripe(error)
        }
    }
}
