// A simulated Stripe account: what Stripe's documentation and SDKs say of its billing, as one
// value. It knows no clock and no socket: everything happens at the instant that it is told, all
// chance comes from the seed, and the same calls give the same bytes.
//
// Not simulated: taxes, discounts, currencies besides dollars, prices with tiers.

import CanonicalJSON
import Crypto
import TimeZones

package struct StripeAccount: Sendable {
    package var faults = StripeFaults()
    /// Microseconds from an invoice's making to when it can no longer change.
    package var finalizeDelay: Int64 = 3_600_000_000
    /// Where the pages are on which customers pay; their ids come after it.
    package var pageBase = "https://checkout.stripe.test/c/pay/"
    package private(set) var now: Int64

    var random: SimRandom
    private var ids = 0
    private let tag: String
    var customers: [String: SimCustomer] = [:]
    var customerOrder: [String] = []
    var meters: [String: SimMeter] = [:]
    var meterOrder: [String] = []
    var products: [String: SimProduct] = [:]
    var productOrder: [String] = []
    var prices: [String: SimPrice] = [:]
    var priceOrder: [String] = []
    /// By meter and customer.
    var meterEvents: [String: [SimMeterEvent]] = [:]
    var identifiers: [String: (meter: String, customer: String, receivedAt: Int64)] = [:]
    var subscriptions: [String: SimSubscription] = [:]
    var subscriptionOrder: [String] = []
    var subscriptionsOfCustomer: [String: [String]] = [:]
    var invoices: [String: SimInvoice] = [:]
    var invoiceOrder: [String] = []
    var sessions: [String: SimSession] = [:]
    var sessionOrder: [String] = []
    var events: [(id: String, created: Int64, json: JSONValue)] = []
    var thinEvents: [String: JSONValue] = [:]
    var kept: [String: Kept] = [:]
    var timers = SimTimers()
    var endpoints: [SimEndpoint] = []
    var outbox: [Int: Outgoing] = [:]
    var deliveries = 0
    /// Deliveries whose time has come.
    var ready: [Int] = []

    /// An answer that is kept with its idempotency key.
    struct Kept {
        var request: [UInt8]
        var response: StripeSimResponse
        var at: Int64
    }

    struct Outgoing {
        var url: String
        var secret: String
        var body: [UInt8]
        var tries = 0
    }

    package init(seed: UInt64, now: Int64) {
        random = SimRandom(seed: seed)
        // Accounts of different seeds share no ids, as at Stripe.
        tag = String(seed % 1_679_616, radix: 36)
        self.now = now
    }

    /// Has webhooks sent to `url`, signed with `secret`.
    package mutating func addEndpoint(url: String, secret: String) {
        endpoints.append(
            SimEndpoint(
                id: newID("we"), created: now, url: url, secret: secret, form: .everything,
                types: ["*"]))
    }

    mutating func newID(_ prefix: String) -> String {
        ids += 1
        let digits = String(ids, radix: 36)
        return prefix + "_sim" + tag + String(repeating: "0", count: max(0, 10 - digits.count))
            + digits
    }

    // MARK: Requests

    /// Answers one request at the instant `now`, microseconds since 1970 UTC.
    package mutating func respond(
        _ request: StripeSimRequest, at now: Int64
    ) -> StripeSimReply {
        advance(to: now)
        if faults.outages.contains(where: { $0.contains(now) }) || random.chance(faults.refused) {
            return .refused
        }
        let requestID = newID("req")
        var response = answer(request, requestID)
        response.headers["Request-Id"] = requestID
        if let key = request.header("idempotency-key") { response.headers["Idempotency-Key"] = key }
        if random.chance(faults.lostAnswer) { return .dropped }
        return .answer(response)
    }

    private mutating func answer(
        _ request: StripeSimRequest, _ requestID: String
    ) -> StripeSimResponse {
        if let refusal = unauthorized(request) { return refusal }
        if random.chance(faults.limited) {
            return error(
                StripeSimError(
                    status: 429, code: "rate_limit", message: "Request rate limit exceeded."),
                ["Stripe-Rate-Limited-Reason": "endpoint-rate", "Stripe-Should-Retry": "false"])
        }
        if random.chance(faults.locked) {
            return error(
                StripeSimError(
                    status: 429, code: "lock_timeout",
                    message: "This object can't be accessed right now because another API request"
                        + " or Stripe process is currently accessing it."), [:])
        }
        if random.chance(faults.conflict) {
            return error(
                StripeSimError(
                    status: 409, type: "idempotency_error", code: "idempotency_key_in_use",
                    message: "There is currently another in-progress request using this key."), [:])
        }
        if random.chance(faults.failed) { return internalError }
        let key = request.method == "POST" ? request.header("idempotency-key") : nil
        if let key, let known = kept[key], known.at > now - 86_400_000_000 {
            guard known.request == fingerprint(request) else {
                return error(
                    StripeSimError(
                        type: "idempotency_error",
                        message: "Keys for idempotent requests can only be used with the same"
                            + " parameters they were first used with."), [:])
            }
            var response = known.response
            response.headers["Idempotent-Replayed"] = "true"
            return response
        }
        var response: StripeSimResponse
        var isKept = true
        if random.chance(faults.failedAndKept) {
            response = internalError
        } else {
            do throws(StripeSimError) {
                let body = try route(request)
                response = StripeSimResponse(
                    status: 200, headers: ["Content-Type": "application/json"], body: body.bytes)
            } catch {
                isKept = !error.isEarly
                response = self.error(error, [:])
            }
        }
        if let key, isKept {
            kept[key] = Kept(request: fingerprint(request), response: response, at: now)
            timers.add(now + 86_400_000_001, .forgetKey(key))
        }
        return response
    }

    private func fingerprint(_ request: StripeSimRequest) -> [UInt8] {
        Array(request.path.utf8) + [0] + request.body
    }

    private func unauthorized(_ request: StripeSimRequest) -> StripeSimResponse? {
        let header = request.header("authorization") ?? ""
        var key = header.hasPrefix("Bearer ") ? String(header.dropFirst(7)) : ""
        if header.hasPrefix("Basic "), let text = decodedBase64(String(header.dropFirst(6))) {
            key = String(text.prefix { $0 != ":" })
        }
        if key.hasPrefix("sk_test_") || key.hasPrefix("rk_test_") { return nil }
        return error(
            StripeSimError(
                status: 401,
                message: key.isEmpty
                    ? "You did not provide an API key."
                    : "Invalid API Key provided: \(key.prefix(7))***"), [:])
    }

    var internalError: StripeSimResponse {
        error(
            StripeSimError(
                status: 500, type: "api_error", message: "An unknown error occurred"), [:])
    }

    private func error(
        _ error: StripeSimError, _ headers: [String: String]
    ) -> StripeSimResponse {
        var object = JSONObject()
        if let code = error.code { object.append("code", .string(code)) }
        object.append("message", .string(error.message))
        if let param = error.param { object.append("param", .string(param)) }
        object.append("type", .string(error.type))
        var headers = headers
        headers["Content-Type"] = "application/json"
        return StripeSimResponse(
            status: error.status, headers: headers, body: json(["error": .object(object)]).bytes)
    }

    private func decodedBase64(_ text: String) -> String? {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var bits: UInt32 = 0
        var count = 0
        var bytes: [UInt8] = []
        for character in text.utf8 where character != UInt8(ascii: "=") {
            guard let value = digits.firstIndex(of: character) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Time

    /// Lets everything happen that happens by itself until `time`.
    package mutating func advance(to time: Int64) {
        while let timer = timers.next(by: time) {
            now = max(now, timer.at)
            fire(timer.what)
        }
        now = max(now, time)
    }

    mutating func setNow(_ time: Int64) { now = time }
}

/// SplitMix64: small, fast, the same everywhere.
struct SimRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// In `thousandths` of all cases.
    mutating func chance(_ thousandths: Int) -> Bool {
        thousandths > 0 && Int(next() % 1_000) < thousandths
    }

    mutating func within(_ range: ClosedRange<Int64>) -> Int64 {
        range.lowerBound == range.upperBound
            ? range.lowerBound : Int64.random(in: range, using: &self)
    }
}

/// What happens by itself, in the order of its time.
struct SimTimers {
    enum What {
        case endPeriod(subscription: String)
        case finalize(invoice: String)
        case collect(invoice: String)
        case report(meter: String, code: String, keys: [String])
        case deliver(Int)
        case forgetKey(String)
    }

    struct Timer {
        var at: Int64
        var order: Int
        var what: What
    }

    private var heap: [Timer] = []
    private var count = 0

    mutating func add(_ at: Int64, _ what: What) {
        count += 1
        heap.append(Timer(at: at, order: count, what: what))
        var place = heap.count - 1
        while place > 0, isBefore(place, (place - 1) / 2) {
            heap.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    var first: Int64? { heap.first?.at }

    mutating func next(by time: Int64) -> Timer? {
        guard let first = heap.first, first.at <= time else { return nil }
        let last = heap.removeLast()
        if heap.isEmpty { return first }
        heap[0] = last
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2]
            where child < heap.count && isBefore(child, least) {
                least = child
            }
            if least == place { return first }
            heap.swapAt(place, least)
            place = least
        }
    }

    private func isBefore(_ a: Int, _ b: Int) -> Bool {
        (heap[a].at, heap[a].order) < (heap[b].at, heap[b].order)
    }
}
