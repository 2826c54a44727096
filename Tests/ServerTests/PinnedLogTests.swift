import EventLog
import Testing

@testable import Server

@Suite struct PinnedLogTests {
    private func log(_ count: Int) throws -> InMemoryEventStore {
        let store = InMemoryEventStore(
            identity: LedgerIdentity(ledgerID: "l", currency: "USD", isTestClock: true))
        for number in 0..<count { try append(number, to: store) }
        return store
    }

    private func append(_ number: Int, to store: InMemoryEventStore) throws {
        var batch = AppendBatch()
        batch.append { $0 += Array("event \(number)".utf8) }
        _ = try store.append(batch, expectedHead: UInt64(number))
    }

    // The head, the events and the checkpoints stay those of the moment, whatever is appended.
    @Test func staysWhereItWas() throws {
        let store = try log(3)
        let pinned = PinnedLog(store)
        let head = store.head
        for number in 3..<6 { try append(number, to: store) }
        #expect(pinned.head == head)
        #expect(store.head.sequence == 6)
        let events = try pinned.read(after: 1, limit: 100, maxBytes: 1 << 20)
        #expect(events.map(\.sequence) == [2, 3])
        #expect(try pinned.read(after: 3, limit: 100, maxBytes: 1 << 20).isEmpty)
        #expect(try pinned.read(after: 5, limit: 100, maxBytes: 1 << 20).isEmpty)
        #expect(try pinned.checkpoints(after: 0, limit: 100).map(\.head.sequence) == [1, 2, 3])
    }

    // Nothing can be written through it, and closing it leaves the log open.
    @Test func writesNothing() throws {
        let store = try log(1)
        let pinned = PinnedLog(store)
        var batch = AppendBatch()
        batch.append { $0 += [1] }
        #expect(throws: StoreError.self) { try pinned.append(batch, expectedHead: 1) }
        #expect(throws: StoreError.self) { try pinned.checkpointStorage() }
        let snapshot = StoredSnapshot(sequence: 1, format: 1, parts: [])
        #expect(throws: StoreError.self) { try pinned.saveSnapshot(snapshot, keeping: 1) }
        pinned.close()
        try append(1, to: store)
        #expect(store.head.sequence == 2)
    }
}
