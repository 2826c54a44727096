// The log: events, their pages, and its newest checkpoint.

import Billing
import CanonicalJSON
import Engine
import EventLog

extension API {
    func listEvents(_ call: APICall) async throws(APIError) -> APIResponse {
        var filter = LogFilter()
        filter.type = try call.queryID("type")
        if let type = filter.type, !EventCatalog.entries.contains(where: { $0.type == type }) {
            throw .invalid("There are no events of type '\(type)'.", param: "type")
        }
        filter.customer = try call.queryID("customer")
        filter.reservation = try call.queryID("reservation")
        filter.project = call.principal.project
        if let project = try call.queryOperatorID("project") {
            try call.require(project: project)
            filter.project = project
        }
        if prefers("text/event-stream", call.request.accept) {
            return try eventStream(call, filter)
        }
        return try await logPage(call, filter)
    }

    private func eventStream(
        _ call: APICall, _ filter: LogFilter
    ) throws(APIError) -> APIResponse {
        guard call.queryText("limit") == nil else {
            throw .invalid("A stream has no pages, and so no limit.", param: "limit")
        }
        var after = UInt64(try call.queryInteger("after", in: 0...(1 << 53 - 1)) ?? 0)
        // A client that comes back asks with the query of its first request.
        if let text = call.request.lastEventID, !text.isEmpty {
            let isNumber = text.utf8.allSatisfy { (0x30...0x39).contains($0) }
            guard isNumber, let seen = UInt64(text), seen < 1 << 53 else {
                throw .malformed(
                    "invalid_header", "Last-Event-ID must be the number of an event.",
                    param: "Last-Event-ID")
            }
            after = seen
        }
        let (api, request, principal) = (self, call.request, call.principal)
        var response = APIResponse(
            status: 200,
            headers: [("Cache-Control", "no-store"), ("X-Accel-Buffering", "no")],
            contentType: "text/event-stream", body: [])
        response.stream = EventStream(
            store: engine.store, reader: logReader, filter: filter, after: after,
            scanMax: configuration.scannedEventsMax, heartbeat: configuration.eventHeartbeat,
            ticket: try streams.open(),
            isAllowed: { api.mayGoOn(request, principal) })
        return response
    }

    /// Whether the key that asked is still what it was.
    private func mayGoOn(_ request: APIRequest, _ principal: APIPrincipal) -> Bool {
        if request.principal != nil { return true }
        return (try? authenticate(request.authorization)) == principal
    }

    func listCustomerEvents(_ call: APICall) async throws(APIError) -> APIResponse {
        let key = CustomerKey(project: try call.project(), id: call.parameters[0])
        guard let opened = try await read({ $0.state.customers[key]?.openedSequence }) else {
            throw noCustomer(key)
        }
        // From its opening on; an estimate for somebody not yet a customer comes before.
        return try await logPage(
            call, LogFilter(project: key.project, customer: key.id), notBefore: opened)
    }

    private func logPage(
        _ call: APICall, _ filter: LogFilter, notBefore: UInt64 = 1
    ) async throws(APIError) -> APIResponse {
        let limit = try call.limit()
        let asked = UInt64(try call.queryInteger("after", in: 0...(1 << 53 - 1)) ?? 0)
        let after = max(asked, notBefore - 1)
        let store = engine.store
        let scanMax = configuration.scannedEventsMax
        let page = try await logReader.run { () throws(APIError) in
            try LogPage(store, after: after, limit: limit, scanMax: scanMax, filter: filter)
        }
        return page.response()
    }

    func getEvent(_ call: APICall) async throws(APIError) -> APIResponse {
        let text = call.parameters[0]
        let isNumber = text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        guard isNumber, let sequence = UInt64(text), (1..<(1 << 53)).contains(sequence) else {
            throw .notFound("An event is named by its number.", param: "seq")
        }
        let store = engine.store
        let own = call.principal.project
        let bytes = try await logReader.run { () throws(APIError) -> [UInt8]? in
            guard sequence <= store.head.sequence else { return nil }
            let found: [StoredEvent]
            do throws(StoreError) {
                found = try store.read(after: sequence - 1, limit: 1, maxBytes: 1)
            } catch {
                throw APIError(EngineError.unreadable("event \(sequence): \(error)"))
            }
            guard let stored = found.first else { return nil }
            if let own, try LogPage.envelope(of: stored).project != own { return nil }
            return stored.bytes
        }
        guard let bytes else { throw .notFound("There is no event \(sequence).", param: "seq") }
        return APIResponse(status: 200, body: bytes)
    }

    func getCheckpoint(_ call: APICall) async throws(APIError) -> APIResponse {
        let store = engine.store
        let newest = try await logReader.run { () throws(APIError) -> StoredCheckpoint? in
            do throws(StoreError) {
                let head = store.head.sequence
                guard head > 0 else { return nil }
                return try store.checkpoints(after: head - 1, limit: 1).first
            } catch {
                throw APIError(EngineError.unreadable("checkpoints: \(error)"))
            }
        }
        guard let newest else { throw .notFound("The log is empty.") }
        let body = JSONWriter.document { json in
            json.member("ledger_id", store.identity.ledgerID)
            json.member("root", newest.head.root.hex)
            json.member("sequence", newest.head.sequence)
            json.member("time", Instant(microseconds: newest.timeMicroseconds))
        }
        return APIResponse(status: 200, body: body)
    }
}
