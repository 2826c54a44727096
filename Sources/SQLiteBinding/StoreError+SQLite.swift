// How SQLite's result codes become the store's errors. See https://sqlite.org/rescode.html.

import CSQLite
package import EventLog
import Glibc

extension StoreError {
    /// The error behind the result `code` just given by a call on `database`.
    ///
    /// SQLite's own message names tables and columns at most, never a bound value: statements take
    /// all event data by binding.
    package init(sqliteCode code: Int32, database: OpaquePointer?, while activity: String) {
        let systemError = database.map { Self.systemError(behindFailureOn: $0) } ?? 0
        let message = database.map { String(cString: sqlite3_errmsg($0)) } ?? "no memory"
        self.init(
            Self.code(forSQLiteCode: code, systemError: systemError),
            "\(activity): \(message) (SQLite code \(code), errno \(systemError))")
    }

    /// `errno` of the system call that failed, 0 if unknown.
    private static func systemError(behindFailureOn database: OpaquePointer) -> Int32 {
        let known = sqlite3_system_errno(database)
        guard known == 0 else { return known }
        // SQLite does not note it for a failed COMMIT, but the write-ahead log's file does.
        var file: UnsafeMutablePointer<sqlite3_file>?
        sqlite3_file_control(database, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file)
        guard let file, let methods = file.pointee.pMethods else { return 0 }
        var last: Int32 = 0
        let code = methods.pointee.xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &last)
        return code == SQLITE_OK ? last : 0
    }

    /// - Parameters:
    ///   - code: SQLite's primary or extended result code.
    ///   - systemError: `errno` of the system call behind it, 0 if there was none.
    package static func code(forSQLiteCode code: Int32, systemError: Int32) -> Code {
        // The low byte of an extended code is its primary code.
        switch code & 0xff {
        case SQLITE_FULL:
            return .full
        case SQLITE_IOERR:
            // SQLite knows ENOSPC alone as "full"; quotas and file-size limits come as I/O errors.
            return [ENOSPC, EDQUOT, EFBIG].contains(systemError) ? .full : .inputOutput
        case SQLITE_NOMEM, SQLITE_INTERRUPT, SQLITE_NOLFS:
            return .inputOutput
        case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_READONLY, SQLITE_AUTH:
            return .cannotOpen
        case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL:
            return .locked
        case SQLITE_CONSTRAINT:
            // The only rows ever inserted twice are those of another writer.
            return .conflict
        default:
            // NOTADB and CORRUPT; and ERROR and the like, which mean that the file's tables are
            // not the ones that its version number stands for.
            return .corrupt
        }
    }
}
