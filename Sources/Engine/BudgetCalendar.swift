// Budget windows from the time zone database, remembering the last window of each kind and zone:
// thousands of calls fall into the same day.

package import Billing
import Synchronization
package import TimeZones

package final class BudgetCalendar: WindowCalendar {
    private struct Key: Hashable {
        var kind: BudgetWindow
        var timeZone: String
        var billingDay: Int64
    }

    private let database: TimeZoneDatabase
    private let windows = Mutex<[Key: Window]>([:])

    package init(_ database: TimeZoneDatabase) { self.database = database }

    package func knows(timeZone: String) -> Bool {
        (try? database.rules(for: timeZone)) != nil
    }

    package func window(
        _ kind: BudgetWindow, containing instant: Instant, timeZone: String, billingDay: Int64
    ) -> Window {
        let key = Key(
            kind: kind, timeZone: timeZone, billingDay: kind == .billingPeriod ? billingDay : 0)
        if let window = windows.withLock({ $0[key] }),
            window.start <= instant, window.end.map({ instant < $0 }) ?? true
        {
            return window
        }
        // A zone that vanished from the machine falls back to UTC: the rule was accepted when it
        // was known, and a decision cannot fail on a file. The window is recorded in the event.
        let rules = (try? database.rules(for: timeZone)) ?? .utc
        let range = calendarWindow(kind, billingDay).window(
            containing: instant.microseconds, in: rules)
        let window = Window(
            start: Instant(microseconds: range.lowerBound),
            end: Instant(microseconds: range.upperBound))
        windows.withLock { $0[key] = window }
        return window
    }

    private func calendarWindow(_ kind: BudgetWindow, _ billingDay: Int64) -> CalendarWindow {
        switch kind {
        case .minute: .minute
        case .hour: .hour
        case .day: .day
        case .week: .week
        case .month, .run, .lifetime: .month
        case .billingPeriod: .monthAnchored(day: Int(billingDay))
        }
    }
}
