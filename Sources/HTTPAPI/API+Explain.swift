// Why a call was decided as it was: rebuilt from its events and from the price book as of the
// version that they pin, and from nothing else. What budgets and funds looked like is in the first
// event.

import Billing
import CanonicalJSON
import Engine
import EventLog
import Money
import Pricing

extension API {
    func getExplanation(_ call: APICall) async throws(APIError) -> APIResponse {
        try await explanation(
            ReservationKey(project: try call.project(), id: call.parameters[0]))
    }

    func postExplanation(_ call: APICall) async throws(APIError) -> APIResponse {
        let body = try call.body(mayBeEmpty: true)
        let named = try reading { () throws(FieldError) in
            var fields = body
            let project = try fields.optionalOperatorID("project")
            try fields.rejectUnknown()
            return project
        }
        return try await explanation(
            ReservationKey(project: try call.project(named: named), id: call.parameters[0]))
    }

    private func explanation(_ key: ReservationKey) async throws(APIError) -> APIResponse {
        let found = try await read { (view) throws(EngineError) in
            (try view.history(of: key), view.state.priceBook)
        }
        let (events, book) = found
        guard let explanation = Explanation(events, book: book, currency: currency) else {
            throw noReservation(key)
        }
        return APIResponse(status: 200, body: explanation.body())
    }
}

struct Explanation {
    enum Decision {
        case reserved(UsageReserved)
        case rejected(UsageRejected)
        case recorded(UsageRecorded)

        var name: String {
            switch self {
            case .reserved: "reserved"
            case .rejected: "rejected"
            case .recorded: "recorded"
            }
        }
    }

    /// The first event.
    var first: RecordedEvent
    var decision: Decision
    /// The events after it, oldest first.
    var later: [RecordedEvent]
    /// The fold of all of them.
    var reservation: Reservation
    var price: PinnedPrice?
    var cardPrice: PinnedPrice?
    var currency: String

    /// Nil when the events begin no reservation.
    init?(_ events: [RecordedEvent], book: [PriceBookPublished], currency: String) {
        guard let first = events.first, var reservation = Reservation(first: first) else {
            return nil
        }
        switch first.event {
        case .usageReserved(let event): decision = .reserved(event)
        case .usageRejected(let event): decision = .rejected(event)
        case .usageRecorded(let event): decision = .recorded(event)
        default: return nil
        }
        for event in events.dropFirst() { reservation.apply(event) }
        self.first = first
        later = Array(events.dropFirst())
        self.reservation = reservation
        self.currency = currency
        price = reservation.estimate.price.map { PinnedPrice($0, in: book) }
        cardPrice = reservation.estimate.cardPrice.map { PinnedPrice($0, in: book) }
    }

    var call: CallDescription {
        switch decision {
        case .reserved(let event): event.call
        case .rejected(let event): event.call
        case .recorded(let event): event.call
        }
    }

    /// The budgets as they stood before the call.
    var lines: [BudgetLine] {
        switch decision {
        case .reserved(let event): event.lines
        case .rejected(let event): event.lines
        case .recorded(let event): event.lines
        }
    }

    var refusal: Refusal? {
        guard case .rejected(let event) = decision else { return nil }
        return Refusal(recorded: first, event: event, currency: currency)
    }

    private var hasEstimate: Bool {
        switch decision {
        case .reserved: true
        case .rejected(let event): event.estimate != nil
        case .recorded: false
        }
    }

    func body() -> [UInt8] {
        JSONWriter.document(reservingCapacity: 8_192) { json in
            json.figures("actual", reservation.actual)
            json.budgets(lines, isHeld: false)
            json.pinnedPrice("card_price", cardPrice)
            json.member("customer", first.customer ?? "")
            json.member("decided_at", first.time)
            json.member("decision", decision.name)
            if hasEstimate { json.estimate(reservation.estimate) }
            json.member("event", first.sequence)
            json.list("events", [first] + later) { json, event in
                var bytes: [UInt8] = []
                EventCodec.encode(event, into: &bytes)
                json.raw(bytes)
            }
            switch decision {
            case .reserved(let event): json.funds(event.funds, hold: event.funding)
            case .rejected(let event):
                if let funds = event.funds { json.funds(funds, hold: nil) }
            case .recorded: break
            }
            json.member("model", call.model)
            json.member("plan", call.plan)
            json.pinnedPrice("price", price)
            json.member("project", first.project ?? "")
            if let refusal { json.object("refusal") { json in refusal.writeMembers(&json) } }
            json.member("reservation", first.reservation ?? "")
            json.split(reservation.split)
            json.member("status", reservation.status.apiName)
            json.member("text", text())
        }
    }
}

/// An entry of the price book as it stood in the version that an event pins.
struct PinnedPrice {
    var reference: PriceReference
    var published: PriceBookPublished?
    /// Nil for ceiling rates, which no book has.
    var entry: PriceEntry?

    init(_ reference: PriceReference, in book: [PriceBookPublished]) {
        self.reference = reference
        let versions = book.prefix(Int(clamping: reference.bookVersion))
        published = versions.last
        let name = PriceEntryName(model: reference.entry, card: reference.card)
        for version in versions.reversed() {
            // Within a version removals come before upserts.
            if let found = version.upserts.last(where: {
                $0.model == name.model && $0.card == name.card
            }) {
                entry = found
                return
            }
            if version.removals.contains(name) { return }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func pinnedPrice(_ name: StaticString, _ price: PinnedPrice?) {
        guard let price else { return }
        object(name) { json in
            json.member("book_version", price.reference.bookVersion)
            json.member("chain", price.reference.chain)
            json.member("effective_at", ifPresent: price.published?.effectiveAt)
            if let entry = price.entry {
                json.key("entry")
                json.priceEntry(entry)
            }
            json.member("source", ifPresent: price.published?.source)
        }
    }
}
