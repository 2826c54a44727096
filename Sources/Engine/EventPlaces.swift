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
        "stripe.push_planned",
        "stripe.push_accepted",
        "stripe.push_failed",
        "stripe.push_rejected",
        "stripe.period_closed",
        "stripe.drift_found",
        "stripe.repaired",
        "stripe.reconciled",
        "stripe.webhook_received",
        "stripe.webhook_handled",
        "dispute.opened",
        "payment.refunded",
        "dispute.closed", "stripe.subscription_seen",
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
        case .stripe(let fact): fact.typePlace
        }
    }
}

extension StripeFact {
    fileprivate var typePlace: Int {
        switch self {
        case .pushPlanned: 32
        case .pushAccepted: 33
        case .pushFailed: 34
        case .pushRejected: 35
        case .periodClosed: 36
        case .driftFound: 37
        case .repaired: 38
        case .reconciled: 39
        case .webhookReceived: 40
        case .webhookHandled: 41
        case .disputeOpened: 42
        case .paymentRefunded: 43
        case .disputeClosed: 44
        case .subscriptionSeen: 45
        }
    }
}
