import CanonicalJSON
import Testing

struct JSONValueTests {
    // Objects are equal when they have the same members, in whatever order; arrays keep theirs.
    @Test func equalityIgnoresMemberOrder() {
        let value: JSONValue = ["a": 1, "b": ["c": [1, 2]], "d": .null]
        #expect(value == ["d": .null, "b": ["c": [1, 2]], "a": 1])
        #expect(value != ["a": 1, "b": ["c": [2, 1]], "d": .null])
        #expect(value != ["a": 1, "b": ["c": [1, 2]]])
        #expect(value != ["a": 1, "b": ["c": [1, 2]], "e": .null])
        #expect(JSONValue.integer(1) != .number("1.0"))
        #expect(JSONValue.null != false)
    }

    // Texts that Swift holds for equal but whose bytes differ are different here: as strings, as
    // names, in look-up and in the hunt for duplicates.
    @Test func textsAreTheirBytes() throws {
        let composed = "\u{E9}"
        let decomposed = "e\u{301}"
        try #require(composed == decomposed)
        #expect(JSONValue.string(composed) != .string(decomposed))
        let both = try StrictJSON.parse("{\"\(composed)\":1,\"\(decomposed)\":2}")
        #expect(both == [composed: 1, decomposed: 2])
        guard case .object(let object) = both else { return }
        #expect(object[composed] == 1)
        #expect(object[decomposed] == 2)
        #expect(try text(CanonicalJSON.encode(both)) == "{\"e\u{301}\":2,\"\u{E9}\":1}")

        // Same length, same first, middle and last byte: alike to the small-object filter.
        let padding = "0123456789"
        let oneOrder = padding + "e\u{323}\u{301}z"
        let otherOrder = padding + "e\u{301}\u{323}z"
        try #require(oneOrder == otherOrder)
        let alike = try StrictJSON.parse("{\"\(oneOrder)\":1,\"\(otherOrder)\":2}")
        #expect(alike == [oneOrder: 1, otherOrder: 2])

        try #require("K" == "\u{212A}")
        let kelvin = JSONObject([("\u{212A}", 1)])
        #expect(kelvin["K"] == nil)
        #expect(kelvin["\u{212A}"] == 1)
    }

    // Large objects keep names apart by bytes too.
    @Test func largeObjectsKeepNamesApart() throws {
        var source = "{"
        for index in 0..<40 { source += "\"n\(index)\":0," }
        let bothForms = source + "\"\u{E9}\":1,\"e\u{301}\":2}"
        guard case .object(let object) = try StrictJSON.parse(bothForms) else {
            Issue.record("not an object")
            return
        }
        #expect(object["\u{E9}"] == 1)
        #expect(object["e\u{301}"] == 2)
        #expect(object.members.count == 42)
    }

    // Look-up finds a member whatever its place and length, and nothing that is not there.
    @Test func lookUp() {
        var object = JSONObject()
        let names = [
            "", "a", "seven..", "eight...", "nine.....", "seventeen bytes..", "seventeen bytes.!",
        ]
        for (index, name) in names.enumerated() { object.append(name, .integer(Int64(index))) }
        for (index, name) in names.enumerated() { #expect(object[name] == .integer(Int64(index))) }
        for name in ["b", "seven.,", "eight..,", ".ight...", "nine....,", "seventeen bytes.?"] {
            #expect(object[name] == nil)
        }
        #expect(object.members.map(\.key) == names)
    }
}
