// Compares Stripe's sums with the ledger's: for each customer the meter's total of the open period,
// up to a minute that is old enough for Stripe to have summed, against what was pushed with earlier
// stamps. Young pushes make a customer "pending", not different. A difference counts when two
// comparisons in a row, a grace apart, find the same one.

import Billing
import CanonicalJSON
import Engine
import EventLog
import Projections
import StripeAPI

struct Reconciliation {
    /// Microseconds; 0: now.
    var nextRunAt: Int64 = 0
    /// The customer after whom a run goes on; nil: none is under way.
    var after: (project: String, customer: String)?
    var isLastPage = false
    var waiting: [StripeCustomerRow] = []
    /// Customers whose sum is being read.
    var running = 0
    var counts = StripeReconciled()
    /// Differences that were found once.
    var suspects: [CustomerKey: Suspect] = [:]

    struct Suspect {
        var periodStart: Int64
        var missing: Int64
        var foundAt: Int64
    }
}

extension StripeSync {
    func sumsDue(
        _ file: StripeFile, _ now: Instant, room: Int
    ) throws(StoreError) -> [(StripeJob, StripeFetch)] {
        guard !settings.meterID.isEmpty else { return [] }
        if reconciliation.after == nil {
            guard now.microseconds >= reconciliation.nextRunAt else { return [] }
            reconciliation.after = ("", "")
            reconciliation.isLastPage = false
            reconciliation.counts = StripeReconciled()
            reconciliation.nextRunAt =
                now.advanced(bySeconds: settings.reconcileSeconds).microseconds
        }
        var jobs: [(StripeJob, StripeFetch)] = []
        while jobs.count < room {
            if reconciliation.waiting.isEmpty {
                guard !reconciliation.isLastPage, let after = reconciliation.after else { break }
                let page = try file.linkedCustomers(after: after, limit: 500)
                reconciliation.isLastPage = page.count < 500
                reconciliation.waiting = page.reversed()
                if let last = page.last { reconciliation.after = (last.project, last.customer) }
                continue
            }
            let row = reconciliation.waiting.removeLast()
            guard let span = sumSpan(row, now) else { continue }
            guard try isRipe(file, row, span, now) else {
                reconciliation.counts.pending += 1
                continue
            }
            jobs.append(
                (
                    .sum(row.key, span.upperBound),
                    .list(
                        MeterSummaries.total(
                            meter: settings.meterID, stripeCustomer: row.stripeCustomer,
                            startSeconds: span.lowerBound / 1_000_000,
                            endSeconds: span.upperBound / 1_000_000))
                ))
            reconciliation.running += 1
        }
        return jobs
    }

    /// Whole minutes within the open period, old enough to be summed; nil: there are none.
    private func sumSpan(_ row: StripeCustomerRow, _ now: Instant) -> Range<Int64>? {
        let minute: Int64 = 60_000_000
        let start = (row.periodStart + minute - 1) / minute * minute
        let old = now.microseconds - settings.graceSeconds * 1_000_000
        let end = min(old, row.periodEnd) / minute * minute
        guard row.periodStart > 0, row.endedAt == 0, start < end, row.closedEnd <= row.periodStart
        else { return nil }
        return start..<end
    }

    /// Whether nothing in the span is on its way or just arrived.
    private func isRipe(
        _ file: StripeFile, _ row: StripeCustomerRow, _ span: Range<Int64>, _ now: Instant
    ) throws(StoreError) -> Bool {
        try file.number(
            """
            SELECT count(*) FROM pushes WHERE project = ? AND customer = ? AND stamp_us >= ?
                AND stamp_us < ? AND (state = 'open' OR (state = 'accepted' AND changed_us > ?))
            """,
            [
                .text(row.project), .text(row.customer), .integer(span.lowerBound),
                .integer(span.upperBound),
                .integer(now.microseconds - settings.graceSeconds * 1_000_000),
            ]) == 0
    }

    func takeSum(
        _ key: CustomerKey, _ through: Int64, _ result: Result<StripeAnswer, AttemptFailure>
    ) async throws(StripeProblem) {
        reconciliation.running = max(reconciliation.running - 1, 0)
        let requests = try reading { (file: StripeFile) throws(StoreError) -> [EngineRequest] in
            guard case .success(let answer) = result,
                let stripe = StripeSum.total(answer.body.elements),
                let row = try file.customer(key.project, key.id), row.periodStart < through
            else {
                reconciliation.counts.failed += 1
                return []
            }
            return try compare(file, row, through, stripe)
        }
        try await record(requests)
    }

    private func compare(
        _ file: StripeFile, _ row: StripeCustomerRow, _ through: Int64, _ stripe: Int64
    ) throws(StoreError) -> [EngineRequest] {
        let now = clock.now()
        let span = row.periodStart..<through
        guard try isRipe(file, row, span, now) else {
            reconciliation.counts.pending += 1
            return []
        }
        reconciliation.counts.checked += 1
        let ledger = try file.pushed(
            row.project, row.customer, span, kind: .usage, states: [.accepted, .settled])
        let standing = try file.drifts(row.project, row.customer, periodStart: row.periodStart)
            .filter { $0.isOver == 0 }
        if ledger == stripe {
            reconciliation.counts.equal += 1
            reconciliation.suspects[row.key] = nil
            return standing.map { drift in
                var event = StripeRepaired()
                event.drift = drift.drift
                event.how = drift.push.isEmpty ? .vanished : .push
                return StripeRequests.record(
                    .repaired(event), row.key, key: "repaired:\(drift.drift)")
            }
        }
        reconciliation.counts.differing += 1
        // At most one open repair of a period.
        guard standing.isEmpty else { return [] }
        let missing = Int64(clamping: Int128(ledger) - Int128(stripe))
        if let suspect = reconciliation.suspects[row.key], suspect.missing == missing,
            suspect.periodStart == row.periodStart
        {
            guard now.microseconds - suspect.foundAt >= settings.graceSeconds * 1_000_000 else {
                return []
            }
            reconciliation.suspects[row.key] = nil
            var event = StripeDriftFound()
            event.drift = driftID(row, through)
            event.ledger = ledger
            event.stripe = stripe
            event.periodStart = Instant(microseconds: row.periodStart)
            event.through = Instant(microseconds: through)
            log("Stripe's sum of a customer differs from the ledger's by \(missing) micro-units")
            return [
                StripeRequests.record(.driftFound(event), row.key, key: "drift:\(event.drift)")
            ]
        }
        reconciliation.suspects[row.key] = Reconciliation.Suspect(
            periodStart: row.periodStart, missing: missing, foundAt: now.microseconds)
        // It is looked at again as soon as it may be judged.
        reconciliation.nextRunAt = min(
            reconciliation.nextRunAt, now.advanced(bySeconds: settings.graceSeconds).microseconds)
        return []
    }

    private func driftID(_ row: StripeCustomerRow, _ through: Int64) -> String {
        let text = "\(row.project.utf8.count):\(row.project)\(row.customer)"
        let digest = Fingerprint(hashing: Array(text.utf8)).hex.prefix(16)
        return "drift_\(digest)_\(row.periodStart / 1_000_000)_\(through / 1_000_000)"
    }

    /// Records the run when its last customer was looked at.
    func endRun() async throws(StripeProblem) {
        guard reconciliation.after != nil, reconciliation.isLastPage,
            reconciliation.waiting.isEmpty, reconciliation.running == 0
        else { return }
        reconciliation.after = nil
        lookedAt = nil
        try await record([
            StripeRequests.record(.reconciled(reconciliation.counts), nil, key: nil)
        ])
    }
}
