// Puts the cast on stage, through the public API: a project of its own for every play, so that
// nothing of an earlier play on the same ledger is in the way; then plans, rate card, budgets,
// customers, grants.
//
// The project is the first free one of `sandbox`, `sandbox-2`, `sandbox-3` …: whoever creates it
// owns it. Plans and rate card are the ledger's, and are the same for every play.

import CanonicalJSON
import Money
import TimeZones

struct Stage: Sendable {
    private static let mostPlays = 10_000

    let client: LedgerClient
    let cast: Cast
    let project: String

    /// Claims a project and prepares everything.
    ///
    /// - Parameter playTime: how long the play will take; grants that expire in the middle need it.
    static func prepare(
        _ cast: Cast, client: LedgerClient, playTime: Duration
    ) async throws -> Stage {
        try await refuseTestClock(client)
        for plan in cast.plans {
            try await put(client, "/v1/plans/\(plan.id)", planBody(plan))
        }
        let stage = Stage(client: client, cast: cast, project: try await claimProject(client))
        try await stage.publishRateCard()
        for budget in cast.budgets {
            try await put(
                client, "/v1/budgets/\(stage.project)-\(budget.id)", stage.body(of: budget))
        }
        try await stage.openCustomers(playTime: playTime)
        return stage
    }

    var announced: SandboxStage {
        let postpaid = Set(cast.plans.filter { $0.terms.funding == "postpaid" }.map(\.id))
        return SandboxStage(
            project: project,
            postpaidCustomers: cast.customers.filter { postpaid.contains($0.plan) }.map(\.id))
    }

    /// On a clock that others move, or nobody, holds do not expire when they should.
    private static func refuseTestClock(_ client: LedgerClient) async throws {
        let answer = try await client.send(.get("/v1/test_clock"))
        if answer.status == 200 {
            throw SandboxError.server(
                "this ledger has a test clock: the sandbox needs one whose time passes by itself")
        }
        if answer.status != 404 { throw SandboxError.server(answer.errorText) }
    }

    private static func claimProject(_ client: LedgerClient) async throws -> String {
        for number in 1...mostPlays {
            let id = number == 1 ? "sandbox" : "sandbox-\(number)"
            let answer = try await client.send(
                LedgerRequest(
                    method: .post, path: "/v1/projects",
                    body: .object(
                        JSONObject([
                            ("id", .string(id)), ("name", .string("Sandbox \(number)")),
                            ("default_plan", .string(Cast.free)),
                        ])),
                    idempotencyKey: "\(id)/open"))
            if answer.status == 409 || answer.isReplay { continue }
            try demand(answer, "/v1/projects", [201])
            return id
        }
        throw SandboxError.server("there are \(mostPlays) sandbox projects in this ledger already")
    }

    // MARK: Prices

    /// The key is the same for every play: only the first one publishes.
    private func publishRateCard() async throws {
        let entries = Cast.rateCardPrices.map { price in
            JSONValue.object(
                JSONObject([
                    ("model", .string(price.model)), ("card", .string(Cast.rateCard)),
                    ("mode", .string("chat")),
                    (
                        "rates",
                        .object(
                            JSONObject([
                                ("input", .string(price.input)), ("output", .string(price.output)),
                            ]))
                    ),
                ]))
        }
        let answer = try await client.send(
            LedgerRequest(
                method: .post, path: "/v1/price-book",
                body: .object(
                    JSONObject([
                        ("source", .string("faregate sandbox: a customer's own rates")),
                        ("entries", .array(entries)),
                    ])),
                idempotencyKey: "\(Cast.rateCard)/1"))
        try Self.demand(answer, "/v1/price-book", [201])
    }

    // MARK: Customers

    private func openCustomers(playTime: Duration) async throws {
        for customer in cast.customers where customer.isOpenedFirst {
            try await post(
                "/v1/customers", key: "customer/\(customer.id)",
                JSONObject([
                    ("id", .string(customer.id)), ("plan", .string(customer.plan)),
                    ("name", .string(customer.story)), ("terms", termsBody(customer.terms)),
                ]))
            for (number, grant) in customer.grants.enumerated() {
                try await give(grant, number: number + 1, to: customer.id, playTime)
            }
        }
    }

    /// On a busy machine a second may pass between asking for the time and the grant: then it is
    /// asked again, with more room.
    private func give(
        _ grant: CastGrant, number: Int, to customer: String, _ playTime: Duration
    ) async throws {
        var room: Int64 = 1_000_000
        while true {
            let expiry = try await expiry(of: grant, customer, playTime, atLeast: room)
            do {
                return try await post(
                    "/v1/customers/\(customer)/credits", key: "grant/\(customer)/\(number)",
                    body(of: grant, number: number, expiry: expiry))
            } catch {
                if expiry == nil || room > 60_000_000 { throw error }
                room *= 4
            }
        }
    }

    private func body(of grant: CastGrant, number: Int, expiry: String?) -> JSONObject {
        var body = JSONObject([
            ("id", .string("\(grant.category)-\(number)")),
            ("amount", .string(grant.amount.decimalText)),
            ("category", .string(grant.category)), ("priority", .integer(grant.priority)),
            ("models", .array(grant.models.map { .string($0) })),
        ])
        if let expiry { body.append("expires_at", .string(expiry)) }
        return body
    }

    /// By the ledger's clock, which need not be ours.
    private func expiry(
        of grant: CastGrant, _ customer: String, _ playTime: Duration, atLeast room: Int64
    ) async throws -> String? {
        guard let share = grant.expiresAtThousandths else { return nil }
        let now = try await balance(of: customer)?.time ?? ""
        guard let start = try? RFC3339.parse(now) else {
            throw SandboxError.server("the balance of '\(customer)' has no time")
        }
        let microseconds =
            playTime.components.seconds * 1_000_000
            + playTime.components.attoseconds / 1_000_000_000_000
        // It must lie in the future when the server reads it.
        return RFC3339.text(microseconds: start + max(microseconds / 1_000 * share, room))
    }

    /// Nil when the customer was never seen.
    func balance(of customer: String) async throws -> BalanceAnswer? {
        let path = "/v1/customers/\(customer)/balance?project=\(project)"
        let answer = try await client.send(.get(path))
        if answer.status == 404 { return nil }
        try Self.demand(answer, path, [200])
        do {
            return try BalanceAnswer(answer.body)
        } catch {
            throw SandboxError.server("\(path): an answer that is not in the contract: \(error)")
        }
    }

    /// A budget of one customer's own, in charge and for all time.
    func limit(customer: String, to amount: Money) async throws {
        let budget = CastBudget(
            id: "\(customer)-all-time", name: "\(customer)-all-time", customer: customer,
            per: ["customer"], measure: "charge", window: "lifetime", amount: .money(amount),
            holds: "bound", onExceed: "reject")
        try await Self.put(
            client, "/v1/budgets/\(project)-\(budget.id)", body(of: budget))
    }

    // MARK: Cues

    func perform(_ action: CastCue.Action) async throws {
        switch action {
        case .suspend(let customer, let reason):
            try await post(
                "/v1/customers/\(customer)/suspend", key: "suspend/\(customer)",
                JSONObject([("reason", .string(reason))]))
        case .startRun(let id, let customer, let cap):
            var body = JSONObject([("id", .string(id)), ("customer", .string(customer))])
            if let cap { body.append("cap", .string(cap.decimalText)) }
            try await post("/v1/runs", key: "run/\(id)", body)
        case .stopRun(let id, let reason):
            try await post(
                "/v1/runs/\(id)/stop", key: "stop/\(id)", JSONObject([("reason", .string(reason))]))
        case .endRun(let id):
            try await post("/v1/runs/\(id)/end", key: "end/\(id)", JSONObject())
        }
    }

    // MARK: Sending

    /// Writes something of this play's project.
    private func post(_ path: String, key: String, _ body: JSONObject) async throws {
        var body = body
        body.append("project", .string(project))
        let answer = try await client.send(
            LedgerRequest(
                method: .post, path: path, body: .object(body),
                idempotencyKey: "\(project)/\(key)"))
        try Self.demand(answer, path, [200, 201])
    }

    /// Puts something that is the same for every play, so that repeating it changes nothing.
    private static func put(
        _ client: LedgerClient, _ path: String, _ body: JSONValue
    ) async throws {
        let answer = try await client.send(LedgerRequest(method: .put, path: path, body: body))
        try demand(answer, path, [200])
    }

    private static func demand(
        _ answer: LedgerAnswer, _ path: String, _ expected: [Int]
    ) throws(SandboxError) {
        if expected.contains(answer.status) { return }
        throw .server("\(path): \(answer.errorText)")
    }
}

// MARK: Bodies

private func planBody(_ plan: CastPlan) -> JSONValue {
    .object(JSONObject([("name", .string(plan.name)), ("terms", termsBody(plan.terms))]))
}

private func termsBody(_ terms: CastTerms) -> JSONValue {
    var body = JSONObject()
    if let funding = terms.funding { body.append("funding", .string(funding)) }
    if let limit = terms.creditLimit { body.append("credit_limit", .string(limit.decimalText)) }
    if let holds = terms.fundingHolds { body.append("funding_holds", .string(holds)) }
    if let markup = terms.markupPartsPerMillion { body.append("markup_ppm", .integer(markup)) }
    if let card = terms.rateCard { body.append("rate_card", .string(card)) }
    return .object(body)
}

extension Stage {
    private func body(of budget: CastBudget) -> JSONValue {
        var match = JSONObject([("project", .string(project))])
        if let customer = budget.customer { match.append("customer", .string(customer)) }
        if let plan = budget.plan { match.append("plan", .string(plan)) }
        if let model = budget.model { match.append("model", .string(model)) }
        let amount: JSONValue =
            switch budget.amount {
            case .money(let money): .string(money.decimalText)
            case .count(let count): .integer(count)
            }
        return .object(
            JSONObject([
                ("name", .string("\(project)-\(budget.name)")), ("match", .object(match)),
                ("per", .array(budget.per.map { .string($0) })),
                ("measure", .string(budget.measure)), ("window", .string(budget.window)),
                ("amount", amount), ("holds", .string(budget.holds)),
                ("on_exceed", .string(budget.onExceed)),
            ]))
    }
}
