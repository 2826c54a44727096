// Requests and answers of the simulated Stripe, without sockets: the core takes one and gives the
// other.

package struct StripeSimRequest: Sendable {
    package var method: String
    /// Without its query.
    package var path: String
    package var query: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    package init(
        method: String, path: String, query: String = "",
        headers: [(name: String, value: String)] = [], body: [UInt8] = []
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
    }

    func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name }?.value
    }
}

package struct StripeSimResponse: Sendable, Equatable {
    package var status: Int
    package var headers: [String: String]
    package var body: [UInt8]
}

package enum StripeSimReply: Sendable, Equatable {
    case answer(StripeSimResponse)
    /// It was carried out, and the connection broke before the answer.
    case dropped
    /// Nothing was carried out: no connection.
    case refused
}

/// A webhook that is to be delivered.
package struct StripeSimDelivery: Sendable {
    package var id: Int
    package var url: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
}

/// What goes wrong. Chances are in thousandths; times are microseconds.
package struct StripeFaults: Sendable {
    /// Carried out, then the connection breaks.
    package var lostAnswer = 0
    package var refused = 0
    /// A limiter's 429.
    package var limited = 0
    /// An object is locked: 429 without a limiter's header.
    package var locked = 0
    /// 500 after the work was begun: kept with the idempotency key, nothing done.
    package var failedAndKept = 0
    /// 500 before anything was begun.
    package var failed = 0
    package var conflict = 0
    /// A meter event is taken and then not counted; a report comes later.
    package var silentRejection = 0
    /// Until a meter event is in the sums.
    package var aggregationLag: ClosedRange<Int64> = 0...0
    package var webhookDuplicate = 0
    /// The first delivery gets lost.
    package var webhookLost = 0
    package var webhookDelay: ClosedRange<Int64> = 0...0
    /// All requests are refused in these.
    package var outages: [Range<Int64>] = []
    /// A known identifier is answered with 200 in place of the documented 400.
    package var duplicatesAreSilent = false
    /// An invoice cannot be collected at the first attempts.
    package var paymentFailed = 0

    package init() {}
}

/// Its own error, in Stripe's envelope.
struct StripeSimError: Error {
    var status = 400
    var type = "invalid_request_error"
    var code: String?
    var message: String
    var param: String?
    /// Answered before the work was begun, and so not kept with the idempotency key.
    var isEarly = false

    static func missing(_ name: String) -> StripeSimError {
        StripeSimError(
            code: "parameter_missing", message: "Missing required param: \(name).", param: name,
            isEarly: true)
    }

    static func unknown(_ name: String) -> StripeSimError {
        StripeSimError(
            code: "parameter_unknown", message: "Received unknown parameter: \(name)", param: name,
            isEarly: true)
    }

    static func invalid(_ message: String, _ param: String? = nil) -> StripeSimError {
        StripeSimError(message: message, param: param)
    }

    static func notFound(_ what: String, _ id: String, param: String? = "id") -> StripeSimError {
        StripeSimError(
            status: param == "id" ? 404 : 400, code: "resource_missing",
            message: "No such \(what): '\(id)'", param: param)
    }
}

/// Parameters of a request: `a[b][0]=c`, by their full names.
struct StripeParameters {
    private(set) var values: [String: String] = [:]
    private(set) var names: [String] = []

    init(_ text: String) {
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = Self.unescaped(parts[0])
            if values[name] == nil { names.append(name) }
            values[name] = parts.count > 1 ? Self.unescaped(parts[1]) : ""
        }
    }

    subscript(_ name: String) -> String? { values[name] }

    func required(_ name: String) throws(StripeSimError) -> String {
        guard let value = values[name], !value.isEmpty else { throw .missing(name) }
        return value
    }

    func integer(_ name: String) throws(StripeSimError) -> Int64? {
        guard let text = values[name] else { return nil }
        guard let number = Int64(text) else {
            throw StripeSimError(
                code: "parameter_invalid_integer", message: "Invalid integer: \(text)",
                param: name, isEarly: true)
        }
        return number
    }

    /// `metadata[key]`, without the brackets.
    func map(_ name: String) -> [(key: String, value: String)] {
        names.compactMap { full in
            guard full.hasPrefix(name + "["), full.hasSuffix("]") else { return nil }
            let key = full.dropFirst(name.utf8.count + 1).dropLast()
            return key.contains("[") ? nil : (String(key), values[full] ?? "")
        }
    }

    /// Refuses what nobody asked for. `expand` and `metadata` always may be.
    func allow(_ allowed: String...) throws(StripeSimError) {
        for name in names {
            let first = String(name.prefix { $0 != "[" })
            if first == "expand" || first == "metadata" || allowed.contains(first) { continue }
            throw .unknown(name)
        }
    }

    private static func unescaped(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+") {
                bytes.append(UInt8(ascii: " "))
            } else if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
