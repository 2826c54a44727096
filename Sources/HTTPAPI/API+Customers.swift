// Customers: opened, changed, suspended, resumed, closed, linked; and listed.

import Billing
import CanonicalJSON
import Engine
import Money

extension API {
    /// In the order in which they were opened; the cursor is the number of the opening event.
    func listCustomers(_ call: APICall) async throws(APIError) -> APIResponse {
        let project = try call.project()
        let limit = try call.limit()
        let after = UInt64(try call.queryInteger("after", in: 0...(1 << 53 - 1)) ?? 0)
        let scanMax = configuration.scannedEventsMax
        let found = try await read { view in
            CustomerPage(view.state, project: project, after: after, limit: limit, scanMax: scanMax)
        }
        guard found.isProjectKnown else { throw noProject(project) }
        return page(
            found.customers, hasMore: found.hasMore, next: String(found.next)
        ) { json, customer in json.customer(customer) }
    }

    func noProject(_ id: String) -> APIError {
        .notFound("There is no project '\(id)'.", param: "project")
    }

    func noCustomer(_ key: CustomerKey) -> APIError {
        .notFound(
            "There is no customer '\(key.id)' in project '\(key.project)'.", param: "customer")
    }

    func getCustomer(_ call: APICall) async throws(APIError) -> APIResponse {
        let key = CustomerKey(project: try call.project(), id: call.parameters[0])
        guard let customer = try await read({ $0.state.customers[key] }) else {
            throw noCustomer(key)
        }
        return APIResponse(
            status: 200, body: JSONWriter.document { json in json.customer(customer) })
    }

    func createCustomer(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.body()
        let (id, input) = try reading { () throws(FieldError) in
            var fields = body
            let id = try fields.id("id")
            return (id, try CustomerInput(&fields))
        }
        let project = try call.project(named: input.project)
        let settings = input.settings(CustomerKey(project: project, id: id))
        return try customerAnswer(
            try await submit(
                try call.write(.openCustomer(settings), project: project, body)))
    }

    func updateCustomer(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.body()
        let input = try reading { () throws(FieldError) in
            var fields = body
            return try CustomerInput(&fields)
        }
        let project = try call.project(named: input.project)
        let settings = input.settings(CustomerKey(project: project, id: call.parameters[0]))
        return try customerAnswer(
            try await submit(
                try call.write(.updateCustomer(settings), project: project, body)))
    }

    func suspendCustomer(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.body()
        return try await change(call, body) { (fields, key) throws(FieldError) in
            .suspendCustomer(key, reason: try fields.reason("reason"))
        }
    }

    func resumeCustomer(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.body(mayBeEmpty: true)
        return try await change(call, body) { (_, key) throws(FieldError) in .resumeCustomer(key) }
    }

    func closeCustomer(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.body()
        return try await change(call, body) { (fields, key) throws(FieldError) in
            .closeCustomer(key, reason: try fields.reason("reason"))
        }
    }

    func linkCustomer(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.body()
        return try await change(call, body) { (fields, key) throws(FieldError) in
            let id = try fields.string("stripe_customer", minBytes: 1, maxBytes: 256)
            guard id.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw fields.error(
                    .invalid, "stripe_customer", "must have visible ASCII characters only")
            }
            return .linkCustomer(key, stripeCustomer: id)
        }
    }

    /// Makes the command of a body whose only common field is the project.
    private func change(
        _ call: APICall, _ body: JSONFields,
        _ command: (inout JSONFields, CustomerKey) throws(FieldError) -> Command
    ) async throws(APIError) -> APIResponse {
        let named = try reading { () throws(FieldError) in
            var fields = body
            return try fields.optionalOperatorID("project")
        }
        let project = try call.project(named: named)
        let key = CustomerKey(project: project, id: call.parameters[0])
        let made = try reading { () throws(FieldError) in
            var fields = body
            _ = fields.optionalValue("project")
            let made = try command(&fields, key)
            try fields.rejectUnknown()
            return made
        }
        return try customerAnswer(
            try await submit(try call.write(made, project: project, body)))
    }

    // MARK: Answers

    private func customerAnswer(_ reply: CommandReply) throws(APIError) -> APIResponse {
        guard let recorded = reply.event else { throw otherRequest }
        let response: APIResponse
        switch recorded.event {
        case .customerOpened(let event):
            response = APIResponse(
                status: 201,
                body: settings(
                    recorded, plan: event.plan, name: event.name, terms: event.terms,
                    billingDay: event.billingDay))
        case .customerUpdated(let event):
            response = APIResponse(
                status: 200,
                body: settings(
                    recorded, plan: event.plan, name: event.name, terms: event.terms,
                    billingDay: event.billingDay))
        case .customerSuspended(let event):
            response = changed(recorded, status: .suspended, reason: event.reason)
        case .customerResumed: response = changed(recorded, status: .active)
        case .customerClosed(let event):
            response = changed(recorded, status: .closed, reason: event.reason)
        case .customerLinked(let event):
            response = changed(recorded, stripeCustomer: event.stripeCustomer)
        default: throw otherRequest
        }
        return replayed(response, reply)
    }

    private func settings(
        _ recorded: RecordedEvent, plan: String, name: String?, terms: Terms, billingDay: Int64
    ) -> [UInt8] {
        JSONWriter.document { json in
            json.member("billing_day", billingDay)
            json.member("event", recorded.sequence)
            json.member("id", recorded.customer ?? "")
            json.member("name", ifPresent: name)
            json.member("plan", plan)
            json.member("project", recorded.project ?? "")
            json.terms(terms)
        }
    }

    private func changed(
        _ recorded: RecordedEvent, status: CustomerStatus? = nil, reason: String? = nil,
        stripeCustomer: String? = nil
    ) -> APIResponse {
        let body = JSONWriter.document { json in
            json.member("event", recorded.sequence)
            json.member("id", recorded.customer ?? "")
            json.member("project", recorded.project ?? "")
            json.member("reason", ifPresent: reason)
            json.member("status", ifPresent: status?.rawValue)
            json.member("stripe_customer", ifPresent: stripeCustomer)
        }
        return APIResponse(status: 200, body: body)
    }
}

private struct CustomerInput {
    var project: String?
    var plan: String?
    var name: String?
    var terms: Terms?
    var billingDay: Int64?

    init(_ fields: inout JSONFields) throws(FieldError) {
        project = try fields.optionalOperatorID("project")
        plan = try fields.optionalOperatorID("plan")
        name = try fields.optionalText("name")
        terms = try fields.optionalTerms("terms")
        billingDay = try fields.optionalInt("billing_day", in: 1...31).map(Int64.init)
        try fields.rejectUnknown()
    }

    func settings(_ key: CustomerKey) -> CustomerSettings {
        CustomerSettings(key: key, plan: plan, name: name, terms: terms, billingDay: billingDay)
    }
}

/// One page of a project's customers, taken from the state.
private struct CustomerPage: Sendable {
    var customers: [Customer] = []
    var isProjectKnown = true
    var hasMore = false
    /// Number of the last opening event looked at.
    var next: UInt64 = 0

    init(_ state: LedgerState, project: String, after: UInt64, limit: Int, scanMax: Int) {
        guard state.projects[project] != nil else {
            isProjectKnown = false
            return
        }
        next = after
        let order = state.customersByOpening
        func opening(_ place: Int) -> UInt64 { state.customers[order[place]]?.openedSequence ?? 0 }
        var low = 0
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if opening(middle) <= after { low = middle + 1 } else { high = middle }
        }
        var looked = 0
        while low < order.count, customers.count < limit, looked < scanMax {
            if order[low].project == project, let customer = state.customers[order[low]] {
                customers.append(customer)
            }
            next = opening(low)
            low += 1
            looked += 1
        }
        hasMore = low < order.count
    }
}

extension JSONFields {
    /// Terms; nil when absent.
    mutating func optionalTerms(_ name: String) throws(FieldError) -> Terms? {
        guard var fields = try optionalObject(name) else { return nil }
        var terms = Terms()
        terms.funding = try fields.optionalChoice("funding")
        terms.creditLimit = try fields.optionalMoney(
            "credit_limit", in: .zero...LedgerLimits.totalMax)
        terms.fundingHolds = try fields.optionalChoice("funding_holds")
        terms.markupPartsPerMillion = try fields.optionalInt(
            "markup_ppm", in: -1_000_000...100_000_000
        ).map(Int64.init)
        terms.rateCard = try fields.optionalID("rate_card")
        try fields.rejectUnknown()
        return terms
    }
}

extension JSONWriter {
    fileprivate mutating func customer(_ customer: Customer) {
        member("billing_day", customer.billingDay)
        member("debt", customer.debt)
        member("held", customer.heldCharge)
        member("id", customer.id)
        member("name", ifPresent: customer.name)
        member("open_reservations", customer.openReservations)
        member("opened_at", customer.openedAt)
        member("owed", customer.owed)
        member("plan", customer.plan)
        member("project", customer.project)
        member("status", customer.status)
        member("status_reason", ifPresent: customer.statusReason)
        member("stripe_customer", ifPresent: customer.stripeCustomer)
        terms(customer.terms)
        member("total_charge", customer.totals.charge)
        member("total_cost", customer.totals.cost)
    }
}
