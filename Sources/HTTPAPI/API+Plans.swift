// Plans and projects.

import Billing
import CanonicalJSON
import Engine
import Money

extension API {
    // MARK: Plans

    func listPlans(_ call: APICall) async throws(APIError) -> APIResponse {
        let limit = try call.limit()
        let after = try call.after()
        let (plans, hasMore) = try await read { view in
            let state = view.state
            let found = pageOfKeys(state.plans.keys, after: after, limit: limit)
            return (found.keys.compactMap { state.plans[$0] }, found.hasMore)
        }
        return page(plans, hasMore: hasMore, next: plans.last?.id) { json, plan in
            json.plan(plan)
        }
    }

    func getPlan(_ call: APICall) async throws(APIError) -> APIResponse {
        let id = call.parameters[0]
        guard let plan = try await read({ $0.state.plans[id] }) else {
            throw .notFound("There is no plan '\(id)'.", param: "plan")
        }
        return APIResponse(status: 200, body: JSONWriter.document { json in json.plan(plan) })
    }

    func createPlan(_ call: APICall) async throws(APIError) -> APIResponse {
        try call.requireAllProjects()
        let body = try call.body()
        let plan = try reading { () throws(FieldError) in
            var fields = body
            let id = try fields.operatorID("id")
            return try Plan(&fields, id: id)
        }
        let request = try call.write(.setPlan(plan), project: "", body)
        let reply = try await gate.passing { () throws(APIError) in
            if try await self.isNew(request), try await read({ $0.state.plans[plan.id] != nil }) {
                throw .alreadyExists("There is a plan '\(plan.id)'; PUT replaces it.")
            }
            return try await submit(request)
        }
        return try planAnswer(reply, status: 201)
    }

    func putPlan(_ call: APICall) async throws(APIError) -> APIResponse {
        try call.requireAllProjects()
        let body = try call.body()
        let plan = try reading { () throws(FieldError) in
            var fields = body
            return try Plan(&fields, id: call.parameters[0])
        }
        return try planAnswer(
            try await submit(try call.write(.setPlan(plan), project: "", body)), status: 200)
    }

    private func planAnswer(_ reply: CommandReply, status: Int) throws(APIError) -> APIResponse {
        guard let recorded = reply.event, case .planSet(let event) = recorded.event else {
            throw otherRequest
        }
        let body = JSONWriter.document { json in json.plan(event.plan, event: recorded.sequence) }
        return replayed(APIResponse(status: status, body: body), reply)
    }

    // MARK: Projects

    func listProjects(_ call: APICall) async throws(APIError) -> APIResponse {
        let limit = try call.limit()
        let after = try call.after()
        let own = call.principal.project
        let (projects, hasMore) = try await read { view in
            let state = view.state
            let found = pageOfKeys(state.projects.keys, after: after, limit: limit) {
                own == nil || $0 == own
            }
            return (found.keys.compactMap { state.projects[$0] }, found.hasMore)
        }
        return page(projects, hasMore: hasMore, next: projects.last?.id) { json, project in
            json.project(project)
        }
    }

    func getProject(_ call: APICall) async throws(APIError) -> APIResponse {
        let id = call.parameters[0]
        try call.require(project: id)
        guard let project = try await read({ $0.state.projects[id] }) else { throw noProject(id) }
        return APIResponse(
            status: 200, body: JSONWriter.document { json in json.project(project) })
    }

    func createProject(_ call: APICall) async throws(APIError) -> APIResponse {
        try call.requireAllProjects()
        let body = try call.body()
        let (id, input) = try reading { () throws(FieldError) in
            var fields = body
            let id = try fields.operatorID("id")
            return (id, try ProjectInput(&fields))
        }
        var project = Project(id: id)
        input.apply(to: &project)
        let request = try call.write(.setProject(project), project: "", body)
        let reply = try await gate.passing { () throws(APIError) in
            if try await self.isNew(request), try await read({ $0.state.projects[id] != nil }) {
                throw .alreadyExists("There is a project '\(id)'; PATCH changes it.")
            }
            return try await submit(request)
        }
        return try projectAnswer(reply, status: 201)
    }

    func updateProject(_ call: APICall) async throws(APIError) -> APIResponse {
        let id = call.parameters[0]
        try call.require(project: id)
        let body = try call.body()
        let input = try reading { () throws(FieldError) in
            var fields = body
            return try ProjectInput(&fields)
        }
        let reply = try await gate.passing { () throws(APIError) in
            guard var project = try await read({ $0.state.projects[id] }) else {
                throw noProject(id)
            }
            input.apply(to: &project)
            return try await submit(try call.write(.setProject(project), project: "", body))
        }
        return try projectAnswer(reply, status: 200)
    }

    private func projectAnswer(_ reply: CommandReply, status: Int) throws(APIError) -> APIResponse {
        guard let recorded = reply.event, case .projectSet(let event) = recorded.event else {
            throw otherRequest
        }
        let body = JSONWriter.document { json in
            json.project(event.project, event: recorded.sequence)
        }
        return replayed(APIResponse(status: status, body: body), reply)
    }
}

extension Plan {
    fileprivate init(_ fields: inout JSONFields, id: String) throws(FieldError) {
        self.init(
            id: id, name: try fields.optionalText("name") ?? "",
            terms: try fields.optionalTerms("terms") ?? Terms())
        try fields.rejectUnknown()
    }
}

/// What a body says of a project; nil leaves a setting as it is.
private struct ProjectInput: Sendable {
    var name: String?
    var defaultPlan: String?
    var holdSeconds: Int64?
    var onExpiry: ExpiryPolicy?
    var allowsAmountSettlement: Bool?
    /// `.some(nil)` takes the rates away.
    var ceilingRates: CeilingRates??

    init(_ fields: inout JSONFields) throws(FieldError) {
        name = try fields.optionalText("name")
        defaultPlan = try fields.optionalOperatorID("default_plan")
        holdSeconds = try fields.optionalHoldSeconds("hold_seconds")
        onExpiry = try fields.optionalChoice("on_expiry")
        allowsAmountSettlement = try fields.optionalBool("allow_amount_settlement")
        if case .null? = fields.object["ceiling_rates"] { ceilingRates = .some(nil) }
        if var rates = try fields.optionalObject("ceiling_rates") {
            ceilingRates = CeilingRates(
                input: try rates.rate("input_per_million"),
                output: try rates.rate("output_per_million"))
            try rates.rejectUnknown()
        }
        try fields.rejectUnknown()
    }

    func apply(to project: inout Project) {
        if let name { project.name = name }
        if let defaultPlan { project.defaultPlan = defaultPlan }
        if let holdSeconds { project.holdSeconds = holdSeconds }
        if let onExpiry { project.onExpiry = onExpiry }
        if let allowsAmountSettlement { project.allowsAmountSettlement = allowsAmountSettlement }
        if let ceilingRates { project.ceilingRates = ceilingRates }
    }
}

extension JSONWriter {
    fileprivate mutating func plan(_ plan: Plan, event: UInt64? = nil) {
        member("event", ifPresent: event)
        member("id", plan.id)
        member("name", plan.name)
        terms(plan.terms)
    }

    fileprivate mutating func project(_ project: Project, event: UInt64? = nil) {
        member("allow_amount_settlement", project.allowsAmountSettlement)
        rates("ceiling_rates", ifPresent: project.ceilingRates)
        member("default_plan", project.defaultPlan)
        member("event", ifPresent: event)
        member("hold_seconds", project.holdSeconds)
        member("id", project.id)
        member("name", project.name)
        member("on_expiry", project.onExpiry)
    }
}
