// Random events, records and states, the same for the same seed.
//
// Values are valid but not sensible: every field takes, independently of the others, whatever its
// form allows, with a taste for the ends of its range and for text that is hard to write as JSON.
// The descriptions of `EventLog` are the source, so a new field is random here from the start. (A
// field that a description forgets stays at its default; the codec's tests look for those.)

package import Billing
package import EventLog
import TimeZones

package struct RandomEvents: PayloadSource {
    package typealias Failure = Never

    private var source: SplitMix64

    package init(seed: UInt64) { source = SplitMix64(state: seed) }

    /// An event of any type.
    package mutating func event() -> RecordedEvent {
        event(of: EventCatalog.entries[int(0..<EventCatalog.entries.count)].type)
    }

    package mutating func event(of type: String) -> RecordedEvent {
        guard let event = EventCatalog.event(type, from: &self) else {
            preconditionFailure("\(type) is a type of the catalogue")
        }
        let owner = EventCatalog.entries.first { $0.type == type }?.owner ?? .ledger
        return RecordedEvent(
            sequence: sequence(), time: time(),
            project: owner == .ledger && chance(2) ? nil : text(),
            customer: owner == .customer || owner == .reservation ? text() : nil,
            reservation: owner == .reservation ? text() : nil, actor: chance(2) ? text() : nil,
            idempotencyKeyHash: chance(3) ? hex() : nil, requestHash: chance(2) ? hex() : nil,
            event: event)
    }

    /// A record of any described type.
    package mutating func record<R: Record>(_ type: R.Type = R.self) -> R {
        var record = R.blank()
        R.fields(&self, &record)
        return record
    }

    package mutating func payload<Payload: Record>() -> Payload { record() }

    /// A state with about `size` customers, and as many runs, reservations and counters.
    package mutating func state(size: Int) -> LedgerState {
        var state = LedgerState()
        state.sequence = sequence()
        state.time = time()
        state.ledger = record()
        for _ in 0..<size {
            let customer: Customer = record()
            let run: Run = record()
            let reservation: Reservation = record()
            state.customers[customer.key] = customer
            state.runs[run.key] = run
            state.reservations[reservation.key] = reservation
        }
        for _ in 0..<min(size, 12) {
            let project: Project = record()
            let plan: Plan = record()
            let key: APIKey = record()
            let budget = budget(counters: size / 12 + 1)
            state.projects[project.id] = project
            state.plans[plan.id] = plan
            state.keys[key.id] = key
            state.budgets[budget.rule.id] = budget
            state.priceBook.append(record())
        }
        state.rebuildIndexes()
        return state
    }

    private mutating func budget(counters count: Int) -> Budget {
        var budget = Budget(rule: record(), generation: sequence())
        for _ in 0..<count {
            budget.counters[ExactText(text())] = record()
            let key = ClosedCounterKey(scope: ExactText(text()), windowStart: time())
            budget.closedCounters[key] = record()
        }
        return budget
    }
}

extension RandomEvents: RecordVisitor {
    package mutating func field<F: Form>(
        _ name: StaticString, _ form: F, _ value: inout F.Value, _ note: StaticString
    ) {
        value = sample(form)
    }

    package mutating func field<F: Form>(
        _ name: StaticString, _ form: F, _ value: inout F.Value, omitting omitted: F.Value,
        _ note: StaticString
    ) where F.Value: Equatable {
        value = chance(3) ? omitted : sample(form)
    }

    package mutating func optional<F: Form>(
        _ name: StaticString, _ form: F, _ value: inout F.Value?, _ note: StaticString
    ) {
        value = chance(3) ? nil : sample(form)
    }

    mutating func sample<F: Form>(_ form: F) -> F.Value {
        guard let sampled = form as? any SampledForm, let value = sampled.sample(&self) as? F.Value
        else { preconditionFailure("no samples for \(F.self)") }
        return value
    }
}

extension RandomEvents {
    /// True once in `n` times.
    mutating func chance(_ n: Int) -> Bool { int(0..<n) == 0 }

    mutating func int(_ range: Range<Int>) -> Int { Int.random(in: range, using: &source) }

    mutating func bits() -> UInt64 { source.next() }

    mutating func text() -> String {
        switch int(0..<8) {
        case 0: return ""
        case 1...3: return "id-\(bits() % 1_000_000)"
        case 4: return String(repeating: "long ", count: int(1..<80))
        default:
            var text = ""
            for _ in 0..<int(1..<12) { text.unicodeScalars.append(scalar()) }
            return text
        }
    }

    /// Code points on both sides of what an encoder, a sorter or a normaliser may get wrong.
    private mutating func scalar() -> Unicode.Scalar {
        let hard: [Unicode.Scalar] = [
            "\0", "\u{1}", "\u{8}", "\t", "\n", "\u{C}", "\r", "\u{1F}", " ", "\"", "\\", "/",
            "\u{7F}", "\u{80}", "é", "e", "\u{301}", "\u{7FF}", "\u{800}", "\u{2028}",
            "\u{212A}", "\u{D7FF}", "\u{E000}", "\u{FFFD}", "\u{FFFF}", "\u{10000}", "😀",
            "\u{10FFFF}", "a", "Z", "_", "-", ".", "%",
        ]
        if chance(2) { return hard[int(0..<hard.count)] }
        return Unicode.Scalar(UInt32(int(0x20..<0xD800))) ?? "?"
    }

    mutating func hex() -> String {
        let digits = Array("0123456789abcdef")
        return String((0..<64).map { _ in digits[int(0..<16)] })
    }

    mutating func tags() -> [Tag] {
        var values: [String: String] = [:]
        for _ in 0..<int(0..<5) { values[text()] = text() }
        return values.map { Tag(key: $0.key, value: $0.value) }.sorted()
    }

    /// Any bit pattern, near the ends, or small.
    mutating func int64() -> Int64 {
        let ends: [Int64] = [
            0, 1, -1, 10, 999_999_999, 1_000_000_000, -1_000_000_001, .max, .min, .max - 1,
        ]
        return switch int(0..<4) {
        case 0: ends[int(0..<ends.count)]
        case 1: Int64(truncatingIfNeeded: bits())
        case 2: Int64(truncatingIfNeeded: bits() % 100_000)
        default: Int64(truncatingIfNeeded: bits() % 10_000_000_000_000) - 1_000_000
        }
    }

    mutating func sequence() -> UInt64 { UInt64(jsonInteger(isCount: true)) }

    mutating func time() -> Instant {
        let range = SupportedInstants.utcMicroseconds
        let ends = [
            .zero, .max, Instant(microseconds: -1), Instant(microseconds: range.lowerBound),
        ]
        return switch int(0..<4) {
        case 0: ends[int(0..<ends.count)]
        case 1: Instant(microseconds: Int64.random(in: range, using: &source))
        default: Instant(microseconds: Int64(int(0..<4_000_000_000_000_000)))
        }
    }

    /// Within ±(2⁵³ − 1), or 0…2⁵³ − 1.
    mutating func jsonInteger(isCount: Bool) -> Int64 {
        let largest: Int64 = 1 << 53 - 1
        let value =
            switch int(0..<4) {
            case 0: largest
            case 1: Int64(truncatingIfNeeded: bits() & UInt64(largest))
            default: Int64(truncatingIfNeeded: bits() % 4_096)
            }
        return isCount || chance(2) ? value : -value
    }
}

/// Steele, Lea and Flood's SplitMix64.
private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
