// Anthropic's prompt cache: prefixes that callers marked, found again by a later call with the same
// blocks. What is read costs less and what is written more, so the two are counted apart.
//
// Prefixes of fewer than 1,024 tokens are not cached. The simulator keeps prefixes for as long as
// it lives, or until it is reset.

import Synchronization
import Tokenizers

final class PromptCache: Sendable {
    enum Lifetime: Sendable { case fiveMinutes, hour }

    struct Block: Sendable {
        var text: String
        /// The prefix that ends here is to be cached.
        var lifetime: Lifetime?
        /// Tokens beyond those of the text.
        var overhead = 0
    }

    static let leastTokens = 1_024
    private static let most = 100_000

    private let prefixes = Mutex<Set<UInt64>>([])

    func clear() { prefixes.withLock { $0 = [] } }

    /// - Parameter cache: nil: nothing is cached or found.
    static func count(
        _ blocks: [Block], _ model: SimulatedModel, _ cache: PromptCache?
    ) -> InputCount {
        let tokenizer = Tokenizer.named(model.encoding)
        var tokens = 3
        var hash = Hash()
        hash.add(model.name)
        var marks: [(tokens: Int, hash: UInt64, lifetime: Lifetime)] = []
        for block in blocks {
            tokens += tokenizer.count(block.text) + block.overhead
            hash.add(block.text)
            if let lifetime = block.lifetime {
                marks.append((model.scaled(tokens), hash.value, lifetime))
            }
        }
        let total = model.scaled(tokens)
        guard let cache else { return InputCount(fresh: total) }
        return cache.count(total, marks.filter { $0.tokens >= leastTokens })
    }

    private func count(
        _ total: Int, _ marks: [(tokens: Int, hash: UInt64, lifetime: Lifetime)]
    ) -> InputCount {
        prefixes.withLock { prefixes in
            var input = InputCount()
            let found = marks.last { prefixes.contains($0.hash) }
            input.cacheRead = found?.tokens ?? 0
            var covered = input.cacheRead
            for mark in marks where mark.tokens > covered {
                switch mark.lifetime {
                case .fiveMinutes: input.cacheWrite5m += mark.tokens - covered
                case .hour: input.cacheWrite1h += mark.tokens - covered
                }
                covered = mark.tokens
            }
            if prefixes.count > Self.most { prefixes = [] }
            for mark in marks { prefixes.insert(mark.hash) }
            input.fresh = total - covered
            return input
        }
    }
}

/// FNV-1a: the same for the same text in every process.
struct Hash {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ text: String) {
        for byte in text.utf8 { add(byte) }
        // Not part of UTF-8: two texts are not one.
        add(0xFF)
    }

    mutating func add(_ byte: UInt8) {
        value ^= UInt64(byte)
        value &*= 0x0000_0100_0000_01B3
    }
}
