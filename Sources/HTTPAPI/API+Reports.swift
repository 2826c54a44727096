// Reports from the read models, and the read models themselves.

import Billing
import CanonicalJSON
import Engine
import EventLog
import Money
import Projections

extension API {
    func getUsage(_ call: APICall) async throws(APIError) -> APIResponse {
        var report = try SumReport(.usage, call, project: try call.reportProject())
        report.require(.customer, try call.queryID("customer"))
        report.require(.model, try call.queryID("model"))
        return try await report.answer(self, call)
    }

    func getCustomerUsage(_ call: APICall) async throws(APIError) -> APIResponse {
        let key = CustomerKey(project: try call.project(), id: call.parameters[0])
        var report = try SumReport(.usage, call, project: key.project)
        report.require(.customer, key.id)
        report.require(.model, try call.queryID("model"))
        try await requireCustomer(key)
        return try await report.answer(self, call)
    }

    func getRefusals(_ call: APICall) async throws(APIError) -> APIResponse {
        var report = try SumReport(.refusals, call, project: try call.reportProject())
        report.require(.customer, try call.queryID("customer"))
        return try await report.answer(self, call)
    }

    func getRevenue(_ call: APICall) async throws(APIError) -> APIResponse {
        var report = try SumReport(.revenue, call, project: try call.reportProject())
        report.require(.customer, try call.queryID("customer"))
        return try await report.answer(self, call)
    }

    private func requireCustomer(_ key: CustomerKey) async throws(APIError) {
        guard try await read({ $0.state.customers[key] != nil }) else { throw noCustomer(key) }
    }

    // MARK: Rows

    func listOpenReservations(_ call: APICall) async throws(APIError) -> APIResponse {
        let limit = try call.limit()
        var query = ViewQuery(
            order: ["project", "id"], after: try call.cursor([.text, .text]), limit: limit)
        if let project = try call.reportProject() {
            query.require("project", .equal, .text(project))
        }
        if let customer = try call.queryID("customer") {
            query.require("customer", .equal, .text(customer))
        }
        let asked = query
        let (rows, position) = try await views { reader, position throws(StoreError) in
            (try reader.rows(OpenReservationRow.self, asked), position)
        }
        return viewPage(
            rows, limit: limit, position, next: { [.text($0.project), .text($0.id)] }
        ) { json, row in json.openReservation(row) }
    }

    func getCreditHistory(_ call: APICall) async throws(APIError) -> APIResponse {
        let key = CustomerKey(project: try call.project(), id: call.parameters[0])
        let limit = try call.limit()
        var query = ViewQuery(
            order: ["day", "id"], after: try call.cursor([.number, .text]), limit: limit)
        query.require("project", .equal, .text(key.project))
        query.require("customer", .equal, .text(key.id))
        if let grant = try call.queryID("grant") { query.require("id", .equal, .text(grant)) }
        let (from, to) = try call.daySpan()
        if let from { query.require("day", .atLeast, .integer(from)) }
        if let to { query.require("day", .below, .integer(to)) }
        try await requireCustomer(key)
        let asked = query
        let (rows, position) = try await views { reader, position throws(StoreError) in
            (try reader.rows(GrantDayRow.self, asked), position)
        }
        return viewPage(
            rows, limit: limit, position, next: { [.integer($0.day), .text($0.id)] }
        ) { json, row in
            json.member("burnt", Money(nanos: row.burnt))
            json.member("day", dateText(row.day))
            json.member("grant", row.id)
            json.member("granted", Money(nanos: row.granted))
            json.member("lost", Money(nanos: row.lost))
            json.member("remaining", Money(nanos: row.remaining))
            json.member("repaid_debt", Money(nanos: row.repaid))
        }
    }

    /// Also of a budget that was removed; a key bound to one project sees only budgets that there
    /// are, and that match that project by name.
    func getBudgetHistory(_ call: APICall) async throws(APIError) -> APIResponse {
        let id = call.parameters[0]
        let limit = try call.limit()
        var query = ViewQuery(
            order: ["window_start_us", "scope", "generation"],
            after: try call.cursor([.number, .text, .number]), limit: limit)
        query.require("budget", .equal, .text(id))
        if let scope = try call.longText("scope") {
            query.require("scope", .equal, .text(scope))
        }
        let (from, to) = try call.daySpan()
        for (day, comparison) in [(from, ViewQuery.Comparison.atLeast), (to, .below)] {
            guard let day else { continue }
            query.require(
                "window_start_us", comparison, .integer(ViewDay.start(of: day).microseconds))
        }
        let rule = try await read { $0.state.budgets[id]?.rule }
        if let rule, !call.mayUse(rule) { throw noBudget(id) }
        if rule == nil, call.principal.project != nil { throw noBudget(id) }
        let asked = query
        let (rows, position) = try await views { reader, position throws(StoreError) in
            (try reader.rows(BudgetWindowRow.self, asked), position)
        }
        if rule == nil, rows.isEmpty, call.queryText("after") == nil { throw noBudget(id) }
        return viewPage(
            rows, limit: limit, position,
            next: { [.integer($0.windowStart), .text($0.scope), .integer($0.generation)] }
        ) { json, row in json.budgetWindow(row) }
    }

    // MARK: The read models themselves

    func getProjections(_ call: APICall) async throws(APIError) -> APIResponse {
        guard let readModels else { throw .noReadModels("This server keeps none.") }
        // Reads the file where another process writes it.
        let status = try await viewReader.run { () throws(APIError) in readModels.status }
        return APIResponse(status: 200, body: Self.body(status))
    }

    func rebuildProjections(_ call: APICall) async throws(APIError) -> APIResponse {
        try call.requireAllProjects()
        let body = try call.body(mayBeEmpty: true)
        try reading { () throws(FieldError) in try body.rejectUnknown() }
        guard let readModels, readModels.rebuild() else {
            throw .noReadModels("Another process writes them.")
        }
        return APIResponse(status: 202, body: Self.body(readModels.status))
    }

    private static func body(_ status: ProjectionStatus) -> [UInt8] {
        JSONWriter.document { json in
            json.member("failure", ifPresent: status.failure)
            json.member("head", status.head)
            json.member("lag_events", status.lagEvents)
            json.member("lag_ms", ifPresent: status.staleMicroseconds.map { $0 / 1_000 })
            if let sequence = status.rebuildSequence {
                json.object("rebuild") { json in
                    json.member("of", status.head)
                    json.member("sequence", sequence)
                }
            }
            json.member("schema_version", status.schemaVersion)
            json.member("sequence", status.sequence)
            json.member("state", status.state)
            if status.sequence > 0 { json.member("time", status.time) }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func openReservation(_ row: OpenReservationRow) {
        member("customer", row.customer)
        object("estimate") { json in
            json.object("bound") { json in
                json.member("charge", Money(nanos: row.boundCharge))
                json.member("cost", Money(nanos: row.boundCost))
            }
            json.object("expected") { json in
                json.member("charge", Money(nanos: row.expectedCharge))
                json.member("cost", Money(nanos: row.expectedCost))
            }
        }
        member("event", row.sequence)
        member("expires_at", Instant(microseconds: row.expiresAt))
        member("held", Money(nanos: row.held))
        member("model", row.model)
        member("on_expiry", row.onExpiry)
        member("plan", row.plan)
        member("project", row.project)
        member("reservation", row.id)
        member("reserved_at", Instant(microseconds: row.reservedAt))
        member("run", ifPresent: row.run.isEmpty ? nil : row.run)
        member("user", ifPresent: row.user.isEmpty ? nil : row.user)
    }

    fileprivate mutating func budgetWindow(_ row: BudgetWindowRow) {
        let measure = BudgetMeasure(rawValue: row.measure) ?? .charge
        member("amount", ifPresent: row.amount, measure)
        member("calls", row.calls)
        member("exceeded", row.exceeded)
        member("generation", row.generation)
        member("held", row.held, measure)
        member("held_peak", row.heldPeak, measure)
        member("last_event", row.lastSequence)
        member("measure", measure)
        member("open_holds", row.openHolds)
        member("refused", row.refused)
        member("scope", row.scope)
        member("spent", row.spent, measure)
        window(
            Window(
                start: Instant(microseconds: row.windowStart),
                end: row.windowEnd.map { Instant(microseconds: $0) }))
    }
}
