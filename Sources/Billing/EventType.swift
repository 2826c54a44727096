// Names of the events as they stand in the log, the API and the schema files.

extension Event {
    /// `usage.reserved`, `customer.opened` …: stable for ever.
    package var type: String {
        switch self {
        case .ledgerOpened: "ledger.opened"
        case .clockAdvanced: "clock.advanced"
        case .projectSet: "project.set"
        case .planSet: "plan.set"
        case .budgetSet: "budget.set"
        case .budgetRemoved: "budget.removed"
        case .priceBookPublished: "price_book.published"
        case .keyCreated: "key.created"
        case .keyRevoked: "key.revoked"
        case .customerOpened: "customer.opened"
        case .customerUpdated: "customer.updated"
        case .customerSuspended: "customer.suspended"
        case .customerResumed: "customer.resumed"
        case .customerClosed: "customer.closed"
        case .customerLinked: "customer.linked"
        case .creditGranted: "credit.granted"
        case .creditActivated: "credit.activated"
        case .creditExpired: "credit.expired"
        case .creditRevoked: "credit.revoked"
        case .paymentReceived: "payment.received"
        case .runStarted: "run.started"
        case .runStopped: "run.stopped"
        case .runEnded: "run.ended"
        case .usageEstimated: "usage.estimated"
        case .usageReserved: "usage.reserved"
        case .usageRejected: "usage.rejected"
        case .usageExtended: "usage.extended"
        case .usageSettled: "usage.settled"
        case .usageReleased: "usage.released"
        case .usageExpired: "usage.expired"
        case .usageAdjusted: "usage.adjusted"
        case .usageRecorded: "usage.recorded"
        case .stripe(let fact): fact.type
        }
    }
}
