// Getting a ledger out of the way, so that another file can take its name.
//
// A rename replaces the file alone. A write-ahead log that stayed beside it would be replayed into
// the new file, page by page, as if it were its own. So the old ledger is locked and its
// write-ahead log moved into it and deleted, before anything is renamed; until then it is whole.

import CSQLite
package import EventLog
import Glibc
import SQLiteBinding
import Synchronization

package final class LedgerReplacement: Sendable {
    private let lock: Mutex<LockFile?>

    /// Locks the file at `path`, if it has ever been served, and leaves nothing beside it that
    /// belongs to it. A file that is no database is left as it is.
    ///
    /// - Throws: `.locked` when a process serves it; `.corrupt` and the like when its write-ahead
    ///   log cannot be moved into it: somebody must decide what becomes of that.
    package init(path: String) throws(StoreError) {
        let place = try DatabasePath(path)
        let wal = place.text + "-wal"
        let wasServed = access(place.text + ".lock", F_OK) == 0 || access(wal, F_OK) == 0
        lock = Mutex(wasServed ? try LockFile(besideLedgerAt: place.text) : nil)
        guard place.exists else {
            // The write-ahead log of a ledger that is gone: of no use to anybody but the new file.
            unlink(wal)
            unlink(place.text + "-shm")
            return
        }
        guard wasServed else { return }
        let connection = try Connection(path: place.text, access: .readWrite, vfs: nil)
        let mode = try Statement(
            "PRAGMA journal_mode = DELETE", on: connection,
            activity: "moving the old write-ahead log into its ledger")
        guard try mode.step(), mode.text(at: 0) == "delete" else {
            throw StoreError(.locked, "\(path) is in use by another program")
        }
    }
}
