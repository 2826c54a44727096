// Budgets' counters, window by window. A run's own cap is left out: the run keeps its figures for
// good.

import Billing
import EventLog

extension WorkingSet {
    mutating func hold(_ lines: [BudgetLine], _ recorded: RecordedEvent) throws(StoreError) {
        for line in lines where line.budget != BudgetLine.runCap {
            try change(line, recorded) { row in
                row.held.add(line.hold)
                row.heldPeak = max(row.heldPeak, row.held)
                row.openHolds.add(1)
                row.calls.add(1)
            }
        }
    }

    mutating func spend(
        _ lines: [BudgetLine], _ actual: CallFigures, _ recorded: RecordedEvent
    ) throws(StoreError) {
        for line in lines where line.budget != BudgetLine.runCap {
            try change(line, recorded) { row in
                row.spent.add(actual.quantity(line.measure))
                row.calls.add(1)
            }
        }
    }

    /// Of a refused call: only the rule that refused has something to say.
    mutating func refuse(_ lines: [BudgetLine], _ recorded: RecordedEvent) throws(StoreError) {
        for line in lines where line.budget != BudgetLine.runCap && line.outcome == .refused {
            try change(line, recorded) { $0.refused.add(1) }
        }
    }

    mutating func unhold(
        _ reservation: Reservation, _ actual: CallFigures, _ recorded: RecordedEvent
    ) throws(StoreError) {
        for line in reservation.lines where line.budget != BudgetLine.runCap {
            try windows.change(BudgetWindowRow(CounterReference(line)), in: &source) { row in
                row.held.add(-line.hold)
                row.openHolds.add(-1)
                row.spent.add(actual.quantity(line.measure))
                row.lastSequence = Int64(clamping: recorded.sequence)
            }
        }
    }

    mutating func addToWindows(
        _ counters: [CounterReference], _ change: CallFigures, _ recorded: RecordedEvent
    ) throws(StoreError) {
        for reference in counters where reference.budget != BudgetLine.runCap {
            try windows.change(BudgetWindowRow(reference), in: &source) { row in
                row.spent.add(change.quantity(reference.measure))
                row.lastSequence = Int64(clamping: recorded.sequence)
            }
        }
    }

    private mutating func change(
        _ line: BudgetLine, _ recorded: RecordedEvent, _ body: (inout BudgetWindowRow) -> Void
    ) throws(StoreError) {
        try windows.change(BudgetWindowRow(CounterReference(line)), in: &source) { row in
            row.windowEnd = line.window.end?.microseconds
            row.amount = line.amount
            if line.outcome == .warned || line.outcome == .shadowed { row.exceeded.add(1) }
            row.lastSequence = Int64(clamping: recorded.sequence)
            body(&row)
        }
    }
}
