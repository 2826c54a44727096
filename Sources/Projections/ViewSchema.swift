// The views' file: one SQLite database beside the ledger, and never the truth. It may be deleted at
// any time; a file of another version, of another ledger, or ahead of the log is thrown away and
// built again. So there are no migrations: whoever changes a table or what a figure means raises
// `version`.

import EventLog
import SQLiteBinding

package enum ViewSchema {
    /// "FarV" in ASCII: this file is ours to throw away.
    static let applicationID: Int64 = 0x4661_7256

    package static let version: Int64 = 2

    enum FileState {
        case empty
        case current
        /// Ours, of another version.
        case otherVersion(Int64)
    }

    /// - Throws: `.corrupt` for a file that is not ours: it is never touched.
    static func state(of connection: borrowing Connection) throws(StoreError) -> FileState {
        let activity = "opening the views"
        let id = try connection.integer("PRAGMA application_id", while: activity)
        let found = try connection.integer("PRAGMA user_version", while: activity)
        let tableCount = try connection.integer(
            "SELECT count(*) FROM sqlite_schema", while: activity)
        if id == 0, found == 0, tableCount == 0 { return .empty }
        guard id == applicationID else {
            throw StoreError(
                .corrupt, "the file for the views is a database of something else; name another")
        }
        return found == version ? .current : .otherVersion(found)
    }

    static func create(
        in connection: borrowing Connection, ledgerID: String
    ) throws(StoreError) {
        let activity = "creating the views"
        try connection.execute("PRAGMA page_size = 8192", while: activity)
        try connection.useWriteAheadLog(while: activity)
        try connection.transaction(while: activity) { connection throws(StoreError) in
            try connection.execute(
                "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version)",
                while: activity)
            try connection.execute(tables, while: activity)
            let position = try Statement(
                "INSERT INTO position (id, ledger_id, seq, leaf, time_us) VALUES (1, ?, 0, ?, 0)",
                on: connection, activity: activity)
            position.bind(ledgerID, at: 1)
            position.bind(MerkleHash.emptyRoot, at: 2)
            try position.run()
        }
    }

    /// Money is nano units, `day` days since 1970-01-01 UTC, `…_us` microseconds since 1970 UTC.
    private static let tables = """
        -- How far the log has been folded: written with the rows, in the same transaction. `leaf` is
        -- the RFC 6962 leaf hash of event `seq`.
        CREATE TABLE position (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            ledger_id TEXT NOT NULL,
            seq INTEGER NOT NULL,
            leaf BLOB NOT NULL,
            time_us INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE usage (
            project TEXT NOT NULL, customer TEXT NOT NULL, model TEXT NOT NULL,
            day INTEGER NOT NULL,
            requests INTEGER NOT NULL, reserved INTEGER NOT NULL, settled INTEGER NOT NULL,
            late INTEGER NOT NULL, released INTEGER NOT NULL, expired INTEGER NOT NULL,
            recorded INTEGER NOT NULL, adjusted INTEGER NOT NULL, tokens INTEGER NOT NULL,
            input INTEGER NOT NULL, cache_read INTEGER NOT NULL, cache_write_5m INTEGER NOT NULL,
            cache_write_1h INTEGER NOT NULL, cache_write_12h INTEGER NOT NULL,
            input_audio INTEGER NOT NULL, input_image INTEGER NOT NULL,
            cache_read_audio INTEGER NOT NULL, output INTEGER NOT NULL, reasoning INTEGER NOT NULL,
            output_audio INTEGER NOT NULL, output_image INTEGER NOT NULL,
            unattributed INTEGER NOT NULL, web_searches INTEGER NOT NULL,
            cost INTEGER NOT NULL, charge INTEGER NOT NULL, overrun INTEGER NOT NULL,
            estimates INTEGER NOT NULL, actual_cost INTEGER NOT NULL,
            expected_cost INTEGER NOT NULL, bound_cost INTEGER NOT NULL,
            absolute_error INTEGER NOT NULL, above_expected INTEGER NOT NULL,
            above_bound INTEGER NOT NULL,
            PRIMARY KEY (project, customer, model, day)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX usage_by_day ON usage (day);

        CREATE TABLE refusals (
            project TEXT NOT NULL, customer TEXT NOT NULL, model TEXT NOT NULL,
            day INTEGER NOT NULL, rule TEXT NOT NULL, code TEXT NOT NULL, budget TEXT NOT NULL,
            refused INTEGER NOT NULL, unpriced INTEGER NOT NULL,
            bound_cost INTEGER NOT NULL, bound_charge INTEGER NOT NULL,
            expected_cost INTEGER NOT NULL, expected_charge INTEGER NOT NULL,
            PRIMARY KEY (project, customer, model, day, rule, code, budget)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX refusals_by_day ON refusals (day);

        CREATE TABLE open_reservations (
            project TEXT NOT NULL, id TEXT NOT NULL, customer TEXT NOT NULL, user TEXT NOT NULL,
            run TEXT NOT NULL, model TEXT NOT NULL, plan TEXT NOT NULL,
            reserved_us INTEGER NOT NULL, expires_us INTEGER NOT NULL, on_expiry TEXT NOT NULL,
            seq INTEGER NOT NULL,
            bound_cost INTEGER NOT NULL, bound_charge INTEGER NOT NULL,
            expected_cost INTEGER NOT NULL, expected_charge INTEGER NOT NULL,
            held INTEGER NOT NULL,
            PRIMARY KEY (project, id)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE revenue (
            project TEXT NOT NULL, customer TEXT NOT NULL, day INTEGER NOT NULL,
            cost INTEGER NOT NULL, charge INTEGER NOT NULL, from_grants INTEGER NOT NULL,
            billable INTEGER NOT NULL, debt INTEGER NOT NULL, absorbed INTEGER NOT NULL,
            repaid_debt INTEGER NOT NULL, from_promotional INTEGER NOT NULL,
            paid INTEGER NOT NULL, granted_paid INTEGER NOT NULL,
            granted_promotional INTEGER NOT NULL,
            PRIMARY KEY (project, customer, day)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX revenue_by_day ON revenue (day);

        CREATE TABLE grants (
            project TEXT NOT NULL, customer TEXT NOT NULL, id TEXT NOT NULL,
            seq INTEGER NOT NULL, amount INTEGER NOT NULL, category TEXT NOT NULL,
            granted_us INTEGER NOT NULL, expires_us INTEGER,
            remaining INTEGER NOT NULL, held INTEGER NOT NULL, burnt INTEGER NOT NULL,
            repaid INTEGER NOT NULL, lost INTEGER NOT NULL, ended INTEGER NOT NULL,
            PRIMARY KEY (project, customer, id)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE grant_days (
            project TEXT NOT NULL, customer TEXT NOT NULL, id TEXT NOT NULL, day INTEGER NOT NULL,
            granted INTEGER NOT NULL, burnt INTEGER NOT NULL, repaid INTEGER NOT NULL,
            lost INTEGER NOT NULL, remaining INTEGER NOT NULL,
            PRIMARY KEY (project, customer, id, day)
        ) STRICT, WITHOUT ROWID;

        -- Lengths of answers, see OutputSizes.swift. An empty customer: all of the project.
        CREATE TABLE output_sizes (
            project TEXT NOT NULL, customer TEXT NOT NULL, model TEXT NOT NULL,
            calls INTEGER NOT NULL, buckets TEXT NOT NULL,
            PRIMARY KEY (project, customer, model)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE budget_windows (
            budget TEXT NOT NULL, generation INTEGER NOT NULL, scope TEXT NOT NULL,
            window_start_us INTEGER NOT NULL, window_end_us INTEGER, measure TEXT NOT NULL,
            amount INTEGER, spent INTEGER NOT NULL, held INTEGER NOT NULL,
            held_peak INTEGER NOT NULL, open_holds INTEGER NOT NULL, calls INTEGER NOT NULL,
            refused INTEGER NOT NULL, exceeded INTEGER NOT NULL, last_seq INTEGER NOT NULL,
            PRIMARY KEY (budget, generation, scope, window_start_us)
        ) STRICT, WITHOUT ROWID;

        """
}
