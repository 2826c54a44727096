// Deliveries, as they lie in the file: what is due, what came of it, what was.

package import Billing
package import EventLog
import SQLiteBinding

extension WebhookFile {
    /// Puts a notification on its way to each of `endpoints` that wants it. What is on its way
    /// already, stays as it is.
    func enqueue(
        _ notification: Notification, _ endpoints: [Endpoint], _ now: Instant,
        _ counts: inout [String: Int64]
    ) throws(StoreError) {
        let wanting = endpoints.filter { $0.wants(notification) }
        if wanting.isEmpty { return }
        try keep(notification)
        for endpoint in wanting {
            try addDelivery(of: notification, to: endpoint.id, now)
            counts[endpoint.id, default: 0] += 1
        }
    }

    private func keep(_ notification: Notification) throws(StoreError) {
        let statement = try Statement(
            "INSERT OR IGNORE INTO notifications (id, type, seq, project, body)"
                + " VALUES (?, ?, ?, ?, ?)", on: connection, activity: "keeping a notification")
        statement.bind(notification.id, at: 1)
        statement.bind(notification.type.rawValue, at: 2)
        statement.bind(Int64(clamping: notification.sequence), at: 3)
        statement.bind(ifPresent: notification.project, at: 4)
        statement.bind(String(decoding: notification.body, as: UTF8.self), at: 5)
        try statement.run()
    }

    @discardableResult
    private func addDelivery(
        of notification: Notification, to endpoint: String, _ now: Instant
    ) throws(StoreError) -> String {
        let statement = try Statement(
            "INSERT OR IGNORE INTO deliveries (id, endpoint, notification, state, attempts,"
                + " failures, created_us, due_us) VALUES (?, ?, ?, 'waiting', 0, 0, ?, ?)",
            on: connection, activity: "adding a delivery")
        let id = Notification.id("dlv_", [notification.id, endpoint])
        statement.bind(id, at: 1)
        statement.bind(endpoint, at: 2)
        statement.bind(notification.id, at: 3)
        statement.bind(now.microseconds, at: 4)
        statement.bind(now.microseconds, at: 5)
        try statement.run()
        return id
    }

    /// Puts a test on its way, also to an endpoint that is switched off or wants no such type.
    ///
    /// - Parameter id: of the notification: one of its own for each test.
    package func addTest(
        to endpoint: Endpoint, id: String, now: Instant
    ) throws(StoreError) -> Delivery? {
        let notification = Notification.test(
            id: id, project: endpoint.project, time: now, ledgerID: store.identity.ledgerID)
        var delivery = ""
        try connection.transaction(while: "adding a test") { _ throws(StoreError) in
            try keep(notification)
            delivery = try addDelivery(of: notification, to: endpoint.id, now)
        }
        return try self.delivery(delivery)
    }

    // MARK: Sending

    /// The next due delivery of each endpoint that is not `busy`, signed: what has been due for
    /// longest first, and of what became due together the oldest.
    package func due(
        now: Instant, busy: Set<String>, limit: Int
    ) throws(StoreError) -> [WebhookRequest] {
        var requests: [WebhookRequest] = []
        for endpoint in try endpoints() where !busy.contains(endpoint.id) {
            if requests.count >= limit { break }
            let found = try deliveries(
                "WHERE d.endpoint = ? AND d.state = 'waiting' AND d.due_us <= ?"
                    + Self.onlyTests(endpoint) + " ORDER BY d.due_us, d.number LIMIT 1"
            ) { statement in
                statement.bind(endpoint.id, at: 1)
                statement.bind(now.microseconds, at: 2)
            }
            if let delivery = found.first { requests.append(request(delivery, endpoint, now)) }
        }
        return requests
    }

    /// What waits for an endpoint that is switched off goes on waiting; tests go out all the same.
    private static func onlyTests(_ endpoint: Endpoint) -> String {
        endpoint.isEnabled ? "" : " AND n.type = '\(NotificationType.webhookTest.rawValue)'"
    }

    /// When the next delivery is due to an endpoint that is not `busy`; nil: none waits.
    package func nextDue(busy: Set<String>) throws(StoreError) -> Instant? {
        var next: Instant?
        for endpoint in try endpoints() where endpoint.isEnabled && !busy.contains(endpoint.id) {
            let statement = try Statement(
                "SELECT min(due_us) FROM deliveries WHERE endpoint = ? AND state = 'waiting'",
                on: connection, activity: "looking for deliveries")
            statement.bind(endpoint.id, at: 1)
            guard try statement.step() else { continue }
            if !statement.isNull(at: 0) {
                next = min(next ?? .max, Instant(microseconds: statement.int64(at: 0)))
            }
            _ = try statement.step()
        }
        return next
    }

    /// Deliveries on their way, to all endpoints.
    func waitingCount() throws(StoreError) -> Int64 {
        let statement = try Statement(
            "SELECT count(*) FROM deliveries WHERE state = 'waiting'", on: connection,
            activity: "counting deliveries")
        guard try statement.step() else { return 0 }
        let count = statement.int64(at: 0)
        _ = try statement.step()
        return count
    }

    private func request(
        _ delivery: Delivery, _ endpoint: Endpoint, _ now: Instant
    ) -> WebhookRequest {
        let body = Array(delivery.body.utf8)
        let seconds = now.microseconds / 1_000_000
        let signatures = endpoint.secrets(at: now).map {
            $0.signature(id: delivery.notification, timestamp: seconds, body: body)
        }
        return WebhookRequest(
            delivery: delivery.id, endpoint: endpoint.id, url: endpoint.url,
            headers: [
                ("content-type", "application/json"), ("user-agent", "faregate"),
                ("webhook-id", delivery.notification), ("webhook-timestamp", String(seconds)),
                ("webhook-signature", signatures.joined(separator: " ")),
            ], body: body)
    }

    /// Notes what came of an attempt.
    ///
    /// - Returns: why the endpoint was switched off, if it was.
    package func finish(
        _ id: String, _ outcome: AttemptOutcome, now: Instant, jitter: UInt64
    ) throws(StoreError) -> Endpoint.DisabledReason? {
        guard let delivery = try delivery(id), var endpoint = try endpoint(delivery.endpoint) else {
            return nil
        }
        let failures = try integer("SELECT failures FROM deliveries WHERE id = ?", id)
        let verdict = DeliverySchedule.verdict(
            outcome, failures: Int(clamping: failures), now: now, jitter: jitter)
        var reason: Endpoint.DisabledReason?
        if verdict == .delivered {
            endpoint.failingSince = nil
        } else {
            let since = endpoint.failingSince ?? now
            endpoint.failingSince = since
            let isLong = now.microseconds - since.microseconds >= WebhookLimits.failingMicroseconds
            if verdict == .gone { reason = .gone } else if isLong { reason = .failing }
            if !endpoint.isEnabled { reason = nil }
        }
        if let reason {
            endpoint.isEnabled = false
            endpoint.disabledReason = reason
        }
        let changed = endpoint
        let hasChanged = try self.endpoint(delivery.endpoint) != changed
        try connection.transaction(while: "noting a delivery") { _ throws(StoreError) in
            try note(delivery, outcome, verdict, failures: failures, now)
            if hasChanged { try save(changed) }
        }
        return reason
    }

    private func note(
        _ delivery: Delivery, _ outcome: AttemptOutcome, _ verdict: DeliveryVerdict,
        failures: Int64, _ now: Instant
    ) throws(StoreError) {
        let statement = try Statement(
            "UPDATE deliveries SET state = ?, attempts = attempts + 1, failures = ?, due_us = ?,"
                + " last_us = ?, last_status = ?, last_error = ? WHERE id = ?",
            on: connection, activity: "noting a delivery")
        var (state, due) = (DeliveryState.waiting, delivery.dueAt)
        switch verdict {
        case .delivered: state = .delivered
        case .giveUp, .gone: state = .failed
        case .again(let next): due = next
        }
        statement.bind(state.rawValue, at: 1)
        statement.bind(verdict == .delivered ? failures : failures + 1, at: 2)
        statement.bind(due.microseconds, at: 3)
        statement.bind(now.microseconds, at: 4)
        switch outcome {
        case .answered(let status, _):
            statement.bind(Int64(status), at: 5)
            statement.bindNull(at: 6)
        case .failed(let why):
            statement.bindNull(at: 5)
            statement.bind(String(why.prefix(500)), at: 6)
        }
        statement.bind(delivery.id, at: 7)
        try statement.run()
    }

    /// Sends a delivery again, as soon as may be, with all attempts before it.
    package func resend(_ id: String, now: Instant) throws(StoreError) -> Delivery? {
        let statement = try Statement(
            "UPDATE deliveries SET state = 'waiting', failures = 0, due_us = ? WHERE id = ?",
            on: connection, activity: "sending again")
        statement.bind(now.microseconds, at: 1)
        statement.bind(id, at: 2)
        try statement.run()
        return try delivery(id)
    }

    // MARK: Looking

    package func delivery(_ id: String) throws(StoreError) -> Delivery? {
        try deliveries("WHERE d.id = ?") { $0.bind(id, at: 1) }.first
    }

    /// The newest first.
    ///
    /// - Parameters:
    ///   - before: only such with a lower number.
    ///   - project: only of endpoints of this project.
    package func deliveries(
        endpoint: String?, state: DeliveryState?, project: String?, before: Int64, limit: Int
    ) throws(StoreError) -> [Delivery] {
        var condition = "WHERE d.number < ?"
        var texts: [String] = []
        if let endpoint {
            condition += " AND d.endpoint = ?"
            texts.append(endpoint)
        }
        if let state {
            condition += " AND d.state = ?"
            texts.append(state.rawValue)
        }
        if let project {
            condition += " AND d.endpoint IN (SELECT id FROM endpoints WHERE project = ?)"
            texts.append(project)
        }
        return try deliveries(condition + " ORDER BY d.number DESC LIMIT ?") { statement in
            statement.bind(before, at: 1)
            for (place, text) in texts.enumerated() { statement.bind(text, at: Int32(place) + 2) }
            statement.bind(limit, at: Int32(texts.count) + 2)
        }
    }

    private func deliveries(
        _ condition: String, _ bind: (borrowing Statement) -> Void
    ) throws(StoreError) -> [Delivery] {
        let statement = try Statement(
            "SELECT d.number, d.id, d.endpoint, d.notification, n.type, n.seq, n.project, d.state,"
                + " d.attempts, d.created_us, d.due_us, d.last_us, d.last_status, d.last_error,"
                + " n.body FROM deliveries d JOIN notifications n ON n.id = d.notification "
                + condition, on: connection, activity: "reading deliveries")
        bind(statement)
        var found: [Delivery] = []
        try statement.forEachRow { row throws(StoreError) in
            found.append(
                Delivery(
                    number: row.int64(at: 0), id: row.text(at: 1), endpoint: row.text(at: 2),
                    notification: row.text(at: 3), type: row.text(at: 4),
                    sequence: try row.uint64(at: 5),
                    project: row.isNull(at: 6) ? nil : row.text(at: 6),
                    state: DeliveryState(rawValue: row.text(at: 7)) ?? .failed,
                    attempts: row.int64(at: 8),
                    createdAt: Instant(microseconds: row.int64(at: 9)),
                    dueAt: Instant(microseconds: row.int64(at: 10)),
                    lastAttemptAt: row.isNull(at: 11)
                        ? nil : Instant(microseconds: row.int64(at: 11)),
                    lastStatus: row.isNull(at: 12) ? nil : row.int64(at: 12),
                    lastError: row.isNull(at: 13) ? nil : row.text(at: 13),
                    body: row.text(at: 14)))
            return true
        }
        return found
    }

    private func integer(_ sql: String, _ text: String) throws(StoreError) -> Int64 {
        let statement = try Statement(sql, on: connection, activity: "reading deliveries")
        statement.bind(text, at: 1)
        guard try statement.step() else { return 0 }
        defer { _ = try? statement.step() }
        return statement.int64(at: 0)
    }

    // MARK: Forgetting

    /// Forgets what ended long ago, and what the fold has no more use for.
    package func tidy(now: Instant) throws(StoreError) {
        let activity = "forgetting old deliveries"
        let kept = now.microseconds - WebhookLimits.keptMicroseconds
        // By the log's own clock, which need not be this one.
        let old =
            (foldedTime?.microseconds ?? 0) - NotificationFold<WebhookFile>.memoryMicroseconds
            - 86_400_000_000
        try connection.transaction(while: activity) { connection throws(StoreError) in
            try connection.execute(
                """
                DELETE FROM deliveries WHERE state <> 'waiting' AND last_us < \(kept);
                \(Self.removeUnneeded);
                DELETE FROM thresholds WHERE window_end_us < \(old);
                DELETE FROM run_charges WHERE last_us < \(old);
                DELETE FROM run_days WHERE day < \(old / 86_400_000_000);
                """, while: activity)
        }
    }
}
