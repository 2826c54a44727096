// Paths name a place in a document for the reader of an error: `budgets[2].amount`.
//
// A member name that is not plain (letters, digits, `_`, `-`, at most 64 bytes) is quoted:
// `tags["a.b"]`. Names come from outside, so control characters are escaped and long ones are cut.

enum JSONPath {
    static let longestName = 64

    static func appendMember(_ name: String, to path: inout String) {
        let utf8 = name.utf8
        let isPlain = !utf8.isEmpty && utf8.count <= longestName && utf8.allSatisfy(isPlainByte)
        if isPlain {
            if !path.isEmpty { path += "." }
            path += name
            return
        }
        var shown = name
        if utf8.count > longestName {
            shown = ""
            for scalar in name.unicodeScalars {
                guard shown.utf8.count + UTF8.width(scalar) <= longestName else { break }
                shown.unicodeScalars.append(scalar)
            }
            shown += "…"
        }
        var writer = JSONWriter()
        writer.string(shown)
        path += "[" + String(decoding: writer.bytes, as: UTF8.self) + "]"
    }

    static func appendIndex(_ index: Int, to path: inout String) {
        path += "[\(index)]"
    }

    private static func isPlainByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private enum Frame {
        case object(name: StringToken?)
        case array(index: Int)
    }

    /// The path of the value that holds `offset`, given that the bytes before it are well formed.
    ///
    /// - Parameter member: names a member of the object at `offset` in place of the one last read.
    static func locate(
        _ offset: Int, in bytes: UnsafeBufferPointer<UInt8>, member: String? = nil
    ) -> String {
        var frames = openFrames(at: offset, in: bytes)
        if member != nil, case .object = frames.last {
            frames[frames.count - 1] = .object(name: nil)
        }
        let cursor = JSONCursor(bytes)
        var path = ""
        for frame in frames {
            switch frame {
            case .array(let index): appendIndex(index, to: &path)
            case .object(let name?): appendMember(cursor.text(of: name), to: &path)
            case .object(nil): break
            }
        }
        if let member { appendMember(member, to: &path) }
        return path
    }

    private static func openFrames(
        at offset: Int, in bytes: UnsafeBufferPointer<UInt8>
    ) -> [Frame] {
        var frames: [Frame] = []
        var cursor = JSONCursor(bytes)
        while cursor.position < min(offset, bytes.count) {
            switch bytes[cursor.position] {
            case UInt8(ascii: "{"): frames.append(.object(name: nil))
            case UInt8(ascii: "["): frames.append(.array(index: 0))
            case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = frames.popLast()
            case UInt8(ascii: ","):
                switch frames.popLast() {
                case .array(let index): frames.append(.array(index: index + 1))
                case .object: frames.append(.object(name: nil))
                case nil: break
                }
            case UInt8(ascii: "\""):
                // A string that does not scan is where the error lies.
                guard let token = try? cursor.scanString() else { return frames }
                if case .object(name: nil) = frames.last {
                    frames[frames.count - 1] = .object(name: token)
                }
                continue
            default: break
            }
            cursor.position += 1
        }
        return frames
    }
}

extension JSONError {
    /// Finds the path for a failure. For a duplicate the member at the failure's offset is named.
    init(_ failure: JSONFailure, in bytes: UnsafeBufferPointer<UInt8>) {
        var member: String?
        if failure.code == .duplicateKey {
            var cursor = JSONCursor(bytes)
            cursor.position = failure.offset
            if let token = try? cursor.scanString() { member = cursor.text(of: token) }
        }
        let path = JSONPath.locate(failure.offset, in: bytes, member: member)
        self.init(failure.code, offset: failure.offset, path: path)
    }
}
