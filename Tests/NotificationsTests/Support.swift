import Billing
import CanonicalJSON
import Engine
import EventLog
import FaregateTestSupport
import Glibc
import Money
import Projections
import Testing

@testable import Notifications

/// A new folder, gone with everything in it when the test is over.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/faregate-hooks-XXXXXX".utf8CString)
        let made = try #require(mkdtemp(&template))
        path = String(cString: made)
    }

    deinit {
        for suffix in ["", "-wal", "-shm"] { unlink(file + suffix) }
        rmdir(path)
    }

    var file: String { path + "/ledger.webhooks" }
}

/// The events of a log in memory.
struct LoggedEvents: EventLookup {
    let events: [RecordedEvent]
    let ledgerID: String

    init(_ store: any EventStore) throws {
        ledgerID = store.identity.ledgerID
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

    /// All notifications, from nothing.
    func notifications(_ rules: NotificationRules = NotificationRules()) throws -> [Notification] {
        var fold = NotificationFold(NoRows(), ledgerID: ledgerID, rules: rules)
        return try events.flatMap { try fold.fold($0, self) }
    }
}

extension Notification {
    var json: JSONValue { (try? StrictJSON.parse(body)) ?? .null }

    /// A member of `data`.
    subscript(_ name: String) -> JSONValue? {
        guard case .object(let object) = json, case .object(let data)? = object["data"] else {
            return nil
        }
        return data[name]
    }

    func text(_ name: String) -> String? {
        if case .string(let text)? = self[name] { text } else { nil }
    }

    func integer(_ name: String) -> Int64? {
        if case .integer(let number)? = self[name] { number } else { nil }
    }
}

extension LedgerFixture {
    func notifications(_ rules: NotificationRules = NotificationRules()) throws -> [Notification] {
        try LoggedEvents(store).notifications(rules)
    }

    /// Reserves and settles, both by amount.
    func spend(
        _ id: String, _ customer: String, hold: String, charge: String, run: String? = nil
    ) async throws {
        try await reserve(id, customer, amount: hold, run: run)
        let actual = ActualUsage.amount(try Money(decimal: charge))
        _ = try await engine.submit(settleRequest(id, actual))
    }

    func webhookFile(
        _ folder: TemporaryFolder, _ settings: NotificationSettings = NotificationSettings()
    ) throws -> WebhookFile {
        try WebhookFile.open(path: folder.file, store: store, settings: settings)
    }
}

extension WebhookFile {
    static let now = Instant(microseconds: 1_800_000_000_000_000)

    func add(
        _ id: String, types: [NotificationType] = [], project: String? = nil, after: UInt64 = 0
    ) throws {
        var random = SeededGenerator(seed: 7)
        try save(
            Endpoint(
                id: id, url: "https://example.com/\(id)", types: types, project: project,
                createdAt: Self.now, afterSequence: after, secret: WebhookSecret(random: &random)))
    }

    func foldAll(batchEvents: Int = 2_000) throws {
        while try fold(now: Self.now, batchEvents: batchEvents) > 0 {}
    }

    func all(state: DeliveryState? = nil) throws -> [Delivery] {
        try deliveries(
            endpoint: nil, state: state, project: nil, before: .max, limit: 10_000
        ).reversed()
    }
}

/// The bytes of a file; nil when it cannot be read.
func fileBytes(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = fread(&buffer, 1, buffer.count, file)
        if count == 0 { return bytes }
        bytes += buffer[..<count]
    }
}
