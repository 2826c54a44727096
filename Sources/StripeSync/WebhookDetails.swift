// What is kept of a webhook's object: the fields that something may have to follow from, by their
// paths, as text. Never names, addresses or descriptions. Lists keep their first twenty elements;
// whether there are more is kept too.

package import Billing
import CanonicalJSON
import Crypto
package import StripeAPI

package enum WebhookDetails {
    private static let elementsMax = 20
    private static let valueBytesMax = 255

    /// The event that goes on the log.
    package static func received(_ event: StripeEvent, body: [UInt8]) -> StripeWebhookReceived {
        var received = StripeWebhookReceived()
        received.id = event.id
        received.type = event.type
        received.createdAt = Instant(microseconds: event.createdMicroseconds)
        received.account = event.account.map { String($0.prefix(100)) }
        received.apiVersion = event.apiVersion.map { String($0.prefix(100)) }
        received.isLive = event.isLive
        received.isThin = event.isThin
        received.objectID = (event.isThin ? event.relatedObject : event.object).objectID
            .map { String($0.prefix(valueBytesMax)) }
        received.details = event.isThin ? [] : tags(of: event.object, type: event.type)
        received.bodySHA256 = hex(SHA256.hash(data: body))
        return received
    }

    private static func hex(_ digest: SHA256.Digest) -> String {
        let digits = Array("0123456789abcdef")
        return String(digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    private static func paths(_ type: String) -> [String] {
        let families: [(prefix: String, paths: [String])] = [
            (
                "customer.subscription.",
                [
                    "customer", "status", "ended_at", "cancel_at_period_end", "latest_invoice",
                    "items.data.*.price.id", "items.data.*.price.recurring.meter",
                    "items.data.*.current_period_start", "items.data.*.current_period_end",
                    "items.has_more",
                ]
            ),
            ("customer.", ["metadata.faregate_customer", "metadata.faregate_project"]),
            (
                "invoice.",
                [
                    "customer", "status", "billing_reason", "currency", "amount_paid", "amount_due",
                    "attempt_count", "next_payment_attempt", "automatically_finalizes_at",
                    "parent.subscription_details.subscription", "lines.has_more",
                    "lines.data.*.amount", "lines.data.*.quantity",
                    "lines.data.*.quantity_decimal", "lines.data.*.period.start",
                    "lines.data.*.period.end", "lines.data.*.pricing.price_details.price",
                ]
            ),
            (
                "checkout.session.",
                [
                    "customer", "client_reference_id", "amount_total", "currency",
                    "payment_status", "payment_intent", "metadata.faregate_customer",
                    "metadata.faregate_project", "metadata.faregate_credit",
                ]
            ),
            (
                "charge.dispute.",
                [
                    "amount", "currency", "charge", "payment_intent", "reason", "status",
                    "evidence_details.due_by",
                ]
            ),
            ("charge.", ["amount", "amount_refunded", "currency", "payment_intent", "customer"]),
            ("billing.meter.", ["event_name", "status"]),
        ]
        return families.first { type.hasPrefix($0.prefix) }?.paths ?? []
    }

    static func tags(of object: JSONValue, type: String) -> [Tag] {
        var tags: [Tag] = []
        for path in paths(type) {
            collect(path.split(separator: "."), object, [], &tags)
        }
        return tags.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    }

    private static func collect(
        _ path: ArraySlice<Substring>, _ value: JSONValue, _ before: [String], _ tags: inout [Tag]
    ) {
        guard let name = path.first else {
            let text: String? =
                switch value {
                case .string(let text): text
                case .integer(let number): String(number)
                case .number(let text): text
                case .bool(let flag): flag ? "true" : "false"
                // An expanded object stands for its id.
                case .object: value.objectID
                case .array, .null: nil
                }
            guard let text, text.utf8.count <= valueBytesMax else { return }
            tags.append(Tag(key: before.joined(separator: "."), value: text))
            return
        }
        if name == "*" {
            for (index, element) in value.elements.prefix(elementsMax).enumerated() {
                collect(path.dropFirst(), element, before + [String(index)], &tags)
            }
            if value.elements.count > elementsMax {
                tags.append(Tag(key: before.joined(separator: ".") + ".more", value: "true"))
            }
        } else if let member = value.member(String(name)) {
            collect(path.dropFirst(), member, before + [String(name)], &tags)
        }
    }

    private static func collect(
        _ path: [Substring], _ value: JSONValue, _ before: [String], _ tags: inout [Tag]
    ) {
        var unique: [Tag] = []
        collect(path[...], value, before, &unique)
        for tag in unique where !tags.contains(where: { $0.key == tag.key }) { tags.append(tag) }
    }
}

/// The details of a webhook, for looking things up.
struct DetailReader {
    private let values: [String: String]
    let received: StripeWebhookReceived

    init(_ received: StripeWebhookReceived) {
        self.received = received
        values = Dictionary(
            received.details.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    subscript(_ path: String) -> String? { values[path] }
    func integer(_ path: String) -> Int64? { values[path].flatMap { Int64($0) } }

    /// Seconds since 1970 UTC.
    func time(_ path: String) -> Instant? {
        integer(path).map { Instant.zero.advanced(bySeconds: $0) }
    }

    /// Elements of a list are numbered from 0 on.
    func elements(_ list: String) -> [String] {
        (0..<20).map { "\(list).\($0)" }.filter { prefix in
            values.keys.contains { $0.hasPrefix(prefix + ".") }
        }
    }
}
