// Finds the budgets that may match a call without looking at all of them: every rule is filed under
// the most selective thing it demands by equality. A ledger may hold a budget for each of a million
// customers; a call looks into at most six drawers.

package struct BudgetIndex: Sendable {
    /// Ids in ascending order, by the value that the rules of one kind of drawer demand.
    private typealias Drawers = [ExactText: [String]]

    // A kind of its own each: most ledgers leave most of them empty, and looking into an empty
    // table costs nothing.
    private var any = Drawers()
    private var byProject = Drawers()
    private var byPlan = Drawers()
    private var byCustomer = Drawers()
    private var byUser = Drawers()
    private var byRun = Drawers()

    package init() {}

    package init(_ rules: some Sequence<BudgetRule>) {
        for rule in rules { insert(rule) }
    }

    private static func drawer(
        of match: BudgetMatch
    ) -> (kind: WritableKeyPath<BudgetIndex, Drawers>, value: ExactText) {
        if let run = match.run { return (\.byRun, ExactText(run)) }
        if let user = match.user { return (\.byUser, ExactText(user)) }
        if let customer = match.customer { return (\.byCustomer, ExactText(customer)) }
        if let plan = match.plan { return (\.byPlan, ExactText(plan)) }
        if let project = match.project { return (\.byProject, ExactText(project)) }
        return (\.any, "")
    }

    mutating func insert(_ rule: BudgetRule) {
        let (kind, value) = Self.drawer(of: rule.match)
        var ids = self[keyPath: kind][value] ?? []
        let place = ids.firstIndex { $0 >= rule.id } ?? ids.endIndex
        if place < ids.endIndex, ids[place] == rule.id { return }
        ids.insert(rule.id, at: place)
        self[keyPath: kind][value] = ids
    }

    mutating func remove(_ rule: BudgetRule) {
        let (kind, value) = Self.drawer(of: rule.match)
        guard var ids = self[keyPath: kind][value] else { return }
        ids.removeAll { $0 == rule.id }
        self[keyPath: kind][value] = ids.isEmpty ? nil : ids
    }

    /// Calls `body` with the id of every budget that may match.
    package func forEachCandidate(subject: Subject, plan: String, _ body: (String) -> Void) {
        func visit(_ drawers: Drawers, _ value: String) {
            guard let ids = drawers[ExactText(value)] else { return }
            for id in ids { body(id) }
        }
        visit(any, "")
        visit(byProject, subject.project)
        visit(byPlan, plan)
        visit(byCustomer, subject.customer)
        if let user = subject.user { visit(byUser, user) }
        if let run = subject.run { visit(byRun, run) }
    }
}

extension BudgetMatch {
    /// Whether every condition holds for the call.
    package func matches(subject: Subject, plan callPlan: String, model callModel: String) -> Bool {
        if let project, ExactText(project) != ExactText(subject.project) { return false }
        if let customer, ExactText(customer) != ExactText(subject.customer) { return false }
        if let plan, plan != callPlan { return false }
        if let user, ExactText(user) != subject.user.map({ ExactText($0) }) { return false }
        if let run, ExactText(run) != subject.run.map({ ExactText($0) }) { return false }
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
        case .tag(let key):
            put(subject.tags.first { ExactText($0.key) == ExactText(key) }?.value ?? "")
        }
    }
    return text
}
