// How the size of a call is stated: one of
//
//   usage_estimate  counts of the caller's own
//   amount          what the call may cost
//   request         the body that is to be sent to the provider, as an object. It is sized here, by
//                   the rules of `Estimation`. `dialect` says how it is written where that does not
//                   show; `model` may be left out, and otherwise is the one that is priced

import Billing
import CanonicalJSON
import Crypto
import Estimation
import Money

struct SizeInput {
    var size: CallSize
    /// What was sized, when a request was.
    var sized: SizedRequest?
    /// Whether what nothing bounds may pass.
    var allowsUnbounded = false

    /// Places of the request for which the call is refused, as fields of the body.
    var refused: [String] {
        allowsUnbounded ? [] : sized?.unbounded.map { "request.\($0)" } ?? []
    }

    /// - Parameter call: gets the request's model, unless it has one.
    init(_ fields: inout JSONFields, _ call: inout CallInput) throws(FieldError) {
        let estimate = try fields.optionalObject("usage_estimate")
        let amount = try fields.optionalMoney("amount")
        let request = fields.optionalValue("request")
        let dialect = try fields.optionalChoice("dialect", of: RequestDialect.self)
        allowsUnbounded = try fields.optionalBool("allow_unbounded") ?? false
        switch (estimate, amount, request) {
        case (let estimate?, nil, nil): size = .counts(try UsageEstimate(estimate))
        case (nil, let amount?, nil): size = .amount(amount)
        case (nil, nil, let request?):
            let sized = try Self.size(
                request, dialect, model: call.model.isEmpty ? nil : call.model, fields)
            call.model = sized.model
            self.sized = sized
            size = .counts(sized.usage)
        case (nil, nil, nil):
            try fields.refuseMissing("usage_estimate", ", request or amount is required")
            size = .amount(.zero)
        case (_?, _?, nil):
            throw fields.error(.invalid, "amount", "and usage_estimate exclude each other")
        case (_, _, _?):
            let other = estimate == nil ? "amount" : "usage_estimate"
            throw fields.error(.invalid, "request", "and \(other) exclude each other")
        }
    }

    private static func size(
        _ request: JSONValue, _ named: RequestDialect?, model: String?, _ fields: JSONFields
    ) throws(FieldError) -> SizedRequest {
        guard case .object = request else {
            throw fields.error(.wrongType, "request", "must be an object, not \(request.kind)")
        }
        guard let dialect = named ?? RequestDialect.inferred(from: request, model: model) else {
            let names = RequestDialect.candidates(for: request).map(\.rawValue)
            throw fields.error(
                .invalid, "dialect",
                "is required, because the request does not show which it is: "
                    + names.joined(separator: " or "))
        }
        let bytes: [UInt8]
        do throws(JSONError) {
            bytes = try CanonicalJSON.encode(request)
        } catch {
            throw fields.error(.invalid, "request", "cannot be kept: \(error.description)")
        }
        do throws(SizingError) {
            var sized = try RequestSizing.size(
                request, requestBytes: bytes.count, dialect: dialect, model: model)
            sized.usage.source?.requestSHA256 = RequestDigest.sha256(of: bytes)
            return sized
        } catch {
            guard let param = error.param else {
                throw fields.error(.invalid, "request", "is not one: \(error.message)")
            }
            let place = fields.param("request")
            throw FieldError(
                .invalid, param: "\(place).\(param)", message: "\(place).\(error.message)")
        }
    }
}

/// The hash of a request that an estimate's source names.
package enum RequestDigest {
    /// Lower-case hex.
    package static func sha256(of bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in SHA256.hash(data: bytes) {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension API {
    /// The call that is asked about.
    func callRequest(_ call: CallInput, _ input: SizeInput, project: String) -> CallRequest {
        var size = input.size
        if let sized = input.sized {
            var usage = sized.usage
            usage.priorOutputTokens = sized.priorOutputTokens
            usage.source?.unbounded = input.allowsUnbounded ? sized.unbounded : []
            size = .counts(usage)
        }
        return CallRequest(
            subject: call.subject(project: project), model: call.model, size: size,
            occurredAt: call.occurredAt)
    }
}

extension APIError {
    /// - Parameter place: `request.tools[0]`.
    static func unbounded(_ place: String) -> APIError {
        APIError(
            422, .invalidRequest, "unbounded_request",
            "What \(place) may cost cannot be bounded before the call: it names a tool, a content "
                + "or a service of the provider's without a known price or limit. Limit it "
                + "(max_uses, max_tool_calls), leave it out, or send allow_unbounded.",
            param: place)
    }
}
