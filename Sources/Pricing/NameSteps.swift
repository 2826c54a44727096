// Model names that may stand for an entry under another name, one step at a time:
//
//   provider prefix    openai/gpt-4o → gpt-4o        models/gemini-2.5-pro → gemini/gemini-2.5-pro
//                      grok-4 → xai/grok-4
//   fine-tuned model   ft:gpt-4o-2024-08-06:org::id → ft:gpt-4o-2024-08-06
//   dated name         …-2026-04-23  …-20260423  …@20260423  …-0423  …-latest  …@default → …
//   Bedrock region     us.anthropic.claude-… → anthropic.claude-…
//   variant            …:0  …:free  …:latest → …
//
// A step proposes; whether the new name is an entry decides. A prefix names who serves the model,
// and the same model costs differently elsewhere: the entry found must be that provider's (or its
// model owner's, for Azure). The prefixes added are those of a model family's own maker.

import Billing

/// A name to try, and whose entry it may be.
struct NameStep {
    var name: String
    /// Beginnings of acceptable `provider` values; empty: any.
    var providers: [String]
}

enum NameSteps {
    /// All names one step away, in the order they should be tried.
    static func from(_ step: NameStep) -> [NameStep] {
        let name = step.name
        var steps: [NameStep] = []
        addPrefixSteps(name, to: &steps)
        var others: [String] = []
        if let base = withoutFineTuneId(name) { others.append(base) }
        others += withoutDate(name)
        steps += others.map { NameStep(name: $0, providers: step.providers) }
        if let base = withoutRegion(name) {
            steps.append(NameStep(name: base, providers: ["bedrock"]))
        }
        if let base = withoutVariant(name) {
            steps.append(NameStep(name: base, providers: step.providers))
        }
        return steps
    }

    private struct Prefix {
        var given: String
        var replacements: [String]
        var providers: [String]
    }

    private static let prefixes: [Prefix] = [
        Prefix(given: "openai/", replacements: [""], providers: ["openai"]),
        Prefix(given: "azure/", replacements: [""], providers: ["azure", "openai"]),
        Prefix(given: "anthropic/", replacements: [""], providers: ["anthropic"]),
        Prefix(
            given: "models/", replacements: ["gemini/", ""], providers: ["gemini", "vertex_ai"]),
        Prefix(
            given: "google/", replacements: ["gemini/", ""], providers: ["gemini", "vertex_ai"]),
        Prefix(given: "gemini/", replacements: [""], providers: ["gemini", "vertex_ai"]),
        Prefix(given: "vertex_ai/", replacements: [""], providers: ["vertex_ai"]),
        Prefix(given: "bedrock/", replacements: [""], providers: ["bedrock"]),
        Prefix(given: "bedrock_converse/", replacements: [""], providers: ["bedrock"]),
        Prefix(given: "mistralai/", replacements: ["mistral/"], providers: ["mistral"]),
        Prefix(given: "x-ai/", replacements: ["xai/"], providers: ["xai"]),
        Prefix(given: "moonshotai/", replacements: ["moonshot/"], providers: ["moonshot"]),
        Prefix(given: "z-ai/", replacements: ["zai/"], providers: ["zai"]),
        Prefix(given: "qwen/", replacements: ["dashscope/"], providers: ["dashscope"]),
        Prefix(given: "deepseek/", replacements: [""], providers: ["deepseek"]),
        Prefix(given: "cohere/", replacements: [""], providers: ["cohere"]),
        Prefix(given: "fireworks/", replacements: ["fireworks_ai/"], providers: ["fireworks_ai"]),
        Prefix(given: "together/", replacements: ["together_ai/"], providers: ["together_ai"]),
    ]

    /// Beginnings of a model family's names, and the prefix of its maker in the book.
    private static let families: [(stem: String, prefix: String, provider: String)] = [
        ("gemini", "gemini/", "gemini"), ("gemma", "gemini/", "gemini"),
        ("grok", "xai/", "xai"),
        ("mistral", "mistral/", "mistral"), ("ministral", "mistral/", "mistral"),
        ("magistral", "mistral/", "mistral"), ("codestral", "mistral/", "mistral"),
        ("devstral", "mistral/", "mistral"), ("pixtral", "mistral/", "mistral"),
        ("voxtral", "mistral/", "mistral"),
        ("deepseek", "deepseek/", "deepseek"),
        ("kimi", "moonshot/", "moonshot"), ("moonshot", "moonshot/", "moonshot"),
        ("glm", "zai/", "zai"),
        ("qwen", "dashscope/", "dashscope"), ("qwq", "dashscope/", "dashscope"),
        ("sonar", "perplexity/", "perplexity"),
    ]

    private static func addPrefixSteps(_ name: String, to steps: inout [NameStep]) {
        for prefix in prefixes where name.hasPrefix(prefix.given) {
            let rest = name.dropFirst(prefix.given.count)
            if rest.isEmpty { return }
            for replacement in prefix.replacements {
                steps.append(
                    NameStep(name: replacement + rest, providers: prefix.providers))
            }
            return
        }
        if name.contains("/") { return }
        for family in families where name.hasPrefix(family.stem) {
            steps.append(NameStep(name: family.prefix + name, providers: [family.provider]))
            return
        }
    }

    private static func withoutFineTuneId(_ name: String) -> String? {
        guard name.hasPrefix("ft:") else { return nil }
        guard let colon = name.dropFirst(3).firstIndex(of: ":") else { return nil }
        let base = name[..<colon]
        return base.utf8.count > 3 ? String(base) : nil
    }

    private static func withoutDate(_ name: String) -> [String] {
        for word in ["-latest", "@latest", "@default"] where name.hasSuffix(word) {
            return [String(name.dropLast(word.count))]
        }
        let bytes = Array(name.utf8)
        for form in DateSuffix.allCases where form.ends(bytes) {
            return [String(decoding: bytes.dropLast(form.length), as: UTF8.self)]
        }
        return []
    }

    private static func withoutRegion(_ name: String) -> String? {
        guard let dot = name.firstIndex(of: ".") else { return nil }
        let regions = ["us", "eu", "apac", "global", "au", "jp", "ca", "us-gov"]
        let rest = name[name.index(after: dot)...]
        // What follows names the maker too: `us.anthropic.claude-…`.
        guard regions.contains(String(name[..<dot])), rest.contains(".") else { return nil }
        return String(rest)
    }

    private static func withoutVariant(_ name: String) -> String? {
        guard !name.hasPrefix("ft:"), let colon = name.lastIndex(of: ":"), colon != name.startIndex
        else { return nil }
        let variant = name[name.index(after: colon)...]
        let isVersion = !variant.isEmpty && variant.utf8.allSatisfy { (0x30...0x39).contains($0) }
        guard isVersion || variant == "free" || variant == "latest" else { return nil }
        return String(name[..<colon])
    }
}

/// How a name may end in a date.
private enum DateSuffix: CaseIterable {
    /// -2026-04-23
    case dashed
    /// -20260423 or @20260423
    case compact
    /// -0423
    case monthDay

    var length: Int {
        switch self {
        case .dashed: 11
        case .compact: 9
        case .monthDay: 5
        }
    }

    func ends(_ name: [UInt8]) -> Bool {
        guard name.count > length else { return false }
        let suffix = Array(name.suffix(length))
        let dash = UInt8(ascii: "-")
        let isSeparated = suffix[0] == dash || (self == .compact && suffix[0] == UInt8(ascii: "@"))
        guard isSeparated else { return false }
        switch self {
        case .dashed:
            return suffix[5] == dash && suffix[8] == dash && isYear(suffix[1..<5])
                && isMonthDay(suffix[6..<8], suffix[9..<11])
        case .compact:
            return isYear(suffix[1..<5]) && isMonthDay(suffix[5..<7], suffix[7..<9])
        case .monthDay:
            return isMonthDay(suffix[1..<3], suffix[3..<5])
        }
    }

    private func isYear(_ digits: ArraySlice<UInt8>) -> Bool {
        number(digits).map { (2015...2099).contains($0) } ?? false
    }

    private func isMonthDay(_ month: ArraySlice<UInt8>, _ day: ArraySlice<UInt8>) -> Bool {
        guard let month = number(month), let day = number(day) else { return false }
        return (1...12).contains(month) && (1...31).contains(day)
    }

    private func number(_ digits: ArraySlice<UInt8>) -> Int? {
        var value = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            value = value * 10 + Int(digit - 0x30)
        }
        return value
    }
}
