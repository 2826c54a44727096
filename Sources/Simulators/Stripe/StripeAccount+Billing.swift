// Periods, invoices and payments: what happens by itself.
//
// At the end of a period a draft is made and the next period begins. The draft becomes final after
// `finalizeDelay`, with the sum that the meter shows at that moment of the events stamped in the
// period; what comes later is billed nowhere. A sum below zero is billed as nothing.

import CanonicalJSON
import TimeZones

extension StripeAccount {
    mutating func fire(_ what: SimTimers.What) {
        switch what {
        case .endPeriod(let id): endPeriod(id)
        case .finalize(let id): finalize(id)
        case .collect(let id): collect(id)
        case .report(let meter, let code, let keys): report(meter, code, keys)
        case .deliver(let id): ready.append(id)
        case .forgetKey(let key):
            if let known = kept[key], known.at <= now - 86_400_000_000 { kept[key] = nil }
        }
    }

    private mutating func endPeriod(_ id: String) {
        guard var subscription = subscriptions[id], subscription.endedAt == nil,
            subscription.periodEnd <= now
        else { return }
        makeDraft(
            &subscription, subscription.periodStart, subscription.periodEnd, "subscription_cycle")
        if subscription.cancelsAtPeriodEnd {
            subscription.status = "canceled"
            subscription.endedAt = subscription.periodEnd
            subscriptions[id] = subscription
            emit("customer.subscription.deleted", object(of: subscription))
            return
        }
        subscription.periods += 1
        subscription.periodStart = subscription.periodEnd
        subscription.periodEnd = periodEnd(of: subscription)
        subscriptions[id] = subscription
        timers.add(subscription.periodEnd, .endPeriod(subscription: id))
        emit("customer.subscription.updated", object(of: subscription))
    }

    func periodEnd(of subscription: SimSubscription) -> Int64 {
        let count = subscription.periods + 1
        let day: Int64 = 86_400_000_000
        return switch prices[subscription.price]?.interval ?? "month" {
        case "day": subscription.anchor + count * day
        case "week": subscription.anchor + count * 7 * day
        case "year": Self.adding(months: count * 12, to: subscription.anchor)
        default: Self.adding(months: count, to: subscription.anchor)
        }
    }

    /// The same day of a later month, or its last.
    static func adding(months: Int64, to time: Int64) -> Int64 {
        let text = RFC3339.text(microseconds: time)
        let (year, month) = (Int64(text.prefix(4)) ?? 1970, Int64(text.dropFirst(5).prefix(2)) ?? 1)
        let day = Int64(text.dropFirst(8).prefix(2)) ?? 1
        let total = year * 12 + month - 1 + months
        let (newYear, newMonth) = (total / 12, total % 12 + 1)
        let rest = text.dropFirst(10)
        for candidate in stride(from: day, through: day - 3, by: -1) {
            let date = "\(padded(newYear, 4))-\(padded(newMonth, 2))-\(padded(candidate, 2))"
            if let found = try? RFC3339.parse(date + rest) { return found }
        }
        return time
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    mutating func makeDraft(
        _ subscription: inout SimSubscription, _ start: Int64, _ end: Int64, _ reason: String
    ) {
        let invoice = SimInvoice(
            id: newID("in"), created: now, customer: subscription.customer,
            subscription: subscription.id, reason: reason, periodStart: start, periodEnd: end,
            lines: Self.lines(of: subscription, start, end), finalizesAt: now + finalizeDelay)
        subscription.formerPrices = []
        invoices[invoice.id] = invoice
        invoiceOrder.append(invoice.id)
        subscription.latestInvoice = invoice.id
        timers.add(invoice.finalizesAt, .finalize(invoice: invoice.id))
        emit("invoice.created", invoice.json)
    }

    /// One for each price that there was.
    private static func lines(
        of subscription: SimSubscription, _ start: Int64, _ end: Int64
    ) -> [SimInvoiceLine] {
        var lines: [SimInvoiceLine] = []
        var from = start
        for former in subscription.formerPrices where former.until > from && former.until < end {
            lines.append(SimInvoiceLine(price: former.price, span: from..<former.until))
            from = former.until
        }
        return lines + [SimInvoiceLine(price: subscription.price, span: from..<end)]
    }

    private mutating func finalize(_ id: String) {
        guard var invoice = invoices[id], invoice.status == "draft" else { return }
        for index in invoice.lines.indices {
            let line = invoice.lines[index]
            let price = prices[line.price]
            let sum = total(
                price?.meter ?? "", invoice.customer,
                line.span.lowerBound / 1_000_000..<line.span.upperBound / 1_000_000)
            invoice.lines[index].quantity = max(sum, 0)
            invoice.lines[index].amount = Self.cents(
                max(sum, 0), unitAmountDecimal: price?.unitAmountDecimal ?? "0")
        }
        invoice.status = "open"
        invoice.finalizedAt = now
        invoices[id] = invoice
        emit("invoice.finalized", invoice.json)
        if customers[invoice.customer]?.isDeleted != true { collect(id) }
    }

    /// Quantity × decimal cents, rounded half up to whole cents.
    static func cents(_ quantity: Int64, unitAmountDecimal: String) -> Int64 {
        let parts = unitAmountDecimal.split(separator: ".")
        let fraction = parts.count > 1 ? String(parts[1].prefix(12)) : ""
        var scale: Int128 = 1
        for _ in fraction.utf8 { scale *= 10 }
        let whole = Int128(parts.first.flatMap { Int64($0) } ?? 0)
        let units = whole * scale + Int128(Int64(fraction) ?? 0)
        return Int64(clamping: (Int128(quantity) * units + scale / 2) / scale)
    }

    private mutating func collect(_ id: String) {
        guard var invoice = invoices[id], invoice.status == "open" else { return }
        invoice.attempts += 1
        if random.chance(faults.paymentFailed), invoice.attempts < 6 {
            timers.add(now + 86_400_000_000, .collect(invoice: id))
            invoices[id] = invoice
            emit("invoice.payment_failed", invoice.json)
            return
        }
        invoice.status = "paid"
        invoice.amountPaid = invoice.amount
        invoice.paidAt = now
        invoices[id] = invoice
        emit("invoice.paid", invoice.json)
    }

    /// What the meter shows now of the events stamped within the seconds.
    func total(_ meter: String, _ customer: String, _ span: Range<Int64>) -> Int64 {
        guard let events = meterEvents[Self.counter(meter, customer)] else { return 0 }
        var sum: Int64 = 0
        for event in events
        where !event.isVoid && event.visibleAt <= now && span.contains(event.timestamp) {
            sum += event.value
        }
        return sum
    }

    static func counter(_ meter: String, _ customer: String) -> String { "\(meter) \(customer)" }

    private mutating func report(_ meter: String, _ code: String, _ keys: [String]) {
        let id = newID("evt_test")
        let created: JSONValue = .string(
            String(RFC3339.text(microseconds: now / 1_000_000 * 1_000_000).prefix(19)) + ".000Z")
        var event: KeyValuePairs<String, JSONValue> {
            [
                "id": .string(id), "object": .string("v2.core.event"), "context": .null,
                "created": created, "livemode": .bool(false), "reason": .null,
                "type": .string("v1.billing.meter.error_report_triggered"),
                "related_object": json([
                    "id": .string(meter), "type": .string("billing.meter"),
                    "url": .string("/v1/billing/meters/\(meter)"),
                ]),
            ]
        }
        // At most five are named: Stripe gives samples.
        let samples = keys.prefix(5).map { key in
            json([
                "error_message": .string("The event could not be used."),
                "request": json(["identifier": .string(key)]),
            ])
        }
        var whole = JSONObject()
        for (name, value) in event { whole.append(name, value) }
        whole.append(
            "data",
            json([
                "developer_message_summary": .string("There are \(keys.count) invalid events"),
                "reason": json([
                    "error_count": count(keys.count),
                    "error_types": .array([
                        json([
                            "code": .string(code), "error_count": count(keys.count),
                            "sample_errors": .array(samples),
                        ])
                    ]),
                ]),
            ]))
        thinEvents[id] = .object(whole)
        send(json(event), "v1.billing.meter.error_report_triggered", isThin: true)
    }

    // MARK: Events

    mutating func emit(_ type: String, _ object: JSONValue) {
        let id = newID("evt")
        let event = json([
            "id": .string(id), "object": .string("event"),
            "api_version": .string("2026-10-28.endive"), "created": seconds(now),
            "data": json(["object": object]), "livemode": .bool(false),
            "pending_webhooks": count(endpoints.count),
            "request": json(["id": .null, "idempotency_key": .null]), "type": .string(type),
        ])
        events.append((id, now, event))
        send(event, type, isThin: false)
    }

    private mutating func send(_ event: JSONValue, _ type: String, isThin: Bool) {
        let body = event.bytes
        for endpoint in endpoints where endpoint.wants(type, isThin: isThin) {
            let times = random.chance(faults.webhookDuplicate) ? 2 : 1
            for _ in 0..<times {
                deliveries += 1
                outbox[deliveries] = Outgoing(
                    url: endpoint.url, secret: endpoint.secret, body: body)
                timers.add(now + random.within(faults.webhookDelay), .deliver(deliveries))
            }
        }
    }

    func object(of subscription: SimSubscription) -> JSONValue {
        subscription.json(prices[subscription.price]?.json ?? .null)
    }
}
