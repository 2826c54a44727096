// What a provider's request amounts to before it is sent, from its body alone.
//
// A body is one JSON object in the provider's own form (the dialect). It is read once, strictly:
// what two readers might understand differently (duplicate members, lone surrogates …) is refused.
// Members that are not known are the provider's business and are passed over; members that are
// needed and have the wrong type are an error that names them.
//
//   expected   what the provider will probably count
//   max        what it cannot count more than, as far as the request itself decides that
//   rule       what the request does not decide (earlier turns, results of the provider's tools,
//              documents) is bounded by the model's largest prompt: `fullContexts`
//   unbounded  what is billable and has no bound: a field path each. Whoever holds money refuses it
//
// Nothing of the text leaves: sizes, names and field paths only.

package import Billing
package import CanonicalJSON

/// How a request's body is written.
package enum RequestDialect: String, Sendable, Hashable, CaseIterable {
    case openAIChat = "openai.chat"
    case openAIResponses = "openai.responses"
    case openAIEmbeddings = "openai.embeddings"
    case anthropicMessages = "anthropic.messages"
}

/// What a provider's request amounts to before it is sent. Sizes and names only, never text.
package struct SizedRequest: Sendable, Hashable {
    package var dialect: RequestDialect
    package var model: String
    /// What the engine is given: counts of the expected and of the largest prompt, output cap, tier
    /// and the source, whose hash the edge adds. `expectedOutputTokens` is nil: the edge fills it
    /// from what such calls have put out so far, and before there are any from `priorOutputTokens`.
    package var usage: UsageEstimate
    package var isStreaming = false
    /// `stream_options.include_usage` is true.
    package var asksForUsageInStream = false
    /// The output cap that the body itself sets, per completion; nil: none.
    package var statedOutputCap: Int64?
    /// What the body sets aside for thinking; part of the cap.
    package var thinkingTokens: Int64?
    /// The answer is to be fetched later, by other requests.
    package var isBackground = false
    /// Where the body names an end user.
    package var user: String?
    package var safetyIdentifier: String?
    package var metadataUserID: String?
    /// Calls for what the sizer cannot bound (an unknown server tool …), each as a field path.
    package var unbounded: [String] = []

    package init(dialect: RequestDialect, model: String, usage: UsageEstimate) {
        self.dialect = dialect
        self.model = model
        self.usage = usage
    }
}

package struct SizingError: Error, Sendable, Hashable {
    /// `messages[2].content[0].image_url`; nil: the body as a whole.
    package var param: String?
    package var message: String

    package init(param: String?, message: String) {
        self.param = param
        self.message = message
    }
}

package enum RequestSizing {
    /// What a body may be. Strings of any length are allowed (an image is one); the depth is that
    /// of a deep JSON schema; the values are those of eight megabytes of token ids.
    package static let limits = JSONLimits(
        maxBytes: 64 << 20, maxDepth: 64, maxNodes: 1_500_000, maxStringBytes: .max)

    /// The same for one dialect: only embeddings have token ids, each a value, and values take many
    /// times the memory that their bytes do.
    static func limits(of dialect: RequestDialect) -> JSONLimits {
        var limits = limits
        if dialect != .openAIEmbeddings { limits.maxNodes = 300_000 }
        return limits
    }

    /// - Parameters:
    ///   - model: takes the place of the body's own.
    ///   - allowed: members that pass although their cost is not known, or not bounded.
    ///   - known: the name by which the model's tokenizer and rules are known, of the one it is
    ///     called by.
    package static func size(
        _ body: [UInt8], dialect: RequestDialect, model: String? = nil,
        allowed: Set<String> = [], known: (String) -> String = { $0 }
    ) throws(SizingError) -> SizedRequest {
        let value: JSONValue
        do throws(JSONError) {
            value = try StrictJSON.parse(body, limits: limits(of: dialect))
        } catch {
            throw SizingError(
                param: error.path.isEmpty ? nil : error.path, message: error.description)
        }
        return try size(
            value, requestBytes: body.count, dialect: dialect, model: model, allowed: allowed,
            known: known)
    }

    /// Of a body that was read already, within another one.
    package static func size(
        _ body: JSONValue, requestBytes: Int, dialect: RequestDialect, model: String? = nil,
        allowed: Set<String> = [], known: (String) -> String = { $0 }
    ) throws(SizingError) -> SizedRequest {
        guard case .object(let object) = body else {
            throw SizingError(
                param: nil, message: "the request must be an object, not \(body.kind)")
        }
        let name = try self.model(of: object, model)
        var sizer = Sizer(model: known(name))
        sizer.allowedMembers = allowed
        sizer.checkMembers(of: object, dialect)
        switch dialect {
        case .openAIChat: try sizer.readChat(object)
        case .openAIResponses: try sizer.readResponses(object)
        case .openAIEmbeddings: try sizer.readEmbeddings(object)
        case .anthropicMessages: try sizer.readMessages(object)
        }
        var sized = sizer.finish(dialect: dialect, requestBytes: requestBytes)
        sized.model = name
        return sized
    }

    /// A name of 1 to 256 bytes without control characters, as a ledger can keep it.
    private static func model(
        of body: JSONObject, _ override: String?
    ) throws(SizingError) -> String {
        if let override { return override }
        switch body["model"] {
        case .string(let name)?:
            guard (1...256).contains(name.utf8.count),
                name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
            else {
                throw SizingError(
                    param: "model",
                    message: "model must have 1 to 256 bytes and no control characters")
            }
            return name
        case nil, .null?: throw SizingError(param: "model", message: "model is required")
        case let other?:
            throw SizingError(
                param: "model", message: "model must be a string, not \(other.kind)")
        }
    }
}
