// What Stripe answers when it does not do what was asked:
//
//     {"error":{"type":"invalid_request_error","code":"resource_missing","message":"…","param":"…"}}
//
// Fields that are null are left out; v2 has more types in the same envelope. Messages are matched
// by their beginnings where there is no code (meter events). Sources: Stripe's API reference,
// "Errors"; the wording of the meter events' errors has been seen in several code bases and is not
// documented.

package import CanonicalJSON

package struct StripeError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The families of Stripe's own SDKs.
    package enum Kind: String, Sendable {
        case invalidRequest = "invalid_request"
        case authentication
        case permission
        case card
        case idempotency
        /// Too many requests, or an object is locked.
        case rateLimit = "rate_limit"
        /// The same key or object is in use at this moment.
        case conflict
        case sessionExpired = "session_expired"
        /// Stripe's own fault, or an answer that is none of Stripe's.
        case api
    }

    package var kind: Kind
    package var status: Int
    package var type: String?
    package var code: String?
    /// Stripe's words: for people. They may name ids; they hold no keys.
    package var message: String?
    package var param: String?
    package var declineCode: String?
    package var requestID: String?
    /// Stripe's own advice; nil: it gave none.
    package var shouldRetry: Bool?
    package var rateLimitReason: String?
    package var retryAfterSeconds: Int64?

    /// Nil for an answer that is no error. Takes any bytes.
    package init?(_ response: TransportResponse) {
        guard !(200..<300).contains(response.status) else { return nil }
        status = response.status
        requestID = response.header("request-id")
        rateLimitReason = response.header("stripe-rate-limited-reason")
        switch response.header("stripe-should-retry") {
        case "true": shouldRetry = true
        case "false": shouldRetry = false
        default: break
        }
        if let after = response.header("retry-after").flatMap({ Int64($0) }), after >= 0 {
            retryAfterSeconds = after
        }
        let body = try? StrictJSON.parse(response.body)
        if let error = body?.member("error") {
            type = error.member("type")?.stringValue
            code = error.member("code")?.stringValue
            message = error.member("message")?.stringValue ?? error.stringValue
            param = error.member("param")?.stringValue
            declineCode = error.member("decline_code")?.stringValue
        }
        kind = Self.kind(status: response.status, type: type, code: code)
    }

    private static func kind(status: Int, type: String?, code: String?) -> Kind {
        switch type {
        case "idempotency_error": return status == 409 ? .conflict : .idempotency
        case "temporary_session_expired": return .sessionExpired
        case "rate_limit": return .rateLimit
        default: break
        }
        if code == "rate_limit" || code == "lock_timeout" { return .rateLimit }
        return switch status {
        case 401: .authentication
        case 402: .card
        case 403: .permission
        case 409: .conflict
        case 429: .rateLimit
        case 400..<500: .invalidRequest
        default: .api
        }
    }

    package var description: String {
        var text = "Stripe answered \(status) (\(code ?? type ?? kind.rawValue))"
        if let message { text += ": \(message)" }
        if let requestID { text += " [\(requestID)]" }
        return text
    }

    // MARK: Meter events

    private func says(_ beginning: String) -> Bool {
        message?.lowercased().hasPrefix(beginning) ?? false
    }

    private func contains(_ words: String) -> Bool {
        guard let text = message?.lowercased().utf8 else { return false }
        let bytes = Array(text)
        let wanted = Array(words.utf8)
        guard bytes.count >= wanted.count else { return false }
        return (0...bytes.count - wanted.count).contains {
            bytes[$0..<$0 + wanted.count].elementsEqual(wanted)
        }
    }

    /// Stripe has a meter event with this identifier: it is recorded.
    package var isDuplicateMeterEvent: Bool {
        status == 400 && says("an event already exists with identifier")
    }

    /// The customer does not exist, or no longer.
    package var isNoSuchCustomer: Bool {
        status < 500
            && (says("no such customer") || code == "meter_event_customer_not_found"
                || (code == "resource_missing" && (param == "customer" || contains("customer"))))
    }

    package var isNoActiveMeter: Bool {
        status < 500
            && (says("no active meter") || says("no meter") || code == "archived_meter"
                || code == "no_meter")
    }

    package var isTimestampTooOld: Bool {
        code == "timestamp_too_far_in_past"
            || (status == 400 && contains("timestamp") && contains("past"))
    }

    package var isTimestampInFuture: Bool {
        code == "timestamp_in_future"
            || (status == 400 && contains("timestamp") && contains("future"))
    }
}

extension JSONValue {
    /// A member of an object; nil where there is none, or it is null.
    package func member(_ name: String) -> JSONValue? {
        guard case .object(let object) = self, let value = object[name] else { return nil }
        if case .null = value { return nil }
        return value
    }

    package var stringValue: String? {
        if case .string(let text) = self { return text }
        return nil
    }

    package var integerValue: Int64? {
        if case .integer(let number) = self { return number }
        return nil
    }

    package var boolValue: Bool? {
        if case .bool(let flag) = self { return flag }
        return nil
    }

    package var elements: [JSONValue] {
        if case .array(let items) = self { return items }
        return []
    }

    /// The id of an expandable field: a string, or the object itself.
    package var objectID: String? { stringValue ?? member("id")?.stringValue }
}
