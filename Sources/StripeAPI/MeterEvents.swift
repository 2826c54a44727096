// Meters, the events that they count and the sums that they show. Source: Stripe's API reference,
// "Meters", "Meter events", "Meter event summaries".

package import CanonicalJSON

/// The body of one meter event: made once, kept, and sent byte for byte each time.
package struct MeterEventBody: Sendable, Equatable {
    package static let path = "/v1/billing/meter_events"
    /// Stripe takes 15 significant digits.
    package static let valueMax: Int64 = 999_999_999_999_999
    package static let identifierCharactersMax = 100

    package var text: String

    package init(text: String) { self.text = text }

    /// - Parameter timestampSeconds: since 1970 UTC.
    package init(
        eventName: String, stripeCustomer: String, value: Int64, identifier: String,
        timestampSeconds: Int64
    ) {
        var form = FormBody()
        form.add("event_name", eventName)
        form.add("identifier", identifier)
        form.add("payload[stripe_customer_id]", stripeCustomer)
        form.add("payload[value]", value)
        form.add("timestamp", timestampSeconds)
        text = form.text
    }

    /// The identifier is the idempotency key: Stripe's reports on events that it could not use name
    /// the key of the request, and nothing else of it.
    package func call(identifier: String) -> StripeCall {
        StripeCall(
            .post, Self.path, contentType: StripeCall.Content.form.rawValue,
            body: Array(text.utf8), idempotencyKey: identifier)
    }
}

package struct StripeMeter: Sendable, Equatable {
    package var id: String
    package var eventName: String
    package var isActive: Bool
    package var formula: String?
    /// `hour` or `day`: only the newest event of each counts.
    package var eventTimeWindow: String?

    package init?(_ object: JSONValue) {
        guard let id = object.member("id")?.stringValue,
            let eventName = object.member("event_name")?.stringValue
        else { return nil }
        self.id = id
        self.eventName = eventName
        isActive = object.member("status")?.stringValue != "inactive"
        formula = object.member("default_aggregation")?.member("formula")?.stringValue
        eventTimeWindow = object.member("event_time_window")?.stringValue
    }

    package static let list = StripeCall.get("/v1/billing/meters")

    package static func create(eventName: String, displayName: String) -> StripeCall {
        var form = FormBody()
        form.add("customer_mapping[event_payload_key]", "stripe_customer_id")
        form.add("customer_mapping[type]", "by_id")
        form.add("default_aggregation[formula]", "sum")
        form.add("display_name", displayName)
        form.add("event_name", eventName)
        form.add("value_settings[event_payload_key]", "value")
        return .post("/v1/billing/meters", form, idempotencyKey: "faregate:meter:\(eventName)")
    }
}

package enum MeterSummaries {
    /// - Parameters:
    ///   - startSeconds, endSeconds: since 1970 UTC, multiples of 60; the end is not in it.
    package static func total(
        meter: String, stripeCustomer: String, startSeconds: Int64, endSeconds: Int64
    ) -> StripeCall {
        var query = FormBody()
        query.add("customer", stripeCustomer)
        query.add("start_time", startSeconds)
        query.add("end_time", endSeconds)
        return .get("/v1/billing/meters/\(FormBody.escapedPath(meter))/event_summaries", query)
    }

    /// A sum as a whole number: Stripe writes `2500`, `2500.0` or `2.5e3`. Nil: it is none.
    package static func wholeNumber(_ value: JSONValue?) -> Int64? {
        switch value {
        case .integer(let number): return number
        case .number(let text): return wholeNumber(text: text)
        default: return nil
        }
    }

    /// No floating point: a sum of money is exact or it is nothing.
    package static func wholeNumber(text: String) -> Int64? {
        let parts = text.split(separator: "e", maxSplits: 1).flatMap {
            $0.split(separator: "E", maxSplits: 1)
        }
        guard let mantissa = parts.first else { return nil }
        var exponent = 0
        if parts.count > 1 {
            guard let read = Int(parts[1]), abs(read) <= 30 else { return nil }
            exponent = read
        }
        var digits: [UInt8] = []
        var isNegative = false
        var hasPoint = false
        for byte in mantissa.utf8 {
            switch byte {
            case UInt8(ascii: "-") where digits.isEmpty && !isNegative && !hasPoint:
                isNegative = true
            case UInt8(ascii: ".") where !hasPoint: hasPoint = true
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                digits.append(byte - UInt8(ascii: "0"))
                if hasPoint { exponent -= 1 }
            default: return nil
            }
        }
        guard !digits.isEmpty else { return nil }
        while exponent < 0, digits.last == 0 {
            digits.removeLast()
            exponent += 1
        }
        if digits.isEmpty { return 0 }
        guard exponent >= 0 else { return digits.allSatisfy { $0 == 0 } ? 0 : nil }
        var number: Int64 = 0
        for digit in digits + [UInt8](repeating: 0, count: exponent) {
            let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
            let (sum, overflowToo) = tens.addingReportingOverflow(Int64(digit))
            if overflow || overflowToo { return nil }
            number = sum
        }
        return isNegative ? 0 - number : number
    }
}
