// Where time comes from. The engine alone asks; everybody else is told by the events.

package import Billing
import Glibc
import Synchronization

/// A clock. It may jump; the engine never lets an event be earlier than the one before it.
package protocol LedgerClock: Sendable {
    func now() -> Instant
    /// Whether timers must be looked at as real time passes (a manual clock only moves when told).
    var isReal: Bool { get }
}

/// The machine's real-time clock, UTC.
package struct SystemClock: LedgerClock {
    package init() {}

    package var isReal: Bool { true }

    package func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(
            microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }
}

/// A clock that stands still until it is set. For tests and for ledgers made for tests.
package final class ManualClock: LedgerClock {
    private let instant: Atomic<Int64>

    package init(_ start: Instant) { instant = Atomic(start.microseconds) }

    package var isReal: Bool { false }

    package func now() -> Instant {
        Instant(microseconds: instant.load(ordering: .acquiring))
    }

    package func set(_ now: Instant) { instant.store(now.microseconds, ordering: .releasing) }

    package func advance(seconds: Int64) {
        set(now().advanced(bySeconds: seconds))
    }
}
