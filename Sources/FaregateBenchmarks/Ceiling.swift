// The ceiling: what the disk and SQLite give when nothing is decided. The very rows that the engine
// has just written go into the same kind of Merkle tree and into an identical table, in the same
// batch size, with the same durability and the same care for a short write-ahead log.

import CSQLite
import EventLog
import SQLiteEventLog

struct Ceiling {
    let path: String

    init(_ path: String) { self.path = path }

    func run(
        _ store: SQLiteEventStore, after sequence: UInt64, batch: Int, seconds: Int
    ) throws -> (eventsPerSecond: Double, bytesPerEvent: Double) {
        let rows = try store.read(after: sequence, limit: 100_000, maxBytes: 256 << 20).map(\.bytes)
        guard !rows.isEmpty else { return (0, 0) }
        removeDatabase(path)
        defer { removeDatabase(path) }
        var database: OpaquePointer?
        try check(sqlite3_open(path, &database), database)
        defer { sqlite3_close(database) }
        for statement in [
            "PRAGMA page_size=8192", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
            "PRAGMA wal_autocheckpoint=512",
            "CREATE TABLE events (seq INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT",
        ] {
            try check(sqlite3_exec(database, statement, nil, nil, nil), database)
        }
        var insert: OpaquePointer?
        try check(
            sqlite3_prepare_v2(database, "INSERT INTO events VALUES (?, ?)", -1, &insert, nil),
            database)
        defer { sqlite3_finalize(insert) }
        var inserted: Int64 = 0
        var tree = MerkleFrontier()
        var root = MerkleHash.emptyRoot
        let start = monotonicNanoseconds()
        let end = start + UInt64(seconds) * 500_000_000
        var now = start
        while now < end {
            try check(sqlite3_exec(database, "BEGIN IMMEDIATE", nil, nil, nil), database)
            for _ in 0..<batch {
                let row = rows[Int(inserted) % rows.count]
                tree.append(MerkleHash.leaf(row))
                inserted += 1
                sqlite3_bind_int64(insert, 1, inserted)
                let status = row.withUnsafeBytes { raw in
                    sqlite3_bind_blob(insert, 2, raw.baseAddress, Int32(raw.count), nil)
                    return sqlite3_step(insert)
                }
                guard status == SQLITE_DONE else {
                    throw BenchmarkError.sqlite("insert: \(status)")
                }
                sqlite3_reset(insert)
            }
            root = tree.root
            try check(sqlite3_exec(database, "COMMIT", nil, nil, nil), database)
            now = monotonicNanoseconds()
        }
        // Keeps the hashing from being optimised away.
        precondition(root != .emptyRoot)
        let bytes = rows.reduce(0) { $0 + $1.count }
        return (
            Double(inserted) / (Double(now - start) / 1e9), Double(bytes) / Double(rows.count)
        )
    }

    private func check(_ status: Int32, _ database: OpaquePointer?) throws {
        guard status == SQLITE_OK else {
            throw BenchmarkError.sqlite(String(cString: sqlite3_errmsg(database)))
        }
    }
}
