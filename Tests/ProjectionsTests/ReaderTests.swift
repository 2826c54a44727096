// Questions: sums, pages, and figures beyond 64 bits.

import Billing
import EventLog
import FaregateTestSupport
import SQLiteBinding
import Testing

@testable import Projections

@Suite struct ReaderTests {
    private func built(_ seed: UInt64) async throws -> (TemporaryFolder, WorkingSet<NoRows>) {
        let store = try await randomLog(seed: seed)
        let folder = try TemporaryFolder()
        let follower = ViewFollower(store: store, path: folder.views)
        try follower.catchUp(store)
        follower.close()
        return (folder, try LoggedEvents(store).folded())
    }

    // Sums by any columns add up to the sum of everything, read in pages of any size, each group
    // once and in order.
    @Test func pagesAddUp() async throws {
        let (folder, rows) = try await built(7_200)
        let total = rows.usage.present.reduce(0) { $0 + Int128($1.charge) }
        let groupings = [
            ["customer"], ["model", "day"], ["day"], ["project", "customer", "model", "day"], [],
        ]
        for grouping in groupings {
            for limit in [1, 3, 1_000] {
                var (seen, sum): ([[ColumnValue]], Int128) = ([], 0)
                var after: [ColumnValue]?
                while true {
                    let query = ViewQuery(order: grouping, after: after, limit: limit)
                    let page = try ViewReader.open(path: folder.views).transaction {
                        reader, _ throws(StoreError) in
                        try reader.sums(UsageRow.self, query)
                    }
                    for row in page.prefix(limit) {
                        seen.append(row.group)
                        sum += row["charge"]
                    }
                    if page.count <= limit { break }
                    after = page[limit - 1].group
                }
                #expect(sum == total, "\(grouping) \(limit)")
                // By bytes, as groups are told apart.
                #expect(Set(seen.map { Array("\($0)".utf8) }).count == seen.count)
            }
        }
    }

    // Conditions choose; nothing chosen is one line of zeros where all is summed, and none where
    // groups are.
    @Test func conditionsChoose() async throws {
        let (folder, rows) = try await built(7_200)
        var query = ViewQuery(order: ["customer"], limit: 100)
        query.require("project", .equal, .text("default"))
        query.require("customer", .equal, .text("ada"))
        let one = query
        let found = try ViewReader.open(path: folder.views).transaction {
            reader, _ throws(StoreError) in
            try reader.sums(UsageRow.self, one)
        }
        let expected = rows.usage.present
            .filter { $0.project == "default" && $0.customer == "ada" }
            .reduce(0) { $0 + Int128($1.tokens) }
        #expect(found.map { $0["tokens"] } == [expected])
        for (order, count) in [([], 1), (["model"], 0)] as [([String], Int)] {
            var query = ViewQuery(order: order, limit: 100)
            query.require("customer", .equal, .text("nobody"))
            let none = query
            let lines = try ViewReader.open(path: folder.views).transaction {
                reader, _ throws(StoreError) in
                try reader.sums(UsageRow.self, none)
            }
            #expect(lines.count == count)
            #expect(lines.allSatisfy { $0["charge"] == 0 })
        }
    }

    // Sums over customers may leave 64 bits: they are exact all the same, with either sign.
    @Test func sumsBeyondSixtyFourBits() throws {
        let folder = try TemporaryFolder()
        let store = InMemoryEventStore(identity: PlainLedger.identity)
        _ = try ViewFile.open(path: folder.views, store: store)
        let connection = try Connection(path: folder.views, access: .readWrite, vfs: nil)
        for (customer, sign) in [("a", 1), ("b", 1), ("c", 1), ("d", -1)] as [(String, Int64)] {
            var row = RevenueRow(CustomerKey(project: "p", id: customer), day: 1)
            row.charge = sign * (Int64.max - 7)
            row.paid = -(Int64.max - 1)
            let places = RevenueRow.columnNames.map { _ in "?" }.joined(separator: ",")
            let insert = try Statement(
                "INSERT INTO revenue VALUES (\(places))", on: connection, activity: "test")
            insert.bind(row.values)
            try insert.run()
        }
        let sums = try ViewReader.open(path: folder.views).transaction {
            reader, _ throws(StoreError) in
            try reader.sums(RevenueRow.self, ViewQuery(order: [], limit: 1))
        }
        #expect(sums.map { $0["charge"] } == [2 * (Int128(Int64.max) - 7)])
        #expect(sums.map { $0["paid"] } == [-4 * (Int128(Int64.max) - 1)])
    }
}
