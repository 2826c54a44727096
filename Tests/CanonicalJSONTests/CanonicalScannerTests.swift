import CanonicalJSON
import Testing

struct CanonicalScannerTests {
    private func scan<Result>(
        _ source: String, _ body: (inout CanonicalScanner) throws(JSONError) -> Result
    ) throws(JSONError) -> Result {
        try CanonicalScanner.reading(Array(source.utf8), body)
    }

    // Fields asked for in ascending order are found; absent ones are told; unknown ones skipped.
    @Test func readsFieldsInOrder() throws {
        let source = """
            {"amount":-41000000,"budgets":[{"held":1,"id":"d"},{"held":2,"id":"m","x":[{}]}],\
            "customer":"cus_\u{E9}\\n","dry_run":false,"new":{"deep":[[1,{"a":"]}"}],null]},\
            "run":null,"tags":{"a":"1","b c":"2"},"ttl":600}
            """
        try scan(source) { (scanner) throws(JSONError) in
            try scanner.enterObject()
            #expect(try scanner.field("aaa") == false)
            try scanner.require("amount")
            #expect(try scanner.readInt64() == -41_000_000)
            try scanner.require("budgets")
            try scanner.enterArray()
            var budgets: [String] = []
            while try scanner.nextElement() {
                try scanner.enterObject()
                try scanner.require("held")
                let held = try scanner.readInt64()
                try scanner.require("id")
                budgets.append("\(try scanner.readString())\(held)")
                try scanner.leaveObject()
            }
            #expect(budgets == ["d1", "m2"])
            #expect(try scanner.field("customer"))
            #expect(try scanner.readString() == "cus_\u{E9}\n")
            #expect(try scanner.field("customer_name") == false)
            #expect(try scanner.field("dry_run"))
            #expect(try scanner.readBool() == false)
            #expect(try scanner.field("run"))
            #expect(try scanner.readNull())
            #expect(try scanner.field("tags"))
            try scanner.enterObject()
            var tags: [String] = []
            while let name = try scanner.nextMember() {
                tags.append("\(name)=\(try scanner.readString())")
            }
            try scanner.leaveObject()
            #expect(tags == ["a=1", "b c=2"])
            #expect(try scanner.field("zzz") == false)
            #expect(try scanner.field("zzzz") == false)
            try scanner.leaveObject()
            try scanner.finish()
        }
    }

    // A field that is not there leaves the place: the next larger one is still found.
    @Test func absentFieldsDoNotMove() throws {
        for source in ["{\"b\":1,\"d\":2}", "{\"a\":0,\"b\":1,\"c\":[0],\"d\":2,\"e\":3}"] {
            try scan(source) { (scanner) throws(JSONError) in
                try scanner.enterObject()
                #expect(try scanner.field("b"))
                #expect(try scanner.readInt64() == 1)
                #expect(try scanner.field("bb") == false)
                #expect(try scanner.field("d"))
                #expect(try scanner.readInt64() == 2)
                try scanner.leaveObject()
                try scanner.finish()
            }
        }
        try scan("{}") { (scanner) throws(JSONError) in
            try scanner.enterObject()
            #expect(try scanner.field("a") == false)
            #expect(try scanner.nextMember() == nil)
            try scanner.leaveObject()
            try scanner.finish()
        }
    }

    // A name of which another is a prefix, or that is longer than the bytes left, is not confused.
    @Test func namesAreComparedWhole() throws {
        try scan("{\"ab\":1,\"abc\":2}") { (scanner) throws(JSONError) in
            try scanner.enterObject()
            #expect(try scanner.field("a") == false)
            #expect(try scanner.field("abc"))
            #expect(try scanner.readInt64() == 2)
            #expect(try scanner.field("abcdefghijklmnopqrstuvwxyz") == false)
            try scanner.leaveObject()
        }
        // Written with escapes, the name sorts by what it stands for.
        try scan("{\"\\n\":1,\"a\\\"b\":2,\"b\":3}") { (scanner) throws(JSONError) in
            try scanner.enterObject()
            #expect(try scanner.field("a\"b"))
            #expect(try scanner.readInt64() == 2)
            #expect(try scanner.field("b"))
        }
    }

    // Integers of the whole range; nothing that is not a canonical integer.
    @Test func integers() throws {
        for value in [0, 1, -1, 9, 10, .max, .min, 999_999_999_999_999_999] as [Int64] {
            #expect(try scan("\(value)") { (s) throws(JSONError) in try s.readInt64() } == value)
            let inArray = try scan("[\(value)]") { (scanner) throws(JSONError) in
                try scanner.enterArray()
                #expect(try scanner.nextElement())
                let read = try scanner.readInt64()
                #expect(try scanner.nextElement() == false)
                return read
            }
            #expect(inArray == value)
        }
        let invalid = ["-0", "1.0", "1e3", "01", "-", "9223372036854775808", "-x"]
        for source in invalid {
            let error = error { () throws(JSONError) in
                _ = try scan(source + " ") { (s) throws(JSONError) in try s.readInt64() }
            }
            #expect(error?.code == .invalidNumber, "\(source)")
        }
        for source in ["\"1\"", "null", "[1]", "+1", " 1", ".5"] {
            let error = error { () throws(JSONError) in
                _ = try scan(source) { (s) throws(JSONError) in try s.readInt64() }
            }
            #expect(error == JSONError(.unexpectedByte, offset: 0, path: ""), "\(source)")
        }
    }

    // Asking for another type than is there throws, names the place and does not move.
    @Test func wrongTypesThrow() throws {
        try scan("{\"a\":{\"b\":[true,\"x\",null]}}") { (scanner) throws(JSONError) in
            try scanner.enterObject()
            try scanner.require("a")
            #expect(error { () throws(JSONError) in try scanner.enterArray() }?.path == "a")
            try scanner.enterObject()
            try scanner.require("b")
            try scanner.enterArray()
            #expect(try scanner.nextElement())
            let failure = error { () throws(JSONError) in _ = try scanner.readString() }
            #expect(failure == JSONError(.unexpectedByte, offset: 11, path: "a.b[0]"))
            #expect(try scanner.readNull() == false)
            #expect(try scanner.readBool())
            #expect(try scanner.nextElement())
            #expect(error { () throws(JSONError) in _ = try scanner.readBool() }?.path == "a.b[1]")
            #expect(try scanner.readString() == "x")
            #expect(try scanner.nextElement())
            #expect(try scanner.readNull())
            #expect(try scanner.nextElement() == false)
            try scanner.leaveObject()
            try scanner.leaveObject()
            try scanner.finish()
        }
    }

    // A failure halfway through a value leaves the scanner at its start.
    @Test func failuresDoNotMove() throws {
        try scan("{\"a\":1.5,\"b\":\"x\"}") { (scanner) throws(JSONError) in
            try scanner.enterObject()
            try scanner.require("a")
            let start = scanner.offset
            #expect(error { () throws(JSONError) in _ = try scanner.readInt64() } != nil)
            #expect(scanner.offset == start)
            try scanner.skipValue()
            try scanner.require("b")
            #expect(try scanner.readString() == "x")
            try scanner.leaveObject()
            try scanner.finish()
        }
    }

    // A required member that is missing is named by its full path.
    @Test func missingMembersAreNamed() {
        let sources = ["{\"o\":[{\"a\":1,\"c\":2}]}", "{\"o\":[{\"a\":1}]}", "{\"o\":[{}]}"]
        for source in sources {
            let error = error { () throws(JSONError) in
                try scan(source) { (scanner) throws(JSONError) in
                    try scanner.enterObject()
                    try scanner.require("o")
                    try scanner.enterArray()
                    #expect(try scanner.nextElement())
                    try scanner.enterObject()
                    if try scanner.field("a") { try scanner.skipValue() }
                    try scanner.require("b")
                }
            }
            #expect(error?.code == .missingMember)
            #expect(error?.path == "o[0].b")
        }
    }

    // Damage between values, inside skipped ones and at the end is found.
    @Test(arguments: [
        "{\"a\":1 ,\"b\":2}", "{\"a\":1,\"b\":2,}", "{\"a\":1\"b\":2}", "{\"a\":1,,\"b\":2}",
        "{\"a\":1,\"b\" :2}", "{\"a\":1,\"b\"2}", "{,\"a\":1,\"b\":2}", "{\"a\":1,\"b\":2",
        "{\"a\":1,\"b\":2}x", "{\"a\":[1,],\"b\":2}", "{\"a\":[1 2],\"b\":2}",
        "{\"a\":[,1],\"b\":2}", "{\"a\":{\"x\"},\"b\":2}", "{\"a\":{\"x\":1,},\"b\":2}",
        "{\"a\":{x:1},\"b\":2}", "{\"a\":tru,\"b\":2}", "{\"a\":\"\n\",\"b\":2}",
        "{\"a\":\"\\ud800\",\"b\":2}", "{\"a\":1.,\"b\":2}", "{\"a\":?,\"b\":2}",
        "{\"a\":,\"b\":2}",
        "{\"a\":[1},\"b\":2}", "{\"a\":{]\"b\":2}", "", "[", "{", "{\"", "{\"a\":1,\"b\":2]",
    ])
    func findsDamage(_ source: String) {
        let error = error { () throws(JSONError) in
            try scan(source) { (scanner) throws(JSONError) in
                try scanner.enterObject()
                if try scanner.field("b") { _ = try scanner.readInt64() }
                try scanner.leaveObject()
                try scanner.finish()
            }
        }
        #expect(error != nil)
    }

    // Skipping is bounded in depth: a bomb throws.
    @Test func skippingIsBounded() {
        for opening in ["[", "{\"a\":"] {
            let bomb = String(repeating: opening, count: 100_000)
            let error = error { () throws(JSONError) in
                try scan(bomb) { (s) throws(JSONError) in try s.skipValue() }
            }
            #expect(error?.code == .tooDeep)
        }
    }
}
