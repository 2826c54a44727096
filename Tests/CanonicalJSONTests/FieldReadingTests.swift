import CanonicalJSON
import Testing

@Suite struct FieldReadingTests {
    private enum Colour: String, CaseIterable { case red, green }

    /// Asks for a field of every kind, all required, the last ones inside others.
    private func readAll(_ fields: JSONFields) throws(FieldError) {
        var fields = fields
        _ = try fields.string("text", minBytes: 3)
        _ = try fields.choice("colour", of: Colour.self)
        _ = try fields.decimalText("price")
        _ = try fields.int("count", in: 5...9)
        _ = try fields.bool("flag")
        _ = try fields.array("list", maxCount: 4)
        var inner = try fields.object("inner")
        _ = try inner.string("name")
        try inner.rejectUnknown()
        if !fields.has("this"), !fields.has("that") {
            try fields.refuseMissing("this", "or that is required")
        }
        _ = fields.optionalValue("this")
        _ = fields.optionalValue("that")
        try fields.rejectUnknown()
    }

    private func error(in source: String) throws -> FieldError? {
        let fields = try JSONFields(try StrictJSON.parse(Array(source.utf8)))
        do throws(FieldError) {
            try readingFields { () throws(FieldError) in try readAll(fields) }
            return nil
        } catch {
            return error
        }
    }

    // Whatever is missing, and of whatever kind, an unknown field is named before it.
    @Test(arguments: [
        #"{"txt":"abc"}"#, #"{"text":"abc","txt":1}"#, #"{"text":"abc","colour":"red","txt":1}"#,
        #"{"text":"abc","colour":"red","price":"1","txt":1}"#,
        #"{"text":"abc","colour":"red","price":"1","count":5,"txt":1}"#,
        #"{"text":"abc","colour":"red","price":"1","count":5,"flag":true,"txt":1}"#,
        #"{"text":"abc","colour":"red","price":"1","count":5,"flag":true,"list":[],"txt":1}"#,
        #"{"inner":{},"txt":1}"#, #"{"inner":{"name":"n"},"txt":1}"#,
    ])
    func unknownFirst(source: String) throws {
        #expect(
            try error(in: source)
                == FieldError(.unknownField, param: "txt", message: "txt is not a known field"))
    }

    // Inside an object too.
    @Test func unknownInside() throws {
        #expect(try error(in: #"{"inner":{"nam":"n"}}"#)?.param == "inner.nam")
    }

    // Without an unknown field the first missing one is named, and nothing missing ever passes.
    @Test func missing() throws {
        #expect(try error(in: "{}")?.message == "text is required")
        #expect(try error(in: #"{"text":"abc","inner":{}}"#)?.message == "colour is required")
        let all =
            #""text":"abc","colour":"red","price":"1","count":5,"flag":true,"list":[]"#
        #expect(try error(in: "{\(all)}")?.message == "inner is required")
        #expect(try error(in: #"{\#(all),"inner":{}}"#)?.message == "inner.name is required")
        #expect(
            try error(in: #"{\#(all),"inner":{"name":"n"}}"#)?.message
                == "this or that is required")
        #expect(try error(in: #"{\#(all),"inner":{"name":"n"},"that":1}"#) == nil)
    }

    // What is there and wrong is named as it is met.
    @Test func wrongStaysWrong() throws {
        #expect(try error(in: #"{"text":1,"txt":"abc"}"#)?.code == .wrongType)
        #expect(try error(in: #"{"text":"abc","count":1,"txt":2}"#)?.code == .missing)
    }
}
