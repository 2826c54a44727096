import Configuration
import Glibc
import SQLiteEventLog
import Testing

@testable import Server

@Suite struct DoctorTests {
    private let folder = TemporaryFolder()

    private func doctor(_ path: String? = nil) throws -> Doctor {
        Doctor(
            try ServerConfiguration(options: [
                "db": (.string(path ?? folder.file("ledger.db")), "test")
            ]))
    }

    private func results(_ doctor: Doctor) -> [String: DoctorCheck] {
        Dictionary(doctor.examine().map { ($0.name, $0) }) { first, _ in first }
    }

    // Before the first start there is nothing wrong with a folder of one's own.
    @Test func newFolder() throws {
        let results = results(try doctor())
        #expect(results["folder"]?.result == .ok)
        #expect(results["file"]?.result == .ok)
        #expect(results["ledger"] == nil)
        #expect(results["leftovers"]?.result == .ok)
        #expect(results["sync"] != nil)
        #expect(folder.file("").isEmpty == false)
    }

    // A served ledger is named with its owner, and is left alone.
    @Test func servedLedger() async throws {
        let ledger = try await OpenLedger.owned(
            path: folder.file("ledger.db"), creation: OpenLedger.Creation(currency: "EUR"))
        let results = results(try doctor())
        #expect(results["ledger"]?.result == .ok, "\(String(describing: results["ledger"]))")
        #expect(results["file"]?.result == .ok)
        #expect(results["journal"]?.result == .ok)
        #expect(results["lock"]?.finding.contains("\(getpid())") == true)
        try await BackupRig.make("still-writes", in: ledger)
        await ledger.shutdown()
    }

    // What is wrong is said with what to do about it: every finding that is not ok has a remedy.
    @Test func faults() async throws {
        let path = folder.file("ledger.db")
        let ledger = try await OpenLedger.owned(
            path: path, creation: OpenLedger.Creation(currency: "EUR", isTestClock: true))
        await ledger.shutdown()
        chmod(path, 0o644)
        try WholeFile.replace(folder.file("copy.db.partial"), with: [1])
        var results = results(try doctor())
        #expect(results["file"]?.result == .warn)
        #expect(results["file"]?.remedy == "chmod 600 \(path)")
        #expect(results["leftovers"]?.finding.contains("copy.db.partial") == true)
        #expect(results["ledger"]?.finding.contains("test clock") == true)
        try WholeFile.replace(path, with: Array("no database at all".utf8))
        results = self.results(try doctor())
        #expect(results["ledger"]?.result == .fail)
        #expect(results["ledger"]?.finding.contains(path) == true)
        let missing = self.results(try doctor(folder.file("none/ledger.db")))
        #expect(missing["folder"]?.result == .fail)
        for check in Array(results.values) + Array(missing.values) {
            #expect((check.remedy != nil) == (check.result != .ok), "\(check)")
        }
    }

    // The versions that have the WAL-reset bug, and the first that has not.
    @Test func walResetBug() throws {
        let doctor = try doctor()
        #expect(doctor.sqlite(version: 3_040_001).result == .warn)
        #expect(doctor.sqlite(version: 3_040_001).finding.contains("3.40.1"))
        #expect(doctor.sqlite(version: 3_051_002).result == .warn)
        #expect(doctor.sqlite(version: 3_051_003).result == .ok)
    }

    @Test func thresholds() {
        func space(_ free: UInt64, ledger: UInt64 = 0, files: UInt64? = nil) -> DoctorCheck.Result {
            Doctor.diskSpace(freeBytes: free << 20, ledgerBytes: ledger << 20, freeFiles: files)
                .result
        }
        #expect(space(10) == .fail)
        #expect(space(500) == .warn)
        #expect(space(5_000) == .ok)
        #expect(space(5_000, ledger: 100_000) == .warn)
        #expect(space(5_000, files: 3) == .fail)
        #expect(Doctor.fileSystem(type: 0x6969).result == .fail)
        #expect(Doctor.fileSystem(type: 0x0102_1994).result == .fail)
        #expect(Doctor.fileSystem(type: 0x794C_7630).result == .warn)
        #expect(Doctor.fileSystem(type: 0xEF53).result == .ok)
        #expect(Doctor.syncTime(microseconds: [100, 200, 90_000]).result == .ok)
        #expect(Doctor.syncTime(microseconds: [30_000, 30_000, 30_000]).result == .warn)
        #expect(Doctor.openFiles(max: 100).result == .fail)
        #expect(Doctor.openFiles(max: 1_024).result == .warn)
        #expect(Doctor.openFiles(max: 65_536).result == .ok)
        func clock(_ isSynchronised: Bool, _ drift: Int64) -> DoctorCheck.Result {
            Doctor.clock(
                isSynchronised: isSynchronised, maxErrorMicroseconds: 5_000,
                driftMicroseconds: drift
            ).result
        }
        #expect(clock(true, 10) == .ok)
        #expect(clock(false, 10) == .warn)
        #expect(clock(true, -400_000) == .warn)
    }

    // Locks as the kernel lists them.
    @Test func locks() {
        let text = """
            1: POSIX  ADVISORY  READ 12 08:02:77 128 128
            2: FLOCK  ADVISORY  WRITE 4711 08:02:131090 0 EOF
            3: FLOCK  ADVISORY  READ 99 08:02:131091 0 EOF
            """
        #expect(LedgerInspection.holder(inode: 131_090, locks: text) == 4711)
        #expect(LedgerInspection.holder(inode: 131_091, locks: text) == nil)
        #expect(LedgerInspection.holder(inode: 77, locks: text) == nil)
        #expect(LedgerInspection.holder(inode: 131_090, locks: "rubbish\n2: FLOCK\n") == nil)
    }
}
