// The ledger's state: the fold of its log, and nothing else.
//
// What is not needed to decide is not here: a resolved reservation leaves the state with its
// resolution and is folded again from the log when a correction or a repeated call asks for it.

package import Money

/// One budget's counter in its present window.
package struct Counter: Sendable, Hashable {
    package var window: Window
    /// Settled and adjusted, in the budget's measure.
    package var spent: Int64
    /// Promised to open reservations.
    package var held: Int64
    package var openHolds: Int64
    /// No hold on this counter expires before this instant; `.max` when there is none.
    package var earliestExpiry: Instant

    package init(
        window: Window = Window(), spent: Int64 = 0, held: Int64 = 0, openHolds: Int64 = 0,
        earliestExpiry: Instant = .max
    ) {
        self.window = window
        self.spent = spent
        self.held = held
        self.openHolds = openHolds
        self.earliestExpiry = earliestExpiry
    }
}

/// A counter whose window is over while reservations of that window are still open.
package struct ClosedCounterKey: Sendable, Hashable, Comparable {
    package var scope: ExactText
    package var windowStart: Instant

    package init(scope: ExactText = ExactText(""), windowStart: Instant = .zero) {
        self.scope = scope
        self.windowStart = windowStart
    }

    package static func < (a: ClosedCounterKey, b: ClosedCounterKey) -> Bool {
        (a.scope, a.windowStart) < (b.scope, b.windowStart)
    }
}

/// A budget rule with its counters.
package struct Budget: Sendable, Hashable {
    private var shared: Shared<BudgetRule>
    /// Sequence number of the event since which the counters count.
    package var generation: UInt64
    /// The counters in force, by the scope each is for (see `scopeText`).
    package var counters: [ExactText: Counter]
    package var closedCounters: [ClosedCounterKey: Counter]

    package init(
        rule: BudgetRule = BudgetRule(), generation: UInt64 = 0,
        counters: [ExactText: Counter] = [:], closedCounters: [ClosedCounterKey: Counter] = [:]
    ) {
        shared = Shared(rule)
        self.generation = generation
        self.counters = counters
        self.closedCounters = closedCounters
    }

    package var rule: BudgetRule {
        _read { yield shared.value }
        _modify { yield &shared.value }
    }
}

package enum RunStatus: String, Sendable, Hashable, CaseIterable {
    case active, stopped, ended
}

package struct Run: Sendable, Hashable {
    package var id: String
    package var project: String
    package var customer: String?
    package var user: String?
    package var cap: Money?
    package var metadata: [Tag]
    package var status: RunStatus
    package var statusReason: String?
    package var startedAt: Instant
    package var stoppedAt: Instant?
    package var endedAt: Instant?
    /// In `charge`; its window is the run.
    package var counter: Counter
    /// A call of this run was refused by its cap.
    package var wasCapExceeded: Bool
    package var generation: UInt64

    package init(
        id: String = "", project: String = "", customer: String? = nil, user: String? = nil,
        cap: Money? = nil, metadata: [Tag] = [], status: RunStatus = .active,
        statusReason: String? = nil, startedAt: Instant = .zero, stoppedAt: Instant? = nil,
        endedAt: Instant? = nil, counter: Counter = Counter(), wasCapExceeded: Bool = false,
        generation: UInt64 = 0
    ) {
        self.id = id
        self.project = project
        self.customer = customer
        self.user = user
        self.cap = cap
        self.metadata = metadata
        self.status = status
        self.statusReason = statusReason
        self.startedAt = startedAt
        self.stoppedAt = stoppedAt
        self.endedAt = endedAt
        self.counter = counter
        self.wasCapExceeded = wasCapExceeded
        self.generation = generation
    }

    package var key: RunKey { RunKey(project: project, id: id) }
}

/// The whole state. Equal logs give equal states.
package struct LedgerState: Sendable {
    /// Sequence number of the last event folded in.
    package var sequence: UInt64 = 0
    /// Time of that event.
    package var time = Instant.zero
    package var ledger = LedgerOpened()
    package var projects: [String: Project] = [:]
    package var plans: [String: Plan] = [:]
    package var budgets: [String: Budget] = [:]
    package var priceBook: [PriceBookPublished] = []
    package var keys: [String: APIKey] = [:]
    package var customers: [CustomerKey: Customer] = [:]
    package var runs: [RunKey: Run] = [:]
    /// Open ones only.
    package var reservations: [ReservationKey: Reservation] = [:]

    /// Which budgets may match a call; derived from `budgets`, not part of the state.
    package internal(set) var budgetIndex = BudgetIndex()

    /// All customers in the order in which they were opened; derived from `customers`.
    package internal(set) var customersByOpening: [CustomerKey] = []

    package init() {}

    /// The terms in force for a customer: its own, then its plan's, then the ledger's.
    package func terms(of customer: Customer) -> Terms {
        terms(own: customer.terms, plan: customer.plan)
    }

    package func terms(own: Terms, plan: String) -> Terms {
        own.filled(from: plans[plan]?.terms ?? Terms()).filled(from: LedgerState.lastResort)
    }

    /// What holds where neither customer nor plan says anything.
    package static let lastResort = Terms(
        funding: .postpaid, creditLimit: nil, fundingHolds: .bound, markupPartsPerMillion: 0,
        rateCard: nil)

    /// To be called after the state was filled by other means than `evolve` (a snapshot).
    package mutating func rebuildIndexes() {
        budgetIndex = BudgetIndex(budgets.values.map(\.rule))
        customersByOpening = customers.values
            .map { ($0.openedSequence, $0.key) }
            .sorted { $0 < $1 }
            .map(\.1)
    }
}
