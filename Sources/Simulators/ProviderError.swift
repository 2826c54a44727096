// A provider's "no", in the dialect of the caller.
//
// OpenAI:    {"error":{"message":…,"type":…,"param":…,"code":…}}
// Anthropic: {"type":"error","error":{"type":…,"message":…},"request_id":…}

import CanonicalJSON

struct ProviderError: Error, Sendable {
    var status: Int
    var message: String
    /// OpenAI's kind; Anthropic's follows from the status.
    var type = "invalid_request_error"
    var code: String?
    var param: String?
    var headers: [(name: String, value: String)] = []

    static func invalid(_ message: String, param: String? = nil) -> ProviderError {
        ProviderError(status: 400, message: message, param: param)
    }

    static let badKey = ProviderError(
        status: 401, message: "Incorrect API key provided.", code: "invalid_api_key")

    /// What a fault asks for.
    init(faultStatus status: Int, retryAfter: String?) {
        self.init(status: status, message: Self.message(status), type: Self.openAIType(status))
        code = status == 429 ? "rate_limit_exceeded" : status == 402 ? "insufficient_quota" : nil
        if let retryAfter { headers.append((name: "retry-after", value: retryAfter)) }
    }

    init(
        status: Int, message: String, type: String = "invalid_request_error",
        code: String? = nil, param: String? = nil
    ) {
        self.status = status
        self.message = message
        self.type = type
        self.code = code
        self.param = param
    }

    private static func message(_ status: Int) -> String {
        switch status {
        case 402: "The provider's own balance is used up (simulated)."
        case 429: "Rate limit reached (simulated)."
        case 503, 529: "Overloaded (simulated)."
        default: "The simulator was told to answer \(status)."
        }
    }

    private static func openAIType(_ status: Int) -> String {
        switch status {
        case 402: "insufficient_quota"
        case 429: "requests"
        case 500...: "server_error"
        default: "invalid_request_error"
        }
    }

    var anthropicType: String {
        switch status {
        case 401: "authentication_error"
        case 402: "billing_error"
        case 403: "permission_error"
        case 404: "not_found_error"
        case 413: "request_too_large"
        case 429: "rate_limit_error"
        case 529: "overloaded_error"
        case 500...: "api_error"
        default: "invalid_request_error"
        }
    }

    func body(_ family: ProviderFamily) -> JSONValue {
        switch family {
        case .openAI:
            json([
                "error": json([
                    "message": .string(message), "type": .string(type), "param": optional(param),
                    "code": optional(code),
                ])
            ])
        case .anthropic:
            json([
                "type": .string("error"),
                "error": json(["type": .string(anthropicType), "message": .string(message)]),
                "request_id": .string("req_simulated"),
            ])
        }
    }
}

enum ProviderFamily: String, Sendable { case openAI = "openai", anthropic }
