// One SQLite connection and its prepared statements: the few calls that the ledger's files need, no
// more. Neither is shared between threads; whoever owns them sees to that (SQLite is told so:
// NOMUTEX).

import CSQLite
package import EventLog

package struct Connection: ~Copyable {
    package enum Access: Sendable {
        /// Writes an existing file.
        case readWrite
        /// Reads only, and refuses every write.
        case readOnly
    }

    package let database: OpaquePointer

    /// - Parameters:
    ///   - path: absolute, so that SQLite can take it for neither a URI nor `:memory:`.
    ///   - vfs: SQLite's file layer by name; nil is the system's.
    package init(path: String, access: Access, vfs: String?) throws(StoreError) {
        precondition(path.hasPrefix("/"), "an absolute path")
        let flags =
            switch access {
            case .readWrite: SQLITE_OPEN_READWRITE
            case .readOnly: SQLITE_OPEN_READONLY
            }
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_NOMUTEX, vfs)
        guard code == SQLITE_OK, let opened else {
            let error = StoreError(sqliteCode: code, database: opened, while: "opening \(path)")
            sqlite3_close_v2(opened)
            throw error
        }
        database = opened
        sqlite3_extended_result_codes(opened, 1)
        // Nothing of ours makes a connection wait for long: this is for recovery by another
        // process, and for people with the sqlite3 tool.
        sqlite3_busy_timeout(opened, 5_000)
    }

    deinit {
        // The _v2 form, because statements may be let go after the connection.
        sqlite3_close_v2(database)
    }

    /// Runs all statements of `sql`, leaving out any rows.
    package func execute(_ sql: String, while activity: String) throws(StoreError) {
        let code = sqlite3_exec(database, sql, nil, nil, nil)
        guard code == SQLITE_OK else {
            throw StoreError(sqliteCode: code, database: database, while: activity)
        }
    }

    /// The first column of the only row of `sql`.
    package func integer(_ sql: String, while activity: String) throws(StoreError) -> Int64 {
        let statement = try Statement(sql, on: self, activity: activity)
        guard try statement.step() else {
            throw StoreError(.corrupt, "\(activity): no row")
        }
        return statement.int64(at: 0)
    }

    /// Makes the connection keep a write-ahead log. SQLite answers with the mode it has, which is
    /// another where files cannot be shared in memory, as on some network file systems.
    package func useWriteAheadLog(while activity: String) throws(StoreError) {
        let mode = try Statement("PRAGMA journal_mode = WAL", on: self, activity: activity)
        guard try mode.step(), mode.text(at: 0) == "wal" else {
            throw StoreError(.cannotOpen, "the file system allows no write-ahead log")
        }
    }

    package var isInTransaction: Bool { sqlite3_get_autocommit(database) == 0 }

    /// Runs `body` in one transaction, by default one that writes: all of it or nothing.
    package func transaction<Result>(
        begin: String = "BEGIN IMMEDIATE", while activity: String,
        _ body: (borrowing Connection) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try execute(begin, while: activity)
        do throws(StoreError) {
            let result = try body(self)
            try execute("COMMIT", while: activity)
            return result
        } catch {
            rollBack()
            throw error
        }
    }

    /// Ends an open transaction without effect; SQLite may have done so itself after an error.
    package func rollBack() {
        guard isInTransaction else { return }
        // In WAL mode this only forgets pages in memory. Should it fail, the next BEGIN fails too
        // and says why.
        sqlite3_exec(database, "ROLLBACK", nil, nil, nil)
    }
}

/// A prepared statement, used again and again.
package struct Statement: ~Copyable {
    private let handle: OpaquePointer
    private let database: OpaquePointer
    private let activity: String

    /// - Parameter activity: what errors say was being done.
    package init(_ sql: String, on connection: borrowing Connection, activity: String)
        throws(StoreError)
    {
        database = connection.database
        self.activity = activity
        var prepared: OpaquePointer?
        let code = sqlite3_prepare_v3(
            database, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        guard code == SQLITE_OK, let prepared else {
            throw StoreError(sqliteCode: code, database: connection.database, while: activity)
        }
        handle = prepared
    }

    deinit { sqlite3_finalize(handle) }

    // Binding fails only for a column number or a size out of range: mistakes of this module.

    package func bind(_ value: Int64, at column: Int32) {
        let code = sqlite3_bind_int64(handle, column, value)
        precondition(code == SQLITE_OK, "a bound column exists")
    }

    package func bind(_ value: Int, at column: Int32) {
        bind(Int64(value), at: column)
    }

    package func bind(_ text: String, at column: Int32) {
        // -1 is SQLITE_TRANSIENT: SQLite copies the text.
        let copy = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        let code = sqlite3_bind_text(handle, column, text, -1, copy)
        precondition(code == SQLITE_OK, "a bound column exists")
    }

    package func bindNull(at column: Int32) {
        let code = sqlite3_bind_null(handle, column)
        precondition(code == SQLITE_OK, "a bound column exists")
    }

    /// Binds a copy of the hash.
    package func bind(_ hash: MerkleHash, at column: Int32) {
        let copy = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        let code = hash.withUnsafeBytes {
            sqlite3_bind_blob(handle, column, $0.baseAddress, Int32($0.count), copy)
        }
        precondition(code == SQLITE_OK, "a bound column exists")
    }

    /// Binds `bytes` without copying them: they must stay where they are until the statement has
    /// run, and `forgetBindings` is called before they go.
    package func bindBorrowed(_ bytes: UnsafeRawBufferPointer, at column: Int32) {
        // A nil pointer would bind NULL; zero bytes need some address.
        let address = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)
        let code = sqlite3_bind_blob64(handle, column, address, UInt64(bytes.count), nil)
        precondition(code == SQLITE_OK, "a blob below SQLite's limit of 1,000,000,000 bytes")
    }

    package func forgetBindings() { sqlite3_clear_bindings(handle) }

    /// Whether there is a next row. After the last row, and after an error, the statement is ready
    /// to run again.
    package func step() throws(StoreError) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW:
            return true
        case SQLITE_DONE:
            sqlite3_reset(handle)
            return false
        case let code:
            let error = StoreError(sqliteCode: code, database: database, while: activity)
            sqlite3_reset(handle)
            throw error
        }
    }

    /// Runs a statement that gives no rows.
    package func run() throws(StoreError) {
        let hasRow = try step()
        precondition(!hasRow, "a statement without rows")
    }

    /// Calls `body` for each row until it answers false, then makes the statement ready again.
    package func forEachRow(
        _ body: (borrowing Statement) throws(StoreError) -> Bool
    ) throws(StoreError) {
        // An unfinished statement would keep its read transaction, and the write-ahead log with it.
        defer { sqlite3_reset(handle) }
        while try step() {
            guard try body(self) else { return }
        }
    }

    package var columnCount: Int32 { sqlite3_column_count(handle) }

    package func isNull(at column: Int32) -> Bool {
        sqlite3_column_type(handle, column) == SQLITE_NULL
    }

    /// Whether the row's value there is text.
    package func isText(at column: Int32) -> Bool {
        sqlite3_column_type(handle, column) == SQLITE_TEXT
    }

    package func int64(at column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    package func text(at column: Int32) -> String {
        sqlite3_column_text(handle, column).map { String(cString: $0) } ?? ""
    }

    /// Lends the blob until the next step.
    package func withBytes<Result>(
        at column: Int32, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        // In this order: asking for the blob may convert, and so change, the byte count.
        let address = sqlite3_column_blob(handle, column)
        let count = Int(sqlite3_column_bytes(handle, column))
        return body(UnsafeRawBufferPointer(start: address, count: address == nil ? 0 : count))
    }

    package func bytes(at column: Int32) -> [UInt8] {
        withBytes(at: column) { Array($0) }
    }

    /// - Throws: `.corrupt` if the column does not hold 32 bytes.
    package func hash(at column: Int32) throws(StoreError) -> MerkleHash {
        guard let hash = withBytes(at: column, { MerkleHash(bytes: $0) }) else {
            throw StoreError(.corrupt, "\(activity): a hash is not 32 bytes")
        }
        return hash
    }

    /// - Throws: `.corrupt` if the column holds a negative number.
    package func uint64(at column: Int32) throws(StoreError) -> UInt64 {
        guard let value = UInt64(exactly: int64(at: column)) else {
            throw StoreError(.corrupt, "\(activity): a negative number")
        }
        return value
    }
}
