import CanonicalJSON
import Server
import Testing

@testable import faregate

@Suite struct SandboxCommandTests {
    /// Four requests in the trace's form.
    private static let trace = """
        TIMESTAMP,ContextTokens,GeneratedTokens
        2023-11-16 18:15:46.6805900,374,44
        2023-11-16 18:15:50.9951690,396,109
        2023-11-16 18:15:51.2224670,879,55
        2023-11-16 18:15:51.3915060,91,16

        """

    // A trace is played over HTTP on a new ledger, then calls go through the gateway; the report
    // ends with what verify found.
    @Test func playsATraceAndEnds() async throws {
        let folder = TemporaryFolder()
        try WholeFile.replace(folder.file("trace.csv"), with: Array(Self.trace.utf8))
        let outcome = await Shell().run(
            "sandbox", "--trace", folder.file("trace.csv"), "--db", folder.file("s.db"), "--port",
            "0",
            "--speed", "100", "--exit")
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(outcome.error == "")
        #expect(outcome.out.contains("Faregate sandbox: 4 requests"))
        #expect(outcome.out.contains("Through the gateway, to a simulated provider"))
        #expect(outcome.out.contains("refused before any money was spent: 402"))
        #expect(outcome.out.contains("What the provider served is what the gateway has booked."))
        #expect(outcome.out.contains("Every invoice bills what the ledger says, to the millionth."))
        #expect(outcome.out.hasSuffix("The ledger is sound.\n"))
        let list = try await Shell().must(
            "customer", "list", "--db", folder.file("s.db"), "--project", "sandbox", "--json")
        #expect(try !StrictJSON.parse(list)["data"].items.isEmpty)
    }

    // A trace that is not there stops everything: no server stays behind.
    @Test func missingTrace() async throws {
        let folder = TemporaryFolder()
        let outcome = await Shell().run(
            "sandbox", "--trace", folder.file("none.csv"), "--db", folder.file("s.db"), "--port",
            "0")
        #expect(outcome.status == 5)
        #expect(outcome.error.hasPrefix("error: the trace cannot be opened"))
        let ledger = try await OpenLedger.owned(path: folder.file("s.db"))
        await ledger.shutdown()
    }
}
