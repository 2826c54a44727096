// A JSON document in memory.
//
// Two texts are the same here only when their bytes are: Swift's own `==` on strings holds "é"
// (one code point) and "e" + combining accent (two) for equal, and the Kelvin sign for the letter
// K. JSON does not, and an id or a member name in a ledger must not. So equality, look-up and the
// hunt for duplicates compare UTF-8.

/// One JSON value.
package enum JSONValue: Sendable {
    case null
    case bool(Bool)
    /// A number written without `.`, `e` or `E` that fits. ("-0" is 0.)
    case integer(Int64)
    /// Any other number, as it was written: the reader never turns one into floating point.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

extension JSONValue: Equatable {
    /// Numbers compare as written (1.0 is not 1.00), strings by bytes, objects in any order.
    package static func == (a: JSONValue, b: JSONValue) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.bool(let x), .bool(let y)): x == y
        case (.integer(let x), .integer(let y)): x == y
        case (.number(let x), .number(let y)): hasSameBytes(x, y)
        case (.string(let x), .string(let y)): hasSameBytes(x, y)
        case (.array(let x), .array(let y)): x == y
        case (.object(let x), .object(let y)): x == y
        default: false
        }
    }

    /// What kind of value it is, in the words of an error message.
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// The members of a JSON object, in the order of their source. Made for small objects: look-up is a
/// linear scan.
package struct JSONObject: Sendable {
    package private(set) var members: [(key: String, value: JSONValue)]

    package init() { members = [] }

    /// The keys must differ; `CanonicalJSON.encode` refuses an object in which two do not.
    package init(_ members: [(String, JSONValue)]) {
        self.members = members.map { (key: $0.0, value: $0.1) }
    }

    init(labelled members: [(key: String, value: JSONValue)]) { self.members = members }

    package subscript(_ key: String) -> JSONValue? {
        guard let index = index(of: key) else { return nil }
        return members[index].value
    }

    package mutating func append(_ key: String, _ value: JSONValue) {
        members.append((key: key, value: value))
    }

    /// Where the first member named `key` is.
    func index(of key: String) -> Int? {
        key.withUTF8Bytes { bytes in
            members.withUnsafeBufferPointer { members in
                for index in 0..<members.count where members[index].key.utf8.count == bytes.count {
                    let isSame = members[index].key.withUTF8Bytes { hasSameBytes($0, bytes) }
                    if isSame { return index }
                }
                return nil
            }
        }
    }
}

extension JSONObject: Equatable {
    /// Same members, in any order.
    package static func == (a: JSONObject, b: JSONObject) -> Bool {
        guard a.members.count == b.members.count else { return false }
        return zip(a.canonicalOrder, b.canonicalOrder).allSatisfy { i, j in
            hasSameBytes(a.members[i].key, b.members[j].key)
                && a.members[i].value == b.members[j].value
        }
    }

    /// The indices of the members in RFC 8785 order.
    var canonicalOrder: [Int] {
        var order = Array(members.indices)
        members.withUnsafeBufferPointer { members in
            func precedes(_ a: Int, _ b: Int) -> Bool {
                compareMemberNames(members[a].key, members[b].key) < 0
            }
            let isSorted = order.indices.dropFirst().allSatisfy { precedes($0 - 1, $0) }
            if !isSorted { order.sort(by: precedes) }
        }
        return order
    }
}
