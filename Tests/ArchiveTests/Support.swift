import Archive
import EventLog
import FaregateTestSupport

/// A store in memory that can be archived: its frontiers are hashed from the first event on.
final class ArchivableMemory: ArchivableStore {
    let store: InMemoryEventStore
    let createdMicroseconds: Int64 = 1_700_000_000_000_001

    init(ledgerID: String = "ledger_test") {
        store = InMemoryEventStore(
            identity: LedgerIdentity(ledgerID: ledgerID, currency: "USD", isTestClock: false))
    }

    /// A log of `count` events, in batches of 1, 2, 3 … events.
    convenience init(events count: Int, ledgerID: String = "ledger_test", salt: String = "") throws
    {
        self.init(ledgerID: ledgerID)
        try grow(to: count, salt: salt)
    }

    func grow(to count: Int, salt: String = "") throws {
        var size = 1
        while Int(head.sequence) < count {
            var batch = AppendBatch()
            for _ in 0..<min(size, count - Int(head.sequence)) {
                let sequence = Int(head.sequence) + batch.count + 1
                let customer = sequence.isMultiple(of: 3) ? "acme" : "birch"
                let text =
                    #"{"customer":"\#(customer)","data":{"note":"\#(salt) \"é"},"project":"p","#
                    + #""seq":\#(sequence),"time":"2026-11-22T14:45:19.123456Z","type":"t","v":1}"#
                batch.append { $0 += text.utf8 }
            }
            batch.timeMicroseconds = 1_700_000_000_000_000 + Int64(head.sequence)
            _ = try append(batch, expectedHead: head.sequence)
            size += 1
        }
    }

    var identity: LedgerIdentity { store.identity }
    var head: LogHead { store.head }

    func frontier(size: UInt64) throws(StoreError) -> MerkleFrontier {
        var frontier = MerkleFrontier()
        for event in try read(after: 0, limit: Int(size), maxBytes: .max) {
            frontier.append(MerkleHash.leaf(event.bytes))
        }
        return frontier
    }

    func append(_ batch: AppendBatch, expectedHead: UInt64) throws(StoreError) -> LogHead {
        try store.append(batch, expectedHead: expectedHead)
    }

    func read(
        after sequence: UInt64, limit: Int, maxBytes: Int
    ) throws(StoreError) -> [StoredEvent] {
        try store.read(after: sequence, limit: limit, maxBytes: maxBytes)
    }

    func checkpoints(
        after sequence: UInt64, limit: Int
    ) throws(StoreError) -> [StoredCheckpoint] {
        try store.checkpoints(after: sequence, limit: limit)
    }

    func newestSnapshot(
        format: Int, atOrBefore sequence: UInt64
    ) throws(StoreError) -> StoredSnapshot? { nil }

    func saveSnapshot(_ snapshot: StoredSnapshot, keeping: Int) throws(StoreError) {}
    func checkpointStorage() throws(StoreError) {}
    func close() {}
}

extension ArchivableStore {
    /// The log as a file's bytes.
    func exported(since sequence: UInt64 = 0) throws -> [UInt8] {
        var exporter = try LogExporter(self, since: sequence, name: "test")
        var bytes: [UInt8] = []
        while let piece = try exporter.next() { bytes += piece }
        return bytes
    }
}
