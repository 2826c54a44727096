import Billing

extension SizedRequest {
    /// The output to expect, per completion, before anything is known of such calls.
    ///
    /// A chat answers with some hundred tokens, an agent's step with a tool call or a file; holding
    /// the model's whole maximum for each locks customers out with money left, holding what is
    /// usual for a chat lets agents through that will go over. 4,096 is the figure that others
    /// came to hold for real traffic (Bike4Mind/bike4mind#1929), and far below the 32,000 to
    /// 128,000 of today's maxima. What a request sets aside for thinking is on top: it was asked
    /// for. Embeddings put nothing out. It never is above the cap: the quote sees to that.
    package var priorOutputTokens: Int64 {
        switch dialect {
        case .openAIEmbeddings: 0
        case .openAIChat, .openAIResponses, .anthropicMessages:
            min(4_096 + (thinkingTokens ?? 0), usage.maxOutputTokens ?? .max)
        }
    }
}
