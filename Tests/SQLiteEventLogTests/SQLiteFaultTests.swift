import CSQLite
import EventLog
import FaregateTestSupport
import SQLiteBinding
import Testing

@testable import SQLiteEventLog

/// One way for the disk to refuse.
struct DiskFailure: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var sqliteCode: Int32
    var isLasting: Bool
    var isTorn = false
    var expected: StoreError.Code

    static let all = [
        DiskFailure(
            testDescription: "full once", sqliteCode: SQLITE_FULL, isLasting: false,
            expected: .full),
        DiskFailure(
            testDescription: "full from then on", sqliteCode: SQLITE_FULL, isLasting: true,
            expected: .full),
        DiskFailure(
            testDescription: "full in the middle of a page", sqliteCode: SQLITE_FULL,
            isLasting: true, isTorn: true, expected: .full),
        DiskFailure(
            testDescription: "I/O error once", sqliteCode: SQLITE_IOERR | 4 << 8, isLasting: false,
            expected: .inputOutput),
        DiskFailure(
            testDescription: "I/O error from then on", sqliteCode: SQLITE_IOERR | 3 << 8,
            isLasting: true, expected: .inputOutput),
    ]

    func fault(at operation: Int) -> FaultyDisk.Fault {
        FaultyDisk.Fault(
            operation: operation, code: sqliteCode, isLasting: isLasting, isTorn: isTorn)
    }
}

/// Each test lets every single write, sync and cut of one call fail in turn.
struct SQLiteFaultTests {
    private static let operationsMax = 400

    /// Runs `attempt` in new ledgers with the fault at its first, second … operation, until the
    /// fault comes too late to strike; how many faults struck.
    private func sweep(
        _ failure: DiskFailure, prepare: (SQLiteEventStore) throws -> Void = { _ in },
        attempt: (SQLiteEventStore) throws -> Void,
        then check: (SQLiteEventStore, TemporaryFolder, StoreError?) throws -> Void
    ) throws -> Int {
        for operation in 1...Self.operationsMax {
            let folder = try TemporaryFolder(isInMemory: true)
            let store = try openLedger(folder.ledger, vfs: FaultyDisk.vfs)
            defer { store.close() }
            try store.fill(300)
            try prepare(store)
            var error: StoreError?
            let hasStruck = try FaultyDisk.whileArmed(failure.fault(at: operation)) {
                do { try attempt(store) } catch let thrown as StoreError { error = thrown }
            }
            guard hasStruck else {
                #expect(error == nil)
                return operation - 1
            }
            try check(store, folder, error)
        }
        Issue.record("the call never ended")
        return Self.operationsMax
    }

    // A refused append leaves nothing in the log, not even after a crash before the next one; that
    // next one succeeds without opening again, and all that was answered for is there.
    @Test(arguments: DiskFailure.all)
    func refusedAppendsLeaveNothing(failure: DiskFailure) throws {
        let batch = makeBatch(after: 300, count: 260, bytesEach: 300)
        var newHead = MerkleFrontier()
        newHead.append(makeBatch(after: 0, count: 300))
        newHead.append(batch)
        let count = try sweep(failure) { store in
            _ = try store.append(batch, expectedHead: 300)
        } then: { store, folder, error in
            #expect(error?.code == failure.expected)
            #expect(store.head.sequence == 300)
            #expect(try store.everything().count == 300)

            let crashed = try folder.copyOfLedger()
            let recovered = try SQLiteEventStore.open(path: crashed.ledger)
            // While the disk refuses everything, the refused commit cannot be overwritten either:
            // a crash then may bring it back, but only whole.
            let isWhole = failure.isLasting && recovered.head.sequence == 560
            #expect(recovered.head.sequence == 300 || isWhole)
            #expect(try recovered.rootIsRight())
            recovered.close()

            #expect(try store.append(batch, expectedHead: 300).root == newHead.root)
            store.close()
            let again = try SQLiteEventStore.open(path: folder.ledger)
            #expect(again.head == LogHead(sequence: 560, root: newHead.root))
            #expect(try again.rootIsRight())
            again.close()
        }
        // Two writes a page and one sync at least: the sweep has been through the whole commit.
        #expect(count > 25)
    }

    // A failed move of the write-ahead log loses nothing: it is reported, and works later.
    @Test(arguments: DiskFailure.all)
    func failedMovesLoseNothing(failure: DiskFailure) throws {
        let count = try sweep(failure) { store in
            try store.checkpointStorage()
        } then: { store, folder, error in
            #expect(error?.code == failure.expected)
            let crashed = try folder.copyOfLedger()
            let recovered = try SQLiteEventStore.open(path: crashed.ledger)
            #expect(recovered.head.sequence == 300)
            #expect(try recovered.rootIsRight())
            recovered.close()
            try store.fill(5)
            try store.checkpointStorage()
            #expect(store.walPages == 0)
            #expect(try store.rootIsRight())
        }
        #expect(count > 5)
    }

    // A snapshot that could not be saved leaves the one before it, or has been saved after all.
    @Test(arguments: DiskFailure.all)
    func failedSnapshotsLeaveTheOlder(failure: DiskFailure) throws {
        func snapshot(_ sequence: UInt64) -> StoredSnapshot {
            let bytes = [UInt8](repeating: UInt8(sequence % 251), count: 30_000)
            let part = StoredSnapshot.Part(name: "state", bytes: bytes)
            return StoredSnapshot(sequence: sequence, format: 1, parts: [part, part])
        }
        let count = try sweep(failure) { store in
            try store.saveSnapshot(snapshot(100), keeping: 2)
        } attempt: { store in
            try store.saveSnapshot(snapshot(200), keeping: 2)
        } then: { store, folder, error in
            #expect(error?.code == failure.expected)
            let found = try store.newestSnapshot(format: 1, atOrBefore: 300)
            #expect(found == snapshot(100))
            try store.fill(3)
            try store.saveSnapshot(snapshot(200), keeping: 2)
            #expect(try store.newestSnapshot(format: 1, atOrBefore: 300) == snapshot(200))
            #expect(try store.rootIsRight())
        }
        #expect(count > 25)
    }

    // A creation that fails leaves a file that the next creation takes over.
    @Test(arguments: DiskFailure.all)
    func failedCreationsCanBeRepeated(failure: DiskFailure) throws {
        var operation = 0
        while true {
            operation += 1
            let folder = try TemporaryFolder(isInMemory: true)
            var created: SQLiteEventStore?
            let hasStruck = try FaultyDisk.whileArmed(failure.fault(at: operation)) {
                do {
                    created = try openLedger(folder.ledger, vfs: FaultyDisk.vfs)
                } catch let error as StoreError {
                    #expect(error.code == failure.expected)
                }
                // Closing moves the log into the file, unless the disk refuses that.
                created?.close()
            }
            let store = try openLedger(folder.ledger, vfs: FaultyDisk.vfs)
            try store.fill(2)
            #expect(try store.rootIsRight())
            store.close()
            if !hasStruck { break }
        }
        #expect(operation > 10 && operation < Self.operationsMax)
    }

    // A commit that reports an error but has happened counts: the file decides. One that is
    // neither there nor absent leaves the head to be loaded anew.
    @Test func theFileDecidesAfterAFailedCommit() throws {
        let folder = try TemporaryFolder()
        try openLedger(folder.ledger).close()
        let connection = try Connection(path: folder.ledger, access: .readWrite, vfs: nil)
        var writer = try LogWriter.open(connection, gauge: WALGauge())
        let head = try writer.append(makeBatch(after: 0, count: 3), expectedHead: 0)
        let error = StoreError(.inputOutput, "sync")

        try writer.settleFailedCommit(of: head, after: error)
        expectCode(.inputOutput) { () throws(StoreError) in
            let other = LogHead(sequence: 9, root: .emptyRoot)
            try writer.settleFailedCommit(of: other, after: error)
        }
        let unchanged = writer.head
        #expect(unchanged == head)

        try runSQL("DELETE FROM checkpoints; DELETE FROM events", on: folder.ledger)
        expectCode(.inputOutput) { () throws(StoreError) in
            let other = LogHead(sequence: 9, root: .emptyRoot)
            try writer.settleFailedCommit(of: other, after: error)
        }
        expectCode(.conflict) { () throws(StoreError) in
            try writer.append(makeBatch(after: 3, count: 1), expectedHead: 3)
        }
        let loaded = try writer.append(makeBatch(after: 0, count: 1), expectedHead: 0)
        #expect(loaded.sequence == 1)
    }

    // Whoever wrote past the lock is noticed: a conflict, and the head is the file's from then on.
    @Test func rowsOfAnotherWriterAreAConflict() throws {
        let folder = try TemporaryFolder()
        let store = try openLedger(folder.ledger)
        defer { store.close() }
        try store.fill(2)
        let body = Array("other".utf8)
        var frontier = MerkleFrontier()
        frontier.append(makeBatch(after: 0, count: 2))
        frontier.append(.leaf(body))
        try runSQL(
            "INSERT INTO events VALUES (3, CAST('other' AS BLOB));"
                + "INSERT INTO checkpoints VALUES (3, x'\(frontier.root)', 0)", on: folder.ledger)
        expectCode(.conflict) { () throws(StoreError) in try store.fill(1) }
        #expect(store.head == LogHead(sequence: 3, root: frontier.root))
        try store.fill(1)
        #expect(try store.rootIsRight())
    }

    // SQLite's codes become the store's: the primary code decides, and the system's error tells a
    // full disk from a broken one.
    @Test func codesAreMapped() {
        func code(_ sqliteCode: Int32, _ systemError: Int32 = 0) -> StoreError.Code {
            StoreError.code(forSQLiteCode: sqliteCode, systemError: systemError)
        }
        #expect(code(SQLITE_FULL) == .full)
        #expect(code(SQLITE_IOERR | 3 << 8, 5) == .inputOutput)
        for systemError: Int32 in [28, 27, 122] {
            #expect(code(SQLITE_IOERR | 3 << 8, systemError) == .full)
        }
        #expect(code(SQLITE_NOTADB) == .corrupt)
        #expect(code(SQLITE_CORRUPT | 1 << 8) == .corrupt)
        #expect(code(SQLITE_ERROR) == .corrupt)
        #expect(code(SQLITE_CANTOPEN) == .cannotOpen)
        #expect(code(SQLITE_READONLY | 4 << 8) == .cannotOpen)
        #expect(code(SQLITE_PERM) == .cannotOpen)
        #expect(code(SQLITE_BUSY | 1 << 8) == .locked)
        #expect(code(SQLITE_CONSTRAINT | 6 << 8) == .conflict)
    }
}
