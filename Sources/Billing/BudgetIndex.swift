// Finds the budgets that may match a call without looking at all of them: every rule is filed under
// the most selective thing it demands by equality. A ledger may hold a budget for each of a million
// customers; a call looks into at most six drawers.

package struct BudgetIndex: Sendable {
    private enum Drawer: Hashable, Sendable {
        case any
        case project(String)
        case plan(String)
        case customer(String)
        case user(String)
        case run(String)
    }

    /// Ids in ascending order.
    private var drawers: [Drawer: [String]] = [:]

    package init() {}

    package init(_ rules: some Sequence<BudgetRule>) {
        for rule in rules { insert(rule) }
    }

    private static func drawer(of match: BudgetMatch) -> Drawer {
        if let run = match.run { return .run(run) }
        if let user = match.user { return .user(user) }
        if let customer = match.customer { return .customer(customer) }
        if let plan = match.plan { return .plan(plan) }
        if let project = match.project { return .project(project) }
        return .any
    }

    mutating func insert(_ rule: BudgetRule) {
        let drawer = Self.drawer(of: rule.match)
        var ids = drawers[drawer] ?? []
        let place = ids.firstIndex { $0 >= rule.id } ?? ids.endIndex
        if place < ids.endIndex, ids[place] == rule.id { return }
        ids.insert(rule.id, at: place)
        drawers[drawer] = ids
    }

    mutating func remove(_ rule: BudgetRule) {
        let drawer = Self.drawer(of: rule.match)
        drawers[drawer]?.removeAll { $0 == rule.id }
        if drawers[drawer]?.isEmpty == true { drawers[drawer] = nil }
    }

    /// Calls `body` with the id of every budget that may match.
    package func forEachCandidate(subject: Subject, plan: String, _ body: (String) -> Void) {
        func visit(_ drawer: Drawer) {
            guard let ids = drawers[drawer] else { return }
            for id in ids { body(id) }
        }
        visit(.any)
        visit(.project(subject.project))
        visit(.plan(plan))
        visit(.customer(subject.customer))
        if let user = subject.user { visit(.user(user)) }
        if let run = subject.run { visit(.run(run)) }
    }
}

extension BudgetMatch {
    /// Whether every condition holds for the call.
    package func matches(subject: Subject, plan callPlan: String, model callModel: String) -> Bool {
        if let project, project != subject.project { return false }
        if let customer, customer != subject.customer { return false }
        if let plan, plan != callPlan { return false }
        if let user, user != subject.user { return false }
        if let run, run != subject.run { return false }
        for tag in tags where !subject.tags.contains(tag) { return false }
        if let model, !globMatches(model, callModel) { return false }
        return true
    }
}

/// Names one counter of a budget: the values of the `per` dimensions in their fixed order, each
/// with `%` and `/` percent-encoded, joined by `/`. Customers, users and runs live inside a
/// project, so the project comes first wherever one of them is named. No dimensions: the empty
/// text.
package func scopeText(
    per dimensions: [BudgetDimension], subject: Subject, plan: String, model: String
) -> String {
    if dimensions.isEmpty { return "" }
    var text = ""
    var isFirst = true
    func put(_ component: String) {
        if !isFirst { text += "/" }
        isFirst = false
        if component.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "%") }) {
            for character in component.unicodeScalars {
                switch character {
                case "%": text += "%25"
                case "/": text += "%2F"
                default: text.unicodeScalars.append(character)
                }
            }
        } else {
            text += component
        }
    }
    let needsProject = dimensions.contains {
        $0 == .project || $0 == .customer || $0 == .user || $0 == .run
    }
    if needsProject { put(subject.project) }
    for dimension in dimensions {
        switch dimension {
        case .project: break
        case .plan: put(plan)
        case .customer: put(subject.customer)
        case .user:
            if !dimensions.contains(.customer) { put(subject.customer) }
            put(subject.user ?? "")
        case .run: put(subject.run ?? "")
        case .model: put(model)
        case .tag(let key): put(subject.tags.first { $0.key == key }?.value ?? "")
        }
    }
    return text
}
