// Counts the tokens of output as it passes, piece by piece: what a call is settled by when its
// usage never comes. Providers send about a token a piece, so that pieces are hardly ever cut where
// the tokenizer would not cut.

import Tokenizers

struct OutputCounter: Sendable {
    private let family: TokenizerFamily
    private let tokenizer: Tokenizer
    private var counted = 0

    init(model: String) {
        family = TokenizerFamily(model: model)
        tokenizer = Tokenizer.named(family.encoding)
    }

    mutating func add(_ text: UnsafeRawBufferPointer) {
        text.withMemoryRebound(to: UInt8.self) { counted += tokenizer.count($0) }
    }

    /// The factor of a family whose own tokenizer is not here is taken of the sum: of each piece it
    /// would be rounded up.
    var tokens: Int64 { (Int64(counted) * Int64(family.perMille) + 999) / 1_000 }
}
