// What can be asked of the ledger, and what `decide` is told besides.

package import Money

/// Indirect: commands are handed from thread to thread more often than they are looked into.
package indirect enum Command: Sendable, Hashable {
    case openLedger(LedgerOpened)
    case advanceClock(to: Instant)
    case setProject(Project)
    case setPlan(Plan)
    case setBudget(BudgetRule)
    case removeBudget(id: String)
    case publishPrices(PriceBookPublished)
    case createKey(KeyCreated)
    case revokeKey(id: String)
    case openCustomer(CustomerSettings)
    case updateCustomer(CustomerSettings)
    case suspendCustomer(CustomerKey, reason: String)
    case resumeCustomer(CustomerKey)
    case closeCustomer(CustomerKey, reason: String)
    case linkCustomer(CustomerKey, stripeCustomer: String)
    case grantCredit(CustomerKey, GrantTerms)
    case revokeCredit(CustomerKey, grant: String, reason: String?)
    case receivePayment(CustomerKey, amount: Money, reference: String?)
    case startRun(RunRequest)
    case stopRun(RunKey, reason: String?)
    case endRun(RunKey)
    case estimate(CallRequest)
    case reserve(ReserveRequest)
    case extend(ReservationKey, seconds: Int64)
    case settle(SettleRequest)
    case release(ReservationKey, reason: String?)
    case adjust(AdjustRequest)
    case recordUsage(UsageRequest)
    /// What passed between the ledger and Stripe. It changes nothing in the state.
    case recordStripe(StripeFact, CustomerKey?)
    /// The engine's own: a hold's time is up.
    case expire(ReservationKey)
    /// The engine's own: a grant's effective instant came.
    case activateCredit(CustomerKey, grant: String)
    /// The engine's own: a grant's expiry came.
    case expireCredit(CustomerKey, grant: String)
}

/// Settings of a customer; nil leaves a field as it is (or at its default when opening).
package struct CustomerSettings: Sendable, Hashable {
    package var key: CustomerKey
    package var plan: String?
    package var name: String?
    /// Replaces the customer's own terms as a whole.
    package var terms: Terms?
    package var billingDay: Int64?

    package init(
        key: CustomerKey, plan: String? = nil, name: String? = nil, terms: Terms? = nil,
        billingDay: Int64? = nil
    ) {
        self.key = key
        self.plan = plan
        self.name = name
        self.terms = terms
        self.billingDay = billingDay
    }
}

package struct RunRequest: Sendable, Hashable {
    package var key: RunKey
    package var customer: String?
    package var user: String?
    package var cap: Money?
    package var metadata: [Tag]

    package init(
        key: RunKey, customer: String? = nil, user: String? = nil, cap: Money? = nil,
        metadata: [Tag] = []
    ) {
        self.key = key
        self.customer = customer
        self.user = user
        self.cap = cap
        self.metadata = metadata
    }
}

/// How the size of a call is given.
package enum CallSize: Sendable, Hashable {
    case counts(UsageEstimate)
    /// What the customer is to be charged at most; cost is taken to be the same.
    case amount(Money)
}

/// A call that may be made.
package struct CallRequest: Sendable, Hashable {
    package var subject: Subject
    package var model: String
    package var size: CallSize
    package var occurredAt: Instant?

    package init(subject: Subject, model: String, size: CallSize, occurredAt: Instant? = nil) {
        self.subject = subject
        self.model = model
        self.size = size
        self.occurredAt = occurredAt
    }
}

package struct ReserveRequest: Sendable, Hashable {
    package var id: String
    package var call: CallRequest
    /// Life of the hold from now; nil: the project's.
    package var holdSeconds: Int64?
    /// Nil: the project's.
    package var onExpiry: ExpiryPolicy?

    package init(
        id: String, call: CallRequest, holdSeconds: Int64? = nil, onExpiry: ExpiryPolicy? = nil
    ) {
        self.id = id
        self.call = call
        self.holdSeconds = holdSeconds
        self.onExpiry = onExpiry
    }

    package var key: ReservationKey { ReservationKey(project: call.subject.project, id: id) }
}

/// What was actually used.
package enum ActualUsage: Sendable, Hashable {
    case usage(ReportedUsage)
    case amount(Money)
    /// Nobody knows: the expected estimate is charged, and marked.
    case missing
    /// Nobody knows, and it is the caller's doing: the bound is charged, and marked.
    case missingAtMost
}

package struct SettleRequest: Sendable, Hashable {
    package var key: ReservationKey
    package var actual: ActualUsage
    package var occurredAt: Instant?
    /// The counts are not the provider's own: whoever settles worked them out from what it sent and
    /// received. The charge is marked so.
    package var isEstimated: Bool

    package init(
        key: ReservationKey, actual: ActualUsage, occurredAt: Instant? = nil,
        isEstimated: Bool = false
    ) {
        self.key = key
        self.actual = actual
        self.occurredAt = occurredAt
        self.isEstimated = isEstimated
    }
}

/// What a correction says.
package enum Correction: Sendable, Hashable {
    /// The usage was really this; rated at the price pinned when it was reserved.
    case usage(ReportedUsage)
    /// Add these to cost and charge; either may be negative.
    case delta(cost: Money, charge: Money)
}

package struct AdjustRequest: Sendable, Hashable {
    package var key: ReservationKey
    package var correction: Correction
    package var reason: String
    package var author: String

    package init(key: ReservationKey, correction: Correction, reason: String, author: String) {
        self.key = key
        self.correction = correction
        self.reason = reason
        self.author = author
    }
}

/// Usage without a hold.
package struct UsageRequest: Sendable, Hashable {
    package var id: String
    package var subject: Subject
    package var model: String
    package var actual: ActualUsage
    package var occurredAt: Instant?

    package init(
        id: String, subject: Subject, model: String, actual: ActualUsage,
        occurredAt: Instant? = nil
    ) {
        self.id = id
        self.subject = subject
        self.model = model
        self.actual = actual
        self.occurredAt = occurredAt
    }

    package var key: ReservationKey { ReservationKey(project: subject.project, id: id) }
}

/// The calendar that windows follow. A pure function of its arguments.
package protocol WindowCalendar: Sendable {
    /// Whether the IANA zone is known.
    func knows(timeZone: String) -> Bool

    /// The window of `kind` that contains `instant`; `billingDay` matters for billing periods only.
    ///
    /// Never called with `.run` or `.lifetime`, nor for a zone it does not know.
    func window(
        _ kind: BudgetWindow, containing instant: Instant, timeZone: String, billingDay: Int64
    ) -> Window
}

/// What `decide` is told besides the command and the state: values, all recorded in the events that
/// depend on them, so that replay looks nothing up.
package struct Facts: Sendable {
    package var now: Instant
    package var calendar: any WindowCalendar
    /// For `reserve` and `estimate`.
    package var quote: Result<Quote, QuoteError>?
    /// For `settle`, `adjust`, `recordUsage`; nil where usage is missing or given as an amount.
    package var rated: Result<RatedUsage, QuoteError>?
    /// The markup that `quote` or `rated` used.
    package var markupPartsPerMillion: Int64
    /// The project's ceiling rates, when `quote` or `rated` used them.
    package var ceiling: CeilingRates?
    /// The reservation, folded from the log, when it is not open.
    package var resolved: Reservation?

    package init(
        now: Instant, calendar: any WindowCalendar, quote: Result<Quote, QuoteError>? = nil,
        rated: Result<RatedUsage, QuoteError>? = nil, markupPartsPerMillion: Int64 = 0,
        ceiling: CeilingRates? = nil, resolved: Reservation? = nil
    ) {
        self.now = now
        self.calendar = calendar
        self.quote = quote
        self.rated = rated
        self.markupPartsPerMillion = markupPartsPerMillion
        self.ceiling = ceiling
        self.resolved = resolved
    }
}

/// A command that cannot be carried out. Nothing is recorded; the same command may be sent again.
package struct CommandError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        /// A field's value cannot be right; `param` names it.
        case invalid = "invalid_request"
        /// What the command is about does not exist.
        case notFound = "not_found"
        /// It exists already.
        case alreadyExists = "already_exists"
        /// The id was refused or is a usage record: there is no hold.
        case notReserved = "not_reserved"
        case alreadySettled = "already_settled"
        case alreadyReleased = "already_released"
        /// The hold is over; settle with the true usage.
        case expired
        /// The hold expired and was charged: settle with the true usage.
        case expiredCharged = "expired_charged"
        /// The customer is closed.
        case closed
        /// No price for the model.
        case unknownPrice = "unknown_price"
        /// The ledger has no test clock.
        case noTestClock = "no_test_clock"
        /// An amount would leave the range of the ledger.
        case overflow
    }

    package var code: Code
    package var message: String
    package var param: String?

    package init(_ code: Code, _ message: String, param: String? = nil) {
        self.code = code
        self.message = message
        self.param = param
    }

    package var description: String { message }
}
