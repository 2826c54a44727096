/// A model's own name, without the ways in which routers and clouds dress it: the part that says
/// which family it is of.
///
/// `openai/gpt-4o`, `azure/gpt-4o`, `openrouter/openai/gpt-4o:free`,
/// `ft:gpt-4o-2024-08-06:acme::x1` and `GPT-4o` all are a `gpt-4o`;
/// `bedrock/us.anthropic.claude-opus-4-7-v1:0`, `vertex_ai/claude-opus-4-7@20260416` and
/// `arn:aws:bedrock:…:inference-profile/global.anthropic.claude-opus-4-7` all are a
/// `claude-opus-4-7`.
package struct ModelName: Sendable, Hashable {
    /// Lower case. A date or a suffix of the provider's own may still be at its end.
    package let base: String

    package init(_ name: String) {
        var base = name.lowercased()[...]
        if base.hasPrefix("ft:") { base = base.dropFirst(3) }
        if let slash = base.lastIndex(of: "/") { base = base[base.index(after: slash)...] }
        if base.hasPrefix("ft:") { base = base.dropFirst(3) }
        if let end = base.firstIndex(where: { $0 == ":" || $0 == "@" }) { base = base[..<end] }
        while let dot = base.firstIndex(of: "."), Self.dottedPrefixes.contains(base[..<dot]) {
            base = base[base.index(after: dot)...]
        }
        self.base = String(base)
    }

    /// What Bedrock puts before a name: where it may run, and who made it.
    private static let dottedPrefixes: Set<Substring> = [
        "us", "us-gov", "eu", "apac", "au", "jp", "ca", "global", "ai21", "amazon", "anthropic",
        "cohere",
        "deepseek", "google", "meta", "minimax", "mistral", "moonshot", "moonshotai", "nvidia",
        "openai",
        "qwen", "writer", "xai", "zai",
    ]

    package func begins(with prefixes: String...) -> Bool {
        prefixes.contains { base.hasPrefix($0) }
    }

    package func contains(_ words: String...) -> Bool {
        words.contains { word in
            base.utf8.indices.contains { base[$0...].hasPrefix(word) }
        }
    }

    /// The first version in the name, as `claude-opus-4-7`, `claude-3-5-sonnet-20241022`,
    /// `gpt-5.4-mini` and `gemini-2.5-pro` have it: one or two numbers of at most two digits, so
    /// that a date is none.
    package var version: (major: Int, minor: Int)? {
        let words = base.split(omittingEmptySubsequences: false) {
            $0 == "-" || $0 == "." || $0 == "_"
        }
        guard let place = words.firstIndex(where: { Self.number($0) != nil }),
            let major = Self.number(words[place])
        else { return nil }
        let next = place + 1 < words.count ? Self.number(words[place + 1]) : nil
        return (major, next ?? 0)
    }

    /// Whether a version is in the name that is at least this one.
    package func isAtLeast(_ major: Int, _ minor: Int) -> Bool {
        guard let version else { return false }
        return version.major > major || version.major == major && version.minor >= minor
    }

    private static func number(_ word: Substring) -> Int? {
        let digits = word.first == "v" ? word.dropFirst() : word
        guard (1...2).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        return Int(digits)
    }
}
