import Testing

@testable import CanonicalJSON

struct CanonicalEncodingTests {
    struct DoubleSample: Sendable {
        let bits: UInt64
        let text: String?
    }

    // RFC 8785, appendix B: number serialization samples, all of them.
    @Test(arguments: [
        DoubleSample(bits: 0x0000_0000_0000_0000, text: "0"),
        DoubleSample(bits: 0x8000_0000_0000_0000, text: "0"),
        DoubleSample(bits: 0x0000_0000_0000_0001, text: "5e-324"),
        DoubleSample(bits: 0x8000_0000_0000_0001, text: "-5e-324"),
        DoubleSample(bits: 0x7fef_ffff_ffff_ffff, text: "1.7976931348623157e+308"),
        DoubleSample(bits: 0xffef_ffff_ffff_ffff, text: "-1.7976931348623157e+308"),
        DoubleSample(bits: 0x4340_0000_0000_0000, text: "9007199254740992"),
        DoubleSample(bits: 0xc340_0000_0000_0000, text: "-9007199254740992"),
        DoubleSample(bits: 0x4430_0000_0000_0000, text: "295147905179352830000"),
        DoubleSample(bits: 0x7fff_ffff_ffff_ffff, text: nil),
        DoubleSample(bits: 0x7ff0_0000_0000_0000, text: nil),
        DoubleSample(bits: 0x44b5_2d02_c7e1_4af5, text: "9.999999999999997e+22"),
        DoubleSample(bits: 0x44b5_2d02_c7e1_4af6, text: "1e+23"),
        DoubleSample(bits: 0x44b5_2d02_c7e1_4af7, text: "1.0000000000000001e+23"),
        DoubleSample(bits: 0x444b_1ae4_d6e2_ef4e, text: "999999999999999700000"),
        DoubleSample(bits: 0x444b_1ae4_d6e2_ef4f, text: "999999999999999900000"),
        DoubleSample(bits: 0x444b_1ae4_d6e2_ef50, text: "1e+21"),
        DoubleSample(bits: 0x3eb0_c6f7_a0b5_ed8c, text: "9.999999999999997e-7"),
        DoubleSample(bits: 0x3eb0_c6f7_a0b5_ed8d, text: "0.000001"),
        DoubleSample(bits: 0x41b3_de43_5555_5553, text: "333333333.3333332"),
        DoubleSample(bits: 0x41b3_de43_5555_5554, text: "333333333.33333325"),
        DoubleSample(bits: 0x41b3_de43_5555_5555, text: "333333333.3333333"),
        DoubleSample(bits: 0x41b3_de43_5555_5556, text: "333333333.3333334"),
        DoubleSample(bits: 0x41b3_de43_5555_5557, text: "333333333.33333343"),
        DoubleSample(bits: 0xbecb_f647_612f_3696, text: "-0.0000033333333333333333"),
        DoubleSample(bits: 0x4314_3ff3_c1cb_0959, text: "1424953923781206.2"),
    ])
    func writesDoublesAsECMAScript(_ sample: DoubleSample) {
        var bytes: [UInt8] = []
        let isWritten = appendECMAScriptNumber(Double(bitPattern: sample.bits), to: &bytes)
        #expect(isWritten == (sample.text != nil))
        #expect(text(bytes) == sample.text ?? "")
    }

    struct Sample: Sendable {
        let source: String
        let canonical: String
    }

    // RFC 8785's own documents (3.2.2, 3.2.3), those of its author's test data, and the plain
    // cases.
    @Test(arguments: [
        Sample(
            source: """
                {
                  "numbers": [333333333.33333329, 1E30, 4.50,
                              2e-3, 0.000000000000000000000000001],
                  "string": "\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/",
                  "literals": [null, true, false]
                }
                """,
            canonical: """
                {"literals":[null,true,false],\
                "numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],\
                "string":"\u{20AC}$\\u000f\\nA'B\\"\\\\\\\\\\"/"}
                """),
        Sample(
            source: """
                {
                  "\\u20ac": "Euro Sign",
                  "\\r": "Carriage Return",
                  "\\ufb33": "Hebrew Letter Dalet With Dagesh",
                  "1": "One",
                  "\\ud83d\\ude00": "Emoji: Grinning Face",
                  "\\u0080": "Control",
                  "\\u00f6": "Latin Small Letter O With Diaeresis"
                }
                """,
            canonical: """
                {"\\r":"Carriage Return","1":"One","\u{80}":"Control",\
                "\u{F6}":"Latin Small Letter O With Diaeresis","\u{20AC}":"Euro Sign",\
                "\u{1F600}":"Emoji: Grinning Face","\u{FB33}":"Hebrew Letter Dalet With Dagesh"}
                """),
        Sample(
            source: "[ 56 , { \"d\" : true , \"10\" : null , \"1\" : [ ] } ]",
            canonical: "[56,{\"1\":[],\"10\":null,\"d\":true}]"),
        Sample(
            source: "{\"1\":{\"f\":{\"f\":\"hi\",\"F\":5},\"\\n\":56.0},\"10\":{},\"\":\"empty\","
                + "\"a\":{},\"111\":[{\"e\":\"yes\",\"E\":\"no\"}],\"A\":{}}",
            canonical: "{\"\":\"empty\",\"1\":{\"\\n\":56,\"f\":{\"F\":5,\"f\":\"hi\"}},\"10\":{},"
                + "\"111\":[{\"E\":\"no\",\"e\":\"yes\"}],\"A\":{},\"a\":{}}"),
        Sample(
            source: "{\"\\u0080\":\"Control\\u007f\",\"</script>\":\"Browser Challenge\"}",
            canonical: "{\"</script>\":\"Browser Challenge\",\"\u{80}\":\"Control\u{7F}\"}"),
        Sample(source: "\"A\\u030a\"", canonical: "\"A\u{30A}\""),
        Sample(source: " {} ", canonical: "{}"),
        Sample(source: "[ ]", canonical: "[]"),
        Sample(source: "-0", canonical: "0"),
        Sample(source: "-0.0", canonical: "0"),
        Sample(source: "0e5", canonical: "0"),
        Sample(source: "1.0", canonical: "1"),
        Sample(source: "1e3", canonical: "1000"),
        Sample(source: "-1.50", canonical: "-1.5"),
        Sample(source: "1e-400", canonical: "0"),
        Sample(source: "123456789e-3", canonical: "123456.789"),
        Sample(source: "1e20", canonical: "100000000000000000000"),
        Sample(source: "1e21", canonical: "1e+21"),
        Sample(source: "12e20", canonical: "1.2e+21"),
        Sample(source: "0.00001", canonical: "0.00001"),
        Sample(source: "0.0000001", canonical: "1e-7"),
        Sample(source: "0.00000012", canonical: "1.2e-7"),
        Sample(source: "9007199254740991", canonical: "9007199254740991"),
        Sample(source: "-9007199254740991", canonical: "-9007199254740991"),
        Sample(source: "9007199254740992", canonical: "9007199254740992"),
        Sample(source: "9007199254740994", canonical: "9007199254740994"),
        Sample(source: "1000000000000000000", canonical: "1000000000000000000"),
        Sample(source: "295147905179352830000", canonical: "295147905179352830000"),
    ])
    func writesSamples(_ sample: Sample) throws {
        let value = try StrictJSON.parse(sample.source)
        #expect(try text(CanonicalJSON.encode(value)) == sample.canonical)
    }

    struct Refusal: Sendable {
        let value: JSONValue
        let code: JSONError.Code
        let path: String
    }

    // What has no canonical form is refused by its path: never rounded, never dropped.
    @Test(arguments: [
        Refusal(value: 9_007_199_254_740_993, code: .inexactNumber, path: ""),
        Refusal(value: .integer(.max), code: .inexactNumber, path: ""),
        Refusal(value: ["a": [0, .integer(.min)]], code: .inexactNumber, path: "a[1]"),
        Refusal(value: .number("9223372036854775808"), code: .inexactNumber, path: ""),
        Refusal(value: .number("1000000000000000000000"), code: .inexactNumber, path: ""),
        Refusal(value: [.number("1e400")], code: .invalidNumber, path: "[0]"),
        Refusal(value: ["x": ["y": .number("-1e999")]], code: .invalidNumber, path: "x.y"),
        Refusal(value: .number(""), code: .invalidNumber, path: ""),
        Refusal(value: .number("1x"), code: .invalidNumber, path: ""),
        Refusal(value: .number("0x1p3"), code: .invalidNumber, path: ""),
        Refusal(value: .number("nan"), code: .invalidNumber, path: ""),
        Refusal(value: .number("+1"), code: .invalidNumber, path: ""),
        Refusal(value: .number("1.5 "), code: .invalidNumber, path: ""),
        Refusal(value: ["a": 1, "b": 2, "a": 1], code: .duplicateKey, path: "a"),
        Refusal(value: ["o": [["k": 1, "k": 2]]], code: .duplicateKey, path: "o[0].k"),
    ])
    func refuses(_ refusal: Refusal) {
        let error = error { () throws(JSONError) in _ = try CanonicalJSON.encode(refusal.value) }
        #expect(error?.code == refusal.code)
        #expect(error?.path == refusal.path)
    }

    // A value built too deep is refused, not a stack overflow.
    @Test func refusesDepth() {
        var value: JSONValue = 1
        for _ in 0..<128 { value = [value] }
        #expect((try? CanonicalJSON.encode(value)) != nil)
        let error = error { () throws(JSONError) in _ = try CanonicalJSON.encode(["a": value]) }
        #expect(error?.code == .tooDeep)
    }

    // Names are ordered by UTF-16 code units, not by code points: compared with a plain sort of the
    // units, over names of every width and their common prefixes.
    @Test func ordersNamesByUTF16() {
        let pieces = [
            "", "\0", "a", "\u{7F}", "\u{80}", "\u{7FF}", "\u{D7FF}", "\u{E000}",
            "\u{EFFF}", "\u{F000}", "\u{FFFF}", "\u{10000}", "\u{1F600}", "\u{40000}", "\u{10FFFF}",
        ]
        let names = pieces.flatMap { first in pieces.map { first + $0 } }
        for first in names {
            for second in names {
                let isBefore = first.utf16.lexicographicallyPrecedes(second.utf16)
                let isSame = Array(first.utf16) == Array(second.utf16)
                let order = compareMemberNames(first, second)
                #expect((order < 0) == isBefore)
                #expect((order == 0) == isSame)
            }
        }
    }

    // The form for people is indented, keeps source order and numbers as they were written.
    @Test func pretty() throws {
        let value = try StrictJSON.parse(
            "{\"b\":[1,2.50,{}],\"a\":{\"x\":\"\u{E9}\\n\",\"y\":[]},\"c\":null,\"d\":[[true]]}")
        #expect(
            CanonicalJSON.pretty(value) == """
                {
                  "b": [
                    1,
                    2.50,
                    {}
                  ],
                  "a": {
                    "x": "\u{E9}\\n",
                    "y": []
                  },
                  "c": null,
                  "d": [
                    [
                      true
                    ]
                  ]
                }
                """)
        #expect(CanonicalJSON.pretty("a") == "\"a\"")
        #expect(CanonicalJSON.pretty(.integer(.max)) == "9223372036854775807")
    }
}
