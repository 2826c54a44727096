// What every event store must do, as one list of rules that each store's tests run.
//
//     @Test(arguments: EventStoreContract.rules)
//     func keeps(_ rule: EventStoreContract) async throws {
//         try await rule.check { InMemoryEventStore(identity: …) }
//     }
//
// A rule opens its store itself, a new and empty one for each rule. The rules of a durable store
// open the same log again after closing it.

package import EventLog
import Testing

package enum EventStoreContract: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case emptyLog = "an empty log has the empty root"
    case eventsInOrder = "events come back in order, unchanged"
    case checkpoints = "each append leaves the RFC 6962 root and one checkpoint"
    case conflict = "an append after another head is a conflict"
    case emptyBatch = "an append of nothing changes nothing"
    case pagesByCount = "reading is paged by count"
    case pagesByBytes = "reading is paged by bytes"
    case checkpointPages = "checkpoints are paged"
    case snapshots = "the newest fitting snapshot is found"
    case droppedSnapshots = "old snapshots are dropped"
    case snapshotParts = "snapshots have parts of any size"
    case readers = "readers beside the writer see whole batches in order"
    case closed = "a closed store refuses everything"
    case reopened = "everything is there after opening again"
    case appendedAfterReopening = "appending goes on after opening again"

    /// What every store does.
    package static let rules = allCases.filter { !durableRules.contains($0) }

    /// What a durable store does besides.
    package static let durableRules: [EventStoreContract] = [.reopened, .appendedAfterReopening]

    /// Opens the one log of this check: empty at first, with everything kept from then on if the
    /// store is durable.
    package typealias OpenStore = @Sendable () throws -> any EventStore

    package var testDescription: String { rawValue }

    /// Runs the rule; what does not hold is recorded as issues of the running test.
    package func check(_ openStore: OpenStore) async throws {
        switch self {
        case .emptyLog: try Self.checkEmptyLog(openStore)
        case .eventsInOrder: try Self.checkEventsInOrder(openStore)
        case .checkpoints: try Self.checkCheckpoints(openStore)
        case .conflict: try Self.checkConflict(openStore)
        case .emptyBatch: try Self.checkEmptyBatch(openStore)
        case .pagesByCount: try Self.checkPagesByCount(openStore)
        case .pagesByBytes: try Self.checkPagesByBytes(openStore)
        case .checkpointPages: try Self.checkCheckpointPages(openStore)
        case .snapshots: try Self.checkSnapshots(openStore)
        case .droppedSnapshots: try Self.checkDroppedSnapshots(openStore)
        case .snapshotParts: try Self.checkSnapshotParts(openStore)
        case .readers: try await Self.checkReaders(openStore)
        case .closed: try Self.checkClosed(openStore)
        case .reopened: try Self.checkReopened(openStore)
        case .appendedAfterReopening: try Self.checkAppendedAfterReopening(openStore)
        }
    }
}

extension AppendBatch {
    /// A batch of envelopes that are just these bytes.
    package init(_ bodies: [[UInt8]], timeMicroseconds: Int64) {
        self.init()
        self.timeMicroseconds = timeMicroseconds
        for body in bodies { append { $0.append(contentsOf: body) } }
    }
}

/// Bodies that differ from each other, `count` of them, for the events after `head`.
private func bodies(after head: UInt64, count: Int) -> [[UInt8]] {
    (0..<count).map { Array("event \(head + UInt64($0) + 1)".utf8) }
}

/// Appends events in batches of the given sizes; their bodies, in order.
@discardableResult
private func fill(_ store: any EventStore, batchSizes: [Int]) throws -> [[UInt8]] {
    var all: [[UInt8]] = []
    for size in batchSizes {
        let head = store.head.sequence
        let batch = bodies(after: head, count: size)
        _ = try store.append(
            AppendBatch(batch, timeMicroseconds: Int64(head)), expectedHead: head)
        all += batch
    }
    return all
}

private func root(of bodies: [[UInt8]]) -> MerkleHash {
    MerkleTree.root(of: bodies.map { MerkleHash.leaf($0) })
}

private func everything(in store: any EventStore) throws -> [StoredEvent] {
    try store.read(after: 0, limit: .max, maxBytes: .max)
}

private func expectCode(
    _ code: StoreError.Code, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
) {
    let error = #expect(throws: StoreError.self, sourceLocation: sourceLocation) { try body() }
    #expect(error?.code == code, sourceLocation: sourceLocation)
}

// MARK: - The log

extension EventStoreContract {
    private static func checkEmptyLog(_ openStore: OpenStore) throws {
        let store = try openStore()
        defer { store.close() }
        #expect(store.head == LogHead(sequence: 0, root: .emptyRoot))
        #expect(try everything(in: store).isEmpty)
        #expect(try store.checkpoints(after: 0, limit: .max).isEmpty)
        #expect(try store.newestSnapshot(format: 1, atOrBefore: .max) == nil)
        try store.checkpointStorage()
    }

    private static func checkEventsInOrder(_ openStore: OpenStore) throws {
        let store = try openStore()
        defer { store.close() }
        let odd: [[UInt8]] = [
            [0], [0, 0, 0], Array(0...255), [UInt8](repeating: 0xff, count: 100_000), [0x27, 0x22],
        ]
        let head = try store.append(AppendBatch(odd, timeMicroseconds: 1), expectedHead: 0)
        #expect(head == store.head)
        #expect(head.sequence == UInt64(odd.count))
        let plain = try fill(store, batchSizes: [1, 2, 64, 300, 1])
        let events = try everything(in: store)
        #expect(events.map(\.sequence) == Array(1...UInt64(odd.count + plain.count)))
        #expect(events.map(\.bytes) == odd + plain)
    }

    private static func checkCheckpoints(_ openStore: OpenStore) throws {
        let store = try openStore()
        defer { store.close() }
        var all: [[UInt8]] = []
        var expected: [StoredCheckpoint] = []
        for (index, size) in [1, 1, 3, 250, 1, 1, 255, 256, 257, 7].enumerated() {
            let batch = bodies(after: UInt64(all.count), count: size)
            let head = try store.append(
                AppendBatch(batch, timeMicroseconds: Int64(-1 + index)),
                expectedHead: UInt64(all.count))
            all += batch
            #expect(head == LogHead(sequence: UInt64(all.count), root: root(of: all)))
            #expect(store.head == head)
            expected.append(StoredCheckpoint(head: head, timeMicroseconds: Int64(-1 + index)))
        }
        #expect(try store.checkpoints(after: 0, limit: .max) == expected)
    }

    private static func checkConflict(_ openStore: OpenStore) throws {
        let store = try openStore()
        defer { store.close() }
        let kept = try fill(store, batchSizes: [2, 3])
        let head = store.head
        let batch = AppendBatch(bodies(after: 100, count: 4), timeMicroseconds: 9)
        for wrong in [0, 4, 6, UInt64.max] {
            expectCode(.conflict) { _ = try store.append(batch, expectedHead: wrong) }
            #expect(store.head == head)
        }
        #expect(try everything(in: store).map(\.bytes) == kept)
        #expect(try store.checkpoints(after: 0, limit: .max).count == 2)
        #expect(try store.append(batch, expectedHead: 5).sequence == 9)
    }

    private static func checkEmptyBatch(_ openStore: OpenStore) throws {
        let store = try openStore()
        defer { store.close() }
        try fill(store, batchSizes: [2])
        let head = store.head
        #expect(try store.append(AppendBatch(), expectedHead: 2) == head)
        #expect(store.head == head)
        #expect(try store.checkpoints(after: 0, limit: .max).count == 1)
        expectCode(.conflict) { _ = try store.append(AppendBatch(), expectedHead: 1) }
    }
}

// MARK: - Paging

extension EventStoreContract {
    private static func checkPagesByCount(_ openStore: OpenStore) throws {
        let store = try openStore()
        defer { store.close() }
        try fill(store, batchSizes: [10, 15])
        func page(after sequence: UInt64, limit: Int) throws -> [UInt64] {
            try store.read(after: sequence, limit: limit, maxBytes: .max).map(\.sequence)
        }
        #expect(try page(after: 0, limit: 1) == [1])
        #expect(try page(after: 8, limit: 4) == [9, 10, 11, 12])
        #expect(try page(after: 23, limit: 4) == [24, 25])
        #expect(try page(after: 25, limit: 4) == [])
        #expect(try page(after: 26, limit: 4) == [])
        #expect(try page(after: .max, limit: 4) == [])
        #expect(try page(after: 0, limit: 0) == [])
        var walked: [UInt64] = []
        while true {
            let next = try page(after: walked.last ?? 0, limit: 7)
            if next.isEmpty { break }
            walked += next
        }
        #expect(walked == Array(1...25))
    }

    private static func checkPagesByBytes(_ openStore: OpenStore) throws {
        let store = try openStore()
        defer { store.close() }
        let ten = (0..<6).map { [UInt8](repeating: $0, count: 10) }
        _ = try store.append(AppendBatch(ten, timeMicroseconds: 0), expectedHead: 0)
        func count(maxBytes: Int, limit: Int = .max) throws -> Int {
            try store.read(after: 0, limit: limit, maxBytes: maxBytes).count
        }
        // At least one, then none once `maxBytes` are reached.
        #expect(try count(maxBytes: 0) == 1)
        #expect(try count(maxBytes: 10) == 1)
        #expect(try count(maxBytes: 11) == 2)
        #expect(try count(maxBytes: 20) == 2)
        #expect(try count(maxBytes: 59) == 6)
        #expect(try count(maxBytes: .max) == 6)
        #expect(try count(maxBytes: 40, limit: 3) == 3)
    }

    private static func checkCheckpointPages(_ openStore: OpenStore) throws {
        let store = try openStore()
        defer { store.close() }
        try fill(store, batchSizes: [1, 2, 3, 4])
        func page(after sequence: UInt64, limit: Int) throws -> [UInt64] {
            try store.checkpoints(after: sequence, limit: limit).map(\.head.sequence)
        }
        #expect(try page(after: 0, limit: .max) == [1, 3, 6, 10])
        #expect(try page(after: 0, limit: 2) == [1, 3])
        #expect(try page(after: 3, limit: 1) == [6])
        #expect(try page(after: 4, limit: 9) == [6, 10])
        #expect(try page(after: 10, limit: 9) == [])
        #expect(try page(after: .max, limit: 9) == [])
        #expect(try page(after: 0, limit: 0) == [])
    }
}

// MARK: - Snapshots

extension EventStoreContract {
    private static func snapshot(_ sequence: UInt64, format: Int, _ text: String) -> StoredSnapshot
    {
        let part = StoredSnapshot.Part(name: "customers", bytes: Array(text.utf8))
        return StoredSnapshot(sequence: sequence, format: format, parts: [part])
    }

    private static func checkSnapshots(_ openStore: OpenStore) throws {
        let store = try openStore()
        defer { store.close() }
        try fill(store, batchSizes: [10])
        let first = snapshot(3, format: 1, "three")
        let second = snapshot(7, format: 1, "seven")
        let otherFormat = snapshot(5, format: 2, "five")
        for snapshot in [second, otherFormat, first] {
            try store.saveSnapshot(snapshot, keeping: 9)
        }
        #expect(try store.newestSnapshot(format: 1, atOrBefore: .max) == second)
        #expect(try store.newestSnapshot(format: 1, atOrBefore: 7) == second)
        #expect(try store.newestSnapshot(format: 1, atOrBefore: 6) == first)
        #expect(try store.newestSnapshot(format: 1, atOrBefore: 2) == nil)
        #expect(try store.newestSnapshot(format: 2, atOrBefore: 10) == otherFormat)
        #expect(try store.newestSnapshot(format: 3, atOrBefore: 10) == nil)

        let again = snapshot(7, format: 1, "seven, written again")
        try store.saveSnapshot(again, keeping: 9)
        #expect(try store.newestSnapshot(format: 1, atOrBefore: 10) == again)
        #expect(try store.newestSnapshot(format: 1, atOrBefore: 6) == first)
        #expect(store.head.sequence == 10)
    }

    private static func checkDroppedSnapshots(_ openStore: OpenStore) throws {
        let store = try openStore()
        defer { store.close() }
        try fill(store, batchSizes: [10])
        for sequence in [UInt64(1), 2, 3, 4] {
            try store.saveSnapshot(snapshot(sequence, format: 1, "old"), keeping: 2)
        }
        #expect(try store.newestSnapshot(format: 1, atOrBefore: 10)?.sequence == 4)
        #expect(try store.newestSnapshot(format: 1, atOrBefore: 3)?.sequence == 3)
        #expect(try store.newestSnapshot(format: 1, atOrBefore: 2) == nil)
        // Those of an older program go too, in their turn.
        try store.saveSnapshot(snapshot(6, format: 2, "new"), keeping: 2)
        #expect(try store.newestSnapshot(format: 1, atOrBefore: 10)?.sequence == 4)
        #expect(try store.newestSnapshot(format: 1, atOrBefore: 3) == nil)
        try store.saveSnapshot(snapshot(8, format: 2, "new"), keeping: 1)
        #expect(try store.newestSnapshot(format: 1, atOrBefore: 10) == nil)
        #expect(try store.newestSnapshot(format: 2, atOrBefore: 7) == nil)
        #expect(try store.newestSnapshot(format: 2, atOrBefore: 8)?.sequence == 8)
    }

    private static func checkSnapshotParts(_ openStore: OpenStore) throws {
        let store = try openStore()
        defer { store.close() }
        try fill(store, batchSizes: [3])
        var large = [UInt8](repeating: 1, count: 9_000_000)
        for index in stride(from: 0, to: large.count, by: 65_521) {
            large[index] = UInt8(truncatingIfNeeded: index >> 16)
        }
        let exact = [UInt8](repeating: 7, count: 4 << 20)
        let snapshot = StoredSnapshot(
            sequence: 3, format: 1,
            parts: [
                StoredSnapshot.Part(name: "empty", bytes: []),
                StoredSnapshot.Part(name: "large", bytes: large),
                StoredSnapshot.Part(name: "", bytes: [0]),
                StoredSnapshot.Part(name: "exact", bytes: exact),
                StoredSnapshot.Part(name: "empty", bytes: []),
            ])
        try store.saveSnapshot(snapshot, keeping: 1)
        #expect(try store.newestSnapshot(format: 1, atOrBefore: 3) == snapshot)
        let empty = StoredSnapshot(sequence: 2, format: 1, parts: [])
        try store.saveSnapshot(empty, keeping: 2)
        #expect(try store.newestSnapshot(format: 1, atOrBefore: 2) == empty)
    }
}

// MARK: - Readers, closing, opening again

extension EventStoreContract {
    private static func checkReaders(_ openStore: OpenStore) async throws {
        let store = try openStore()
        defer { store.close() }
        let batchSize = 5
        let batchCount = 60
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try fill(store, batchSizes: Array(repeating: batchSize, count: batchCount))
            }
            for _ in 0..<2 {
                group.addTask {
                    var seen = 0
                    while seen < batchSize * batchCount {
                        let events = try everything(in: store)
                        #expect(events.count >= seen)
                        #expect(events.count.isMultiple(of: batchSize))
                        #expect(events.map(\.bytes) == bodies(after: 0, count: events.count))
                        seen = events.count
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(store.head.sequence == UInt64(batchSize * batchCount))
    }

    private static func checkClosed(_ openStore: OpenStore) throws {
        let store = try openStore()
        try fill(store, batchSizes: [2])
        store.close()
        store.close()
        let batch = AppendBatch(bodies(after: 2, count: 1), timeMicroseconds: 0)
        expectCode(.closed) { _ = try store.append(batch, expectedHead: 2) }
        expectCode(.closed) { _ = try store.read(after: 0, limit: 1, maxBytes: 1) }
        expectCode(.closed) { _ = try store.checkpoints(after: 0, limit: 1) }
        expectCode(.closed) { _ = try store.newestSnapshot(format: 1, atOrBefore: 2) }
        expectCode(.closed) {
            try store.saveSnapshot(snapshot(2, format: 1, "late"), keeping: 1)
        }
        expectCode(.closed) { try store.checkpointStorage() }
    }

    private static func checkReopened(_ openStore: OpenStore) throws {
        let store = try openStore()
        let kept = try fill(store, batchSizes: [1, 254, 1, 2, 700])
        let saved = snapshot(900, format: 1, "state")
        try store.saveSnapshot(saved, keeping: 1)
        let (head, identity) = (store.head, store.identity)
        let checkpoints = try store.checkpoints(after: 0, limit: .max)
        store.close()

        let again = try openStore()
        defer { again.close() }
        #expect(again.identity == identity)
        #expect(again.head == head)
        #expect(try everything(in: again).map(\.bytes) == kept)
        #expect(try again.checkpoints(after: 0, limit: .max) == checkpoints)
        #expect(try again.newestSnapshot(format: 1, atOrBefore: .max) == saved)
    }

    private static func checkAppendedAfterReopening(_ openStore: OpenStore) throws {
        var all: [[UInt8]] = []
        for size in [1, 254, 1, 1, 255, 256, 257, 64, 3] {
            let store = try openStore()
            defer { store.close() }
            #expect(store.head == LogHead(sequence: UInt64(all.count), root: root(of: all)))
            all += try fill(store, batchSizes: [size])
            #expect(store.head == LogHead(sequence: UInt64(all.count), root: root(of: all)))
        }
    }
}
