import Testing

@testable import Tokenizers

@Suite struct AgreementTests {
    // The ids are those of OpenAI's tiktoken, also for bytes that are no UTF-8.
    @Test(arguments: TokenEncoding.allCases)
    func goldenIDs(encoding: TokenEncoding) throws {
        let tokenizer = Tokenizer.named(encoding)
        let texts = try GoldenText.all()
        #expect(texts.count > 900)
        for text in texts {
            let ids = try #require(text.ids[encoding])
            #expect(tokenizer.encode(text.bytes) == ids, "\(text.bytes)")
            #expect(tokenizer.count(text.bytes) == ids.count)
        }
    }

    // A text and its bytes are one thing.
    @Test(arguments: TokenEncoding.allCases)
    func textAsBytes(encoding: TokenEncoding) throws {
        let tokenizer = Tokenizer.named(encoding)
        for golden in try GoldenText.all().prefix(200) {
            let text = String(decoding: golden.bytes, as: UTF8.self)
            #expect(tokenizer.encode(text) == tokenizer.encode(golden.bytes))
            #expect(tokenizer.count(text) == tokenizer.count(golden.bytes))
        }
    }

    // What is encoded decodes to the same bytes, and the count is that of the ids: every code
    // point.
    @Test(arguments: TokenEncoding.allCases)
    func everyCodePoint(encoding: TokenEncoding) {
        let tokenizer = Tokenizer.named(encoding)
        // A letter between them, or a run of letters would be one long word.
        for start in stride(from: UInt32(0), to: 0x110000, by: 512) {
            var text = ""
            for scalar in start..<start + 512 {
                guard let scalar = Unicode.Scalar(scalar) else { continue }
                text.unicodeScalars.append(scalar)
                text += scalar.value % 3 == 0 ? "a" : scalar.value % 3 == 1 ? "B " : "1"
            }
            let ids = tokenizer.encode(text)
            #expect(tokenizer.decode(ids) == Array(text.utf8), "from \(start) on")
            // Counting takes the same way through the text: a quarter of it will do.
            if start % 2048 == 0 { #expect(tokenizer.count(text) == ids.count, "from \(start) on") }
        }
    }

    // Special tokens are ordinary text, and their ids are none.
    @Test func specialTokens() {
        let tokenizer = Tokenizer.named(.cl100kBase)
        #expect(tokenizer.encode("<|endoftext|>") == [27, 91, 8862, 728, 428, 91, 29])
        #expect(tokenizer.decode([100_257]) == nil)
        #expect(tokenizer.decode([-1]) == nil)
        #expect(tokenizer.decode([0, Int32.max]) == nil)
        #expect(tokenizer.decode([]) == [])
    }

    // Nothing is no token.
    @Test(arguments: TokenEncoding.allCases)
    func emptyText(encoding: TokenEncoding) {
        let tokenizer = Tokenizer.named(encoding)
        #expect(tokenizer.count("") == 0)
        #expect(tokenizer.encode("") == [])
        #expect(tokenizer.count(UnsafeBufferPointer<UInt8>(start: nil, count: 0)) == 0)
    }
}
