// What happened, as figures. `rendered(width:)` makes it text.

package import Money

package struct SandboxReport: Sendable, Equatable {
    package struct CustomerRow: Sendable, Equatable {
        package var id = ""
        package var plan = ""
        package var funding = ""
        /// Lines of the trace that were this customer's.
        package var requests: Int64 = 0
        /// Answers, as counted by the player.
        package var figures = CustomerFigures()
        /// Of `figures.settled`, those after the expiry of their hold.
        package var late: Int64 = 0
        package var inputTokens: Int64 = 0
        package var outputTokens: Int64 = 0
        package var standing = Standing.none
        package var topRefusal: RefusalReason?
        package init() {}
    }

    /// How a customer stands with the operator.
    package enum Standing: Sendable, Equatable {
        case none
        /// Prepaid: what is left; negative is debt.
        case balance(Money)
        /// Postpaid: billed and not paid.
        case owed(Money)
    }

    package struct RefusalRow: Sendable, Equatable {
        package var reason: RefusalReason
        package var count: Int64
        package var retried: Int64
        /// Refused calls, not tried again, whose charge had been estimated.
        package var estimated: Int64
        /// The sum of their expected charges.
        package var avoidedCharge: Money

        package init(
            reason: RefusalReason, count: Int64, retried: Int64, estimated: Int64,
            avoidedCharge: Money
        ) {
            self.reason = reason
            self.count = count
            self.retried = retried
            self.estimated = estimated
            self.avoidedCharge = avoidedCharge
        }
    }

    package struct ModelRow: Sendable, Equatable {
        package var model = ""
        package var requests: Int64 = 0
        package var settled: Int64 = 0
        package var inputTokens: Int64 = 0
        package var outputTokens: Int64 = 0
        package var cost = Money.zero
        package var charge = Money.zero
        package init() {}
    }

    /// Things that happened to calls that were let through.
    package struct Notes: Sendable, Equatable {
        package var overruns: Int64 = 0
        package var overrun = Money.zero
        package var clamped: Int64 = 0
        package var warned: Int64 = 0
        package var shadowed: Int64 = 0
        package var replayed: Int64 = 0
        /// By why: "503 overloaded", "no answer".
        package var retries: [Failure] = []
        package init() {}
    }

    package struct Failure: Sendable, Equatable {
        package var what: String
        package var count: Int64

        package init(what: String, count: Int64) {
            self.what = what
            self.count = count
        }
    }

    package var traceName = ""
    package var currency = "USD"
    /// Where everything is to be found: customers, budgets, events.
    package var project = ""
    package var requests: Int64 = 0
    package var traceTime = Duration.zero
    package var speed: Int64 = 1
    package var elapsed = Duration.zero
    package var mostInFlight = 0
    package var waits = 0
    package var lag = Duration.zero
    package var customers: [CustomerRow] = []
    package var refusals: [RefusalRow] = []
    package var models: [ModelRow] = []
    package var notes = Notes()
    package var reserveLatency: LatencySummary?
    package var settleLatency: LatencySummary?
    /// Nil: there was no gateway to show.
    package var gateway: GatewayActReport?
    /// Answers that should not have been.
    package var failures: [Failure] = []
    /// Where the player's sums and the server's balances differ.
    package var differences: [String] = []

    package init() {}

    /// Every call was answered as it should be, and both sides agree to the last nano unit.
    package var isClean: Bool { failures.isEmpty && differences.isEmpty }
}

extension SandboxReport {
    init(
        options: SandboxOptions, survey: TraceSurvey, stage: Stage, pace: Pace, tally: Tally,
        books: Books
    ) {
        self.init()
        traceName = options.trace.name
        project = stage.project
        requests = Int64(survey.requests)
        traceTime = .microseconds(survey.microseconds)
        speed = options.speed
        elapsed = pace.elapsed
        mostInFlight = pace.mostInFlight
        waits = pace.waits
        lag = pace.lag
        for (index, member) in stage.cast.customers.enumerated() {
            customers.append(
                CustomerRow(member, tally.customers[index], books.balances[index], project: project)
            )
        }
        currency = books.balances.lazy.compactMap { $0?.currency }.first ?? currency
        refusals = tally.refusals
            .map { RefusalRow($0.short(in: project), $1) }
            .sorted {
                ($1.count, $0.reason.rule, $0.reason.code) < (
                    $0.count, $1.reason.rule, $1.reason.code
                )
            }
        models = tally.models
            .map { ModelRow($0, $1) }
            .sorted { ($1.requests, $0.model) < ($0.requests, $1.model) }
        notes = Notes(tally)
        reserveLatency = tally.reserveLatency.summary
        settleLatency = tally.settleLatency.summary
        failures = SandboxReport.sorted(tally.failures)
        differences = books.differences
    }
}

extension SandboxReport {
    /// The most frequent first.
    fileprivate static func sorted(_ counts: [String: Int64]) -> [Failure] {
        counts
            .map { Failure(what: $0, count: $1) }
            .sorted { ($1.count, $0.what) < ($0.count, $1.what) }
    }
}

extension TraceOrigin {
    /// For people.
    package var name: String {
        switch self {
        case .sample: "Azure LLM inference trace 2023, conversation, first 2,000 requests"
        case .file(let path): path
        case .bytes: "trace in memory"
        }
    }
}

extension RefusalReason {
    /// Budget ids begin with the project; in a report of one project that says nothing.
    fileprivate func short(in project: String) -> RefusalReason {
        let prefix = project + "-"
        guard rule.hasPrefix(prefix) else { return self }
        return RefusalReason(code: code, rule: "budget " + rule.dropFirst(prefix.count))
    }
}

extension SandboxReport.CustomerRow {
    fileprivate init(
        _ member: CastCustomer, _ tally: CustomerTally, _ balance: BalanceAnswer?, project: String
    ) {
        self.init()
        id = member.id
        plan = (balance?.plan ?? member.plan).withoutPrefix("sandbox-")
        funding = balance?.funding ?? "-"
        requests = tally.requests
        figures = tally.figures
        late = tally.late
        inputTokens = tally.inputTokens
        outputTokens = tally.outputTokens
        topRefusal = tally.refusals
            .min { ($1.value, $0.key.rule, $0.key.code) < ($0.value, $1.key.rule, $1.key.code) }?
            .key.short(in: project)
        if let balance {
            switch balance.funding {
            case "prepaid":
                standing = .balance(balance.grantsAvailable.subtractingClamped(balance.debt))
            case "postpaid": standing = .owed(balance.owed)
            default: standing = .none
            }
        }
    }
}

extension SandboxReport.RefusalRow {
    fileprivate init(_ reason: RefusalReason, _ tally: RefusalTally) {
        self.init(
            reason: reason, count: tally.count, retried: tally.retried,
            estimated: tally.estimated, avoidedCharge: tally.avoidedCharge)
    }
}

extension SandboxReport.ModelRow {
    fileprivate init(_ model: String, _ tally: ModelTally) {
        self.init()
        self.model = model
        requests = tally.requests
        settled = tally.settled
        inputTokens = tally.inputTokens
        outputTokens = tally.outputTokens
        cost = tally.cost
        charge = tally.charge
    }
}

extension SandboxReport.Notes {
    fileprivate init(_ tally: Tally) {
        self.init()
        for customer in tally.customers {
            overruns += customer.overruns
            overrun.addClamped(customer.figures.overrun)
            clamped += customer.clamped
            warned += customer.warned
            shadowed += customer.shadowed
        }
        replayed = tally.replayed
        retries = SandboxReport.sorted(tally.retries)
    }
}

extension String {
    fileprivate func withoutPrefix(_ prefix: String) -> String {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self
    }
}
