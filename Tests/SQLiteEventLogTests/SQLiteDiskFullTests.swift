import EventLog
import FaregateTestSupport
import Glibc
import Testing

@testable import SQLiteEventLog

struct SQLiteDiskFullTests {
    // A full disk is told from a broken one; nothing of the refused batch is there, everything
    // answered for is, reading goes on, and with space again so does appending.
    @Test(.enabled(if: SmallDisk.isAvailable, "mounting a file system is not permitted here"))
    func fullDisk() throws {
        let folder = try TemporaryFolder()
        try SmallDisk.run(on: folder.path, sizeBytes: 2 << 20) {
            let ballast = folder.path + "/ballast"
            writeFile(ballast, [UInt8](repeating: 1, count: 500_000))
            let store = try openLedger(folder.ledger)
            let (kept, error) = appendUntilRefused(store)
            #expect(error?.code == .full)
            #expect(kept > 1_000)
            #expect(store.head.sequence == kept)
            #expect(try store.rootIsRight())
            // Still full: refused again, and nothing is worse.
            expectCode(.full) { () throws(StoreError) in try store.fill(50, bytesEach: 300) }
            #expect(try store.rootIsRight())

            unlink(ballast)
            try store.fill(50, bytesEach: 300)
            store.close()
            let again = try openLedger(folder.ledger)
            #expect(again.head.sequence == kept + 50)
            #expect(try again.rootIsRight())
            #expect(try again.checkpoints(after: 0, limit: .max).count == Int(kept) / 50 + 1)
            again.close()
        }
    }

    // A ledger on a disk that has filled up since can still be opened and read.
    @Test(.enabled(if: SmallDisk.isAvailable, "mounting a file system is not permitted here"))
    func openingOnAFullDisk() throws {
        let folder = try TemporaryFolder()
        try SmallDisk.run(on: folder.path, sizeBytes: 2 << 20) {
            let store = try openLedger(folder.ledger)
            try store.fill(500)
            store.close()
            // All but the 32 KiB that SQLite needs for the readers' index of the write-ahead log.
            writeFile(folder.path + "/reserve", [UInt8](repeating: 1, count: 64 << 10))
            fill(folder.path + "/ballast")
            unlink(folder.path + "/reserve")
            let again = try openLedger(folder.ledger)
            #expect(again.head.sequence == 500)
            #expect(try again.rootIsRight())
            let (_, error) = appendUntilRefused(again)
            #expect(error?.code == .full)
            #expect(try again.rootIsRight())
            again.close()
        }
    }

    // A file-size limit is a full disk too, and lifting it is enough.
    @Test func fileSizeLimit() async throws {
        let folder = try TemporaryFolder()
        let path = folder.ledger
        await #expect(processExitsWith: .success) { [path = path as String] in
            // Without this the kernel ends the process instead of failing the write.
            signal(SIGXFSZ, SIG_IGN)
            let store = try openLedger(path)
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(UInt32(RLIMIT_FSIZE.rawValue)), &limit)
            let unlimited = limit.rlim_cur
            limit.rlim_cur = 600_000
            setrlimit(__rlimit_resource_t(UInt32(RLIMIT_FSIZE.rawValue)), &limit)
            let (kept, error) = appendUntilRefused(store)
            #expect(error?.code == .full)
            #expect(kept > 500)
            #expect(try store.rootIsRight())
            limit.rlim_cur = unlimited
            setrlimit(__rlimit_resource_t(UInt32(RLIMIT_FSIZE.rawValue)), &limit)
            try store.fill(50, bytesEach: 300)
            #expect(store.head.sequence == kept + 50)
            store.close()
        }
        let store = try openLedger(path)
        #expect(store.head.sequence > 550)
        #expect(try store.rootIsRight())
        store.close()
    }
}

/// Appends batches of 50 until one is refused; the head before it, and why.
private func appendUntilRefused(_ store: SQLiteEventStore) -> (kept: UInt64, error: StoreError?) {
    for _ in 0..<1_000 {
        let head = store.head.sequence
        do throws(StoreError) {
            try store.fill(50, bytesEach: 300)
        } catch {
            return (head, error)
        }
    }
    return (store.head.sequence, nil)
}

/// Writes until the disk is full.
private func fill(_ path: String) {
    let file = open(path, O_WRONLY | O_CREAT, 0o600)
    let block = [UInt8](repeating: 1, count: 4096)
    while write(file, block, block.count) > 0 {}
    close(file)
}

/// A file system of its own for one thread: in a mount namespace that ends with the thread, so that
/// nothing is left behind, whatever happens. Needs root.
private enum SmallDisk {
    private typealias Unshare = @convention(c) (CInt) -> CInt
    private static let newMountNamespace: CInt = 0x0002_0000

    static let isAvailable: Bool = {
        guard geteuid() == 0, let folder = try? TemporaryFolder() else { return false }
        return (try? run(on: folder.path, sizeBytes: 1 << 20) {}) != nil
    }()

    struct NotPermitted: Error {}

    /// Runs `body` on a thread that sees an empty disk of `sizeBytes` at `path`.
    static func run(
        on path: String, sizeBytes: Int, _ body: @escaping @Sendable () throws -> Void
    ) throws {
        let job = Job {
            // Not in Swift's Glibc module.
            guard let address = dlsym(nil, "unshare"),
                unsafeBitCast(address, to: Unshare.self)(newMountNamespace) == 0,
                mount(nil, "/", nil, UInt(MS_REC | MS_PRIVATE), nil) == 0,
                mount("tmpfs", path, "tmpfs", 0, "size=\(sizeBytes)") == 0
            else { throw NotPermitted() }
            try body()
        }
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(job).toOpaque()
        let code = pthread_create(
            &thread, nil,
            { argument in
                let job = Unmanaged<Job>.fromOpaque(argument!).takeRetainedValue()
                job.result = Result { try job.body() }
                return nil
            }, argument)
        guard code == 0 else { throw NotPermitted() }
        pthread_join(thread, nil)
        try job.result!.get()
    }

    private final class Job {
        let body: () throws -> Void
        var result: Result<Void, any Error>?

        init(_ body: @escaping () throws -> Void) { self.body = body }
    }
}
