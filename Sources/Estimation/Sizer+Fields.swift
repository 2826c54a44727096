import CanonicalJSON

extension Sizer {
    // MARK: Errors

    func error(_ predicate: String) -> SizingError {
        let param = path.text
        return SizingError(
            param: param.isEmpty ? nil : param,
            message: "\(param.isEmpty ? "the request" : param) \(predicate)")
    }

    private func wrongType(_ wanted: String, _ value: JSONValue) -> SizingError {
        error("must be \(wanted), not \(value.kind)")
    }

    // MARK: Values where the reader is

    func string(_ value: JSONValue) throws(SizingError) -> String {
        guard case .string(let text) = value else { throw wrongType("a string", value) }
        return text
    }

    func object(_ value: JSONValue) throws(SizingError) -> JSONObject {
        guard case .object(let object) = value else { throw wrongType("an object", value) }
        return object
    }

    /// Goes through an array, each element in its place.
    mutating func elements(
        _ value: JSONValue, _ read: (inout Sizer, JSONValue) throws(SizingError) -> Void
    ) throws(SizingError) {
        guard case .array(let elements) = value else { throw wrongType("an array", value) }
        for (place, element) in elements.enumerated() {
            path.enter(place)
            try read(&self, element)
            path.leave()
        }
    }

    // MARK: Members

    /// Reads a member, if it is there and not null, in its place.
    mutating func member(
        _ name: String, of object: JSONObject,
        _ read: (inout Sizer, JSONValue) throws(SizingError) -> Void
    ) throws(SizingError) {
        guard let value = object[name], !value.isNull else { return }
        path.enter(name)
        try read(&self, value)
        path.leave()
    }

    mutating func required(
        _ name: String, of object: JSONObject,
        _ read: (inout Sizer, JSONValue) throws(SizingError) -> Void
    ) throws(SizingError) {
        path.enter(name)
        guard let value = object[name], !value.isNull else { throw error("is required") }
        try read(&self, value)
        path.leave()
    }

    /// Text, if it is there.
    mutating func text(
        _ name: String, of object: JSONObject
    ) throws(SizingError) -> String? {
        guard let value = object[name], !value.isNull else { return nil }
        path.enter(name)
        let text = try string(value)
        path.leave()
        return text
    }

    /// A count, if it is there.
    mutating func count(
        _ name: String, of object: JSONObject, from least: Int64 = 0
    ) throws(SizingError) -> Int64? {
        guard let value = object[name], !value.isNull else { return nil }
        path.enter(name)
        let range = "must be between \(least) and \(Self.countMax)"
        switch value {
        case .integer(let count) where (least...Self.countMax).contains(count):
            path.leave()
            return count
        // An integer beyond 64 bits is read as a number.
        case .number(let text) where text.utf8.allSatisfy(Self.isOfInteger): throw error(range)
        case .integer: throw error(range)
        default: throw wrongType("an integer", value)
        }
    }

    private static func isOfInteger(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
    }

    mutating func flag(_ name: String, of object: JSONObject) throws(SizingError) -> Bool {
        guard let value = object[name], !value.isNull else { return false }
        path.enter(name)
        guard case .bool(let flag) = value else { throw wrongType("true or false", value) }
        path.leave()
        return flag
    }

    /// Text that the model reads, if it is there.
    mutating func readText(_ name: String, of object: JSONObject) throws(SizingError) {
        if let text = try text(name, of: object) { read(text) }
    }

    /// What no request can mean.
    private static var countMax: Int64 { 1_000_000_000 }

    // MARK: What several dialects have

    mutating func readStreaming(_ body: JSONObject) throws(SizingError) {
        isStreaming = try flag("stream", of: body)
        try member("stream_options", of: body) { (sizer, value) throws(SizingError) in
            let options = try sizer.object(value)
            sizer.asksForUsageInStream = try sizer.flag("include_usage", of: options)
        }
    }

    /// An end user is named by text; of a length that no id can have it names nobody.
    mutating func readUsers(_ body: JSONObject) throws(SizingError) {
        user = try name("user", of: body)
        safetyIdentifier = try name("safety_identifier", of: body)
        guard case .object(let metadata)? = body["metadata"] else { return }
        path.enter("metadata")
        metadataUserID = try name("user_id", of: metadata)
        path.leave()
    }

    private mutating func name(
        _ name: String, of object: JSONObject
    ) throws(SizingError) -> String? {
        guard let text = try text(name, of: object), (1...1_024).contains(text.utf8.count) else {
            return nil
        }
        return text
    }
}

extension JSONValue {
    var isNull: Bool {
        if case .null = self { return true }
        return false
    }

    var text: String? {
        if case .string(let text) = self { return text }
        return nil
    }
}
