// The rows that a batch of events touches: each is read once, changed in memory as often as need
// be, and written once. Between batches nothing is kept.

package import EventLog

/// Where rows come from: the views' file, or nothing at all.
package protocol RowSource {
    /// The row with the key of `row`; nil when there is none.
    mutating func find<Row: ViewRow>(_ row: Row) throws(StoreError) -> Row?
}

/// A source without rows, for folds of a whole log in memory.
package struct NoRows: RowSource {
    package init() {}
    package mutating func find<Row: ViewRow>(_ row: Row) throws(StoreError) -> Row? { nil }
}

/// The rows of one table.
package struct TouchedRows<Row: ViewRow> {
    /// Nil: there is no such row (any more).
    private var rows: [RowKey: (row: Row?, isChanged: Bool, blank: Row)] = [:]

    /// The row with the key of `blank`, for reading.
    package mutating func find(
        _ blank: Row, in source: inout some RowSource
    ) throws(StoreError) -> Row? {
        let key = blank.key
        if let known = rows[key] { return known.row }
        let found = try source.find(blank)
        rows[key] = (found, false, blank)
        return found
    }

    /// Changes the row with the key of `blank`, which stands in where there is none yet.
    mutating func change(
        _ blank: Row, in source: inout some RowSource, _ body: (inout Row) -> Void
    ) throws(StoreError) {
        var row = try find(blank, in: &source) ?? blank
        body(&row)
        rows[blank.key] = (row, true, blank)
    }

    mutating func remove(_ blank: Row) { rows[blank.key] = (nil, true, blank) }

    /// Rows to be written, and keys of rows to be deleted.
    package var changed: (written: [Row], removed: [Row]) {
        var written: [Row] = []
        var removed: [Row] = []
        for entry in rows.values where entry.isChanged {
            if let row = entry.row { written.append(row) } else { removed.append(entry.blank) }
        }
        return (written, removed)
    }

    /// All rows that are there, in no order.
    package var present: [Row] { rows.values.compactMap(\.row) }
}

package struct WorkingSet<Source: RowSource> {
    var source: Source
    package var usage = TouchedRows<UsageRow>()
    package var refusals = TouchedRows<RefusalRow>()
    package var open = TouchedRows<OpenReservationRow>()
    package var revenue = TouchedRows<RevenueRow>()
    package var grants = TouchedRows<GrantRow>()
    package var grantDays = TouchedRows<GrantDayRow>()
    package var windows = TouchedRows<BudgetWindowRow>()

    package init(_ source: Source) { self.source = source }
}
