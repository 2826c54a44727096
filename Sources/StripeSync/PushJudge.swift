// What an answer to a push means: a pure function. Only three things end a push here: Stripe has
// it, Stripe does not want it, or it is to be asked of Stripe's sums. Everything else is sent
// again, the same bytes under the same key.

package import Billing
package import StripeAPI

package enum PushVerdict: Sendable, Equatable {
    case accepted(isDuplicate: Bool, requestID: String?)
    case rejected(
        code: String, disposition: StripeDisposition, message: String?, requestID: String?)
    /// Sent again after `seconds`, counted from now.
    case again(seconds: Int64, code: String, message: String?, requestID: String?)
}

package struct PushJudge: Sendable {
    package init() {}

    /// - Parameters:
    ///   - attempts: failed before this one.
    ///   - rejections: of the customer's pushes, one after the other, before this one.
    package func verdict(
        _ outcome: Result<StripeAnswer, AttemptFailure>, attempts: Int64, rejections: Int64
    ) -> PushVerdict {
        let delay = Self.delaySeconds(attempts)
        switch outcome {
        case .success(let answer):
            return .accepted(isDuplicate: answer.isReplayed, requestID: answer.requestID)
        case .failure(.transport(let error)):
            return .again(
                seconds: delay, code: error.kind.rawValue, message: nil, requestID: nil)
        case .failure(.stripe(let error)):
            return verdict(error, delay: delay, rejections: rejections)
        }
    }

    private func verdict(
        _ error: StripeError, delay: Int64, rejections: Int64
    ) -> PushVerdict {
        let message = error.message.map { String($0.prefix(300)) }
        func again(_ seconds: Int64, _ code: String) -> PushVerdict {
            .again(seconds: seconds, code: code, message: message, requestID: error.requestID)
        }
        func rejected(_ code: String, _ disposition: StripeDisposition) -> PushVerdict {
            .rejected(
                code: code, disposition: disposition, message: message, requestID: error.requestID)
        }
        if error.isDuplicateMeterEvent {
            return .accepted(isDuplicate: true, requestID: error.requestID)
        }
        if error.isNoSuchCustomer { return rejected("customer_missing", .blocked) }
        // A person has to set this right; the usage waits, the horizon is long.
        if error.isNoActiveMeter { return again(300, "no_active_meter") }
        if error.isTimestampInFuture { return again(60, "timestamp_in_future") }
        // A new push is stamped anew; one that fails again and again is none for a machine.
        if error.isTimestampTooOld {
            return rejected("timestamp_too_old", rejections < 3 ? .reopened : .blocked)
        }
        switch error.kind {
        case .authentication, .permission: return again(60, error.kind.rawValue)
        case .rateLimit:
            return again(max(min(error.retryAfterSeconds ?? 0, 60), min(delay, 30)), "rate_limit")
        case .conflict, .api, .sessionExpired:
            return again(delay, error.code ?? error.kind.rawValue)
        case .idempotency:
            return error.code == "idempotency_key_in_use"
                ? again(delay, "idempotency_key_in_use")
                : rejected("idempotency_mismatch", .blocked)
        case .invalidRequest, .card:
            return rejected(error.code ?? "invalid_request", .blocked)
        }
    }

    /// 1, 2, 4 … seconds, at most five minutes.
    static func delaySeconds(_ attempts: Int64) -> Int64 {
        1 << min(max(attempts, 0), 9) > 300 ? 300 : 1 << min(max(attempts, 0), 9)
    }
}
