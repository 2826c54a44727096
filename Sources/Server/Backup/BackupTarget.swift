// Where a backup or a restored ledger is to go: nothing is replaced unless it was asked for, and
// nothing that is in use.

import Archive
import EventLog
import Glibc
import SQLiteEventLog

struct BackupTarget: Sendable {
    let path: String
    let partial: PartialFile
    private let isReplacing: Bool
    /// Holds the lock of a ledger that is to be replaced.
    private let replaced: LedgerReplacement

    /// - Parameters:
    ///   - isReplacing: what is there may be replaced.
    ///   - source: the ledger that is being copied, which is never replaced.
    init(_ path: String, isReplacing: Bool, source: String? = nil) throws(ServerFailure) {
        if let source, Self.isSameFile(path, source) {
            throw ServerFailure(.refused, "exists", "\(path) is the ledger itself")
        }
        if !isReplacing { try Self.requireFree(path) }
        do throws(StoreError) {
            replaced = try LedgerReplacement(path: path)
        } catch {
            guard error.code == .corrupt else { throw ServerFailure(error, path: path) }
            throw ServerFailure(
                .refused, "exists",
                "\(path) is no sound ledger (\(error.detail)): move it and its -wal away yourself")
        }
        do throws(ArchiveError) {
            partial = try PartialFile(for: path)
        } catch {
            throw ServerFailure(error)
        }
        self.path = path
        self.isReplacing = isReplacing
    }

    /// Refuses when something is at `path` already.
    static func requireFree(_ path: String) throws(ServerFailure) {
        guard access(path, F_OK) != 0 else {
            throw ServerFailure(
                .refused, "exists", "\(path) is there already; --force replaces it")
        }
        guard access(path + "-wal", F_OK) != 0 else {
            throw ServerFailure(
                .refused, "exists",
                "\(path)-wal is there, of a ledger that is not; --force deletes it")
        }
    }

    /// Checks the ledger that was written to the partial file, from the disk, and puts it in its
    /// place.
    func commitLedger(
        at head: LogHead, progress: (UInt64) -> Void = { _ in }
    ) throws(ArchiveError) -> Int {
        try partial.sync()
        do throws(StoreError) {
            let written = try SQLiteEventStore.openReadOnly(path: partial.path)
            defer { written.close() }
            guard written.head == head else {
                throw StoreError(.corrupt, "what was written is not what was read")
            }
            var walker = LogWalker(written, name: partial.path)
            do throws(ArchiveError) {
                try walker.finish(progress: progress)
            } catch {
                throw StoreError(.corrupt, error.message)
            }
        } catch {
            throw ArchiveError(error, file: partial.path)
        }
        return try commit()
    }

    /// Checks the log file that was written to the partial file, from the disk, and puts it in its
    /// place.
    func commitLogFile(
        at head: LogHead, progress: (UInt64) -> Void = { _ in }
    ) throws(ArchiveError) -> Int {
        try partial.sync()
        var reader = try LogFileReader(path: partial.path)
        while let item = try reader.next() {
            if case .checkpoint(let checkpoint) = item { progress(checkpoint.head.sequence) }
        }
        guard reader.end?.head == head else {
            throw ArchiveError(.damaged, "\(partial.path): what was written is not what was read")
        }
        return try commit()
    }

    private func commit() throws(ArchiveError) -> Int {
        let byteCount = partial.byteCount
        try partial.commit(isReplacing: isReplacing)
        return byteCount
    }

    private static func isSameFile(_ path: String, _ other: String) -> Bool {
        var (first, second) = (stat(), stat())
        return stat(path, &first) == 0 && stat(other, &second) == 0
            && first.st_ino == second.st_ino && first.st_dev == second.st_dev
    }
}
