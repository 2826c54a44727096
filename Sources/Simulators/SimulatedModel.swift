// How a model counts. Any name is served; what it is like follows from the name.
//
// OpenAI's models count with the encoding that they have. Anthropic publishes no encoding: models
// of the first generation are taken to need 1.18 tokens for one of o200k_base, those from 4.7 on
// 1.53, the factors that people have measured.

import Tokenizers

struct SimulatedModel: Sendable {
    /// As asked for, without the simulator's own suffix.
    var name: String
    var family: ProviderFamily
    var encoding: TokenEncoding
    /// Tokens for a hundred of the encoding.
    var percent: Int
    var isReasoning: Bool

    init(_ name: String, _ family: ProviderFamily) {
        self.name = name
        self.family = family
        let bare = name.split(separator: "/").last.map(String.init) ?? name
        let isOld = bare.hasPrefix("gpt-3.5") || bare == "gpt-4" || bare.hasPrefix("gpt-4-")
        encoding = isOld || bare.hasPrefix("text-embedding") ? .cl100kBase : .o200kBase
        percent = bare.hasPrefix("claude") ? Self.claudePercent(bare) : 100
        isReasoning = ["o1", "o3", "o4", "gpt-5", "gpt-6"].contains { bare.hasPrefix($0) }
    }

    /// By the version in the name: claude-opus-4-7, claude-opus-5, claude-3-5-sonnet-20241022.
    private static func claudePercent(_ name: String) -> Int {
        let numbers = name.split(separator: "-").compactMap { Int($0) }.filter { $0 < 100 }
        guard let major = numbers.first else { return 118 }
        let minor = numbers.count > 1 ? numbers[1] : 0
        return (major, minor) >= (4, 7) ? 153 : 118
    }

    func tokens(_ text: String) -> Int { scaled(Tokenizer.named(encoding).count(text)) }

    /// Tokens of this model for tokens of the encoding, rounded up.
    func scaled(_ tokens: Int) -> Int { (tokens * percent + 99) / 100 }

    /// What answers name: the dated form where one is known.
    var servedName: String { Self.dated[name] ?? name }

    static let dated = [
        "gpt-4o": "gpt-4o-2024-08-06", "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
        "gpt-4.1": "gpt-4.1-2025-04-14", "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
        "gpt-5": "gpt-5-2025-08-07", "gpt-5-mini": "gpt-5-mini-2025-08-07",
        "o3": "o3-2025-04-16", "claude-sonnet-4-5": "claude-sonnet-4-5-20250929",
        "claude-haiku-4-5": "claude-haiku-4-5-20251001",
    ]

    static let listed: [ProviderFamily: [String]] = [
        .openAI: [
            "gpt-4.1", "gpt-4.1-mini", "gpt-4o", "gpt-4o-mini", "gpt-5", "gpt-5-mini", "o3",
            "text-embedding-3-large", "text-embedding-3-small",
        ],
        .anthropic: ["claude-haiku-4-5", "claude-opus-4-8", "claude-sonnet-4-5"],
    ]
}
