// What is asked of the rows. Every query goes by an index.

package import Billing
package import EventLog
import Projections
import SQLiteBinding

extension StripeFile {
    /// Rows of a query, whose columns are all those of the table in order.
    func rows<Row: ViewRow>(
        _ type: Row.Type, _ condition: String, _ values: [ColumnValue] = []
    ) throws(StoreError) -> [Row] {
        let list = Row.columnNames.joined(separator: ", ")
        let statement = try Statement(
            "SELECT \(list) FROM \(Row.table) \(condition)", on: connection,
            activity: "reading \(Row.table)")
        bind(values, to: statement)
        return try self.rows(of: statement)
    }

    func number(_ sql: String, _ values: [ColumnValue] = []) throws(StoreError) -> Int64 {
        let statement = try Statement(sql, on: connection, activity: "reading the Stripe file")
        bind(values, to: statement)
        guard try statement.step() else { return 0 }
        return statement.int64(at: 0)
    }

    /// The integers of a query's one row.
    func numbers(_ sql: String, count: Int) throws(StoreError) -> [Int64] {
        let statement = try Statement(sql, on: connection, activity: "reading the Stripe file")
        guard try statement.step() else { return Array(repeating: 0, count: count) }
        return (0..<Int32(count)).map { statement.int64(at: $0) }
    }

    private func bind(_ values: [ColumnValue], to statement: borrowing Statement) {
        for (offset, value) in values.enumerated() {
            switch value {
            case .text(let text): statement.bind(text, at: Int32(offset) + 1)
            case .integer(let number): statement.bind(number, at: Int32(offset) + 1)
            case .null: statement.bindNull(at: Int32(offset) + 1)
            }
        }
    }

    // MARK: Planning

    /// Customers for whom a push may be planned: a window is over, or enough is carried.
    func customersToPlan(
        now: Instant, lateSeconds: Int64, limit: Int
    ) throws(StoreError) -> [StripeCustomerRow] {
        let columns = StripeCustomerRow.columnNames.map { "c.\($0)" }.joined(separator: ", ")
        let statement = try Statement(
            """
            SELECT DISTINCT \(columns) FROM windows w JOIN customers c
                ON c.project = w.project AND c.customer = w.customer
                WHERE w.end_us <= ?1 AND c.open_push = '' AND c.blocked = ''
                AND c.stripe_customer <> '' AND c.subscription <> ''
                AND (c.ended_us = 0 OR c.ended_us > ?3) LIMIT ?2
            """, on: connection, activity: "looking for usage to push")
        statement.bind(now.microseconds, at: 1)
        statement.bind(limit, at: 2)
        statement.bind(now.advanced(bySeconds: -lateSeconds).microseconds, at: 3)
        let found: [StripeCustomerRow] = try self.rows(of: statement)
        let known = Set(found.map(\.key))
        let carrying = try rows(
            StripeCustomerRow.self,
            """
            WHERE carried NOT BETWEEN -999 AND 999 AND stripe_customer <> '' AND blocked = ''
                AND open_push = '' AND subscription <> '' AND ended_us = 0 LIMIT ?
            """, [.integer(Int64(limit))])
        return found + carrying.filter { !known.contains($0.key) }
    }

    func windows(of row: StripeCustomerRow, endedBy now: Instant) throws(StoreError)
        -> [StripeWindowRow]
    {
        try rows(
            StripeWindowRow.self,
            "WHERE project = ? AND customer = ? AND end_us <= ? ORDER BY start_us LIMIT 1000",
            [.text(row.project), .text(row.customer), .integer(now.microseconds)])
    }

    /// Σ quantity of the pushes stamped within `span` that are, or may be, at Stripe.
    ///
    /// - Parameter kind: nil: of all kinds.
    func pushed(
        _ project: String, _ customer: String, _ span: Range<Int64>, kind: StripePushKind? = nil,
        states: [StripePushState] = [.open, .accepted, .settled]
    ) throws(StoreError) -> Int64 {
        let list = states.map { "'\($0.rawValue)'" }.joined(separator: ", ")
        let condition = kind.map { " AND kind = '\($0.rawValue)'" } ?? ""
        return try number(
            """
            SELECT coalesce(sum(quantity), 0) FROM pushes WHERE project = ? AND customer = ?
                AND stamp_us >= ? AND stamp_us < ? AND state IN (\(list))\(condition)
            """,
            [
                .text(project), .text(customer), .integer(span.lowerBound),
                .integer(span.upperBound),
            ])
    }

    /// Whether the instant is in a period that an invoice has closed.
    func isClosed(_ project: String, _ customer: String, at stamp: Int64) throws(StoreError)
        -> Bool
    {
        try number(
            """
            SELECT count(*) FROM periods WHERE project = ? AND customer = ? AND start_us <= ?3
                AND end_us > ?3 AND is_closed = 1
            """, [.text(project), .text(customer), .integer(stamp)]) > 0
    }

    // MARK: Sending and reading

    /// Pushes of which it is not known what became, the oldest first, until `body` returns false.
    /// There may be as many as customers, so only what the index holds is read.
    func forEachOpenPush(
        _ body: ((identifier: String, plannedAt: Int64)) throws(StoreError) -> Bool
    ) throws(StoreError) {
        let statement = try Statement(
            "SELECT identifier, planned_us FROM pushes WHERE state = 'open' ORDER BY planned_us",
            on: connection, activity: "looking for open pushes")
        try statement.forEachRow { row throws(StoreError) in
            try body((row.text(at: 0), row.int64(at: 1)))
        }
    }

    /// Pushes that Stripe has and will bill nowhere: stamped after the end of a subscription that
    /// was not heard of yet.
    func pushesAfterTheEnd(now: Instant, limit: Int) throws(StoreError) -> [StripePushRow] {
        let columns = StripePushRow.columnNames.map { "p.\($0)" }.joined(separator: ", ")
        let statement = try Statement(
            """
            SELECT \(columns) FROM customers c JOIN pushes p ON p.project = c.project
                AND p.customer = c.customer AND p.stamp_us >= c.ended_us
                WHERE c.ended_us > ?1 AND p.state = 'accepted' AND p.kind = 'usage' LIMIT ?2
            """, on: connection, activity: "looking for pushes after the end")
        statement.bind(max(now.advanced(bySeconds: -40 * 86_400).microseconds, 0), at: 1)
        statement.bind(limit, at: 2)
        return try rows(of: statement)
    }

    /// Rows of a query whose columns are all those of the table in order.
    private func rows<Row: ViewRow>(of statement: borrowing Statement) throws(StoreError) -> [Row] {
        var found: [Row] = []
        try statement.forEachRow { row throws(StoreError) in
            found.append(
                Row(
                    (0..<row.columnCount).map { column in
                        row.isText(at: column)
                            ? .text(row.text(at: column)) : .integer(row.int64(at: column))
                    }))
            return true
        }
        return found
    }

    func customer(_ project: String, _ customer: String) throws(StoreError) -> StripeCustomerRow? {
        try find(StripeCustomerRow(project, customer))
    }

    func customer(ofStripe id: String) throws(StoreError) -> StripeCustomerRow? {
        guard let link = try find(StripeLinkRow(id)), !link.customer.isEmpty else { return nil }
        return try customer(link.project, link.customer)
    }

    /// Customers in their last seen period, from `after` on, in the order of their names.
    func linkedCustomers(
        after: (project: String, customer: String), limit: Int
    ) throws(StoreError) -> [StripeCustomerRow] {
        try rows(
            StripeCustomerRow.self,
            """
            WHERE (project, customer) > (?, ?) AND stripe_customer <> '' AND subscription <> ''
                ORDER BY project, customer LIMIT ?
            """, [.text(after.project), .text(after.customer), .integer(Int64(limit))])
    }

    /// Customers without a subscription, or whose period should long have been followed by another.
    func customersToRefresh(now: Instant, limit: Int) throws(StoreError) -> [StripeCustomerRow] {
        let overdue = try rows(
            StripeCustomerRow.self,
            """
            WHERE period_end_us > 0 AND period_end_us <= ? AND stripe_customer <> ''
                AND ended_us = 0 ORDER BY period_end_us LIMIT ?
            """, [.integer(now.advanced(bySeconds: -600).microseconds), .integer(Int64(limit))])
        let unknown = try rows(
            StripeCustomerRow.self,
            """
            WHERE carried NOT BETWEEN -999 AND 999 AND stripe_customer <> ''
                AND subscription = '' AND blocked = '' LIMIT ?
            """, [.integer(Int64(limit))])
        return overdue + unknown
    }

    /// Periods that ended before `end` and of whose invoice nothing is known.
    func periodsToClose(endedBy end: Instant, limit: Int) throws(StoreError) -> [StripePeriodRow] {
        try rows(
            StripePeriodRow.self,
            "WHERE is_closed = 0 AND end_us > 0 AND end_us <= ? ORDER BY end_us LIMIT ?",
            [.integer(end.microseconds), .integer(Int64(limit))])
    }

    func waitingWebhooks(limit: Int) throws(StoreError) -> [StripeInboxRow] {
        try rows(
            StripeInboxRow.self, "WHERE is_handled = 0 AND seq > 0 ORDER BY seq LIMIT ?",
            [.integer(Int64(limit))])
    }

    func standingDrifts() throws(StoreError) -> [StripeDriftRow] {
        try rows(StripeDriftRow.self, "WHERE is_over = 0 ORDER BY found_us")
    }

    func drifts(
        _ project: String, _ customer: String, periodStart: Int64
    ) throws(StoreError) -> [StripeDriftRow] {
        try rows(
            StripeDriftRow.self, "WHERE project = ? AND customer = ? AND period_start_us = ?",
            [.text(project), .text(customer), .integer(periodStart)])
    }

    /// Forgets pushes that nothing can be asked of any more.
    package func tidy(now: Instant) throws(StoreError) {
        let old = now.advanced(bySeconds: -100 * 86_400).microseconds
        try connection.execute(
            """
            DELETE FROM pushes WHERE state <> 'open' AND stamp_us < \(old) AND EXISTS (
                SELECT 1 FROM periods p WHERE p.project = pushes.project
                AND p.customer = pushes.customer AND p.is_closed = 1
                AND p.start_us <= pushes.stamp_us AND p.end_us > pushes.stamp_us)
            """, while: "tidying the Stripe file")
    }
}
