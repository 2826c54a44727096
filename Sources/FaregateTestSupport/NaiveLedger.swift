// A second ledger, written to be obviously right rather than fast: what the engine is compared
// with.
//
// It shares no rule with `Billing`: it takes commands as plain values, keeps every call that was
// ever made in one list, and finds every balance by adding that list up again. Amounts are Int64
// nano units. Only two things are common: the value types of commands, and the calendar that says
// where a window begins and ends.
//
//   NaiveLedger          what is known: calls, customers, budgets, runs; time and what falls due
//   NaiveLedger+Settings plans, customers, budgets, grants, payments, runs
//   NaiveLedger+Calls    reserve, extend, settle, release, expire, adjust, record
//   NaiveLedger+Budgets  which counters a call meets, and what is on them
//   NaiveLedger+Funds    grants, debt, and where a charge goes
//   NaivePrices          what a call costs, and rounding

package import Billing

/// What a call comes to in every measure.
package struct NaiveFigures: Equatable, Sendable {
    package var cost: Int64 = 0
    package var charge: Int64 = 0
    package var tokens: Int64 = 0
    package var requests: Int64 = 0

    func quantity(_ measure: BudgetMeasure) -> Int64 {
        switch measure {
        case .cost: cost
        case .charge: charge
        case .tokens: tokens
        case .requests: requests
        }
    }
}

/// How large a call may become.
struct NaiveSize: Sendable {
    var amount: Int64?
    var inputTokens: Int64 = 0
    var maxOutput: Int64 = 0
    var expectedOutput: Int64 = 0
    var completions: Int64 = 1
    var tariff = NaiveTariff()

    func figures(outputTokens: Int64) -> NaiveFigures {
        if let amount { return NaiveFigures(cost: amount, charge: amount, tokens: 0, requests: 1) }
        return tariff.figures(input: inputTokens, output: outputTokens * completions)
    }

    var rating: String { amount == nil ? tariff.text : "amount" }

    func hold(_ figure: HoldFigure, cap: Int64) -> NaiveFigures {
        figures(outputTokens: figure == .bound ? cap : min(expectedOutput, cap))
    }
}

/// One counter that a call is on.
struct NaiveLine: Sendable {
    var budget: String
    var incarnation: Int
    var scope: String
    var window: Window
    var measure: BudgetMeasure
    var hold: Int64 = 0
}

/// A portion of the grant at `index` of its customer's list.
struct NaivePortion: Equatable, Sendable {
    var index: Int
    var amount: Int64
}

enum NaiveStatus: String, Sendable {
    case open, settled, released, expired, charged, rejected, recorded
}

/// A reservation, refusal or usage record, with everything that became of it.
struct NaiveCall: Sendable {
    var key: ReservationKey
    var subject: Subject
    var model: String
    var status: NaiveStatus
    var size = NaiveSize()
    var cap: Int64 = 0
    var expiresAt = Instant.zero
    var onExpiry = ExpiryPolicy.release
    var allowsAmount = false
    var mode = FundingMode.unfunded
    var lines: [NaiveLine] = []
    var heldGrants: [NaivePortion] = []
    var heldUncovered: Int64 = 0
    var actual = NaiveFigures()
    var burnt: [NaivePortion] = []
    var billable: Int64 = 0
    var debt: Int64 = 0
    var absorbed: Int64 = 0
    var overrun: Int64 = 0
    var wasReserved = false
    var wasExpired = false

    var isOpen: Bool { status == .open }
    var heldInAll: Int64 { heldGrants.reduce(heldUncovered) { $0 + $1.amount } }
}

struct NaiveGrant: Sendable {
    var terms: GrantTerms
    var isActive: Bool
    var isEnded = false
    var lostByExpiry: Int64 = 0
    var lostByRevocation: Int64 = 0
}

struct NaiveCustomer: Sendable {
    var key: CustomerKey
    var plan: String
    var terms = Terms()
    var billingDay: Int64 = 1
    var status = CustomerStatus.active
    var grants: [NaiveGrant] = []
    /// Debt repaid out of a grant; below zero where a correction took a repayment back.
    var repayments: [NaivePortion] = []
    var payments: [Int64] = []
}

struct NaiveBudget: Sendable {
    var rule: BudgetRule
    var incarnation: Int
}

struct NaiveRun: Sendable {
    var cap: Int64?
    var status = RunStatus.active
    var isEnded = false
    var wasCapExceeded = false
}

package struct NaiveLedger: Sendable {
    let calendar: any WindowCalendar
    package var book = NaiveBook()
    /// Time of the last thing that happened.
    package internal(set) var time = Instant.zero
    var projects: [String: Project] = [:]
    var plans: [String: Plan] = [:]
    var budgets: [String: NaiveBudget] = [:]
    var customers: [CustomerKey: NaiveCustomer] = [:]
    var runs: [RunKey: NaiveRun] = [:]
    var calls: [NaiveCall] = []
    var incarnations = 0

    package init(calendar: any WindowCalendar) { self.calendar = calendar }

    /// Carries a command out and says what the answer must be.
    package mutating func apply(_ command: Command, now: Instant) -> NaiveAnswer {
        settleDue(now)
        var answer = NaiveAnswer()
        let before = self
        do {
            answer = try perform(command, now)
        } catch let error as NaiveRefusal {
            self = before
            answer.kind = "error " + error.code.rawValue
        } catch {
            preconditionFailure("the model throws nothing else: \(error)")
        }
        if answer.isEvent { time = now }
        return answer
    }

    private mutating func perform(_ command: Command, _ now: Instant) throws -> NaiveAnswer {
        switch command {
        case .reserve(let request): return try reserve(request, now)
        case .extend(let key, let seconds): return try extend(key, seconds, now)
        case .settle(let request): return try settle(request, now)
        case .release(let key, _): return try release(key, now)
        case .adjust(let request): return try adjust(request, now)
        case .recordUsage(let request): return try record(request, now)
        default: return try change(command, now)
        }
    }

    // MARK: Time

    private struct Due: Comparable {
        var at: Instant
        var rank: Int
        var project: String
        var name: String
        var grant: String
        /// Place in `calls`, or of the grant in its customer's list.
        var index: Int

        static func < (a: Due, b: Due) -> Bool {
            (a.at, a.rank, a.project, a.name, a.grant) < (b.at, b.rank, b.project, b.name, b.grant)
        }
    }

    /// Everything whose instant has come, in the order of those instants: grants that take effect,
    /// grants that expire, holds that run out.
    package mutating func settleDue(_ now: Instant) {
        while let due = nextDue(), due.at <= now {
            time = now
            let key = CustomerKey(project: due.project, id: due.name)
            switch due.rank {
            case 0: activate(due.index, of: key)
            case 1: end(due.index, of: key, isRevoked: false)
            default: expire(due.index, now)
            }
        }
    }

    private func nextDue() -> Due? {
        var first: Due?
        func consider(_ due: Due) { first = min(first ?? due, due) }
        for customer in customers.values {
            for (index, grant) in customer.grants.enumerated() where !grant.isEnded {
                var due = Due(
                    at: grant.terms.effectiveAt, rank: 0, project: customer.key.project,
                    name: customer.key.id, grant: grant.terms.id, index: index)
                if !grant.isActive { consider(due) }
                if let expiry = grant.terms.expiresAt {
                    due.at = expiry
                    due.rank = 1
                    consider(due)
                }
            }
        }
        for (index, call) in calls.enumerated() where call.isOpen {
            consider(
                Due(
                    at: call.expiresAt, rank: 2, project: call.key.project, name: call.key.id,
                    grant: "", index: index))
        }
        return first
    }

    // MARK: Looking up

    func terms(of customer: NaiveCustomer) -> Terms {
        let own = customer.terms
        let plan = plans[customer.plan]?.terms ?? Terms()
        return Terms(
            funding: own.funding ?? plan.funding ?? .postpaid,
            creditLimit: own.creditLimit ?? plan.creditLimit,
            fundingHolds: own.fundingHolds ?? plan.fundingHolds ?? .bound,
            markupPartsPerMillion: own.markupPartsPerMillion ?? plan.markupPartsPerMillion ?? 0,
            rateCard: own.rateCard ?? plan.rateCard)
    }

    /// Index of the call with this id; ids are used once.
    func place(_ key: ReservationKey) -> Int? { calls.firstIndex { $0.key == key } }

    /// Opens the customer on first sight.
    mutating func sight(_ key: CustomerKey) throws {
        guard let project = projects[key.project] else { throw NaiveRefusal(.notFound) }
        if customers[key] == nil {
            customers[key] = NaiveCustomer(key: key, plan: project.defaultPlan)
        }
    }
}

/// A command that makes no sense; nothing happened.
struct NaiveRefusal: Error {
    var code: CommandError.Code
    init(_ code: CommandError.Code) { self.code = code }
}

/// What an answer says, in a form that the engine's answers can be brought into.
package struct NaiveAnswer: Equatable, Sendable {
    /// `error CODE`, `nothing`, or the type of the event.
    package var kind = ""
    package var rejection: RejectionCode?
    package var rule: RejectionRule?
    package var budget: String?
    package var freesAt: Instant?
    package var affordableMaxTokens: Int64?
    /// `budget scope start…end measure limit spent held hold outcome`, in order.
    package var lines: [String] = []
    package var holds: [String] = []
    package var uncovered: Int64 = 0
    package var maxOutput: Int64 = 0
    /// Where the estimate's prices come from.
    package var rating = ""
    package var bound = NaiveFigures()
    package var expected = NaiveFigures()
    package var expiresAt: Instant?
    package var isLate = false
    package var overrun: Int64 = 0
    package var figures = NaiveFigures()
    package var isCeiling = false
    package var burnt: [String] = []
    package var billable: Int64 = 0
    package var debt: Int64 = 0
    package var absorbed: Int64 = 0
    package var repaid: [String] = []

    package var isEvent: Bool { kind != "nothing" && !kind.hasPrefix("error ") }

    init(_ kind: String = "") { self.kind = kind }

    static func portions(_ portions: [NaivePortion]) -> [String] {
        portions.filter { $0.amount != 0 }.map { "#\($0.index) \($0.amount)" }
    }
}
