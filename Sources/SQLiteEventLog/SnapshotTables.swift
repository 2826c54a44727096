// Snapshots in the ledger's file.
//
// A snapshot's parts are cut into pieces of at most 4 MiB, each a row of its own, each written in
// a transaction of its own: so the write-ahead log stays short, whatever the size of the state. The
// row in `snapshots` comes last, with the digest over all parts. A snapshot that was cut short has
// no such row, a damaged one has another digest: readers pass over both, and the next save clears
// away what no row claims.

import EventLog
import SQLiteBinding

enum SnapshotTables {
    static let pieceBytesMax = 4 << 20

    static let newestSQL =
        "SELECT sequence, sha256 FROM snapshots WHERE format = ? AND sequence <= ?"
        + " ORDER BY sequence DESC"
    static let partsSQL =
        "SELECT part, name, bytes FROM snapshot_parts WHERE format = ? AND sequence = ?"
        + " ORDER BY part, piece"

    private static let insertPieceSQL =
        "INSERT INTO snapshot_parts (format, sequence, part, piece, name, bytes)"
        + " VALUES (?, ?, ?, ?, ?, ?)"
    private static let insertSQL =
        "INSERT INTO snapshots (format, sequence, sha256) VALUES (?, ?, ?)"
    private static let removeSQL = "DELETE FROM snapshots WHERE format = ? AND sequence = ?"
    private static let removeOldSQL =
        "DELETE FROM snapshots WHERE (format, sequence) NOT IN"
        + " (SELECT format, sequence FROM snapshots ORDER BY sequence DESC, format DESC LIMIT ?)"
    private static let removeUnclaimedPiecesSQL =
        "DELETE FROM snapshot_parts WHERE (format, sequence) NOT IN"
        + " (SELECT format, sequence FROM snapshots)"

    /// The newest whole snapshot of `format` at or before `sequence`.
    static func newest(
        format: Int, atOrBefore sequence: UInt64, in connection: borrowing Connection
    ) throws(StoreError) -> StoredSnapshot? {
        let activity = "reading a snapshot"
        // One transaction, because the writer may be dropping the snapshot meanwhile.
        return try connection.transaction(begin: "BEGIN", while: activity) {
            connection throws(StoreError) in
            let rows = try Statement(newestSQL, on: connection, activity: activity)
            rows.bind(format, at: 1)
            rows.bind(Int64(clamping: sequence), at: 2)
            var newest: StoredSnapshot?
            try rows.forEachRow { row throws(StoreError) in
                newest = try wholeSnapshot(format: format, row: row, in: connection)
                return newest == nil
            }
            return newest
        }
    }

    /// Nil if the snapshot is damaged.
    private static func wholeSnapshot(
        format: Int, row: borrowing Statement, in connection: borrowing Connection
    ) throws(StoreError) -> StoredSnapshot? {
        do throws(StoreError) {
            let digest = try row.hash(at: 1)
            let snapshot = StoredSnapshot(
                sequence: try row.uint64(at: 0), format: format,
                parts: try parts(format: format, sequence: row.int64(at: 0), in: connection))
            return snapshot.digest == digest ? snapshot : nil
        } catch {
            // Damage in a cache is no reason to stop; a disk that does not read is.
            guard error.code == .corrupt else { throw error }
            return nil
        }
    }

    private static func parts(
        format: Int, sequence: Int64, in connection: borrowing Connection
    ) throws(StoreError) -> [StoredSnapshot.Part] {
        let rows = try Statement(
            partsSQL, on: connection, activity: "reading a snapshot's parts")
        rows.bind(format, at: 1)
        rows.bind(sequence, at: 2)
        var parts: [StoredSnapshot.Part] = []
        try rows.forEachRow { row throws(StoreError) in
            if row.int64(at: 0) >= Int64(parts.count) {
                parts.append(StoredSnapshot.Part(name: row.text(at: 1), bytes: []))
            }
            row.withBytes(at: 2) { parts[parts.count - 1].bytes.append(contentsOf: $0) }
            return true
        }
        return parts
    }

    /// Writes `snapshot`, then drops all but the newest `keeping`. `pieceWritten` is called between
    /// transactions.
    static func save(
        _ snapshot: StoredSnapshot, keeping: Int, in connection: borrowing Connection,
        pieceWritten: (borrowing Connection) throws(StoreError) -> Void
    ) throws(StoreError) {
        let activity = "saving a snapshot"
        try connection.transaction(while: activity) { connection throws(StoreError) in
            let remove = try Statement(removeSQL, on: connection, activity: activity)
            remove.bind(snapshot.format, at: 1)
            remove.bind(Int64(snapshot.sequence), at: 2)
            try remove.run()
            try connection.execute(removeUnclaimedPiecesSQL, while: activity)
        }
        try insertPieces(of: snapshot, in: connection, pieceWritten: pieceWritten)
        try connection.transaction(while: activity) { connection throws(StoreError) in
            let insert = try Statement(insertSQL, on: connection, activity: activity)
            insert.bind(snapshot.format, at: 1)
            insert.bind(Int64(snapshot.sequence), at: 2)
            insert.bind(snapshot.digest, at: 3)
            try insert.run()
            let removeOld = try Statement(removeOldSQL, on: connection, activity: activity)
            removeOld.bind(keeping, at: 1)
            try removeOld.run()
            try connection.execute(removeUnclaimedPiecesSQL, while: activity)
        }
    }

    /// Drops the pieces of a snapshot that could not be finished, for their space.
    static func removeUnclaimedPieces(in connection: borrowing Connection) throws(StoreError) {
        try connection.execute(removeUnclaimedPiecesSQL, while: "dropping an unfinished snapshot")
    }

    private static func insertPieces(
        of snapshot: StoredSnapshot, in connection: borrowing Connection,
        pieceWritten: (borrowing Connection) throws(StoreError) -> Void
    ) throws(StoreError) {
        let insert = try Statement(
            insertPieceSQL, on: connection, activity: "saving a snapshot's parts")
        defer { insert.forgetBindings() }
        for (index, part) in snapshot.parts.enumerated() {
            insert.bind(snapshot.format, at: 1)
            insert.bind(Int64(snapshot.sequence), at: 2)
            insert.bind(index, at: 3)
            insert.bind(part.name, at: 5)
            try part.bytes.withUnsafeBufferPointer { bytes throws(StoreError) in
                let bytes = UnsafeRawBufferPointer(bytes)
                // An empty part has one empty piece, so that its name is kept.
                let pieceCount = max(1, (bytes.count + pieceBytesMax - 1) / pieceBytesMax)
                for piece in 0..<pieceCount {
                    let start = piece * pieceBytesMax
                    let end = min(start + pieceBytesMax, bytes.count)
                    insert.bind(piece, at: 4)
                    insert.bindBorrowed(
                        UnsafeRawBufferPointer(rebasing: bytes[start..<end]), at: 6)
                    try insert.run()
                    try pieceWritten(connection)
                }
            }
        }
    }
}
