import CanonicalJSON
import Testing

struct JSONWriterTests {
    // The writer places every comma and colon: containers in containers, empty ones, scalars.
    @Test func placesCommas() {
        var writer = JSONWriter(reservingCapacity: 64)
        writer.beginObject()
        writer.key("a")
        writer.beginArray()
        writer.integer(1)
        writer.string("x")
        writer.bool(true)
        writer.bool(false)
        writer.null()
        writer.beginArray()
        writer.endArray()
        writer.beginObject()
        writer.endObject()
        writer.raw(Array("{\"raw\":1}".utf8))
        writer.plainString { $0 += Array("0.25".utf8) }
        writer.endArray()
        writer.key("b")
        writer.beginObject()
        writer.key(dynamic: "k\n")
        writer.integer(-7)
        writer.key(dynamic: "z")
        writer.null()
        writer.endObject()
        writer.key("c")
        writer.string("")
        writer.endObject()
        #expect(
            text(writer.bytes) == """
                {"a":[1,"x",true,false,null,[],{},{"raw":1},"0.25"],\
                "b":{"k\\n":-7,"z":null},"c":""}
                """)
    }

    // Every code point below U+0020, quote and backslash are escaped as RFC 8785 3.2.2.2 says, and
    // nothing else is.
    @Test func escapesAsTheStandardSays() {
        let short: [UInt8: String] = [
            8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 0x22: "\\\"", 0x5C: "\\\\",
        ]
        let hex = Array("0123456789abcdef")
        for byte in UInt8(0)...0x7F {
            let character = String(Unicode.Scalar(byte))
            let isControl = byte < 0x20
            let long = "\\u00\(hex[Int(byte >> 4)])\(hex[Int(byte & 15)])"
            let expected = short[byte] ?? (isControl ? long : character)
            // Alone, and behind enough plain bytes to be met in the eight-byte step.
            for prefix in ["", "1234567", "1234567890\u{E9}"] {
                var writer = JSONWriter()
                writer.string(prefix + character + "z")
                #expect(text(writer.bytes) == "\"\(prefix)\(expected)z\"")
            }
        }
        for scalar in ["\u{80}", "\u{2028}", "\u{FFFF}", "\u{1F600}", "/", "'"] {
            var writer = JSONWriter()
            writer.string(scalar)
            #expect(text(writer.bytes) == "\"\(scalar)\"")
        }
    }

    // Integers have all their digits, at every power of ten and at both ends of the range.
    @Test func integersAtEveryLength() {
        var values: [Int64] = [0, .max, .min, .max - 1, .min + 1]
        var power: Int64 = 1
        for _ in 0..<19 {
            values += [power, power - 1, power + 1, -power, -power + 1, -power - 1]
            power = power.multipliedReportingOverflow(by: 10).partialValue
        }
        for value in values {
            var writer = JSONWriter()
            writer.beginArray()
            writer.integer(value)
            writer.integer(value)
            writer.endArray()
            #expect(text(writer.bytes) == "[\(value),\(value)]")
        }
    }

    // Documents written one after the other into one buffer stand side by side.
    @Test func appendsBehindWhatIsThere() {
        var bytes = Array("{}".utf8)
        for number in 1...2 {
            JSONWriter.append(to: &bytes) { writer in
                writer.beginArray()
                writer.integer(Int64(number))
                writer.endArray()
            }
        }
        #expect(text(bytes) == "{}[1][2]")
    }

    struct Stop: Error {}

    // When the body gives up, the buffer is given back with what was written until then.
    @Test func givesTheBufferBackOnError() {
        var bytes = Array("1".utf8)
        #expect(throws: Stop.self) {
            try JSONWriter.append(to: &bytes) { (writer) throws(Stop) in
                writer.integer(2)
                throw Stop()
            }
        }
        #expect(text(bytes) == "12")
    }

    // What the writer writes by hand is what the canonical encoder makes of the same value.
    @Test func agreesWithTheEncoder() throws {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("amount")
        writer.integer(41_000_000)
        writer.key("budgets")
        writer.beginArray()
        writer.string("daily \"1\"")
        writer.endArray()
        writer.key("id")
        writer.string("res_\u{1F600}")
        writer.endObject()
        let value: JSONValue = [
            "id": "res_\u{1F600}", "amount": 41_000_000, "budgets": ["daily \"1\""],
        ]
        #expect(try CanonicalJSON.encode(value) == writer.bytes)
    }

    #if DEBUG
        // A debug build stops a caller who gives members out of order.
        @Test func stopsUnorderedMembers() async {
            await #expect(processExitsWith: .failure) {
                var writer = JSONWriter()
                writer.beginObject()
                writer.key("b")
                writer.integer(1)
                writer.key("a")
            }
        }
    #endif
}
