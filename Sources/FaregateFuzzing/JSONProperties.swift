import CanonicalJSON

enum JSONProperties {
    /// Limits that small inputs reach.
    private static let tight = JSONLimits(
        maxBytes: 64, maxDepth: 3, maxNodes: 12, maxStringBytes: 10)
    private static let deepest = JSONLimits(
        maxBytes: .max, maxDepth: JSONLimits.deepestDepth, maxNodes: .max, maxStringBytes: .max)

    static func check(_ bytes: [UInt8]) throws(Violation) -> Bool {
        try compareWithScanner(bytes)
        let value: JSONValue
        do throws(JSONError) {
            value = try StrictJSON.parse(bytes)
        } catch {
            try hold((0...bytes.count).contains(error.offset), "an error lies within the bytes")
            try hold(!error.description.isEmpty, "an error has a description")
            try hold(
                (try? StrictJSON.parse(bytes, limits: tight)) == nil,
                "what is refused is refused under tighter limits, too")
            return false
        }
        if let limited = try? StrictJSON.parse(bytes, limits: tight) {
            try hold(limited == value, "limits do not change what is read")
        }
        let pretty = CanonicalJSON.pretty(value)
        try hold((try? StrictJSON.parse(pretty)) == value, "the printed form reads as the same")
        try checkCanonical(value)
        return true
    }

    private static func checkCanonical(_ value: JSONValue) throws(Violation) {
        let canonical: [UInt8]
        do throws(JSONError) {
            canonical = try CanonicalJSON.encode(value)
        } catch {
            try hold(
                [.inexactNumber, .invalidNumber].contains(error.code),
                "of what was read only a number cannot be written, not: \(error)")
            return
        }
        guard let again = try? StrictJSON.parse(canonical) else {
            throw Violation("canonical bytes can be read")
        }
        try hold(isSame(value, again), "canonical bytes mean what was read")
        try hold(
            (try? CanonicalJSON.encode(again)) == canonical, "canonical bytes are written again")
        let isStepped = CanonicalScanner.reading(canonical) { scanner in
            (try? scanner.skipValue()) != nil && (try? scanner.finish()) != nil
        }
        try hold(isStepped, "the scanner steps over canonical bytes")
    }

    /// The same but for the form of numbers with fraction or exponent.
    private static func isSame(_ a: JSONValue, _ b: JSONValue) -> Bool {
        switch (a, b) {
        case (.number, .number), (.number, .integer): return true
        case (.array(let x), .array(let y)):
            return x.count == y.count && zip(x, y).allSatisfy(isSame)
        case (.object(let x), .object(let y)):
            // Sorted, so that large objects are no square of their size.
            let first = x.members.sorted { precedes($0.key, $1.key) }
            let second = y.members.sorted { precedes($0.key, $1.key) }
            return first.count == second.count
                && zip(first, second).allSatisfy {
                    $0.key.utf8.elementsEqual($1.key.utf8) && isSame($0.value, $1.value)
                }
        default: return a == b
        }
    }

    private static func precedes(_ a: String, _ b: String) -> Bool {
        a.utf8.lexicographicallyPrecedes(b.utf8)
    }

    /// The scanner, which reads our own bytes, and the strict reader know one grammar. The scanner
    /// does not look for duplicates, and knows neither space nor all limits.
    private static func compareWithScanner(_ bytes: [UInt8]) throws(Violation) {
        let offset: Int? = CanonicalScanner.reading(bytes) { scanner in
            guard (try? scanner.skipValue()) != nil, (try? scanner.finish()) != nil else {
                return nil
            }
            return scanner.offset
        }
        guard let offset else { return }
        try hold(offset == bytes.count, "the scanner ends where the bytes end")
        do throws(JSONError) {
            _ = try StrictJSON.parse(bytes, limits: deepest)
        } catch {
            try hold(
                [.duplicateKey, .tooDeep].contains(error.code),
                "what the scanner steps over can be read, or is twice there, not: \(error)")
        }
    }
}
