/// A published set of tokens with its pattern.
package enum TokenEncoding: String, Sendable, Hashable, CaseIterable {
    case cl100kBase = "cl100k_base"
    case o200kBase = "o200k_base"
}

/// Byte-pair encoding, exactly as OpenAI's tiktoken does it (`encode_ordinary`).
///
/// Special tokens have no meaning here: `<|endoftext|>` in a text is ordinary text, as it is for
/// the provider when it comes from a user.
package struct Tokenizer: Sendable {
    package let encoding: TokenEncoding
    private let table: RankTable

    /// Loaded at first use, kept for the life of the process.
    package static func named(_ encoding: TokenEncoding) -> Tokenizer {
        switch encoding {
        case .cl100kBase: Tokenizer(encoding: encoding, table: .cl100k)
        case .o200kBase: Tokenizer(encoding: encoding, table: .o200k)
        }
    }

    /// How many tokens there are, special ones apart: ids are less.
    package var tokenCount: Int { table.count }

    /// Bytes that are no UTF-8 count as the U+FFFD that take their place when they are decoded, one
    /// for each maximal subpart.
    package func count(_ utf8: UnsafeBufferPointer<UInt8>) -> Int {
        if let repaired = UTF8Repair.repaired(utf8) {
            return repaired.withUnsafeBufferPointer { count(wellFormed: $0) }
        }
        return count(wellFormed: utf8)
    }

    package func count(_ text: String) -> Int {
        var text = text
        return text.withUTF8 { count(wellFormed: $0) }
    }

    package func encode(_ text: String) -> [Int32] {
        var text = text
        return text.withUTF8 { encode(wellFormed: $0) }
    }

    /// Bytes that are no UTF-8 are taken as `count` takes them.
    package func encode(_ utf8: UnsafeBufferPointer<UInt8>) -> [Int32] {
        if let repaired = UTF8Repair.repaired(utf8) {
            return repaired.withUnsafeBufferPointer { encode(wellFormed: $0) }
        }
        return encode(wellFormed: utf8)
    }

    /// The bytes that the tokens stand for, which need not be UTF-8; nil: one of them is no token,
    /// or a special one.
    package func decode(_ ids: [Int32]) -> [UInt8]? {
        var bytes: [UInt8] = []
        for id in ids {
            guard let token = table.token(Int(id)) else { return nil }
            bytes.append(contentsOf: token)
        }
        return bytes
    }

    private func count(wellFormed utf8: UnsafeBufferPointer<UInt8>) -> Int {
        var walk = TokenWalk(table: table, encoding: encoding, collects: false)
        walk.run(utf8)
        return walk.count
    }

    private func encode(wellFormed utf8: UnsafeBufferPointer<UInt8>) -> [Int32] {
        var walk = TokenWalk(table: table, encoding: encoding, collects: true)
        walk.run(utf8)
        return walk.ids
    }
}
