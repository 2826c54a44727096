// GET /metrics. Everything is read from counters and status fields: no request is put to the
// deciding thread, so that the figures are there when it is needed most, and a scrape takes
// nothing from the calls. They are about the whole ledger, so a key for one project gets 403.

import Billing
import Engine
import EventLog
import Notifications
import Projections
import Synchronization
package import Telemetry

extension API {
    func getMetrics(_ call: APICall) async throws(APIError) -> APIResponse {
        try call.requireAllProjects()
        let format = PrometheusText.Format(accept: call.request.accept)
        await lookForOldestHold()
        let body = try await metricsReader.run { () throws(APIError) in metricsText(format) }
        return APIResponse(status: 200, contentType: format.contentType, body: body)
    }

    /// From the read models: the state keeps no order of age, and looking through it would hold up
    /// the calls. Their file may hang with the disk, so a scrape waits for a moment only; then it
    /// says what the last look found.
    private func lookForOldestHold() async {
        guard let readModels, oldestHold.begin() else { return }
        let (ends, end) = AsyncStream.makeStream(of: Never.self)
        let (reader, oldest) = (viewReader, oldestHold)
        Task {
            let query = ViewQuery(order: ["reserved_us"], limit: 1)
            let rows = try? await reader.run { () throws(APIError) in
                try? readModels.read { reader, _ throws(StoreError) in
                    try reader.rows(OpenReservationRow.self, query)
                }
            }
            oldest.end(rows.map { OldestHold.Known(reservedAt: $0.first?.reservedAt) })
            end.finish()
        }
        let timer = Task {
            try? await Task.sleep(for: .milliseconds(250))
            end.finish()
        }
        for await _ in ends {}
        timer.cancel()
    }

    /// Small reads of files of the system; else it waits for nothing.
    package func metricsText(_ format: PrometheusText.Format = .prometheus) -> [UInt8] {
        var text = PrometheusText(format)
        writeDecisions(to: &text)
        writeBatches(to: &text)
        writeQueue(to: &text)
        writeLog(to: &text)
        writeHolds(to: &text)
        if let status = readModels?.status { write(status, to: &text) }
        metrics.write(to: &text)
        text.single(
            "faregate_http_rate_limited_total", .counter,
            "Requests refused because their key was over its rate.", limiter?.refusedCount ?? 0)
        text.single(
            "faregate_http_body_bytes", .gauge, "Bytes set aside for bodies of requests under way.",
            Int64(bodies.bytesInUse))
        text.single(
            "faregate_event_streams", .gauge, "Streams of events that are open.",
            Int64(streams.count))
        text.single(
            "faregate_event_streams_max", .gauge, "Streams of events that may be open.",
            Int64(configuration.eventStreamsMax))
        if let webhooks { write(webhooks.counts, to: &text) }
        if let stripe { write(stripe, to: &text) }
        for write in configuration.moreMetrics { write(&text) }
        return text.finished()
    }

    private func writeDecisions(to text: inout PrometheusText) {
        let metrics = engine.metrics
        text.family(
            "faregate_decisions_total", .counter,
            "Decisions about calls that are on the log; for rejections the reason is the rule.")
        for (decision, count) in metrics.decisionCounts where decision != .rejected {
            text.sample(count, .one, [("result", decision.name), ("reason", ""), ("code", "")])
        }
        for (rule, code, count) in metrics.rejectionCounts {
            text.sample(
                count, .one,
                [
                    ("result", "rejected"), ("reason", rule.rawValue),
                    ("code", code.rawValue),
                ])
        }
        text.single(
            "faregate_late_settlements_total", .counter,
            "Settlements that came after their hold had expired.", metrics.lateSettlements)
        text.family(
            "faregate_rejected_charge_total", .counter,
            "What rejected calls could have been charged at most, in major units of the currency.")
        for (rule, nanos) in metrics.rejectedCharges {
            text.sample(nanos, .nano, [("rule", rule.rawValue), ("currency", currency)])
        }
        text.single(
            "faregate_replays_total", .counter,
            "Requests that got the answer of the same request before.", metrics.replayCount)
        text.family(
            "faregate_command_failures_total", .counter,
            "Commands that recorded nothing, by the code of their error.")
        for (code, count) in metrics.failureCounts { text.sample(count, .one, [("code", code)]) }
    }

    private func writeBatches(to text: inout PrometheusText) {
        let metrics = engine.metrics
        text.family(
            "faregate_batch_phase_seconds", .histogram,
            "Time of a batch in each phase; the phases' sums make faregate_batch_seconds_sum.")
        for phase in EngineMetrics.Phase.allCases {
            text.histogram(metrics.reading(phase), .nano, [("phase", phase.name)])
        }
        text.family(
            "faregate_batch_seconds", .histogram,
            "From the arrival of a batch's oldest request to the answer of its last.")
        text.histogram(metrics.wholeReading, .nano)
        text.family(
            "faregate_batch_answers", .histogram, "Answers that left together, for one batch.")
        text.histogram(metrics.batchAnswersReading)
        text.family("faregate_commit_events", .histogram, "Events made durable by one commit.")
        text.histogram(metrics.batchEventsReading)
        text.single(
            "faregate_commit_failures_total", .counter, "Commits that the store refused.",
            metrics.commitFailureCount)
        text.single(
            "faregate_write_running_seconds", .gauge,
            "For how long the commit under way, or what it waits for, has been running; 0: none is.",
            metrics.writeNanoseconds, .nano)
    }

    private func writeQueue(to text: inout PrometheusText) {
        text.single(
            "faregate_queue_depth", .gauge, "Requests waiting to be decided.",
            Int64(engine.queueDepth))
        text.single(
            "faregate_queue_capacity", .gauge, "Requests that may wait to be decided.",
            Int64(engine.queueCapacity))
        text.single(
            "faregate_queue_overloads_total", .counter,
            "Requests refused because the queue was full.", engine.metrics.overloadCount)
        text.single(
            "faregate_undurable_events", .gauge, "Events decided and not yet durable.",
            Int64(engine.undurableEvents))
        text.single(
            "faregate_answers_waiting", .gauge,
            "Requests decided whose answer waits for the disk.", Int64(engine.waitingAnswers))
        let states = ["healthy", "degraded", "halted", "draining", "stopping", "stalled"]
        let state = readinessState.name
        text.family(
            "faregate_state", .gauge, "1 for the state that /readyz tells, 0 for the others.")
        for name in states { text.sample(name == state ? 1 : 0, .one, [("state", name)]) }
    }

    private func writeLog(to text: inout PrometheusText) {
        text.family("faregate_events_appended_total", .counter, "Events made durable, by type.")
        for (type, count) in engine.metrics.eventCounts {
            text.sample(count, .one, [("type", type)])
        }
        text.single(
            "faregate_log_sequence", .gauge, "Number of the newest durable event.",
            Int64(clamping: engine.store.head.sequence))
        guard let snapshot = engine.metrics.lastSnapshot else { return }
        text.single(
            "faregate_snapshot_sequence", .gauge, "Last event in the newest snapshot.",
            Int64(clamping: snapshot.sequence))
        text.single(
            "faregate_snapshot_bytes", .gauge, "Size of the newest snapshot.", snapshot.bytes)
        text.single(
            "faregate_snapshot_timestamp_seconds", .gauge, "When the newest snapshot was saved.",
            snapshot.microseconds * 1_000, .nano)
    }

    private func writeHolds(to text: inout PrometheusText) {
        text.single(
            "faregate_open_holds", .gauge, "Reservations that are open.", engine.metrics.openHolds)
        guard let known = oldestHold.value else { return }
        let age = known.reservedAt.map { max(0, engine.clock.now().microseconds - $0) } ?? 0
        text.single(
            "faregate_oldest_hold_age_seconds", .gauge,
            "Age of the oldest open reservation, as far as the read models know; 0: none is open.",
            age * 1_000, .nano)
    }

    private func write(_ status: ProjectionStatus, to text: inout PrometheusText) {
        text.single(
            "faregate_projection_lag_events", .gauge,
            "Events on the log that the read models have not folded in.",
            Int64(clamping: status.lagEvents))
        text.single(
            "faregate_projection_sequence", .gauge, "Last event that the read models know.",
            Int64(clamping: status.sequence))
        if let stale = status.staleMicroseconds {
            text.single(
                "faregate_projection_lag_seconds", .gauge,
                "How long ago everything then on the log was folded in; 0: nothing is missing.",
                stale * 1_000, .nano)
        }
        text.single(
            "faregate_projection_failing", .gauge, "1 while the read models cannot go on.",
            status.state == .failing ? 1 : 0)
    }
}

extension API {
    private func write(_ counts: WebhookCounts, to text: inout PrometheusText) {
        text.family(
            "faregate_webhook_attempts_total", .counter,
            "Attempts to deliver a notification that ended, by whether the receiver took it.")
        text.sample(counts.delivered, .one, [("result", "delivered")])
        text.sample(counts.failed, .one, [("result", "failed")])
        text.single(
            "faregate_webhooks_disabled_total", .counter,
            "Endpoints that were switched off because they kept failing or wanted no more.",
            counts.switchedOff)
        text.single(
            "faregate_webhook_deliveries_waiting", .gauge,
            "Deliveries on their way, also those that wait for another attempt.", counts.waiting)
    }
}

/// When the oldest open reservation was made, as the last look found it.
final class OldestHold: Sendable {
    struct Known: Sendable {
        /// Microseconds since 1970 UTC; nil: none was open.
        var reservedAt: Int64?
    }

    private let state = Mutex((value: Known?.none, isLooking: false))

    init() {}

    var value: Known? { state.withLock { $0.value } }

    /// False: somebody is looking.
    func begin() -> Bool {
        state.withLock { state in
            if state.isLooking { return false }
            state.isLooking = true
            return true
        }
    }

    /// - Parameter found: nil: nothing could be found out.
    func end(_ found: Known?) {
        state.withLock { state in
            state.isLooking = false
            if let found { state.value = found }
        }
    }
}
