import CanonicalJSON
import Testing

@Suite struct JSONReaderTests {
    private func reading<Result>(
        _ json: String, _ strings: JSONReader.Strings = .strict,
        _ body: (inout JSONReader) throws -> Result
    ) throws -> Result {
        try Array(json.utf8).withUnsafeBytes { buffer in
            var reader = JSONReader(buffer, strings: strings)
            return try body(&reader)
        }
    }

    /// Goes through everything and writes what it met.
    private func walk(_ reader: inout JSONReader) throws(JSONError) -> String {
        switch try reader.kind() {
        case .object:
            var parts: [String] = []
            try reader.enterObject()
            while let name = try reader.nextMember() {
                parts.append(reader.string(name) + "=" + (try walk(&reader)))
            }
            return "{" + parts.joined(separator: ",") + "}"
        case .array:
            var parts: [String] = []
            try reader.enterArray()
            while try reader.nextElement() { parts.append(try walk(&reader)) }
            return "[" + parts.joined(separator: ",") + "]"
        case .string: return reader.string(try reader.readText())
        case .number:
            let (integer, range) = try reader.readNumber()
            return integer.map { String($0) }
                ?? String(decoding: reader.source(range), as: UTF8.self)
        case .bool: return try reader.readBool() ? "T" : "F"
        case .null: return try reader.readNull() ? "N" : "?"
        }
    }

    // Containers, white space and values of every kind come in the order of their source.
    @Test func order() throws {
        let json =
            " { \"b\" : [ 1 , -2.50, [ ], {\t} ] ,\n\"a\":{\"x\" :true,\"y\":false}, \"\":null } "
        try reading(json) { reader in
            #expect(try walk(&reader) == "{b=[1,-2.50,[],{}],a={x=T,y=F},=N}")
            try reader.finish()
        }
    }

    // A value that is stepped over is checked and placed.
    @Test func skipping() throws {
        let json = #"{"a": [1, {"x": "]}"}] , "b":2}"#
        try reading(json) { reader in
            try reader.enterObject()
            _ = try reader.nextMember()
            let place = try reader.skipValue()
            #expect(String(decoding: reader.source(place), as: UTF8.self) == #"[1, {"x": "]}"}]"#)
            let name = try #require(try reader.nextMember())
            #expect(reader.is(name, "b"))
            #expect(try reader.readNumber().integer == 2)
            #expect(try reader.nextMember() == nil)
            try reader.finish()
            // A place can be gone back to.
            reader.move(to: place.lowerBound)
            try reader.enterArray()
            #expect(try reader.nextElement())
        }
    }

    // Names are compared as what they stand for, by bytes.
    @Test func names() throws {
        func isNamed(_ json: String, _ word: StaticString) throws -> Bool {
            try reading(json) { reader in reader.is(try reader.readText(), word) }
        }
        #expect(try isNamed(#""max\u005ftokens""#, "max_tokens"))
        #expect(try !isNamed(#""max_token""#, "max_tokens"))
        #expect(try !isNamed("\"\u{212A}\"", "K"))
        #expect(try !isNamed(#""\u212a""#, "K"))
        #expect(try isNamed(#""\u004b""#, "K"))
    }

    // Strictly, damaged strings are refused; leniently, they stand for something.
    @Test(arguments: [
        (#""\ud83d""#, "\u{FFFD}"), (#""\ude00a""#, "\u{FFFD}a"), (#""\ud83d\u0041""#, "\u{FFFD}A"),
        (#""\ud83d\ud83d\ude00""#, "\u{FFFD}😀"), (#""\q""#, "q"), (#""\u12g4""#, "u12g4"),
        (#""\u12""#, "u12"), ("\"a\u{1}b\"", "a\u{1}b"),
    ])
    func lenient(_ json: String, _ text: String) throws {
        #expect(throws: JSONError.self) { try reading(json) { _ = try $0.readText() } }
        try reading(json, .lenient) { reader in
            #expect(reader.string(try reader.readText()) == text)
            try reader.finish()
        }
    }

    // Text without escapes is lent as it stands; with escapes, unescaped.
    @Test func lending() throws {
        for (json, text) in [
            (#""plain é""#, "plain é"), (#""a\n\"\/\u00e9\ud83d\ude00""#, "a\n\"/é😀"),
        ] {
            for strings in [JSONReader.Strings.strict, .lenient] {
                try reading(json, strings) { reader in
                    var scratch: [UInt8] = [1, 2]
                    let found = reader.withUnescaped(try reader.readText(), scratch: &scratch) {
                        String(decoding: $0, as: UTF8.self)
                    }
                    #expect(found == text)
                }
            }
        }
    }

    // A fault throws with its place and leaves the reader where it was.
    @Test(arguments: [
        "{\"a\":1,}", "{,}", "[1 2]", "[1,]", "{\"a\" 1}", "{a:1}", "[1", "{\"a\":", "\"x", "tru",
        "01",
        "[\"\\\"]", "",
    ])
    func faults(_ json: String) throws {
        for strings in [JSONReader.Strings.strict, .lenient] {
            try reading(json, strings) { reader in
                #expect(throws: JSONError.self) {
                    _ = try walk(&reader)
                    try reader.finish()
                }
                let offset = reader.offset
                #expect(throws: JSONError.self) {
                    try reader.enterObject(); try reader.skipValue()
                }
                #expect(reader.offset <= max(offset + 1, json.utf8.count))
            }
        }
        #expect(throws: JSONError.self) {
            try reading(json) {
                _ = try $0.skipValue(); try $0.finish()
            }
        }
    }

    // Depth is limited, so that no input can exhaust the stack.
    @Test func depth() throws {
        let levels = 128
        let fits = String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        try reading(fits) { _ = try $0.skipValue() }
        let deep = String(repeating: "[", count: 100_000)
        let error = #expect(throws: JSONError.self) { try reading(deep) { _ = try $0.skipValue() } }
        #expect(error?.code == .tooDeep)
    }
}
