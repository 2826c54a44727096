// The objects of a simulated account, and how they look as JSON. Times are microseconds inside and
// whole seconds outside.

import CanonicalJSON

struct SimCustomer {
    var id: String
    var created: Int64
    var name: String?
    var email: String?
    var metadata: [(key: String, value: String)] = []
    var isDeleted = false

    var json: JSONValue {
        if isDeleted {
            return Simulators.json([
                "id": .string(id), "object": .string("customer"), "deleted": .bool(true),
            ])
        }
        return Simulators.json([
            "id": .string(id), "object": .string("customer"), "created": seconds(created),
            "livemode": .bool(false), "name": optional(name), "email": optional(email),
            "metadata": map(metadata), "currency": .null, "balance": .integer(0),
            "delinquent": .bool(false),
        ])
    }
}

struct SimMeter {
    var id: String
    var created: Int64
    var eventName: String
    var displayName: String
    var formula: String
    var customerKey: String
    var valueKey: String
    var isActive = true

    var json: JSONValue {
        Simulators.json([
            "id": .string(id), "object": .string("billing.meter"), "created": seconds(created),
            "updated": seconds(created), "livemode": .bool(false),
            "display_name": .string(displayName), "event_name": .string(eventName),
            "event_time_window": .null, "status": .string(isActive ? "active" : "inactive"),
            "status_transitions": Simulators.json(["deactivated_at": .null]),
            "customer_mapping": Simulators.json([
                "type": .string("by_id"), "event_payload_key": .string(customerKey),
            ]),
            "default_aggregation": Simulators.json(["formula": .string(formula)]),
            "value_settings": Simulators.json(["event_payload_key": .string(valueKey)]),
        ])
    }
}

struct SimProduct {
    var id: String
    var created: Int64
    var name: String
    var metadata: [(key: String, value: String)] = []

    var json: JSONValue {
        Simulators.json([
            "id": .string(id), "object": .string("product"), "created": seconds(created),
            "active": .bool(true), "livemode": .bool(false), "name": .string(name),
            "metadata": map(metadata),
        ])
    }
}

struct SimPrice {
    var id: String
    var created: Int64
    var product: String
    var currency: String
    var unitAmountDecimal: String
    var interval: String
    var meter: String?
    var lookupKey: String?
    var isActive = true

    var json: JSONValue {
        Simulators.json([
            "id": .string(id), "object": .string("price"), "created": seconds(created),
            "active": .bool(isActive), "livemode": .bool(false),
            "billing_scheme":
                .string("per_unit"), "currency": .string(currency),
            "lookup_key":
                optional(lookupKey), "product": .string(product), "type": .string("recurring"),
            "unit_amount": Int64(unitAmountDecimal).map { .integer($0) } ?? .null,
            "unit_amount_decimal": .string(unitAmountDecimal),
            "recurring": Simulators.json([
                "interval": .string(interval), "interval_count": .integer(1),
                "meter": optional(meter),
                "usage_type": .string(meter == nil ? "licensed" : "metered"),
            ]),
        ])
    }
}

/// A meter event that was taken.
struct SimMeterEvent {
    var identifier: String
    var value: Int64
    /// Seconds.
    var timestamp: Int64
    /// When it is in the sums.
    var visibleAt: Int64
    var receivedAt: Int64
    /// Cancelled, or never to be counted.
    var isVoid = false
    var price = ""
}

struct SimSubscription {
    var id: String
    var itemID: String
    var created: Int64
    var customer: String
    var price: String
    var status = "active"
    var anchor: Int64
    var periods: Int64 = 0
    var periodStart: Int64
    var periodEnd: Int64
    var cancelsAtPeriodEnd = false
    var endedAt: Int64?
    var latestInvoice: String?
    var metadata: [(key: String, value: String)] = []
    /// Prices of this period before the present one, each with when it ended.
    var formerPrices: [(price: String, until: Int64)] = []

    func json(_ price: JSONValue) -> JSONValue {
        Simulators.json([
            "id": .string(id), "object": .string("subscription"), "created": seconds(created),
            "livemode": .bool(false), "customer": .string(customer), "status": .string(status),
            "cancel_at_period_end": .bool(cancelsAtPeriodEnd),
            "canceled_at": endedAt.map { seconds($0) } ?? .null,
            "ended_at": endedAt.map { seconds($0) } ?? .null,
            "billing_cycle_anchor": seconds(anchor),
            "collection_method": .string("charge_automatically"),
            "currency": .string("usd"), "latest_invoice": optional(latestInvoice),
            "metadata": map(metadata),
            "items": Simulators.json([
                "object": .string("list"), "has_more": .bool(false),
                "url": .string("/v1/subscription_items?subscription=\(id)"),
                "data": .array([
                    Simulators.json([
                        "id": .string(itemID), "object": .string("subscription_item"),
                        "created": seconds(created), "subscription": .string(id), "price": price,
                        "current_period_start": seconds(periodStart),
                        "current_period_end": seconds(periodEnd), "metadata": .object(JSONObject()),
                    ])
                ]),
            ]),
        ])
    }
}

/// What an invoice bills at one price.
struct SimInvoiceLine {
    var price: String
    /// Microseconds: usage stamped in it; the line shows the whole period.
    var span: Range<Int64>
    var quantity: Int64 = 0
    /// Cents.
    var amount: Int64 = 0
}

struct SimInvoice {
    var id: String
    var created: Int64
    var customer: String
    var subscription: String
    var status = "draft"
    var reason = "subscription_cycle"
    var periodStart: Int64
    var periodEnd: Int64
    var lines: [SimInvoiceLine]
    var amountPaid: Int64 = 0
    var attempts: Int64 = 0
    var finalizedAt: Int64?
    var finalizesAt: Int64
    var paidAt: Int64?

    var quantity: Int64 { lines.reduce(0) { $0 + $1.quantity } }
    var amount: Int64 { lines.reduce(0) { $0 + $1.amount } }

    /// The lines with their ids.
    var lineDocuments: [(id: String, json: JSONValue)] {
        lines.enumerated().map { index, line in
            let lineID = "il_\(id.dropFirst(3))\(index == 0 ? "" : "_\(index)")"
            return (lineID, json(of: line, lineID))
        }
    }

    private func json(of line: SimInvoiceLine, _ lineID: String) -> JSONValue {
        Simulators.json([
            "id": .string(lineID), "object": .string("line_item"),
            "amount": .integer(line.amount), "currency": .string("usd"), "livemode": .bool(false),
            "invoice": .string(id), "quantity": .integer(line.quantity),
            "quantity_decimal": .string(String(line.quantity)),
            "metadata": .object(JSONObject()),
            "period": Simulators.json(["start": seconds(periodStart), "end": seconds(periodEnd)]),
            "parent": Simulators.json([
                "type": .string("subscription_item_details"),
                "subscription_item_details": Simulators.json([
                    "subscription": .string(subscription), "proration": .bool(false),
                ]),
            ]),
            "pricing": Simulators.json([
                "type": .string("price_details"),
                "price_details": Simulators.json(["price": .string(line.price)]),
            ]),
        ])
    }

    var json: JSONValue {
        Simulators.json([
            "id": .string(id), "object": .string("invoice"), "created": seconds(created),
            "livemode": .bool(false), "customer": .string(customer), "currency": .string("usd"),
            "status": .string(status), "billing_reason": .string(reason),
            "collection_method": .string("charge_automatically"),
            "automatically_finalizes_at": finalizedAt == nil ? seconds(finalizesAt) : .null,
            "period_start": seconds(periodStart), "period_end": seconds(periodEnd),
            "subtotal": .integer(amount), "total": .integer(amount),
            "amount_due": .integer(amount), "amount_paid": .integer(amountPaid),
            "amount_remaining": .integer(amount - amountPaid),
            "attempt_count": .integer(attempts), "attempted": .bool(attempts > 0),
            "lines": Simulators.json([
                "object": .string("list"), "has_more": .bool(false),
                "url": .string("/v1/invoices/\(id)/lines"),
                "data": .array(lineDocuments.map(\.json)),
            ]),
            "parent": Simulators.json([
                "type": .string("subscription_details"),
                "subscription_details": Simulators.json([
                    "subscription": .string(subscription), "metadata": .object(JSONObject()),
                ]),
            ]),
            "status_transitions": Simulators.json([
                "finalized_at": finalizedAt.map { seconds($0) } ?? .null,
                "paid_at": paidAt.map { seconds($0) } ?? .null,
            ]),
            "metadata": .object(JSONObject()),
        ])
    }
}

struct SimSession {
    var id: String
    var created: Int64
    var customer: String?
    var amount: Int64
    var currency: String
    var status = "open"
    var paymentStatus = "unpaid"
    var paymentIntent: String?
    var charge: String?
    var refunded: Int64 = 0
    var metadata: [(key: String, value: String)]
    var reference: String?
    var successURL: String?
    var url: String

    var json: JSONValue {
        Simulators.json([
            "id": .string(id), "object": .string("checkout.session"), "created": seconds(created),
            "livemode": .bool(false), "mode": .string("payment"), "customer": optional(customer),
            "client_reference_id": optional(reference), "amount_total": .integer(amount),
            "currency": .string(currency), "status": .string(status),
            "payment_status": .string(paymentStatus), "payment_intent": optional(paymentIntent),
            "metadata": map(metadata), "success_url": optional(successURL),
            "url": .string(url),
        ])
    }
}

func seconds(_ microseconds: Int64) -> JSONValue { .integer(microseconds / 1_000_000) }

func map(_ pairs: [(key: String, value: String)]) -> JSONValue {
    var object = JSONObject()
    for (key, value) in pairs { object.append(key, .string(value)) }
    return .object(object)
}
