// Endpoints, as they lie in the file.

import Billing
package import EventLog
import SQLiteBinding

package enum WebhookLimits {
    package static let endpointsMax = 100
    /// What may wait for one endpoint; with more it is switched off.
    package static let waitingMax: Int64 = 100_000
    /// An endpoint at which nothing has arrived for so long is switched off, microseconds.
    package static let failingMicroseconds: Int64 = 5 * 86_400_000_000
    /// How long what was delivered, or given up, can be looked at and sent again, microseconds.
    package static let keptMicroseconds: Int64 = 7 * 86_400_000_000
}

extension WebhookFile {
    private static let columns =
        "id, url, description, types, project, is_enabled, disabled_reason, created_us, after_seq,"
        + " secret, old_secret, old_secret_until_us, failing_since_us"

    /// All, in the order of their ids.
    package func endpoints() throws(StoreError) -> [Endpoint] {
        try endpoints("ORDER BY id") { _ in }
    }

    package func endpoint(_ id: String) throws(StoreError) -> Endpoint? {
        try endpoints("WHERE id = ?") { $0.bind(id, at: 1) }.first
    }

    private func endpoints(
        _ condition: String, _ bind: (borrowing Statement) -> Void
    ) throws(StoreError) -> [Endpoint] {
        let statement = try Statement(
            "SELECT \(Self.columns) FROM endpoints \(condition)", on: connection,
            activity: "reading endpoints")
        bind(statement)
        var found: [Endpoint] = []
        try statement.forEachRow { row throws(StoreError) in
            found.append(try Self.endpoint(row))
            return true
        }
        return found
    }

    private static func endpoint(_ row: borrowing Statement) throws(StoreError) -> Endpoint {
        guard let secret = WebhookSecret(row.text(at: 9)) else {
            throw StoreError(.corrupt, "endpoint '\(row.text(at: 0))' has no secret")
        }
        var endpoint = Endpoint(
            id: row.text(at: 0), url: row.text(at: 1), description: row.text(at: 2),
            types: row.text(at: 3).split(separator: ",").compactMap {
                NotificationType(rawValue: String($0))
            },
            project: row.isNull(at: 4) ? nil : row.text(at: 4), isEnabled: row.int64(at: 5) != 0,
            createdAt: Instant(microseconds: row.int64(at: 7)),
            afterSequence: try row.uint64(at: 8), secret: secret)
        endpoint.disabledReason = Endpoint.DisabledReason(rawValue: row.text(at: 6))
        endpoint.oldSecret = WebhookSecret(row.text(at: 10))
        if !row.isNull(at: 11) {
            endpoint.oldSecretUntil = Instant(microseconds: row.int64(at: 11))
        }
        if !row.isNull(at: 12) {
            endpoint.failingSince = Instant(microseconds: row.int64(at: 12))
        }
        return endpoint
    }

    /// Puts an endpoint in, in place of the one with its id if there is one.
    package func save(_ endpoint: Endpoint) throws(StoreError) {
        let statement = try Statement(
            "INSERT OR REPLACE INTO endpoints (\(Self.columns))"
                + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            on: connection, activity: "saving an endpoint")
        statement.bind(endpoint.id, at: 1)
        statement.bind(endpoint.url, at: 2)
        statement.bind(endpoint.description, at: 3)
        statement.bind(endpoint.types.map(\.rawValue).joined(separator: ","), at: 4)
        statement.bind(ifPresent: endpoint.project, at: 5)
        statement.bind(endpoint.isEnabled ? 1 : 0, at: 6)
        statement.bind(ifPresent: endpoint.disabledReason?.rawValue, at: 7)
        statement.bind(endpoint.createdAt.microseconds, at: 8)
        statement.bind(Int64(clamping: endpoint.afterSequence), at: 9)
        statement.bind(endpoint.secret.text, at: 10)
        statement.bind(ifPresent: endpoint.oldSecret?.text, at: 11)
        statement.bind(ifPresent: endpoint.oldSecretUntil?.microseconds, at: 12)
        statement.bind(ifPresent: endpoint.failingSince?.microseconds, at: 13)
        try statement.run()
    }

    /// Takes an endpoint out, with everything that was on its way to it.
    ///
    /// - Returns: whether there was one.
    package func removeEndpoint(_ id: String) throws(StoreError) -> Bool {
        guard try endpoint(id) != nil else { return false }
        let activity = "removing an endpoint"
        try connection.transaction(while: activity) { connection throws(StoreError) in
            for sql in [
                "DELETE FROM deliveries WHERE endpoint = ?", "DELETE FROM endpoints WHERE id = ?",
            ] {
                let statement = try Statement(sql, on: connection, activity: activity)
                statement.bind(id, at: 1)
                try statement.run()
            }
            try connection.execute(Self.removeUnneeded, while: activity)
        }
        return true
    }

    /// Notifications that are on their way to nobody.
    static let removeUnneeded = """
        DELETE FROM notifications WHERE NOT EXISTS
            (SELECT 1 FROM deliveries WHERE notification = notifications.id)
        """

    /// Switches an endpoint off when more waits for it than may.
    func switchOffIfFull(_ id: String) throws(StoreError) {
        let statement = try Statement(
            "SELECT count(*) FROM deliveries WHERE endpoint = ? AND state = 'waiting'",
            on: connection, activity: "counting deliveries")
        statement.bind(id, at: 1)
        guard try statement.step() else { return }
        let waiting = statement.int64(at: 0)
        _ = try statement.step()
        guard waiting >= WebhookLimits.waitingMax, var endpoint = try endpoint(id) else { return }
        endpoint.isEnabled = false
        endpoint.disabledReason = .backlog
        try save(endpoint)
    }
}

extension Statement {
    func bind(ifPresent text: String?, at column: Int32) {
        if let text { bind(text, at: column) } else { bindNull(at: column) }
    }

    func bind(ifPresent number: Int64?, at column: Int32) {
        if let number { bind(number, at: column) } else { bindNull(at: column) }
    }
}
