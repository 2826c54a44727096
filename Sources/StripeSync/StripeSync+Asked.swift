// What people ask for: pages at Stripe where a customer pays or manages, and webhooks that were
// missed.

package import Billing
import CanonicalJSON
package import Engine
import EventLog
package import Money
package import StripeAPI

/// A payment for credit, as it is asked for.
package struct CheckoutOrder: Sendable {
    package var key: CustomerKey
    package var stripeCustomer: String
    /// What is paid.
    package var amount: Money
    /// What is credited; nil: what was paid.
    package var credit: Money?
    /// What the page calls it.
    package var name: String
    package var successURL: String
    package var cancelURL: String?
    /// The same key with the same order makes one page.
    package var idempotencyKey: String

    package init(
        key: CustomerKey, stripeCustomer: String, amount: Money, credit: Money?, name: String,
        successURL: String, cancelURL: String?, idempotencyKey: String
    ) {
        self.key = key
        self.stripeCustomer = stripeCustomer
        self.amount = amount
        self.credit = credit
        self.name = name
        self.successURL = successURL
        self.cancelURL = cancelURL
        self.idempotencyKey = idempotencyKey
    }
}

/// A page at Stripe.
package struct StripePage: Sendable {
    package var id: String
    package var url: String
    /// Nil: it does not say.
    package var expiresAt: Instant?
}

/// Why something that was asked for was not done.
package enum StripeRefusal: Error, Sendable {
    /// Not a whole number of the currency's minor units, or too much.
    case amount(String)
    case stripe(StripeFailure)
    /// Stripe's answer does not have what it should.
    case strange(String)
    case ledger(EngineError)
}

extension StripeSync {
    /// Makes a page on which the customer pays for credit. The credit is granted when Stripe's
    /// webhook says that it was paid.
    package func checkout(_ order: CheckoutOrder) async throws(StripeRefusal) -> StripePage {
        let nanosPerMinor = Money.nanosPerUnit / settings.minorUnitsPerUnit
        let (minor, rest) = order.amount.nanos.quotientAndRemainder(dividingBy: nanosPerMinor)
        guard rest == 0, minor > 0, minor <= 99_999_999 else {
            let unit = Money(nanos: nanosPerMinor)
            throw .amount(
                "amount must be a multiple of \(unit.decimalText) and at most "
                    + "\(Money(nanos: 99_999_999 * nanosPerMinor).decimalText) \(settings.currency.uppercased())"
            )
        }
        let metadata = [
            "faregate_customer": order.key.id, "faregate_project": order.key.project,
            "faregate_credit": order.credit?.decimalText ?? "paid",
        ]
        return try await page(
            StripeCalls.createCheckout(
                stripeCustomer: order.stripeCustomer, amountMinorUnits: minor,
                currency: settings.currency, name: order.name, successURL: order.successURL,
                cancelURL: order.cancelURL, metadata: metadata,
                idempotencyKey: "faregate:checkout:\(order.idempotencyKey)"))
    }

    /// Makes a page on which the customer sees its invoices and changes how it pays.
    package func portal(
        stripeCustomer: String, returnURL: String
    ) async throws(StripeRefusal) -> StripePage {
        try await page(
            StripeCalls.createPortal(stripeCustomer: stripeCustomer, returnURL: returnURL))
    }

    private func page(_ call: StripeCall) async throws(StripeRefusal) -> StripePage {
        let answer: StripeAnswer
        do throws(StripeFailure) {
            answer = try await client.perform(call)
        } catch {
            throw .stripe(error)
        }
        guard let id = answer.body.member("id")?.stringValue,
            let url = answer.body.member("url")?.stringValue
        else { throw .strange("Stripe's answer has no 'url'") }
        let expires = answer.body.member("expires_at")?.integerValue
        return StripePage(
            id: id, url: url, expiresAt: expires.map { Instant.zero.advanced(bySeconds: $0) })
    }

    // MARK: Webhooks that were missed

    /// A page of Stripe's list of events, taken in as if each had come as a webhook.
    package struct Replayed: Sendable {
        package var seen = 0
        package var recorded = 0
        /// Goes on here; nil: that was all.
        package var next: String?
    }

    /// - Parameters:
    ///   - since: Stripe keeps 30 days.
    ///   - after: `next` of the page before.
    package func replayEvents(
        since: Instant, after: String?
    ) async throws(StripeRefusal) -> Replayed {
        var call = StripeCalls.events(since: since.microseconds / 1_000_000)
        call.query += "&limit=100"
        if let after { call.query += "&starting_after=\(FormBody.escapedPath(after))" }
        let answer: StripeAnswer
        do throws(StripeFailure) {
            answer = try await client.perform(call)
        } catch {
            throw .stripe(error)
        }
        var replayed = Replayed()
        let items = answer.body.member("data")?.elements ?? []
        for item in items {
            guard let event = try? StripeEvent(item), let body = try? CanonicalJSON.encode(item)
            else { throw .strange("Stripe's list of events has something that is none") }
            replayed.seen += 1
            do throws(EngineError) {
                let isNew = try await Self.receive(event, body: body, into: ledger)
                if isNew { replayed.recorded += 1 }
            } catch {
                throw .ledger(error)
            }
        }
        wake()
        if answer.body.member("has_more")?.boolValue == true {
            replayed.next = items.last?.member("id")?.stringValue
        }
        return replayed
    }
}
