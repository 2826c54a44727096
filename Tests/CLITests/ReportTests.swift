import CanonicalJSON
import Configuration
import Glibc
import HTTPAPI
import Server
import Testing

@testable import faregate

/// `usage`, `refusals`, `revenue` and `projections`, through a server and on a file.
@Suite struct ReportTests {
    private func fill(_ cli: Shell, _ more: String...) async throws {
        func must(_ arguments: String...) async throws {
            let outcome = await cli.run(arguments + more)
            try #require(outcome.status == 0, "\(arguments): \(outcome.error)")
        }
        try await must(
            "budget", "set", "cap", "--per", "customer", "--measure", "charge", "--window", "day",
            "--amount", "3")
        for (id, customer, amount) in [("a", "acme", "1.5"), ("b", "=zoe", "0.25")] {
            try await must(
                "usage", "record", id, "--customer", customer, "--model", "m,1", "--amount", amount)
        }
        let refused = await cli.run(
            ["reserve", "c", "--customer", "acme", "--model", "m", "--amount", "9"] + more)
        #expect(refused.status == 3)
    }

    // Tables for people, JSON as the API has it, CSV as one table over all pages.
    @Test func reportsOfAServer() async throws {
        try await LiveServer.run { server in
            let cli = server.cli
            try await fill(cli)
            let table = try await cli.must("usage", "--group-by", "customer")
            #expect(table.contains("CUSTOMER  CALLS"))
            #expect(table.contains("acme"))
            #expect(table.contains("As of event"))
            let json = try StrictJSON.parse(
                try await cli.must("usage", "show", "--customer", "acme", "--json"))
            #expect(json["data"].items.first?["charge"].text == "1.5")
            #expect(
                try await cli.must("usage", "--group-by", "customer,model", "--csv")
                    .split(separator: "\r\n").dropFirst().map { $0.prefix(16) }
                    == ["'=zoe,\"m,1\",0.25", "acme,\"m,1\",1.5,1"])
            let refusals = try await cli.must("refusals", "--group-by", "rule,budget")
            #expect(refusals.contains("budget  cap"))
            #expect(try await cli.must("revenue", "--group-by", "day", "--csv").contains(",1.75,"))
            let wrong = await cli.run("usage", "--group-by", "colour")
            #expect(wrong.status == 1)
            #expect(wrong.error.contains("unknown_group"))
            #expect(await cli.run("usage", "--csv", "--json").status == 2)
        }
    }

    // More lines than a page holds come as one table with one row of names.
    @Test func csvOverAllPages() async throws {
        try await LiveServer.run { server in
            for index in 0..<1_100 {
                _ = try await server.ledger.api.respond(
                    to: .post(
                        "usage",
                        body: JSONObject([
                            ("id", .string("u\(index)")), ("customer", .string("c\(index)")),
                            ("model", .string("m")), ("amount", .string("0.001")),
                        ])
                    ).asOperator)
            }
            let csv = try await server.cli.must("usage", "--group-by", "customer", "--csv")
            let rows = csv.split(separator: "\r\n")
            #expect(rows.count == 1_101)
            #expect(rows.filter { $0.hasPrefix("customer,") }.count == 1)
            #expect(Set(rows).count == rows.count)
        }
    }

    // A rebuild through a server waits for the end and leaves the reports as they were.
    @Test func rebuildsThroughAServer() async throws {
        try await LiveServer.run { server in
            try await fill(server.cli)
            let before = try await server.cli.must("usage", "--group-by", "customer,day")
            let status = try StrictJSON.parse(
                try await server.cli.must("projections", "rebuild", "--json"))
            #expect(status["state"].text == "following")
            #expect(status["rebuild"] == nil)
            #expect(try await server.cli.must("usage", "--group-by", "customer,day") == before)
            #expect(try await server.cli.must("projections", "status").contains("Behind:"))
            // Beside the server its file can be read, and only it can build it again.
            let beside = await Shell().run("usage", "--csv", "--db", server.ledgerPath)
            #expect(beside.status == 0)
            #expect(beside.out.contains("1.75"))
            let refused = await Shell().run("projections", "rebuild", "--db", server.ledgerPath)
            #expect(refused.status == 5)
        }
    }

    // On a closed file the command folds the log itself; the file of the read models may be gone.
    @Test func closedFiles() async throws {
        let folder = TemporaryFolder()
        let db = folder.file("ledger.db")
        let ledger = try await OpenLedger.owned(path: db, creation: OpenLedger.Creation())
        await ledger.shutdown()
        let cli = Shell()
        try await fill(cli, "--db", db)
        #expect(access(db + ".views", F_OK) != 0)
        let table = try await cli.must("usage", "--group-by", "customer", "--db", db)
        #expect(access(db + ".views", F_OK) == 0)
        unlink(db + ".views")
        #expect(try await cli.must("usage", "--group-by", "customer", "--db", db) == table)
        let status = try await cli.must("projections", "rebuild", "--db", db)
        #expect(status.contains("Behind:        nothing"))
        #expect(try await cli.must("usage", "--group-by", "customer", "--db", db) == table)
    }

    // The read models' file may be elsewhere, and is not needed to serve.
    @Test func theirOwnPlace() async throws {
        let folder = TemporaryFolder()
        try await LiveServer.run(["views": .string(folder.file("reports"))]) { server in
            try await fill(server.cli)
            _ = try await server.cli.must("usage")
            #expect(access(folder.file("reports"), F_OK) == 0)
            #expect(access(server.ledgerPath + ".views", F_OK) != 0)
        }
        try await LiveServer.run(["views": .string(folder.file("none/reports"))]) { server in
            try await fill(server.cli)
            let outcome = await server.cli.run("usage")
            #expect(outcome.status == 1)
            #expect(outcome.error.contains("projections_unavailable"))
            #expect(try await server.cli.must("projections", "status").contains("failing"))
        }
    }
}

extension APIRequest {
    fileprivate var asOperator: APIRequest {
        var request = self
        request.principal = .operatorProcess
        return request
    }
}
