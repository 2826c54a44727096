extension JSONFields {
    // MARK: Objects

    /// The fields of an object, to be asked and closed by `rejectUnknown()` on their own.
    package mutating func object(_ name: String) throws(FieldError) -> JSONFields {
        try JSONFields(try requiredMember(name) ?? .object(JSONObject()), path: param(name))
    }

    package mutating func optionalObject(_ name: String) throws(FieldError) -> JSONFields? {
        guard let value = optionalValue(name) else { return nil }
        return try JSONFields(value, path: param(name))
    }

    /// An object of strings under names the sender chooses (tags), in source order; empty when
    /// absent or null.
    package mutating func stringMap(
        _ name: String, maxCount: Int, maxNameBytes: Int = 64, maxBytes: Int = 256
    ) throws(FieldError) -> [(name: String, value: String)] {
        guard var fields = try optionalObject(name) else { return [] }
        let members = fields.object.members
        if members.count > maxCount {
            throw error(.outOfRange, name, "must have at most \(maxCount) members")
        }
        var map: [(name: String, value: String)] = []
        map.reserveCapacity(members.count)
        for member in members {
            guard (1...maxNameBytes).contains(member.key.utf8.count) else {
                throw fields.error(
                    .outOfRange, member.key, "must have a name of 1 to \(maxNameBytes) bytes")
            }
            map.append((member.key, try fields.string(member.key, maxBytes: maxBytes)))
        }
        return map
    }

    // MARK: Arrays

    package mutating func array(
        _ name: String, maxCount: Int
    ) throws(FieldError) -> [JSONValue] {
        try elements(of: try requiredMember(name) ?? .array([]), name, maxCount)
    }

    package mutating func optionalArray(
        _ name: String, maxCount: Int
    ) throws(FieldError) -> [JSONValue]? {
        guard let value = optionalValue(name) else { return nil }
        return try elements(of: value, name, maxCount)
    }

    /// An array of objects, each with its own path (`budgets[2]`).
    package mutating func objects(
        _ name: String, maxCount: Int
    ) throws(FieldError) -> [JSONFields] {
        try objects(of: try array(name, maxCount: maxCount), name)
    }

    package mutating func optionalObjects(
        _ name: String, maxCount: Int
    ) throws(FieldError) -> [JSONFields]? {
        guard let values = try optionalArray(name, maxCount: maxCount) else { return nil }
        return try objects(of: values, name)
    }

    package mutating func strings(
        _ name: String, maxCount: Int, maxBytes: Int = 1_024
    ) throws(FieldError) -> [String] {
        try strings(of: try array(name, maxCount: maxCount), name, maxBytes)
    }

    package mutating func optionalStrings(
        _ name: String, maxCount: Int, maxBytes: Int = 1_024
    ) throws(FieldError) -> [String]? {
        guard let values = try optionalArray(name, maxCount: maxCount) else { return nil }
        return try strings(of: values, name, maxBytes)
    }

    private func elements(
        of value: JSONValue, _ name: String, _ maxCount: Int
    ) throws(FieldError) -> [JSONValue] {
        guard case .array(let elements) = value else {
            throw error(.wrongType, name, "must be an array, not \(value.kind)")
        }
        if elements.count > maxCount {
            throw error(.outOfRange, name, "must have at most \(maxCount) elements")
        }
        return elements
    }

    private func objects(
        of values: [JSONValue], _ name: String
    ) throws(FieldError) -> [JSONFields] {
        var fields: [JSONFields] = []
        fields.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            fields.append(try JSONFields(value, path: "\(param(name))[\(index)]"))
        }
        return fields
    }

    private func strings(
        of values: [JSONValue], _ name: String, _ maxBytes: Int
    ) throws(FieldError) -> [String] {
        var texts: [String] = []
        texts.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            guard case .string(let text) = value else {
                let predicate = "must be a string, not \(value.kind)"
                throw elementError(.wrongType, name, index, predicate)
            }
            if text.utf8.count > maxBytes {
                throw elementError(
                    .outOfRange, name, index, "must have at most \(maxBytes) bytes")
            }
            texts.append(text)
        }
        return texts
    }

    private func elementError(
        _ code: FieldError.Code, _ name: String, _ index: Int, _ predicate: String
    ) -> FieldError {
        let param = "\(param(name))[\(index)]"
        return FieldError(code, param: param, message: "\(param) \(predicate)")
    }
}
