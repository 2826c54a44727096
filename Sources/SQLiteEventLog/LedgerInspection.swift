// Facts about a ledger's files that can be had without opening or locking it.

import CSQLite
import Glibc
import SQLiteBinding

package enum LedgerInspection {
    package struct Holder: Sendable, Equatable {
        package var processID: Int32
        /// The program's name, where /proc tells.
        package var name: String?
    }

    package enum Journal: Sendable {
        case writeAheadLog
        /// As a backup is left: one file, complete.
        case rollback
    }

    /// Which process has the ledger's lock. Asked of the kernel (proc_locks(5)), because trying the
    /// lock could be just what makes a server fail that starts at this moment.
    package static func holder(ofLedgerAt path: String) -> Holder? {
        guard let place = try? DatabasePath(path) else { return nil }
        var status = stat()
        guard stat(place.text + ".lock", &status) == 0,
            let locks = text(ofFile: "/proc/locks")
        else { return nil }
        return holder(inode: UInt64(status.st_ino), locks: locks).map { processID in
            let name = text(ofFile: "/proc/\(processID)/comm")?.split(separator: "\n").first
            return Holder(processID: processID, name: name.map(String.init))
        }
    }

    /// - Parameter locks: as in /proc/locks:
    ///   `1: FLOCK  ADVISORY  WRITE 4711 08:02:131090 0 EOF`.
    package static func holder(inode: UInt64, locks: String) -> Int32? {
        for line in locks.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count >= 6, words[1] == "FLOCK", words[3] == "WRITE",
                let file = words[5].split(separator: ":").last, UInt64(file) == inode
            else { continue }
            return Int32(words[4])
        }
        return nil
    }

    /// From the file's header; nil when there is no database. See
    /// https://sqlite.org/fileformat2.html#file_format_version_numbers
    package static func journal(ofLedgerAt path: String) -> Journal? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 20)
        guard pread(descriptor, &bytes, bytes.count, 0) == bytes.count,
            bytes.starts(with: Array("SQLite format 3\0".utf8))
        else { return nil }
        return bytes[18] == 2 ? .writeAheadLog : .rollback
    }

    /// Whether a ledger without a write-ahead log is another size than its header says, which is
    /// what cutting a file short leaves: pages that nothing is read from would not be missed. See
    /// https://sqlite.org/fileformat2.html#in_header_database_size
    package static func isCut(ledgerAt path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var status = stat()
        var bytes = [UInt8](repeating: 0, count: 100)
        guard fstat(descriptor, &status) == 0,
            pread(descriptor, &bytes, bytes.count, 0) == bytes.count
        else { return true }
        guard bytes[18] != 2 else { return false }
        func number(_ range: Range<Int>) -> Int64 {
            bytes[range].reduce(0) { $0 << 8 | Int64($1) }
        }
        let pageSize = number(16..<18) == 1 ? 65_536 : number(16..<18)
        return number(28..<32) * pageSize != Int64(status.st_size)
    }

    private static func text(ofFile path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count < 1 << 22 {
            let count = read(descriptor, &chunk, chunk.count)
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension SQLiteEventStore {
    /// Of the library in use: 3051003 for 3.51.3.
    package static var sqliteVersion: Int32 { sqlite3_libversion_number() }
}
