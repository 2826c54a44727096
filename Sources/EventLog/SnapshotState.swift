// The ledger's state as bytes. Equal states give equal bytes, whatever the order of their
// dictionaries.
//
//   header     "FGSN", the format as unsigned, the layout as eight bytes
//   position   sequence as unsigned, time as integer, then the ledger's record
//   sections   projects, plans, budgets, price book, keys, customers, runs, open reservations:
//              each a count as unsigned, then the records, in ascending order of their keys (the
//              price book in the order of its versions, customers in that of their opening, which
//              is known without sorting a million names)
//   budget     its rule's record, its generation as unsigned, then two counted lists: the counters
//              (scope as text, the counter's record) and those of windows that are over (scope as
//              text, start of the window as integer, the counter's record), each ascending
//
// How records and scalars look is in SnapshotWriter.swift. The layout is a digest of the
// descriptions of all records here: a snapshot of other fields is refused, even when somebody
// forgot to raise the format, and the log is folded instead.

package import Billing
import CanonicalJSON

package enum StateSnapshot {
    /// Version of the form above; raised with every change of it, or of a record in it.
    package static let format = 3

    static let magic: [UInt8] = Array("FGSN".utf8)

    package static func encode(_ state: LedgerState) -> [UInt8] {
        let entities = state.customers.count + state.reservations.count + state.runs.count
        var writer = SnapshotWriter(reservingCapacity: 4_096 + 256 * entities)
        writer.raw(magic)
        writer.unsigned(UInt64(format))
        writer.raw(SnapshotLayout.digest)
        writer.unsigned(state.sequence)
        writer.integer(state.time.microseconds)
        writer.record(state.ledger)
        writer.section(state.projects)
        writer.section(state.plans)
        writer.budgets(state.budgets)
        ListForm(RecordForm<PriceBookPublished>()).write(state.priceBook, to: &writer)
        writer.section(state.keys)
        writer.customers(of: state)
        writer.section(state.runs)
        writer.section(state.reservations)
        return writer.bytes
    }

    /// - Throws: `.otherFormat` for a snapshot of another format or layout; other codes for damage.
    package static func decode(_ bytes: [UInt8]) throws(CodecError) -> LedgerState {
        try bytes.withUnsafeBufferPointer { (buffer) throws(CodecError) in
            try decode(UnsafeRawBufferPointer(buffer))
        }
    }

    package static func decode(
        _ bytes: UnsafeRawBufferPointer
    ) throws(CodecError) -> LedgerState {
        var reader = SnapshotReader(bytes)
        guard try reader.raw(magic.count) == magic else { throw reader.error(.malformed) }
        guard try reader.unsigned() == UInt64(format) else { throw reader.error(.otherFormat) }
        guard try reader.raw(SnapshotLayout.digest.count) == SnapshotLayout.digest else {
            throw reader.error(.otherFormat)
        }
        var state = LedgerState()
        state.sequence = try reader.unsigned()
        state.time = Instant(microseconds: try reader.integer())
        state.ledger = try reader.record(LedgerOpened.self)
        state.projects = try reader.section(by: \.id)
        state.plans = try reader.section(by: \.id)
        state.budgets = try reader.budgets()
        state.priceBook = try ListForm(RecordForm<PriceBookPublished>()).read(from: &reader)
        state.keys = try reader.section(by: \.id)
        state.customers = try reader.customers()
        state.runs = try reader.section(by: \.key)
        state.reservations = try reader.section(by: \.key)
        try reader.finish()
        state.rebuildIndexes()
        return state
    }
}

/// What the records of a snapshot look like, as eight bytes.
enum SnapshotLayout {
    static let digest: [UInt8] = {
        var definitions = SchemaDefinitions()
        _ = definitions.record(LedgerOpened.self)
        _ = definitions.record(Project.self)
        _ = definitions.record(Plan.self)
        _ = definitions.record(BudgetRule.self)
        _ = definitions.record(Counter.self)
        _ = definitions.record(PriceBookPublished.self)
        _ = definitions.record(APIKey.self)
        _ = definitions.record(Customer.self)
        _ = definitions.record(Run.self)
        _ = definitions.record(Reservation.self)
        let schemas = withoutNotes(.object(definitions.sorted))
        // FNV-1a: nothing depends on its strength, only on its being the same everywhere.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in CanonicalJSON.pretty(schemas).utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
        }
        return (0..<8).map { UInt8(truncatingIfNeeded: hash &>> (56 - 8 * UInt64($0))) }
    }()

    /// Other words for the same field are no other layout.
    private static func withoutNotes(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let object):
            var result = JSONObject()
            for member in object.members {
                if member.key == "description", case .string = member.value { continue }
                result.append(member.key, withoutNotes(member.value))
            }
            return .object(result)
        case .array(let elements): return .array(elements.map(withoutNotes))
        default: return value
        }
    }
}

extension SnapshotWriter {
    fileprivate mutating func section<Key: Comparable, Entity: Record>(_ entities: [Key: Entity]) {
        unsigned(UInt64(entities.count))
        for key in entities.keys.sorted() {
            if let entity = entities[key] { record(entity) }
        }
    }

    fileprivate mutating func customers(of state: LedgerState) {
        precondition(
            state.customersByOpening.count == state.customers.count,
            "the order of opening has every customer")
        unsigned(UInt64(state.customersByOpening.count))
        for key in state.customersByOpening {
            if let customer = state.customers[key] { record(customer) }
        }
    }

    fileprivate mutating func budgets(_ budgets: [String: Budget]) {
        unsigned(UInt64(budgets.count))
        for id in budgets.keys.sorted() {
            guard let budget = budgets[id] else { continue }
            record(budget.rule)
            unsigned(budget.generation)
            unsigned(UInt64(budget.counters.count))
            for scope in budget.counters.keys.sorted() {
                guard let counter = budget.counters[scope] else { continue }
                text(scope.text)
                record(counter)
            }
            unsigned(UInt64(budget.closedCounters.count))
            for key in budget.closedCounters.keys.sorted() {
                guard let counter = budget.closedCounters[key] else { continue }
                text(key.scope.text)
                integer(key.windowStart.microseconds)
                record(counter)
            }
        }
    }
}

extension SnapshotReader {
    fileprivate mutating func section<Key: Comparable & Hashable, Entity: Record>(
        by key: (Entity) -> Key
    ) throws(CodecError) -> [Key: Entity] {
        try entries { (reader: inout SnapshotReader) throws(CodecError) in
            let entity = try reader.record(Entity.self)
            return (key(entity), entity)
        }
    }

    fileprivate mutating func customers() throws(CodecError) -> [CustomerKey: Customer] {
        let count = try count()
        var customers: [CustomerKey: Customer] = [:]
        customers.reserveCapacity(min(count, remaining / 32))
        var last: (UInt64, CustomerKey)?
        for _ in 0..<count {
            let customer = try record(Customer.self)
            let place = (customer.openedSequence, customer.key)
            if let last, last >= place { throw error(.notSorted) }
            last = place
            guard customers.updateValue(customer, forKey: customer.key) == nil else {
                throw error(.notSorted)
            }
        }
        return customers
    }

    fileprivate mutating func budgets() throws(CodecError) -> [String: Budget] {
        try entries { (reader: inout SnapshotReader) throws(CodecError) in
            var budget = Budget(rule: try reader.record(BudgetRule.self))
            budget.generation = try reader.unsigned()
            budget.counters = try reader.entries { (reader) throws(CodecError) in
                (ExactText(try reader.text()), try reader.record(Counter.self))
            }
            budget.closedCounters = try reader.entries { (reader) throws(CodecError) in
                let scope = ExactText(try reader.text())
                let start = Instant(microseconds: try reader.integer())
                let key = ClosedCounterKey(scope: scope, windowStart: start)
                return (key, try reader.record(Counter.self))
            }
            return (budget.rule.id, budget)
        }
    }

    /// A counted list of entries with ascending keys.
    private mutating func entries<Key: Comparable & Hashable, Entry>(
        _ read: (inout SnapshotReader) throws(CodecError) -> (Key, Entry)
    ) throws(CodecError) -> [Key: Entry] {
        let count = try count()
        var entries: [Key: Entry] = [:]
        // The count may be a lie: no more room than bytes that could fill it; the rest grows.
        entries.reserveCapacity(min(count, remaining / 32))
        var last: Key?
        for _ in 0..<count {
            let (key, entry) = try read(&self)
            if let last, last >= key { throw error(.notSorted) }
            last = key
            entries[key] = entry
        }
        return entries
    }
}
