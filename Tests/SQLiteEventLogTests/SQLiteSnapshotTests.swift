import EventLog
import FaregateTestSupport
import SQLiteBinding
import Testing

@testable import SQLiteEventLog

struct SQLiteSnapshotTests {
    private let folder: TemporaryFolder
    private let older = StoredSnapshot(
        sequence: 3, format: 1, parts: [StoredSnapshot.Part(name: "state", bytes: [1, 2, 3])])
    private let newer = StoredSnapshot(
        sequence: 5, format: 1,
        parts: [
            StoredSnapshot.Part(
                name: "customers",
                bytes: [UInt8](repeating: 7, count: 4 << 20) + [UInt8](repeating: 8, count: 9_999)),
            StoredSnapshot.Part(name: "runs", bytes: [9]),
        ])

    /// A ledger with five events and both snapshots.
    init() throws {
        folder = try TemporaryFolder()
        let store = try openLedger(folder.ledger)
        defer { store.close() }
        try store.fill(5)
        try store.saveSnapshot(older, keeping: 2)
        try store.saveSnapshot(newer, keeping: 2)
        #expect(try store.newestSnapshot(format: 1, atOrBefore: 5) == newer)
    }

    private func integer(_ sql: String) throws -> Int64 {
        try Connection(path: folder.ledger, access: .readOnly, vfs: nil)
            .integer(sql, while: "test")
    }

    // Large parts are cut: no row is longer than 4 MiB.
    @Test func partsAreCutIntoPieces() throws {
        #expect(try integer("SELECT max(length(bytes)) FROM snapshot_parts") == 4 << 20)
        #expect(try integer("SELECT count(*) FROM snapshot_parts WHERE sequence = 5") == 2 + 1)
    }

    // A snapshot that is not whole, in whatever way, is passed over for the one before it.
    @Test(arguments: [
        "UPDATE snapshot_parts SET bytes = x'08' WHERE sequence = 5 AND part = 1",
        "UPDATE snapshot_parts SET name = 'run' WHERE sequence = 5 AND part = 1",
        "UPDATE snapshot_parts SET piece = 9 - piece WHERE sequence = 5 AND part = 0",
        "DELETE FROM snapshot_parts WHERE sequence = 5 AND part = 0 AND piece = 1",
        "DELETE FROM snapshot_parts WHERE sequence = 5 AND part = 1",
        "DELETE FROM snapshot_parts WHERE sequence = 5",
        "UPDATE snapshots SET sha256 = zeroblob(32) WHERE sequence = 5",
        "UPDATE snapshots SET sha256 = x'00' WHERE sequence = 5",
        "DELETE FROM snapshots WHERE sequence = 5",
    ])
    func damagedSnapshotsAreIgnored(damage: String) throws {
        try runSQL(damage, on: folder.ledger)
        let store = try openLedger(folder.ledger)
        defer { store.close() }
        #expect(try store.newestSnapshot(format: 1, atOrBefore: 5) == older)
        try store.saveSnapshot(newer, keeping: 2)
        #expect(try store.newestSnapshot(format: 1, atOrBefore: 5) == newer)
    }

    // Saving clears away what an unfinished save has left, and the dropped ones' parts.
    @Test func unclaimedPiecesAreCleared() throws {
        try runSQL(
            "INSERT INTO snapshot_parts VALUES (1, 4, 0, 0, 'torn', zeroblob(1000000))",
            on: folder.ledger)
        let store = try openLedger(folder.ledger)
        let newest = StoredSnapshot(sequence: 5, format: 2, parts: older.parts)
        try store.saveSnapshot(newest, keeping: 1)
        store.close()
        #expect(try integer("SELECT count(*) FROM snapshots") == 1)
        #expect(try integer("SELECT count(*) FROM snapshot_parts") == 1)
    }

    // A large snapshot leaves a short write-ahead log: it is not one transaction.
    @Test func largeSnapshotsKeepTheWriteAheadLogShort() throws {
        let store = try openLedger(folder.ledger)
        defer { store.close() }
        let large = StoredSnapshot(
            sequence: 5, format: 1,
            parts: [
                StoredSnapshot.Part(name: "state", bytes: [UInt8](repeating: 1, count: 40 << 20))
            ])
        try store.saveSnapshot(large, keeping: 1)
        #expect(fileSize(folder.ledger + "-wal") < 12 << 20)
        #expect(try store.newestSnapshot(format: 1, atOrBefore: 5) == large)
    }
}
