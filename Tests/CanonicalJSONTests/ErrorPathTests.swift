import CanonicalJSON
import Testing

struct ErrorPathTests {
    struct Located: Sendable {
        let text: String
        let path: String
    }

    // An error names the innermost value it lies in, by names and indices.
    @Test(arguments: [
        Located(text: "x", path: ""),
        Located(text: "[x]", path: "[0]"),
        Located(text: "[1,2,x]", path: "[2]"),
        Located(text: "{\"a\":x}", path: "a"),
        Located(text: "{\"a\":1,\"b\":x}", path: "b"),
        Located(text: "{\"a\":{\"b\":{\"c\":x}}}", path: "a.b.c"),
        Located(text: "{\"budgets\":[{},{},{\"amount\":01}]}", path: "budgets[2].amount"),
        Located(text: "{\"a\":[[1,2],[3,[4,x]]]}", path: "a[1][1][1]"),
        Located(text: "{\"a\":{\"b\":1},\"c\":\"\\q\"}", path: "c"),
        Located(text: "{\"a\":{\"b\":1},\"c\":\"x\ny\"}", path: "c"),
        Located(text: "{\"a\":\"}],{[\\\"\",\"c\":x}", path: "c"),
        Located(text: "{\"a\":1,\"b", path: ""),
        Located(text: "{\"o\":{\"a\":1,x}}", path: "o"),
        Located(text: "{\"o\":{\"a\":1,\"b\":2,\"a\":3}}", path: "o.a"),
        Located(text: "[{\"\\u0061\":1,\"a\":2}]", path: "[0].a"),
        Located(text: "{\"a.b\":x}", path: "[\"a.b\"]"),
        Located(text: "{\"t\":{\"\":x}}", path: "t[\"\"]"),
        Located(text: "{\"t\":{\"a b\":{\"c\":x}}}", path: "t[\"a b\"].c"),
        Located(text: "{\"\\n\\\"\":x}", path: "[\"\\n\\\"\"]"),
        Located(text: "{\"gr\u{FC}n\":x}", path: "[\"gr\u{FC}n\"]"),
        Located(text: "{\"a\" : [ 1 , x ] }", path: "a[1]"),
    ])
    func names(_ located: Located) {
        guard case .failure(let error) = outcome(located.text) else {
            Issue.record("was read")
            return
        }
        #expect(error.path == located.path)
    }

    // A name from outside is cut in messages, on a whole character, and cannot flood them.
    @Test func longNamesAreCut() {
        let name = "a" + String(repeating: "\u{20AC}", count: 1_000)
        guard case .failure(let error) = outcome("{\"\(name)\":x}") else {
            Issue.record("was read")
            return
        }
        #expect(error.path == "[\"a" + String(repeating: "\u{20AC}", count: 21) + "\u{2026}\"]")
    }

    // The message says what, where in the document and where in the bytes.
    @Test func messagesNameThePlace() {
        let error = JSONError(.duplicateKey, offset: 31, path: "budgets[2].amount")
        #expect(error.description == "duplicate member at budgets[2].amount (byte 31)")
        #expect(
            JSONError(.unexpectedEnd, offset: 0, path: "").description
                == "JSON ends too early (byte 0)")
    }
}
