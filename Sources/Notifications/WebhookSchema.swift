// The webhooks' file: one SQLite database beside the ledger.
//
// Unlike the read models it does not only hold what the log says: endpoints and their secrets are
// nowhere else, because a secret has no business on a log that is kept for ever. So it is never
// thrown away by the program. Whoever deletes it deletes the endpoints and what was on its way to
// them, and no more: the fold begins again when there is an endpoint, and tells it of what happens
// from then on.
//
// The tables of the fold are a cache of the log, and folded anew where they do not fit: of another
// version of the fold, or of a log that was put back to an earlier state. What was notified before
// is not notified again (`notified_seq`).

import EventLog
import Projections
import SQLiteBinding

enum WebhookSchema {
    /// "FarW" in ASCII.
    static let applicationID: Int64 = 0x4661_7257
    static let version: Int64 = 1
    /// Of what the fold's rows mean.
    static let foldVersion: Int64 = 1

    /// Makes the tables where there are none.
    ///
    /// - Throws: `.corrupt` for a file of something else, `.tooNew` for one of a later version.
    static func prepare(
        _ connection: borrowing Connection, ledgerID: String
    ) throws(StoreError) {
        let activity = "opening the webhooks"
        let id = try connection.integer("PRAGMA application_id", while: activity)
        let found = try connection.integer("PRAGMA user_version", while: activity)
        let tableCount = try connection.integer(
            "SELECT count(*) FROM sqlite_schema", while: activity)
        if id == 0, found == 0, tableCount == 0 {
            try create(connection, ledgerID: ledgerID)
            return
        }
        guard id == applicationID else {
            throw StoreError(.corrupt, "the file for the webhooks is a database of something else")
        }
        guard found <= version else {
            throw StoreError(.tooNew, "the webhooks' file has version \(found)")
        }
    }

    private static func create(
        _ connection: borrowing Connection, ledgerID: String
    ) throws(StoreError) {
        let activity = "creating the webhooks' file"
        try connection.useWriteAheadLog(while: activity)
        try connection.transaction(while: activity) { connection throws(StoreError) in
            try connection.execute(
                "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version)",
                while: activity)
            try connection.execute(tables + foldTables, while: activity)
            let position = try Statement(
                "INSERT INTO position (id, ledger_id, seq, leaf, fold_version, notified_seq)"
                    + " VALUES (1, ?, 0, ?, \(foldVersion), 0)",
                on: connection, activity: activity)
            position.bind(ledgerID, at: 1)
            position.bind(MerkleHash.emptyRoot, at: 2)
            try position.run()
        }
    }

    private static let tables = """
        -- How far the log has been folded. `leaf` is the RFC 6962 leaf hash of event `seq`;
        -- events up to `notified_seq` make no notifications (any more).
        CREATE TABLE position (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            ledger_id TEXT NOT NULL,
            seq INTEGER NOT NULL,
            leaf BLOB NOT NULL,
            fold_version INTEGER NOT NULL,
            notified_seq INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE endpoints (
            id TEXT PRIMARY KEY,
            url TEXT NOT NULL, description TEXT NOT NULL,
            types TEXT NOT NULL, project TEXT,
            is_enabled INTEGER NOT NULL, disabled_reason TEXT,
            created_us INTEGER NOT NULL, after_seq INTEGER NOT NULL,
            secret TEXT NOT NULL, old_secret TEXT, old_secret_until_us INTEGER,
            failing_since_us INTEGER
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE notifications (
            id TEXT PRIMARY KEY,
            type TEXT NOT NULL, seq INTEGER NOT NULL, project TEXT, body TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE deliveries (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            endpoint TEXT NOT NULL, notification TEXT NOT NULL,
            state TEXT NOT NULL, attempts INTEGER NOT NULL, failures INTEGER NOT NULL,
            created_us INTEGER NOT NULL, due_us INTEGER NOT NULL,
            last_us INTEGER, last_status INTEGER, last_error TEXT
        ) STRICT;
        CREATE INDEX deliveries_waiting ON deliveries (endpoint, due_us, number)
            WHERE state = 'waiting';
        CREATE INDEX deliveries_of_endpoint ON deliveries (endpoint, number);
        CREATE INDEX deliveries_of_notification ON deliveries (notification);
        CREATE INDEX deliveries_ended ON deliveries (last_us) WHERE state <> 'waiting';

        """

    static let foldTables = """
        CREATE TABLE IF NOT EXISTS budget_rules (
            budget TEXT PRIMARY KEY, generation INTEGER NOT NULL, name TEXT NOT NULL,
            per TEXT NOT NULL, measure TEXT NOT NULL, window TEXT NOT NULL,
            time_zone TEXT NOT NULL, amount INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS thresholds (
            budget TEXT NOT NULL, generation INTEGER NOT NULL, scope TEXT NOT NULL,
            window_start_us INTEGER NOT NULL, window_end_us INTEGER, spent INTEGER NOT NULL,
            amount INTEGER, reached TEXT NOT NULL,
            PRIMARY KEY (budget, generation, scope, window_start_us)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS thresholds_by_end ON thresholds (window_end_us);
        CREATE TABLE IF NOT EXISTS run_charges (
            project TEXT NOT NULL, run TEXT NOT NULL, day INTEGER NOT NULL,
            charge INTEGER NOT NULL, last_us INTEGER NOT NULL, has_spiked INTEGER NOT NULL,
            is_counted INTEGER NOT NULL,
            PRIMARY KEY (project, run)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS run_charges_by_change ON run_charges (last_us);
        CREATE TABLE IF NOT EXISTS run_days (
            project TEXT NOT NULL, day INTEGER NOT NULL, runs INTEGER NOT NULL,
            charge INTEGER NOT NULL,
            PRIMARY KEY (project, day)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS debts (
            project TEXT NOT NULL, customer TEXT NOT NULL, debt INTEGER NOT NULL,
            PRIMARY KEY (project, customer)
        ) STRICT, WITHOUT ROWID;

        """

    static let dropFoldTables = """
        DROP TABLE IF EXISTS budget_rules; DROP TABLE IF EXISTS thresholds;
        DROP TABLE IF EXISTS run_charges; DROP TABLE IF EXISTS run_days;
        DROP TABLE IF EXISTS debts;

        """
}
