// A simulated Stripe account as the transport of the real client: no sockets, no waiting.

package import Simulators
package import StripeAPI
package import Synchronization

package final class SimulatedStripe: StripeTransport {
    package let account: Mutex<StripeAccount>
    private let now: @Sendable () -> Int64
    /// Requests that fail to connect from now on, whatever they are.
    package let isDown = Atomic<Bool>(false)

    /// - Parameter now: microseconds since 1970 UTC.
    package init(_ account: StripeAccount, now: @escaping @Sendable () -> Int64) {
        self.account = Mutex(account)
        self.now = now
    }

    package func send(
        _ request: TransportRequest
    ) async throws(TransportError) -> TransportResponse {
        if isDown.load(ordering: .relaxed) { throw TransportError(.connection, "down") }
        return try Self.response(of: account, to: Self.simulated(request), at: now())
    }

    package func shutdown() async {}

    /// As the account sees it.
    package static func simulated(_ request: TransportRequest) -> StripeSimRequest {
        let rest = request.url.dropFirst("https://api.stripe.com".utf8.count)
        let parts = rest.split(separator: "?", maxSplits: 1)
        return StripeSimRequest(
            method: request.method.rawValue, path: String(parts[0]),
            query: parts.count > 1 ? String(parts[1]) : "", headers: request.headers,
            body: request.body)
    }

    package static func response(
        of account: borrowing Mutex<StripeAccount>, to request: StripeSimRequest, at now: Int64
    ) throws(TransportError) -> TransportResponse {
        switch account.withLock({ $0.respond(request, at: now) }) {
        case .answer(let response):
            return TransportResponse(
                status: response.status,
                headers: response.headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) },
                body: response.body)
        case .dropped: throw TransportError(.broken, "dropped")
        case .refused: throw TransportError(.connection, "refused")
        }
    }

    /// A client of it that tries once.
    package func client() -> StripeClient {
        StripeClient(
            transport: self, key: .simulated, rule: RetryRule(retriesMax: 0), sleeper: NoSleep())
    }
}

/// The sleeper of a simulation: nothing takes time but what the test says.
package struct NoSleep: StripeSleeper {
    private static let ticks = Atomic<Int64>(0)

    package init() {}

    package func sleep(microseconds: Int64) async {}
    package func monotonicMicroseconds() -> Int64 {
        Self.ticks.add(1_000_000, ordering: .relaxed).newValue
    }
}
