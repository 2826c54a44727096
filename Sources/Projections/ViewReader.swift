// Questions to the views' file: rows of one table, page by page, as they are or summed by some of
// their columns. Each is one read transaction together with the file's position, so that an answer
// says exactly which events it knows.
//
// Sums over all customers may leave 64 bits where one customer's cannot (a currency with small
// units is enough), and SQLite's sum() gives up there. So each column is summed in two halves.

package import EventLog
import SQLiteBinding

/// What is asked of a table.
package struct ViewQuery: Sendable {
    package enum Comparison: String, Sendable {
        case equal = "="
        case atLeast = ">="
        case below = "<"
    }

    /// By column; all must hold.
    package var conditions: [(column: String, comparison: Comparison, value: ColumnValue)] = []
    /// Columns to sum by, or to sort by where nothing is summed.
    package var order: [String]
    /// Values of `order` of the last row seen.
    package var after: [ColumnValue]?
    package var limit: Int

    package init(order: [String], after: [ColumnValue]? = nil, limit: Int) {
        self.order = order
        self.after = after
        self.limit = limit
    }

    package mutating func require(
        _ column: String, _ comparison: Comparison = .equal, _ value: ColumnValue
    ) {
        conditions.append((column, comparison, value))
    }

    fileprivate func whereClause() -> (sql: String, values: [ColumnValue]) {
        var parts = conditions.map { "\($0.column) \($0.comparison.rawValue) ?" }
        var values = conditions.map(\.value)
        if let after, !after.isEmpty, after.count == order.count {
            let places = after.map { _ in "?" }.joined(separator: ", ")
            parts.append("(\(order.joined(separator: ", "))) > (\(places))")
            values += after
        }
        return (parts.isEmpty ? "" : " WHERE " + parts.joined(separator: " AND "), values)
    }
}

/// One line of sums.
package struct SummedRow: Sendable {
    /// Values of the columns that were summed by.
    package var group: [ColumnValue]
    private var sums: [String: Int128]

    fileprivate init(group: [ColumnValue], sums: [String: Int128]) {
        self.group = group
        self.sums = sums
    }

    /// The sum of a column.
    package subscript(_ column: String) -> Int128 { sums[column] ?? 0 }
}

package struct ViewReader: ~Copyable {
    private let connection: Connection

    /// - Throws: `.cannotOpen` when there are no views at `path`, or of another version.
    static func open(path: String) throws(StoreError) -> ViewReader {
        let place = try DatabasePath(path)
        guard place.exists else { throw StoreError(.cannotOpen, "there are no views at \(path)") }
        let connection = try Connection(path: place.text, access: .readOnly, vfs: nil)
        try connection.execute(
            "PRAGMA query_only = ON; PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF",
            while: "setting up a reader")
        guard case .current = try ViewSchema.state(of: connection) else {
            throw StoreError(.cannotOpen, "the views at \(path) are of another version")
        }
        return ViewReader(connection: connection)
    }

    /// Runs `body` in one read transaction, with how far the log is folded in it.
    func transaction<Result>(
        _ body: (borrowing ViewReader, ViewPosition) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try connection.execute("BEGIN", while: "reading the views")
        defer { connection.rollBack() }
        return try body(self, try ViewPosition(in: connection))
    }

    /// The row with the key of `row`.
    package func find<Row: ViewRow>(_ row: Row) throws(StoreError) -> Row? {
        var query = ViewQuery(order: Array(Row.columnNames.prefix(Row.keyColumns)), limit: 1)
        for (name, value) in zip(query.order, row.keyValues) {
            query.require(name, .equal, value)
        }
        return try rows(Row.self, query).first
    }

    /// Rows of one table in the order of `query`, one more than its limit if there are more.
    package func rows<Row: ViewRow>(
        _ row: Row.Type, _ query: ViewQuery
    ) throws(StoreError) -> [Row] {
        let (condition, values) = query.whereClause()
        let names = Row.columnNames.joined(separator: ", ")
        let sql =
            "SELECT \(names) FROM \(Row.table)\(condition)"
            + " ORDER BY \(query.order.joined(separator: ", ")) LIMIT ?"
        return try all(sql, values + [.integer(Int64(query.limit) + 1)]).map { Row($0) }
    }

    /// Sums of all figures by the columns of `query.order`, in their order, one more than its limit
    /// if there are more. Without such columns one line: the sum of everything.
    package func sums<Row: ViewRow>(
        _ row: Row.Type, _ query: ViewQuery
    ) throws(StoreError) -> [SummedRow] {
        let figures = Array(Row.columnNames.dropFirst(Row.keyColumns))
        let (condition, values) = query.whereClause()
        let halves = figures.map { "sum(\($0) >> 32), sum(\($0) & 4294967295)" }
        var sql = "SELECT " + (query.order + halves).joined(separator: ", ")
        sql += " FROM \(Row.table)\(condition)"
        if !query.order.isEmpty {
            let order = query.order.joined(separator: ", ")
            sql += " GROUP BY \(order) ORDER BY \(order)"
        }
        sql += " LIMIT ?"
        let lines = try all(sql, values + [.integer(Int64(query.limit) + 1)])
        return lines.map { line in
            let group = Array(line.prefix(query.order.count))
            var sums: [String: Int128] = [:]
            for (place, name) in figures.enumerated() {
                let high = line[query.order.count + 2 * place].wide
                sums[name] = high << 32 + line[query.order.count + 2 * place + 1].wide
            }
            return SummedRow(group: group, sums: sums)
        }
    }

    /// Every row of a table as text, in the order of the key: for comparing two files.
    package func dump<Row: ViewRow>(_ row: Row.Type) throws(StoreError) -> [String] {
        let names = Row.columnNames
        let order = names.prefix(Row.keyColumns).joined(separator: ", ")
        let lines = try all(
            "SELECT \(names.joined(separator: ", ")) FROM \(Row.table) ORDER BY \(order)", [])
        return lines.map { line in
            Row.table + " "
                + zip(names, line).map { "\($0)=\($1.text)" }.joined(separator: " ")
        }
    }

    private func all(
        _ sql: String, _ values: [ColumnValue]
    ) throws(StoreError) -> [[ColumnValue]] {
        let statement = try Statement(sql, on: connection, activity: "reading the views")
        statement.bind(values)
        var found: [[ColumnValue]] = []
        try statement.forEachRow { row throws(StoreError) in
            found.append(row.values)
            return true
        }
        return found
    }
}

extension ColumnValue {
    /// A sum over no rows is NULL.
    fileprivate var wide: Int128 {
        if case .integer(let number) = self { Int128(number) } else { 0 }
    }

    /// For people and comparisons.
    package var text: String {
        switch self {
        case .text(let text): text
        case .integer(let number): String(number)
        case .null: "-"
        }
    }
}
