// Rows of the read models.
//
// Every table of the views' file is a type here. A row names its columns once, in the order of the
// table, the primary key first; what is done with them is up to the visitor: reading, writing,
// finding by key, or printing for a comparison. A test compares the names with the tables.

package protocol ViewRow: Sendable {
    static var table: String { get }

    /// How many of the columns, from the first on, are the primary key.
    static var keyColumns: Int { get }

    init()

    /// Names all columns, in the order of the table.
    mutating func columns<V: ColumnVisitor>(_ visitor: inout V)
}

package protocol ColumnVisitor {
    mutating func text(_ name: StaticString, _ value: inout String)
    mutating func integer(_ name: StaticString, _ value: inout Int64)
    mutating func optional(_ name: StaticString, _ value: inout Int64?)
}

/// One value of a row, as SQLite has it.
package enum ColumnValue: Sendable, Hashable {
    case text(String)
    case integer(Int64)
    case null
}

extension ViewRow {
    package static var columnNames: [String] {
        var collector = NameCollector()
        var row = Self()
        row.columns(&collector)
        return collector.names
    }

    /// All values, the key's first.
    package var values: [ColumnValue] {
        var collector = ValueCollector()
        var row = self
        row.columns(&collector)
        return collector.values
    }

    var keyValues: [ColumnValue] { Array(values.prefix(Self.keyColumns)) }

    /// What tells this row from the others of its table.
    package var key: RowKey {
        var collector = KeyCollector(columnsLeft: Self.keyColumns)
        var row = self
        row.columns(&collector)
        return RowKey(bytes: collector.bytes)
    }

    /// A row with these values, the key's first.
    package init(_ values: [ColumnValue]) {
        self.init()
        var filler = ValueFiller(values: values)
        columns(&filler)
    }
}

/// A row's key, byte by byte: Swift takes a letter with its accent for equal to the letter followed
/// by the accent, SQLite and the log do not.
package struct RowKey: Hashable, Comparable, Sendable {
    fileprivate var bytes: [UInt8]

    /// Some order that keeps keys with equal first columns together.
    package static func < (a: RowKey, b: RowKey) -> Bool {
        a.bytes.lexicographicallyPrecedes(b.bytes)
    }
}

private struct KeyCollector: ColumnVisitor {
    var columnsLeft: Int
    var bytes: [UInt8] = []

    mutating func text(_ name: StaticString, _ value: inout String) {
        guard takeColumn() else { return }
        bytes.append(contentsOf: value.utf8)
        // No byte of UTF-8 is 0xff: ("ab", "c") and ("a", "bc") stay apart.
        bytes.append(0xff)
    }

    mutating func integer(_ name: StaticString, _ value: inout Int64) {
        guard takeColumn() else { return }
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func optional(_ name: StaticString, _ value: inout Int64?) {
        guard takeColumn() else { return }
        guard let value else { return bytes.append(0xfe) }
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    private mutating func takeColumn() -> Bool {
        if columnsLeft == 0 { return false }
        columnsLeft -= 1
        return true
    }
}

private struct NameCollector: ColumnVisitor {
    var names: [String] = []

    mutating func text(_ name: StaticString, _ value: inout String) { names.append("\(name)") }
    mutating func integer(_ name: StaticString, _ value: inout Int64) { names.append("\(name)") }
    mutating func optional(_ name: StaticString, _ value: inout Int64?) { names.append("\(name)") }
}

private struct ValueCollector: ColumnVisitor {
    var values: [ColumnValue] = []

    mutating func text(_ name: StaticString, _ value: inout String) { values.append(.text(value)) }

    mutating func integer(_ name: StaticString, _ value: inout Int64) {
        values.append(.integer(value))
    }

    mutating func optional(_ name: StaticString, _ value: inout Int64?) {
        values.append(value.map { .integer($0) } ?? .null)
    }
}

/// Fills a row in. Where a value is of another kind, or missing, the column keeps what it has.
private struct ValueFiller: ColumnVisitor {
    let values: [ColumnValue]
    var place = 0

    private mutating func next() -> ColumnValue {
        defer { place += 1 }
        return place < values.count ? values[place] : .null
    }

    mutating func text(_ name: StaticString, _ value: inout String) {
        if case .text(let text) = next() { value = text }
    }

    mutating func integer(_ name: StaticString, _ value: inout Int64) {
        if case .integer(let number) = next() { value = number }
    }

    mutating func optional(_ name: StaticString, _ value: inout Int64?) {
        if case .integer(let number) = next() { value = number } else { value = nil }
    }
}
