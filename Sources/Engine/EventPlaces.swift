// A small number for each type of event, for tables that count by type.

package import Billing

extension Event {
    /// Names of all types, each at its `typePlace`.
    package static let types = [
        "ledger.opened", "clock.advanced", "project.set", "plan.set", "budget.set",
        "budget.removed", "price_book.published", "key.created", "key.revoked", "customer.opened",
        "customer.updated", "customer.suspended", "customer.resumed", "customer.closed",
        "customer.linked", "credit.granted", "credit.activated", "credit.expired",
        "credit.revoked", "payment.received", "run.started", "run.stopped", "run.ended",
        "usage.estimated", "usage.reserved", "usage.rejected", "usage.extended", "usage.settled",
        "usage.released", "usage.expired", "usage.adjusted", "usage.recorded",
    ]

    package var typePlace: Int {
        switch self {
        case .ledgerOpened: 0
        case .clockAdvanced: 1
        case .projectSet: 2
        case .planSet: 3
        case .budgetSet: 4
        case .budgetRemoved: 5
        case .priceBookPublished: 6
        case .keyCreated: 7
        case .keyRevoked: 8
        case .customerOpened: 9
        case .customerUpdated: 10
        case .customerSuspended: 11
        case .customerResumed: 12
        case .customerClosed: 13
        case .customerLinked: 14
        case .creditGranted: 15
        case .creditActivated: 16
        case .creditExpired: 17
        case .creditRevoked: 18
        case .paymentReceived: 19
        case .runStarted: 20
        case .runStopped: 21
        case .runEnded: 22
        case .usageEstimated: 23
        case .usageReserved: 24
        case .usageRejected: 25
        case .usageExtended: 26
        case .usageSettled: 27
        case .usageReleased: 28
        case .usageExpired: 29
        case .usageAdjusted: 30
        case .usageRecorded: 31
        }
    }
}
