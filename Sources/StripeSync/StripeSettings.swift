/// What an operator sets about Stripe. Spans are seconds.
package struct StripeSettings: Sendable, Equatable {
    /// The meter's event name. One meter counts everybody's charges, in micro-units.
    package var meter = "faregate_usage"
    /// The meter's id, for reading its sums and telling its subscriptions; found out at the start.
    package var meterID = ""
    /// Usage is pushed by windows of this length: 3,600 or 86,400.
    package var windowSeconds: Int64 = 3_600
    /// The ledger's currency, in lower case.
    package var currency = "usd"
    /// Minor units (cents) in one unit of the currency.
    package var minorUnitsPerUnit: Int64 = 100
    /// How long after the end of a period its last usage can still be pushed: Stripe finalizes an
    /// invoice an hour after it made it, unless the account says otherwise.
    package var lateSeconds: Int64 = 3_000
    /// Stripe sums with a delay. Nothing younger is judged.
    package var graceSeconds: Int64 = 900
    package var reconcileSeconds: Int64 = 21_600
    /// After so many failed attempts to collect an invoice a customer is suspended, or limited; 0:
    /// never.
    package var suspendAfterAttempts: Int64 = 4
    /// What a customer whose invoice cannot be collected may still be charged a day; nil: nothing,
    /// it is suspended.
    package var dunningDailyNanos: Int64?
    /// What an over- or under-count that was found twice is made up for with a push.
    package var repairsDrift = true
    /// Requests on their way to Stripe at once.
    package var concurrentMax = 64

    /// After this a request is not sent again: Stripe's memory of identifiers may end.
    package var resendSecondsMax: Int64 = 82_800
    /// After this what Stripe has of a request can be read.
    package var resolveSeconds: Int64 = 88_200
    /// Stripe takes no meter event that is older than 35 days.
    package var horizonSeconds: Int64 = 34 * 86_400
    /// Usage that waits longer than this raises an alarm.
    package var alarmSeconds: Int64 = 20 * 86_400
    /// An invoice is looked for by itself when nothing was heard of it so long after its period.
    package var invoiceSearchSeconds: Int64 = 10_800
    /// A period whose subscription ended is given up when there is no invoice so long after.
    package var giveUpSeconds: Int64 = 7_200

    package init() {}
}
