// Answers of the gateway's own, in the words of the caller's library. They are told apart from the
// provider's by `type`, and by `x-faregate-reservation` where there is one; the provider's own
// errors, its 402 and 429 among them, pass through as they are.

import Billing
import CanonicalJSON
import Dialects
import HTTPAPI

enum GatewayAnswer {
    static func refusal(_ refusal: Refusal) -> RefusalBody {
        var json = JSONWriter(reservingCapacity: 512)
        json.beginObject()
        refusal.writeMembers(&json)
        json.endObject()
        return RefusalBody(
            status: refusal.status, code: refusal.code, message: refusal.message,
            type: refusal.type, fields: json.bytes,
            retryAfterSeconds: refusal.isRetryable ? refusal.retryAfterSeconds : nil)
    }

    static func error(_ error: APIError) -> RefusalBody {
        let after = error.headers.first { $0.name == "Retry-After" }.flatMap { Int64($0.value) }
        return RefusalBody(
            status: error.status, code: error.code, message: error.message, param: error.param,
            retryAfterSeconds: after)
    }

    /// A stream that has begun is not read to its end; nil: nobody is there to be told.
    static func cut(_ stop: GatewayCall.Stop, upstream: String) -> RefusalBody? {
        if stop == .drained { return nil }
        let (status, code, reason): (Int, String, String) =
            switch stop {
            case .idle:
                (504, "upstream_timeout", "upstream '\(upstream)' has sent nothing for too long")
            case .total: (504, "upstream_timeout", "the call has lasted too long")
            case .tooLong: (502, "answer_too_large", "it is larger than is passed on")
            case .shutdown, .drained: (503, "shutting_down", "the server is stopping")
            }
        return RefusalBody(
            status: status, code: code,
            message: "The answer ends here: \(reason). What has passed is charged.",
            type: status == 503 ? "unavailable" : "upstream_error")
    }

    /// There is no answer of the upstream's to pass on.
    static func failure(
        _ ending: GatewayCall.Ending, _ stop: GatewayCall.Stop?, upstream: String
    ) -> (CallResult, RefusalBody) {
        switch (ending, stop) {
        case (.unreachable, _):
            return (
                .unreachable,
                RefusalBody(
                    status: 502, code: "upstream_unreachable",
                    message: "Upstream '\(upstream)' could not be reached; nothing was charged.",
                    type: "upstream_error", retryAfterSeconds: 1)
            )
        case (_, .idle), (_, .total):
            return (
                .timeout,
                RefusalBody(
                    status: 504, code: "upstream_timeout",
                    message: "Upstream '\(upstream)' did not answer in time. It may have done the "
                        + "work: what was expected is charged.",
                    type: "upstream_error")
            )
        case (_, .tooLong):
            return (
                .cut,
                RefusalBody(
                    status: 502, code: "answer_too_large",
                    message: "The answer of upstream '\(upstream)' is larger than is passed on; "
                        + "what was expected is charged.",
                    type: "upstream_error")
            )
        case (_, .shutdown):
            return (
                .unavailable,
                RefusalBody(
                    status: 503, code: "shutting_down",
                    message: "The server is stopping, and upstream '\(upstream)' had not answered; "
                        + "what was expected is charged.",
                    type: "unavailable")
            )
        default:
            return (
                .unreachable,
                RefusalBody(
                    status: 502, code: "upstream_failed",
                    message:
                        "Upstream '\(upstream)' broke the connection off. It may have done the "
                        + "work: what was expected is charged.",
                    type: "upstream_error")
            )
        }
    }
}
