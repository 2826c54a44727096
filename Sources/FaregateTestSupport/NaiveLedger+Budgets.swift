// Counters, plainly: what is on one is found by going through all calls.

import Billing

/// A counter that a call meets.
struct NaiveCounter {
    var line: NaiveLine
    var limit: Int64?
    var holds: HoldFigure
    var onExceed: OnExceed
    var spent: Int64 = 0
    var held: Int64 = 0
    var outcome = ""

    var available: Int64? { limit.map { $0 - spent - held } }

    func fits(_ hold: Int64) -> Bool {
        guard let available else { return true }
        return available >= 0 && hold <= available
    }

    var text: String {
        let end = line.window.end.map { "\($0.microseconds)" } ?? "ever"
        return "\(line.budget) '\(line.scope)' \(line.window.start.microseconds)…\(end) "
            + "\(line.measure.rawValue) limit \(limit.map { "\($0)" } ?? "none") spent \(spent) "
            + "held \(held) hold \(line.hold) \(outcome)"
    }
}

extension NaiveLedger {
    static let runCap = "$run"

    /// The counters that a call meets, with what is on them now: budgets by id, then the run's cap.
    func counters(
        for subject: Subject, customer: NaiveCustomer, model: String, _ now: Instant
    ) -> [NaiveCounter] {
        var found: [NaiveCounter] = []
        for budget in applicable(subject, plan: customer.plan, model: model) {
            let rule = budget.rule
            var line = NaiveLine(
                budget: rule.id, incarnation: budget.incarnation,
                scope: Self.scope(rule.per, subject, plan: customer.plan, model: model),
                window: Window(), measure: rule.measure)
            line.window = window(of: line, rule, customer, now)
            found.append(
                NaiveCounter(
                    line: line, limit: rule.amount, holds: rule.holds, onExceed: rule.onExceed))
        }
        if let key = subject.runKey, let run = runs[key] {
            let line = NaiveLine(
                budget: Self.runCap, incarnation: 0, scope: key.id, window: Window(),
                measure: .charge)
            found.append(
                NaiveCounter(line: line, limit: run.cap, holds: .bound, onExceed: .reject))
        }
        for index in found.indices {
            (found[index].spent, found[index].held) = sums(of: found[index].line, subject.project)
        }
        return found
    }

    /// Of the rules that match, the most specific one of each name.
    private func applicable(_ subject: Subject, plan: String, model: String) -> [NaiveBudget] {
        let matching = budgets.values.filter {
            Self.matches($0.rule.match, subject, plan: plan, model: model)
                && ($0.rule.window != .run || subject.run != nil)
        }
        let best = Dictionary(grouping: matching) { $0.rule.name }.values.map { rivals in
            rivals.sorted {
                let (a, b) = (Self.specificity($0.rule.match), Self.specificity($1.rule.match))
                return a == b ? $0.rule.id < $1.rule.id : b.lexicographicallyPrecedes(a)
            }[0]
        }
        return best.sorted { $0.rule.id < $1.rule.id }
    }

    private static func specificity(_ match: BudgetMatch) -> [Int] {
        [
            match.run != nil, match.user != nil, match.customer != nil, !match.tags.isEmpty,
            match.model != nil, match.plan != nil, match.project != nil,
        ].map { $0 ? 1 : 0 }
    }

    private static func matches(
        _ match: BudgetMatch, _ subject: Subject, plan: String, model: String
    ) -> Bool {
        func names(_ wanted: String?, _ given: String?) -> Bool {
            wanted == nil || isSame(wanted ?? "", given ?? "") && given != nil
        }
        return names(match.project, subject.project) && names(match.customer, subject.customer)
            && names(match.plan, plan) && names(match.user, subject.user)
            && names(match.run, subject.run)
            && match.tags.allSatisfy { wanted in
                subject.tags.contains {
                    isSame($0.key, wanted.key) && isSame($0.value, wanted.value)
                }
            }
            && (match.model.map { glob($0, model) } ?? true)
    }

    package static func glob(_ pattern: String, _ text: String) -> Bool {
        glob(Array(pattern.unicodeScalars), Array(text.unicodeScalars))
    }

    private static func glob(_ pattern: [Unicode.Scalar], _ text: [Unicode.Scalar]) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        let rest = Array(pattern.dropFirst())
        if first == "*" {
            return (0...text.count).contains { glob(rest, Array(text.dropFirst($0))) }
        }
        guard let letter = text.first, first == "?" || first == letter else { return false }
        return glob(rest, Array(text.dropFirst()))
    }

    /// The values of the dimensions, escaped and joined; the project leads wherever somebody who
    /// lives in it is named, and so does the customer before its user.
    static func scope(
        _ per: [BudgetDimension], _ subject: Subject, plan: String, model: String
    ) -> String {
        var parts: [String] = []
        if per.contains(where: { [.project, .customer, .user, .run].contains($0) }) {
            parts.append(subject.project)
        }
        if per.contains(.plan) { parts.append(plan) }
        if per.contains(.customer) || per.contains(.user) { parts.append(subject.customer) }
        if per.contains(.user) { parts.append(subject.user ?? "") }
        if per.contains(.run) { parts.append(subject.run ?? "") }
        if per.contains(.model) { parts.append(model) }
        for case .tag(let key) in per.sorted() {
            parts.append(subject.tags.first { $0.key == key }?.value ?? "")
        }
        return parts.map { part in
            String(part.flatMap { $0 == "%" ? "%25" : $0 == "/" ? "%2F" : String($0) })
        }.joined(separator: "/")
    }

    /// The window that a new call on this counter falls into: the one its last call opened, while
    /// that lasts, else the calendar's, which never reaches back into the last.
    private func window(
        of line: NaiveLine, _ rule: BudgetRule, _ customer: NaiveCustomer, _ now: Instant
    ) -> Window {
        if rule.window == .lifetime || rule.window == .run { return Window() }
        let last = lastWindow(budget: line.budget, incarnation: line.incarnation, scope: line.scope)
        if let last, let end = last.end, now < end { return last }
        var window = calendar.window(
            rule.window, containing: now, timeZone: rule.timeZone, billingDay: customer.billingDay)
        if let end = last?.end { window.start = max(window.start, end) }
        return window
    }

    func lastWindow(budget: String, incarnation: Int, scope: String) -> Window? {
        for call in calls.reversed() {
            for line in call.lines
            where line.budget == budget && line.incarnation == incarnation
                && Self.isSame(line.scope, scope)
            {
                return line.window
            }
        }
        return nil
    }

    /// Spent and held on a counter.
    func sums(of line: NaiveLine, _ project: String) -> (spent: Int64, held: Int64) {
        var spent: Int64 = 0
        var held: Int64 = 0
        for call in calls {
            for other in call.lines where Self.isSame(other, line) {
                if line.budget == Self.runCap, call.key.project != project { continue }
                if call.isOpen { held += other.hold }
                spent += call.actual.quantity(line.measure)
            }
        }
        return (spent, held)
    }

    /// Whether two names are the same, byte by byte.
    static func isSame(_ a: String, _ b: String) -> Bool { Array(a.utf8) == Array(b.utf8) }

    static func isSame(_ a: NaiveLine, _ b: NaiveLine) -> Bool {
        a.budget == b.budget && a.incarnation == b.incarnation && isSame(a.scope, b.scope)
            && a.window.start == b.window.start
    }

    /// The highest output cap that fits into `available`, by trying; nil: none.
    static func highestCap(
        _ size: NaiveSize, into available: Int64, _ holds: HoldFigure, _ measure: BudgetMeasure
    ) -> Int64? {
        if size.amount != nil || available < 0 { return nil }
        var cap = size.maxOutput
        while cap >= 0 {
            if size.hold(holds, cap: cap).quantity(measure) <= available { return cap }
            cap -= 1
        }
        return nil
    }
}
