// The engine without its threads: requests in, events and answers out. One thread at a time uses
// it; nothing here waits but for the point reads that a repeated id needs.
//
// A batch is decided on the state as the batches before it left it, durable or not. When an append
// fails, everything since the durable head is thrown away and the state is folded again from the
// log.

package import Billing
import EventLog
import Pricing

/// What one round of deciding produced.
struct DecidedBatch {
    /// Head of the log before the batch.
    var expectedHead: UInt64
    var events: [RecordedEvent] = []
}

struct EngineCore {
    private(set) var state: LedgerState
    private(set) var catalog = PriceCatalog()
    private(set) var index: FingerprintIndex
    private(set) var timers = Timers()
    let store: any EventStore
    let calendar: any WindowCalendar
    /// Events handed over and not yet known to be durable, oldest batch first; `index` may point at
    /// them as at those of `batch`.
    private var undurable: [[RecordedEvent]] = []
    private(set) var batch: DecidedBatch
    private var lastFingerprint: (key: ReservationKey, value: Fingerprint)?

    /// State, index and timers of what is in the store.
    init(
        state: LedgerState, index: FingerprintIndex, store: any EventStore,
        calendar: any WindowCalendar
    ) {
        self.state = state
        self.index = index
        self.store = store
        self.calendar = calendar
        batch = DecidedBatch(expectedHead: state.sequence)
        for version in state.priceBook { catalog.publish(version) }
        timers = Timers(state)
    }

    /// Hands the events decided so far over for appending and starts a new batch.
    mutating func takeBatch() -> DecidedBatch {
        let taken = batch
        if !taken.events.isEmpty { undurable.append(taken.events) }
        batch = DecidedBatch(expectedHead: state.sequence)
        return taken
    }

    /// Everything up to `sequence` is durable.
    mutating func markDurable(upTo sequence: UInt64) {
        undurable.removeAll { $0[$0.count - 1].sequence <= sequence }
    }

    // MARK: Time

    /// Now, never earlier than the newest event.
    func time(_ clock: any LedgerClock) -> Instant { max(clock.now(), state.time) }

    /// Appends what is due by `now`: expired holds, grants that begin or end. At most `limit` of
    /// them; true when more are due.
    mutating func settleDue(_ now: Instant, limit: Int = .max) -> Bool {
        var done = 0
        while let due = timers.next(at: now) {
            if done == limit { return true }
            timers.removeNext()
            done += 1
            let command: Command =
                switch due.subject {
                case .hold(let key): .expire(key)
                case .grantStart(let key, let grant): .activateCredit(key, grant: grant)
                case .grantEnd(let key, let grant): .expireCredit(key, grant: grant)
                }
            // What was settled, extended or ended meanwhile decides to nothing.
            let drafts = (try? state.decide(command, Facts(now: now, calendar: calendar))) ?? []
            for draft in drafts { record(draft, EngineRequest(command), isPrimary: false, now) }
        }
        return false
    }

    // MARK: Commands

    /// Decides one request and records its events.
    mutating func process(
        _ request: EngineRequest, now: Instant
    ) throws(EngineError) -> CommandReply {
        if let replay = try replayed(request) { return replay }
        let known = try resolvedReservation(of: request.command)
        let open = request.command.reservationKey.flatMap { state.reservations[$0] }
        let facts = facts(for: request.command, resolved: known, now)
        let drafts: [EventDraft]
        do throws(CommandError) {
            drafts = try state.decide(request.command, facts)
        } catch {
            throw .command(error)
        }
        if request.isDryRun { return dryRun(drafts, request, now) }
        let primary = Self.primaryIndex(of: drafts)
        var appended: [RecordedEvent] = []
        appended.reserveCapacity(drafts.count)
        for (place, draft) in drafts.enumerated() {
            appended.append(record(draft, request, isPrimary: place == primary, now))
        }
        let event = appended.isEmpty ? nil : appended[primary]
        let reservation = request.command.reservationKey.flatMap { key in
            state.reservations[key] ?? Self.resolved(open ?? known, event)
        }
        return CommandReply(event: event, appended: appended, reservation: reservation)
    }

    /// A reservation that is no longer (or never was) open, after `event`.
    private static func resolved(_ before: Reservation?, _ event: RecordedEvent?) -> Reservation? {
        guard let event else { return before }
        if let new = Reservation(first: event) { return new }
        var reservation = before
        reservation?.apply(event)
        return reservation
    }

    /// The event that answers: the last that is not a customer opened on the way or a follow-up
    /// grant.
    private static func primaryIndex(of drafts: [EventDraft]) -> Int {
        if drafts.count > 1, case .customerOpened = drafts[0].event { return 1 }
        return 0
    }

    private func dryRun(
        _ drafts: [EventDraft], _ request: EngineRequest, _ now: Instant
    ) -> CommandReply {
        var events: [RecordedEvent] = []
        for (offset, draft) in drafts.enumerated() {
            events.append(
                RecordedEvent(
                    sequence: state.sequence + 1 + UInt64(offset), time: now,
                    project: draft.project, customer: draft.customer,
                    reservation: draft.reservation, actor: request.actor, event: draft.event))
        }
        let primary = Self.primaryIndex(of: drafts)
        return CommandReply(event: events.isEmpty ? nil : events[primary], appended: [])
    }

    private func facts(
        for command: Command, resolved: Reservation?, _ now: Instant
    ) -> Facts {
        var facts = Facts(now: now, calendar: calendar, resolved: resolved)
        switch command {
        case .estimate(let call): quote(call, &facts)
        case .reserve(let request): quote(request.call, &facts)
        case .settle(let request):
            if case .usage(let usage) = request.actual,
                let reservation = state.reservations[request.key] ?? resolved
            {
                facts.rated = rated(usage, for: reservation)
            }
        case .adjust(let request):
            if case .usage(let usage) = request.correction,
                let reservation = state.reservations[request.key] ?? resolved
            {
                facts.rated = rated(usage, for: reservation)
            }
        case .recordUsage(let request):
            if case .usage(let usage) = request.actual {
                let (rated, markup) = rated(usage, request: request, now: now)
                facts.rated = rated
                facts.markupPartsPerMillion = markup
                if case .success(let figures) = rated, figures.marks.contains(.ceilingRate) {
                    facts.ceiling = state.projects[request.subject.project]?.ceilingRates
                }
            }
        default: break
        }
        return facts
    }

    private func quote(_ call: CallRequest, _ facts: inout Facts) {
        let (quote, markup) = quote(call, now: facts.now)
        facts.quote = quote
        facts.markupPartsPerMillion = markup
        if case .success(let quote) = quote, quote.method == .ceiling {
            facts.ceiling = state.projects[call.subject.project]?.ceilingRates
        }
    }

    /// Gives an event its place, folds it in and puts its bytes into the batch.
    @discardableResult
    private mutating func record(
        _ draft: EventDraft, _ request: EngineRequest, isPrimary: Bool, _ now: Instant
    ) -> RecordedEvent {
        let event = RecordedEvent(
            sequence: state.sequence + 1, time: now, project: draft.project,
            customer: draft.customer, reservation: draft.reservation, actor: request.actor,
            idempotencyKeyHash: isPrimary ? request.idempotencyKey?.hex : nil,
            requestHash: isPrimary ? request.requestHash?.hex : nil, event: draft.event)
        state.evolve(event)
        if case .priceBookPublished(let version) = event.event { catalog.publish(version) }
        timers.note(event)
        timers.dropResolved(open: state.reservations.values)
        index.note(event, reservation: fingerprint(of: event))
        batch.events.append(event)
        return event
    }

    // MARK: Same id, same answer

    /// The answer this very request got before; nil when it is new.
    private mutating func replayed(
        _ request: EngineRequest
    ) throws(EngineError) -> CommandReply? {
        if let key = request.idempotencyKey, let sequence = index[key] {
            return try replay(try event(at: sequence), request)
        }
        switch request.command {
        case .reserve, .recordUsage:
            guard let key = request.command.reservationKey else { return nil }
            let open = state.reservations[key]?.lastSequence
            guard let newest = open ?? index[fingerprint(of: key)] else { return nil }
            return try replay(try history(from: newest)[0], request)
        case .settle(let settle):
            guard state.reservations[settle.key] == nil, let newest = newestSequence(of: settle.key)
            else { return nil }
            let settled = try history(from: newest).last {
                if case .usageSettled = $0.event { true } else { false }
            }
            guard let settled, settled.requestHash == request.requestHash?.hex else { return nil }
            return try replay(settled, request)
        default: return nil
        }
    }

    /// Digests cost more than comparing names, and the event that a request leads to asks for the
    /// same one again.
    private mutating func fingerprint(of key: ReservationKey) -> Fingerprint {
        if let last = lastFingerprint, last.key == key { return last.value }
        let value = Fingerprint(.reservation, key.project, key.id)
        lastFingerprint = (key, value)
        return value
    }

    private mutating func fingerprint(of event: RecordedEvent) -> Fingerprint? {
        guard let id = event.reservation, let project = event.project else { return nil }
        return fingerprint(of: ReservationKey(project: project, id: id))
    }

    private func replay(
        _ event: RecordedEvent, _ request: EngineRequest
    ) throws(EngineError) -> CommandReply {
        guard event.requestHash == request.requestHash?.hex else { throw .idempotencyMismatch }
        var known: Reservation?
        if let id = event.reservation, let project = event.project {
            known = try reservation(ReservationKey(project: project, id: id), upTo: event.sequence)
        }
        return CommandReply(event: event, isReplay: true, reservation: known)
    }

    private func newestSequence(of key: ReservationKey) -> UInt64? {
        if let open = state.reservations[key] { return open.lastSequence }
        return index[Fingerprint(.reservation, key.project, key.id)]
    }

    private func resolvedReservation(
        of command: Command
    ) throws(EngineError) -> Reservation? {
        switch command {
        case .settle, .extend, .release, .adjust: break
        default: return nil
        }
        guard let key = command.reservationKey, state.reservations[key] == nil else { return nil }
        return try reservation(key)
    }

    /// The reservation as far as its event at `sequence` (or its newest); nil when the id is
    /// unknown.
    func reservation(
        _ key: ReservationKey, upTo sequence: UInt64 = .max
    ) throws(EngineError) -> Reservation? {
        guard let newest = newestSequence(of: key) else { return nil }
        let events = try history(from: newest)
        guard var result = Reservation(first: events[0]) else { return nil }
        for event in events.dropFirst() where event.sequence <= sequence { result.apply(event) }
        return result
    }

    /// All events of the reservation whose newest is at `sequence`, oldest first; never empty.
    func history(from sequence: UInt64) throws(EngineError) -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        var next: UInt64? = sequence
        while let sequence = next {
            let event = try event(at: sequence)
            events.append(event)
            next = Reservation.previous(of: event)
            // Each event names an earlier one; anything else is a damaged log, not a reason to
            // loop.
            if let next, next >= sequence {
                throw .unreadable("event \(sequence) points at \(next)")
            }
        }
        return events.reversed()
    }

    private func recentEvent(at sequence: UInt64) -> RecordedEvent? {
        for events in [batch.events] + undurable.reversed() {
            guard let first = events.first?.sequence, sequence >= first else { continue }
            return sequence - first < events.count ? events[Int(sequence - first)] : nil
        }
        return nil
    }

    func event(at sequence: UInt64) throws(EngineError) -> RecordedEvent {
        if let recent = recentEvent(at: sequence) { return recent }
        do {
            let found = try store.read(after: sequence - 1, limit: 1, maxBytes: 1)
            guard let stored = found.first, stored.sequence == sequence else {
                throw EngineError.unreadable("event \(sequence) is missing")
            }
            return try EventCodec.decode(stored.bytes)
        } catch let error as EngineError {
            throw error
        } catch {
            throw .unreadable("event \(sequence): \(error)")
        }
    }
}

extension Command {
    /// The reservation a command is about.
    package var reservationKey: ReservationKey? {
        switch self {
        case .reserve(let request): request.key
        case .settle(let request): request.key
        case .extend(let key, _), .release(let key, _), .expire(let key): key
        case .adjust(let request): request.key
        case .recordUsage(let request): request.key
        default: nil
        }
    }
}

extension PriceCatalog {
    mutating func publish(_ event: PriceBookPublished) {
        publish(
            version: event.version, effectiveMicroseconds: event.effectiveAt.microseconds,
            upserts: event.upserts, removals: event.removals.map { ($0.model, $0.card) })
    }
}

extension FingerprintIndex {
    /// Remembers the ids that an event answers for.
    mutating func note(_ event: RecordedEvent) {
        var reservation: Fingerprint?
        if let id = event.reservation, let project = event.project {
            reservation = Fingerprint(.reservation, project, id)
        }
        note(event, reservation: reservation)
    }

    /// The same, with the fingerprint of its reservation at hand.
    mutating func note(_ event: RecordedEvent, reservation: Fingerprint?) {
        if let reservation { set(reservation, event.sequence) }
        if let hash = event.idempotencyKeyHash, let key = Fingerprint(hex: hash) {
            set(key, event.sequence)
        }
    }
}
