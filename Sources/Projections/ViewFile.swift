// The views' file, open for writing. Used by one thread.
//
// A batch of events is one transaction: the rows that it changes, and how far the log has now been
// folded. So every event is counted once, wherever a crash falls. `synchronous=NORMAL`: a power cut
// may take the last batches back, whole, and they are folded again.

package import Billing
package import EventLog
import Glibc
package import SQLiteBinding

package final class ViewFile {
    package let path: String
    /// Why the file that was there is not this one, for people; nil when it was taken over.
    package private(set) var reasonForRebuild: String?
    package private(set) var position: ViewPosition
    private let connection: Connection
    private let tables: [String: TableStatements]
    private let readPosition: Statement
    private let writePosition: Statement

    /// Opens the file at `path` for the log in `store`, makes it if need be, and throws away what
    /// is of no use.
    ///
    /// - Parameter isNew: whatever is there is thrown away, if it is ours.
    /// - Throws: `.corrupt` for a file of something else, which is left alone; `.cannotOpen`,
    ///   `.full`, `.inputOutput`.
    package static func open(
        path: String, store: any EventStore, isNew: Bool = false
    ) throws(StoreError) -> ViewFile {
        var reason: String?
        if try DatabasePath(path).exists {
            do throws(StoreError) {
                reason = try faultOfFile(at: path, store, isNew: isNew)
            } catch {
                guard error.code == .corrupt, isOurs(path) else { throw error }
                reason = "they are damaged"
            }
            if reason != nil { remove(path) }
        }
        let place = try DatabasePath(path)
        if !place.exists { try place.create() }
        let connection = try Connection(path: place.text, access: .readWrite, vfs: nil)
        if case .empty = try ViewSchema.state(of: connection) {
            try ViewSchema.create(in: connection, ledgerID: store.identity.ledgerID)
        }
        try connection.execute(settings, while: "setting up the views")
        return try ViewFile(connection, path: place.text, reason: reason)
    }

    // secure_delete, on in Debian's build, would write zeros over every resolved reservation.
    private static let settings = """
        PRAGMA synchronous = NORMAL;
        PRAGMA journal_size_limit = 16777216;
        PRAGMA mmap_size = 0;
        PRAGMA cache_size = -8192;
        PRAGMA secure_delete = OFF;
        PRAGMA temp_store = MEMORY;
        PRAGMA trusted_schema = OFF;
        """

    private init(
        _ connection: consuming Connection, path: String, reason: String?
    ) throws(StoreError) {
        self.path = path
        reasonForRebuild = reason
        tables = try Self.statements(on: connection)
        readPosition = try Statement(
            ViewPosition.sql, on: connection, activity: "reading the views' position")
        writePosition = try Statement(
            "UPDATE position SET seq = ?, leaf = ?, time_us = ? WHERE id = 1", on: connection,
            activity: "folding events")
        position = try ViewPosition(in: connection)
        self.connection = connection
    }

    private static func statements(
        on connection: borrowing Connection
    ) throws(StoreError) -> [String: TableStatements] {
        var tables: [String: TableStatements] = [:]
        tables[UsageRow.table] = try TableStatements(UsageRow.self, on: connection)
        tables[RefusalRow.table] = try TableStatements(RefusalRow.self, on: connection)
        tables[OpenReservationRow.table] = try TableStatements(
            OpenReservationRow.self, on: connection)
        tables[RevenueRow.table] = try TableStatements(RevenueRow.self, on: connection)
        tables[GrantRow.table] = try TableStatements(GrantRow.self, on: connection)
        tables[GrantDayRow.table] = try TableStatements(GrantDayRow.self, on: connection)
        tables[BudgetWindowRow.table] = try TableStatements(BudgetWindowRow.self, on: connection)
        tables[OutputSizeRow.table] = try TableStatements(OutputSizeRow.self, on: connection)
        return tables
    }

    /// Folds `events`, which follow the position, as one transaction.
    ///
    /// - Parameter leaf: RFC 6962 leaf hash of the last of them.
    /// - Throws: `.conflict` when somebody else has written the file.
    package func apply(
        _ events: [RecordedEvent], leaf: MerkleHash, _ log: some EventLookup
    ) throws(StoreError) {
        guard let last = events.last else { return }
        precondition(events[0].sequence == position.sequence + 1, "events follow the position")
        let new = ViewPosition(
            ledgerID: position.ledgerID, sequence: last.sequence, leaf: leaf, time: last.time)
        try connection.transaction(while: "folding events") { _ throws(StoreError) in
            guard try storedSequence() == position.sequence else {
                throw StoreError(.conflict, "another process writes the views at \(path)")
            }
            var rows = WorkingSet(self)
            for event in events { try rows.fold(event, log) }
            try write(rows)
            writePosition.bind(Int64(clamping: new.sequence), at: 1)
            writePosition.bind(new.leaf, at: 2)
            writePosition.bind(new.time.microseconds, at: 3)
            try writePosition.run()
        }
        position = new
    }

    /// Moves the write-ahead log into the file, so that the file alone is everything.
    package func settle() throws(StoreError) {
        _ = try connection.integer("PRAGMA wal_checkpoint(TRUNCATE)", while: "settling the views")
    }

    /// Whether SQLite finds the file whole.
    var isSound: Bool {
        let check = try? Statement("PRAGMA quick_check(1)", on: connection, activity: "checking")
        guard let check, (try? check.step()) == true else { return false }
        return check.text(at: 0) == "ok"
    }

    private func storedSequence() throws(StoreError) -> UInt64? {
        var sequence: UInt64?
        try readPosition.forEachRow { row throws(StoreError) in
            sequence = try row.uint64(at: 1)
            return false
        }
        return sequence
    }

    private func write(_ rows: WorkingSet<ViewFile>) throws(StoreError) {
        try write(rows.usage)
        try write(rows.refusals)
        try write(rows.open)
        try write(rows.revenue)
        try write(rows.grants)
        try write(rows.grantDays)
        try write(rows.windows)
        try write(rows.outputSizes)
    }

    private func write<Row: ViewRow>(_ rows: TouchedRows<Row>) throws(StoreError) {
        guard let table = tables[Row.table] else { return }
        let changed = rows.changed
        for row in changed.removed { try table.remove(row) }
        for row in changed.written { try table.write(row) }
    }
}

extension ViewFile: RowSource {
    package func find<Row: ViewRow>(_ row: Row) throws(StoreError) -> Row? {
        try tables[Row.table]?.find(row)
    }
}

// MARK: - What is there

extension ViewFile {
    /// Why the file at `path` cannot be gone on with; nil when it can, or is still empty.
    private static func faultOfFile(
        at path: String, _ store: any EventStore, isNew: Bool
    ) throws(StoreError) -> String? {
        let place = try DatabasePath(path)
        let connection = try Connection(path: place.text, access: .readWrite, vfs: nil)
        switch try ViewSchema.state(of: connection) {
        case .empty: return nil
        case .otherVersion(let found):
            return "they have version \(found), this program writes \(ViewSchema.version)"
        case .current: break
        }
        if isNew { return "they are to be built again" }
        let position = try ViewPosition(in: connection)
        guard position.ledgerID == store.identity.ledgerID else {
            return "they belong to the ledger \(position.ledgerID)"
        }
        guard position.sequence <= store.head.sequence else {
            return "they are at event \(position.sequence), ahead of the log"
        }
        guard position.sequence > 0 else { return nil }
        let stored = try store.read(after: position.sequence - 1, limit: 1, maxBytes: 1).first
        guard let stored, MerkleHash.leaf(stored.bytes) == position.leaf else {
            return "event \(position.sequence) of the log is another one"
        }
        return nil
    }

    /// Whether the file's header, which SQLite may refuse to look at, says that it is ours.
    private static func isOurs(_ path: String) -> Bool {
        guard let file = fopen(path, "r") else { return false }
        defer { fclose(file) }
        var header = [UInt8](repeating: 0, count: 72)
        guard fread(&header, 1, header.count, file) == header.count else { return false }
        // https://sqlite.org/fileformat.html: the application id is at 68, most significant first.
        let id = header[68...].reduce(0 as Int64) { $0 << 8 | Int64($1) }
        return header.starts(with: Array("SQLite format 3".utf8)) && id == ViewSchema.applicationID
    }

    /// Deletes a database with what SQLite keeps beside it.
    static func remove(_ path: String) {
        for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) }
    }
}

/// How far the views' file has folded which log.
package struct ViewPosition: Sendable, Equatable {
    package var ledgerID: String
    /// Number of the last event folded in; 0: none.
    package var sequence: UInt64
    package var leaf: MerkleHash
    /// Time of that event.
    package var time: Instant

    static let sql = "SELECT ledger_id, seq, leaf, time_us FROM position WHERE id = 1"

    init(ledgerID: String, sequence: UInt64, leaf: MerkleHash, time: Instant) {
        self.ledgerID = ledgerID
        self.sequence = sequence
        self.leaf = leaf
        self.time = time
    }

    init(in connection: borrowing Connection) throws(StoreError) {
        let row = try Statement(
            Self.sql, on: connection, activity: "reading the views' position")
        guard try row.step() else { throw StoreError(.corrupt, "the views have no position") }
        self.init(
            ledgerID: row.text(at: 0), sequence: try row.uint64(at: 1), leaf: try row.hash(at: 2),
            time: Instant(microseconds: row.int64(at: 3)))
    }
}

/// The statements for one table.
package final class TableStatements {
    private let finding: Statement
    private let writing: Statement
    private let removing: Statement

    package init<Row: ViewRow>(
        _ row: Row.Type, on connection: borrowing Connection
    ) throws(StoreError) {
        let names = Row.columnNames
        let key = names.prefix(Row.keyColumns).map { "\($0) = ?" }.joined(separator: " AND ")
        let list = names.joined(separator: ", ")
        let places = names.map { _ in "?" }.joined(separator: ", ")
        let activity = "folding events into \(Row.table)"
        finding = try Statement(
            "SELECT \(list) FROM \(Row.table) WHERE \(key)", on: connection, activity: activity)
        writing = try Statement(
            "INSERT OR REPLACE INTO \(Row.table) (\(list)) VALUES (\(places))", on: connection,
            activity: activity)
        removing = try Statement(
            "DELETE FROM \(Row.table) WHERE \(key)", on: connection, activity: activity)
    }

    package func find<Row: ViewRow>(_ row: Row) throws(StoreError) -> Row? {
        finding.bind(row.keyValues)
        var found: Row?
        try finding.forEachRow { row throws(StoreError) in
            found = Row(row.values)
            return false
        }
        return found
    }

    package func write(_ row: some ViewRow) throws(StoreError) {
        writing.bind(row.values)
        try writing.run()
    }

    package func remove(_ row: some ViewRow) throws(StoreError) {
        removing.bind(row.keyValues)
        try removing.run()
    }
}

extension Statement {
    /// Binds values from the first place on.
    func bind(_ values: [ColumnValue], from first: Int32 = 1) {
        for (offset, value) in values.enumerated() {
            let place = first + Int32(offset)
            switch value {
            case .text(let text): bind(text, at: place)
            case .integer(let number): bind(number, at: place)
            case .null: bindNull(at: place)
            }
        }
    }

    /// The columns of the present row.
    var values: [ColumnValue] {
        (0..<columnCount).map { column in
            if isNull(at: column) { return .null }
            return isText(at: column) ? .text(text(at: column)) : .integer(int64(at: column))
        }
    }
}
