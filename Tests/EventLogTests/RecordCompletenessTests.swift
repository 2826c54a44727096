import Billing
import EventLog
import FaregateTestSupport
import Testing

/// A description that forgets a field loses it silently: encode and decode still agree with each
/// other. So the fields that random records vary are compared with those that the types store.
@Suite struct RecordCompletenessTests {
    // Every stored property of every described type, nested ones included, is in a description.
    @Test func descriptionsNameEveryStoredProperty() {
        var search = Search()
        for entry in EventCatalog.entries { search.visitPayload(of: entry.type) }
        search.visit(APIKey.self)
        search.visit(Customer.self)
        search.visit(Run.self)
        search.visit(Reservation.self)
        #expect(search.forgotten == [])
        #expect(search.visited.count > 50)
    }
}

private struct Search {
    var visited: Set<String> = []
    var forgotten: [String] = []
    private var random = RandomEvents(seed: 11)

    mutating func visitPayload(of type: String) {
        let mirror = Mirror(reflecting: random.event(of: type).event)
        if let payload = mirror.children.first?.value as? any Record { visitType(of: payload) }
    }

    private mutating func visitType<R: Record>(of record: R) { visit(R.self) }

    mutating func visit<R: Record>(_ type: R.Type) {
        guard visited.insert("\(type)").inserted else { return }
        var still: [String: String] = [:]
        leaves(of: R.blank(), "\(type)") { path, value in still[path] = value }
        for _ in 0..<40 {
            let sample = random.record(type)
            leaves(of: sample, "\(type)") { path, value in
                if still[path] != value { still[path] = nil }
            }
            for child in Mirror(reflecting: sample).children { visitRecords(in: child.value) }
        }
        forgotten += still.keys.sorted()
    }

    /// Stored properties down to values that are no structs of several properties.
    private func leaves(of value: Any, _ path: String, _ found: (String, String) -> Void) {
        let mirror = Mirror(reflecting: value)
        guard mirror.displayStyle == .struct else { return found(path, String(reflecting: value)) }
        for child in mirror.children {
            leaves(of: child.value, "\(path).\(child.label ?? "")", found)
        }
    }

    private mutating func visitRecords(in value: Any) {
        if let record = value as? any Record { return visitType(of: record) }
        let style = Mirror(reflecting: value).displayStyle
        guard style == .optional || style == .collection || style == .struct else { return }
        for child in Mirror(reflecting: value).children { visitRecords(in: child.value) }
    }
}
