// A reservation's life: reserve → (extend)* → settle | release | expire, and what came later.

package import Money

/// What one call amounts to, in every measure a budget can have.
package struct CallFigures: Sendable, Hashable {
    package var cost: Money
    package var charge: Money
    package var tokens: Int64
    /// 1 for a call that counts as made, else 0.
    package var requests: Int64

    package init(cost: Money = .zero, charge: Money = .zero, tokens: Int64 = 0, requests: Int64 = 0)
    {
        self.cost = cost
        self.charge = charge
        self.tokens = tokens
        self.requests = requests
    }

    package static let zero = CallFigures()

    /// Nano units for money, else a count.
    package func quantity(_ measure: BudgetMeasure) -> Int64 {
        switch measure {
        case .charge: charge.nanos
        case .cost: cost.nanos
        case .tokens: tokens
        case .requests: requests
        }
    }
}

/// The two numbers and how they came about, as they stand in the event.
package struct Estimate: Sendable, Hashable {
    package var bound: CallFigures
    package var expected: CallFigures
    package var inputTokens: Int64
    /// The bound's prompt; nil: `inputTokens`.
    package var maxInputTokens: Int64?
    /// Parts of `inputTokens`; nil: none.
    package var inputImageTokens: Int64?
    package var inputAudioTokens: Int64?
    /// Of how many prompts the bound took the model's maximum; nil: none.
    package var fullContexts: Int64?
    package var maxOutputTokens: Int64
    /// In the bound beyond the cap, of each completion; nil: none.
    package var extraOutputTokens: Int64?
    package var expectedOutputTokens: Int64
    package var completions: Int64
    package var tier: ServiceTier
    package var method: EstimateMethod
    /// Where the counts came from; nil: the caller gave them.
    package var source: EstimateSource?
    package var price: PriceReference?
    package var cardPrice: PriceReference?
    /// The project's rates for models without a price, when `method` is `ceiling`.
    package var ceiling: CeilingRates?
    package var markupPartsPerMillion: Int64
    package var marks: [RatingMark]

    package init(
        bound: CallFigures = .zero, expected: CallFigures = .zero, inputTokens: Int64 = 0,
        maxOutputTokens: Int64 = 0, expectedOutputTokens: Int64 = 0, completions: Int64 = 1,
        tier: ServiceTier = .standard, method: EstimateMethod = .counts,
        price: PriceReference? = nil, cardPrice: PriceReference? = nil,
        ceiling: CeilingRates? = nil, markupPartsPerMillion: Int64 = 0, marks: [RatingMark] = []
    ) {
        self.bound = bound
        self.expected = expected
        self.inputTokens = inputTokens
        self.maxOutputTokens = maxOutputTokens
        self.expectedOutputTokens = expectedOutputTokens
        self.completions = completions
        self.tier = tier
        self.method = method
        self.price = price
        self.cardPrice = cardPrice
        self.ceiling = ceiling
        self.markupPartsPerMillion = markupPartsPerMillion
        self.marks = marks
    }

    package func figures(_ holds: HoldFigure) -> CallFigures { holds == .bound ? bound : expected }
}

/// How a budget took a call.
package enum LineOutcome: String, Sendable, Hashable, CaseIterable {
    case fits
    /// Did not fit; the output cap was lowered until it did.
    case clamped
    /// Did not fit; let through with a warning.
    case warned
    /// Did not fit; a shadow rule, so nothing happened.
    case shadowed
    /// Did not fit; refused.
    case refused
    /// Does not hold anything: kept for the sum only.
    case counted
}

/// One counter and what a call did to it. The figures are those before the call.
package struct BudgetLine: Sendable, Hashable {
    /// Budget id, or `BudgetLine.runCap` for a run's own cap.
    package var budget: String
    /// Sequence number of the event that began the budget's present counters.
    package var generation: UInt64
    /// Which of the budget's counters, see `scopeText`.
    package var scope: String
    package var window: Window
    package var measure: BudgetMeasure
    /// Nil: no limit (a run without a cap).
    package var amount: Int64?
    package var spent: Int64
    package var held: Int64
    /// What this call holds.
    package var hold: Int64
    package var outcome: LineOutcome

    package init(
        budget: String = "", generation: UInt64 = 0, scope: String = "", window: Window = Window(),
        measure: BudgetMeasure = .charge, amount: Int64? = nil, spent: Int64 = 0, held: Int64 = 0,
        hold: Int64 = 0, outcome: LineOutcome = .fits
    ) {
        self.budget = budget
        self.generation = generation
        self.scope = scope
        self.window = window
        self.measure = measure
        self.amount = amount
        self.spent = spent
        self.held = held
        self.hold = hold
        self.outcome = outcome
    }

    /// Stands in `budget` for the cap that a run itself carries. Not a valid budget id.
    package static let runCap = "$run"
}

/// What a hold has taken from the customer's funds.
package struct FundingHold: Sendable, Hashable {
    package var mode: FundingMode
    /// Portions of grants, in burn order.
    package var grants: [GrantPortion]
    /// The part that no grant covers.
    package var uncovered: Money

    package init(
        mode: FundingMode = .unfunded, grants: [GrantPortion] = [], uncovered: Money = .zero
    ) {
        self.mode = mode
        self.grants = grants
        self.uncovered = uncovered
    }
}

package enum ReservationStatus: String, Sendable, Hashable, CaseIterable {
    /// Holds money; next: settled, released, expired, charged.
    case open
    /// True usage charged. Next: only adjustments.
    case settled
    /// Given back by the caller. Final.
    case released
    /// Expired and given back. Next: settled (late).
    case expired
    /// Expired and provisionally charged. Next: settled (late), adjustments.
    case charged
    /// Refused before any money was spent. Final.
    case rejected
    /// Direct usage without a hold. Next: only adjustments.
    case recorded
}

/// What was agreed when the reservation was made; nothing later changes it.
private struct Agreement: Sendable, Hashable {
    var id: String
    var subject: Subject
    var model: String
    var estimate: Estimate
    var lines: [BudgetLine]
    var funding: FundingHold
    var reservedAt: Instant
    var onExpiry: ExpiryPolicy
    var allowsAmountSettlement: Bool
    var firstSequence: UInt64
}

/// Everything that is known of one reservation (or direct usage record): the fold of its events.
package struct Reservation: Sendable, Hashable {
    private var agreement: Shared<Agreement>
    package var status: ReservationStatus
    package var expiresAt: Instant
    /// What has been charged so far, corrections included.
    package var actual: CallFigures
    /// Where it went so far; portions in burn order.
    package var split: FundingSplit
    /// Newest event of this reservation; each event names the one before it.
    package var lastSequence: UInt64

    package init(
        id: String = "", subject: Subject = Subject(), model: String = "",
        status: ReservationStatus = .open, estimate: Estimate = Estimate(),
        lines: [BudgetLine] = [], funding: FundingHold = FundingHold(),
        reservedAt: Instant = .zero, expiresAt: Instant = .zero,
        onExpiry: ExpiryPolicy = .release, allowsAmountSettlement: Bool = false,
        actual: CallFigures = .zero, split: FundingSplit = FundingSplit(),
        firstSequence: UInt64 = 0, lastSequence: UInt64 = 0
    ) {
        agreement = Shared(
            Agreement(
                id: id, subject: subject, model: model, estimate: estimate, lines: lines,
                funding: funding, reservedAt: reservedAt, onExpiry: onExpiry,
                allowsAmountSettlement: allowsAmountSettlement, firstSequence: firstSequence))
        self.status = status
        self.expiresAt = expiresAt
        self.actual = actual
        self.split = split
        self.lastSequence = lastSequence
    }

    package var key: ReservationKey { ReservationKey(project: subject.project, id: id) }

    /// What was held for funding, whichever figure the terms say.
    package var fundingHeld: Money {
        funding.grants.reduce(funding.uncovered) { $0 + $1.amount }
    }
}

// What was agreed, as the reservation's own.
extension Reservation {
    package var id: String {
        _read { yield agreement.value.id }
        _modify { yield &agreement.value.id }
    }

    package var subject: Subject {
        _read { yield agreement.value.subject }
        _modify { yield &agreement.value.subject }
    }

    package var model: String {
        _read { yield agreement.value.model }
        _modify { yield &agreement.value.model }
    }

    package var estimate: Estimate {
        _read { yield agreement.value.estimate }
        _modify { yield &agreement.value.estimate }
    }

    package var lines: [BudgetLine] {
        _read { yield agreement.value.lines }
        _modify { yield &agreement.value.lines }
    }

    package var funding: FundingHold {
        _read { yield agreement.value.funding }
        _modify { yield &agreement.value.funding }
    }

    package var reservedAt: Instant {
        _read { yield agreement.value.reservedAt }
        _modify { yield &agreement.value.reservedAt }
    }

    package var onExpiry: ExpiryPolicy {
        _read { yield agreement.value.onExpiry }
        _modify { yield &agreement.value.onExpiry }
    }

    package var allowsAmountSettlement: Bool {
        _read { yield agreement.value.allowsAmountSettlement }
        _modify { yield &agreement.value.allowsAmountSettlement }
    }

    package var firstSequence: UInt64 {
        _read { yield agreement.value.firstSequence }
        _modify { yield &agreement.value.firstSequence }
    }
}
