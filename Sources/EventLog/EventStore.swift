// The port between the engine and whatever keeps the log.
//
// A store keeps one totally ordered, gapless sequence of events (1, 2, 3 …), each as the canonical
// bytes of its envelope, and one checkpoint (tree size and Merkle root) for every append. A store
// knows nothing of what the events mean.
//
// `append(_:expectedHead:)` is an optimistic lock: it fits one writer in one process (SQLite) and
// many nodes that lock the head in a transaction (PostgreSQL).

/// Where the log ends: how many events there are, and the RFC 6962 Merkle root over all of them.
package struct LogHead: Sendable, Equatable {
    /// Sequence number of the newest event; 0 when the log is empty.
    package var sequence: UInt64
    /// Merkle tree hash over the leaves 1…sequence.
    package var root: MerkleHash

    package init(sequence: UInt64, root: MerkleHash) {
        self.sequence = sequence
        self.root = root
    }
}

/// Events to be appended together, all or none, as one run of bytes.
package struct AppendBatch: Sendable {
    /// The canonical envelopes, one after the other with nothing between them.
    package private(set) var bytes: [UInt8] = []
    /// Where each envelope ends in `bytes`.
    package private(set) var ends: [Int] = []
    /// Time of the newest event, microseconds since 1970 UTC; goes into the checkpoint.
    package var timeMicroseconds: Int64 = 0

    package init() {}

    package var count: Int { ends.count }

    package mutating func append(_ writeEnvelope: (inout [UInt8]) -> Void) {
        writeEnvelope(&bytes)
        precondition(bytes.count > (ends.last ?? 0), "an envelope has at least one byte")
        ends.append(bytes.count)
    }

    /// Appends several envelopes at once: `write` tells where each ends.
    package mutating func append(_ write: (inout [UInt8], (Int) -> Void) -> Void) {
        var ends = self.ends
        self.ends = []
        write(&bytes) { end in
            precondition(end > (ends.last ?? 0), "an envelope has at least one byte")
            ends.append(end)
        }
        precondition(bytes.count == ends.last ?? 0, "the last envelope ends where the bytes do")
        self.ends = ends
    }

    /// Empties the batch and keeps its memory, up to `maxBytes` of it.
    package mutating func clear(keepingBytes maxBytes: Int) {
        bytes.removeAll(keepingCapacity: bytes.capacity <= maxBytes)
        ends.removeAll(keepingCapacity: true)
    }

    /// The range in `bytes` of the envelope at `index` (0 is the first of the batch).
    package func range(at index: Int) -> Range<Int> {
        (index == 0 ? 0 : ends[index - 1])..<ends[index]
    }
}

/// One event as it lies in the store.
package struct StoredEvent: Sendable, Equatable {
    package var sequence: UInt64
    /// Canonical bytes of the envelope: what the leaf hash is taken over.
    package var bytes: [UInt8]

    package init(sequence: UInt64, bytes: [UInt8]) {
        self.sequence = sequence
        self.bytes = bytes
    }
}

/// The log's state after one append.
package struct StoredCheckpoint: Sendable, Equatable {
    package var head: LogHead
    package var timeMicroseconds: Int64

    package init(head: LogHead, timeMicroseconds: Int64) {
        self.head = head
        self.timeMicroseconds = timeMicroseconds
    }
}

/// A state folded up to and including `sequence`, as opaque bytes. A snapshot is a cache: the log
/// alone is the truth, and every snapshot may be deleted at any time.
package struct StoredSnapshot: Sendable, Equatable {
    package var sequence: UInt64
    /// Version of the snapshot's own format; a reader ignores snapshots of other versions.
    package var format: Int
    /// Named parts, so that no single row grows without bound.
    package var parts: [Part]

    package struct Part: Sendable, Equatable {
        package var name: String
        package var bytes: [UInt8]

        package init(name: String, bytes: [UInt8]) {
            self.name = name
            self.bytes = bytes
        }
    }

    package init(sequence: UInt64, format: Int, parts: [Part]) {
        self.sequence = sequence
        self.format = format
        self.parts = parts
    }
}

/// What the ledger's file says about itself, fixed when it is created.
package struct LedgerIdentity: Sendable, Equatable {
    /// Random, made at creation; names the log in checkpoints and bundles.
    package var ledgerID: String
    /// ISO 4217 code of the one currency.
    package var currency: String
    /// A ledger whose clock the caller sets. Never for real money.
    package var isTestClock: Bool

    package init(ledgerID: String, currency: String, isTestClock: Bool) {
        self.ledgerID = ledgerID
        self.currency = currency
        self.isTestClock = isTestClock
    }
}

/// Keeps the log. All calls block: never call them on the cooperative pool or an event loop.
///
/// `append`, `saveSnapshot` and `checkpointStorage` are called from one thread at a time (the log
/// writer); the reading calls may come from any thread at any time.
package protocol EventStore: AnyObject, Sendable {
    var identity: LedgerIdentity { get }

    /// The newest durable head.
    var head: LogHead { get }

    /// Appends all events of `batch` after `expectedHead`, with the new checkpoint, durably and
    /// atomically.
    ///
    /// An empty batch changes nothing.
    ///
    /// - Throws: `.conflict` when the head is not `expectedHead`, and `head` is then the one to go
    ///   on from; `.full`, `.inputOutput` when the disk refuses. After any error nothing of the
    ///   batch is in the log, and a later append may succeed without opening again. One case no
    ///   store can rule out: a disk that fails to sync, refuses every write after that, and a crash
    ///   before it takes one again. The refused batch may then be in the log at the next opening,
    ///   always the whole of it.
    func append(_ batch: AppendBatch, expectedHead: UInt64) throws(StoreError) -> LogHead

    /// Events with a sequence number above `sequence`, in order: at most `limit` of them, and
    /// stopping early (after at least one) once `maxBytes` of envelopes are read.
    func read(after sequence: UInt64, limit: Int, maxBytes: Int) throws(StoreError) -> [StoredEvent]

    /// Checkpoints with a head sequence above `sequence`, in order, at most `limit`.
    func checkpoints(after sequence: UInt64, limit: Int) throws(StoreError) -> [StoredCheckpoint]

    /// The newest snapshot of `format` at or before `sequence`, if there is one whose parts are
    /// whole.
    func newestSnapshot(format: Int, atOrBefore sequence: UInt64) throws(StoreError)
        -> StoredSnapshot?

    /// Keeps a snapshot, in place of one of the same sequence and format, and drops all but the
    /// newest `keeping` of them, of whatever format. Its sequence is at or before the head.
    func saveSnapshot(_ snapshot: StoredSnapshot, keeping: Int) throws(StoreError)

    /// Storage housekeeping between batches (SQLite: moves the write-ahead log into the file).
    func checkpointStorage() throws(StoreError)

    /// Releases files and locks. Further calls fail with `.closed`.
    func close()
}

/// Why a store refused. `code` is stable; `detail` is for people and holds no event data.
package struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// The disk (or quota, or file-size limit) is full; nothing of the batch was kept.
        case full
        /// The disk failed to read, write or sync.
        case inputOutput = "input_output"
        /// The head is not the expected one: another writer was there.
        case conflict
        /// The file is not a ledger of ours, or is damaged.
        case corrupt
        /// The file is of a newer version of this program.
        case tooNew = "too_new"
        /// Another process owns the file.
        case locked
        /// The file cannot be opened or created (missing folder, permissions).
        case cannotOpen = "cannot_open"
        /// The store was closed.
        case closed
    }

    package var code: Code
    package var detail: String

    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    package var description: String { "\(code.rawValue): \(detail)" }
}
