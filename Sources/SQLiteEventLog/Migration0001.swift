// Version 1 of the ledger's tables, the same bytes as schemas/sql/0001-ledger.sql.

extension Schema {
    static let migration0001 = """
        -- Version 1 of the ledger's file: what `PRAGMA user_version` 1 stands for.
        -- Times are microseconds since 1970 UTC; hashes are 32 bytes of SHA-256.

        -- What the ledger is, written once at its creation.
        CREATE TABLE ledger (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            ledger_id TEXT NOT NULL,
            currency TEXT NOT NULL,
            test_clock INTEGER NOT NULL CHECK (test_clock IN (0, 1)),
            created_us INTEGER NOT NULL
        ) STRICT;

        -- The log: gapless from 1. `body` is the canonical envelope, the input of its leaf hash.
        CREATE TABLE events (
            seq INTEGER PRIMARY KEY,
            body BLOB NOT NULL
        ) STRICT;

        -- One row an append: how many events there were after it, and the RFC 6962 root over them.
        CREATE TABLE checkpoints (
            size INTEGER PRIMARY KEY,
            root BLOB NOT NULL,
            time_us INTEGER NOT NULL
        ) STRICT;

        -- Roots of the complete subtrees at levels 8, 16, 24 and so on: number `idx` of level `level`
        -- is over the 2^level leaves from `idx` * 2^level on, leaves counted from 0.
        CREATE TABLE merkle_nodes (
            level INTEGER NOT NULL,
            idx INTEGER NOT NULL,
            hash BLOB NOT NULL,
            PRIMARY KEY (level, idx)
        ) STRICT, WITHOUT ROWID;

        -- Folded states, a cache. A snapshot counts only with this row, which is written last, and
        -- only if `sha256` is the digest of its parts.
        CREATE TABLE snapshots (
            format INTEGER NOT NULL,
            sequence INTEGER NOT NULL,
            sha256 BLOB NOT NULL,
            PRIMARY KEY (format, sequence)
        ) STRICT, WITHOUT ROWID;

        -- The parts of snapshots, cut into pieces of at most 4 MiB. Parts, and the pieces of each, are
        -- counted from 0.
        CREATE TABLE snapshot_parts (
            format INTEGER NOT NULL,
            sequence INTEGER NOT NULL,
            part INTEGER NOT NULL,
            piece INTEGER NOT NULL,
            name TEXT NOT NULL,
            bytes BLOB NOT NULL,
            PRIMARY KEY (format, sequence, part, piece)
        ) STRICT, WITHOUT ROWID;

        """
}
