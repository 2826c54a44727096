extension JSONFields {
    // MARK: Text

    /// - Throws: `.missing`, `.wrongType`, `.outOfRange` when too short or too long.
    package mutating func string(
        _ name: String, minBytes: Int = 0, maxBytes: Int = 1_024
    ) throws(FieldError) -> String {
        guard let value = try requiredMember(name) else {
            return String(repeating: "-", count: minBytes)
        }
        return try text(of: value, name, minBytes...max(minBytes, maxBytes))
    }

    package mutating func optionalString(
        _ name: String, minBytes: Int = 0, maxBytes: Int = 1_024
    ) throws(FieldError) -> String? {
        guard let value = optionalValue(name) else { return nil }
        return try text(of: value, name, minBytes...max(minBytes, maxBytes))
    }

    /// One of the raw values of `Choice`.
    package mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, of type: Choice.Type = Choice.self
    ) throws(FieldError) -> Choice {
        guard let value = try requiredMember(name) else {
            if let any = Choice.allCases.first { return any }
            throw error(.missing, name, "is required")
        }
        return try choice(try text(of: value, name, 0...1_024), name)
    }

    package mutating func optionalChoice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, of type: Choice.Type = Choice.self
    ) throws(FieldError) -> Choice? {
        guard let text = try optionalString(name) else { return nil }
        return try choice(text, name)
    }

    /// The text of a decimal amount, at most 64 bytes and not empty; its digits are the caller's
    /// business.
    ///
    /// - Throws: `.wrongType` for a JSON number: floating point in the sender's or anybody's JSON
    ///   library may have changed it already.
    package mutating func decimalText(_ name: String) throws(FieldError) -> String {
        guard let value = try requiredMember(name) else { return "0" }
        return try decimalText(of: value, name)
    }

    package mutating func optionalDecimalText(_ name: String) throws(FieldError) -> String? {
        guard let value = optionalValue(name) else { return nil }
        return try decimalText(of: value, name)
    }

    func text(
        of value: JSONValue, _ name: String, _ bytes: ClosedRange<Int>
    ) throws(FieldError) -> String {
        guard case .string(let text) = value else {
            throw error(.wrongType, name, "must be a string, not \(value.kind)")
        }
        let count = text.utf8.count
        if count < bytes.lowerBound {
            let predicate =
                count == 0 ? "must not be empty" : "must have at least \(bytes.lowerBound) bytes"
            throw error(.outOfRange, name, predicate)
        }
        if count > bytes.upperBound {
            throw error(.outOfRange, name, "must have at most \(bytes.upperBound) bytes")
        }
        return text
    }

    private func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ text: String, _ name: String
    ) throws(FieldError) -> Choice {
        // By bytes, not by `init(rawValue:)`, which takes the Kelvin sign for a K.
        for choice in Choice.allCases where hasSameBytes(choice.rawValue, text) { return choice }
        let names = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        throw error(.invalid, name, "must be one of \(names)")
    }

    private func decimalText(of value: JSONValue, _ name: String) throws(FieldError) -> String {
        switch value {
        case .integer, .number:
            throw error(
                .wrongType, name,
                "must be a string: amounts are decimal strings such as \"0.25\", never JSON numbers"
            )
        default:
            return try text(of: value, name, 1...64)
        }
    }

    // MARK: Integers and booleans

    /// - Throws: `.missing`, `.wrongType` (a fraction or exponent included, even 1.0 and 1e3),
    ///   `.outOfRange`.
    package mutating func int(
        _ name: String, in range: ClosedRange<Int> = .min ... .max
    ) throws(FieldError) -> Int {
        guard let value = try requiredMember(name) else {
            return min(max(1, range.lowerBound), range.upperBound)
        }
        return try integer(of: value, name, range)
    }

    package mutating func optionalInt(
        _ name: String, in range: ClosedRange<Int> = .min ... .max
    ) throws(FieldError) -> Int? {
        guard let value = optionalValue(name) else { return nil }
        return try integer(of: value, name, range)
    }

    package mutating func bool(_ name: String) throws(FieldError) -> Bool {
        guard let value = try requiredMember(name) else { return false }
        return try flag(of: value, name)
    }

    package mutating func optionalBool(_ name: String) throws(FieldError) -> Bool? {
        guard let value = optionalValue(name) else { return nil }
        return try flag(of: value, name)
    }

    private func integer(
        of value: JSONValue, _ name: String, _ range: ClosedRange<Int>
    ) throws(FieldError) -> Int {
        switch value {
        case .integer(let integer):
            guard let fitting = Int(exactly: integer), range.contains(fitting) else { break }
            return fitting
        case .number(let text):
            if isIntegerText(text) { break }
            throw error(
                .wrongType, name, "must be an integer, written without fraction and exponent")
        default:
            throw error(.wrongType, name, "must be an integer, not \(value.kind)")
        }
        throw error(
            .outOfRange, name, "must be between \(range.lowerBound) and \(range.upperBound)")
    }

    private func flag(of value: JSONValue, _ name: String) throws(FieldError) -> Bool {
        guard case .bool(let flag) = value else {
            throw error(.wrongType, name, "must be true or false, not \(value.kind)")
        }
        return flag
    }
}
