// A page of the log, by scanning: stored bytes go out as they are, the envelope alone is looked at.
//
// A filter may match nothing for a long stretch, so one page looks at a bounded number of events
// and bytes, and says where to go on.

import Billing
import CanonicalJSON
import Engine
import EventLog

struct LogFilter: Sendable {
    var type: String?
    var project: String?
    var customer: String?
    var reservation: String?

    /// Nothing is filtered: envelopes need not be read.
    var isOpen: Bool { type == nil && project == nil && customer == nil && reservation == nil }

    func lets(_ envelope: EventEnvelope) -> Bool {
        (type == nil || envelope.type == type) && (project == nil || envelope.project == project)
            && (customer == nil || envelope.customer == customer)
            && (reservation == nil || envelope.reservation == reservation)
    }
}

struct LogPage: Sendable {
    var events: [[UInt8]] = []
    /// Number of the last event looked at.
    var next: UInt64
    var hasMore = false

    private static let bytesMax = 4 << 20

    /// - Parameter scanMax: events looked at, at most.
    init(
        _ store: any EventStore, after: UInt64, limit: Int, scanMax: Int, filter: LogFilter
    ) throws(APIError) {
        next = after
        let head = store.head.sequence
        var looked = 0
        var bytes = 0
        scan: while next < head, events.count < limit, looked < scanMax, bytes < Self.bytesMax {
            let page = try Self.read(
                store, after: next,
                limit: filter.isOpen
                    ? limit - events.count : min(scanMax - looked, max(limit * 2, 512)),
                maxBytes: Self.bytesMax - bytes)
            for stored in page {
                next = stored.sequence
                looked += 1
                bytes += stored.bytes.count
                if !filter.isOpen {
                    let envelope = try Self.envelope(of: stored)
                    if !filter.lets(envelope) { continue }
                }
                events.append(stored.bytes)
                if events.count == limit { break scan }
            }
        }
        hasMore = next < head
    }

    static func read(
        _ store: any EventStore, after: UInt64, limit: Int, maxBytes: Int
    ) throws(APIError) -> [StoredEvent] {
        let found: [StoredEvent]
        do throws(StoreError) {
            found = try store.read(after: after, limit: limit, maxBytes: maxBytes)
        } catch {
            throw APIError(EngineError.unreadable("events after \(after): \(error)"))
        }
        guard !found.isEmpty else {
            throw APIError(EngineError.unreadable("event \(after + 1) is missing"))
        }
        return found
    }

    static func envelope(of stored: StoredEvent) throws(APIError) -> EventEnvelope {
        do throws(CodecError) {
            return try EventCodec.envelope(stored.bytes)
        } catch {
            throw APIError(EngineError.unreadable("event \(stored.sequence): \(error)"))
        }
    }

    func response() -> APIResponse {
        let size = events.reduce(0) { $0 + $1.count + 1 }
        let body = JSONWriter.document(reservingCapacity: size + 64) { json in
            json.list("data", events) { json, event in json.raw(event) }
            json.member("has_more", hasMore)
            json.member("next", next)
        }
        return APIResponse(status: 200, body: body)
    }
}
