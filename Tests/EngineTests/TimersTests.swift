import Billing
import Testing

@testable import Engine

@Suite struct TimersTests {
    private static let count: Int64 = 20_000

    private func reserved(_ number: Int64) -> RecordedEvent {
        var event = UsageReserved()
        event.expiresAt = Instant(microseconds: 1_000 + number)
        return RecordedEvent(
            sequence: UInt64(number) + 1, time: .zero, project: "p", customer: "c",
            reservation: "r-\(number)", event: .usageReserved(event))
    }

    private func open(_ numbers: [Int64]) -> [ReservationKey: Reservation] {
        var open: [ReservationKey: Reservation] = [:]
        for number in numbers {
            guard let reservation = Reservation(first: reserved(number)) else { continue }
            open[reservation.key] = reservation
        }
        return open
    }

    private func remaining(_ timers: Timers) -> [Timers.Due] {
        var timers = timers
        var all: [Timers.Due] = []
        while let due = timers.next(at: .max) {
            all.append(due)
            timers.removeNext()
        }
        return all
    }

    // Memory follows open holds: what was settled is forgotten, what is open is kept, in order.
    @Test func forgetsResolvedHolds() {
        var timers = Timers()
        let open = open([17, 5, Self.count - 1])
        for number in 0..<Self.count {
            timers.note(reserved(number))
            timers.dropResolved(open: open.values)
        }
        let left = remaining(timers)
        #expect(left.count < 4_200)
        #expect(left.map(\.at) == left.map(\.at).sorted())
        for key in open.keys {
            #expect(left.contains { $0.subject == .hold(key) }, "\(key.id)")
        }
        #expect(timers.earliest == Instant(microseconds: 1_005))
    }

    // A grant's instant comes before a hold's that is due later, and survives the forgetting.
    @Test func grantsStay() {
        var timers = Timers()
        var granted = CreditGranted()
        granted.grant = GrantTerms(id: "g", expiresAt: Instant(microseconds: 1_001))
        timers.note(
            RecordedEvent(
                sequence: 1, time: .zero, project: "p", customer: "c",
                event: .creditGranted(granted)))
        for number in 0..<Self.count {
            timers.note(reserved(number))
            timers.dropResolved(open: open([]).values)
        }
        let grant = Timers.Subject.grantEnd(CustomerKey(project: "p", id: "c"), "g")
        #expect(remaining(timers).filter { $0.subject == grant }.count == 1)
        #expect(timers.next(at: Instant(microseconds: 1_000)) == nil)
        #expect(timers.earliest == Instant(microseconds: 1_001))
    }
}
