import EventLog
import FaregateTestSupport
import Glibc
import SQLiteBinding
import Testing

@testable import SQLiteEventLog

struct SQLiteEventStoreTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    // The store in SQLite keeps every rule of the contract.
    @Test(arguments: EventStoreContract.rules)
    func keeps(_ rule: EventStoreContract) async throws {
        let path = folder.ledger
        try await rule.check { try openLedger(path) }
    }

    // Being durable, it keeps those of a durable store too.
    @Test(arguments: EventStoreContract.durableRules)
    func keepsDurably(_ rule: EventStoreContract) async throws {
        let path = folder.ledger
        try await rule.check { try openLedger(path) }
    }

    // What is created is what was asked for; what exists is opened as it is.
    @Test func identityIsFixedAtCreation() throws {
        let store = try openLedger(folder.ledger)
        #expect(store.identity == testLedger.identity)
        store.close()
        let other = NewLedger(
            identity: LedgerIdentity(ledgerID: "other", currency: "EUR", isTestClock: true),
            createdMicroseconds: 0)
        let again = try SQLiteEventStore.open(path: folder.ledger, create: other)
        #expect(again.identity == testLedger.identity)
        again.close()
        let plain = try SQLiteEventStore.open(path: folder.ledger)
        #expect(plain.identity == testLedger.identity)
        plain.close()
    }

    // Only its owner may read a new ledger, and what lies beside it.
    @Test func newFilesArePrivate() throws {
        let store = try openLedger(folder.ledger)
        defer { store.close() }
        try store.fill(1)
        for suffix in ["", "-wal", "-shm"] {
            var status = stat()
            #expect(stat(folder.ledger + suffix, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
        }
    }

    // The settings that durability rests on are in force on the writing connection.
    @Test func writerIsFullyDurable() throws {
        try openLedger(folder.ledger).close()
        let connection = try Connection(path: folder.ledger, access: .readWrite, vfs: nil)
        let writer = try LogWriter.open(connection, gauge: WALGauge())
        func setting(_ name: String) throws -> Int64 {
            try writer.connection.integer("PRAGMA \(name)", while: "test")
        }
        #expect(try setting("synchronous") == 2)
        #expect(try setting("wal_autocheckpoint") == 0)
        #expect(try setting("mmap_size") == 0)
        #expect(try setting("page_size") == 8192)
        let mode = try Statement("PRAGMA journal_mode", on: writer.connection, activity: "test")
        #expect(try mode.step())
        #expect(mode.text(at: 0) == "wal")
    }

    // Readers cannot write, whatever they are told.
    @Test func readersCannotWrite() throws {
        try openLedger(folder.ledger).close()
        let reader = try LogReader.open(path: folder.ledger, vfs: nil)
        let error = #expect(throws: StoreError.self) {
            try reader.connection.execute("DELETE FROM events", while: "test")
        }
        #expect(error?.code == .cannotOpen)
    }

    // More callers than readers wait for one and all get their answer.
    @Test func manyReadersShareTwoConnections() async throws {
        let store = try openLedger(folder.ledger)
        defer { store.close() }
        try store.fill(50)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    var count = 0
                    for _ in 0..<20 { count += try store.everything().count }
                    return count
                }
            }
            for try await count in group { #expect(count == 20 * 50) }
        }
    }

    // The write-ahead log stays short under any number of appends, and is moved on demand.
    @Test func writeAheadLogStaysShort() throws {
        let store = try openLedger(folder.ledger)
        defer { store.close() }
        var longest = 0
        for _ in 0..<30 {
            try store.fill(100, bytesEach: 5_000)
            longest = max(longest, fileSize(folder.ledger + "-wal"))
        }
        // 15 MB were appended; a log of 4 MiB plus one batch is the most there is at any time.
        #expect(longest < 4 << 20 + 1 << 20)
        #expect(fileSize(folder.ledger) > 10_000_000)
        #expect(store.walPages > 0)
        try store.checkpointStorage()
        #expect(store.walPages == 0)
        #expect(fileSize(folder.ledger) > 15_000_000)
        try store.fill(1)
        #expect(store.walPages > 0 && store.walPages < 10)
    }

    // A reader that holds on to old pages delays the move, but neither stops appends nor is
    // disturbed; afterwards the log is short again.
    @Test func longReaderDelaysTheMove() throws {
        let store = try openLedger(folder.ledger)
        defer { store.close() }
        try store.fill(10)
        let reader = try Connection(path: folder.ledger, access: .readOnly, vfs: nil)
        try reader.execute("BEGIN", while: "test")
        let countSQL = "SELECT count(*) FROM events"
        #expect(try reader.integer(countSQL, while: "test") == 10)
        for _ in 0..<15 { try store.fill(100, bytesEach: 10_000) }
        #expect(fileSize(folder.ledger + "-wal") > 10_000_000)
        #expect(try reader.integer(countSQL, while: "test") == 10)
        try reader.execute("COMMIT", while: "test")

        try store.checkpointStorage()
        #expect(store.walPages == 0)
        try store.fill(1)
        #expect(store.walPages < 10)
        #expect(try store.everything().count == 1_511)
    }

    // The known defect of older SQLite versions is named, and no other version is blamed.
    @Test func oldSQLiteIsNamed() {
        #expect(SQLiteEventStore.advisories(sqliteVersion: 3_040_001).count == 1)
        #expect(
            SQLiteEventStore.advisories(sqliteVersion: 3_051_002)[0].hasPrefix("SQLite 3.51.2 "))
        #expect(SQLiteEventStore.advisories(sqliteVersion: 3_051_003).isEmpty)
        #expect(SQLiteEventStore.advisories(sqliteVersion: 3_053_000).isEmpty)
    }
}
