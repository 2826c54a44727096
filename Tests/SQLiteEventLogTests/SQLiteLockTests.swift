import EventLog
import FaregateTestSupport
import Glibc
import Testing

@testable import SQLiteEventLog

struct SQLiteLockTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    // One owner in this process: a second open is refused, by any name of the file.
    @Test func secondOpenInThisProcessIsRefused() throws {
        let store = try openLedger(folder.ledger)
        let link = folder.path + "/link.db"
        #expect(symlink(folder.ledger, link) == 0)
        for path in [folder.ledger, folder.path + "/./faregate.db", link] {
            let error = #expect(throws: StoreError.self) { try openLedger(path) }
            #expect(error?.code == .locked)
            #expect(error?.detail.contains("process \(getpid())") == true)
        }
        try store.fill(1)
        store.close()
        let again = try openLedger(link)
        #expect(again.head.sequence == 1)
        again.close()
    }

    // One owner on the machine: another process is refused as long as this one has the ledger open.
    @Test func secondOpenInAnotherProcessIsRefused() async throws {
        let path = folder.ledger
        let store = try openLedger(path)
        try store.fill(1)
        await #expect(processExitsWith: .success) { [path = path as String] in
            let error = #expect(throws: StoreError.self) { try SQLiteEventStore.open(path: path) }
            #expect(error?.code == .locked)
            // Reading is not refused.
            let reader = try SQLiteEventStore.openReadOnly(path: path)
            #expect(reader.head.sequence == 1)
            reader.close()
        }
        // The other process's coming and going has not loosened the lock.
        expectCode(.locked) { () throws(StoreError) in try openLedger(path) }
        try store.fill(1)
        store.close()
        await #expect(processExitsWith: .success) { [path = path as String] in
            let store = try SQLiteEventStore.open(path: path)
            #expect(store.head.sequence == 2)
            store.close()
        }
    }

    // A killed owner leaves everything it had answered for, and no lock.
    @Test func killedOwnerLeavesTheLogWhole() async throws {
        let path = folder.ledger
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let store = try openLedger(path)
            for _ in 0..<20 { try store.fill(25) }
            kill(getpid(), SIGKILL)
        }
        #expect(folder.names.contains("faregate.db-wal"))
        let store = try openLedger(path)
        defer { store.close() }
        #expect(store.head.sequence == 500)
        #expect(try store.rootIsRight())
        try store.fill(1)
    }

    // The lock file stays, names its last owner, and its mere presence locks nobody out.
    @Test func lockFileStays() throws {
        let lockPath = folder.ledger + ".lock"
        writeFile(lockPath, Array("left over from a larger process number\n".utf8))
        let store = try openLedger(folder.ledger)
        #expect(readFile(lockPath) == Array("\(getpid())\n".utf8))
        store.close()
        #expect(readFile(lockPath) == Array("\(getpid())\n".utf8))
        try openLedger(folder.ledger).close()
    }

    // An owner that is let go without closing gives back the lock.
    @Test func lettingGoCloses() throws {
        do { _ = try openLedger(folder.ledger) }
        try openLedger(folder.ledger).close()
    }

    // A child that was forked while the ledger was open and has not called exec yet has the lock's
    // descriptor too: closing gives back the lock all the same.
    @Test func copiesOfTheDescriptorKeepNothing() throws {
        var copy: Int32 = -1
        do {
            let lock = try LockFile(besideLedgerAt: folder.ledger)
            copy = dup(lock.descriptor)
        }
        #expect(copy >= 0)
        defer { close(copy) }
        _ = try LockFile(besideLedgerAt: folder.ledger)
    }
}
