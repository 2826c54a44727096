// What /metrics says of Stripe: counters of this process, and figures of the last look, at most
// some seconds old.

import Billing
import Engine
import StripeSync
import Telemetry

extension API {
    func write(_ stripe: StripeSync, to text: inout PrometheusText) {
        writeCounts(stripe.counts, to: &text)
        guard let status = stripe.lastStatus else { return }
        text.family(
            "faregate_stripe_amount", .gauge,
            "Where billable usage is, in major units of the currency: waiting for its window's end,"
                + " carried to the next push, pushed in open periods, billed on invoices.")
        let amounts: [(String, Int64)] = [
            ("waiting", status.waitingNanos), ("carried", status.carriedNanos),
            ("pushed", Int64(clamping: Int128(status.pushed) * 1_000)),
            ("billed", Int64(clamping: Int128(status.billed) * 1_000)),
        ]
        for (place, nanos) in amounts {
            text.sample(nanos, .nano, [("place", place), ("currency", currency)])
        }
        text.single(
            "faregate_stripe_stuck_amount", .gauge,
            "Billable usage that cannot be billed until somebody has seen to it.",
            status.stuckNanos, .nano)
        text.single(
            "faregate_stripe_blocked_customers", .gauge,
            "Customers of whom Stripe takes nothing.", status.blockedCustomers)
        text.single(
            "faregate_stripe_linked_customers", .gauge, "Customers that are linked to Stripe's.",
            status.linkedCustomers)
        text.single(
            "faregate_stripe_open_pushes", .gauge, "Pushes of which it is not known what became.",
            status.openPushes)
        writeAges(status, to: &text)
        text.single(
            "faregate_stripe_drift_amount", .gauge,
            "By how much Stripe's sums were found to differ, as far as it is not made up for.",
            Int64(clamping: Int128(status.driftQuantity) * 1_000), .nano)
        text.single(
            "faregate_stripe_drifts", .gauge, "Differences that stand.", status.standingDrifts)
        text.single(
            "faregate_stripe_webhooks_waiting", .gauge,
            "Webhooks on the log that nothing has followed from yet.", status.waitingWebhooks)
        text.single(
            "faregate_stripe_open_disputes", .gauge,
            "Disputes that were opened with an answer due and are not closed.",
            status.openDisputes)
        if let skew = status.clockSkewSeconds {
            text.single(
                "faregate_stripe_clock_skew_seconds", .gauge,
                "By how much this machine's clock is ahead of Stripe's; behind: below zero.", skew)
        }
        text.single(
            "faregate_stripe_odd_invoices", .gauge,
            "Invoices that charge something else than their quantity comes to.",
            status.oddInvoices)
        text.single(
            "faregate_stripe_failing", .gauge, "1 while nothing can be pushed to Stripe.",
            status.problem == nil ? 0 : 1)
    }

    private func writeAges(_ status: StripeStatus, to text: inout PrometheusText) {
        let now = engine.clock.now().microseconds
        func age(_ time: Instant?) -> Int64 {
            time.map { max(0, now - $0.microseconds) * 1_000 } ?? 0
        }
        text.single(
            "faregate_stripe_oldest_push_age_seconds", .gauge,
            "Age of the oldest push of which it is not known what became; 0: there is none.",
            age(status.oldestOpenPush), .nano)
        text.single(
            "faregate_stripe_oldest_window_age_seconds", .gauge,
            "Age of the oldest usage that is in no push; 0: there is none. Stripe takes nothing"
                + " older than 35 days.", age(status.oldestWindow), .nano)
        guard let run = status.lastRun else { return }
        text.single(
            "faregate_stripe_reconciled_timestamp_seconds", .gauge,
            "When sums were last compared.", run.at * 1_000, .nano)
        text.family(
            "faregate_stripe_reconciled_customers", .gauge,
            "Customers of the last comparison of sums, by its result.")
        let results = [
            ("equal", run.equal), ("differing", run.differing), ("pending", run.pending),
            ("failed", run.failed),
        ]
        for (result, count) in results { text.sample(count, .one, [("result", result)]) }
    }

    private func writeCounts(_ counts: StripeCounts, to text: inout PrometheusText) {
        text.family(
            "faregate_stripe_pushes_total", .counter,
            "Attempts to push usage to Stripe that ended, by their result.")
        text.sample(counts[.pushesAccepted], .one, [("result", "accepted")])
        text.sample(counts[.pushesRejected], .one, [("result", "rejected")])
        text.sample(counts[.pushAttemptsFailed], .one, [("result", "failed")])
        text.family(
            "faregate_stripe_webhooks_total", .counter,
            "Requests to the endpoint for Stripe's webhooks, by what became of them.")
        let results: [(String, StripeCounts.Name)] = [
            ("recorded", .webhooksRecorded), ("known", .webhooksRepeated),
            ("foreign", .webhooksForeign), ("refused", .webhooksRefused),
            ("failed", .webhooksFailed),
        ]
        for (result, name) in results { text.sample(counts[name], .one, [("result", result)]) }
    }
}
