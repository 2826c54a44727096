// A server's log, fetched over the API into memory, event by event as it lies in the store.
//
// A page is `{"data":[EVENT,EVENT…],"has_more":…,"next":…}`, and every EVENT is the stored bytes.
// They are cut out of the answer, not parsed and written again: the hashes are over those bytes.

import Billing
import CanonicalJSON
import Engine
import EventLog
import HTTPAPI

struct RemoteLog {
    private let client: any LedgerClient
    /// Everything fetched so far.
    let store: InMemoryEventStore
    /// The fold of `store` up to `state.sequence`.
    private(set) var state = LedgerState()
    /// What the server said its log was when the fetching began.
    let sequence: UInt64
    let root: String

    private static let pageEvents = 1000

    /// Fetches the log up to the server's newest checkpoint.
    static func fetched(
        _ client: any LedgerClient, progress: (UInt64, UInt64) -> Void
    ) async throws(CommandFailure) -> RemoteLog {
        let checkpoint = try await client.ask(.get("checkpoints", "latest"))
        guard let sequence = checkpoint["sequence"].integer, sequence > 0,
            let root = checkpoint["root"].text
        else { throw CommandFailure(.negative, "the server's checkpoint cannot be read") }
        let log = RemoteLog(
            client: client,
            store: InMemoryEventStore(
                identity: LedgerIdentity(
                    ledgerID: checkpoint["ledger_id"].word, currency: "",
                    isTestClock: false)),
            sequence: UInt64(sequence), root: root)
        try await log.fetch(upTo: log.sequence, progress: progress)
        return log
    }

    private init(
        client: any LedgerClient, store: InMemoryEventStore, sequence: UInt64, root: String
    ) {
        self.client = client
        self.store = store
        self.sequence = sequence
        self.root = root
    }

    /// Folds on, fetching what is missing, until the state is that after `sequence`.
    mutating func fold(upTo sequence: UInt64) async throws(CommandFailure) {
        try await fetch(upTo: sequence) { _, _ in }
        do throws(EngineError) {
            try EngineLoader.fold(store, upTo: sequence, &state)
        } catch {
            throw CommandFailure(.negative, "the server's log cannot be folded: \(error)")
        }
    }

    private func fetch(
        upTo sequence: UInt64, progress: (UInt64, UInt64) -> Void
    ) async throws(CommandFailure) {
        while store.head.sequence < sequence {
            let head = store.head.sequence
            let limit = min(UInt64(Self.pageEvents), sequence - head)
            let request = APIRequest.get("events").asking([
                ("after", String(head)), ("limit", String(limit)),
            ])
            let response = try await client.send(request)
            guard response.isSuccess else {
                throw CommandFailure(refusing: try response.json(), response.status)
            }
            var batch = AppendBatch()
            for event in try Self.events(of: response.body) {
                batch.append { $0 += response.body[event] }
            }
            guard batch.count > 0, UInt64(batch.count) <= limit else {
                throw CommandFailure(
                    .negative,
                    "the server does not hand out event \(head + 1): does the key see"
                        + " all projects?")
            }
            do throws(StoreError) {
                _ = try store.append(batch, expectedHead: head)
            } catch {
                throw CommandFailure(.inputOutput, "\(error)")
            }
            progress(store.head.sequence, sequence)
        }
    }

    /// Where each event lies in a page.
    static func events(of page: [UInt8]) throws(CommandFailure) -> [Range<Int>] {
        let start = Array(#"{"data":["#.utf8)
        guard page.starts(with: start) else {
            throw CommandFailure(.inputOutput, "the server's page of events cannot be read")
        }
        var events: [Range<Int>] = []
        var depth = 0
        var begin = start.count
        var isInString = false
        var isEscaped = false
        for index in start.count..<page.count {
            let byte = page[index]
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                if depth == 0 { begin = index }
                depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                // The bracket that closes `data`.
                if depth == 0 { return events }
                depth -= 1
                if depth == 0 { events.append(begin..<index + 1) }
            default: break
            }
        }
        throw CommandFailure(.inputOutput, "the server's page of events is cut off")
    }
}
