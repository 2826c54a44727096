// Terms: how a customer is funded and what it is charged.

package import Money

/// How a customer's usage is paid for.
package enum FundingMode: String, Sendable, Hashable, CaseIterable {
    /// Credit grants must cover the hold, minus an optional credit limit.
    case prepaid
    /// Charge accrues and is billed; grants, if any, burn first.
    case postpaid
    /// Budgets only; nothing is billed.
    case unfunded
}

/// Which of an estimate's two numbers is held.
package enum HoldFigure: String, Sendable, Hashable, CaseIterable {
    /// Cannot be exceeded if the provider honours the output cap.
    case bound
    /// What the call will probably come to.
    case expected
}

/// What happens to a hold that nobody settled or released in time.
package enum ExpiryPolicy: String, Sendable, Hashable, CaseIterable {
    /// The hold is given back: the call is taken not to have been made.
    case release
    /// The expected estimate is charged as provisional: the call is known to have been dispatched.
    case charge
}

/// Commercial terms. A customer has those of its plan, field by field overridden by its own.
package struct Terms: Hashable, Sendable {
    package var funding: FundingMode?
    /// Prepaid: how far below zero the balance may go. Postpaid: the most that may be owed and
    /// held; nil: no limit.
    package var creditLimit: Money?
    /// Which figure the funding check holds.
    package var fundingHolds: HoldFigure?
    /// On cost, in parts per million: 200,000 is 20 %.
    package var markupPartsPerMillion: Int64?
    /// Name of the rate card in the price book.
    package var rateCard: String?

    package init(
        funding: FundingMode? = nil, creditLimit: Money? = nil, fundingHolds: HoldFigure? = nil,
        markupPartsPerMillion: Int64? = nil, rateCard: String? = nil
    ) {
        self.funding = funding
        self.creditLimit = creditLimit
        self.fundingHolds = fundingHolds
        self.markupPartsPerMillion = markupPartsPerMillion
        self.rateCard = rateCard
    }

    /// These terms, with what they leave open taken from `fallback`.
    package func filled(from fallback: Terms) -> Terms {
        Terms(
            funding: funding ?? fallback.funding, creditLimit: creditLimit ?? fallback.creditLimit,
            fundingHolds: fundingHolds ?? fallback.fundingHolds,
            markupPartsPerMillion: markupPartsPerMillion ?? fallback.markupPartsPerMillion,
            rateCard: rateCard ?? fallback.rateCard)
    }
}

/// A named set of terms; budgets may match on it.
package struct Plan: Hashable, Sendable {
    package var id: String
    package var name: String
    package var terms: Terms

    package init(id: String = "", name: String = "", terms: Terms = Terms()) {
        self.id = id
        self.name = name
        self.terms = terms
    }
}

/// What a project does where the price book has no answer.
package struct CeilingRates: Hashable, Sendable {
    package var input: Rate
    package var output: Rate

    package init(input: Rate = .zero, output: Rate = .zero) {
        self.input = input
        self.output = output
    }
}

/// A project: one product or environment of the operator.
package struct Project: Hashable, Sendable {
    package var id: String
    package var name: String
    /// Plan of customers that are opened on first sight.
    package var defaultPlan: String
    /// Rates for models without a price; nil: such calls are refused.
    package var ceilingRates: CeilingRates?
    /// Life of a hold when the caller names none, seconds.
    package var holdSeconds: Int64
    package var onExpiry: ExpiryPolicy
    /// Whether a call reserved by token counts may be settled by a plain amount.
    package var allowsAmountSettlement: Bool

    package init(
        id: String = "", name: String = "", defaultPlan: String = Project.builtInPlan,
        ceilingRates: CeilingRates? = nil, holdSeconds: Int64 = 600,
        onExpiry: ExpiryPolicy = .release, allowsAmountSettlement: Bool = false
    ) {
        self.id = id
        self.name = name
        self.defaultPlan = defaultPlan
        self.ceilingRates = ceilingRates
        self.holdSeconds = holdSeconds
        self.onExpiry = onExpiry
        self.allowsAmountSettlement = allowsAmountSettlement
    }

    /// The project and plan that every ledger starts with.
    package static let builtIn = "default"
    package static let builtInPlan = "default"
}

package enum CustomerStatus: String, Sendable, Hashable, CaseIterable {
    case active, suspended, closed
}

/// Roles of API keys, each including the ones before it in power: read < meter < admin.
package enum KeyRole: String, Sendable, Hashable, CaseIterable {
    case read, meter, admin
}

/// An API key; only the hash of the secret is kept.
package struct APIKey: Hashable, Sendable {
    package var id: String
    package var name: String
    package var role: KeyRole
    /// The one project it may act in; nil: all.
    package var project: String?
    /// Lower-case hex SHA-256 of the whole secret.
    package var secretHash: String
    package var createdAt: Instant
    package var revokedAt: Instant?

    package init(
        id: String = "", name: String = "", role: KeyRole = .read, project: String? = nil,
        secretHash: String = "", createdAt: Instant = .zero, revokedAt: Instant? = nil
    ) {
        self.id = id
        self.name = name
        self.role = role
        self.project = project
        self.secretHash = secretHash
        self.createdAt = createdAt
        self.revokedAt = revokedAt
    }
}
