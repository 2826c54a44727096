// When the write-ahead log is moved into the ledger.
//
// SQLite appends a commit's pages to `<ledger>-wal` and syncs it (synchronous=FULL): then the
// commit is durable. A checkpoint copies the pages into the ledger and syncs that, and the next
// commit starts again at the front of the `-wal` file. Writing over blocks that the file already
// has is two to three times as fast as making it longer, so the log is kept short.
//
// Only the writer makes checkpoints: SQLite's own, after any commit of any connection, are off.

import CSQLite
import EventLog
import SQLiteBinding
import Synchronization

/// How full the write-ahead log is, for any thread to read.
final class WALGauge: Sendable {
    /// Pages from the front of the log, whether copied into the ledger or not.
    let pages = Atomic<Int>(0)
    let pagesNotCopied = Atomic<Int>(0)
}

struct WriteAheadLog {
    /// 4 MiB of 8 KiB pages.
    static let pagesMax = 512

    private let gauge: WALGauge
    private var pagesAtNextCheckpoint = pagesMax

    /// Follows the commits of `connection`, for as long as both live.
    init(of connection: borrowing Connection, gauge: WALGauge) {
        self.gauge = gauge
        // Called by SQLite within each commit, on the thread that commits.
        sqlite3_wal_hook(
            connection.database,
            { context, _, _, pages in
                let gauge = Unmanaged<WALGauge>.fromOpaque(context!).takeUnretainedValue()
                gauge.pages.store(Int(pages), ordering: .relaxed)
                gauge.pagesNotCopied.store(Int(pages), ordering: .relaxed)
                return SQLITE_OK
            }, Unmanaged.passUnretained(gauge).toOpaque())
    }

    /// A checkpoint, if the log has grown by `pagesMax` since the last.
    mutating func checkpointIfLong(_ connection: borrowing Connection) throws(StoreError) {
        let pages = gauge.pages.load(ordering: .relaxed)
        // Fewer pages than at the last attempt: it has started again at the front.
        if pages < pagesAtNextCheckpoint - Self.pagesMax { pagesAtNextCheckpoint = Self.pagesMax }
        if pages >= pagesAtNextCheckpoint { try checkpoint(connection) }
    }

    /// Copies as much of the log into the ledger as readers allow, waiting for nobody.
    mutating func checkpoint(_ connection: borrowing Connection) throws(StoreError) {
        var pagesInLog: Int32 = 0
        var pagesCopied: Int32 = 0
        let code = sqlite3_wal_checkpoint_v2(
            connection.database, nil, SQLITE_CHECKPOINT_PASSIVE, &pagesInLog, &pagesCopied)
        // A reader that holds on to old pages keeps the log from starting again. Trying at every
        // append would sort all its pages each time: wait until there are as many new ones again.
        pagesAtNextCheckpoint = max(0, Int(pagesInLog)) + Self.pagesMax
        guard code == SQLITE_OK else {
            throw StoreError(
                sqliteCode: code, database: connection.database,
                while: "moving the write-ahead log into the ledger")
        }
        gauge.pagesNotCopied.store(Int(pagesInLog - pagesCopied), ordering: .relaxed)
    }
}
