// Takes the fields of a strict body one by one.
//
// Every field is asked for by name; `rejectUnknown()` at the end refuses the first one nobody asked
// for, so a misspelt `ttl_second` is an error and not a default. A `null` is as good as absent
// where a field is optional, and wrong where it is required. Lengths are in bytes of UTF-8.
//
//     var fields = try JSONFields(body)
//     let model = try fields.string("model", maxBytes: 256)
//     let ttl = try fields.optionalInt("ttl_seconds", in: 1...86_400)
//     let amount = try fields.optionalDecimalText("amount")
//     try fields.rejectUnknown()

package struct JSONFields: Sendable {
    package let object: JSONObject
    /// Where the object is in the body: `budgets[2]`; empty at the top.
    package let path: String
    /// One bit for each of the first 64 members: asked for.
    private var askedBits: UInt64 = 0
    /// Indices of members past the 64th that were asked for.
    private var askedBeyond: Set<Int> = []

    package init(_ object: JSONObject, path: String = "") {
        self.object = object
        self.path = path
    }

    /// - Throws: `.wrongType` when the value is not an object.
    package init(_ value: JSONValue, path: String = "") throws(FieldError) {
        guard case .object(let object) = value else {
            let subject = path.isEmpty ? "the body" : path
            throw FieldError(
                .wrongType, param: path, message: "\(subject) must be an object, not \(value.kind)")
        }
        self.init(object, path: path)
    }

    /// The full path of a member.
    package func param(_ name: String) -> String {
        var param = path
        JSONPath.appendMember(name, to: &param)
        return param
    }

    /// Whether the member is there and not null. Does not count as asking for it.
    package func has(_ name: String) -> Bool {
        switch object[name] {
        case nil, .null: false
        default: true
        }
    }

    /// An error of the caller's own about a member: "ttl_seconds must be …".
    package func error(
        _ code: FieldError.Code = .invalid, _ name: String, _ predicate: String
    ) -> FieldError {
        let param = param(name)
        return FieldError(code, param: param, message: "\(param) \(predicate)")
    }

    // MARK: Asking

    /// The member as it is, null included; nil when absent.
    package mutating func value(_ name: String) -> JSONValue? {
        guard let index = object.index(of: name) else { return nil }
        if index < 64 { askedBits |= 1 &<< UInt64(index) } else { askedBeyond.insert(index) }
        return object.members[index].value
    }

    /// The member; nil when absent or null.
    package mutating func optionalValue(_ name: String) -> JSONValue? {
        switch value(name) {
        case nil, .null: nil
        case let value: value
        }
    }

    /// Refuses members that nobody asked for, naming the first.
    package func rejectUnknown() throws(FieldError) {
        for (index, member) in object.members.enumerated() {
            let wasAsked =
                index < 64 ? askedBits >> UInt64(index) & 1 == 1 : askedBeyond.contains(index)
            if !wasAsked { throw error(.unknownField, member.key, "is not a known field") }
        }
    }
}
