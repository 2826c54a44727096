// A refusal or error of ours in the words of the caller's library, which then raises its own error
// type as if the provider had refused.
//
//   OpenAI     {"error": {"message", "type", "param", "code", …}}
//   Anthropic  {"type": "error", "error": {"type", "message", "code", "param"?, …}}
//
// and once a stream has begun, as an event that ends it:
//
//   chat       data: {"error": {…}}
//   responses  event: error / data: {"type": "error", "code", "message", "param",
//              "sequence_number", "error": {…}}
//   messages   event: error / data: {"type": "error", "error": {…}}
//
// Anthropic's types go by the status and its library knows no others. OpenAI's library goes by the
// status alone, so the type can be our own: that, the code and the further members tell our 402
// from one of the provider. Of a Responses stream the library raises what has an `error` member,
// and shows an event of type `error` to its user otherwise: the event has both forms.
//
// Both libraries send 408, 409, 429 and 5xx again by themselves unless `x-should-retry` says false.

import CanonicalJSON

package struct RefusalBody: Sendable, Hashable {
    package var status: Int
    package var code: String
    package var message: String
    package var param: String?
    /// The error's type in OpenAI's dialect (`spend_limit`); nil: by the status.
    package var type: String?
    /// An encoded JSON object whose members are added to the error, except those named above and
    /// those written twice; bytes that are no object add nothing.
    package var fields: [UInt8]
    /// The call may succeed when it is sent again after that long; nil: it must not be sent again
    /// unchanged.
    package var retryAfterSeconds: Int64?

    package init(
        status: Int, code: String, message: String, param: String? = nil, type: String? = nil,
        fields: [UInt8] = [], retryAfterSeconds: Int64? = nil
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.type = type
        self.fields = fields
        self.retryAfterSeconds = retryAfterSeconds
    }

    /// Of the answer, the content type included.
    package var headers: [(name: String, value: String)] {
        var headers = [(name: "content-type", value: "application/json")]
        headers.append(("x-should-retry", retryAfterSeconds == nil ? "false" : "true"))
        if let retryAfterSeconds { headers.append(("retry-after", String(retryAfterSeconds))) }
        return headers
    }

    package func body(for family: ProviderFamily) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256 + message.utf8.count + fields.count)
        switch family {
        case .openAI:
            bytes += Array("{\"error\":".utf8)
            appendError(to: &bytes, family)
        case .anthropic:
            bytes += Array("{\"type\":\"error\",\"error\":".utf8)
            appendError(to: &bytes, family)
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// An event that ends a stream which has begun, its blank line included.
    ///
    /// - Parameter sequenceNumber: Responses number their events; that of the last one that passed,
    ///   plus one.
    package func event(for dialect: CallDialect, sequenceNumber: Int64 = 0) -> [UInt8] {
        var bytes: [UInt8] = []
        switch dialect {
        case .openAIChat, .openAIEmbeddings: bytes += Array("data: ".utf8)
        case .openAIResponses, .anthropicMessages:
            bytes += Array("event: error\ndata: ".utf8)
        }
        if dialect == .openAIResponses {
            bytes += Array("{\"type\":\"error\",\"code\":".utf8)
            append(code, to: &bytes)
            bytes += Array(",\"message\":".utf8)
            append(message, to: &bytes)
            bytes += Array(",\"param\":".utf8)
            append(param, to: &bytes)
            bytes += Array(",\"sequence_number\":\(sequenceNumber),\"error\":".utf8)
            appendError(to: &bytes, .openAI)
            bytes.append(UInt8(ascii: "}"))
        } else {
            bytes += body(for: dialect.family)
        }
        bytes += Array("\n\n".utf8)
        return bytes
    }

    // MARK: The error itself

    private func appendError(to bytes: inout [UInt8], _ family: ProviderFamily) {
        bytes += Array("{\"type\":".utf8)
        switch family {
        case .openAI: append(type ?? Self.openAIType(status), to: &bytes)
        case .anthropic: append(Self.anthropicType(status), to: &bytes)
        }
        bytes += Array(",\"message\":".utf8)
        append(message, to: &bytes)
        bytes += Array(",\"code\":".utf8)
        append(code, to: &bytes)
        if param != nil || family == .openAI {
            bytes += Array(",\"param\":".utf8)
            append(param, to: &bytes)
        }
        appendFields(to: &bytes)
        bytes.append(UInt8(ascii: "}"))
    }

    private func append(_ text: String?, to bytes: inout [UInt8]) {
        JSONWriter.append(to: &bytes) { json in
            if let text { json.string(text) } else { json.null() }
        }
    }

    private func appendFields(to bytes: inout [UInt8]) {
        let before = bytes.count
        do {
            try JSONReader.reading(fields) { (reader) throws(JSONError) in
                var names: Set<String> = ["type", "message", "code", "param"]
                try reader.enterObject()
                while let name = try reader.nextMember() {
                    let text = reader.string(name)
                    let value = reader.source(try reader.skipValue())
                    guard names.insert(text).inserted else { continue }
                    bytes.append(UInt8(ascii: ","))
                    append(text, to: &bytes)
                    bytes.append(UInt8(ascii: ":"))
                    // An event's data is one line.
                    bytes += value.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
                }
                try reader.finish()
            }
        } catch {
            bytes.removeLast(bytes.count - before)
        }
    }

    private static func openAIType(_ status: Int) -> String {
        switch status {
        case 401: "authentication_error"
        case 402: "insufficient_quota"
        case 403: "permission_error"
        case 429: "rate_limit_error"
        case 500...: "server_error"
        default: "invalid_request_error"
        }
    }

    private static func anthropicType(_ status: Int) -> String {
        switch status {
        case 401: "authentication_error"
        case 402: "billing_error"
        case 403: "permission_error"
        case 404: "not_found_error"
        case 413: "request_too_large"
        case 429: "rate_limit_error"
        case 503, 529: "overloaded_error"
        case 504: "timeout_error"
        case 500...: "api_error"
        default: "invalid_request_error"
        }
    }
}
