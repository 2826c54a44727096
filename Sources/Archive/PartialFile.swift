// A file that is either there whole or not at all.
//
// It is written under its name with ".partial" after it, synced, and only then renamed; a crash
// leaves the old file, or none, and the partial one, which the next attempt takes over. A lock
// (flock) on the partial file keeps two attempts apart: the kernel lets go of it with the process.

import EventLog
import Glibc

package final class PartialFile: Sendable {
    package static let suffix = ".partial"

    /// Where to write.
    package let path: String
    /// What it is to become.
    package let target: String

    private let descriptor: Int32
    private nonisolated(unsafe) var isDone = false

    /// Makes the empty partial file, for its owner only.
    ///
    /// - Throws: `.exists` when another process is writing it, `.inputOutput`.
    package init(for target: String) throws(ArchiveError) {
        self.target = target
        path = target + Self.suffix
        while true {
            let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard file >= 0 else { throw Self.failure(path) }
            guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
                close(file)
                throw ArchiveError(.exists, "another process is writing \(path)")
            }
            // Whoever had it may have renamed or removed it between our two calls.
            var (ours, there) = (stat(), stat())
            if fstat(file, &ours) == 0, stat(path, &there) == 0, ours.st_ino == there.st_ino {
                if ours.st_size == 0, ours.st_nlink == 1 {
                    descriptor = file
                    return
                }
                // Of an attempt that was cut short. Never emptied: it may have a second name by
                // now, that of a finished file.
                unlink(path)
            }
            close(file)
        }
    }

    deinit {
        if !isDone { unlink(path) }
        close(descriptor)
    }

    /// Appends bytes; not for files that SQLite writes.
    package func write(_ bytes: [UInt8]) throws(ArchiveError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + written, bytes.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure(path) }
            written += count
        }
    }

    /// Syncs what was written, and forgets the cached pages, so that reading it again reads the
    /// disk.
    package func sync() throws(ArchiveError) {
        guard fsync(descriptor) == 0 else { throw Self.failure(path) }
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
    }

    package var byteCount: Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Puts the file in its place, durably.
    ///
    /// - Parameter isReplacing: what is there is replaced; otherwise `.exists` is thrown.
    package func commit(isReplacing: Bool) throws(ArchiveError) {
        guard fsync(descriptor) == 0 else { throw Self.failure(path) }
        if isReplacing {
            guard rename(path, target) == 0 else { throw Self.failure(target) }
        } else if link(path, target) == 0 {
            unlink(path)
        } else {
            // A file system without hard links cannot refuse and rename in one step.
            guard errno == EPERM || errno == EOPNOTSUPP, access(target, F_OK) != 0 else {
                if errno == EEXIST || access(target, F_OK) == 0 {
                    throw ArchiveError(.exists, "\(target) is there already")
                }
                throw Self.failure(target)
            }
            guard rename(path, target) == 0 else { throw Self.failure(target) }
        }
        isDone = true
        let folder = open(Self.folder(of: target), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw Self.failure(target) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw Self.failure(target) }
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func failure(_ path: String) -> ArchiveError {
        ArchiveError(.inputOutput, "\(path): \(String(cString: strerror(errno)))")
    }
}
