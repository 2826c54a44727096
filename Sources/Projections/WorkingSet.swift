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
    private struct Entry {
        /// With the right key also when there is no such row (any more).
        var row: Row
        var isThere: Bool
        /// False only when it is known that the source has none.
        let mayBeStored: Bool
        var isChanged = false
    }

    private var rows: [RowKey: Entry] = [:]

    package init() {}

    /// The row with the key of `blank`, for reading.
    package mutating func find(
        _ blank: Row, in source: inout some RowSource
    ) throws(StoreError) -> Row? {
        let entry = rows.values[try place(of: blank, in: &source)]
        return entry.isThere ? entry.row : nil
    }

    /// Changes the row with the key of `blank`, which stands in where there is none yet.
    package mutating func change(
        _ blank: Row, in source: inout some RowSource, _ body: (inout Row) -> Void
    ) throws(StoreError) {
        let place = try place(of: blank, in: &source)
        if !rows.values[place].isThere {
            rows.values[place].row = blank
            rows.values[place].isThere = true
        }
        // In place: rows are large, and busy ones change often.
        body(&rows.values[place].row)
        rows.values[place].isChanged = true
    }

    package mutating func remove(_ blank: Row) {
        let key = blank.key
        let mayBeStored = rows[key]?.mayBeStored ?? true
        rows[key] = Entry(row: blank, isThere: false, mayBeStored: mayBeStored, isChanged: true)
    }

    private mutating func place(
        of blank: Row, in source: inout some RowSource
    ) throws(StoreError) -> Dictionary<RowKey, Entry>.Index {
        let key = blank.key
        if let known = rows.index(forKey: key) { return known }
        let found = try source.find(blank)
        rows[key] = Entry(
            row: found ?? blank, isThere: found != nil, mayBeStored: found != nil)
        guard let place = rows.index(forKey: key) else {
            throw StoreError(.corrupt, "a row's key is not equal to itself")
        }
        return place
    }

    /// Rows to be written, and keys of rows to be deleted, both about in the order of the table,
    /// so that neighbours are written together.
    package var changed: (written: [Row], removed: [Row]) {
        var written: [Row] = []
        var removed: [Row] = []
        for (_, entry) in rows.filter(\.value.isChanged).sorted(by: { $0.key < $1.key }) {
            if entry.isThere {
                written.append(entry.row)
            } else if entry.mayBeStored {
                removed.append(entry.row)
            }
        }
        return (written, removed)
    }

    /// All rows that are there, in no order.
    package var present: [Row] { rows.values.filter(\.isThere).map(\.row) }
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
    package var outputSizes = TouchedRows<OutputSizeRow>()

    package init(_ source: Source) { self.source = source }
}
