import CanonicalJSON
import Testing

struct JSONFieldsTests {
    private func fields(_ source: String, path: String = "") throws -> JSONFields {
        try JSONFields(StrictJSON.parse(source), path: path)
    }

    private enum Action: String, CaseIterable {
        case release
        case charge
        case k
    }

    // A body with every kind of field is taken apart, and nothing is left over.
    @Test func takesABody() throws {
        var body = try fields(
            """
            {"model":"gpt","user":null,"ttl_seconds":600,"dry_run":true,"amount":"0.004175",
             "on_expiry":"charge","tags":{"team":"a","env":"p"},"names":["x","y"],
             "usage":{"input_tokens":5},"budgets":[{"id":"d"},{"id":"m"}],"any":[1,null]}
            """)
        #expect(try body.string("model") == "gpt")
        #expect(try body.optionalString("user", maxBytes: 256) == nil)
        #expect(try body.optionalString("absent") == nil)
        #expect(try body.int("ttl_seconds", in: 1...86_400) == 600)
        #expect(try body.optionalInt("absent", in: 0...1) == nil)
        #expect(try body.bool("dry_run"))
        #expect(try body.optionalBool("absent") == nil)
        #expect(try body.decimalText("amount") == "0.004175")
        #expect(try body.optionalDecimalText("absent") == nil)
        #expect(try body.choice("on_expiry", of: Action.self) == .charge)
        #expect(try body.optionalChoice("absent", of: Action.self) == nil)
        let tags = try body.stringMap("tags", maxCount: 2)
        #expect(tags.map(\.name) == ["team", "env"])
        #expect(tags.map(\.value) == ["a", "p"])
        #expect(try body.stringMap("absent", maxCount: 2).isEmpty)
        #expect(try body.strings("names", maxCount: 2) == ["x", "y"])
        #expect(try body.optionalStrings("absent", maxCount: 2) == nil)
        var usage = try body.object("usage")
        #expect(usage.path == "usage")
        #expect(try usage.int("input_tokens") == 5)
        try usage.rejectUnknown()
        #expect(try body.optionalObject("absent") == nil)
        var ids: [String] = []
        for var budget in try body.objects("budgets", maxCount: 10) {
            ids.append(budget.path + "=" + (try budget.string("id")))
            try budget.rejectUnknown()
        }
        #expect(ids == ["budgets[0]=d", "budgets[1]=m"])
        #expect(try body.optionalObjects("absent", maxCount: 10) == nil)
        #expect(try body.array("any", maxCount: 2) == [1, .null])
        #expect(try body.optionalArray("absent", maxCount: 2) == nil)
        #expect(body.has("model"))
        #expect(!body.has("user"))
        #expect(!body.has("absent"))
        try body.rejectUnknown()
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let source: String
        let take: @Sendable (inout JSONFields) throws(FieldError) -> Void
        let error: FieldError

        init(
            _ source: String, _ code: FieldError.Code, _ param: String, _ message: String,
            _ take: @escaping @Sendable (inout JSONFields) throws(FieldError) -> Void
        ) {
            self.source = source
            self.take = take
            error = FieldError(code, param: param, message: message)
        }

        var testDescription: String { "\(source) \(error.message)" }
    }

    static let scalarRefusals = [
        Refusal("{}", .missing, "a", "a is required") { f throws(FieldError) in
            _ = try f.string("a")
        },
        Refusal("{}", .missing, "a", "a is required") { f throws(FieldError) in
            _ = try f.decimalText("a")
        },
        Refusal("{\"a\":null}", .wrongType, "a", "a must be a string, not null") {
            f throws(FieldError) in _ = try f.string("a")
        },
        Refusal("{\"a\":1}", .wrongType, "a", "a must be a string, not a number") {
            f throws(FieldError) in _ = try f.optionalString("a")
        },
        Refusal("{\"a\":\"\"}", .outOfRange, "a", "a must not be empty") {
            f throws(FieldError) in _ = try f.string("a", minBytes: 1)
        },
        Refusal("{\"a\":\"x\"}", .outOfRange, "a", "a must have at least 2 bytes") {
            f throws(FieldError) in _ = try f.string("a", minBytes: 2)
        },
        Refusal("{\"a\":\"\u{20AC}\u{20AC}\"}", .outOfRange, "a", "a must have at most 5 bytes") {
            f throws(FieldError) in _ = try f.string("a", maxBytes: 5)
        },
        Refusal("{\"a\":0}", .outOfRange, "a", "a must be between 1 and 9") {
            f throws(FieldError) in _ = try f.int("a", in: 1...9)
        },
        Refusal("{\"a\":10}", .outOfRange, "a", "a must be between 1 and 9") {
            f throws(FieldError) in _ = try f.optionalInt("a", in: 1...9)
        },
        Refusal("{\"a\":99999999999999999999}", .outOfRange, "a", "a must be between 1 and 9") {
            f throws(FieldError) in _ = try f.int("a", in: 1...9)
        },
        Refusal(
            "{\"a\":1.0}", .wrongType, "a",
            "a must be an integer, written without fraction and exponent"
        ) { f throws(FieldError) in _ = try f.int("a") },
        Refusal(
            "{\"a\":1E3}", .wrongType, "a",
            "a must be an integer, written without fraction and exponent"
        ) { f throws(FieldError) in _ = try f.int("a") },
        Refusal("{\"a\":\"1\"}", .wrongType, "a", "a must be an integer, not a string") {
            f throws(FieldError) in _ = try f.int("a")
        },
        Refusal("{\"a\":0}", .wrongType, "a", "a must be true or false, not a number") {
            f throws(FieldError) in _ = try f.bool("a")
        },
        Refusal(
            "{\"a\":0.25}", .wrongType, "a",
            "a must be a string: amounts are decimal strings such as \"0.25\", never JSON numbers"
        ) { f throws(FieldError) in _ = try f.decimalText("a") },
        Refusal(
            "{\"a\":5}", .wrongType, "a",
            "a must be a string: amounts are decimal strings such as \"0.25\", never JSON numbers"
        ) { f throws(FieldError) in _ = try f.optionalDecimalText("a") },
        Refusal("{\"a\":true}", .wrongType, "a", "a must be a string, not a boolean") {
            f throws(FieldError) in _ = try f.decimalText("a")
        },
        Refusal("{\"a\":\"\"}", .outOfRange, "a", "a must not be empty") {
            f throws(FieldError) in _ = try f.decimalText("a")
        },
        Refusal(
            "{\"a\":\"keep\"}", .invalid, "a", "a must be one of \"release\", \"charge\", \"k\""
        ) { f throws(FieldError) in _ = try f.choice("a", of: Action.self) },
        // Swift's own == takes the Kelvin sign for K's relative; only the bytes count.
        Refusal(
            "{\"a\":\"\u{212A}\"}", .invalid, "a", "a must be one of \"release\", \"charge\", \"k\""
        ) { f throws(FieldError) in _ = try f.choice("a", of: Action.self) },
    ]

    static let containerRefusals = [
        Refusal("{\"a\":[]}", .wrongType, "a", "a must be an object, not an array") {
            f throws(FieldError) in _ = try f.object("a")
        },
        Refusal("{\"a\":{}}", .wrongType, "a", "a must be an array, not an object") {
            f throws(FieldError) in _ = try f.array("a", maxCount: 1)
        },
        Refusal("{\"a\":[1,2]}", .outOfRange, "a", "a must have at most 1 elements") {
            f throws(FieldError) in _ = try f.array("a", maxCount: 1)
        },
        Refusal("{\"a\":[\"x\",2]}", .wrongType, "a[1]", "a[1] must be a string, not a number") {
            f throws(FieldError) in _ = try f.strings("a", maxCount: 2)
        },
        Refusal("{\"a\":[\"xyz\"]}", .outOfRange, "a[0]", "a[0] must have at most 2 bytes") {
            f throws(FieldError) in _ = try f.strings("a", maxCount: 2, maxBytes: 2)
        },
        Refusal("{\"a\":[{},[]]}", .wrongType, "a[1]", "a[1] must be an object, not an array") {
            f throws(FieldError) in _ = try f.objects("a", maxCount: 2)
        },
        Refusal("{\"a\":[{\"b\":{}}]}", .missing, "a[0].b.c", "a[0].b.c is required") {
            f throws(FieldError) in
            var inner = try f.objects("a", maxCount: 1)[0]
            var object = try inner.object("b")
            _ = try object.int("c")
        },
        Refusal(
            "{\"a\":{\"x\":\"1\",\"y\":\"2\"}}", .outOfRange, "a", "a must have at most 1 members"
        ) {
            f throws(FieldError) in _ = try f.stringMap("a", maxCount: 1)
        },
        Refusal("{\"a\":{\"x\":1}}", .wrongType, "a.x", "a.x must be a string, not a number") {
            f throws(FieldError) in _ = try f.stringMap("a", maxCount: 1)
        },
        Refusal(
            "{\"a\":{\"x.y\":1}}", .wrongType, "a[\"x.y\"]",
            "a[\"x.y\"] must be a string, not a number"
        ) { f throws(FieldError) in _ = try f.stringMap("a", maxCount: 1) },
        Refusal(
            "{\"a\":{\"\":\"1\"}}", .outOfRange, "a[\"\"]",
            "a[\"\"] must have a name of 1 to 64 bytes"
        ) { f throws(FieldError) in _ = try f.stringMap("a", maxCount: 1) },
        Refusal("{\"a\":1,\"b\":2}", .unknownField, "b", "b is not a known field") {
            f throws(FieldError) in
            _ = try f.int("a")
            try f.rejectUnknown()
        },
    ]

    // Each refusal has its code, the full path of the field, and a sentence that names it.
    @Test(arguments: scalarRefusals + containerRefusals)
    func refuses(_ refusal: Refusal) throws {
        var fields = try fields(refusal.source)
        #expect(error { () throws(FieldError) in try refusal.take(&fields) } == refusal.error)
    }

    // The body itself must be an object.
    @Test func bodyMustBeAnObject() {
        let error = error { () throws(FieldError) in _ = try JSONFields([1]) }
        #expect(
            error
                == FieldError(
                    .wrongType, param: "", message: "the body must be an object, not an array"))
    }

    // Members beyond the 64th are watched like the others.
    @Test func unknownFieldsAmongMany() throws {
        let source = "{" + (0..<130).map { "\"n\($0)\":\($0)" }.joined(separator: ",") + "}"
        for unknown in [0, 63, 64, 65, 129] {
            var fields = try fields(source, path: "big")
            for index in 0..<130 where index != unknown {
                #expect(try fields.int("n\(index)") == index)
            }
            let error = error { () throws(FieldError) in try fields.rejectUnknown() }
            #expect(error?.param == "big.n\(unknown)")
            #expect(try fields.int("n\(unknown)") == unknown)
            try fields.rejectUnknown()
        }
    }

    // A caller's own check speaks in the same form.
    @Test func ownErrors() throws {
        let fields = try fields("{}", path: "budgets[2]")
        let error = fields.error(.invalid, "amount", "must not be negative")
        #expect(error.param == "budgets[2].amount")
        #expect(error.description == "budgets[2].amount must not be negative")
    }
}
