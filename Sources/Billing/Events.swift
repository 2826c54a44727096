// The events. What is not in an event did not happen; what is in one is true for ever.
//
// Every payload has a memberwise initialiser by default values, so that a codec can fill one field
// by field and an older event without a newer field decodes to that field's default.

package import Money

/// One thing that happened. Indirect: events are handed around far more often than they are made.
package indirect enum Event: Sendable, Hashable {
    case ledgerOpened(LedgerOpened)
    case clockAdvanced(ClockAdvanced)
    case projectSet(ProjectSet)
    case planSet(PlanSet)
    case budgetSet(BudgetSet)
    case budgetRemoved(BudgetRemoved)
    case priceBookPublished(PriceBookPublished)
    case keyCreated(KeyCreated)
    case keyRevoked(KeyRevoked)
    case customerOpened(CustomerOpened)
    case customerUpdated(CustomerUpdated)
    case customerSuspended(CustomerSuspended)
    case customerResumed(CustomerResumed)
    case customerClosed(CustomerClosed)
    case customerLinked(CustomerLinked)
    case creditGranted(CreditGranted)
    case creditActivated(CreditActivated)
    case creditExpired(CreditEnded)
    case creditRevoked(CreditEnded)
    case paymentReceived(PaymentReceived)
    case runStarted(RunStarted)
    case runStopped(RunStopped)
    case runEnded(RunEnded)
    case usageEstimated(UsageEstimated)
    case usageReserved(UsageReserved)
    case usageRejected(UsageRejected)
    case usageExtended(UsageExtended)
    case usageSettled(UsageSettled)
    case usageReleased(UsageReleased)
    case usageExpired(UsageExpired)
    case usageAdjusted(UsageAdjusted)
    case usageRecorded(UsageRecorded)
    case stripe(StripeFact)
}

/// An event with what the engine adds to it. Sequence and time are the engine's alone.
package struct RecordedEvent: Sendable, Hashable {
    /// 1, 2, 3 … without gaps.
    package var sequence: UInt64
    /// Never earlier than the time of the event before it.
    package var time: Instant
    /// Version of the payload's schema.
    package var schemaVersion: Int64
    package var project: String?
    package var customer: String?
    /// Reservation or usage id, on `usage.*` events that belong to one.
    package var reservation: String?
    /// Id of the API key that asked; nil for what the engine does by itself.
    package var actor: String?
    /// Digest of the caller's Idempotency-Key (see `CommandDigest`), lower-case hex.
    package var idempotencyKeyHash: String?
    /// Digest of what was asked: the same id or key with another digest is another request.
    package var requestHash: String?
    package var event: Event

    package init(
        sequence: UInt64, time: Instant, schemaVersion: Int64 = 1, project: String? = nil,
        customer: String? = nil, reservation: String? = nil, actor: String? = nil,
        idempotencyKeyHash: String? = nil, requestHash: String? = nil, event: Event
    ) {
        self.sequence = sequence
        self.time = time
        self.schemaVersion = schemaVersion
        self.project = project
        self.customer = customer
        self.reservation = reservation
        self.actor = actor
        self.idempotencyKeyHash = idempotencyKeyHash
        self.requestHash = requestHash
        self.event = event
    }
}

/// An event as `decide` returns it: what happened and to whom.
package struct EventDraft: Sendable, Hashable {
    package var event: Event
    package var project: String?
    package var customer: String?
    package var reservation: String?

    package init(
        _ event: Event, project: String? = nil, customer: String? = nil, reservation: String? = nil
    ) {
        self.event = event
        self.project = project
        self.customer = customer
        self.reservation = reservation
    }
}

package struct LedgerOpened: Sendable, Hashable {
    package var ledgerID = ""
    package var currency = ""
    package var isTestClock = false
    package init() {}
}

/// The clock of a test ledger was set; later events are not earlier than `to`.
package struct ClockAdvanced: Sendable, Hashable {
    package var to = Instant.zero
    package init() {}
}

/// A project was opened or changed; the whole of it as it is from now on.
package struct ProjectSet: Sendable, Hashable {
    package var project = Project()
    package init() {}
}

package struct PlanSet: Sendable, Hashable {
    package var plan = Plan()
    package init() {}
}

package struct BudgetSet: Sendable, Hashable {
    package var rule = BudgetRule()
    package init() {}
}

package struct BudgetRemoved: Sendable, Hashable {
    package var budget = ""
    package init() {}
}

/// A new version of the price book: the version before it with these entries put in or taken out.
package struct PriceBookPublished: Sendable, Hashable {
    package var version: Int64 = 0
    package var effectiveAt = Instant.zero
    /// Where the figures come from, for people.
    package var source = ""
    package var upserts: [PriceEntry] = []
    package var removals: [PriceEntryName] = []
    package init() {}
}

package struct PriceEntryName: Sendable, Hashable {
    package var model = ""
    package var card = ""
    package init() {}
    package init(model: String, card: String) {
        self.model = model
        self.card = card
    }
}

package struct KeyCreated: Sendable, Hashable {
    package var id = ""
    package var name = ""
    package var role = KeyRole.read
    package var project: String?
    package var secretHash = ""
    package init() {}
}

package struct KeyRevoked: Sendable, Hashable {
    package var id = ""
    package init() {}
}

package struct CustomerOpened: Sendable, Hashable {
    package var plan = ""
    /// Opened by its first call rather than by an operator.
    package var isFirstSight = false
    package var name: String?
    package var terms = Terms()
    package var billingDay: Int64 = 1
    package init() {}
}

/// The customer's settings as they are from now on.
package struct CustomerUpdated: Sendable, Hashable {
    package var plan = ""
    package var name: String?
    package var terms = Terms()
    package var billingDay: Int64 = 1
    package init() {}
}

package struct CustomerSuspended: Sendable, Hashable {
    package var reason = ""
    package init() {}
}

package struct CustomerResumed: Sendable, Hashable {
    package init() {}
}

package struct CustomerClosed: Sendable, Hashable {
    package var reason = ""
    package init() {}
}

package struct CustomerLinked: Sendable, Hashable {
    package var stripeCustomer = ""
    package init() {}
}

package struct CreditGranted: Sendable, Hashable {
    package var grant = GrantTerms()
    /// Part that repaid debt at once.
    package var repaidDebt = Money.zero
    package init() {}
}

/// A grant's effective instant came.
package struct CreditActivated: Sendable, Hashable {
    package var grant = ""
    package var repaidDebt = Money.zero
    package init() {}
}

/// A grant expired or was revoked; what open reservations hold of it stays good for them.
package struct CreditEnded: Sendable, Hashable {
    package var grant = ""
    /// What was lost at once.
    package var amount = Money.zero
    package var reason: String?
    package init() {}
}

/// Lowers what a postpaid customer owes.
package struct PaymentReceived: Sendable, Hashable {
    package var amount = Money.zero
    package var reference: String?
    package init() {}
}

package struct RunStarted: Sendable, Hashable {
    package var run = ""
    package var user: String?
    /// Most that the run's calls may be charged; nil: no cap of its own.
    package var cap: Money?
    package var metadata: [Tag] = []
    package init() {}
}

package struct RunStopped: Sendable, Hashable {
    package var run = ""
    package var reason: String?
    package init() {}
}

package struct RunEnded: Sendable, Hashable {
    package var run = ""
    package init() {}
}
