// Sends calls to Stripe: with the key, the pinned version and what else every request carries,
// within the account's rate limits, again where that is right.

package import CanonicalJSON
import Glibc
import Synchronization

/// An answer of 2xx.
package struct StripeAnswer: Sendable {
    package var body: JSONValue
    package var requestID: String?
    /// Stripe repeated the answer that it gave to the same idempotency key before.
    package var isReplayed: Bool

    package init(body: JSONValue, requestID: String?, isReplayed: Bool) {
        self.body = body
        self.requestID = requestID
        self.isReplayed = isReplayed
    }
}

package struct StripeFailure: Error, Sendable, CustomStringConvertible {
    package var cause: AttemptFailure
    package var attempts: Int
    /// In one of the attempts, Stripe may have done what was asked.
    package var mayBeDone: Bool

    package var stripe: StripeError? {
        if case .stripe(let error) = cause { return error }
        return nil
    }

    package var description: String {
        let text =
            switch cause {
            case .transport(let error): error.description
            case .stripe(let error): error.description
            }
        return attempts > 1 ? "\(text) (\(attempts) attempts)" : text
    }
}

/// Waits, and says what time it is: tests have their own.
package protocol StripeSleeper: Sendable {
    /// Returns early when the task is cancelled.
    func sleep(microseconds: Int64) async
    /// Of a clock that only goes forward.
    func monotonicMicroseconds() -> Int64
}

package struct RealSleeper: StripeSleeper {
    private static let start = ContinuousClock.now

    package init() {}

    package func sleep(microseconds: Int64) async {
        try? await Task.sleep(for: .microseconds(microseconds))
    }

    package func monotonicMicroseconds() -> Int64 {
        let elapsed = Self.start.duration(to: .now).components
        return elapsed.seconds * 1_000_000 + elapsed.attoseconds / 1_000_000_000_000
    }
}

package struct StripeEndpoint: Sendable, Equatable {
    /// Without a slash at the end.
    package var api = "https://api.stripe.com"
    package var files = "https://files.stripe.com"
    /// `acct_…` of a connected account.
    package var account: String?

    package init() {}
}

package final class StripeClient: Sendable {
    /// The version of Stripe's API that these calls are written for.
    package static let apiVersion = "2026-10-28.endive"

    package let endpoint: StripeEndpoint
    private let transport: any StripeTransport
    private let key: StripeKey
    private let rule: RetryRule
    private let sleeper: any StripeSleeper
    private let wallClock: @Sendable () -> Int64
    private let skew = Mutex<Int64?>(nil)
    private let calls: RateLimiter
    private let meterEvents: RateLimiter

    /// - Parameters:
    ///   - callsPerSecond: nil: within Stripe's published limits for the key's mode.
    ///   - wallClock: seconds since 1970 UTC.
    package init(
        transport: any StripeTransport, key: StripeKey, endpoint: StripeEndpoint = StripeEndpoint(),
        rule: RetryRule = RetryRule(), sleeper: any StripeSleeper = RealSleeper(),
        callsPerSecond: Int64? = nil, meterEventsPerSecond: Int64? = nil,
        wallClock: @escaping @Sendable () -> Int64 = { Int64(time(nil)) }
    ) {
        self.wallClock = wallClock
        self.transport = transport
        self.key = key
        self.endpoint = endpoint
        self.rule = rule
        self.sleeper = sleeper
        // Stripe: 100 a second live, 25 in a sandbox, meter events 1,000 live of their own; with a
        // connected account meter events count as ordinary calls. A fifth is left to others.
        let ordinary = RateLimiter(perSecond: callsPerSecond ?? (key.isLive ? 80 : 20))
        calls = ordinary
        if let meterEventsPerSecond {
            meterEvents = RateLimiter(perSecond: meterEventsPerSecond)
        } else if key.isLive, endpoint.account == nil {
            meterEvents = RateLimiter(perSecond: 800)
        } else {
            meterEvents = ordinary
        }
    }

    package var isLive: Bool { key.isLive }

    /// By how much this machine's clock is ahead of Stripe's, seconds, as its last answer said;
    /// behind: below zero. Nil: it has not said.
    package var clockSkewSeconds: Int64? { skew.withLock { $0 } }

    /// Sends a call, again where `RetryRule` says so.
    package func perform(_ call: StripeCall) async throws(StripeFailure) -> StripeAnswer {
        var attempt = 0
        var mayBeDone = false
        var random = SystemRandomNumberGenerator()
        while true {
            attempt += 1
            let cause: AttemptFailure
            do throws(AttemptFailure) {
                return try await performOnce(call)
            } catch {
                cause = error
            }
            mayBeDone = mayBeDone || cause.mayBeDone
            let delay = rule.delayMicroseconds(
                after: cause, attempt: attempt, isRepeatable: call.isRepeatable,
                jitter: random.next())
            guard let delay, !Task.isCancelled else {
                throw StripeFailure(cause: cause, attempts: attempt, mayBeDone: mayBeDone)
            }
            await sleeper.sleep(microseconds: delay)
        }
    }

    /// Sends a call once.
    package func performOnce(_ call: StripeCall) async throws(AttemptFailure) -> StripeAnswer {
        let limiter = call.path == MeterEventBody.path ? meterEvents : calls
        while let wait = limiter.take(at: sleeper.monotonicMicroseconds()) {
            await sleeper.sleep(microseconds: wait)
            if Task.isCancelled { throw .transport(TransportError(.overloaded, "cancelled")) }
        }
        let response: TransportResponse
        do throws(TransportError) {
            response = try await transport.send(request(of: call))
        } catch {
            throw .transport(error)
        }
        if let date = response.header("date").flatMap(HTTPDate.seconds) {
            let difference = wallClock() - date
            skew.withLock { $0 = difference }
        }
        if let error = StripeError(response) { throw .stripe(error) }
        guard let body = try? StrictJSON.parse(response.body, limits: Self.limits) else {
            // It was carried out, and what came back is not Stripe's: as if the answer were lost.
            throw .transport(TransportError(.broken, "the answer is not JSON"))
        }
        return StripeAnswer(
            body: body, requestID: response.header("request-id"),
            isReplayed: response.header("idempotent-replayed") == "true")
    }

    private static let limits = JSONLimits(maxBytes: 16 << 20, maxDepth: 64, maxNodes: 1_000_000)

    /// The request that `call` is sent as.
    package func request(of call: StripeCall) -> TransportRequest {
        let base = call.host == .files ? endpoint.files : endpoint.api
        let query = call.query.isEmpty ? "" : "?" + call.query
        var headers: [(name: String, value: String)] = [
            ("Authorization", "Bearer " + key.text),
            ("Stripe-Version", Self.apiVersion),
            ("User-Agent", "Faregate/1"),
            ("Accept", "application/json"),
        ]
        if let account = endpoint.account {
            // v2 knows the account by another name.
            let isNew = call.path.hasPrefix("/v2/")
            headers.append((isNew ? "Stripe-Context" : "Stripe-Account", account))
        }
        if let contentType = call.contentType { headers.append(("Content-Type", contentType)) }
        if let key = call.idempotencyKey { headers.append(("Idempotency-Key", key)) }
        return TransportRequest(
            call.method, base + call.path + query, headers: headers, body: call.body)
    }

    /// Every element of a list, page by page, in Stripe's order.
    ///
    /// - Parameters:
    ///   - call: a GET whose query names everything but the page.
    ///   - body: false: no more are wanted.
    package func forEach(
        _ call: StripeCall, _ body: (JSONValue) throws(StripeFailure) -> Bool
    ) async throws(StripeFailure) {
        var after: String?
        for _ in 0..<100_000 {
            var page = call
            let last = after.map { "starting_after=\(FormBody.escapedPath($0))" }
            page.query = [call.query, "limit=100", last].compactMap { $0 }
                .filter { !$0.isEmpty }.joined(separator: "&")
            let answer = try await perform(page)
            let items = answer.body.member("data")?.elements ?? []
            for item in items where try !body(item) { return }
            guard answer.body.member("has_more")?.boolValue == true,
                let id = items.last?.member("id")?.stringValue, id != after
            else { return }
            after = id
        }
    }

    package func shutdown() async { await transport.shutdown() }
}

/// A bucket of tokens: `perSecond` a second, as many at once.
final class RateLimiter: Sendable {
    private let perSecond: Int64
    private struct Bucket {
        /// Microseconds' worth of calls.
        var credit: Int64
        var at: Int64?
    }
    private let bucket: Mutex<Bucket>

    init(perSecond: Int64) {
        self.perSecond = max(perSecond, 1)
        bucket = Mutex(Bucket(credit: 1_000_000))
    }

    /// Takes one; or says after how many microseconds to ask again.
    func take(at now: Int64) -> Int64? {
        let cost = max(1_000_000 / perSecond, 1)
        return bucket.withLock { bucket in
            let passed = max(now - (bucket.at ?? now), 0)
            bucket.at = max(now, bucket.at ?? now)
            bucket.credit = min(bucket.credit + passed, 1_000_000)
            if bucket.credit >= cost {
                bucket.credit -= cost
                return nil
            }
            return cost - bucket.credit
        }
    }
}
