// Webhooks on their way: signed anew at each attempt, tried for three days.

import CanonicalJSON
import Crypto

extension StripeAccount {
    /// Webhooks whose time has come. Each is to be answered with `delivered`.
    ///
    /// - Parameter signedAt: seconds since 1970 UTC; nil: as `now`.
    package mutating func dueDeliveries(
        at now: Int64, signedAt: Int64? = nil
    ) -> [StripeSimDelivery] {
        advance(to: now)
        let ids = ready
        ready = []
        return ids.compactMap { id in
            guard var outgoing = outbox[id] else { return nil }
            if outgoing.tries == 0, random.chance(faults.webhookLost) {
                outgoing.tries = 1
                outbox[id] = outgoing
                again(id, outgoing)
                return nil
            }
            let seconds = signedAt ?? self.now / 1_000_000
            return StripeSimDelivery(
                id: id, url: outgoing.url,
                headers: [
                    ("Content-Type", "application/json; charset=utf-8"),
                    ("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)"),
                    (
                        "Stripe-Signature",
                        Self.signature(outgoing.secret, outgoing.body, seconds: seconds)
                    ),
                ], body: outgoing.body)
        }
    }

    /// - Parameter status: of the answer; nil: there was none.
    package mutating func delivered(_ id: Int, status: Int?, at now: Int64) {
        advance(to: now)
        guard var outgoing = outbox[id] else { return }
        if let status, (200..<300).contains(status) {
            outbox[id] = nil
            return
        }
        outgoing.tries += 1
        outbox[id] = outgoing
        again(id, outgoing)
    }

    private mutating func again(_ id: Int, _ outgoing: Outgoing) {
        // 1, 5, 25 minutes …, six hours at most, for three days.
        var minutes: Int64 = 1
        for _ in 1..<max(outgoing.tries, 1) { minutes = min(minutes * 5, 360) }
        guard outgoing.tries < 18 else {
            outbox[id] = nil
            return
        }
        timers.add(now + minutes * 60_000_000, .deliver(id))
    }

    static func signature(_ secret: String, _ body: [UInt8], seconds: Int64) -> String {
        var hash = HMAC<SHA256>(key: SymmetricKey(data: Array(secret.utf8)))
        hash.update(data: Array("\(seconds).".utf8))
        hash.update(data: body)
        let hex = hash.finalize().map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }
        return "t=\(seconds),v1=\(hex.joined())"
    }

    /// Webhooks that nobody has taken yet.
    var waitingDeliveries: Int { outbox.count }

    /// When something happens by itself next, microseconds; nil: nothing does.
    package var nextTimer: Int64? { timers.first }
}
