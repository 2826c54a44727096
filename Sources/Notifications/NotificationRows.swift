// What the fold has to know of the past. Figures are nano units for money, else counts; `…_us` are
// microseconds since 1970 UTC, `day` days since 1970-01-01 UTC.

import Billing
package import Projections

/// A budget as it is set.
package struct BudgetRuleRow: ViewRow {
    var budget = ""
    /// Number of the event since which its counters count.
    var generation: Int64 = 0
    var name = ""
    /// Dimensions, separated by line feeds.
    var per = ""
    var measure = ""
    var window = ""
    var timeZone = ""
    var amount: Int64 = 0

    package init() {}

    init(_ budget: String) { self.budget = budget }

    package static let table = "budget_rules"
    package static let keyColumns = 1

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.text("budget", &budget)
        visitor.integer("generation", &generation)
        visitor.text("name", &name)
        visitor.text("per", &per)
        visitor.text("measure", &measure)
        visitor.text("window", &window)
        visitor.text("time_zone", &timeZone)
        visitor.integer("amount", &amount)
    }
}

/// A budget's counter in one window, or a run's own.
package struct ThresholdRow: ViewRow {
    var budget = ""
    var generation: Int64 = 0
    var scope = ""
    var windowStart: Int64 = 0
    /// Nil: the window has no end.
    var windowEnd: Int64?
    var spent: Int64 = 0
    /// The amount when it was last looked at.
    var amount: Int64?
    /// Percentages that were reached, separated by commas.
    var reached = ""

    package init() {}

    init(_ reference: CounterReference) {
        budget = reference.budget
        generation = Int64(clamping: reference.generation)
        scope = reference.scope
        windowStart = reference.windowStart.microseconds
    }

    package static let table = "thresholds"
    package static let keyColumns = 4

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.text("budget", &budget)
        visitor.integer("generation", &generation)
        visitor.text("scope", &scope)
        visitor.integer("window_start_us", &windowStart)
        visitor.optional("window_end_us", &windowEnd)
        visitor.integer("spent", &spent)
        visitor.optional("amount", &amount)
        visitor.text("reached", &reached)
    }

    var reachedPercentages: [Int64] {
        get { reached.split(separator: ",").compactMap { Int64($0) } }
        set { reached = newValue.map { String($0) }.joined(separator: ",") }
    }
}

/// A run's charge so far.
package struct RunChargeRow: ViewRow {
    var project = ""
    var run = ""
    /// On which it was first charged.
    var day: Int64 = 0
    var charge: Int64 = 0
    var lastChange: Int64 = 0
    /// 1: it was notified.
    var hasSpiked: Int64 = 0
    /// 0: it is counted on no day yet.
    var isCounted: Int64 = 0

    package init() {}

    init(project: String, run: String) {
        self.project = project
        self.run = run
    }

    package static let table = "run_charges"
    package static let keyColumns = 2

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.text("project", &project)
        visitor.text("run", &run)
        visitor.integer("day", &day)
        visitor.integer("charge", &charge)
        visitor.integer("last_us", &lastChange)
        visitor.integer("has_spiked", &hasSpiked)
        visitor.integer("is_counted", &isCounted)
    }
}

/// All runs of a project that were first charged on one day.
package struct RunDayRow: ViewRow {
    var project = ""
    var day: Int64 = 0
    var runs: Int64 = 0
    var charge: Int64 = 0

    package init() {}

    init(project: String, day: Int64) {
        self.project = project
        self.day = day
    }

    package static let table = "run_days"
    package static let keyColumns = 2

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.text("project", &project)
        visitor.integer("day", &day)
        visitor.integer("runs", &runs)
        visitor.integer("charge", &charge)
    }
}

/// What a customer owes beyond its grants.
package struct DebtRow: ViewRow {
    var project = ""
    var customer = ""
    var debt: Int64 = 0

    package init() {}

    init(project: String, customer: String) {
        self.project = project
        self.customer = customer
    }

    package static let table = "debts"
    package static let keyColumns = 2

    package mutating func columns<V: ColumnVisitor>(_ visitor: inout V) {
        visitor.text("project", &project)
        visitor.text("customer", &customer)
        visitor.integer("debt", &debt)
    }
}
