import Testing

@testable import Tokenizers

/// A text, as each of the two patterns cuts it (made with the patterns as they are published).
struct Case: Sendable {
    var o200k: [String]
    var cl100k: [String]

    init(_ o200k: [String], _ cl100k: [String]) {
        self.o200k = o200k
        self.cl100k = cl100k
    }

    static let all = [
        Case(
            ["I'LL", " don't", " can'ſ", " x'VE", "ry"],
            ["I", "'LL", " don", "'t", " can", "'ſ", " x", "'VE", "ry"]),
        Case(["中", "A"], ["中A"]),
        Case(["中", "AB's", "é"], ["中AB", "'s", "é"]),
        Case(["é", "COLE", " Ecole"], ["éCOLE", " Ecole"]),
        Case(["A\u{301}", "B"], ["A", "\u{301}B"]),
        Case(["\u{301}", "AB"], ["\u{301}AB"]),
        Case(["\u{301}"], ["\u{301}"]),
        Case(["!\u{301}a"], ["!\u{301}", "a"]),
        Case(["HTTPServer", " i", "Phone"], ["HTTPServer", " iPhone"]),
        Case(["123", "456", " ", "1½"], ["123", "456", " ", "1½"]),
        Case(["a", " ", " b", "  ", " c"], ["a", " ", " b", "  ", " c"]),
        Case(["x", " \n\n", " y"], ["x", " \n\n", " y"]),
        Case(["x", "  "], ["x", "  "]),
        Case(["  \n", "  "], ["  \n  "]),
        Case(["\r\n\r\n", " a"], ["\r\n\r\n", " a"]),
        Case(["\t", "\tword"], ["\t", "\tword"]),
        Case(["!!/\n/", "a"], ["!!/\n", "/a"]),
        Case(["a", "//\r\n/", "b"], ["a", "//\r\n", "/b"]),
        Case([" ", "\u{A0}x"], [" ", "\u{A0}x"]),
        Case([" ", "1"], [" ", "1"]),
        Case(["''", "s"], ["''", "s"]),
        Case(["'sx"], ["'s", "x"]),
        Case(["ǅungla"], ["ǅungla"]),
        Case(["ʰ", "A"], ["ʰA"]),
        Case(["ABC中d"], ["ABC中d"]),
    ]
}

@Suite struct PieceScannerTests {
    // Contractions in any case, marks as prefix or word, what an upper run gives back, blanks
    // before words and line ends: as the published patterns cut.
    @Test(arguments: Case.all)
    func pieces(of text: Case) {
        #expect(Self.pieces(text.o200k.joined(), .o200kBase) == text.o200k)
        #expect(Self.pieces(text.cl100k.joined(), .cl100kBase) == text.cl100k)
    }

    private static func pieces(_ text: String, _ encoding: TokenEncoding) -> [String] {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBufferPointer { buffer in
            let scanner = PieceScanner(text: buffer.baseAddress!, end: buffer.count)
            var pieces: [String] = []
            var start = 0
            while start < buffer.count {
                let end = scanner.pieceEnd(start, encoding)
                pieces.append(String(decoding: bytes[start..<end], as: UTF8.self))
                start = end
            }
            return pieces
        }
    }

    // Pieces cover the text, none is empty, and none ends inside a character.
    @Test(arguments: TokenEncoding.allCases)
    func piecesCoverTheText(encoding: TokenEncoding) {
        var random = SplitMix64(seed: 14)
        for _ in 0..<200 {
            var text = ""
            for _ in 0..<40 {
                let scalar = UInt32.random(in: 0..<0x3000, using: &random)
                text.unicodeScalars.append(Unicode.Scalar(scalar) ?? " ")
            }
            let pieces = Self.pieces(text, encoding)
            #expect(pieces.allSatisfy { !$0.isEmpty })
            #expect(Array(pieces.joined().utf8) == Array(text.utf8))
        }
    }

    // Unicode 16, whatever the Swift runtime knows: a letter that came with it is one, a letter of
    // Unicode 17 is none yet.
    @Test func versionOfUnicode() {
        let classes = CharacterClasses.shared
        #expect(classes.of(0x1C89) == .upper)
        #expect(classes.of(0x323B0) == [])
        #expect(classes.of(0x41) == .upper)
        #expect(classes.of(0x0A) == [.space, .newline])
        #expect(classes.of(0x10FFFF) == [])
        #expect(classes.of(0x4E2D) == .caseless)
        #expect(classes.of(0x01C5) == .upper)
        #expect(classes.of(0x0301) == .mark)
        #expect(classes.of(0x00BD) == .number)
    }
}
