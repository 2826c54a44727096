// Ledgers as older formats left them, in fixtures/ledgers, must open, verify and go on. See
// docs/operating/upgrade.md.
//
// With FAREGATE_UPDATE_FIXTURES=1 the fixtures that are not there yet are made; one that is there
// is never changed: it stands for files that others have.

import Billing
import Engine
import EventLog
import Glibc
import HTTPAPI
import Money
import Projections
import SQLiteBinding
import SQLiteEventLog
import Testing

@testable import Server

@Suite(.serialized) struct UpgradeTests {
    /// Tables, then snapshot format.
    static let fixtures = ["tables-1-snapshot-1", "tables-1-snapshot-2"]

    private let folder = TemporaryFolder()

    private static func fixture(_ name: String) -> String {
        let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        return parts.dropLast(3).joined(separator: "/") + "/fixtures/ledgers/\(name).db"
    }

    /// The fixture's ledger in a folder of the test's own.
    private func copy(_ name: String) async throws -> String {
        let path = Self.fixture(name)
        if access(path, F_OK) != 0, getenv("FAREGATE_UPDATE_FIXTURES") != nil {
            try await make(name, at: path)
        }
        let copy = folder.file("\(name).db")
        try WholeFile.replace(copy, with: try WholeFile.read(path))
        return copy
    }

    private func ask(
        _ ledger: OpenLedger, _ method: String, _ path: [String], _ json: String? = nil
    ) async throws -> String {
        let answer = await ledger.api.respond(
            to: APIRequest(
                method, segments: ["v1"] + path, json: json.map { Array($0.utf8) },
                principal: .operatorProcess))
        let text = String(decoding: answer.body, as: UTF8.self)
        try #require((200..<300).contains(answer.status), "\(path): \(text)")
        return text
    }

    /// A customer with a grant of 10, a settled call of 2.5 and an open one of 1.
    private func make(_ name: String, at path: String) async throws {
        let ledger = try await OpenLedger.owned(
            path: path, creation: OpenLedger.Creation(currency: "EUR", isTestClock: true))
        _ = try await ask(ledger, "POST", ["customers"], #"{"id":"acme"}"#)
        _ = try await ask(
            ledger, "POST", ["customers", "acme", "credits"], #"{"id":"g","amount":"10"}"#)
        for (id, amount) in [("settled", "3"), ("open", "1")] {
            _ = try await ask(
                ledger, "POST", ["reservations"],
                #"{"id":"\#(id)","customer":"acme","model":"m","amount":"\#(amount)","ttl_seconds":86400}"#
            )
        }
        _ = try await ask(
            ledger, "POST", ["reservations", "settled", "settle"], #"{"amount":"2.5"}"#)
        await ledger.shutdown()
        let store = try SQLiteEventStore.open(path: path)
        let (state, index) = try EngineLoader.load(store)
        var bytes = StateSnapshot.encode(state)
        // Format 1 had this number after its four magic bytes, and customers in the order of their
        // names: with one customer there is no other difference that a reader gets to.
        let format = name.hasSuffix("snapshot-1") ? 1 : 2
        bytes[4] = UInt8(format)
        try store.saveSnapshot(
            StoredSnapshot(
                sequence: state.sequence, format: format,
                parts: [
                    .init(name: "state", bytes: bytes),
                    .init(name: "ids", bytes: index.serialized()),
                ]), keeping: 1)
        store.close()
        for suffix in [".lock", ".views", "-wal", "-shm"] { unlink(path + suffix) }
        let connection = try Connection(path: path, access: .readWrite, vfs: nil)
        try connection.execute("PRAGMA journal_mode = DELETE; VACUUM", while: "making a fixture")
    }

    private func verify(_ path: String) throws {
        let store = try SQLiteEventStore.openReadOnly(path: path)
        defer { store.close() }
        let (state, _) = try EngineLoader.load(store)
        let report = try LedgerVerifier.verify(store, liveState: state)
        #expect(report.passed, "\(report.checks.flatMap(\.violations))")
    }

    // Every fixture verifies, has the balances that it was made with, takes new calls, knows the
    // ids of the old ones, and verifies again.
    @Test(arguments: UpgradeTests.fixtures)
    func opensVerifiesContinues(name: String) async throws {
        let path = try await copy(name)
        try verify(path)
        let ledger = try await OpenLedger.owned(path: path)
        let balance = try await ask(ledger, "GET", ["customers", "acme", "balance"])
        #expect(balance.contains(#""held":"1""#), "\(balance)")
        #expect(balance.contains(#""charge":"2.5""#))
        _ = try await ask(
            ledger, "POST", ["reservations", "open", "settle"], #"{"amount":"0.5"}"#)
        let repeated = try await ask(
            ledger, "POST", ["reservations", "settled", "settle"], #"{"amount":"2.5"}"#)
        #expect(repeated.contains("settled"))
        let later = try await ask(ledger, "GET", ["customers", "acme", "balance"])
        #expect(later.contains(#""charge":"3""#), "\(later)")
        await ledger.shutdown()
        try verify(path)
    }

    // The fixture for the older snapshot holds one, and none of the present format.
    @Test func olderSnapshotIsThere() async throws {
        let path = try await copy("tables-1-snapshot-1")
        let store = try SQLiteEventStore.openReadOnly(path: path)
        defer { store.close() }
        #expect(try store.newestSnapshot(format: 1, atOrBefore: .max) != nil)
        #expect(
            try store.newestSnapshot(format: EngineLoader.snapshotFormat, atOrBefore: .max) == nil)
    }

    // A backup of an older ledger is restored in the present format.
    @Test(arguments: UpgradeTests.fixtures)
    func restores(name: String) async throws {
        let path = try await copy(name)
        let report = try LedgerRestore.restore([path], to: folder.file("restored.db"))
        #expect(report.books.customers == 1)
        #expect(report.books.held.decimalText == "1")
        try BackupRig.expectSame(path, folder.file("restored.db"))
    }

    // A ledger of a later version is refused with what to do, and is not touched.
    @Test func newerTables() async throws {
        let path = try await copy("tables-1-snapshot-2")
        do {
            let connection = try Connection(path: path, access: .readWrite, vfs: nil)
            try connection.execute("PRAGMA user_version = 99", while: "test")
        }
        let before = try WholeFile.read(path)
        do throws(ServerFailure) {
            _ = try await OpenLedger.owned(path: path)
            Issue.record("opened")
        } catch {
            #expect(error.code == "too_new")
            #expect(error.message.contains("version 99"))
            #expect(error.message.contains("newer"))
        }
        #expect(try WholeFile.read(path) == before)
        let refused = try BackupRig().refusal { () throws(ServerFailure) in
            try LedgerRestore.preview([path])
        }
        #expect(refused.code == "too_new")
    }

    // Read models of another version are built again, whatever they say.
    @Test func otherReadModels() async throws {
        let path = try await copy("tables-1-snapshot-2")
        var ledger = try await OpenLedger.owned(path: path)
        ledger.readModels.start()
        while !ledger.readModels.hasFolded(upTo: ledger.eventCount) {
            try await Task.sleep(for: .milliseconds(5))
        }
        await ledger.shutdown()
        do {
            let connection = try Connection(
                path: path + ".views", access: .readWrite, vfs: nil)
            try connection.execute(
                "PRAGMA user_version = 7; DELETE FROM usage", while: "test")
        }
        ledger = try await OpenLedger.owned(path: path)
        ledger.readModels.start()
        while !ledger.readModels.hasFolded(upTo: ledger.eventCount) {
            try await Task.sleep(for: .milliseconds(5))
        }
        let usage = try await ask(ledger, "GET", ["usage"])
        #expect(usage.contains("2.5"), "\(usage)")
        await ledger.shutdown()
    }
}
