// Whether a request to Stripe is sent again, and when. The rules are those of Stripe's SDKs: a
// broken connection is, then Stripe's own advice decides, then 409 and 5xx are. Beyond them, a
// limiter's 429 is waited out, because what we send must arrive.

/// What came of one attempt.
package enum AttemptFailure: Error, Sendable, Equatable {
    case transport(TransportError)
    case stripe(StripeError)

    package var requestID: String? {
        if case .stripe(let error) = self { return error.requestID }
        return nil
    }

    /// Whether Stripe may have done what was asked.
    package var mayBeDone: Bool {
        switch self {
        case .transport(let error): !error.isUnsent
        // An answer of 5xx or 409 says nothing certain.
        case .stripe(let error): error.status >= 500 || error.status == 409
        }
    }
}

package struct RetryRule: Sendable, Equatable {
    /// Attempts after the first.
    package var retriesMax: Int
    package var firstDelayMicroseconds: Int64
    package var delayMaxMicroseconds: Int64
    /// A longer `Retry-After` is cut to this.
    package var retryAfterMaxMicroseconds: Int64

    package init(
        retriesMax: Int = 2, firstDelayMicroseconds: Int64 = 500_000,
        delayMaxMicroseconds: Int64 = 5_000_000, retryAfterMaxMicroseconds: Int64 = 60_000_000
    ) {
        self.retriesMax = retriesMax
        self.firstDelayMicroseconds = firstDelayMicroseconds
        self.delayMaxMicroseconds = delayMaxMicroseconds
        self.retryAfterMaxMicroseconds = retryAfterMaxMicroseconds
    }

    /// How long to wait before the next attempt; nil: there is none.
    ///
    /// - Parameters:
    ///   - attempt: the one that failed; 1 is the first.
    ///   - isRepeatable: a GET, or carries an idempotency key.
    ///   - jitter: random bits.
    package func delayMicroseconds(
        after failure: AttemptFailure, attempt: Int, isRepeatable: Bool, jitter: UInt64
    ) -> Int64? {
        guard attempt <= retriesMax, Self.isWorthRepeating(failure) else { return nil }
        if !isRepeatable, failure.mayBeDone { return nil }
        var delay = firstDelayMicroseconds
        for _ in 1..<max(attempt, 1) where delay < delayMaxMicroseconds { delay *= 2 }
        delay = min(delay, delayMaxMicroseconds)
        // Between half and all of it, as Stripe's SDKs do, so that clients do not march in step.
        delay = max(delay / 2 + Int64(jitter % UInt64(max(delay / 2, 1))), firstDelayMicroseconds)
        if case .stripe(let error) = failure, let after = error.retryAfterSeconds {
            let wanted = min(after, retryAfterMaxMicroseconds / 1_000_000) * 1_000_000
            delay = max(delay, wanted)
        }
        return delay
    }

    /// Whether the same request may fare better later.
    package static func isWorthRepeating(_ failure: AttemptFailure) -> Bool {
        switch failure {
        case .transport(let error):
            return switch error.kind {
            case .connection, .broken, .timeout, .overloaded: true
            case .tls, .tooLarge, .cancelled, .closed: false
            }
        case .stripe(let error):
            // A limiter's 429 comes with the advice not to retry at once; later it is right.
            if error.status == 429 || error.kind == .rateLimit { return true }
            if let advice = error.shouldRetry { return advice }
            return error.status == 409 || error.status == 424 || error.status >= 500
        }
    }
}
