// More ways to ask a fixture, for tests of single decisions.

package import Billing
package import Engine
import Money

extension LedgerFixture {
    /// A reservation of any form, with the hash that its content has.
    package func request(
        _ id: String, _ call: CallRequest, seconds: Int64? = nil, onExpiry: ExpiryPolicy? = nil
    ) -> EngineRequest {
        EngineRequest(
            .reserve(ReserveRequest(id: id, call: call, holdSeconds: seconds, onExpiry: onExpiry)),
            requestHash: Fingerprint(.request, call.subject.customer, "reserve \(id) \(call)"))
    }

    /// A call of `flat-small`: 4 nano units an input token, 8 an output token.
    package func flat(
        _ customer: String, input: Int64 = 0, output: Int64, expected: Int64? = nil,
        model: String = "flat-small", run: String? = nil, user: String? = nil, tags: [Tag] = []
    ) -> CallRequest {
        var subject = subject(customer, run: run, user: user)
        subject.tags = tags
        return CallRequest(
            subject: subject, model: model,
            size: .counts(
                UsageEstimate(
                    inputTokens: input, maxOutputTokens: output, expectedOutputTokens: expected)))
    }

    /// A call of a given amount.
    package func plain(
        _ customer: String, _ nanos: Int64, model: String = "flat-small", run: String? = nil,
        user: String? = nil, tags: [Tag] = []
    ) -> CallRequest {
        var subject = subject(customer, run: run, user: user)
        subject.tags = tags
        return CallRequest(subject: subject, model: model, size: .amount(Money(nanos: nanos)))
    }

    @discardableResult
    package func reserve(
        _ id: String, _ call: CallRequest, seconds: Int64? = nil, onExpiry: ExpiryPolicy? = nil
    ) async throws -> Event? {
        try await engine.submit(request(id, call, seconds: seconds, onExpiry: onExpiry)).event?
            .event
    }

    /// Settles with an amount in nano units.
    @discardableResult
    package func settle(_ id: String, _ nanos: Int64) async throws -> Event? {
        let actual = ActualUsage.amount(Money(nanos: nanos))
        return try await engine.submit(settleRequest(id, actual)).event?.event
    }

    /// Settles with tokens.
    @discardableResult
    package func settle(_ id: String, input: Int64, output: Int64) async throws -> Event? {
        var usage = ReportedUsage()
        usage.inputTokens = input
        usage.outputTokens = output
        return try await engine.submit(settleRequest(id, .usage(usage))).event?.event
    }

    /// Changes charge and cost by `nanos`.
    @discardableResult
    package func adjust(_ id: String, _ nanos: Int64) async throws(EngineError) -> CommandReply {
        let change = Money(nanos: nanos)
        return try await ask(
            .adjust(
                AdjustRequest(
                    key: key(id), correction: .delta(cost: change, charge: change), reason: "test",
                    author: "test")))
    }

    /// Records usage of an amount, in nano units.
    @discardableResult
    package func record(
        _ id: String, _ call: CallRequest, _ nanos: Int64
    ) async throws(EngineError) -> CommandReply {
        try await ask(
            .recordUsage(
                UsageRequest(
                    id: id, subject: call.subject, model: call.model,
                    actual: .amount(Money(nanos: nanos)))))
    }

    /// A budget with its amount in nano units or a count.
    package func set(_ rule: BudgetRule) async throws(EngineError) {
        var rule = rule
        if rule.name.isEmpty { rule.name = rule.id }
        try await ask(.setBudget(rule))
    }

    /// Grants nano units.
    package func grant(
        _ customer: String, _ id: String, nanos: Int64, priority: Int64 = 0,
        effectiveAfter: Int64 = 0, expiresAfter: Int64? = nil, models: [String] = []
    ) async throws(EngineError) {
        let terms = GrantTerms(
            id: id, amount: Money(nanos: nanos), priority: priority,
            effectiveAt: clock.now().advanced(bySeconds: effectiveAfter),
            expiresAt: expiresAfter.map { clock.now().advanced(bySeconds: $0) }, models: models)
        try await ask(.grantCredit(customerKey(customer), terms))
    }

    package func customerKey(_ id: String) -> CustomerKey {
        CustomerKey(project: Self.project, id: id)
    }

    /// The code with which a command is refused; nil when it is carried out.
    package func refusal(_ command: Command) async throws(EngineError) -> CommandError.Code? {
        do throws(EngineError) {
            try await ask(command)
            return nil
        } catch .command(let error) {
            return error.code
        }
    }

    /// `id amount` of every grant's free part that is not zero, in the order in which they were
    /// given.
    package func free(_ customer: String) async throws -> [String] {
        try await self.customer(customer).grants.filter { !$0.available.isZero }.map {
            "\($0.terms.id) \($0.available.nanos)"
        }
    }

    /// Names of the checks of `verify` that fail.
    package func failedChecks() async throws -> [String] {
        try await verify().checks.filter { !$0.passed }.map { "\($0.name): \($0.violations)" }
    }
}

extension FundingSplit {
    /// `id amount` of what came out of grants, in order.
    package var grantTexts: [String] { grants.map { "\($0.grant) \($0.amount.nanos)" } }
}
