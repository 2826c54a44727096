// Credit grants: prepaid money, or a promise of it.

package import Money

package enum GrantCategory: String, Sendable, Hashable, CaseIterable {
    case paid, promotional
}

/// Where a grant came from.
package enum GrantSource: String, Sendable, Hashable, CaseIterable {
    case manual
    case stripeCheckout = "stripe_checkout"
    case stripeInvoice = "stripe_invoice"
    /// Made by a downward correction whose own grant had expired.
    case correction
}

/// A grant as it was given.
package struct GrantTerms: Sendable, Hashable {
    package var id: String
    package var amount: Money
    /// Lower burns first.
    package var priority: Int64
    package var effectiveAt: Instant
    package var expiresAt: Instant?
    package var category: GrantCategory
    /// Globs over the model name; empty: usable for every model.
    package var models: [String]
    package var source: GrantSource
    /// Checkout session, invoice, or the reservation that a correction belongs to.
    package var sourceReference: String?

    package init(
        id: String = "", amount: Money = .zero, priority: Int64 = 0, effectiveAt: Instant = .zero,
        expiresAt: Instant? = nil, category: GrantCategory = .paid, models: [String] = [],
        source: GrantSource = .manual, sourceReference: String? = nil
    ) {
        self.id = id
        self.amount = amount
        self.priority = priority
        self.effectiveAt = effectiveAt
        self.expiresAt = expiresAt
        self.category = category
        self.models = models
        self.source = source
        self.sourceReference = sourceReference
    }

    package var isRestricted: Bool { !models.isEmpty }

    package func covers(model: String) -> Bool {
        models.isEmpty || models.contains { globMatches($0, model) }
    }
}

/// A grant's life so far. amount = remaining + burnt + expired + revoked, at every step.
package struct Grant: Sendable, Hashable {
    package var terms: GrantTerms
    /// Sequence number of `credit.granted`; the last criterion of the burn order.
    package var createdSequence: UInt64
    /// Not yet burnt, expired or revoked; includes `held`.
    package var remaining: Money
    /// Part of `remaining` promised to open reservations.
    package var held: Money
    package var burnt: Money
    /// Part of `burnt` that repaid debt, corrections taken off.
    package var repaid: Money
    package var expired: Money
    package var revoked: Money
    /// No new hold may use it: its expiry or revocation is on the log.
    package var isEnded: Bool
    /// Its effective instant has come, on the log.
    package var isActive: Bool

    package init(
        terms: GrantTerms = GrantTerms(), createdSequence: UInt64 = 0, remaining: Money = .zero,
        held: Money = .zero, burnt: Money = .zero, repaid: Money = .zero, expired: Money = .zero,
        revoked: Money = .zero,
        isEnded: Bool = false, isActive: Bool = true
    ) {
        self.terms = terms
        self.createdSequence = createdSequence
        self.remaining = remaining
        self.held = held
        self.burnt = burnt
        self.repaid = repaid
        self.expired = expired
        self.revoked = revoked
        self.isEnded = isEnded
        self.isActive = isActive
    }

    package var available: Money { isEnded || !isActive ? .zero : remaining - held }

    /// Burn order: priority, then earlier expiry (none is last), then earlier creation.
    package static func burnsBefore(_ a: Grant, _ b: Grant) -> Bool {
        (
            a.terms.priority, a.terms.expiresAt?.microseconds ?? .max, a.createdSequence
        ) < (b.terms.priority, b.terms.expiresAt?.microseconds ?? .max, b.createdSequence)
    }
}

/// An amount taken from, or given back to, one grant.
package struct GrantPortion: Sendable, Hashable {
    package var grant: String
    package var amount: Money

    package init(grant: String = "", amount: Money = .zero) {
        self.grant = grant
        self.amount = amount
    }
}

/// Where a charge went. charge = Σ grants + billable + debt + absorbed.
package struct FundingSplit: Sendable, Hashable {
    /// In burn order.
    package var grants: [GrantPortion]
    /// Billed to the customer (postpaid); what is metered to Stripe.
    package var billable: Money
    /// Beyond grants (prepaid): blocks new holds until grants repay it.
    package var debt: Money
    /// Borne by the operator (unfunded).
    package var absorbed: Money

    package init(
        grants: [GrantPortion] = [], billable: Money = .zero, debt: Money = .zero,
        absorbed: Money = .zero
    ) {
        self.grants = grants
        self.billable = billable
        self.debt = debt
        self.absorbed = absorbed
    }

    package var fromGrants: Money { grants.reduce(.zero) { $0 + $1.amount } }
}
