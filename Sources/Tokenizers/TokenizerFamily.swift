// Which rule counts which model.
//
// OpenAI's models are counted exactly. For others no tokenizer is public, or it is not here: they
// are counted with o200k_base, and the count is multiplied by what the same texts come to with the
// real one. Factors in parts per thousand; "measured" is by Tests/Benchmarks/token_factors.py, on
// prose, code and JSON (sentences in many languages take a third to twice more).
//
//   Claude before Opus 4.7   1180  calibrated by sammcj/ingest#65
//   Claude from 4.7 on       1530  the same; the provider says 1.0 to 1.35 times more than before,
//                                  users measured up to 1.47 (anthropics/claude-code#51810)
//   Gemini                   1100  "about 4 characters a token" (ai.google.dev/gemini-api/docs);
//                                  o200k_base has 3.9 in prose, 4.1 in code. A tenth more,
//                                  because Gemini takes digits one by one
//   DeepSeek                 1100  measured: 1.01 to 1.07
//   Qwen                     1150  measured: 1.03 to 1.20
//   Mistral since Nemo       1150  measured: 1.05 to 1.22
//   Mistral 7B, Llama 2      1300  measured: 1.15 to 1.34 (a vocabulary of 32 thousand)
//   other open models        1100  vocabularies of 100 thousand and more, not measured
//   anything else            1200  not known
//
// The bound is one token for each byte: byte-pair encoding begins with single bytes and only joins
// them, and SentencePiece falls back to bytes, with one piece more for the space that it puts
// before a text. A tokenizer that first rewrites characters to longer ones (U+FDFA to 18 letters,
// by NFKC) could go beyond; no provider named here is known to do so.

package struct TokenizerFamily: Sendable, Hashable {
    /// As it stands in events: `o200k_base`, or with a factor, `o200k_base*1.18`.
    package let name: String
    package let encoding: TokenEncoding
    /// What a count is multiplied by, in parts per thousand.
    package let perMille: Int
    /// How many tokens a text may have beyond one for each byte.
    private let boundExtra: Int

    /// The count is what the provider will charge for the text.
    package var isExact: Bool { perMille == 1000 }

    /// - Parameter model: as a request names it, with the prefixes of routers and clouds.
    package init(model: String) {
        self.init(ModelName(model))
    }

    package init(_ model: ModelName) {
        if let encoding = Self.openAI(model) {
            self.init(exact: encoding)
        } else if model.contains("claude") || model.begins(with: "anthropic") {
            // Without a version it is the newest, which is the dearer.
            let isOld = model.version != nil && !model.isAtLeast(4, 7)
            self.init(perMille: isOld ? 1180 : 1530)
        } else if model.begins(with: "gemini", "gemma", "learnlm") {
            self.init(perMille: 1100, boundExtra: 1)
        } else if Self.hasSmallVocabulary(model) {
            self.init(perMille: 1300, boundExtra: 1)
        } else if model.contains("mistral", "ministral", "codestral", "pixtral", "magistral")
            || model.contains("devstral", "qwen", "qwq")
        {
            self.init(perMille: 1150)
        } else if model.contains(
            "llama", "deepseek", "grok", "kimi", "glm", "nova", "command", "phi", "minimax",
            "hermes", "nemotron")
        {
            self.init(perMille: 1100, boundExtra: 1)
        } else {
            self.init(perMille: 1200, boundExtra: 1)
        }
    }

    private init(exact encoding: TokenEncoding) {
        self.name = encoding.rawValue
        self.encoding = encoding
        self.perMille = 1000
        self.boundExtra = 0
    }

    private init(perMille: Int, boundExtra: Int = 0) {
        let hundredths = perMille / 10 % 100
        self.name =
            "\(TokenEncoding.o200kBase.rawValue)*\(perMille / 1000)."
            + (hundredths < 10 ? "0" : "") + "\(hundredths)"
        self.encoding = .o200kBase
        self.perMille = perMille
        self.boundExtra = boundExtra
    }

    /// tiktoken's own list (`tiktoken/model.py`), and what came after it. Nil: not OpenAI's, or of
    /// a time before `cl100k_base`.
    private static func openAI(_ model: ModelName) -> TokenEncoding? {
        if model.begins(with: "gpt-4o", "gpt-4.1", "gpt-4.5", "chatgpt-", "gpt-oss", "codex-") {
            return .o200kBase
        }
        if model.begins(with: "gpt-audio", "gpt-realtime", "gpt-image", "computer-use-preview") {
            return .o200kBase
        }
        if model.begins(
            with: "gpt-4", "gpt-3.5", "gpt-35", "text-embedding-3", "text-embedding-ada",
            "davinci-002", "babbage-002")
        {
            return .cl100kBase
        }
        if model.begins(with: "gpt-"), model.isAtLeast(5, 0) { return .o200kBase }
        let letters = Array(model.base.utf8.prefix(3))
        let isReasoning =
            letters.count >= 2 && letters[0] == UInt8(ascii: "o") && (49...57).contains(letters[1])
            && (letters.count == 2 || letters[2] == UInt8(ascii: "-")
                || letters[2] == UInt8(ascii: "."))
        return isReasoning ? .o200kBase : nil
    }

    private static func hasSmallVocabulary(_ model: ModelName) -> Bool {
        model.begins(
            with: "llama-2", "llama2", "codellama", "mistral-7b", "mistral-small-2402",
            "mistral-medium-2312", "mistral-large-2402", "mixtral", "open-mistral-7b",
            "open-mixtral")
    }

    /// What the provider will probably count.
    package func expected(_ utf8: UnsafeBufferPointer<UInt8>) -> Int { count(utf8).expected }

    /// What the provider cannot count more than.
    package func bound(_ utf8: UnsafeBufferPointer<UInt8>) -> Int {
        isExact ? count(utf8).bound : byteBound(UTF8Repair.repairedLength(utf8))
    }

    /// Both, in one pass.
    package func count(_ utf8: UnsafeBufferPointer<UInt8>) -> (expected: Int, bound: Int) {
        let count = Tokenizer.named(encoding).count(utf8)
        if isExact { return (count, count) }
        let bound = byteBound(UTF8Repair.repairedLength(utf8))
        // A factor that is too large for a text of rare characters is no reason to expect more than
        // is possible.
        return (min((count * perMille + 999) / 1000, bound), bound)
    }

    package func expected(_ text: String) -> Int { count(text).expected }

    package func bound(_ text: String) -> Int { count(text).bound }

    package func count(_ text: String) -> (expected: Int, bound: Int) {
        var text = text
        return text.withUTF8 { count($0) }
    }

    private func byteBound(_ bytes: Int) -> Int { bytes == 0 ? 0 : bytes + boundExtra }
}
