import Billing
import EventLog
import Money

extension GoldenEvents {
    private static func ofAcme(_ fact: StripeFact) -> EventDraft {
        EventDraft(.stripe(fact), project: "default", customer: "acme")
    }

    private static let march = Instant(microseconds: 1_772_323_200_000_000)
    private static let april = Instant(microseconds: 1_775_001_600_000_000)
    private static let push = "faregate:9f0c7a1e5b3d2846a0c4e8f1b7d39512:7"

    /// In the order of the catalog.
    static let stripe: [EventDraft] = {
        let order = EventCatalog.entries.map(\.type)
        return (pushes + periods + inbox).sorted {
            (order.firstIndex(of: $0.event.type) ?? 0) < (order.firstIndex(of: $1.event.type) ?? 0)
        }
    }()

    private static let pushes: [EventDraft] = [
        ofAcme(
            .pushPlanned(
                filled {
                    $0.billable = Money(nanos: 12_345_678_900)
                    $0.body =
                        "event_name=faregate_usage&identifier=\(push)"
                        + "&payload[stripe_customer_id]=cus_1&payload[value]=12345679"
                        + "&timestamp=1772326740"
                    $0.carriedBefore = Money(nanos: 400)
                    $0.carriedAfter = Money(nanos: 300)
                    $0.identifier = push
                    $0.meter = "faregate_usage"
                    $0.quantity = 12_345_679
                    $0.stripeCustomer = "cus_NffrFeUfNV2Hib"
                    $0.throughSequence = 41
                    $0.timestamp = march.advanced(bySeconds: 3_540)
                    $0.windows = [
                        StripeWindow(start: march, billable: Money(nanos: 12_345_678_900))
                    ]
                })),
        ofAcme(
            .pushFailed(
                filled {
                    $0.attempts = 1
                    $0.code = "timeout"
                    $0.identifier = push
                })),
        ofAcme(
            .pushAccepted(
                filled {
                    $0.identifier = push
                    $0.isDuplicate = true
                    $0.requestID = "req_1"
                })),
        ofAcme(
            .pushRejected(
                filled {
                    $0.code = "timestamp_too_far_in_past"
                    $0.disposition = .covered
                    $0.drift = "drift_1"
                    $0.evidence = .report
                    $0.identifier = push
                })),
    ]

    private static let periods: [EventDraft] = [
        ofAcme(
            .subscriptionSeen(
                filled {
                    $0.subscription = "sub_1"
                    $0.status = "active"
                    $0.price = "price_1"
                    $0.periodStart = march
                    $0.periodEnd = april
                    $0.seenAt = march
                })),
        ofAcme(
            .driftFound(
                filled {
                    $0.drift = "drift_1"
                    $0.ledger = 12_345_679
                    $0.stripe = 12_000_000
                    $0.periodStart = march
                    $0.through = march.advanced(bySeconds: 86_400)
                })),
        ofAcme(
            .repaired(
                filled {
                    $0.drift = "drift_1"
                    $0.how = .push
                })),
        EventDraft(
            .stripe(
                .reconciled(
                    filled {
                        $0.checked = 12
                        $0.equal = 11
                        $0.differing = 1
                        $0.pending = 3
                    }))),
        ofAcme(
            .periodClosed(
                filled {
                    $0.invoice = "in_1"
                    $0.subscription = "sub_1"
                    $0.periodStart = march
                    $0.periodEnd = april
                    $0.pushed = 12_345_679
                    $0.billed = 12_345_679
                    $0.amountMinorUnits = 1_235
                })),
    ]

    private static let inbox: [EventDraft] = [
        EventDraft(
            .stripe(
                .webhookReceived(
                    filled {
                        $0.id = "evt_1"
                        $0.type = "invoice.paid"
                        $0.apiVersion = "2026-10-28.endive"
                        $0.bodySHA256 = String(repeating: "ab", count: 32)
                        $0.createdAt = april
                        $0.isLive = true
                        $0.objectID = "in_1"
                        $0.details = [
                            Tag(key: "amount_paid", value: "1235"),
                            Tag(key: "customer", value: "cus_NffrFeUfNV2Hib"),
                        ]
                    }))),
        EventDraft(
            .stripe(
                .webhookHandled(
                    filled {
                        $0.id = "evt_1"
                        $0.outcome = .applied
                    }))),
        ofAcme(
            .paymentRefunded(
                filled {
                    $0.charge = "ch_1"
                    $0.grant = "ch_1-500"
                    $0.paymentIntent = "pi_1"
                    $0.refundedMinorUnits = 500
                    $0.taken = Money(nanos: 5_000_000_000)
                })),
        ofAcme(
            .disputeOpened(
                filled {
                    $0.amountMinorUnits = 2_000
                    $0.charge = "ch_1"
                    $0.currency = "usd"
                    $0.dispute = "du_1"
                    $0.dueBy = april
                    $0.grant = "cs_1"
                    $0.paymentIntent = "pi_1"
                    $0.reason = "fraudulent"
                    $0.status = "needs_response"
                })),
        ofAcme(
            .disputeClosed(
                filled {
                    $0.dispute = "du_1"
                    $0.status = "won"
                })),
    ]
}

extension StripePushPlanned: Fillable {}
extension StripePushAccepted: Fillable {}
extension StripePushFailed: Fillable {}
extension StripePushRejected: Fillable {}
extension StripeSubscriptionSeen: Fillable {}
extension StripePeriodClosed: Fillable {}
extension StripeDriftFound: Fillable {}
extension StripeRepaired: Fillable {}
extension StripeReconciled: Fillable {}
extension StripeWebhookReceived: Fillable {}
extension StripeWebhookHandled: Fillable {}
extension DisputeOpened: Fillable {}
extension DisputeClosed: Fillable {}
extension PaymentRefunded: Fillable {}
