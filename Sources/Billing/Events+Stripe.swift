// What happened between the ledger and Stripe. None of it changes what a customer may spend:
// credit, payments and suspensions that follow from it are events of their own.
//
// Quantities are whole micro-units (10⁻⁶) of the ledger's currency, as Stripe's meter counts them.

package import Money

/// One thing that was sent to Stripe, came from it, or was found when both were compared.
package enum StripeFact: Sendable, Hashable {
    case pushPlanned(StripePushPlanned)
    case pushAccepted(StripePushAccepted)
    case pushFailed(StripePushFailed)
    case pushRejected(StripePushRejected)
    case subscriptionSeen(StripeSubscriptionSeen)
    case periodClosed(StripePeriodClosed)
    case driftFound(StripeDriftFound)
    case repaired(StripeRepaired)
    case reconciled(StripeReconciled)
    case webhookReceived(StripeWebhookReceived)
    case webhookHandled(StripeWebhookHandled)
    case disputeOpened(DisputeOpened)
    case paymentRefunded(PaymentRefunded)
    case disputeClosed(DisputeClosed)

    package var type: String {
        switch self {
        case .pushPlanned: "stripe.push_planned"
        case .pushAccepted: "stripe.push_accepted"
        case .pushFailed: "stripe.push_failed"
        case .pushRejected: "stripe.push_rejected"
        case .subscriptionSeen: "stripe.subscription_seen"
        case .periodClosed: "stripe.period_closed"
        case .driftFound: "stripe.drift_found"
        case .repaired: "stripe.repaired"
        case .reconciled: "stripe.reconciled"
        case .webhookReceived: "stripe.webhook_received"
        case .webhookHandled: "stripe.webhook_handled"
        case .disputeOpened: "dispute.opened"
        case .paymentRefunded: "payment.refunded"
        case .disputeClosed: "dispute.closed"
        }
    }
}

package enum StripePushKind: String, Sendable, CaseIterable {
    /// Usage of one window.
    case usage
    /// Makes up for what Stripe was found to have lost, or counted too often.
    case repair
}

/// A meter event is about to be sent. On the log before the first byte leaves, so that whatever
/// happens it is sent again as it was, or not at all.
package struct StripePushPlanned: Sendable, Hashable {
    /// Usage that is in it.
    package var billable = Money.zero
    /// The request's body, byte for byte.
    package var body = ""
    /// What was carried from earlier pushes, and what is carried on.
    package var carriedAfter = Money.zero
    package var carriedBefore = Money.zero
    /// Of a repair: what it makes up for.
    package var drift: String?
    /// Also the request's `Idempotency-Key`.
    package var identifier = ""
    package var kind = StripePushKind.usage
    /// The meter's event name.
    package var meter = ""
    /// 1000 × quantity nano = billable + carriedBefore − carriedAfter, but for repairs.
    package var quantity: Int64 = 0
    package var stripeCustomer = ""
    /// Last event of the log whose usage may be in it.
    package var throughSequence: UInt64 = 0
    /// What the meter event is stamped with; whole seconds.
    package var timestamp = Instant.zero
    /// Where `billable` comes from. Other times than `timestamp` where their billing period was
    /// over.
    package var windows: [StripeWindow] = []
    package init() {}
}

/// Usage of one window of time.
package struct StripeWindow: Sendable, Hashable {
    package var billable = Money.zero
    package var start = Instant.zero
    package init() {}
    package init(start: Instant, billable: Money) {
        self.start = start
        self.billable = billable
    }
}

/// How it is known what became of a push.
package enum StripeEvidence: String, Sendable, CaseIterable {
    /// Stripe's answer to the request.
    case answer
    /// Stripe's report on meter events that it could not use.
    case report
    /// Stripe's sums, read after the answer was lost.
    case summary
    /// The invoice of its period.
    case invoice
}

/// Stripe has the meter event.
package struct StripePushAccepted: Sendable, Hashable {
    package var evidence = StripeEvidence.answer
    package var identifier = ""
    /// It had it before: an earlier answer was lost.
    package var isDuplicate = false
    package var requestID: String?
    package init() {}
}

/// A push was sent in vain and is sent again. Once for each run of attempts with the same outcome.
package struct StripePushFailed: Sendable, Hashable {
    package var attempts: Int64 = 0
    package var code = ""
    package var identifier = ""
    package var message: String?
    package var requestID: String?
    package init() {}
}

/// What becomes of the usage in a push that Stripe does not take.
package enum StripeDisposition: String, Sendable, CaseIterable {
    /// It goes into a new push.
    case reopened
    /// It waits: nothing is pushed for the customer until somebody has seen to it.
    case blocked
    /// A repair or an invoice has made up for it.
    case covered
}

/// Stripe does not take the meter event, or took it and could not use it.
package struct StripePushRejected: Sendable, Hashable {
    package var code = ""
    package var disposition = StripeDisposition.reopened
    /// What has made up for it.
    package var drift: String?
    package var evidence = StripeEvidence.answer
    package var identifier = ""
    package var message: String?
    package var requestID: String?
    package init() {}
}

/// A customer's subscription to the meter's price, as Stripe has it.
package struct StripeSubscriptionSeen: Sendable, Hashable {
    /// Nil: it goes on.
    package var endedAt: Instant?
    package var periodEnd = Instant.zero
    package var periodStart = Instant.zero
    /// Of the subscription's item that the meter feeds.
    package var price = ""
    /// When Stripe said so. What is older than the last is of no use.
    package var seenAt = Instant.zero
    package var status = ""
    package var subscription = ""
    package init() {}
}

/// A billing period can no longer change: Stripe has invoiced it, or ended it without an invoice.
/// What was pushed and not billed is carried on.
package struct StripePeriodClosed: Sendable, Hashable {
    /// What the invoice's line charges, in minor units of its currency.
    package var amountMinorUnits: Int64?
    package var billed: Int64 = 0
    /// Nil: there is no invoice.
    package var invoice: String?
    package var periodEnd = Instant.zero
    package var periodStart = Instant.zero
    /// Every push stamped in it, repairs aside, whatever became of it.
    package var pushed: Int64 = 0
    package var subscription: String?
    package init() {}
}

/// Stripe's sum and the ledger's differ, twice in a row.
package struct StripeDriftFound: Sendable, Hashable {
    package var drift = ""
    package var ledger: Int64 = 0
    package var periodStart = Instant.zero
    package var stripe: Int64 = 0
    /// Up to when both were summed.
    package var through = Instant.zero
    package init() {}
}

package enum StripeRepair: String, Sendable, CaseIterable {
    /// A push made up for it.
    case push
    /// It went away by itself.
    case vanished
    /// The period's invoice settled it.
    case invoice
}

/// A drift is no more.
package struct StripeRepaired: Sendable, Hashable {
    package var drift = ""
    package var how = StripeRepair.push
    package init() {}
}

/// A comparison of all customers' sums with Stripe's was made.
package struct StripeReconciled: Sendable, Hashable {
    package var checked: Int64 = 0
    package var differing: Int64 = 0
    package var equal: Int64 = 0
    /// Could not be read.
    package var failed: Int64 = 0
    /// Pushes were too young to judge.
    package var pending: Int64 = 0
    package init() {}
}

/// A webhook of Stripe was verified. Holds what may be needed of it and no more: no names, no
/// addresses.
package struct StripeWebhookReceived: Sendable, Hashable {
    package var account: String?
    package var apiVersion: String?
    package var bodySHA256 = ""
    /// When Stripe made it.
    package var createdAt = Instant.zero
    /// Fields of the object, each by its path.
    package var details: [Tag] = []
    package var id = ""
    package var isLive = false
    /// Comes without its object, which has to be fetched.
    package var isThin = false
    package var objectID: String?
    package var type = ""
    package init() {}
}

package enum StripeWebhookOutcome: String, Sendable, CaseIterable {
    /// Something followed from it.
    case applied
    /// It was taken note of.
    case noted
    /// Nothing has to follow from events of this type.
    case ignored
    /// It names nobody whom the ledger knows.
    case unknownCustomer = "unknown_customer"
    /// Something should have followed from it and could not: `note` says why.
    case refused
}

package struct StripeWebhookHandled: Sendable, Hashable {
    package var id = ""
    package var note: String?
    package var outcome = StripeWebhookOutcome.noted
    package init() {}
}

/// A payment is disputed.
package struct DisputeOpened: Sendable, Hashable {
    package var amountMinorUnits: Int64 = 0
    package var charge: String?
    package var currency = ""
    package var dispute = ""
    /// Nil: there is nothing to answer.
    package var dueBy: Instant?
    /// The credit that the payment had bought.
    package var grant: String?
    package var paymentIntent: String?
    package var reason = ""
    package var status = ""
    package init() {}
}

/// A payment that had bought credit was given back, or a part of it.
package struct PaymentRefunded: Sendable, Hashable {
    package var charge = ""
    /// The credit that is left, where some is.
    package var grant: String?
    package var paymentIntent = ""
    /// Given back of the payment so far, in minor units of its currency.
    package var refundedMinorUnits: Int64 = 0
    /// Credit that was spent before it could be taken.
    package var short = Money.zero
    /// Credit that was taken back.
    package var taken = Money.zero
    package init() {}
}

package struct DisputeClosed: Sendable, Hashable {
    package var dispute = ""
    /// `won`, `lost`, `warning_closed`, `prevented`.
    package var status = ""
    package init() {}
}
