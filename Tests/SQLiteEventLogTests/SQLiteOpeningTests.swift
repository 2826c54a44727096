import EventLog
import FaregateTestSupport
import Glibc
import Testing

@testable import SQLiteEventLog

struct SQLiteOpeningTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    // The head is found again, with its root, around every size where subtrees complete.
    @Test func headIsLoadedAtAnySize() throws {
        var store = try openLedger(folder.ledger)
        for size in [1, 255, 256, 257, 511, 513, 65_535, 65_536, 65_537, 65_792, 66_049] {
            try store.fill(size - Int(store.head.sequence), bytesEach: 0)
            let head = store.head
            store.close()
            store = try openLedger(folder.ledger)
            #expect(store.head == head)
        }
        #expect(try store.rootIsRight())
        store.close()
    }

    // Damage at the log's end is found when it is opened, for writing and for reading.
    @Test(arguments: [
        "UPDATE events SET body = x'00' WHERE seq = 600",
        "UPDATE events SET body = x'00' WHERE seq = 513",
        "DELETE FROM events WHERE seq = 600",
        "DELETE FROM events WHERE seq = 590",
        "INSERT INTO events VALUES (601, x'00')",
        "UPDATE events SET seq = 0 WHERE seq = 550",
        "UPDATE merkle_nodes SET hash = zeroblob(32) WHERE idx = 1",
        "UPDATE merkle_nodes SET hash = x'00' WHERE idx = 1",
        "DELETE FROM merkle_nodes WHERE idx = 0",
        "UPDATE merkle_nodes SET idx = 5 WHERE idx = 1",
        "UPDATE checkpoints SET root = zeroblob(32) WHERE size = 600",
        "UPDATE checkpoints SET size = -1",
        "DELETE FROM checkpoints",
        "DELETE FROM ledger",
        "DROP TABLE merkle_nodes",
    ])
    func damageIsFound(damage: String) throws {
        let store = try openLedger(folder.ledger)
        try store.fill(600)
        store.close()
        try runSQL(damage, on: folder.ledger)
        expectCode(.corrupt) { () throws(StoreError) in try openLedger(folder.ledger) }
        expectCode(.corrupt) { () throws(StoreError) in
            try SQLiteEventStore.openReadOnly(path: folder.ledger)
        }
    }

    // A gap further back is found when it is read.
    @Test func gapsAreFoundWhenRead() throws {
        let store = try openLedger(folder.ledger)
        try store.fill(600)
        store.close()
        try runSQL("DELETE FROM events WHERE seq = 100", on: folder.ledger)
        let again = try openLedger(folder.ledger)
        defer { again.close() }
        #expect(try again.read(after: 0, limit: 99, maxBytes: .max).count == 99)
        #expect(try again.read(after: 100, limit: 99, maxBytes: .max).count == 99)
        expectCode(.corrupt) { () throws(StoreError) in try again.everything() }
    }

    // A file of a later version is refused and left alone.
    @Test func laterVersionsAreRefused() throws {
        try openLedger(folder.ledger).close()
        try runSQL("PRAGMA user_version = 2", on: folder.ledger)
        let before = readFile(folder.ledger)
        expectCode(.tooNew) { () throws(StoreError) in try openLedger(folder.ledger) }
        expectCode(.tooNew) { () throws(StoreError) in
            try SQLiteEventStore.openReadOnly(path: folder.ledger)
        }
        #expect(readFile(folder.ledger) == before)
    }

    // Another program's file, database or not, is refused and left alone.
    @Test func foreignFilesAreRefused() throws {
        let text = folder.path + "/notes.txt"
        writeFile(text, Array(repeating: 0x61, count: 5_000))
        let database = folder.path + "/other.db"
        writeFile(database, [])
        try runSQL("CREATE TABLE users (id INTEGER)", on: database)
        for path in [text, database] {
            let before = readFile(path)
            expectCode(.corrupt) { () throws(StoreError) in try openLedger(path) }
            expectCode(.corrupt) { () throws(StoreError) in
                try SQLiteEventStore.openReadOnly(path: path)
            }
            #expect(readFile(path) == before)
        }
        #expect(!folder.names.contains { $0.hasSuffix("-wal") })
    }

    // Nothing is created unasked; an empty file, as a creation cut short leaves it, may become one.
    @Test func ledgersAreCreatedOnlyWhenAsked() throws {
        expectCode(.cannotOpen) { () throws(StoreError) in
            try SQLiteEventStore.open(path: folder.ledger)
        }
        expectCode(.cannotOpen) { () throws(StoreError) in
            try SQLiteEventStore.openReadOnly(path: folder.ledger)
        }
        #expect(folder.names.isEmpty)
        writeFile(folder.ledger, [])
        expectCode(.cannotOpen) { () throws(StoreError) in
            try SQLiteEventStore.open(path: folder.ledger)
        }
        let store = try openLedger(folder.ledger)
        defer { store.close() }
        try store.fill(1)
    }

    // A place that cannot be is named, not created.
    @Test func impossiblePlacesAreRefused() throws {
        for path in [folder.path + "/missing/faregate.db", folder.path, "", "/", "/dev/null"] {
            expectCode(.cannotOpen) { () throws(StoreError) in try openLedger(path) }
            #expect(fileSize(path + ".lock") == 0)
        }
        // Names that SQLite would take for something else are plain names.
        for name in [":memory:", "file:x?mode=memory", "a b"] {
            let store = try openLedger("\(folder.path)/\(name)")
            try store.fill(1)
            store.close()
            #expect(fileSize("\(folder.path)/\(name)") > 0)
        }
    }

    // A reader beside a writer sees the head move, and cannot write.
    @Test func readOnlyBesideTheOwner() throws {
        let owner = try openLedger(folder.ledger)
        try owner.fill(3)
        let reader = try SQLiteEventStore.openReadOnly(path: folder.ledger)
        #expect(reader.identity == owner.identity)
        #expect(reader.head == owner.head)
        try owner.fill(400)
        #expect(reader.head == owner.head)
        #expect(try reader.everything() == owner.everything())
        let batch = makeBatch(after: 403, count: 1)
        expectCode(.cannotOpen) { () throws(StoreError) in
            try reader.append(batch, expectedHead: 403)
        }
        expectCode(.cannotOpen) { () throws(StoreError) in try reader.checkpointStorage() }
        // Neither stands in the other's way when it leaves.
        let head = owner.head
        owner.close()
        #expect(try reader.everything().count == 403)
        reader.close()
        let again = try SQLiteEventStore.openReadOnly(path: folder.ledger)
        #expect(again.head == head)
        again.close()
        #expect(again.head == head)
    }
}
