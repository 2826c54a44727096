import EventLog
import FaregateTestSupport
import Testing

struct InMemoryEventStoreTests {
    private let store = InMemoryEventStore(
        identity: LedgerIdentity(ledgerID: "memory", currency: "EUR", isTestClock: true))
    private let batch = AppendBatch([[1], [2]], timeMicroseconds: 5)

    // The store in memory keeps every rule of the contract.
    @Test(arguments: EventStoreContract.rules)
    func keeps(_ rule: EventStoreContract) async throws {
        try await rule.check {
            InMemoryEventStore(
                identity: LedgerIdentity(ledgerID: "memory", currency: "EUR", isTestClock: true))
        }
    }

    // A refused append leaves nothing behind, and the one after it succeeds.
    @Test func failsOnceWithNothingKept() throws {
        store.failAppends(with: StoreError(.full, "no space"))
        let error = #expect(throws: StoreError.self) { try store.append(batch, expectedHead: 0) }
        #expect(error?.code == .full)
        #expect(store.head == LogHead(sequence: 0, root: .emptyRoot))
        #expect(try store.read(after: 0, limit: 9, maxBytes: 99).isEmpty)
        #expect(try store.append(batch, expectedHead: 0).sequence == 2)
    }

    // A lost answer: the caller has an error, the log has the batch, the old head is a conflict.
    @Test func failsOnceWithTheBatchKept() throws {
        store.failAppends(with: StoreError(.inputOutput, "sync"), batch: .kept)
        let error = #expect(throws: StoreError.self) { try store.append(batch, expectedHead: 0) }
        #expect(error?.code == .inputOutput)
        #expect(store.head.sequence == 2)
        let second = #expect(throws: StoreError.self) { try store.append(batch, expectedHead: 0) }
        #expect(second?.code == .conflict)
        #expect(try store.append(batch, expectedHead: 2).sequence == 4)
    }

    // A lasting fault fails appends until it is ended; a conflict does not use it up.
    @Test func failsUntilTheFaultEnds() throws {
        store.failAppends(.max, with: StoreError(.full, "no space"))
        for expectedHead in [UInt64(0), 7, 0, 0] {
            let error = #expect(throws: StoreError.self) {
                try store.append(batch, expectedHead: expectedHead)
            }
            #expect(error?.code == (expectedHead == 0 ? .full : .conflict))
        }
        store.failAppends(0, with: StoreError(.full, "no space"))
        #expect(try store.append(batch, expectedHead: 0).sequence == 2)
    }
}
