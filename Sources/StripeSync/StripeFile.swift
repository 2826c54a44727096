// The file of what is to be pushed, open for writing. Used by one thread at a time. A run of events
// is one transaction: the rows that it changes and how far the log has been folded. A power cut may
// take the last ones back, whole; they are folded again.

package import Billing
package import EventLog
package import Projections
import SQLiteBinding

package final class StripeFile {
    let connection: Connection
    let store: any EventStore
    let windowSeconds: Int64
    private let tables: [String: TableStatements]
    private var position: (sequence: UInt64, leaf: MerkleHash)
    /// Time of the last event folded in.
    package private(set) var foldedTime = Instant.zero
    /// Why the fold began anew, for people; nil: it did not.
    package let notice: String?

    /// Number of the last event folded in.
    package var sequence: UInt64 { position.sequence }

    /// Opens the file at `path`, or makes it.
    ///
    /// - Throws: `.corrupt` for a file of something else, which is left alone.
    package static func open(
        path: String, store: any EventStore, windowSeconds: Int64
    ) throws(StoreError) -> StripeFile {
        let place = try DatabasePath(path)
        if !place.exists { try place.create() }
        let connection = try Connection(path: place.text, access: .readWrite, vfs: nil)
        try connection.execute(
            """
            PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216;
            PRAGMA mmap_size = 0; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;
            PRAGMA secure_delete = OFF; PRAGMA trusted_schema = OFF;
            """, while: "setting up the Stripe file")
        let notice = try prepare(connection, store, windowSeconds)
        return try StripeFile(connection, store, windowSeconds, notice)
    }

    private init(
        _ connection: consuming Connection, _ store: any EventStore, _ windowSeconds: Int64,
        _ notice: String?
    ) throws(StoreError) {
        position = try Self.position(connection)
        tables = try Self.statements(on: connection)
        self.connection = connection
        self.store = store
        self.windowSeconds = windowSeconds
        self.notice = notice
    }

    private static func statements(
        on connection: borrowing Connection
    ) throws(StoreError) -> [String: TableStatements] {
        var tables: [String: TableStatements] = [:]
        tables[StripeCustomerRow.table] = try TableStatements(
            StripeCustomerRow.self, on: connection)
        tables[StripeLinkRow.table] = try TableStatements(StripeLinkRow.self, on: connection)
        tables[StripeWindowRow.table] = try TableStatements(StripeWindowRow.self, on: connection)
        tables[StripePushRow.table] = try TableStatements(StripePushRow.self, on: connection)
        tables[StripePeriodRow.table] = try TableStatements(StripePeriodRow.self, on: connection)
        tables[StripeDriftRow.table] = try TableStatements(StripeDriftRow.self, on: connection)
        tables[StripeInboxRow.table] = try TableStatements(StripeInboxRow.self, on: connection)
        tables[StripeTopUpRow.table] = try TableStatements(StripeTopUpRow.self, on: connection)
        tables[StripeDisputeRow.table] = try TableStatements(StripeDisputeRow.self, on: connection)
        tables[StripeInvoiceRow.table] = try TableStatements(StripeInvoiceRow.self, on: connection)
        tables[StripeDunningRow.table] = try TableStatements(StripeDunningRow.self, on: connection)
        tables[StripeRunRow.table] = try TableStatements(StripeRunRow.self, on: connection)
        return tables
    }

    // MARK: Where it stands

    /// Makes the tables where there are none, or none that fit.
    ///
    /// - Returns: why they were made anew; nil: they were not.
    private static func prepare(
        _ connection: borrowing Connection, _ store: any EventStore, _ windowSeconds: Int64
    ) throws(StoreError) -> String? {
        let activity = "opening the Stripe file"
        let id = try connection.integer("PRAGMA application_id", while: activity)
        let version = try connection.integer("PRAGMA user_version", while: activity)
        let tableCount = try connection.integer(
            "SELECT count(*) FROM sqlite_schema", while: activity)
        let isNew = id == 0 && version == 0 && tableCount == 0
        guard isNew || id == StripeSchema.applicationID else {
            throw StoreError(.corrupt, "the Stripe file is a database of something else")
        }
        var reason: String?
        if isNew {
            try connection.useWriteAheadLog(while: activity)
        } else if version != StripeSchema.version {
            reason = "another version made it"
        } else {
            reason = try fault(connection, store, windowSeconds)
            if reason == nil { return nil }
        }
        try connection.transaction(while: activity) { connection throws(StoreError) in
            try connection.execute(
                "PRAGMA application_id = \(StripeSchema.applicationID);"
                    + " PRAGMA user_version = \(StripeSchema.version);"
                    + StripeSchema.drops + StripeSchema.tables, while: activity)
            let row = try Statement(
                "INSERT INTO position (id, ledger_id, seq, leaf, window_seconds)"
                    + " VALUES (1, ?, 0, ?, \(windowSeconds))", on: connection, activity: activity)
            row.bind(store.identity.ledgerID, at: 1)
            row.bind(MerkleHash.emptyRoot, at: 2)
            try row.run()
        }
        return reason
    }

    private static func fault(
        _ connection: borrowing Connection, _ store: any EventStore, _ windowSeconds: Int64
    ) throws(StoreError) -> String? {
        let row = try Statement(
            "SELECT ledger_id, window_seconds FROM position WHERE id = 1", on: connection,
            activity: "opening the Stripe file")
        guard try row.step() else { return "it has no position" }
        let (ledger, seconds) = (row.text(at: 0), row.int64(at: 1))
        _ = try row.step()
        guard ledger == store.identity.ledgerID else {
            throw StoreError(.corrupt, "the Stripe file belongs to the ledger \(ledger)")
        }
        if seconds != windowSeconds { return "windows have another length" }
        let position = try position(connection)
        guard position.sequence > 0 else { return nil }
        guard position.sequence <= store.head.sequence else { return "it is ahead of the log" }
        let stored = try store.read(after: position.sequence - 1, limit: 1, maxBytes: 1).first
        guard let stored, MerkleHash.leaf(stored.bytes) == position.leaf else {
            return "event \(position.sequence) of the log is another one"
        }
        return nil
    }

    private static func position(
        _ connection: borrowing Connection
    ) throws(StoreError) -> (sequence: UInt64, leaf: MerkleHash) {
        let row = try Statement(
            "SELECT seq, leaf FROM position WHERE id = 1", on: connection,
            activity: "reading the Stripe file")
        guard try row.step() else { throw StoreError(.corrupt, "the Stripe file has no position") }
        return (try row.uint64(at: 0), try row.hash(at: 1))
    }

    // MARK: Folding

    /// Folds one run of events of the log in.
    ///
    /// - Returns: their number.
    package func fold(limit: Int = 4_000) throws(StoreError) -> Int {
        let run = try LogRun(
            store, after: position.sequence, upTo: store.head.sequence, limit: limit,
            maxBytes: 8 << 20)
        guard let last = run.events.last else { return 0 }
        let leaf = run.leaf
        try connection.transaction(while: "folding events") { connection throws(StoreError) in
            var fold = StripeFold(
                self, windowSeconds: windowSeconds, currency: store.identity.currency)
            for event in run.events { try fold.fold(event) }
            try write(fold)
            let statement = try Statement(
                "UPDATE position SET seq = ?, leaf = ? WHERE id = 1", on: connection,
                activity: "folding events")
            statement.bind(Int64(clamping: last.sequence), at: 1)
            statement.bind(leaf, at: 2)
            try statement.run()
        }
        position = (last.sequence, leaf)
        foldedTime = last.time
        return run.events.count
    }

    private func write(_ fold: StripeFold<StripeFile>) throws(StoreError) {
        try write(fold.customers)
        try write(fold.links)
        try write(fold.windows)
        try write(fold.pushes)
        try write(fold.periods)
        try write(fold.drifts)
        try write(fold.inbox)
        try write(fold.topUps)
        try write(fold.disputes)
        try write(fold.invoices)
        try write(fold.runs)
        try write(fold.dunning)
    }

    private func write<Row: ViewRow>(_ rows: TouchedRows<Row>) throws(StoreError) {
        guard let table = tables[Row.table] else { return }
        let changed = rows.changed
        for row in changed.removed { try table.remove(row) }
        for row in changed.written { try table.write(row) }
    }
}

extension StripeFile: RowSource {
    package func find<Row: ViewRow>(_ row: Row) throws(StoreError) -> Row? {
        try tables[Row.table]?.find(row)
    }
}
