// Where the members of a JSON object stand, and how its text is changed with as few bytes as
// possible: a value is replaced in place, a member goes with one of the commas beside it, a new one
// comes after the last. All other bytes, white space and escapes included, stay as they are.

import CanonicalJSON

struct ObjectLayout {
    struct Member {
        var name: String
        /// From the quote before its name on.
        var start: Int
        var value: Range<Int>
        var kind: JSONReader.Kind
        /// Of a number that is written as an integer.
        var integer: Int64?
        /// Of a boolean.
        var bool: Bool?
    }

    /// Behind the opening bracket.
    private(set) var start = 0
    private(set) var members: [Member] = []
    /// The first name that came twice.
    private(set) var duplicate: String?

    /// Reads the object that the reader is at.
    init(_ reader: inout JSONReader) throws(JSONError) {
        try reader.enterObject()
        start = reader.offset
        var names: Set<[UInt8]> = []
        while let name = try reader.nextMember() {
            let text = reader.string(name)
            // By bytes: `String` takes other spellings of one letter for the same.
            if !names.insert(Array(text.utf8)).inserted { duplicate = duplicate ?? text }
            var member = Member(
                name: text, start: name.range.lowerBound - 1, value: 0..<0,
                kind: try reader.kind())
            switch member.kind {
            case .number: (member.integer, member.value) = try reader.readNumber()
            case .bool:
                // The value is read twice, for its place and for itself.
                var ahead = reader
                member.bool = try ahead.readBool()
                member.value = try reader.skipValue()
            default: member.value = try reader.skipValue()
            }
            members.append(member)
        }
    }

    subscript(_ name: String) -> Member? {
        members.first { $0.name.utf8.elementsEqual(name.utf8) }
    }
}

/// Changes of a text, each at its place.
struct TextChanges {
    private var changes: [(range: Range<Int>, text: [UInt8])] = []

    mutating func replace(_ range: Range<Int>, by text: String) {
        changes.append((range: range, text: Array(text.utf8)))
    }

    /// Takes the members out that `isRemoved` says, and puts `added` (`"name":value`) behind the
    /// last one.
    mutating func edit(
        _ layout: ObjectLayout, removing isRemoved: (ObjectLayout.Member) -> Bool,
        adding added: [String]
    ) {
        var hasKept = false
        for (index, member) in layout.members.enumerated() {
            guard isRemoved(member) else {
                hasKept = true
                continue
            }
            if hasKept {
                // With the comma before it.
                replace(
                    layout.members[index - 1].value.upperBound..<member.value.upperBound, by: "")
            } else if index + 1 < layout.members.count {
                // With the comma behind it.
                replace(member.start..<layout.members[index + 1].start, by: "")
            } else {
                replace(member.start..<member.value.upperBound, by: "")
            }
        }
        if added.isEmpty { return }
        let end = layout.members.last?.value.upperBound ?? layout.start
        replace(end..<end, by: (hasKept ? "," : "") + added.joined(separator: ","))
    }

    /// Makes the changes. They must not overlap; of those at one place the first goes first.
    func apply(to bytes: [UInt8]) -> [UInt8] {
        if changes.isEmpty { return bytes }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + changes.reduce(0) { $0 + $1.text.count })
        var position = 0
        let order = changes.indices.sorted {
            (changes[$0].range.lowerBound, $0) < (changes[$1].range.lowerBound, $1)
        }
        for change in order.map({ changes[$0] }) where change.range.lowerBound >= position {
            result += bytes[position..<change.range.lowerBound]
            result += change.text
            position = change.range.upperBound
        }
        result += bytes[position...]
        return result
    }
}
