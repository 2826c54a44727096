// Subscriptions and invoices as their details tell of them, whether a webhook brought them or they
// were fetched.

import Billing
import CanonicalJSON
import StripeAPI

enum StripeObjects {
    static func reader(_ object: JSONValue, type: String) -> DetailReader {
        var received = StripeWebhookReceived()
        received.type = type
        received.objectID = object.objectID
        received.details = WebhookDetails.tags(of: object, type: type)
        return DetailReader(received)
    }

    /// The subscription's state; nil: no item of it is fed by the meter.
    static func subscription(
        _ reader: DetailReader, meterID: String, seenAt: Instant
    ) -> StripeSubscriptionSeen? {
        guard let id = reader.received.objectID else { return nil }
        for item in reader.elements("items.data")
        where reader["\(item).price.recurring.meter"] == meterID {
            guard let start = reader.time("\(item).current_period_start"),
                let end = reader.time("\(item).current_period_end"), start < end
            else { continue }
            var seen = StripeSubscriptionSeen()
            seen.subscription = id
            seen.status = reader["status"] ?? ""
            seen.periodStart = start
            seen.periodEnd = end
            seen.price = reader["\(item).price.id"] ?? ""
            seen.seenAt = seenAt
            if let ended = reader.time("ended_at") {
                seen.endedAt = ended
            } else if ["canceled", "incomplete_expired"].contains(seen.status) {
                seen.endedAt = seenAt
            }
            return seen
        }
        return nil
    }

    struct Line: Equatable {
        var start: Instant
        var end: Instant
        var quantity: Int64
        var amountMinorUnits: Int64
    }

    /// What the invoice bills of the meter, by period; nil: the invoice can still change, or is
    /// void.
    static func lines(_ reader: DetailReader, prices: Set<String>) -> [Line]? {
        guard let status = reader["status"], ["open", "paid", "uncollectible"].contains(status)
        else { return nil }
        return reader.elements("lines.data").compactMap { line(reader, $0, prices) }.merged
    }

    /// Ids of the prices on an invoice's lines.
    static func prices(_ reader: DetailReader) -> [String] {
        reader.elements("lines.data").compactMap { reader["\($0).pricing.price_details.price"] }
    }

    private static func line(
        _ reader: DetailReader, _ path: String, _ prices: Set<String>
    ) -> Line? {
        guard let price = reader["\(path).pricing.price_details.price"],
            prices.contains(price),
            let start = reader.time("\(path).period.start"),
            let end = reader.time("\(path).period.end"), start < end
        else { return nil }
        let text = reader["\(path).quantity_decimal"] ?? reader["\(path).quantity"] ?? ""
        guard let quantity = MeterSummaries.wholeNumber(text: text) else { return nil }
        return Line(
            start: start, end: end, quantity: quantity,
            amountMinorUnits: reader.integer("\(path).amount") ?? 0)
    }
}

extension [StripeObjects.Line] {
    /// Lines of the same period become one: a price that changed in the middle of it makes two.
    fileprivate var merged: Self {
        var result: Self = []
        for line in self {
            let same = result.firstIndex { $0.start == line.start && $0.end == line.end }
            if let same {
                result[same].quantity.add(line.quantity)
                result[same].amountMinorUnits.add(line.amountMinorUnits)
            } else {
                result.append(line)
            }
        }
        return result
    }
}
