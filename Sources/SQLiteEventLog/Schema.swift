// The ledger's file and its versions.
//
// `PRAGMA application_id` says that a SQLite file is a ledger of ours, `PRAGMA user_version` which
// version of the tables it has. Migrations are numbered from 1 and run in order, in one
// transaction; none is ever changed once released. Their text is also kept in
// schemas/sql/NNNN-*.sql, byte for byte, for people and other tools; a test compares the two.

import CSQLite
package import EventLog
import SQLiteBinding

/// What a new ledger is to be.
package struct NewLedger: Sendable {
    package var identity: LedgerIdentity
    /// Time of creation, microseconds since 1970 UTC.
    package var createdMicroseconds: Int64

    package init(identity: LedgerIdentity, createdMicroseconds: Int64) {
        self.identity = identity
        self.createdMicroseconds = createdMicroseconds
    }
}

struct Schema {
    /// "Fare" in ASCII.
    static let applicationID: Int64 = 0x4661_7265

    static let current = Schema(migrations: [migration0001])

    /// Number n of the list leads from version n - 1 to n.
    let migrations: [String]

    var version: Int64 { Int64(migrations.count) }

    private enum FileState {
        /// No tables at all: new, or its creation was cut short.
        case empty
        case ledger(version: Int64)
    }

    /// Makes the tables in an empty file, or brings an older ledger up to date.
    ///
    /// - Throws: `.corrupt` for another program's file, `.tooNew` for a later version's,
    ///   `.cannotOpen` for an empty one when there is no `newLedger`.
    func prepareForWriting(
        _ connection: borrowing Connection, newLedger: NewLedger?
    ) throws(StoreError) {
        // Looked at before anything is set: a file that is not ours stays as it is.
        switch try state(of: connection) {
        case .ledger(let found):
            try connection.useWriteAheadLog(while: "opening the ledger")
            guard found < version else { return }
            let activity = "bringing the ledger from version \(found) to \(version)"
            try connection.transaction(while: activity) { connection throws(StoreError) in
                try migrate(connection, from: found, while: activity)
            }
        case .empty:
            guard let newLedger else { throw Self.noLedger }
            let activity = "creating the ledger"
            // 8 KiB pages, measured against 4 and 16: a commit of one event costs the same as
            // with 4, large batches gain some 5 %.
            try connection.execute(
                "PRAGMA page_size = 8192; PRAGMA auto_vacuum = NONE", while: activity)
            try connection.useWriteAheadLog(while: "opening the ledger")
            // In one transaction: a ledger is there with its identity, or the file is still empty.
            try connection.transaction(while: activity) { connection throws(StoreError) in
                try create(newLedger, in: connection, while: activity)
            }
        }
    }

    /// Makes the tables and the identity within the open transaction of an empty file.
    func create(
        _ newLedger: NewLedger, in connection: borrowing Connection, while activity: String
    ) throws(StoreError) {
        try connection.execute("PRAGMA application_id = \(Self.applicationID)", while: activity)
        try migrate(connection, from: 0, while: activity)
        try insert(newLedger, into: connection, while: activity)
    }

    /// - Throws: as `prepareForWriting`; `.cannotOpen` also for an older version, which only a
    ///   writer can bring up to date.
    func checkForReading(_ connection: borrowing Connection) throws(StoreError) {
        guard case .ledger(let found) = try state(of: connection) else { throw Self.noLedger }
        guard found == version else {
            throw StoreError(
                .cannotOpen,
                "the ledger has the older version \(found) of \(version): start the server once")
        }
    }

    static func identity(
        in connection: borrowing Connection
    ) throws(StoreError) -> LedgerIdentity {
        let row = try Statement(
            "SELECT ledger_id, currency, test_clock FROM ledger WHERE id = 1", on: connection,
            activity: "reading the ledger's identity")
        guard try row.step() else { throw StoreError(.corrupt, "the ledger has no identity") }
        return LedgerIdentity(
            ledgerID: row.text(at: 0), currency: row.text(at: 1),
            isTestClock: row.int64(at: 2) == 1)
    }

    private static var noLedger: StoreError {
        StoreError(.cannotOpen, "there is no ledger in the file")
    }

    private func state(of connection: borrowing Connection) throws(StoreError) -> FileState {
        let activity = "opening the ledger"
        let id = try connection.integer("PRAGMA application_id", while: activity)
        let found = try connection.integer("PRAGMA user_version", while: activity)
        let tableCount = try connection.integer(
            "SELECT count(*) FROM sqlite_schema", while: activity)
        if id == 0, found == 0, tableCount == 0 { return .empty }
        guard id == Self.applicationID, found >= 1 else {
            throw StoreError(.corrupt, "the file is a database of another program")
        }
        guard found <= version else {
            throw StoreError(
                .tooNew, "the ledger has version \(found); this program knows up to \(version)")
        }
        return .ledger(version: found)
    }

    private func migrate(
        _ connection: borrowing Connection, from found: Int64, while activity: String
    ) throws(StoreError) {
        for (index, sql) in migrations.enumerated().dropFirst(Int(found)) {
            try connection.execute(sql, while: activity)
            try connection.execute("PRAGMA user_version = \(index + 1)", while: activity)
        }
    }

    private func insert(
        _ newLedger: NewLedger, into connection: borrowing Connection, while activity: String
    ) throws(StoreError) {
        let row = try Statement(
            "INSERT INTO ledger (id, ledger_id, currency, test_clock, created_us)"
                + " VALUES (1, ?, ?, ?, ?)", on: connection, activity: activity)
        row.bind(newLedger.identity.ledgerID, at: 1)
        row.bind(newLedger.identity.currency, at: 2)
        row.bind(newLedger.identity.isTestClock ? 1 : 0, at: 3)
        row.bind(newLedger.createdMicroseconds, at: 4)
        try row.run()
    }
}
