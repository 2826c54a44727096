// From events to notifications: a pure fold. What it looks at is the event, rows that it has made
// of earlier ones, and earlier events of the same call. So a log has one list of notifications,
// with the same ids whenever it is folded. Total: an event on the log is true, so nothing here
// refuses or traps.

package import Billing
import CanonicalJSON
package import EventLog
import Money
package import Projections

package struct NotificationFold<Source: RowSource> {
    var source: Source
    let ledgerID: String
    let rules: NotificationRules
    package internal(set) var budgets = TouchedRows<BudgetRuleRow>()
    package internal(set) var thresholds = TouchedRows<ThresholdRow>()
    package internal(set) var runs = TouchedRows<RunChargeRow>()
    package internal(set) var runDays = TouchedRows<RunDayRow>()
    package private(set) var debts = TouchedRows<DebtRow>()
    var made: [Notification] = []

    /// What came to rest so long ago is forgotten: a correction that comes later still is notified
    /// of nothing.
    static var memoryMicroseconds: Int64 { 90 * 86_400_000_000 }

    package init(_ source: Source, ledgerID: String, rules: NotificationRules) {
        self.source = source
        self.ledgerID = ledgerID
        self.rules = rules
    }

    /// Folds one event in.
    ///
    /// - Returns: what follows from it.
    /// - Throws: when rows or earlier events cannot be read.
    package mutating func fold(
        _ recorded: RecordedEvent, _ log: some EventLookup
    ) throws(StoreError) -> [Notification] {
        made = []
        switch recorded.event {
        case .budgetSet(let event): try set(event.rule, recorded)
        case .budgetRemoved(let event): budgets.remove(BudgetRuleRow(event.budget))
        case .usageReserved(let event): try open(event.lines)
        case .usageRejected(let event): reject(event, recorded)
        case .usageSettled(let event): try settle(event, recorded, log)
        case .usageReleased(let event): try repay(event.repaidDebt, recorded)
        case .usageExpired(let event): try expire(event, recorded, log)
        case .usageAdjusted(let event): try adjust(event, recorded, log)
        case .usageRecorded(let event): try record(event, recorded)
        case .creditGranted(let event): try changeDebt(-event.repaidDebt, recorded)
        case .creditActivated(let event): try changeDebt(-event.repaidDebt, recorded)
        case .creditExpired(let event):
            // Of a grant that was used up, nobody has to be told.
            guard event.amount > .zero else { break }
            notify(.creditExpired, recorded) { json in
                json.money("amount", event.amount)
                json.text("customer", recorded.customer)
                json.text("grant", event.grant)
            }
        case .ledgerOpened, .clockAdvanced, .projectSet, .planSet, .priceBookPublished,
            .keyCreated, .keyRevoked, .customerOpened, .customerUpdated, .customerSuspended,
            .customerResumed, .customerClosed, .customerLinked, .creditRevoked, .paymentReceived,
            .runStarted, .runStopped, .runEnded, .usageEstimated, .usageExtended, .stripe:
            break
        }
        defer { made = [] }
        return made
    }

    mutating func notify(
        _ type: NotificationType, _ recorded: RecordedEvent, _ distinction: [String] = [],
        _ data: (inout JSONWriter) -> Void
    ) {
        made.append(
            Notification(
                type, of: recorded, ledgerID: ledgerID, distinction: distinction, data: data))
    }

    // MARK: Budgets

    private mutating func set(
        _ rule: BudgetRule, _ recorded: RecordedEvent
    ) throws(StoreError) {
        let sequence = Int64(clamping: recorded.sequence)
        let per = rule.per.map(\.text).joined(separator: "\n")
        try budgets.change(BudgetRuleRow(rule.id), in: &source) { row in
            let keepsCounters =
                row.generation > 0 && row.per == per && row.measure == rule.measure.rawValue
                && row.window == rule.window.rawValue && row.timeZone == rule.timeZone
            if !keepsCounters { row.generation = sequence }
            row.name = rule.name
            row.per = per
            row.measure = rule.measure.rawValue
            row.window = rule.window.rawValue
            row.timeZone = rule.timeZone
            row.amount = rule.amount
        }
    }

    // MARK: Debt

    private mutating func repay(
        _ portions: [GrantPortion], _ recorded: RecordedEvent, _ more: Money = .zero
    ) throws(StoreError) {
        let repaid = portions.reduce(0 as Int64) { $0.addingClamped($1.amount.nanos) }
        try changeDebt(Money(nanos: more.nanos.addingClamped(0 - repaid)), recorded)
    }

    private mutating func changeDebt(
        _ change: Money, _ recorded: RecordedEvent
    ) throws(StoreError) {
        guard !change.isZero, let customer = recorded.customer else { return }
        var (before, after) = (0 as Int64, 0 as Int64)
        try debts.change(
            DebtRow(project: recorded.project ?? "", customer: customer), in: &source
        ) { row in
            before = row.debt
            row.debt = row.debt.addingClamped(change.nanos)
            after = row.debt
        }
        guard before <= 0, after > 0 else { return }
        notify(.customerDebt, recorded) { json in
            json.text("customer", customer)
            json.money("debt", Money(nanos: after))
            json.text("reservation", recorded.reservation)
        }
    }

    // MARK: Calls

    private mutating func reject(_ event: UsageRejected, _ recorded: RecordedEvent) {
        notify(.usageRejected, recorded) { json in
            json.count("affordable_max_tokens", event.affordableMaxTokens)
            json.quantity("amount", event.amount, event.measure)
            json.quantity("available", event.available, event.measure)
            json.text("budget", event.budget)
            json.text("code", event.code.rawValue)
            json.text("customer", recorded.customer)
            json.time("frees_at", event.freesAt)
            json.quantity("held", event.held, event.measure)
            json.text("measure", event.measure?.rawValue)
            json.text("model", event.call.model)
            json.quantity("need", event.need, event.measure)
            json.text("reason", event.reason)
            json.text("reservation", recorded.reservation)
            json.text("rule", event.rule.rawValue)
            json.text("run", event.call.run)
            json.quantity("spent", event.spent, event.measure)
            json.text("user", event.call.user)
        }
    }

    private mutating func settle(
        _ event: UsageSettled, _ recorded: RecordedEvent, _ log: some EventLookup
    ) throws(StoreError) {
        let call = try log.call(before: recorded)
        if event.overrun > .zero {
            notify(.usageOverrun, recorded) { json in
                json.money("charge", event.rated.charge)
                json.money("cost", event.rated.cost)
                json.text("customer", recorded.customer)
                json.text("model", call.history.model)
                json.money("overrun", event.overrun)
                json.text("reservation", recorded.reservation)
                json.text("run", call.call.run)
            }
        }
        let actual = CallFigures(settled: event.rated)
        if event.isLate {
            let change = actual - event.replaced
            try spend(event.counters, change, recorded)
            try charge(call.call.run, change.charge, recorded)
        } else {
            try spend(call.history.lines.map { CounterReference($0) }, actual, recorded)
            try charge(call.call.run, actual.charge, recorded)
        }
        try repay(event.repaidDebt, recorded, event.split.debt)
    }

    private mutating func expire(
        _ event: UsageExpired, _ recorded: RecordedEvent, _ log: some EventLookup
    ) throws(StoreError) {
        let call = try log.call(before: recorded)
        notify(.usageExpired, recorded) { json in
            json.money("charged", event.provisional.charge)
            json.text("customer", recorded.customer)
            json.time("expired_at", event.expiredAt)
            json.text("model", call.history.model)
            json.text("policy", event.policy.rawValue)
            json.text("reservation", recorded.reservation)
            json.text("run", call.call.run)
        }
        try spend(call.history.lines.map { CounterReference($0) }, event.provisional, recorded)
        try charge(call.call.run, event.provisional.charge, recorded)
        try repay(event.repaidDebt, recorded, event.split.debt)
    }

    private mutating func adjust(
        _ event: UsageAdjusted, _ recorded: RecordedEvent, _ log: some EventLookup
    ) throws(StoreError) {
        let change = CallFigures(cost: event.cost, charge: event.charge, tokens: event.tokens)
        try spend(event.counters, change, recorded)
        let call = try log.call(before: recorded, first: event.corrects)
        try charge(call.call.run, event.charge, recorded)
        try repay(event.repaidDebt, recorded, event.split.debt)
    }

    private mutating func record(
        _ event: UsageRecorded, _ recorded: RecordedEvent
    ) throws(StoreError) {
        let actual = CallFigures(settled: event.rated)
        try open(event.lines)
        try spend(event.lines.map { CounterReference($0) }, actual, recorded)
        try charge(event.call.run, actual.charge, recorded)
        try changeDebt(event.split.debt, recorded)
    }
}
