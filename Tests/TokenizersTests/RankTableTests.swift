import Crypto
import Foundation
import Testing

@testable import Tokenizers

@Suite struct RankTableTests {
    // The tables are what OpenAI publishes: written out in that form, they have the published
    // SHA-256.
    @Test(arguments: [
        (
            TokenEncoding.o200kBase, 199_998,
            "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
        ),
        (
            TokenEncoding.cl100kBase, 100_256,
            "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"
        ),
    ])
    func asPublished(encoding: TokenEncoding, count: Int, digest: String) throws {
        let tokenizer = Tokenizer.named(encoding)
        #expect(tokenizer.tokenCount == count)
        var hash = SHA256()
        for rank in 0..<Int32(count) {
            let token = try #require(tokenizer.decode([rank]))
            let line = "\(Data(token).base64EncodedString()) \(rank)\n"
            hash.update(data: Data(line.utf8))
        }
        #expect(hash.finalize().map { String(format: "%02x", $0) }.joined() == digest)
    }

    // Every token is found by its bytes, also at the very end of what may be read.
    @Test(arguments: TokenEncoding.allCases)
    func everyTokenIsFound(encoding: TokenEncoding) throws {
        let table = encoding == .o200kBase ? RankTable.o200k : RankTable.cl100k
        for rank in 0..<table.count {
            let token = try #require(table.token(rank))
            let found = table.rank(token.baseAddress!, token.count, readable: token.count)
            #expect(found == UInt32(rank))
            if token.count > 1 {
                let last = table.token(Int(table.rank(ofByte: token[token.count - 1])))
                #expect(last?.count == 1)
            }
        }
    }

    // What differs from a token in one byte is another token, or none; never the same one.
    @Test func changedTokensAreOthers() throws {
        let table = RankTable.o200k
        var random = SplitMix64(seed: 13)
        for _ in 0..<20_000 {
            let rank = Int.random(in: 0..<table.count, using: &random)
            var bytes = Array(try #require(table.token(rank)))
            let place = Int.random(in: 0..<bytes.count, using: &random)
            bytes[place] ^= UInt8.random(in: 1...255, using: &random)
            let found = bytes.withUnsafeBufferPointer {
                table.rank($0.baseAddress!, $0.count, readable: $0.count)
            }
            if found != RankTable.none {
                #expect(table.token(Int(found)).map(Array.init) == bytes)
            }
        }
    }

    // Bytes longer than any token are none, without a look.
    @Test func tooLong() {
        let bytes = [UInt8](repeating: 0x20, count: 129)
        let found = bytes.withUnsafeBufferPointer {
            RankTable.o200k.rank($0.baseAddress!, $0.count, readable: $0.count)
        }
        #expect(found == RankTable.none)
        #expect(RankTable.o200k.lengthMax == 128)
    }
}
