import Billing
import Engine
import Glibc
import Server
import Testing

@testable import faregate

/// `--db`: the ledger's file without a server, and beside one.
@Suite struct LocalLedgerTests {
    /// A ledger with one customer, closed again.
    private func closedLedger() async throws -> TemporaryFolder {
        let folder = TemporaryFolder()
        let ledger = try await OpenLedger.owned(
            path: folder.file("ledger.db"), creation: OpenLedger.Creation())
        await ledger.shutdown()
        try await Shell().must("customer", "create", "acme", "--db", folder.file("ledger.db"))
        return folder
    }

    // A free file is opened for everything, as the operator, without any key.
    @Test func readsAndWritesAFreeFile() async throws {
        let folder = try await closedLedger()
        let db = folder.file("ledger.db")
        let cli = Shell()
        try await cli.must("credit", "grant", "acme", "5", "--db", db)
        try await cli.must(
            "reserve", "r1", "--customer", "acme", "--model", "x", "--amount", "1", "--db", db)
        #expect(try await cli.must("balance", "acme", "--db", db).contains("acme"))
        #expect(try await cli.must("explain", "r1", "--db", db).contains("Decided:   reserved"))
        let outcome = await cli.run("events", "--db", db)
        #expect(outcome.out.contains("credit.granted"))
        #expect(outcome.error == "")
    }

    // What happened in the file is what a server finds, and the other way round.
    @Test func serverAndFileAgree() async throws {
        let folder = try await closedLedger()
        let path = folder.file("ledger.db")
        let ledger = try await OpenLedger.owned(path: path)
        let count = try await ledger.engine.read { $0.state.customers.count }
        #expect(count == 1)
        await ledger.shutdown()
    }

    // While a server has the file, reading goes on beside it and says so; writing is refused, with
    // the way to do it; the server is not disturbed.
    @Test func besideARunningServer() async throws {
        try await LiveServer.run { server in
            try await server.cli.must("customer", "create", "acme")
            try await server.cli.must(
                "reserve", "r1", "--customer", "acme", "--model", "x", "--amount", "1")
            let file = Shell()
            for arguments in [
                ["balance", "acme"], ["events"], ["explain", "r1"], ["price", "show", "gpt-4o"],
                ["customer", "list"],
            ] {
                let outcome = await file.run(arguments + ["--db", server.ledgerPath])
                #expect(outcome.status == 0, "\(arguments): \(outcome.error)")
                #expect(outcome.error.contains("is in use by process \(getpid())"))
            }
            let written = await file.run("customer", "create", "b", "--db", server.ledgerPath)
            #expect(written.status == 5)
            #expect(written.error.contains("use --url and --key"))
            #expect(written.error.hasSuffix("(locked)\n"))
            try await server.cli.must("customer", "create", "b")
        }
    }

    // The balance beside a server is that of the server.
    @Test func sameBalanceBeside() async throws {
        try await LiveServer.run { server in
            try await server.cli.must("credit", "grant", "acme", "5", "--id", "g")
            try await server.cli.must(
                "reserve", "r1", "--customer", "acme", "--model", "x", "--amount", "1")
            let live = await server.cli.run("balance", "acme", "--json")
            let beside = await Shell().run("balance", "acme", "--json", "--db", server.ledgerPath)
            #expect(try live.json()["totals"] == beside.json()["totals"])
            #expect(try live.json()["grants"] == beside.json()["grants"])
            #expect(try live.json()["held"].text == "1")
            #expect(try beside.json()["held"].text == "1")
        }
    }

    // A file that is not there is not made.
    @Test func missingFile() async {
        let folder = TemporaryFolder()
        let outcome = await Shell().run("customer", "list", "--db", folder.file("none.db"))
        #expect(outcome.status == 5)
        #expect(outcome.error.contains("there is no ledger"))
        #expect(access(folder.file("none.db"), F_OK) != 0)
    }
}
