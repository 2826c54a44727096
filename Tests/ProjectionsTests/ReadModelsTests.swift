// The thread: follows, is told to rebuild while it serves, survives what happens to its file.

import Billing
import Engine
import EventLog
import FaregateTestSupport
import Glibc
import SQLiteEventLog
import Testing

@testable import Projections

@Suite struct ReadModelsTests {
    private func ledger(_ folder: TemporaryFolder) async throws -> LedgerFixture {
        let store = try SQLiteEventStore.open(
            path: folder.ledger,
            create: NewLedger(identity: PlainLedger.identity, createdMicroseconds: 0))
        return try await PlainLedger.fixture(store: store)
    }

    private func isFresh(_ models: ReadModels, _ ledger: LedgerFixture) -> Bool {
        models.hasFolded(upTo: ledger.store.head.sequence)
            && models.status.state != .failing
    }

    private func charge(_ models: ReadModels) throws -> (sequence: UInt64, charge: Int128) {
        try models.read { reader, position throws(StoreError) in
            let sums = try reader.sums(UsageRow.self, ViewQuery(order: [], limit: 1))
            return (position.sequence, sums[0]["charge"])
        }
    }

    // What is durable is soon to be read, in order, and lag says how far there is to go.
    @Test func followsTheLog() async throws {
        let folder = try TemporaryFolder()
        let ledger = try await ledger(folder)
        let models = ReadModels(store: ledger.store, path: folder.views)
        #expect(models.status.state == .starting)
        models.start()
        for index in 1...20 {
            try await ledger.record("u\(index)", ledger.plain("acme", 0), 10)
            if index % 5 == 0 {
                try await wait { isFresh(models, ledger) }
                #expect(try charge(models).charge == Int128(index * 10))
            }
        }
        let status = models.status
        #expect(status.state == .following)
        #expect(status.lagEvents == 0)
        #expect(status.staleMicroseconds == 0)
        #expect(status.sequence == ledger.store.head.sequence)
        #expect(status.time == LedgerFixture.start)
        models.close()
        #expect(models.status.state == .stopped)
        #expect(try dump(folder.views) == (try freshDump(ledger.store)))
        await ledger.engine.shutdown()
    }

    // A rebuild while commands are carried out and questions are asked: no question fails, none
    // sees less than the one before it, and at the end the new file is what the old one would be.
    @Test func rebuildsWhileServing() async throws {
        let folder = try TemporaryFolder()
        let ledger = try await ledger(folder)
        for index in 1...300 { try await ledger.record("a\(index)", ledger.plain("acme", 0), 1) }
        let models = ReadModels(store: ledger.store, path: folder.views)
        models.start()
        try await wait { isFresh(models, ledger) }
        #expect(models.rebuild())
        #expect(models.status.state == .rebuilding)
        var last: (sequence: UInt64, charge: Int128) = (0, 0)
        for index in 1...300 {
            try await ledger.record("b\(index)", ledger.plain("zoe", 0), 1)
            let now = try charge(models)
            #expect(now.sequence >= last.sequence && now.charge >= last.charge)
            last = now
            if index == 150 { #expect(models.rebuild()) }
        }
        try await wait { models.status.state == .following && isFresh(models, ledger) }
        #expect(try charge(models).charge == 600)
        models.close()
        #expect(!folder.exists(folder.views + ".rebuild"))
        #expect(!folder.exists(folder.views + "-wal"))
        #expect(try dump(folder.views) == (try freshDump(ledger.store)))
        await ledger.engine.shutdown()
    }

    // A rebuild that was cut off is forgotten; the file goes on.
    @Test func unfinishedRebuildsAreForgotten() async throws {
        let store = try await randomLog(seed: 7_300)
        let folder = try TemporaryFolder()
        let follower = ViewFollower(
            store: store, path: folder.views, batchEvents: 10, catchUpFactor: 1)
        _ = try follower.step(upTo: store.head.sequence)
        _ = try follower.step(upTo: store.head.sequence)
        try follower.rebuild()
        #expect(folder.exists(folder.views + ".rebuild"))
        follower.close()
        let next = ViewFollower(store: store, path: folder.views, batchEvents: 10, catchUpFactor: 1)
        try next.open()
        #expect(next.position?.sequence == 20)
        #expect(!folder.exists(folder.views + ".rebuild"))
        try next.catchUp(store)
        try next.rebuild()
        try next.catchUp(store)
        next.close()
        #expect(try dump(folder.views) == (try freshDump(store)))
    }

    // The file may go while nobody has it open; and what was not folded in yet comes after.
    @Test func deletedFilesComeBack() async throws {
        let folder = try TemporaryFolder()
        let ledger = try await ledger(folder)
        for round in 1...3 {
            try await ledger.record("u\(round)", ledger.plain("acme", 0), 5)
            let models = ReadModels(store: ledger.store, path: folder.views)
            models.start()
            try await wait { isFresh(models, ledger) }
            #expect(try charge(models).charge == Int128(round * 5))
            models.close()
            if round == 1 { unlink(folder.views) }
        }
        #expect(try dump(folder.views) == (try freshDump(ledger.store)))
        await ledger.engine.shutdown()
    }

    // A file that cannot be used keeps the read models from going on, and nothing else; it is tried
    // again until it can.
    @Test func triesAgain() async throws {
        let folder = try TemporaryFolder()
        let ledger = try await ledger(folder)
        let path = folder.path + "/sub/ledger.views"
        let models = ReadModels(store: ledger.store, path: path)
        models.start()
        try await wait { models.status.state == .failing }
        #expect(models.status.failure?.contains("cannot_open") == true)
        #expect(throws: StoreError.self) { try charge(models) }
        try await ledger.record("u", ledger.plain("acme", 0), 5)
        #expect(mkdir(folder.path + "/sub", 0o700) == 0)
        try await wait { isFresh(models, ledger) }
        #expect(try charge(models).charge == 5)
        models.close()
        for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) }
        rmdir(folder.path + "/sub")
        await ledger.engine.shutdown()
    }

    // A damaged file is thrown away and built again.
    @Test func damagedFilesAreBuiltAgain() async throws {
        let store = try await randomLog(seed: 7_310)
        let folder = try TemporaryFolder()
        let follower = ViewFollower(store: store, path: folder.views)
        _ = try follower.step(upTo: store.head.sequence)
        follower.close()
        let file = try #require(fopen(folder.views, "r+"))
        // Everything after the first page, which names the file ours.
        fseek(file, 0, SEEK_END)
        let size = ftell(file)
        fseek(file, 8192, SEEK_SET)
        fwrite([UInt8](repeating: 0x5a, count: size - 8192), 1, size - 8192, file)
        fclose(file)
        let next = ViewFollower(store: store, path: folder.views)
        for _ in 0..<10 where next.position?.sequence != store.head.sequence {
            do throws(StoreError) {
                _ = try next.step(upTo: store.head.sequence)
            } catch {
                next.recover(from: error)
            }
        }
        next.close()
        #expect(try dump(folder.views) == (try freshDump(store)))
    }

    // Beside the process that writes it, the file can be read, and nothing is ever written.
    @Test func readBeside() async throws {
        let folder = try TemporaryFolder()
        let ledger = try await ledger(folder)
        let beside = ReadModels(beside: ledger.store, path: folder.views)
        beside.start()
        #expect(throws: StoreError.self) { try charge(beside) }
        #expect(!folder.exists(folder.views))
        let models = ReadModels(store: ledger.store, path: folder.views)
        models.start()
        try await ledger.record("u", ledger.plain("acme", 0), 5)
        try await wait { isFresh(models, ledger) }
        #expect(try charge(beside).charge == 5)
        #expect(beside.status.state == .beside)
        #expect(beside.status.lagEvents == 0)
        #expect(!beside.rebuild())
        models.close()
        beside.close()
        await ledger.engine.shutdown()
    }
}
