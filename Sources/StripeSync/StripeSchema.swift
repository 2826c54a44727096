// The file of what is to be pushed: one SQLite database beside the ledger. Everything in it is
// derived from the log; it may be deleted, and is made anew where it does not fit.

import EventLog
import Projections
import SQLiteBinding

enum StripeSchema {
    /// "FarS" in ASCII.
    static let applicationID: Int64 = 0x4661_7253
    /// Of the tables, and of what the fold's rows mean.
    static let version: Int64 = 1

    static let tableNames = [
        StripeCustomerRow.table, StripeLinkRow.table, StripeWindowRow.table, StripePushRow.table,
        StripePeriodRow.table, StripeDriftRow.table, StripeInboxRow.table, StripeTopUpRow.table,
        StripeDisputeRow.table, StripeInvoiceRow.table, StripeRunRow.table,
        StripeDunningRow.table,
    ]

    static let tables = """
        -- How far the log has been folded. `leaf` is the RFC 6962 leaf hash of event `seq`.
        CREATE TABLE position (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            ledger_id TEXT NOT NULL, seq INTEGER NOT NULL, leaf BLOB NOT NULL,
            window_seconds INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE customers (
            project TEXT NOT NULL, customer TEXT NOT NULL, stripe_customer TEXT NOT NULL,
            billable INTEGER NOT NULL, billed INTEGER NOT NULL, carried INTEGER NOT NULL,
            pushes INTEGER NOT NULL, open_push TEXT NOT NULL,
            subscription TEXT NOT NULL, status TEXT NOT NULL, seen_us INTEGER NOT NULL,
            period_start_us INTEGER NOT NULL, period_end_us INTEGER NOT NULL,
            ended_us INTEGER NOT NULL, blocked TEXT NOT NULL, rejections INTEGER NOT NULL,
            prices TEXT NOT NULL, is_dunned INTEGER NOT NULL, closed_us INTEGER NOT NULL,
            PRIMARY KEY (project, customer)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX customers_carrying ON customers (project, customer)
            WHERE carried NOT BETWEEN -999 AND 999 AND stripe_customer <> '' AND blocked = ''
            AND open_push = '' AND subscription <> '' AND ended_us = 0;
        CREATE INDEX customers_ended ON customers (ended_us) WHERE ended_us > 0;
        CREATE INDEX customers_by_end ON customers (period_end_us)
            WHERE stripe_customer <> '' AND period_end_us > 0;
        CREATE TABLE links (
            stripe_customer TEXT PRIMARY KEY, project TEXT NOT NULL, customer TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE windows (
            project TEXT NOT NULL, customer TEXT NOT NULL, start_us INTEGER NOT NULL,
            end_us INTEGER NOT NULL, nanos INTEGER NOT NULL,
            PRIMARY KEY (project, customer, start_us)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX windows_by_end ON windows (end_us);
        CREATE TABLE pushes (
            identifier TEXT PRIMARY KEY, project TEXT NOT NULL, customer TEXT NOT NULL,
            stripe_customer TEXT NOT NULL, state TEXT NOT NULL, kind TEXT NOT NULL,
            drift TEXT NOT NULL, quantity INTEGER NOT NULL, stamp_us INTEGER NOT NULL,
            planned_us INTEGER NOT NULL, changed_us INTEGER NOT NULL, attempts INTEGER NOT NULL,
            code TEXT NOT NULL, body TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX pushes_open ON pushes (planned_us) WHERE state = 'open';
        CREATE INDEX pushes_by_stamp ON pushes (project, customer, stamp_us);
        CREATE TABLE periods (
            project TEXT NOT NULL, customer TEXT NOT NULL, start_us INTEGER NOT NULL,
            end_us INTEGER NOT NULL, subscription TEXT NOT NULL, is_closed INTEGER NOT NULL,
            pushed INTEGER NOT NULL, billed INTEGER NOT NULL, invoice TEXT NOT NULL,
            is_odd INTEGER NOT NULL,
            PRIMARY KEY (project, customer, start_us)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX periods_odd ON periods (end_us) WHERE is_odd = 1;
        CREATE INDEX periods_open ON periods (end_us) WHERE is_closed = 0;
        CREATE TABLE drifts (
            drift TEXT PRIMARY KEY, project TEXT NOT NULL, customer TEXT NOT NULL,
            period_start_us INTEGER NOT NULL, through_us INTEGER NOT NULL,
            found_us INTEGER NOT NULL, missing INTEGER NOT NULL, unexplained INTEGER NOT NULL,
            push TEXT NOT NULL, is_over INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX drifts_of_customer ON drifts (project, customer, period_start_us);
        CREATE INDEX drifts_standing ON drifts (found_us) WHERE is_over = 0;
        CREATE TABLE inbox (
            id TEXT PRIMARY KEY, seq INTEGER NOT NULL, type TEXT NOT NULL,
            is_handled INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX inbox_waiting ON inbox (seq) WHERE is_handled = 0 AND seq > 0;
        CREATE TABLE top_ups (
            payment_intent TEXT PRIMARY KEY, project TEXT NOT NULL, customer TEXT NOT NULL,
            grant_id TEXT NOT NULL, amount INTEGER NOT NULL, refunded INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE invoices (
            invoice TEXT PRIMARY KEY, is_paid INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE disputes (
            dispute TEXT PRIMARY KEY, project TEXT NOT NULL, customer TEXT NOT NULL,
            due_us INTEGER NOT NULL, held INTEGER NOT NULL, status TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE dunning (
            budget TEXT PRIMARY KEY, project TEXT NOT NULL, customer TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE last_run (
            id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, at_us INTEGER NOT NULL,
            checked INTEGER NOT NULL, equal INTEGER NOT NULL, differing INTEGER NOT NULL,
            pending INTEGER NOT NULL, failed INTEGER NOT NULL
        ) STRICT;

        """

    static var drops: String {
        (tableNames + ["position"]).map { "DROP TABLE IF EXISTS \($0);" }.joined(separator: " ")
    }
}
