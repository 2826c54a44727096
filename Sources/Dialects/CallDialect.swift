// Whose wire format a call speaks.
//
// A family is what a client library speaks (its errors, its headers); a dialect is one endpoint's
// form of request, answer and stream. The raw values are the names that requests are sized under.

/// The two client libraries that can be pointed here.
package enum ProviderFamily: String, Sendable, Hashable, CaseIterable {
    case openAI = "openai"
    case anthropic
}

/// An endpoint whose answers are metered.
package enum CallDialect: String, Sendable, Hashable, CaseIterable {
    case openAIChat = "openai.chat"
    case openAIResponses = "openai.responses"
    case openAIEmbeddings = "openai.embeddings"
    case anthropicMessages = "anthropic.messages"

    package var family: ProviderFamily {
        switch self {
        case .openAIChat, .openAIResponses, .openAIEmbeddings: .openAI
        case .anthropicMessages: .anthropic
        }
    }
}

/// How an upstream's input count relates to its cache counts. A property of the upstream that its
/// operator states; it is never guessed from figures, because both readings are plausible ones.
package enum UsageConvention: String, Sendable, Hashable, CaseIterable {
    /// The dialect's own: OpenAI's input includes what came from the cache, Anthropic's does not.
    case dialect
    /// Input includes cache reads and writes (Kimi's and Qwen's Anthropic routes).
    case inclusive = "cache_inclusive"
    /// Input excludes cache reads and writes (an OpenAI route in front of Anthropic that does not
    /// convert).
    case exclusive = "cache_exclusive"
}
