// Names the first place where two states differ, for people: `verify` compares the state folded
// from the log with that of a snapshot, and must say more than "not equal".

package import Billing
import CanonicalJSON

extension StateSnapshot {
    /// Nil when the states are equal. Otherwise the first differing entity, its first differing
    /// field and the two values: `customer default/acme: debt is "0" here and "1.5" there`.
    package static func describeDifference(_ a: LedgerState, _ b: LedgerState) -> String? {
        if a.sequence != b.sequence {
            return "sequence is \(a.sequence) here and \(b.sequence) there"
        }
        if a.time != b.time {
            return "time is \(a.time.microseconds) here and \(b.time.microseconds) there"
        }
        return difference("ledger", a.ledger, b.ledger)
            ?? difference("project", a.projects, b.projects) { $0 }
            ?? difference("plan", a.plans, b.plans) { $0 }
            ?? budgetDifference(a.budgets, b.budgets)
            ?? priceBookDifference(a.priceBook, b.priceBook)
            ?? difference("key", a.keys, b.keys) { $0 }
            ?? difference("customer", a.customers, b.customers) { "\($0.project)/\($0.id)" }
            ?? difference("run", a.runs, b.runs) { "\($0.project)/\($0.id)" }
            ?? difference("reservation", a.reservations, b.reservations) {
                "\($0.project)/\($0.id)"
            }
    }

    private static func budgetDifference(_ a: [String: Budget], _ b: [String: Budget]) -> String? {
        firstDifference("budget", a, b, { $0 }) { name, x, y in
            if x.generation != y.generation {
                return "\(name): generation is \(x.generation) here and \(y.generation) there"
            }
            return difference(name, x.rule, y.rule)
                ?? difference("\(name), counter", x.counters, y.counters) { $0.text }
                ?? difference("\(name), closed counter", x.closedCounters, y.closedCounters) {
                    "\($0.scope.text) of \($0.windowStart.microseconds)"
                }
        }
    }

    private static func priceBookDifference(
        _ a: [PriceBookPublished], _ b: [PriceBookPublished]
    ) -> String? {
        for (x, y) in zip(a, b) {
            if let found = difference("price book version \(x.version)", x, y) { return found }
        }
        if a.count == b.count { return nil }
        return "price book has \(a.count) versions here and \(b.count) there"
    }

    private static func difference<Key: Comparable & Hashable, Entity: Record>(
        _ kind: String, _ a: [Key: Entity], _ b: [Key: Entity], _ text: (Key) -> String
    ) -> String? {
        firstDifference(kind, a, b, text) { name, x, y in difference(name, x, y) }
    }

    /// The first key, in ascending order, whose entities are not in both or differ.
    private static func firstDifference<Key: Comparable & Hashable, Entity: Equatable>(
        _ kind: String, _ a: [Key: Entity], _ b: [Key: Entity], _ text: (Key) -> String,
        _ describe: (String, Entity, Entity) -> String?
    ) -> String? {
        if a == b { return nil }
        for key in Set(a.keys).union(b.keys).sorted() {
            let name = "\(kind) \(text(key))"
            switch (a[key], b[key]) {
            case (let x?, let y?): if x != y { return describe(name, x, y) }
            case (nil, _): return "\(name) is only there"
            case (_, nil): return "\(name) is only here"
            }
        }
        return nil
    }

    private static func difference<R: Record>(_ name: String, _ a: R, _ b: R) -> String? {
        if a == b { return nil }
        return firstDifference("\(name): ", "", json(a), json(b))
    }

    private static func json<R: Record>(_ record: R) -> JSONValue {
        var bytes: [UInt8] = []
        JSONRecordWriter.append(to: &bytes) { writer in writer.record(record) }
        guard let value = try? StrictJSON.parse(bytes) else {
            preconditionFailure("the writer writes JSON")
        }
        return value
    }

    /// - Parameters:
    ///   - entity: what `path` is a place in.
    private static func firstDifference(
        _ entity: String, _ path: String, _ a: JSONValue?, _ b: JSONValue?
    ) -> String? {
        if a == b { return nil }
        switch (a, b) {
        case (.object(let x)?, .object(let y)?):
            for key in Set((x.members + y.members).map(\.key)).sorted() where x[key] != y[key] {
                let inner = path.isEmpty ? key : "\(path).\(key)"
                return firstDifference(entity, inner, x[key], y[key])
            }
            return nil
        case (.array(let x)?, .array(let y)?):
            for index in 0..<min(x.count, y.count) where x[index] != y[index] {
                return firstDifference(entity, "\(path)[\(index)]", x[index], y[index])
            }
            return "\(entity)\(path) has \(x.count) elements here and \(y.count) there"
        default:
            return "\(entity)\(path) is \(text(a)) here and \(text(b)) there"
        }
    }

    private static func text(_ value: JSONValue?) -> String {
        value.map(CanonicalJSON.pretty) ?? "absent"
    }
}
