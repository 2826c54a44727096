// The fold: one event in, rows changed. Pure: what it looks at is the event, rows, and earlier
// events of the same call. Total: an event on the log is true, so nothing here refuses or traps.
//
// Everything is booked on the day of the event that says it. A correction, and a usage that comes
// after its hold expired, change the day on which they came, never a day before: what was reported
// of a past day stays true.

package import Billing
package import EventLog
import Money

extension WorkingSet {
    /// Folds one event in.
    ///
    /// - Throws: when rows or earlier events cannot be read.
    package mutating func fold(
        _ recorded: RecordedEvent, _ log: some EventLookup
    ) throws(StoreError) {
        let customer = CustomerKey(project: recorded.project ?? "", id: recorded.customer ?? "")
        switch recorded.event {
        case .usageReserved(let event): try reserve(event, recorded, customer)
        case .usageRejected(let event): try reject(event, recorded, customer)
        case .usageExtended(let event):
            let blank = OpenReservationRow(recorded.reservationKey)
            guard try open.find(blank, in: &source) != nil else { return }
            try open.change(blank, in: &source) { $0.expiresAt = event.expiresAt.microseconds }
        case .usageSettled(let event): try settle(event, recorded, customer, log)
        case .usageReleased(let event):
            guard let call = try closeHold(recorded, log) else { return }
            try usage.change(
                UsageRow(customer, model: call.history.model, day: recorded.day), in: &source
            ) { $0.released.add(1) }
            try unhold(call.history, .zero, recorded)
            try resolveFunds(
                call.history.funding, FundingSplit(), event.repaidDebt, recorded, customer)
        case .usageExpired(let event): try expire(event, recorded, customer, log)
        case .usageAdjusted(let event): try adjust(event, recorded, customer, log)
        case .usageRecorded(let event): try record(event, recorded, customer)
        case .creditGranted(let event): try grant(event, recorded, customer)
        case .creditActivated(let event):
            guard event.repaidDebt > .zero else { return }
            try repay(
                [GrantPortion(grant: event.grant, amount: event.repaidDebt)], recorded, customer)
        case .creditExpired(let event), .creditRevoked(let event):
            try end(event, recorded, customer)
        case .paymentReceived(let event):
            try revenue.change(RevenueRow(customer, day: recorded.day), in: &source) {
                $0.paid.add(event.amount.nanos)
            }
        case .ledgerOpened, .clockAdvanced, .projectSet, .planSet, .budgetSet, .budgetRemoved,
            .priceBookPublished, .keyCreated, .keyRevoked, .customerOpened, .customerUpdated,
            .customerSuspended, .customerResumed, .customerClosed, .customerLinked, .runStarted,
            .runStopped, .runEnded, .usageEstimated, .stripe:
            break
        }
    }
}

extension RecordedEvent {
    /// Day of UTC, counted from 1970-01-01.
    var day: Int64 { ViewDay.day(of: time) }

    var reservationKey: ReservationKey {
        ReservationKey(project: project ?? "", id: reservation ?? "")
    }
}

package enum ViewDay {
    package static let microseconds: Int64 = 86_400_000_000

    /// The day of UTC that an instant is in, counted from 1970-01-01.
    package static func day(of instant: Instant) -> Int64 {
        let (quotient, remainder) = instant.microseconds.quotientAndRemainder(
            dividingBy: microseconds)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// When a day begins. Days are those of instants, so that this cannot overflow.
    package static func start(of day: Int64) -> Instant {
        let (start, overflow) = day.multipliedReportingOverflow(by: microseconds)
        if overflow { return day < 0 ? .zero : .max }
        return Instant(microseconds: start)
    }
}
