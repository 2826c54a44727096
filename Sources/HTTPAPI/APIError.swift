// Errors as answers: {"error":{"type","code","message","param"?,"doc_url"?, …}}. Codes are stable
// and listed in schemas/openapi.yaml; messages are for people and never repeat a secret.

import Billing
package import CanonicalJSON
package import Engine
import EventLog

package struct APIError: Error, Sendable {
    package enum Kind: String, Sendable {
        case invalidRequest = "invalid_request"
        case authentication, permission
        case notFound = "not_found"
        case conflict, unavailable
        case rateLimit = "rate_limit"
    }

    package var status: Int
    package var kind: Kind
    package var code: String
    package var message: String
    package var param: String?
    /// Stable code of the store's error, where the store is the reason.
    var storeCode: String?
    package var headers: [(name: String, value: String)] = []

    package init(
        _ status: Int, _ kind: Kind, _ code: String, _ message: String, param: String? = nil
    ) {
        self.status = status
        self.kind = kind
        self.code = code
        self.message = message
        self.param = param?.isEmpty == true ? nil : param
    }

    func body(documentationURL: String?) -> [UInt8] {
        var json = JSONWriter(reservingCapacity: 192)
        json.beginObject()
        json.key("error")
        json.beginObject()
        json.key("code")
        json.string(code)
        if let documentationURL {
            json.key("doc_url")
            json.string(documentationURL + code)
        }
        json.key("message")
        json.string(message)
        if let param {
            json.key("param")
            json.string(param)
        }
        if let storeCode {
            json.key("store_code")
            json.string(storeCode)
        }
        json.key("type")
        json.string(kind.rawValue)
        json.endObject()
        json.endObject()
        return json.bytes
    }
}

extension APIError {
    /// The form of the request is wrong.
    static func malformed(_ code: String, _ message: String, param: String? = nil) -> APIError {
        APIError(400, .invalidRequest, code, message, param: param)
    }

    /// A value cannot be right.
    static func invalid(_ message: String, param: String? = nil) -> APIError {
        APIError(422, .invalidRequest, "invalid_request", message, param: param)
    }

    static func forbidden(_ message: String, param: String? = nil) -> APIError {
        APIError(403, .permission, "forbidden", message, param: param)
    }

    static func notFound(_ message: String, param: String? = nil) -> APIError {
        APIError(404, .notFound, "not_found", message, param: param)
    }

    static func alreadyExists(_ message: String) -> APIError {
        APIError(409, .conflict, "already_exists", message, param: "id")
    }

    static func unavailable(
        _ code: String, _ message: String, retryAfter seconds: Int = 1
    ) -> APIError {
        var error = APIError(503, .unavailable, code, message)
        error.headers = [("Retry-After", String(seconds))]
        return error
    }

    package static let overloaded = APIError.unavailable(
        "overloaded", "Too many requests are waiting; nothing was recorded. Try again shortly.")

    package init(_ error: FieldError) {
        switch error.code {
        case .missing: self = .malformed("missing_field", error.message, param: error.param)
        case .wrongType: self = .malformed("wrong_type", error.message, param: error.param)
        case .unknownField: self = .malformed("unknown_field", error.message, param: error.param)
        case .outOfRange, .invalid: self = .invalid(error.message, param: error.param)
        }
    }

    package init(_ error: JSONError) {
        switch error.code {
        case .duplicateKey:
            self = .malformed("duplicate_field", error.description, param: error.path)
        case .tooLarge: self = .bodyTooLarge
        default: self = .malformed("malformed_json", error.description, param: error.path)
        }
    }

    package static let bodyTooLarge = APIError(
        413, .invalidRequest, "body_too_large", "The body is larger than this server takes.")

    package init(_ error: EngineError) {
        switch error {
        case .command(let error): self.init(error)
        case .idempotencyMismatch:
            self.init(
                409, .conflict, "idempotency_mismatch",
                "This id or Idempotency-Key was used for another request.")
        case .overloaded: self = .overloaded
        case .storeUnavailable(let error):
            self = .unavailable(
                "store_unavailable",
                "The log cannot be written (\(error.code.rawValue)); nothing was recorded.")
            storeCode = error.code.rawValue
        case .shuttingDown: self = .unavailable("shutting_down", "The server is stopping.")
        case .unreadable(let detail):
            self = .unavailable("log_unreadable", "The log cannot be read: \(detail).")
        }
    }

    private init(_ error: CommandError) {
        let (status, kind): (Int, Kind) =
            switch error.code {
            case .notFound, .noTestClock: (404, .notFound)
            case .alreadyExists, .notReserved, .alreadySettled, .alreadyReleased, .expired,
                .expiredCharged, .closed:
                (409, .conflict)
            case .invalid, .unknownPrice, .overflow: (422, .invalidRequest)
            }
        self.init(status, kind, error.code.rawValue, error.message, param: error.param)
    }
}
