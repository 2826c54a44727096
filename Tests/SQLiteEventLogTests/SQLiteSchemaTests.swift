import EventLog
import FaregateTestSupport
import Glibc
import SQLiteBinding
import Testing

@testable import SQLiteEventLog

struct SQLiteSchemaTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private var schemasFolder: String {
        // Tests/SQLiteEventLogTests/<this file>
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/") + "/schemas/sql"
    }

    // The migrations in the program and in schemas/sql are the same, byte for byte and none more.
    @Test func migrationsEqualTheirFiles() throws {
        var names: [String] = []
        let directory = try #require(opendir(schemasFolder))
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(".sql") { names.append(name) }
        }
        names.sort()
        #expect(names.count == Schema.current.migrations.count)
        for (index, (name, sql)) in zip(names, Schema.current.migrations).enumerated() {
            let digits = String(index + 1)
            #expect(name.hasPrefix(String(repeating: "0", count: 4 - digits.count) + digits + "-"))
            let bytes = try #require(readFile("\(schemasFolder)/\(name)"))
            #expect(Array(sql.utf8) == bytes)
        }
    }

    // A new ledger has the tables of the migrations and nothing else.
    @Test func newLedgerHasTheTablesOfTheFiles() throws {
        try openLedger(folder.ledger).close()
        let statements = Schema.current.migrations.joined(separator: "\n")
            .split(separator: "\n").filter { !$0.hasPrefix("--") }.joined(separator: "\n")
            .split(separator: ";\n").map { String($0).trimmingNewlines }
        let connection = try Connection(path: folder.ledger, access: .readOnly, vfs: nil)
        let rows = try Statement(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid", on: connection,
            activity: "test")
        var found: [String] = []
        try rows.forEachRow { row throws(StoreError) in
            found.append(row.text(at: 0))
            return true
        }
        #expect(found == statements.map { $0.hasSuffix(";") ? String($0.dropLast()) : $0 })
        #expect(try connection.integer("PRAGMA user_version", while: "test") == 1)
        #expect(try connection.integer("PRAGMA application_id", while: "test") == 0x4661_7265)
    }

    // An older ledger is brought up to date once, by the migrations that it lacks, and only by a
    // writer.
    @Test func migrationsRunInOrder() throws {
        try openLedger(folder.ledger).close()
        let later = Schema(
            migrations: Schema.current.migrations + [
                "CREATE TABLE second (a INTEGER) STRICT",
                "ALTER TABLE second ADD COLUMN b INTEGER; INSERT INTO second VALUES (1, 2)",
            ])
        let reader = try Connection(path: folder.ledger, access: .readOnly, vfs: nil)
        expectCode(.cannotOpen) { () throws(StoreError) in try later.checkForReading(reader) }
        for _ in 0..<2 {
            let connection = try Connection(path: folder.ledger, access: .readWrite, vfs: nil)
            try later.prepareForWriting(connection, newLedger: nil)
            #expect(try connection.integer("PRAGMA user_version", while: "test") == 3)
            #expect(try connection.integer("SELECT sum(a + b) FROM second", while: "test") == 3)
        }
        try later.checkForReading(reader)
        // And this program is now too old for it.
        expectCode(.tooNew) { () throws(StoreError) in
            try SQLiteEventStore.open(path: folder.ledger)
        }
    }

    // A migration that fails leaves the ledger as it was.
    @Test func failedMigrationsLeaveNothing() throws {
        try openLedger(folder.ledger).close()
        let broken = Schema(
            migrations: Schema.current.migrations + [
                "CREATE TABLE second (a INTEGER) STRICT", "CREATE TABLE events (a INTEGER) STRICT",
            ])
        let connection = try Connection(path: folder.ledger, access: .readWrite, vfs: nil)
        #expect(throws: StoreError.self) {
            try broken.prepareForWriting(connection, newLedger: nil)
        }
        let isInTransaction = connection.isInTransaction
        #expect(!isInTransaction)
        #expect(try connection.integer("PRAGMA user_version", while: "test") == 1)
        try openLedger(folder.ledger).close()
    }

    // Every read goes straight to its rows by a primary key: no scan of a table, no sorting.
    @Test(arguments: [
        LogReader.eventsSQL, LogReader.checkpointsSQL, LogLoader.newestCheckpointSQL,
        LogLoader.newestEventSQL, LogLoader.subtreesSQL, LogLoader.leavesSQL,
        SnapshotTables.newestSQL, SnapshotTables.partsSQL,
    ])
    func readsUseThePrimaryKey(sql: String) throws {
        try openLedger(folder.ledger).close()
        let connection = try Connection(path: folder.ledger, access: .readOnly, vfs: nil)
        let rows = try Statement("EXPLAIN QUERY PLAN \(sql)", on: connection, activity: "test")
        var plan: [String] = []
        try rows.forEachRow { row throws(StoreError) in
            plan.append(row.text(at: 3))
            return true
        }
        #expect(plan.count == 1)
        let step = try #require(plan.first)
        // The newest row is the first of a scan backwards, stopped by LIMIT 1.
        let isNewest = sql.hasSuffix("LIMIT 1")
        let byKey = step.contains("USING INTEGER PRIMARY KEY") || step.contains("USING PRIMARY KEY")
        #expect(isNewest ? step.hasPrefix("SCAN") : step.hasPrefix("SEARCH") && byKey, "\(step)")
    }
}

extension String {
    fileprivate var trimmingNewlines: String {
        String(drop { $0 == "\n" }.reversed().drop { $0 == "\n" }.reversed())
    }
}
