// Budgets: limits on what matching calls may consume in a window.
//
// One rule may keep many counters: `per` names the dimensions that get one each, so `per:
// [customer]` is a default limit for every customer, also for one never seen before.

import Money

/// What a budget counts.
package enum BudgetMeasure: String, Sendable, Hashable, CaseIterable {
    /// What customers are billed, nano units.
    case charge
    /// What providers bill us, nano units.
    case cost
    /// Prompt and output tokens.
    case tokens
    /// Calls.
    case requests

    package var isMoney: Bool { self == .charge || self == .cost }
}

/// How long a counter counts before it starts again at zero.
package enum BudgetWindow: String, Sendable, Hashable, CaseIterable {
    case minute, hour, day, week, month
    /// A month that starts on the customer's billing day.
    case billingPeriod = "billing_period"
    /// As long as the run lives; calls without a run are not counted.
    case run
    case lifetime
}

/// What happens to a call that does not fit.
package enum OnExceed: String, Sendable, Hashable, CaseIterable {
    case reject
    /// The output cap is lowered to what is affordable; refused when nothing is.
    case clamp
    /// Let through and marked.
    case warn
    /// Let through; recorded what `reject` would have done.
    case shadow
}

/// A dimension with counters of its own.
package enum BudgetDimension: Sendable, Hashable, Comparable {
    case project, plan, customer, user, run, model
    case tag(String)

    /// `project` … `model`, or `tag:KEY`.
    package var text: String {
        switch self {
        case .project: "project"
        case .plan: "plan"
        case .customer: "customer"
        case .user: "user"
        case .run: "run"
        case .model: "model"
        case .tag(let key): "tag:" + key
        }
    }

    package init?(text: String) {
        switch text {
        case "project": self = .project
        case "plan": self = .plan
        case "customer": self = .customer
        case "user": self = .user
        case "run": self = .run
        case "model": self = .model
        default:
            guard text.hasPrefix("tag:"), text.utf8.count > 4 else { return nil }
            self = .tag(String(text.dropFirst(4)))
        }
    }

    private var rank: Int {
        switch self {
        case .project: 0
        case .plan: 1
        case .customer: 2
        case .user: 3
        case .run: 4
        case .model: 5
        case .tag: 6
        }
    }

    package static func < (a: BudgetDimension, b: BudgetDimension) -> Bool {
        (a.rank, a.text) < (b.rank, b.text)
    }
}

/// Which calls a budget applies to; nil matches every call.
package struct BudgetMatch: Sendable, Hashable {
    package var project: String?
    package var customer: String?
    package var plan: String?
    package var user: String?
    package var run: String?
    /// Glob over the model name asked for: `*` any run of Unicode scalars, `?` one.
    package var model: String?
    /// All of these must be on the call. Sorted by key.
    package var tags: [Tag]

    package init(
        project: String? = nil, customer: String? = nil, plan: String? = nil, user: String? = nil,
        run: String? = nil, model: String? = nil, tags: [Tag] = []
    ) {
        self.project = project
        self.customer = customer
        self.plan = plan
        self.user = user
        self.run = run
        self.model = model
        self.tags = tags
    }

    /// Orders rules of one name: the higher wins. A run is more specific than a user, a user than a
    /// customer, then tags, model, plan and project.
    package var specificity: Int {
        (run == nil ? 0 : 64) + (user == nil ? 0 : 32) + (customer == nil ? 0 : 16)
            + (tags.isEmpty ? 0 : 8) + (model == nil ? 0 : 4) + (plan == nil ? 0 : 2)
            + (project == nil ? 0 : 1)
    }
}

/// A limit.
package struct BudgetRule: Sendable, Hashable {
    package var id: String
    /// Rules of the same name stand for the same limit: of those that match a call only the most
    /// specific applies.
    package var name: String
    package var match: BudgetMatch
    /// Sorted, unique.
    package var per: [BudgetDimension]
    package var measure: BudgetMeasure
    package var window: BudgetWindow
    /// IANA name of the zone whose calendar the window follows.
    package var timeZone: String
    /// Nano units for `charge` and `cost`, else a count.
    package var amount: Int64
    package var holds: HoldFigure
    package var onExceed: OnExceed

    package init(
        id: String = "", name: String = "", match: BudgetMatch = BudgetMatch(),
        per: [BudgetDimension] = [], measure: BudgetMeasure = .charge,
        window: BudgetWindow = .month, timeZone: String = "UTC", amount: Int64 = 0,
        holds: HoldFigure = .bound, onExceed: OnExceed = .reject
    ) {
        self.id = id
        self.name = name
        self.match = match
        self.per = per
        self.measure = measure
        self.window = window
        self.timeZone = timeZone
        self.amount = amount
        self.holds = holds
        self.onExceed = onExceed
    }

    /// Whether this rule applies rather than another of the same name that matches too.
    func wins(over other: BudgetRule) -> Bool {
        let own = match.specificity
        let others = other.match.specificity
        return own == others ? id < other.id : own > others
    }

    /// Whether counters of `self` still mean the same under `other`: a changed amount or reaction
    /// keeps what was spent, a changed unit or calendar cannot.
    package func keepsCounters(of other: BudgetRule) -> Bool {
        per == other.per && measure == other.measure && window == other.window
            && timeZone == other.timeZone
    }
}

/// Matches `text` against a glob of `*` (any Unicode scalars) and `?` (one), in linear space and
/// time O(pattern × text). By bytes: two scalars never share the beginning of one with the middle
/// of the other, so only `?` has to know where scalars begin.
package func globMatches(_ pattern: String, _ text: String) -> Bool {
    let pattern = Array(pattern.utf8)
    let text = Array(text.utf8)
    var p = 0
    var t = 0
    var star = -1
    var mark = 0
    while t < text.count {
        if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
            star = p
            mark = t
            p += 1
        } else if p < pattern.count, pattern[p] == UInt8(ascii: "?"), !isContinuation(text[t]) {
            p += 1
            t += 1
            while t < text.count, isContinuation(text[t]) { t += 1 }
        } else if p < pattern.count, pattern[p] != UInt8(ascii: "?"), pattern[p] == text[t] {
            p += 1
            t += 1
        } else if star >= 0 {
            p = star + 1
            mark += 1
            t = mark
        } else {
            return false
        }
    }
    while p < pattern.count, pattern[p] == UInt8(ascii: "*") { p += 1 }
    return p == pattern.count
}

/// Whether a byte of UTF-8 is not the first of its scalar.
private func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }
