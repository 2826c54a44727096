// Budgets and their counters. Budgets belong to the ledger as a whole; a key bound to one project
// sees and sets only those that match that project by name.

import Billing
import CanonicalJSON
import Engine
import Money

extension API {
    func listBudgets(_ call: APICall) async throws(APIError) -> APIResponse {
        let limit = try call.limit()
        let after = try call.after()
        let customer = try call.queryID("customer")
        let own = call.principal.project
        let (budgets, hasMore) = try await read { view in
            let state = view.state
            let (ids, hasMore) = pageOfKeys(state.budgets.keys, after: after, limit: limit) { id in
                guard let match = state.budgets[id]?.rule.match else { return false }
                return (own == nil || match.project == own)
                    && (customer == nil || match.customer == customer)
            }
            return (ids.compactMap { state.budgets[$0].map(BudgetSummary.init) }, hasMore)
        }
        return page(budgets, hasMore: hasMore, next: budgets.last?.rule.id) { json, budget in
            json.budget(budget.rule, counters: budget.counters)
        }
    }

    func getBudget(_ call: APICall) async throws(APIError) -> APIResponse {
        let id = call.parameters[0]
        let budget = try await read { $0.state.budgets[id].map(BudgetSummary.init) }
        guard let budget, call.mayUse(budget.rule) else { throw noBudget(id) }
        let body = JSONWriter.document { json in
            json.budget(budget.rule, counters: budget.counters)
        }
        return APIResponse(status: 200, body: body)
    }

    func createBudget(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.body()
        var rule = try reading { () throws(FieldError) in
            var fields = body
            let id = try fields.optionalOperatorID("id")
            return try BudgetRule(&fields, id: id ?? newID("bud_"))
        }
        let isNamed = body.has("id")
        if rule.name.isEmpty { rule.name = rule.id }
        try requireUse(of: rule, call)
        let request = try call.write(.setBudget(rule), project: "", body)
        let reply = try await gate.passing { () throws(APIError) in
            if isNamed, try await self.isNew(request) {
                let id = rule.id
                if try await read({ $0.state.budgets[id] != nil }) {
                    throw .alreadyExists("There is a budget '\(id)'; PUT replaces it.")
                }
            }
            return try await submit(request)
        }
        return try budgetAnswer(reply, status: 201)
    }

    func putBudget(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.body()
        let id = call.parameters[0]
        var rule = try reading { () throws(FieldError) in
            var fields = body
            return try BudgetRule(&fields, id: id)
        }
        if rule.name.isEmpty { rule.name = id }
        try requireUse(of: rule, call)
        try await requireUse(of: id, call)
        let reply = try await submit(try call.write(.setBudget(rule), project: "", body))
        return try budgetAnswer(reply, status: 200)
    }

    func deleteBudget(_ call: APICall) async throws(APIError) -> APIResponse {
        let id = call.parameters[0]
        try await requireUse(of: id, call)
        let request = try call.write(
            .removeBudget(id: id), project: "", JSONFields(JSONObject()))
        let reply = try await submit(request)
        guard let recorded = reply.event, case .budgetRemoved(let event) = recorded.event else {
            throw otherRequest
        }
        let body = JSONWriter.document { json in
            json.member("event", recorded.sequence)
            json.member("id", event.budget)
            json.member("removed", true)
        }
        return replayed(APIResponse(status: 200, body: body), reply)
    }

    func listCounters(_ call: APICall) async throws(APIError) -> APIResponse {
        let id = call.parameters[0]
        let limit = try call.limit()
        let after = try call.after()
        let prefix = try call.longText("scope_prefix") ?? ""
        let clock = engine.clock
        let found = try await read { view -> CounterPage? in
            guard let budget = view.state.budgets[id] else { return nil }
            return CounterPage(
                budget, after: after, prefix: prefix, limit: limit,
                now: max(clock.now(), view.state.time))
        }
        guard let found, call.mayUse(found.rule) else { throw noBudget(id) }
        return page(
            found.counters, hasMore: found.hasMore, next: found.counters.last?.scope
        ) { json, item in
            let (measure, counter) = (found.rule.measure, item.counter)
            let available = found.rule.amount.addingClamped(-counter.spent)
                .addingClamped(-counter.held)
            json.member("amount", found.rule.amount, measure)
            json.member("available", available, measure)
            json.member("current", counter.window.end.map { found.now < $0 } ?? true)
            json.member("held", counter.held, measure)
            json.member("open_holds", counter.openHolds)
            json.member("scope", item.scope)
            json.member("spent", counter.spent, measure)
            json.window(counter.window)
        }
    }

    // MARK: Shared

    /// Whether nothing was recorded yet under the request's Idempotency-Key.
    func isNew(_ request: EngineRequest) async throws(APIError) -> Bool {
        guard request.idempotencyKey != nil else { return true }
        var probe = request
        probe.isDryRun = true
        return try await !submit(probe).isReplay
    }

    func noBudget(_ id: String) -> APIError {
        .notFound("There is no budget '\(id)'.", param: "budget")
    }

    private func requireUse(of rule: BudgetRule, _ call: APICall) throws(APIError) {
        guard call.mayUse(rule) else {
            throw .forbidden(
                "This key acts in project '\(call.principal.project ?? "")' only: match.project "
                    + "must name it.", param: "match.project")
        }
    }

    /// For a key bound to one project: an existing budget of another cannot be touched.
    private func requireUse(of id: String, _ call: APICall) async throws(APIError) {
        guard call.principal.project != nil else { return }
        if let rule = try await read({ $0.state.budgets[id]?.rule }), !call.mayUse(rule) {
            throw .forbidden("Budget '\(id)' belongs to another project or to the whole ledger.")
        }
    }

    private func budgetAnswer(_ reply: CommandReply, status: Int) throws(APIError) -> APIResponse {
        guard let recorded = reply.event, case .budgetSet(let event) = recorded.event else {
            throw otherRequest
        }
        let body = JSONWriter.document { json in
            json.budget(event.rule, event: recorded.sequence)
        }
        return replayed(APIResponse(status: status, body: body), reply)
    }
}

extension APICall {
    func mayUse(_ rule: BudgetRule) -> Bool {
        principal.project == nil || principal.project == rule.match.project
    }
}

private struct BudgetSummary: Sendable {
    var rule: BudgetRule
    var counters: Int

    init(_ budget: Budget) {
        rule = budget.rule
        counters = budget.counters.count
    }
}

private struct CounterPage: Sendable {
    var rule: BudgetRule
    var counters: [(scope: String, counter: Counter)]
    var hasMore: Bool
    var now: Instant

    init(_ budget: Budget, after: String?, prefix: String, limit: Int, now: Instant) {
        rule = budget.rule
        self.now = now
        let found = pageOfKeys(
            budget.counters.keys, after: after.map { ExactText($0) }, limit: limit
        ) { $0.text.hasPrefix(prefix) }
        counters = found.keys.compactMap { scope in
            budget.counters[scope].map { (scope.text, $0) }
        }
        hasMore = found.hasMore
    }
}

extension BudgetRule {
    /// The rule that a body describes; its name is empty when the body has none.
    fileprivate init(_ fields: inout JSONFields, id: String) throws(FieldError) {
        self.init(id: id, name: try fields.optionalID("name") ?? "")
        if let conditions = try fields.optionalObject("match") {
            match = try BudgetMatch(conditions)
        }
        per = try fields.dimensions("per")
        measure = try fields.choice("measure")
        window = try fields.choice("window")
        timeZone = try fields.optionalText("time_zone", minBytes: 1, maxBytes: 64) ?? "UTC"
        if measure.isMoney {
            amount = try fields.money("amount", in: .zero...LedgerLimits.totalMax).nanos
        } else {
            amount = Int64(try fields.int("amount", in: 0...1_000_000_000_000_000))
        }
        holds = try fields.optionalChoice("holds") ?? .bound
        onExceed = try fields.optionalChoice("on_exceed") ?? .reject
        try fields.rejectUnknown()
    }
}

extension BudgetMatch {
    fileprivate init(_ fields: JSONFields) throws(FieldError) {
        var fields = fields
        self.init(
            project: try fields.optionalOperatorID("project"),
            customer: try fields.optionalID("customer"),
            plan: try fields.optionalOperatorID("plan"), user: try fields.optionalID("user"),
            run: try fields.optionalID("run"), model: try fields.optionalID("model"),
            tags: try fields.tags("tags"))
        try fields.rejectUnknown()
    }
}

extension JSONFields {
    fileprivate mutating func dimensions(_ name: String) throws(FieldError) -> [BudgetDimension] {
        let texts = try optionalStrings(name, maxCount: 16, maxBytes: 260) ?? []
        var dimensions: [BudgetDimension] = []
        for text in texts {
            guard let dimension = BudgetDimension(text: text), text.hasNoControlCharacters else {
                throw error(
                    .invalid, name,
                    "must have project, plan, customer, user, run, model or tag:KEY")
            }
            dimensions.append(dimension)
        }
        return dimensions
    }
}

extension JSONWriter {
    fileprivate mutating func budget(
        _ rule: BudgetRule, counters: Int? = nil, event: UInt64? = nil
    ) {
        member("amount", rule.amount, rule.measure)
        if let counters { member("counters", counters) }
        member("event", ifPresent: event)
        member("holds", rule.holds)
        member("id", rule.id)
        object("match") { json in
            json.member("customer", ifPresent: rule.match.customer)
            json.member("model", ifPresent: rule.match.model)
            json.member("plan", ifPresent: rule.match.plan)
            json.member("project", ifPresent: rule.match.project)
            json.member("run", ifPresent: rule.match.run)
            if !rule.match.tags.isEmpty { json.member("tags", rule.match.tags) }
            json.member("user", ifPresent: rule.match.user)
        }
        member("measure", rule.measure)
        member("name", rule.name)
        member("on_exceed", rule.onExceed)
        member("per", rule.per.map(\.text))
        member("time_zone", rule.timeZone)
        member("window", rule.window)
    }
}
