import CanonicalJSON
import Testing

/// A document that must be read, and what it says.
struct Accepted: Sendable, CustomTestStringConvertible {
    let text: String
    let value: JSONValue

    init(_ text: String, _ value: JSONValue) {
        self.text = text
        self.value = value
    }

    var testDescription: String { text }
}

struct AcceptedDocumentTests {
    static let literalsAndStructure = [
        Accepted("null", .null),
        Accepted("true", true),
        Accepted("false", false),
        Accepted(" true ", true),
        Accepted("\t\r\n null\t\r\n ", .null),
        Accepted("[]", []),
        Accepted("{}", [:]),
        Accepted("[ ]", []),
        Accepted("{ }", [:]),
        Accepted("[\n]", []),
        Accepted("{\t}", [:]),
        Accepted("[null]", [.null]),
        Accepted("[[]]", [[]]),
        Accepted("[{}]", [[:]]),
        Accepted("[[],[]]", [[], []]),
        Accepted("[1,2,3]", [1, 2, 3]),
        Accepted("[ 1 , 2\n,\t3 ]", [1, 2, 3]),
        Accepted("[1,null,\"a\",true,[],{}]", [1, .null, "a", true, [], [:]]),
        Accepted("{\"a\":1}", ["a": 1]),
        Accepted(" { \"a\" : 1 } ", ["a": 1]),
        Accepted("{\"a\":1,\"b\":2}", ["a": 1, "b": 2]),
        Accepted("{\"a\":null}", ["a": .null]),
        Accepted("{\"a\":{\"a\":{\"a\":[]}}}", ["a": ["a": ["a": []]]]),
        Accepted("{\"a\":[],\"b\":{}}", ["a": [], "b": [:]]),
        Accepted("{\"\":0}", ["": 0]),
        Accepted("{\" \":0,\"\":1,\"  \":2}", [" ": 0, "": 1, "  ": 2]),
        Accepted("{\"a\":1,\"A\":2}", ["a": 1, "A": 2]),
        Accepted("{\"null\":null,\"true\":true}", ["null": .null, "true": true]),
        Accepted("{\"a\\u0000b\":1,\"a\":2}", ["a\0b": 1, "a": 2]),
        Accepted("{\"__proto__\":1,\"constructor\":2}", ["__proto__": 1, "constructor": 2]),
        Accepted("[[[[[[[[[[[[[[[[7]]]]]]]]]]]]]]]]", [[[[[[[[[[[[[[[[7]]]]]]]]]]]]]]]]),
        Accepted("{\"b\":1,\"a\":2,\"c\":3}", ["a": 2, "b": 1, "c": 3]),
    ]

    static let numbers = [
        Accepted("0", 0),
        Accepted("-0", 0),
        Accepted("1", 1),
        Accepted("-1", -1),
        Accepted("9", 9),
        Accepted("10", 10),
        Accepted("-10", -10),
        Accepted(" 42", 42),
        Accepted("42\n", 42),
        Accepted("[0]", [0]),
        Accepted("[-0]", [0]),
        Accepted("[0,0]", [0, 0]),
        Accepted("1234567890", 1_234_567_890),
        Accepted("99999999999999999", 99_999_999_999_999_999),
        Accepted("[999999999999999999]", [999_999_999_999_999_999]),
        Accepted("[1000000000000000000]", [1_000_000_000_000_000_000]),
        Accepted("9007199254740993", 9_007_199_254_740_993),
        Accepted("9223372036854775807", .integer(.max)),
        Accepted("[9223372036854775807]", [.integer(.max)]),
        Accepted("-9223372036854775808", .integer(.min)),
        Accepted("[-9223372036854775808]", [.integer(.min)]),
        Accepted("9223372036854775808", .number("9223372036854775808")),
        Accepted("-9223372036854775809", .number("-9223372036854775809")),
        Accepted("10000000000000000000", .number("10000000000000000000")),
        Accepted("18446744073709551616", .number("18446744073709551616")),
        Accepted("-99999999999999999999999", .number("-99999999999999999999999")),
        Accepted("1.0", .number("1.0")),
        Accepted("0.0", .number("0.0")),
        Accepted("-0.0", .number("-0.0")),
        Accepted("0.1", .number("0.1")),
        Accepted("-0.5", .number("-0.5")),
        Accepted("123.456", .number("123.456")),
        Accepted("1.000000000000000000000001", .number("1.000000000000000000000001")),
        Accepted("1e3", .number("1e3")),
        Accepted("1E3", .number("1E3")),
        Accepted("1e+3", .number("1e+3")),
        Accepted("1E-3", .number("1E-3")),
        Accepted("0e0", .number("0e0")),
        Accepted("0e+1", .number("0e+1")),
        Accepted("-1.5e-10", .number("-1.5e-10")),
        Accepted("1e01", .number("1e01")),
        Accepted("1e999", .number("1e999")),
        Accepted("1e-999", .number("1e-999")),
        Accepted("[1.5,2]", [.number("1.5"), 2]),
        Accepted("{\"a\":1e2}", ["a": .number("1e2")]),
    ]

    static let strings = [
        Accepted("\"\"", ""),
        Accepted("\"a\"", "a"),
        Accepted("\"abcdefgh\"", "abcdefgh"),
        Accepted("\"fifteen bytes..\"", "fifteen bytes.."),
        Accepted("\"sixteen bytes...\"", "sixteen bytes..."),
        Accepted("\" leading and trailing \"", " leading and trailing "),
        Accepted("\"/\"", "/"),
        Accepted("\"\\/\"", "/"),
        Accepted("\"\\\"\"", "\""),
        Accepted("\"\\\\\"", "\\"),
        Accepted("\"\\\\n\"", "\\n"),
        Accepted("\"\\b\\f\\n\\r\\t\"", "\u{8}\u{C}\n\r\t"),
        Accepted("\"\\u0000\"", "\0"),
        Accepted("\"a\\u0000b\"", "a\0b"),
        Accepted("\"\\u001f\\u0020\"", "\u{1F} "),
        Accepted("\"\\u0041\\u00e9\\u20AC\"", "A\u{E9}\u{20AC}"),
        Accepted("\"\\u0022\\u005c\"", "\"\\"),
        Accepted("\"\\uFFFF\\ufffe\"", "\u{FFFF}\u{FFFE}"),
        Accepted("\"\\uD7FF\\uE000\"", "\u{D7FF}\u{E000}"),
        Accepted("\"\\ud83d\\ude00\"", "\u{1F600}"),
        Accepted("\"\\uD800\\uDC00\"", "\u{10000}"),
        Accepted("\"\\uDBFF\\uDFFF\"", "\u{10FFFF}"),
        Accepted("\"x\\ud83d\\ude00y\\n\"", "x\u{1F600}y\n"),
        Accepted("\"\u{7F}\"", "\u{7F}"),
        Accepted("\"\u{80}\u{7FF}\"", "\u{80}\u{7FF}"),
        Accepted("\"\u{800}\u{FFFF}\"", "\u{800}\u{FFFF}"),
        Accepted("\"\u{10000}\u{10FFFF}\"", "\u{10000}\u{10FFFF}"),
        Accepted("\"\u{D7FF}\u{E000}\"", "\u{D7FF}\u{E000}"),
        Accepted("\"\u{2028}\u{2029}\"", "\u{2028}\u{2029}"),
        Accepted("\"\u{FEFF}\"", "\u{FEFF}"),
        Accepted("\"gr\u{FC}n \u{65E5}\u{672C}\"", "gr\u{FC}n \u{65E5}\u{672C}"),
        Accepted("\"mixed \u{E9}\\u00e9\\\\\"", "mixed \u{E9}\u{E9}\\"),
        Accepted("\"// no comment /* */\"", "// no comment /* */"),
        Accepted("\"{[,:]}\"", "{[,:]}"),
        Accepted("[\"a\",\"b\"]", ["a", "b"]),
        Accepted("{\"\\u0061\":\"\\u0062\"}", ["a": "b"]),
        Accepted("{\"\\n\":1,\"n\":2}", ["\n": 1, "n": 2]),
    ]

    // A document that RFC 8259 allows is read, and means exactly what it says.
    @Test(arguments: literalsAndStructure + numbers + strings)
    func reads(_ document: Accepted) {
        #expect(outcome(document.text) == .success(document.value))
    }

    // A string ends where its quote is, wherever that falls among the eight bytes looked at
    // together.
    @Test(arguments: 0..<40)
    func findsTheEndOfEveryLength(length: Int) {
        let content = String(repeating: "x", count: length)
        for tail in ["", "\\n", "\u{E9}", "\\u00e9y"] {
            let expected =
                content
                + ["": "", "\\n": "\n", "\u{E9}": "\u{E9}", "\\u00e9y": "\u{E9}y"][
                    tail, default: ""]
            #expect(outcome("[\"\(content)\(tail)\",1]") == .success([.string(expected), 1]))
        }
    }

    // Text that was read behaves like any other text of Swift, short or long: lengths in every
    // encoding, canonical equivalence, upper case.
    @Test(arguments: ["", "x", "sixteen bytes and more"])
    func textsAreWhole(prefix: String) throws {
        for (source, expected) in [("\u{E9}", "\u{E9}"), ("\\u00e9", "\u{E9}"), ("e", "e")] {
            guard case .string(let read) = try StrictJSON.parse("\"\(prefix)\(source)\"") else {
                Issue.record("not a string")
                continue
            }
            let text = prefix + expected
            #expect(read.count == text.count)
            #expect(read.utf16.count == text.utf16.count)
            #expect(Array(read.utf16) == Array(text.utf16))
            #expect(read.uppercased() == text.uppercased())
            #expect((read == prefix + "e\u{301}") == (expected == "\u{E9}"))
        }
    }

    // The members of an object keep the order of their source.
    @Test func keepsSourceOrder() throws {
        let names = ["z", "a", "m", "\u{E9}", "b"]
        let source = "{" + names.map { "\"\($0)\":1" }.joined(separator: ",") + "}"
        guard case .object(let object) = try StrictJSON.parse(source) else {
            Issue.record("not an object")
            return
        }
        #expect(object.members.map(\.key) == names)
    }

    // Array, raw buffer, raw span and text are one reader.
    @Test func entryPointsAgree() throws {
        let source = "{\"a\":[1,\"\u{E9}\"]}"
        let bytes = Array(source.utf8)
        let expected: JSONValue = ["a": [1, "\u{E9}"]]
        #expect(try StrictJSON.parse(bytes) == expected)
        #expect(try StrictJSON.parse(source) == expected)
        #expect(try bytes.withUnsafeBytes { try StrictJSON.parse($0) } == expected)
        #expect(try StrictJSON.parse(bytes.span.bytes) == expected)
        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
        #expect(throws: JSONError(.unexpectedEnd, offset: 0, path: "")) {
            try StrictJSON.parse(empty)
        }
    }
}
