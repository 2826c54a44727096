// Who and when. Identifiers are the caller's own strings (1…256 bytes of UTF-8, no control
// characters); the edges check that before a command is made.

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
package struct Instant: Hashable, Comparable, Sendable {
    package var microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    package static let zero = Instant(microseconds: 0)
    /// 9999-12-31T23:59:59.999999Z, the last instant RFC 3339 can write.
    package static let max = Instant(microseconds: 253_402_300_799_999_999)

    package static func < (a: Instant, b: Instant) -> Bool { a.microseconds < b.microseconds }

    /// The instant `seconds` later, at most `.max`.
    package func advanced(bySeconds seconds: Int64) -> Instant {
        let (span, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        if overflow { return seconds < 0 ? .zero : .max }
        let (sum, tooLate) = microseconds.addingReportingOverflow(span)
        return Instant(
            microseconds: tooLate ? Instant.max.microseconds : min(sum, Instant.max.microseconds))
    }
}

extension String {
    package var hasNoControlCharacters: Bool { utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }

    /// 1 to 256 bytes without control characters: what a caller's id may be.
    package var isID: Bool { (1...256).contains(utf8.count) && hasNoControlCharacters }
}

/// A half-open span of time: `start` belongs to it, `end` does not. No `end`: for ever.
package struct Window: Hashable, Sendable {
    package var start: Instant
    package var end: Instant?

    package init(start: Instant = .zero, end: Instant? = nil) {
        self.start = start
        self.end = end
    }
}

/// Names byte by byte. Swift's `==` takes a letter with its accent for equal to the letter followed
/// by the accent; the memory of ids and the log do not, and who is charged must not depend on who
/// looks.
private enum ExactName {
    /// Lends the bytes of a name; copies only a name that is not stored as UTF-8, which none of
    /// ours is.
    @inline(__always)
    private static func bytes<T>(_ name: String, _ body: (UnsafeRawBufferPointer) -> T) -> T {
        if let result = name.utf8.withContiguousStorageIfAvailable({
            body(UnsafeRawBufferPointer($0))
        }) {
            return result
        }
        return Array(name.utf8).withUnsafeBytes(body)
    }

    static func isSame(_ a: String, _ b: String) -> Bool {
        if a.utf8.count != b.utf8.count { return false }
        return bytes(a) { x in bytes(b) { y in commonPrefix(x, y) == x.count } }
    }

    static func precedes(_ a: String, _ b: String) -> Bool {
        bytes(a) { x in
            bytes(b) { y in
                let same = commonPrefix(x, y)
                if same == x.count || same == y.count { return x.count < y.count }
                return x[same] < y[same]
            }
        }
    }

    static func precedes(_ a: (String, String), _ b: (String, String)) -> Bool {
        isSame(a.0, b.0) ? precedes(a.1, b.1) : precedes(a.0, b.0)
    }

    static func hash(_ name: String, into hasher: inout Hasher) {
        bytes(name) { hasher.combine(bytes: $0) }
        // No byte of UTF-8 is 0xff: ("ab", "c") and ("a", "bc") stay apart.
        hasher.combine(0xff as UInt8)
    }

    /// How many bytes both begin with. Eight at a time.
    @inline(__always)
    private static func commonPrefix(
        _ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer
    ) -> Int {
        let count = min(a.count, b.count)
        var index = 0
        while count &- index >= 8 {
            let x = a.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let y = b.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if x != y { return index &+ (UInt64(littleEndian: x ^ y).trailingZeroBitCount >> 3) }
            index &+= 8
        }
        while index < count, a[index] == b[index] { index &+= 1 }
        return index
    }
}

/// A text compared byte by byte: what callers' names are made into where they key a table.
package struct ExactText: Hashable, Comparable, Sendable, ExpressibleByStringLiteral {
    package var text: String

    package init(_ text: String) { self.text = text }
    package init(stringLiteral text: String) { self.text = text }

    package static func == (a: ExactText, b: ExactText) -> Bool { ExactName.isSame(a.text, b.text) }

    package static func < (a: ExactText, b: ExactText) -> Bool {
        ExactName.precedes(a.text, b.text)
    }

    package func hash(into hasher: inout Hasher) { ExactName.hash(text, into: &hasher) }
}

/// A customer within a project.
package struct CustomerKey: Hashable, Comparable, Sendable {
    package var project: String
    package var id: String

    package init(project: String = "", id: String = "") {
        self.project = project
        self.id = id
    }

    package static func == (a: CustomerKey, b: CustomerKey) -> Bool {
        ExactName.isSame(a.id, b.id) && ExactName.isSame(a.project, b.project)
    }

    package static func < (a: CustomerKey, b: CustomerKey) -> Bool {
        ExactName.precedes((a.project, a.id), (b.project, b.id))
    }

    package func hash(into hasher: inout Hasher) {
        ExactName.hash(project, into: &hasher)
        ExactName.hash(id, into: &hasher)
    }
}

/// A reservation or usage record within a project; the id is the caller's and its idempotency key.
package struct ReservationKey: Hashable, Comparable, Sendable {
    package var project: String
    package var id: String

    package init(project: String = "", id: String = "") {
        self.project = project
        self.id = id
    }

    package static func == (a: ReservationKey, b: ReservationKey) -> Bool {
        ExactName.isSame(a.id, b.id) && ExactName.isSame(a.project, b.project)
    }

    package static func < (a: ReservationKey, b: ReservationKey) -> Bool {
        ExactName.precedes((a.project, a.id), (b.project, b.id))
    }

    package func hash(into hasher: inout Hasher) {
        ExactName.hash(project, into: &hasher)
        ExactName.hash(id, into: &hasher)
    }
}

/// A run (one agent invocation or session) within a project.
package struct RunKey: Hashable, Comparable, Sendable {
    package var project: String
    package var id: String

    package init(project: String = "", id: String = "") {
        self.project = project
        self.id = id
    }

    package static func == (a: RunKey, b: RunKey) -> Bool {
        ExactName.isSame(a.id, b.id) && ExactName.isSame(a.project, b.project)
    }

    package static func < (a: RunKey, b: RunKey) -> Bool {
        ExactName.precedes((a.project, a.id), (b.project, b.id))
    }

    package func hash(into hasher: inout Hasher) {
        ExactName.hash(project, into: &hasher)
        ExactName.hash(id, into: &hasher)
    }
}

/// A free label on a call.
package struct Tag: Hashable, Comparable, Sendable {
    package var key: String
    package var value: String

    package init(key: String = "", value: String = "") {
        self.key = key
        self.value = value
    }

    package static func == (a: Tag, b: Tag) -> Bool {
        ExactName.isSame(a.key, b.key) && ExactName.isSame(a.value, b.value)
    }

    package static func < (a: Tag, b: Tag) -> Bool {
        ExactName.precedes((a.key, a.value), (b.key, b.value))
    }

    package func hash(into hasher: inout Hasher) {
        ExactName.hash(key, into: &hasher)
        ExactName.hash(value, into: &hasher)
    }
}

/// Whose call it is: everything a budget can match on, but the model.
package struct Subject: Hashable, Sendable {
    package var project: String
    package var customer: String
    package var user: String?
    package var run: String?
    /// At most 16, sorted by key, keys unique.
    package var tags: [Tag]

    package init(
        project: String = "", customer: String = "", user: String? = nil, run: String? = nil,
        tags: [Tag] = []
    ) {
        self.project = project
        self.customer = customer
        self.user = user
        self.run = run
        self.tags = tags
    }

    package var customerKey: CustomerKey { CustomerKey(project: project, id: customer) }
    package var runKey: RunKey? { run.map { RunKey(project: project, id: $0) } }
}
