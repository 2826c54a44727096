// The file: the same rows whatever the batches, each event once whatever the crash, and nothing of
// somebody else's ever touched.

import Billing
import Engine
import EventLog
import FaregateTestSupport
import Glibc
import SQLiteBinding
import Testing

@testable import Projections

@Suite struct ViewFileTests {
    private func run(_ sql: String, on path: String) throws {
        let connection = try Connection(path: path, access: .readWrite, vfs: nil)
        try connection.execute(sql, while: "test")
    }

    /// The code and text with which a file is refused.
    private func refusal(_ path: String, _ store: any EventStore) -> StoreError? {
        do throws(StoreError) {
            _ = try ViewFile.open(path: path, store: store)
            return nil
        } catch {
            return error
        }
    }

    // Rebuilt is live, byte for byte: batches of any size, with the file closed and opened in
    // between, come to the same rows as one fold of everything in memory.
    @Test(arguments: [7_100, 7_101, 7_102] as [UInt64])
    func batchesMakeNoDifference(seed: UInt64) async throws {
        let store = try await randomLog(seed: seed)
        let folder = try TemporaryFolder()
        var random = SeededGenerator(seed: seed)
        while true {
            let follower = ViewFollower(
                store: store, path: folder.views, batchEvents: Int(random.number(1...40)))
            for _ in 0...random.number(0...3) { _ = try follower.step(upTo: store.head.sequence) }
            let isDone = follower.position?.sequence == store.head.sequence
            #expect(follower.takeNotice() == nil)
            follower.close()
            if isDone { break }
        }
        let live = try dump(folder.views)
        #expect(live == (try freshDump(store)))
        let rows = try LoggedEvents(store).folded()
        #expect(live.count == 1 + rows.rowCount)
    }

    // A crash leaves whole batches: the file as it lies on the disk at any moment, opened again,
    // goes on where it was and counts every event once.
    @Test func crashesCountNothingTwice() async throws {
        let store = try await randomLog(seed: 7_110)
        let folder = try TemporaryFolder()
        let follower = ViewFollower(
            store: store, path: folder.views, batchEvents: 7, catchUpFactor: 1)
        let expected = try freshDump(store)
        var crashes = 0
        while follower.position?.sequence != store.head.sequence {
            _ = try follower.step(upTo: store.head.sequence)
            guard let sequence = follower.position?.sequence, sequence % 3 == 0 else { continue }
            crashes += 1
            let crash = try TemporaryFolder()
            for suffix in ["", "-wal"] { copy(folder.views + suffix, crash.views + suffix) }
            let revived = ViewFollower(store: store, path: crash.views)
            try revived.open()
            #expect(revived.position?.sequence == sequence)
            try revived.catchUp(store)
            #expect(revived.takeNotice() == nil)
            revived.close()
            #expect(try dump(crash.views) == expected)
        }
        #expect(crashes > 3)
    }

    // A batch whose transaction fails leaves the rows and the position as they were.
    @Test func failedBatchesLeaveNothing() async throws {
        let store = try await randomLog(seed: 7_120)
        let folder = try TemporaryFolder()
        let follower = ViewFollower(
            store: store, path: folder.views, batchEvents: 20, catchUpFactor: 1)
        for _ in 0..<3 { _ = try follower.step(upTo: store.head.sequence) }
        let before = try dump(folder.views)
        // Somebody else has written the file.
        try run("UPDATE position SET seq = seq + 1", on: folder.views)
        #expect(throws: StoreError.self) { try follower.step(upTo: store.head.sequence) }
        try run("UPDATE position SET seq = seq - 1", on: folder.views)
        #expect(try dump(folder.views) == before)
        try follower.catchUp(store)
        follower.close()
        #expect(try dump(folder.views) == (try freshDump(store)))
    }

    // A file that is of no use is built again: of another ledger, ahead of the log, on another
    // branch of it, of another version, or deleted.
    @Test func uselessFilesAreBuiltAgain() async throws {
        let store = try await randomLog(seed: 7_130)
        let expected = try freshDump(store)
        let wrongs = [
            ("UPDATE position SET ledger_id = 'other'", "they belong to the ledger other"),
            ("UPDATE position SET seq = seq + 1000", "ahead of the log"),
            ("UPDATE position SET leaf = zeroblob(32)", "is another one"),
            ("PRAGMA user_version = 99", "they have version 99"),
        ]
        for (sql, reason) in wrongs {
            let folder = try TemporaryFolder()
            let follower = ViewFollower(store: store, path: folder.views)
            try follower.catchUp(store)
            follower.close()
            try run("DELETE FROM usage", on: folder.views)
            try run(sql, on: folder.views)
            let next = ViewFollower(store: store, path: folder.views)
            try next.catchUp(store)
            #expect(next.takeNotice()?.contains(reason) == true, "\(sql)")
            next.close()
            #expect(try dump(folder.views) == expected, "\(sql)")
            unlink(folder.views)
            let last = ViewFollower(store: store, path: folder.views)
            try last.catchUp(store)
            #expect(last.takeNotice() == nil)
            last.close()
            #expect(try dump(folder.views) == expected, "\(sql)")
        }
    }

    // A file of something else is refused and stays as it is: a database, the ledger itself, text.
    @Test func otherFilesAreLeftAlone() async throws {
        let folder = try TemporaryFolder()
        let store = InMemoryEventStore(identity: PlainLedger.identity)
        let (other, text) = (folder.path + "/other", folder.path + "/text")
        close(open(other, O_CREAT | O_RDWR, 0o600))
        try run("CREATE TABLE precious (x); INSERT INTO precious VALUES (1)", on: other)
        #expect(refusal(other, store)?.code == .corrupt)
        let file = try #require(fopen(text, "w"))
        fputs(String(repeating: "not a database, but somebody's text. ", count: 40), file)
        fclose(file)
        #expect(refusal(text, store)?.code == .corrupt)
        #expect(refusal(folder.path, store)?.code == .cannotOpen)
        #expect(refusal(folder.path + "/none/views", store)?.code == .cannotOpen)
        let connection = try Connection(path: other, access: .readOnly, vfs: nil)
        #expect(try connection.integer("SELECT count(*) FROM precious", while: "test") == 1)
        var status = stat()
        #expect(stat(text, &status) == 0 && status.st_size > 1_000)
    }

    // The tables have the columns that the rows name, in that order, and the same keys.
    @Test func tablesAreAsTheRowsSay() throws {
        let folder = try TemporaryFolder()
        let store = InMemoryEventStore(identity: PlainLedger.identity)
        _ = try ViewFile.open(path: folder.views, store: store)
        let connection = try Connection(path: folder.views, access: .readOnly, vfs: nil)
        func check<Row: ViewRow>(_ row: Row.Type) throws {
            let info = try Statement(
                "SELECT name, pk FROM pragma_table_info('\(Row.table)') ORDER BY cid",
                on: connection, activity: "test")
            var (names, keys): ([String], [Int64]) = ([], [])
            while try info.step() {
                names.append(info.text(at: 0))
                keys.append(info.int64(at: 1))
            }
            #expect(names == Row.columnNames)
            let wanted = names.indices.map { $0 < Row.keyColumns ? Int64($0) + 1 : 0 }
            #expect(keys == wanted, "\(Row.table)")
        }
        try check(UsageRow.self)
        try check(RefusalRow.self)
        try check(OpenReservationRow.self)
        try check(RevenueRow.self)
        try check(GrantRow.self)
        try check(GrantDayRow.self)
        try check(BudgetWindowRow.self)
        try check(OutputSizeRow.self)
    }

    private func copy(_ from: String, _ to: String) {
        guard let source = fopen(from, "r"), let target = fopen(to, "w") else { return }
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&block, 1, block.count, source)
            if count == 0 { break }
            fwrite(block, 1, count, target)
        }
        fclose(source)
        fclose(target)
    }
}

extension WorkingSet {
    var rowCount: Int {
        usage.present.count + refusals.present.count + open.present.count + revenue.present.count
            + grants.present.count + grantDays.present.count + windows.present.count
            + outputSizes.present.count
    }
}
