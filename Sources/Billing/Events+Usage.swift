// Payloads of `usage.*`. Those after the first of a reservation name the one before it
// (`previous`), so that a reservation's whole history is found from its newest event without an
// index.

package import Money

/// What a call is: on every first event of a reservation, rejection, estimate or usage record.
package struct CallDescription: Sendable, Hashable {
    package var user: String?
    package var run: String?
    package var tags: [Tag] = []
    package var model = ""
    /// Plan the customer was on.
    package var plan = ""
    /// When the caller says it happened; kept, never used for ordering.
    package var occurredAt: Instant?
    package init() {}

    package func subject(project: String, customer: String) -> Subject {
        Subject(project: project, customer: customer, user: user, run: run, tags: tags)
    }
}

package struct UsageEstimated: Sendable, Hashable {
    package var call = CallDescription()
    package var estimate = Estimate()
    package init() {}
}

package struct UsageReserved: Sendable, Hashable {
    package var call = CallDescription()
    package var estimate = Estimate()
    package var lines: [BudgetLine] = []
    package var funding = FundingHold()
    /// Funds before this call: what `explain` shows.
    package var funds = FundsView()
    package var expiresAt = Instant.zero
    package var onExpiry = ExpiryPolicy.release
    package var allowsAmountSettlement = false
    /// The output cap asked for, when a `clamp` budget lowered it.
    package var clampedFrom: Int64?
    package init() {}
}

/// A customer's funds at the moment of a decision.
package struct FundsView: Sendable, Hashable {
    package var mode = FundingMode.unfunded
    /// In grants usable for the model, not held.
    package var grantsAvailable = Money.zero
    /// What is owed (postpaid), or the debt (prepaid, and wherever debt refuses).
    package var owed = Money.zero
    /// Held by open reservations beyond grants.
    package var heldUncovered = Money.zero
    package var creditLimit: Money?
    /// What this call needs of the funds.
    package var need = Money.zero
    package init() {}
}

/// Why a call was refused.
package enum RejectionCode: String, Sendable, Hashable, CaseIterable {
    /// Could never fit, whatever else is going on.
    case requestTooLarge = "request_too_large"
    /// Would fit if open holds were released: retry after.
    case holdsFull = "holds_full"
    /// Used up until the window ends or money arrives.
    case exhausted
    /// No price for the model, and no ceiling.
    case unknownPrice = "unknown_price"
    /// The customer is suspended.
    case suspended
    /// A rule other than money: stopped or ended run, closed customer.
    case policy
}

/// Which kind of rule refused.
package enum RejectionRule: String, Sendable, Hashable, CaseIterable {
    case budget
    case runCap = "run_cap"
    /// Grants and credit limit of a prepaid customer.
    case prepaidFunds = "prepaid_funds"
    /// Credit limit of a postpaid customer.
    case creditLimit = "credit_limit"
    /// Debt from an earlier overrun.
    case debt
    case price
    case customerSuspended = "customer_suspended"
    case customerClosed = "customer_closed"
    case runStopped = "run_stopped"
    case runEnded = "run_ended"
}

package struct UsageRejected: Sendable, Hashable {
    package var call = CallDescription()
    package var code = RejectionCode.exhausted
    package var rule = RejectionRule.budget
    /// Id of the budget when a budget refused.
    package var budget: String?
    package var measure: BudgetMeasure?
    /// The refusing rule's figures, in its measure; money in nano units.
    package var amount: Int64?
    package var spent: Int64?
    package var held: Int64?
    package var available: Int64?
    /// What the call would have had to hold there.
    package var need: Int64?
    /// When it frees: the window's end, or the earliest expiry of a hold in the way.
    package var freesAt: Instant?
    /// The highest output cap that would have passed; nil: none.
    package var affordableMaxTokens: Int64?
    /// Why the customer is suspended, or the run stopped.
    package var reason: String?
    /// Absent when the price is unknown.
    package var estimate: Estimate?
    package var lines: [BudgetLine] = []
    package var funds: FundsView?
    package init() {}
}

package struct UsageExtended: Sendable, Hashable {
    package var previous: UInt64 = 0
    package var expiresAt = Instant.zero
    package init() {}
}

/// How a correction or late settlement finds the counters of its reservation.
package struct CounterReference: Sendable, Hashable {
    package var budget = ""
    package var generation: UInt64 = 0
    package var scope = ""
    package var windowStart = Instant.zero
    package var measure = BudgetMeasure.charge
    package init() {}

    package init(_ line: BudgetLine) {
        budget = line.budget
        generation = line.generation
        scope = line.scope
        windowStart = line.window.start
        measure = line.measure
    }
}

package struct UsageSettled: Sendable, Hashable {
    package var previous: UInt64 = 0
    package var rated = RatedUsage()
    /// Charge above the bound or the hold, whichever the funding held; zero when within.
    package var overrun = Money.zero
    /// Where the charge went; for a late settlement, the change against the provisional charge.
    package var split = FundingSplit()
    /// Debt repaid with what came back to unrestricted grants. Below zero: the repayment of a debt
    /// that a correction takes back is undone.
    package var repaidDebt: [GrantPortion] = []
    /// The hold had expired before this came.
    package var isLate = false
    /// What the expiry had charged provisionally; zero otherwise.
    package var replaced = CallFigures.zero
    /// On late settlements: the reservation's counters.
    package var counters: [CounterReference] = []
    /// actual ÷ expected and actual ÷ bound of the cost, in parts per million; nil when the divisor
    /// is zero.
    package var expectedRatio: Int64?
    package var boundRatio: Int64?
    package var occurredAt: Instant?
    package init() {}
}

package struct UsageReleased: Sendable, Hashable {
    package var previous: UInt64 = 0
    package var reason: String?
    package var repaidDebt: [GrantPortion] = []
    package init() {}
}

package struct UsageExpired: Sendable, Hashable {
    package var previous: UInt64 = 0
    /// The instant from which the hold no longer counted.
    package var expiredAt = Instant.zero
    package var policy = ExpiryPolicy.release
    /// With `charge`: the expected estimate, provisionally charged.
    package var provisional = CallFigures.zero
    package var split = FundingSplit()
    package var repaidDebt: [GrantPortion] = []
    package init() {}
}

package struct UsageAdjusted: Sendable, Hashable {
    package var previous: UInt64 = 0
    /// First event of what is corrected.
    package var corrects: UInt64 = 0
    package var reason = ""
    package var author = ""
    /// Changes, added to what was charged.
    package var cost = Money.zero
    package var charge = Money.zero
    package var tokens: Int64 = 0
    /// The corrected usage, when usage was given.
    package var rated: RatedUsage?
    package var split = FundingSplit()
    /// As in `UsageSettled`.
    package var repaidDebt: [GrantPortion] = []
    package var counters: [CounterReference] = []
    package init() {}
}

package struct UsageRecorded: Sendable, Hashable {
    package var call = CallDescription()
    package var rated = RatedUsage()
    package var markupPartsPerMillion: Int64 = 0
    package var ceiling: CeilingRates?
    package var lines: [BudgetLine] = []
    package var mode = FundingMode.unfunded
    package var split = FundingSplit()
    package init() {}
}
