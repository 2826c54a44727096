// Budgets that are used up to a percentage, and runs that cost far more than others.
//
// A percentage is notified once in a window: when what was spent and settled reaches it. What comes
// down again and up again is not notified twice. Another amount is another matter: a percentage
// that is not reached any more under it can be reached again.
//
// A run is compared with the runs of its project that were first charged in the seven days before
// and today. It is notified once.

import Billing
import CanonicalJSON
import EventLog
import Money
import Projections

extension NotificationFold {
    /// Notes the windows of lines, which later events only refer to.
    mutating func open(_ lines: [BudgetLine]) throws(StoreError) {
        for line in lines {
            let blank = ThresholdRow(CounterReference(line))
            if try thresholds.find(blank, in: &source) != nil { continue }
            try thresholds.change(blank, in: &source) { row in
                row.windowEnd = line.window.end?.microseconds
                // A run's cap is its own for good; a budget's amount is looked up when it counts.
                if line.budget == BudgetLine.runCap { row.amount = line.amount }
            }
        }
    }

    mutating func spend(
        _ counters: [CounterReference], _ change: CallFigures, _ recorded: RecordedEvent
    ) throws(StoreError) {
        for reference in counters {
            let quantity = change.quantity(reference.measure)
            if quantity == 0 { continue }
            let blank = ThresholdRow(reference)
            guard let row = try thresholds.find(blank, in: &source), !isForgotten(row, recorded)
            else { continue }
            let rule = try budgets.find(BudgetRuleRow(reference.budget), in: &source)
            let isRun = reference.budget == BudgetLine.runCap
            // Of an earlier form of the budget, which nothing is compared with any more.
            if !isRun, rule?.generation != row.generation { continue }
            let amount = isRun ? row.amount : rule?.amount
            var reached: [Int64] = []
            let percentages = rules.thresholds
            try thresholds.change(blank, in: &source) { row in
                reached = row.add(quantity, amount: amount, percentages)
            }
            guard let row = try thresholds.find(blank, in: &source) else { continue }
            for percent in reached { cross(percent, row, rule, reference.measure, recorded) }
        }
    }

    private func isForgotten(_ row: ThresholdRow, _ recorded: RecordedEvent) -> Bool {
        guard let end = row.windowEnd else { return false }
        return end < recorded.time.microseconds - Self.memoryMicroseconds
    }

    private mutating func cross(
        _ percent: Int64, _ row: ThresholdRow, _ rule: BudgetRuleRow?, _ measure: BudgetMeasure,
        _ recorded: RecordedEvent
    ) {
        let isRun = row.budget == BudgetLine.runCap
        let distinction = [
            row.budget, String(row.generation), row.scope, String(row.windowStart), String(percent),
        ]
        notify(.budgetThreshold, recorded, distinction) { json in
            json.quantity("amount", row.amount, measure)
            if !isRun { json.text("budget", row.budget) }
            json.text("customer", recorded.customer)
            json.text("measure", measure.rawValue)
            if !isRun { json.text("name", rule?.name) }
            json.count("percent", percent)
            json.text("reservation", recorded.reservation)
            if isRun { json.text("run", row.scope) }
            if !isRun { json.text("scope", row.scope) }
            json.quantity("spent", row.spent, measure)
            if !isRun {
                json.time("window_end", row.windowEnd.map { Instant(microseconds: $0) })
                json.time("window_start", Instant(microseconds: row.windowStart))
            }
        }
    }

    // MARK: Runs

    mutating func charge(
        _ run: String?, _ change: Money, _ recorded: RecordedEvent
    ) throws(StoreError) {
        guard let run, !change.isZero else { return }
        let project = recorded.project ?? ""
        let blank = RunChargeRow(project: project, run: run)
        let today = ViewDay.day(of: recorded.time)
        let now = recorded.time.microseconds
        var isNew = false
        try runs.change(blank, in: &source) { row in
            if row.lastChange < now - Self.memoryMicroseconds { row = blank }
            if row.isCounted == 0 {
                row.day = today
                row.isCounted = 1
                isNew = true
            }
            row.charge = row.charge.addingClamped(change.nanos)
            row.lastChange = now
        }
        guard let row = try runs.find(blank, in: &source) else { return }
        try runDays.change(RunDayRow(project: project, day: row.day), in: &source) { day in
            if isNew { day.runs += 1 }
            day.charge = day.charge.addingClamped(change.nanos)
        }
        try compare(row, today, recorded)
    }

    private mutating func compare(
        _ row: RunChargeRow, _ today: Int64, _ recorded: RecordedEvent
    ) throws(StoreError) {
        guard row.hasSpiked == 0, row.charge >= rules.runSpikeFloor else { return }
        var (count, sum) = (0 as Int64, 0 as Int64)
        for day in (today - 7)...today {
            let blank = RunDayRow(project: row.project, day: day)
            guard let found = try runDays.find(blank, in: &source) else { continue }
            count = count.addingClamped(found.runs)
            sum = sum.addingClamped(found.charge)
        }
        if row.day >= today - 7 {
            count -= 1
            sum = sum.addingClamped(0 - row.charge)
        }
        guard count >= rules.runSpikeRuns else { return }
        let isSpike =
            Int128(row.charge) * Int128(count) >= Int128(rules.runSpikeFactor) * Int128(sum)
        guard isSpike else { return }
        try runs.change(row, in: &source) { $0.hasSpiked = 1 }
        notify(.runSpike, recorded) { json in
            json.money("charge", Money(nanos: row.charge))
            json.text("customer", recorded.customer)
            json.text("reservation", recorded.reservation)
            json.text("run", row.run)
            json.money("usual_charge", Money(nanos: sum / count))
            json.count("usual_runs", count)
        }
    }
}

extension ThresholdRow {
    /// Adds to what was spent.
    ///
    /// - Returns: the percentages that are reached by it, ascending.
    mutating func add(_ quantity: Int64, amount: Int64?, _ percentages: [Int64]) -> [Int64] {
        if amount != self.amount {
            let spent = spent
            reachedPercentages.removeAll { !Self.isReached($0, spent, amount) }
            self.amount = amount
        }
        spent = spent.addingClamped(quantity)
        let known = reachedPercentages
        let new = percentages.filter {
            !known.contains($0) && Self.isReached($0, spent, amount)
        }
        if !new.isEmpty { reachedPercentages = (known + new).sorted() }
        return new
    }

    private static func isReached(_ percent: Int64, _ spent: Int64, _ amount: Int64?) -> Bool {
        // Of nothing, everything is used up from the beginning.
        guard let amount, amount > 0 else { return false }
        return Int128(spent) * 100 >= Int128(amount) * Int128(percent)
    }
}
