import Archive
import EventLog
import Glibc
import HTTPAPI
import SQLiteBinding
import SQLiteEventLog
import Testing

@testable import Server

/// A ledger in a file of the test's own, and what the tests do to it.
struct BackupRig {
    let folder = TemporaryFolder()
    var ledger: String { folder.file("ledger.db") }

    /// Opens the ledger, makes these customers, closes it.
    func grow(_ path: String? = nil, _ customers: String...) async throws {
        let ledger = try await OpenLedger.owned(
            path: path ?? self.ledger, creation: OpenLedger.Creation(currency: "EUR"))
        for customer in customers { try await Self.make(customer, in: ledger) }
        await ledger.shutdown()
    }

    static func make(_ customer: String, in ledger: OpenLedger) async throws {
        let answer = await ledger.api.respond(
            to: APIRequest(
                "POST", segments: ["v1", "customers"], json: Array(#"{"id":"\#(customer)"}"#.utf8),
                principal: .operatorProcess))
        try #require(answer.status == 201)
    }

    /// Everything that a copy has in common with its original.
    static func content(
        _ path: String
    ) throws -> (events: [StoredEvent], checkpoints: [StoredCheckpoint], created: Int64) {
        let store = try SQLiteEventStore.openReadOnly(path: path)
        defer { store.close() }
        return (
            try store.read(after: 0, limit: .max, maxBytes: .max),
            try store.checkpoints(after: 0, limit: .max), try store.createdMicroseconds
        )
    }

    static func expectSame(_ path: String, _ other: String) throws {
        let (a, b) = (try content(path), try content(other))
        #expect(a.events == b.events)
        #expect(a.checkpoints == b.checkpoints)
        #expect(a.created == b.created)
    }

    /// Why something is refused.
    func refusal(
        _ body: () throws(ServerFailure) -> some Any
    ) throws -> ServerFailure {
        do throws(ServerFailure) {
            _ = try body()
        } catch {
            return error
        }
        throw NotRefused()
    }

    struct NotRefused: Error {}
}

@Suite struct BackupTests {
    private let rig = BackupRig()

    private func file(_ name: String) -> String { rig.folder.file(name) }

    // A backup of a ledger that is being written is the same rows up to its checkpoint; it
    // verifies, and goes on when it is opened.
    @Test func besideAnOwner() async throws {
        let owner = try await OpenLedger.owned(
            path: rig.ledger, creation: OpenLedger.Creation(currency: "EUR"))
        try await BackupRig.make("a", in: owner)
        let report = try LedgerBackup.full(of: rig.ledger, to: file("copy.db"))
        try await BackupRig.make("b", in: owner)
        await owner.shutdown()
        #expect(report.head.sequence < (try BackupRig.content(rig.ledger)).events.count)
        let (copy, original) = (
            try BackupRig.content(file("copy.db")), try BackupRig.content(rig.ledger)
        )
        #expect(copy.events == original.events.filter { $0.sequence <= report.head.sequence })
        let checkpoints = original.checkpoints.filter {
            $0.head.sequence <= report.head.sequence
        }
        #expect(copy.checkpoints == checkpoints)
        #expect(copy.created == original.created)
        try await rig.grow(file("copy.db"), "c")
        #expect(try BackupRig.content(file("copy.db")).events.count > copy.events.count)
    }

    // Base and increments, in any order, overlapping or not, make the original again.
    @Test func increments() async throws {
        try await rig.grow(nil, "a")
        _ = try LedgerBackup.full(of: rig.ledger, to: file("base.db"))
        try await rig.grow(nil, "b")
        _ = try LedgerBackup.increment(
            of: rig.ledger, since: .file(file("base.db")), to: file("1.jsonl"))
        try await rig.grow(nil, "c", "d")
        _ = try LedgerBackup.increment(
            of: rig.ledger, since: .file(file("1.jsonl")), to: file("2.jsonl"))
        let all = try LedgerBackup.increment(
            of: rig.ledger, since: .file(file("base.db")), to: file("all.jsonl"))
        let whole = try LedgerBackup.increment(
            of: rig.ledger, since: .sequence(0), to: file("whole.jsonl"))
        #expect(whole.kind == .whole)
        let chains = [
            ["base.db", "1.jsonl", "2.jsonl"], ["2.jsonl", "base.db", "1.jsonl"],
            ["base.db", "all.jsonl"], ["base.db", "all.jsonl", "2.jsonl", "1.jsonl", "1.jsonl"],
            ["whole.jsonl"], ["base.db", "whole.jsonl"],
        ]
        for (number, chain) in chains.enumerated() {
            let target = file("restored-\(number).db")
            let preview = try LedgerRestore.preview(chain.map(file))
            let report = try LedgerRestore.restore(chain.map(file), to: target)
            #expect(report.head == all.head)
            #expect(preview.head == report.head)
            #expect(preview.books == report.books)
            #expect(report.books.customers == 4)
            try BackupRig.expectSame(target, rig.ledger)
        }
    }

    // An increment with nothing new is a valid one.
    @Test func nothingNew() async throws {
        try await rig.grow(nil, "a")
        _ = try LedgerBackup.full(of: rig.ledger, to: file("base.db"))
        let report = try LedgerBackup.increment(
            of: rig.ledger, since: .file(file("base.db")), to: file("1.jsonl"))
        #expect(report.base == report.head)
        _ = try LedgerRestore.restore(
            [file("base.db"), file("1.jsonl")], to: file("restored.db"))
        try BackupRig.expectSame(file("restored.db"), rig.ledger)
    }

    // A gap, another ledger and another history are each refused, naming the file.
    @Test func chainsThatDoNotFit() async throws {
        try await rig.grow(nil, "a")
        let base = try LedgerBackup.full(of: rig.ledger, to: file("base.db"))
        _ = try LedgerBackup.full(of: rig.ledger, to: file("apart.db"))
        try await rig.grow(nil, "b")
        let first = try LedgerBackup.increment(
            of: rig.ledger, since: .sequence(base.head.sequence), to: file("1.jsonl"))
        try await rig.grow(nil, "c")
        _ = try LedgerBackup.increment(
            of: rig.ledger, since: .file(file("1.jsonl")), to: file("2.jsonl"))

        var refused = try rig.refusal { () throws(ServerFailure) in
            try LedgerRestore.preview([file("base.db"), file("2.jsonl")])
        }
        #expect(refused.code == "gap" && refused.message.contains("2.jsonl"))
        refused = try rig.refusal { () throws(ServerFailure) in
            try LedgerRestore.preview([file("1.jsonl")])
        }
        #expect(refused.code == "gap" && refused.message.contains("full backup"))

        try await rig.grow(file("other.db"), "x")
        refused = try rig.refusal { () throws(ServerFailure) in
            try LedgerRestore.preview([file("other.db"), file("1.jsonl")])
        }
        #expect(refused.code == "other_ledger" && refused.message.contains("1.jsonl"))
        refused = try rig.refusal { () throws(ServerFailure) in
            try LedgerBackup.increment(
                of: rig.ledger, since: .file(file("other.db")), to: file("3.jsonl"))
        }
        #expect(refused.code == "other_ledger")

        try await rig.grow(file("apart.db"), "B")
        _ = try LedgerBackup.increment(
            of: file("apart.db"), since: .sequence(base.head.sequence), to: file("fork.jsonl"))
        refused = try rig.refusal { () throws(ServerFailure) in
            try LedgerRestore.preview([file("base.db"), file("fork.jsonl"), file("2.jsonl")])
        }
        #expect(refused.code == "fork" && refused.message.contains("2.jsonl"))
        refused = try rig.refusal { () throws(ServerFailure) in
            try LedgerRestore.preview([file("base.db"), file("1.jsonl"), file("fork.jsonl")])
        }
        #expect(refused.code == "fork")
        refused = try rig.refusal { () throws(ServerFailure) in
            try LedgerBackup.increment(
                of: file("apart.db"), since: .file(file("1.jsonl")), to: file("4.jsonl"))
        }
        #expect(refused.code == "fork" && refused.message.contains("1.jsonl"))
        #expect(first.head.sequence > base.head.sequence)
        #expect(access(file("4.jsonl"), F_OK) != 0)
    }

    // Nothing is overwritten unasked; never the ledger itself, and never one that is being served.
    @Test func overwriting() async throws {
        try await rig.grow(nil, "a")
        _ = try LedgerBackup.full(of: rig.ledger, to: file("base.db"))
        var refused = try rig.refusal { () throws(ServerFailure) in
            try LedgerBackup.full(of: rig.ledger, to: file("base.db"))
        }
        #expect(refused.code == "exists" && refused.message.contains("--force"))
        _ = try LedgerBackup.full(of: rig.ledger, to: file("base.db"), isReplacing: true)
        refused = try rig.refusal { () throws(ServerFailure) in
            try LedgerBackup.full(of: rig.ledger, to: rig.ledger, isReplacing: true)
        }
        #expect(refused.message.contains("the ledger itself"))
        refused = try rig.refusal { () throws(ServerFailure) in
            try LedgerRestore.restore([file("base.db")], to: rig.ledger)
        }
        #expect(refused.code == "exists")
        let owner = try await OpenLedger.owned(path: rig.ledger)
        refused = try rig.refusal { () throws(ServerFailure) in
            try LedgerRestore.restore([file("base.db")], to: rig.ledger, isReplacing: true)
        }
        #expect(refused.code == "locked" && refused.message.contains("\(getpid())"))
        await owner.shutdown()
    }

    // The write-ahead log of a ledger that is replaced does not find its way into the new one.
    @Test func oldWriteAheadLog() async throws {
        try await rig.grow(nil, "a")
        _ = try LedgerBackup.full(of: rig.ledger, to: file("base.db"))
        // As a crash leaves it: file and write-ahead log, copied while they are open.
        let owner = try await OpenLedger.owned(path: rig.ledger)
        for name in ["b", "c", "d"] { try await BackupRig.make(name, in: owner) }
        for suffix in ["", "-wal"] {
            try WholeFile.replace(
                file("crashed.db") + suffix, with: try WholeFile.read(rig.ledger + suffix))
        }
        await owner.shutdown()
        try #require(try WholeFile.read(file("crashed.db-wal")).count > 0)
        _ = try LedgerRestore.restore(
            [file("base.db")], to: file("crashed.db"), isReplacing: true)
        #expect(access(file("crashed.db-wal"), F_OK) != 0)
        try BackupRig.expectSame(file("crashed.db"), file("base.db"))

        // One that is left without its ledger is refused, and deleted when told to.
        try WholeFile.replace(file("gone.db-wal"), with: Array(repeating: 7, count: 5_000))
        let refused = try rig.refusal { () throws(ServerFailure) in
            try LedgerRestore.restore([file("base.db")], to: file("gone.db"))
        }
        #expect(refused.message.contains("gone.db-wal"))
        _ = try LedgerRestore.restore([file("base.db")], to: file("gone.db"), isReplacing: true)
        try BackupRig.expectSame(file("gone.db"), file("base.db"))
    }

    // A full backup that is cut short or changed is refused with its name, or the change touched
    // nothing that counts and the same ledger comes out.
    @Test func damage() async throws {
        try await rig.grow(nil, "a", "b", "c")
        let report = try LedgerBackup.full(of: rig.ledger, to: file("base.db"))
        let bytes = try WholeFile.read(file("base.db"))
        for length in stride(from: 100, to: bytes.count, by: 4_096) {
            try WholeFile.replace(file("bad.db"), with: Array(bytes[..<length]))
            let refused = try rig.refusal { () throws(ServerFailure) in
                try LedgerRestore.restore([file("bad.db")], to: file("never.db"))
            }
            #expect(refused.kind == .refused, "\(length): \(refused)")
            #expect(refused.message.contains("bad.db"), "\(length): \(refused)")
        }
        var refusals = 0
        var random = SplitMix(state: 17)
        // Most of so small a file is free space, and zero.
        let places = bytes.indices.filter { bytes[$0] != 0 }
        for _ in 0..<150 {
            var changed = bytes
            changed[places[Int(random.next() % UInt64(places.count))]] ^=
                UInt8(1 + random.next() % 255)
            try WholeFile.replace(file("bad.db"), with: changed)
            do throws(ServerFailure) {
                let preview = try LedgerRestore.preview([file("bad.db")])
                #expect(preview.head == report.head)
            } catch {
                refusals += 1
                #expect(error.message.contains("bad.db"), "\(error)")
            }
        }
        #expect(refusals > 20)
        #expect(access(file("never.db"), F_OK) != 0)
        #expect(access(file("never.db.partial"), F_OK) != 0)
    }

    // An export is the ledger again when it is imported; an excerpt is refused.
    @Test func exports() async throws {
        try await rig.grow(nil, "a", "b")
        try LedgerExport.write(
            rig.ledger, filter: nil, to: file("log.jsonl"), isReplacing: false)
        _ = try LedgerRestore.restore([file("log.jsonl")], to: file("imported.db"))
        try BackupRig.expectSame(file("imported.db"), rig.ledger)
        try LedgerExport.write(
            rig.ledger, filter: LogFileFilter(from: 1, to: .max, customer: "a"),
            to: file("part.jsonl"), isReplacing: false)
        let refused = try rig.refusal { () throws(ServerFailure) in
            try LedgerRestore.preview([file("part.jsonl")])
        }
        #expect(refused.code == "excerpt" && refused.message.contains("part.jsonl"))
    }

    // Events that a newer program wrote are named as such, not as damage.
    @Test func newerEvents() async throws {
        let source = ArchivedText(type: "usage.teleported")
        try WholeFile.replace(file("newer.jsonl"), with: try source.bytes())
        let refused = try rig.refusal { () throws(ServerFailure) in
            try LedgerRestore.preview([file("newer.jsonl")])
        }
        #expect(refused.code == "too_new", "\(refused)")
        #expect(refused.message.contains("newer.jsonl: event 1"))
    }
}

/// A log file of one event of any type.
private struct ArchivedText {
    var type: String

    func bytes() throws -> [UInt8] {
        let store = InMemoryEventStore(
            identity: LedgerIdentity(ledgerID: "l", currency: "EUR", isTestClock: false))
        var batch = AppendBatch()
        let text =
            #"{"data":{},"seq":1,"time":"2026-11-22T14:45:19.123456Z","type":"\#(type)","v":1}"#
        batch.append { $0 += text.utf8 }
        _ = try store.append(batch, expectedHead: 0)
        var exporter = try LogExporter(store, name: "test")
        var bytes: [UInt8] = []
        while let piece = try exporter.next() { bytes += piece }
        return bytes
    }
}

private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
