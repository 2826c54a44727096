// The lock that makes one process the ledger's only writer.
//
// Beside the ledger `<path>` lies `<path>.lock`, held with flock(2) by the process that has the
// ledger open for writing, with that process's number inside for people to read. The kernel lets
// go of the lock when the process ends, however it ends, so a left-over file locks nobody out. The
// file is never deleted: whoever deleted it could take away the name of a lock that another process
// is just waiting for, and two would own the ledger.
//
// Not SQLite's own locks: they would keep readers out too, and POSIX drops them as soon as any part
// of the process closes the file. Two writing processes are what SQLite's WAL-reset bug needs.

import EventLog
import Glibc

struct LockFile: ~Copyable {
    let descriptor: Int32

    /// - Throws: `.locked` when another process (or this one) holds the lock, `.cannotOpen` when
    ///   the lock file cannot be made.
    init(besideLedgerAt path: String) throws(StoreError) {
        let lockPath = path + ".lock"
        let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw StoreError(.cannotOpen, "\(lockPath): \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            let owner = Self.text(in: descriptor)
            Glibc.close(descriptor)
            guard reason == EWOULDBLOCK else {
                throw StoreError(.cannotOpen, "\(lockPath): \(String(cString: strerror(reason)))")
            }
            throw StoreError(.locked, "\(path) is in use by process \(owner)")
        }
        // The number is for people only: if the disk is full, the lock holds all the same.
        let owner = Array("\(getpid())\n".utf8)
        if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, owner, owner.count, 0) }
        self.descriptor = descriptor
    }

    // Unlocked first: a child that was forked a moment ago and has not come to its exec has the
    // descriptor too, and closing only ours would leave the ledger locked until then.
    deinit {
        flock(descriptor, LOCK_UN)
        Glibc.close(descriptor)
    }

    private static func text(in descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 20)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        let digits = bytes.prefix(max(0, count)).prefix { $0 >= 0x30 && $0 <= 0x39 }
        return digits.isEmpty ? "unknown" : String(decoding: digits, as: UTF8.self)
    }
}
