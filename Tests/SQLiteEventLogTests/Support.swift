import EventLog
import FaregateTestSupport
import Glibc
import SQLiteBinding
import Testing

@testable import SQLiteEventLog

extension TemporaryFolder {
    /// The ledger as a crash would leave it now: its file and its write-ahead log, copied while
    /// they are open.
    func copyOfLedger() throws -> TemporaryFolder {
        let copy = try TemporaryFolder(isInMemory: true)
        for suffix in ["", "-wal"] {
            guard let bytes = readFile(ledger + suffix) else { continue }
            writeFile(copy.ledger + suffix, bytes)
        }
        return copy
    }
}

func readFile(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = fread(&block, 1, block.count, file)
        if count == 0 { return bytes }
        bytes += block[..<count]
    }
}

func writeFile(_ path: String, _ bytes: [UInt8]) {
    guard let file = fopen(path, "w") else {
        Issue.record("cannot write \(path)")
        return
    }
    #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    fclose(file)
}

func fileSize(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
}

let testLedger = NewLedger(
    identity: LedgerIdentity(ledgerID: "test-ledger", currency: "USD", isTestClock: false),
    createdMicroseconds: 1_700_000_000_000_000)

func openLedger(_ path: String, vfs: String? = nil) throws(StoreError) -> SQLiteEventStore {
    try SQLiteEventStore.open(path: path, create: testLedger, vfs: vfs)
}

/// A batch of events that differ from each other and from all others.
func makeBatch(after head: UInt64, count: Int, bytesEach: Int = 100) -> AppendBatch {
    let bodies = (0..<count).map { index in
        let text = Array("event \(head + UInt64(index) + 1) ".utf8)
        return text + [UInt8](repeating: 0x2e, count: max(0, bytesEach - text.count))
    }
    return AppendBatch(bodies, timeMicroseconds: Int64(head) * 1_000)
}

extension EventStore {
    /// Appends `count` events in one batch.
    func fill(_ count: Int, bytesEach: Int = 100) throws(StoreError) {
        let head = head.sequence
        _ = try append(
            makeBatch(after: head, count: count, bytesEach: bytesEach), expectedHead: head)
    }

    func everything() throws(StoreError) -> [StoredEvent] {
        try read(after: 0, limit: .max, maxBytes: .max)
    }

    /// Whether the root of the head is that of the events read.
    func rootIsRight() throws(StoreError) -> Bool {
        let leaves = try everything().map { MerkleHash.leaf($0.bytes) }
        return head == LogHead(sequence: UInt64(leaves.count), root: MerkleTree.root(of: leaves))
    }
}

/// Runs SQL on a closed ledger, or beside an open one.
func runSQL(_ sql: String, on path: String) throws(StoreError) {
    let connection = try Connection(path: path, access: .readWrite, vfs: nil)
    try connection.execute(sql, while: "test")
}

func expectCode<Result>(
    _ code: StoreError.Code, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws(StoreError) -> Result
) {
    do throws(StoreError) {
        _ = try body()
        Issue.record("no error, \(code) was expected", sourceLocation: sourceLocation)
    } catch {
        #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
    }
}
