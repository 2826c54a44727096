import Billing
import Engine
import EventLog
import FaregateTestSupport
import Glibc
import Testing

@testable import Projections

/// A new folder, gone with everything in it when the test is over.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/faregate-views-XXXXXX".utf8CString)
        let made = try #require(mkdtemp(&template))
        path = String(cString: made)
    }

    deinit {
        guard let folder = opendir(path) else { return }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { unlink("\(path)/\(name)") }
        }
        closedir(folder)
        rmdir(path)
    }

    var views: String { path + "/ledger.views" }
    var ledger: String { path + "/ledger" }

    func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}

/// The events of a log in memory.
struct LoggedEvents: EventLookup {
    let events: [RecordedEvent]

    init(_ store: any EventStore) throws {
        events = try store.read(after: 0, limit: .max, maxBytes: .max).map {
            try EventCodec.decode($0.bytes)
        }
    }

    func event(_ sequence: UInt64) throws(StoreError) -> RecordedEvent {
        guard sequence > 0, sequence <= events.count else {
            throw StoreError(.corrupt, "no event \(sequence)")
        }
        return events[Int(sequence) - 1]
    }

    /// All rows, from nothing.
    func folded() throws -> WorkingSet<NoRows> {
        var rows = WorkingSet(NoRows())
        for event in events { try rows.fold(event, self) }
        return rows
    }
}

/// The log of a random walk of `steps` steps.
func randomLog(seed: UInt64, steps: Int = 120) async throws -> any EventStore {
    let rig = try await ModelRig(seed: seed)
    try await rig.run(steps: steps)
    try await rig.finish()
    return rig.store
}

extension ViewFollower {
    /// Steps until everything is folded in and no second file is being built.
    func catchUp(_ store: any EventStore) throws(StoreError) {
        repeat {
            _ = try step(upTo: store.head.sequence)
        } while isRebuilding || position?.sequence != store.head.sequence
    }
}

/// Every row of every table, and the position: what two files must have in common.
func dump(_ path: String) throws -> [String] {
    try ViewReader.open(path: path).transaction { reader, position throws(StoreError) in
        var lines = ["\(position.ledgerID) \(position.sequence) \(position.leaf)"]
        lines += try reader.dump(UsageRow.self)
        lines += try reader.dump(RefusalRow.self)
        lines += try reader.dump(OpenReservationRow.self)
        lines += try reader.dump(RevenueRow.self)
        lines += try reader.dump(GrantRow.self)
        lines += try reader.dump(GrantDayRow.self)
        lines += try reader.dump(BudgetWindowRow.self)
        lines += try reader.dump(OutputSizeRow.self)
        return lines
    }
}

/// The dump of a file built from the log in one go.
func freshDump(_ store: any EventStore) throws -> [String] {
    let folder = try TemporaryFolder()
    let follower = ViewFollower(store: store, path: folder.views)
    try follower.catchUp(store)
    follower.close()
    return try dump(folder.views)
}

/// Waits until `condition` holds, for at most half a minute.
func wait(until condition: () async throws -> Bool) async throws {
    for _ in 0..<3_000 {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("it never came")
}
