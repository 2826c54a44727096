// What is due when: heaps of instants, filled from events. An entry whose subject was settled,
// extended or ended meanwhile decides to nothing when its time comes; such entries of holds are
// thrown out together now and then, so that memory follows the open holds and not the traffic.

import Billing
import HeapModule

struct Timers {
    enum Subject: Hashable, Comparable {
        case grantStart(CustomerKey, String)
        case grantEnd(CustomerKey, String)
        case hold(ReservationKey)
    }

    struct Due: Comparable {
        var at: Instant
        /// Breaks ties, so that equal logs expire in equal order whatever the heap's history.
        var subject: Subject

        static func < (a: Due, b: Due) -> Bool {
            a.at == b.at ? a.subject < b.subject : a.at < b.at
        }
    }

    private var grants = Heap<Due>()
    private var holds = Heap<Due>()
    /// Nothing is due before this.
    private(set) var earliest: Instant?

    init() {}

    /// Everything that is still to come in a state.
    init(_ state: LedgerState) {
        for customer in state.customers.values {
            for grant in customer.grants where !grant.isEnded {
                add(grant.terms, isActive: grant.isActive, customer.key)
            }
        }
        refillHolds(state.reservations.values)
    }

    func next(at now: Instant) -> Due? {
        guard let earliest, earliest <= now else { return nil }
        return soonest
    }

    private var soonest: Due? {
        guard let grant = grants.min else { return holds.min }
        guard let hold = holds.min else { return grant }
        return min(grant, hold)
    }

    mutating func removeNext() {
        switch soonest?.subject {
        case .hold: holds.removeMin()
        case .grantStart, .grantEnd: grants.removeMin()
        case nil: return
        }
        earliest = soonest?.at
    }

    /// Forgets holds that were resolved, once they are most of what is kept: most calls are settled
    /// long before their holds would expire.
    mutating func dropResolved(open: Dictionary<ReservationKey, Reservation>.Values) {
        if holds.count > 4_096 + 2 * open.count { refillHolds(open) }
    }

    private mutating func refillHolds(_ open: Dictionary<ReservationKey, Reservation>.Values) {
        holds = Heap(open.map { Due(at: $0.expiresAt, subject: .hold($0.key)) })
        earliest = soonest?.at
    }

    mutating func note(_ event: RecordedEvent) {
        let project = event.project ?? ""
        switch event.event {
        case .usageReserved(let reserved):
            insertHold(project, event.reservation, reserved.expiresAt)
        case .usageExtended(let extended):
            insertHold(project, event.reservation, extended.expiresAt)
        case .creditGranted(let granted):
            add(
                granted.grant, isActive: granted.grant.effectiveAt <= event.time,
                CustomerKey(project: project, id: event.customer ?? ""))
        default: break
        }
    }

    private mutating func insertHold(_ project: String, _ id: String?, _ at: Instant) {
        holds.insert(Due(at: at, subject: .hold(ReservationKey(project: project, id: id ?? ""))))
        expect(at)
    }

    private mutating func add(_ terms: GrantTerms, isActive: Bool, _ key: CustomerKey) {
        if !isActive {
            grants.insert(Due(at: terms.effectiveAt, subject: .grantStart(key, terms.id)))
            expect(terms.effectiveAt)
        }
        if let expiry = terms.expiresAt {
            grants.insert(Due(at: expiry, subject: .grantEnd(key, terms.id)))
            expect(expiry)
        }
    }

    private mutating func expect(_ at: Instant) {
        earliest = min(earliest ?? .max, at)
    }
}
