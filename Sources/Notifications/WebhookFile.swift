// The webhooks' file, open for writing. Used by one thread at a time.
//
// A batch of events is one transaction: the fold's rows, the notifications that follow, a delivery
// for each endpoint that wants one, and how far the log has now been folded. So nothing is lost
// between deciding and sending, and nothing decided twice, wherever a crash falls. What is sent and
// not yet noted as delivered is sent again, with the same id.

package import Billing
package import EventLog
package import Projections
import SQLiteBinding

package final class WebhookFile {
    let connection: Connection
    let store: any EventStore
    let settings: NotificationSettings
    private let tables: [String: TableStatements]
    private var position: Position

    /// Why the fold began anew, for people; told once.
    package private(set) var notice: String?

    private struct Position {
        var sequence: UInt64
        var leaf: MerkleHash
        var notified: UInt64
    }

    /// Opens the file at `path`, or makes it.
    ///
    /// - Throws: `.corrupt` for a damaged file or one of another ledger: it is left alone.
    package static func open(
        path: String, store: any EventStore, settings: NotificationSettings
    ) throws(StoreError) -> WebhookFile {
        let place = try DatabasePath(path)
        if !place.exists { try place.create() }
        let connection = try Connection(path: place.text, access: .readWrite, vfs: nil)
        try WebhookSchema.prepare(connection, ledgerID: store.identity.ledgerID)
        // FULL: an endpoint whose secret has been shown must not be taken back by a power cut.
        try connection.execute(
            """
            PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216;
            PRAGMA mmap_size = 0; PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY;
            PRAGMA trusted_schema = OFF;
            """, while: "setting up the webhooks' file")
        return try WebhookFile(connection, store, settings)
    }

    private init(
        _ connection: consuming Connection, _ store: any EventStore,
        _ settings: NotificationSettings
    ) throws(StoreError) {
        let (found, reason) = try Self.fittingPosition(connection, store)
        position = found
        notice = reason
        tables = try Self.statements(on: connection)
        self.connection = connection
        self.store = store
        self.settings = settings
    }

    private static func statements(
        on connection: borrowing Connection
    ) throws(StoreError) -> [String: TableStatements] {
        var tables: [String: TableStatements] = [:]
        tables[BudgetRuleRow.table] = try TableStatements(BudgetRuleRow.self, on: connection)
        tables[ThresholdRow.table] = try TableStatements(ThresholdRow.self, on: connection)
        tables[RunChargeRow.table] = try TableStatements(RunChargeRow.self, on: connection)
        tables[RunDayRow.table] = try TableStatements(RunDayRow.self, on: connection)
        tables[DebtRow.table] = try TableStatements(DebtRow.self, on: connection)
        return tables
    }

    package func takeNotice() -> String? {
        defer { notice = nil }
        return notice
    }

    /// Time of the last event folded in since the file was opened.
    private(set) var foldedTime: Instant?

    /// Number of the last event folded in.
    package var sequence: UInt64 { position.sequence }

    // MARK: Where it stands

    /// The position found; where it does not fit the log, that of a fold that begins anew.
    private static func fittingPosition(
        _ connection: borrowing Connection, _ store: any EventStore
    ) throws(StoreError) -> (Position, reason: String?) {
        let row = try Statement(
            "SELECT ledger_id, seq, leaf, fold_version, notified_seq FROM position WHERE id = 1",
            on: connection, activity: "reading the webhooks' position")
        guard try row.step() else { throw StoreError(.corrupt, "the webhooks have no position") }
        let ledger = row.text(at: 0)
        guard ledger == store.identity.ledgerID else {
            throw StoreError(.corrupt, "the webhooks' file belongs to the ledger \(ledger)")
        }
        var position = Position(
            sequence: try row.uint64(at: 1), leaf: try row.hash(at: 2),
            notified: try row.uint64(at: 4))
        let foldVersion = row.int64(at: 3)
        _ = try row.step()
        let head = store.head.sequence
        var reason: String?
        if position.sequence > head {
            reason = "the webhooks' file is at event \(position.sequence), ahead of the log"
            position.notified = head
        } else if try !isSame(position, store) {
            reason = "event \(position.sequence) of the log is another one"
            position.notified = head
        } else if foldVersion != WebhookSchema.foldVersion {
            reason = "another version made it"
            position.notified = max(position.notified, position.sequence)
        }
        guard let reason else { return (position, nil) }
        position.sequence = 0
        position.leaf = .emptyRoot
        let fresh = position
        let activity = "beginning the notifications anew"
        try connection.transaction(while: activity) { connection throws(StoreError) in
            try connection.execute(
                WebhookSchema.dropFoldTables + WebhookSchema.foldTables, while: activity)
            try write(fresh, connection)
        }
        return (fresh, reason)
    }

    private static func isSame(
        _ position: Position, _ store: any EventStore
    ) throws(StoreError) -> Bool {
        guard position.sequence > 0 else { return true }
        let stored = try store.read(after: position.sequence - 1, limit: 1, maxBytes: 1).first
        guard let stored else { return false }
        return MerkleHash.leaf(stored.bytes) == position.leaf
    }

    private static func write(
        _ position: Position, _ connection: borrowing Connection
    ) throws(StoreError) {
        let statement = try Statement(
            "UPDATE position SET seq = ?, leaf = ?, fold_version = ?, notified_seq = ?"
                + " WHERE id = 1", on: connection, activity: "folding events")
        statement.bind(Int64(clamping: position.sequence), at: 1)
        statement.bind(position.leaf, at: 2)
        statement.bind(WebhookSchema.foldVersion, at: 3)
        statement.bind(Int64(clamping: position.notified), at: 4)
        try statement.run()
    }

    // MARK: Folding

    /// Folds one run of events of the log in; nothing while there are no endpoints.
    ///
    /// - Parameter batchEvents: most events in it.
    /// - Returns: the number of events folded in.
    package func fold(now: Instant, batchEvents: Int = 2_000) throws(StoreError) -> Int {
        let endpoints = try self.endpoints()
        if endpoints.isEmpty { return 0 }
        let run = try LogRun(
            store, after: position.sequence, upTo: store.head.sequence, limit: batchEvents,
            maxBytes: 4 << 20)
        guard let last = run.events.last else { return 0 }
        var next = position
        next.sequence = last.sequence
        next.leaf = run.leaf
        let new = next
        try connection.transaction(while: "folding events") { connection throws(StoreError) in
            var fold = NotificationFold(
                self, ledgerID: store.identity.ledgerID, rules: settings.rules)
            var counts: [String: Int64] = [:]
            for event in run.events {
                let notifications = try fold.fold(event, run)
                if event.sequence <= position.notified { continue }
                for notification in notifications {
                    try enqueue(notification, endpoints, now, &counts)
                }
            }
            try write(fold)
            try Self.write(new, connection)
            for (endpoint, count) in counts where count > 0 {
                try switchOffIfFull(endpoint)
            }
        }
        position = new
        foldedTime = last.time
        return run.events.count
    }

    private func write(_ fold: NotificationFold<WebhookFile>) throws(StoreError) {
        try write(fold.budgets)
        try write(fold.thresholds)
        try write(fold.runs)
        try write(fold.runDays)
        try write(fold.debts)
    }

    private func write<Row: ViewRow>(_ rows: TouchedRows<Row>) throws(StoreError) {
        guard let table = tables[Row.table] else { return }
        let changed = rows.changed
        for row in changed.removed { try table.remove(row) }
        for row in changed.written { try table.write(row) }
    }
}

extension WebhookFile: RowSource {
    package func find<Row: ViewRow>(_ row: Row) throws(StoreError) -> Row? {
        try tables[Row.table]?.find(row)
    }
}
