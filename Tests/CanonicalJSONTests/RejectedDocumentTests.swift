import CanonicalJSON
import Testing

/// Bytes that must be refused, why, and at which byte.
struct Rejected: Sendable, CustomTestStringConvertible {
    let bytes: [UInt8]
    let code: JSONError.Code
    let offset: Int

    init(_ text: String, _ code: JSONError.Code, _ offset: Int) {
        self.init(Array(text.utf8), code, offset)
    }

    init(_ bytes: [UInt8], _ code: JSONError.Code, _ offset: Int) {
        self.bytes = bytes
        self.code = code
        self.offset = offset
    }

    /// A string whose content is `content`; the offset counts within it.
    init(content: [UInt8], _ code: JSONError.Code, _ offset: Int) {
        self.init([0x22] + content + [0x22], code, offset + 1)
    }

    var testDescription: String { "\(text(bytes)) \(bytes)" }
}

struct RejectedDocumentTests {
    static let structure = [
        Rejected("", .unexpectedEnd, 0),
        Rejected(" ", .unexpectedEnd, 1),
        Rejected("\n\t", .unexpectedEnd, 2),
        Rejected("[", .unexpectedEnd, 1),
        Rejected("{", .unexpectedEnd, 1),
        Rejected("]", .unexpectedByte, 0),
        Rejected("}", .unexpectedByte, 0),
        Rejected(",", .unexpectedByte, 0),
        Rejected(":", .unexpectedByte, 0),
        Rejected("[1", .unexpectedEnd, 2),
        Rejected("[1,", .unexpectedEnd, 3),
        Rejected("[1,]", .unexpectedByte, 3),
        Rejected("[,1]", .unexpectedByte, 1),
        Rejected("[,]", .unexpectedByte, 1),
        Rejected("[1,,2]", .unexpectedByte, 3),
        Rejected("[1 2]", .unexpectedByte, 3),
        Rejected("[1:2]", .unexpectedByte, 2),
        Rejected("[1}", .unexpectedByte, 2),
        Rejected("[1;2]", .unexpectedByte, 2),
        Rejected("[\"a\" \"b\"]", .unexpectedByte, 5),
        Rejected("[][]", .trailingBytes, 2),
        Rejected("[]]", .trailingBytes, 2),
        Rejected("{}}", .trailingBytes, 2),
        Rejected("1 2", .trailingBytes, 2),
        Rejected("1,", .trailingBytes, 1),
        Rejected("\"a\"x", .trailingBytes, 3),
        Rejected("null\0", .trailingBytes, 4),
        Rejected("{\"a\"}", .unexpectedByte, 4),
        Rejected("{\"a\":}", .unexpectedByte, 5),
        Rejected("{\"a\":", .unexpectedEnd, 5),
        Rejected("{\"a\"", .unexpectedEnd, 4),
        Rejected("{\"a", .unexpectedEnd, 3),
        Rejected("{\"a\":1", .unexpectedEnd, 6),
        Rejected("{\"a\":1,", .unexpectedEnd, 7),
        Rejected("{\"a\":1,}", .unexpectedByte, 7),
        Rejected("{,\"a\":1}", .unexpectedByte, 1),
        Rejected("{\"a\":1,,\"b\":2}", .unexpectedByte, 7),
        Rejected("{\"a\" 1}", .unexpectedByte, 5),
        Rejected("{\"a\"::1}", .unexpectedByte, 5),
        Rejected("{\"a\",1}", .unexpectedByte, 4),
        Rejected("{\"a\":1 \"b\":2}", .unexpectedByte, 7),
        Rejected("{\"a\":1]", .unexpectedByte, 6),
        Rejected("{a:1}", .unexpectedByte, 1),
        Rejected("{'a':1}", .unexpectedByte, 1),
        Rejected("{1:1}", .unexpectedByte, 1),
        Rejected("{null:1}", .unexpectedByte, 1),
        Rejected("{[]:1}", .unexpectedByte, 1),
        Rejected("{\"a\":1,b:2}", .unexpectedByte, 7),
        Rejected("[\"a\",", .unexpectedEnd, 5),
        Rejected("[[]", .unexpectedEnd, 3),
        Rejected("[}", .unexpectedByte, 1),
        Rejected("{]", .unexpectedByte, 1),
        Rejected("*", .unexpectedByte, 0),
        Rejected("<null>", .unexpectedByte, 0),
        Rejected("// c\n1", .unexpectedByte, 0),
        Rejected("/* c */1", .unexpectedByte, 0),
        Rejected("1 // c", .trailingBytes, 2),
        Rejected("[1/**/]", .unexpectedByte, 2),
        Rejected("# c\n1", .unexpectedByte, 0),
        Rejected("\u{FEFF}{}", .unexpectedByte, 0),
        Rejected([0xFF, 0xFE, 0x7B, 0x00], .unexpectedByte, 0),
        Rejected("\u{B}1", .unexpectedByte, 0),
        Rejected("\u{C}1", .unexpectedByte, 0),
        Rejected("\u{A0}1", .unexpectedByte, 0),
        Rejected("[1\u{2060}]", .unexpectedByte, 2),
        Rejected("[\0]", .unexpectedByte, 1),
        Rejected([0x5B, 0xFF, 0x5D], .unexpectedByte, 1),
        Rejected("'a'", .unexpectedByte, 0),
        Rejected("`a`", .unexpectedByte, 0),
        Rejected("a", .unexpectedByte, 0),
        Rejected("\\u0031", .unexpectedByte, 0),
    ]

    static let literals = [
        Rejected("nul", .unexpectedEnd, 3),
        Rejected("n", .unexpectedEnd, 1),
        Rejected("nulll", .trailingBytes, 4),
        Rejected("nuLl", .unexpectedByte, 2),
        Rejected("Null", .unexpectedByte, 0),
        Rejected("NULL", .unexpectedByte, 0),
        Rejected("tru", .unexpectedEnd, 3),
        Rejected("trux", .unexpectedByte, 3),
        Rejected("True", .unexpectedByte, 0),
        Rejected("truefalse", .trailingBytes, 4),
        Rejected("[tru]", .unexpectedByte, 4),
        Rejected("[true1]", .unexpectedByte, 5),
        Rejected("falsy", .unexpectedByte, 4),
        Rejected("fals", .unexpectedEnd, 4),
        Rejected("undefined", .unexpectedByte, 0),
        Rejected("NaN", .unexpectedByte, 0),
        Rejected("nan", .unexpectedByte, 1),
        Rejected("Infinity", .unexpectedByte, 0),
        Rejected("-Infinity", .invalidNumber, 0),
        Rejected("[NaN]", .unexpectedByte, 1),
        Rejected("[-NaN]", .invalidNumber, 1),
    ]

    static let numbers = [
        Rejected("-", .unexpectedEnd, 1),
        Rejected("[-]", .invalidNumber, 1),
        Rejected("--1", .invalidNumber, 0),
        Rejected("+1", .unexpectedByte, 0),
        Rejected("[+1]", .unexpectedByte, 1),
        Rejected("- 1", .invalidNumber, 0),
        Rejected("01", .invalidNumber, 0),
        Rejected("00", .invalidNumber, 0),
        Rejected("-01", .invalidNumber, 0),
        Rejected("-00", .invalidNumber, 0),
        Rejected("[012]", .invalidNumber, 1),
        Rejected("[00.5]", .invalidNumber, 1),
        Rejected("00000000000000000000", .invalidNumber, 0),
        Rejected(".5", .unexpectedByte, 0),
        Rejected("-.5", .invalidNumber, 0),
        Rejected("1.", .unexpectedEnd, 2),
        Rejected("[1.]", .invalidNumber, 1),
        Rejected("[0.]", .invalidNumber, 1),
        Rejected("1.e3", .invalidNumber, 0),
        Rejected("1..2", .invalidNumber, 0),
        Rejected("[1.2.3]", .unexpectedByte, 4),
        Rejected("1.-2", .invalidNumber, 0),
        Rejected("1e", .unexpectedEnd, 2),
        Rejected("[1e]", .invalidNumber, 1),
        Rejected("[1e+]", .invalidNumber, 1),
        Rejected("1e-", .unexpectedEnd, 3),
        Rejected("[1E]", .invalidNumber, 1),
        Rejected("[1ee2]", .invalidNumber, 1),
        Rejected("[1e2e3]", .unexpectedByte, 4),
        Rejected("[1e1.5]", .unexpectedByte, 4),
        Rejected("[1e+-2]", .invalidNumber, 1),
        Rejected("[0e]", .invalidNumber, 1),
        Rejected("0x10", .trailingBytes, 1),
        Rejected("[0b1]", .unexpectedByte, 2),
        Rejected("[1_000]", .unexpectedByte, 2),
        Rejected("[1,000]", .invalidNumber, 3),
        Rejected("[1 000]", .unexpectedByte, 3),
        Rejected("[1a]", .unexpectedByte, 2),
        Rejected("[1\"]", .unexpectedByte, 2),
        Rejected("[1-1]", .unexpectedByte, 2),
        Rejected("[1+1]", .unexpectedByte, 2),
        Rejected("12n", .trailingBytes, 2),
        Rejected("[\u{FF11}]", .unexpectedByte, 1),
        Rejected("[1\u{FF11}]", .unexpectedByte, 2),
        Rejected("{\"a\":01}", .invalidNumber, 5),
        Rejected("{\"a\":1.}", .invalidNumber, 5),
    ]

    static let strings = [
        Rejected("\"", .unexpectedEnd, 1),
        Rejected("\"a", .unexpectedEnd, 2),
        Rejected("\"abcdefghijkl", .unexpectedEnd, 13),
        Rejected("\"\\\"", .unexpectedEnd, 3),
        Rejected("\"\\", .unexpectedEnd, 2),
        Rejected("[\"a]", .unexpectedEnd, 4),
        Rejected("[a\"]", .unexpectedByte, 1),
        Rejected("\"a\"\"b\"", .trailingBytes, 3),
        Rejected("\"\n\"", .controlCharacter, 1),
        Rejected("\"a\tb\"", .controlCharacter, 2),
        Rejected("\"\0\"", .controlCharacter, 1),
        Rejected("\"abcdefgh\u{1F}\"", .controlCharacter, 9),
        Rejected("\"\r\n\"", .controlCharacter, 1),
        Rejected("{\"a\nb\":1}", .controlCharacter, 3),
        Rejected("\"\\x41\"", .invalidEscape, 1),
        Rejected("\"\\a\"", .invalidEscape, 1),
        Rejected("\"\\'\"", .invalidEscape, 1),
        Rejected("\"\\0\"", .invalidEscape, 1),
        Rejected("\"\\v\"", .invalidEscape, 1),
        Rejected("\"\\N\"", .invalidEscape, 1),
        Rejected("\"\\U0041\"", .invalidEscape, 1),
        Rejected("\"\\\n\"", .invalidEscape, 1),
        Rejected("\"\\ \"", .invalidEscape, 1),
        Rejected("\"\\\u{E9}\"", .invalidEscape, 1),
        Rejected("\"ab\\u\"", .invalidEscape, 3),
        Rejected("\"\\u1\"", .invalidEscape, 1),
        Rejected("\"\\u12\"", .invalidEscape, 1),
        Rejected("\"\\u123\"", .invalidEscape, 1),
        Rejected("\"\\u123", .unexpectedEnd, 6),
        Rejected("\"\\u", .unexpectedEnd, 3),
        Rejected("\"\\u00G0\"", .invalidEscape, 1),
        Rejected("\"\\u-123\"", .invalidEscape, 1),
        Rejected("\"\\u{41}\"", .invalidEscape, 1),
        Rejected("\"\\u 041\"", .invalidEscape, 1),
        Rejected("\"\\uD800\"", .loneSurrogate, 1),
        Rejected("\"\\uDBFF\"", .loneSurrogate, 1),
        Rejected("\"\\uDC00\"", .loneSurrogate, 1),
        Rejected("\"\\uDFFF\"", .loneSurrogate, 1),
        Rejected("\"abc\\ud800def\"", .loneSurrogate, 4),
        Rejected("\"\\uD800x\"", .loneSurrogate, 1),
        Rejected("\"\\uD800\\n\"", .loneSurrogate, 1),
        Rejected("\"\\uD800\\u0041\"", .loneSurrogate, 1),
        Rejected("\"\\uD800\\uD800\"", .loneSurrogate, 1),
        Rejected("\"\\uD800\\uE000\"", .loneSurrogate, 1),
        Rejected("\"\\uDC00\\uD800\"", .loneSurrogate, 1),
        Rejected("\"\\uD83D\\uDE00\\uDE00\"", .loneSurrogate, 13),
        Rejected("\"\\uD800\\u", .unexpectedEnd, 9),
        Rejected("\"\\uD800\\uD\"", .invalidEscape, 7),
        Rejected("\"\\uD800", .loneSurrogate, 1),
        Rejected("{\"\\uD800\":1}", .loneSurrogate, 2),
    ]

    static let encodings = [
        Rejected(content: [0x80], .invalidUTF8, 0),
        Rejected(content: [0xBF], .invalidUTF8, 0),
        Rejected(content: [0x61, 0xC3], .invalidUTF8, 1),
        Rejected(content: [0xC3, 0x61], .invalidUTF8, 0),
        Rejected(content: [0xC0, 0xAF], .invalidUTF8, 0),
        Rejected(content: [0xC1, 0xBF], .invalidUTF8, 0),
        Rejected(content: [0xE0, 0x9F, 0xBF], .invalidUTF8, 0),
        Rejected(content: [0xE0, 0x80, 0xAF], .invalidUTF8, 0),
        Rejected(content: [0xE2, 0x82], .invalidUTF8, 0),
        Rejected(content: [0xE2, 0x28, 0xA1], .invalidUTF8, 0),
        Rejected(content: [0xE2, 0x82, 0x28], .invalidUTF8, 0),
        Rejected(content: [0xED, 0xA0, 0x80], .invalidUTF8, 0),
        Rejected(content: [0xED, 0xBF, 0xBF], .invalidUTF8, 0),
        Rejected(content: [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80], .invalidUTF8, 0),
        Rejected(content: [0xF0, 0x8F, 0xBF, 0xBF], .invalidUTF8, 0),
        Rejected(content: [0xF0, 0x9F, 0x98], .invalidUTF8, 0),
        Rejected(content: [0xF0, 0x9F, 0x28, 0x80], .invalidUTF8, 0),
        Rejected(content: [0xF0, 0x9F, 0x98, 0x28], .invalidUTF8, 0),
        Rejected(content: [0xF4, 0x90, 0x80, 0x80], .invalidUTF8, 0),
        Rejected(content: [0xF5, 0x80, 0x80, 0x80], .invalidUTF8, 0),
        Rejected(content: [0xF8, 0x88, 0x80, 0x80, 0x80], .invalidUTF8, 0),
        Rejected(content: [0xFE], .invalidUTF8, 0),
        Rejected(content: [0xFF], .invalidUTF8, 0),
        Rejected(content: Array("abcdefgh".utf8) + [0xE9], .invalidUTF8, 8),
        Rejected(content: [0xC3, 0xA9, 0xE9], .invalidUTF8, 2),
        Rejected([0x22, 0xC3], .invalidUTF8, 1),
        Rejected([0x22, 0xF0, 0x9F, 0x98, 0x80], .unexpectedEnd, 5),
        Rejected([0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D], .invalidUTF8, 2),
    ]

    static let duplicates = [
        Rejected("{\"a\":1,\"a\":1}", .duplicateKey, 7),
        Rejected("{\"a\":1,\"b\":2,\"a\":3}", .duplicateKey, 13),
        Rejected("{\"a\":1,\"\\u0061\":2}", .duplicateKey, 7),
        Rejected("{\"\\u0061\":1,\"a\":2}", .duplicateKey, 12),
        Rejected("{\"\":1,\"\":2}", .duplicateKey, 6),
        Rejected("{\"\u{E9}\":1,\"\\u00e9\":2}", .duplicateKey, 8),
        Rejected("{\"\u{1F600}\":1,\"\\ud83d\\ude00\":2}", .duplicateKey, 10),
        Rejected("{\"\\/\":1,\"/\":2}", .duplicateKey, 8),
        Rejected("[{\"x\":{\"a\":1,\"a\":2}}]", .duplicateKey, 13),
        Rejected("{\"a\":{},\"a\":{}}", .duplicateKey, 8),
    ]

    // Bytes that are not strict JSON are refused, with the reason and the place.
    @Test(arguments: structure + literals + numbers + strings + encodings + duplicates)
    func refuses(_ document: Rejected) {
        switch outcome(document.bytes) {
        case .success(let value): Issue.record("read as \(value)")
        case .failure(let error):
            #expect(error.code == document.code)
            #expect(error.offset == document.offset)
        }
    }

    // No proper prefix of a document (of more than a bare number) is a document.
    @Test func refusesEveryPrefix() {
        let source = Array(
            "{\"a\":[1,-2.5e3,true,false,null,\"x\\n\\ud83d\\ude00\u{E9}\"],\"b\":{\"c\":{}}}".utf8)
        #expect((try? outcome(source).get()) != nil)
        for length in 0..<source.count {
            guard case .failure(let error) = outcome(Array(source[..<length])) else {
                Issue.record("prefix of \(length) bytes was read")
                continue
            }
            #expect([.unexpectedEnd, .invalidUTF8, .loneSurrogate].contains(error.code))
        }
    }
}
