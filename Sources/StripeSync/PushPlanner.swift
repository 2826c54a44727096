// Which push comes next for a customer: a pure function of its row, its windows that are over, and
// the time. The rules:
//
// - A push carries whole micro-units; what is below one is carried to the next push.
// - It is stamped inside its window, a minute before the end, and inside the period that it is
//   billed in: Stripe's own documentation disagrees on whether an end belongs to a span, so no
//   stamp lies near one.
// - Usage of a period whose invoice may be final is stamped into the open period instead.
// - A period's sum is never pushed below zero: Stripe bills that as nothing. The rest is carried.
// - Without an open period nothing is pushed: it would be billed nowhere.

package import Billing
package import Money
import StripeAPI

package struct PushPlan: Sendable, Equatable {
    package var quantity: Int64
    package var stampMicroseconds: Int64
    package var windows: [StripeWindow]
    package var billable: Money
    package var carriedBefore: Money
    package var carriedAfter: Money
}

package struct PushPlanner: Sendable {
    let settings: StripeSettings

    package init(_ settings: StripeSettings) { self.settings = settings }

    private static let second: Int64 = 1_000_000
    private static let minute: Int64 = 60_000_000

    /// - Parameters:
    ///   - windows: that are over, oldest first.
    ///   - periodTotal: Σ quantity pushed into the span, asked for where a push would be negative.
    package func plan<Failure: Error>(
        _ row: StripeCustomerRow, _ windows: [StripeWindowRow], now: Instant,
        periodTotal: (Range<Int64>) throws(Failure) -> Int64
    ) throws(Failure) -> PushPlan? {
        guard row.blocked.isEmpty, row.openPush.isEmpty, row.periodStart > 0 else { return nil }
        var shares: [StripeWindow] = []
        var sum = Int128(row.carriedNanos)
        var nanos: Int128 = 0
        var target: (stamp: Int64, period: Range<Int64>)?
        for window in windows {
            guard let place = place(of: window.start..<window.end, row, now) else { break }
            shares.append(
                StripeWindow(
                    start: Instant(microseconds: window.start),
                    billable: Money(nanos: window.nanos)))
            nanos += Int128(window.nanos)
            sum += Int128(window.nanos)
            target = place
            if Self.floor(sum) > 0 { break }
            // What was billed too much comes off the period's sum; where that is nothing, later
            // windows make up for it.
            if Self.floor(sum) < 0, try periodTotal(place.period) > 0 { break }
        }
        if shares.isEmpty, Self.floor(sum) != 0, row.endedAt == 0 {
            target = openPlace(row, now)
        }
        guard let target else { return nil }
        var quantity = Self.floor(sum)
        if quantity < 0 {
            let total = try periodTotal(target.period)
            quantity = max(quantity, -Int128(max(total, 0)))
        }
        let most = Int128(MeterEventBody.valueMax)
        quantity = min(max(quantity, -most), most)
        guard quantity != 0, let after = Int64(exactly: sum - quantity * 1_000),
            let billable = Int64(exactly: nanos)
        else { return nil }
        return PushPlan(
            quantity: Int64(quantity), stampMicroseconds: target.stamp, windows: shares,
            billable: Money(nanos: billable), carriedBefore: Money(nanos: row.carriedNanos),
            carriedAfter: Money(nanos: after))
    }

    /// Whole micro-units, rounded down.
    private static func floor(_ nanos: Int128) -> Int128 {
        let (quotient, remainder) = nanos.quotientAndRemainder(dividingBy: 1_000)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// What usage of a window is stamped with, and the period that this bills it in.
    func place(
        of window: Range<Int64>, _ row: StripeCustomerRow, _ now: Instant
    ) -> (stamp: Int64, period: Range<Int64>)? {
        let late = settings.lateSeconds * Self.second
        let horizon = now.microseconds - settings.horizonSeconds * Self.second
        let period = row.periodStart..<max(row.periodEnd, row.periodStart + 1)
        // The end of the period that the window is in.
        let end: Int64
        if window.lowerBound < period.lowerBound {
            end = period.lowerBound
        } else if row.endedAt > 0 {
            guard window.lowerBound < row.endedAt else { return nil }
            end = row.endedAt
        } else if window.lowerBound < period.upperBound {
            end = period.upperBound
        } else {
            // The next period has begun and was not heard of yet; it will end like this one.
            end = .max
        }
        let isInTime =
            end > now.microseconds - late && window.lowerBound >= row.closedEnd
            && window.lowerBound >= horizon
        if isInTime {
            let stamp = stamp(in: window.lowerBound..<min(window.upperBound, end), now)
            let bounds =
                window.lowerBound < period.lowerBound
                ? window.lowerBound..<period.lowerBound
                : window.lowerBound < period.upperBound
                    ? period : period.upperBound..<Int64.max
            return (stamp, bounds)
        }
        return row.endedAt == 0 ? openPlace(row, now) : nil
    }

    /// A stamp for what is late: the latest minute of the open period.
    func openPlace(
        _ row: StripeCustomerRow, _ now: Instant
    ) -> (stamp: Int64, period: Range<Int64>)? {
        guard row.endedAt == 0 else { return nil }
        // The period has ended and the next one is not known: wait until it is.
        guard row.periodEnd > now.microseconds else { return nil }
        // A subscription that was ended has an invoice before it is heard of its end.
        let start = max(row.periodStart, row.closedEnd)
        guard start < now.microseconds - 2 * Self.second else { return nil }
        return (stamp(in: start..<now.microseconds, now), row.periodStart..<row.periodEnd)
    }

    /// In whole seconds, strictly inside, a minute before the end where there is room.
    private func stamp(in span: Range<Int64>, _ now: Instant) -> Int64 {
        let first = (span.lowerBound / Self.second + 1) * Self.second
        let last = min(span.upperBound - Self.minute, now.microseconds - Self.second)
        return max(first, last / Self.second * Self.second)
    }
}
