// Which of the requests that come to the webhook endpoint are taken: Stripe's, by their signature,
// and ours, by mode and account.

package import StripeAPI
import Synchronization

package struct WebhookGate: Sendable {
    private let verifier: WebhookVerifier
    private let isLive: Bool
    private let account: String?

    /// - Parameters:
    ///   - isLive: the mode of the key. An endpoint for connected accounts gets events of both.
    ///   - account: the connected account that is billed for; nil: the key's own.
    package init(verifier: WebhookVerifier, isLive: Bool, account: String?) {
        self.verifier = verifier
        self.isLive = isLive
        self.account = account
    }

    package enum Verdict: Sendable {
        case ours(StripeEvent)
        /// Of another mode or account: nothing is kept of it.
        case foreign
        /// Not Stripe's, or not now.
        case refused(WebhookVerdict)
        /// Stripe's, and not an event.
        case malformed(String)
    }

    /// - Parameter now: seconds since 1970 UTC.
    package func judge(signature: String?, body: [UInt8], now: Int64) -> Verdict {
        let verdict = verifier.verify(header: signature, body: body, now: now)
        guard verdict == .valid else { return .refused(verdict) }
        do throws(StripeEvent.Fault) {
            let event = try StripeEvent(body: body)
            let isOurs =
                event.isLive == isLive && (event.account == nil || event.account == account)
            return isOurs ? .ours(event) : .foreign
        } catch {
            return .malformed(error.description)
        }
    }
}

/// What became of webhooks and pushes in this process, for metrics.
package final class StripeCounts: Sendable {
    package enum Name: Int, CaseIterable, Sendable {
        case webhooksRecorded, webhooksRepeated, webhooksForeign, webhooksRefused
        case webhooksFailed
        case pushesAccepted, pushesRejected, pushAttemptsFailed
    }

    private let counts = Mutex<[Int64]>(Array(repeating: 0, count: Name.allCases.count))

    package init() {}

    package subscript(_ name: Name) -> Int64 { counts.withLock { $0[name.rawValue] } }

    package func add(_ name: Name) { counts.withLock { $0[name.rawValue] += 1 } }
}
