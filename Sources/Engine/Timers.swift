// What is due when: a heap of instants, filled from events. Entries are never removed early; one
// whose subject was settled, extended or ended meanwhile decides to nothing when its time comes.

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

    private var heap = Heap<Due>()

    init() {}

    /// Everything that is still to come in a state.
    init(_ state: LedgerState) {
        for reservation in state.reservations.values {
            heap.insert(Due(at: reservation.expiresAt, subject: .hold(reservation.key)))
        }
        for customer in state.customers.values {
            for grant in customer.grants where !grant.isEnded {
                add(grant.terms, isActive: grant.isActive, customer.key)
            }
        }
    }

    var earliest: Instant? { heap.min?.at }

    func next(at now: Instant) -> Due? {
        guard let due = heap.min, due.at <= now else { return nil }
        return due
    }

    mutating func removeNext() { heap.removeMin() }

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
        heap.insert(Due(at: at, subject: .hold(ReservationKey(project: project, id: id ?? ""))))
    }

    private mutating func add(_ terms: GrantTerms, isActive: Bool, _ key: CustomerKey) {
        if !isActive {
            heap.insert(Due(at: terms.effectiveAt, subject: .grantStart(key, terms.id)))
        }
        if let expiry = terms.expiresAt {
            heap.insert(Due(at: expiry, subject: .grantEnd(key, terms.id)))
        }
    }
}
