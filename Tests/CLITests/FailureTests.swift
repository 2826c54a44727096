import HTTPAPI
import Testing

@testable import faregate

/// How command lines end when they do not succeed.
@Suite struct FailureTests {
    // A command line that cannot be understood ends with 2, and says so on standard error.
    @Test(arguments: [
        ["reserve"], ["frobnicate"], ["reserve", "r1", "--customer", "a", "--model", "x"],
        ["estimate", "--customer", "a", "--model", "x", "--input", "1", "--amount", "1"],
        ["balance", "a", "--url", "http://x", "--db", "y"], ["events", "--limit", "0"],
        ["credit", "grant", "a", "fifty"], ["customer", "list", "--timeout", "0"],
        ["customer", "list", "--url", "ftp://x"], ["events", "--follow", "--db", "x"],
        ["serve", "--port", "99999"], ["config", "check", "--config", "/nonexistent.json"],
    ])
    func usage(arguments: [String]) async {
        let outcome = await Shell().run(arguments)
        #expect(outcome.status == 2)
        #expect(outcome.out == "")
        #expect(outcome.error.hasPrefix("error: "), "\(outcome.error)")
    }

    // Help and version are results, not errors.
    @Test(arguments: [
        (["--help"], "OVERVIEW: Reserve before an LLM call"), (["--version"], "0."),
        (["help", "reserve"], "USAGE: faregate reserve"), (["customer"], "SUBCOMMANDS:"),
        (["--generate-completion-script", "bash"], "_faregate"),
    ])
    func results(arguments: [String], phrase: String) async {
        let outcome = await Shell().run(arguments)
        #expect(outcome.status == 0)
        #expect(outcome.out.contains(phrase))
        #expect(outcome.error == "")
    }

    // Nobody answers: 4.
    @Test func unreachable() async {
        let outcome = await Shell().run("customer", "list", "--url", "http://127.0.0.1:1")
        #expect(outcome.status == 4)
        #expect(outcome.error == "error: http://127.0.0.1:1: no server answers there\n")
    }

    // Without a key, with an unknown one, and for what is not there: 1, with the API's code.
    @Test func negativeAnswers() async throws {
        try await LiveServer.run { server in
            var stranger = server.cli
            stranger.environment["FAREGATE_KEY"] = nil
            let noKey = await stranger.run("customer", "list")
            #expect(noKey.status == 1)
            #expect(noKey.error.hasSuffix("(unauthenticated)\n"))
            let missing = await server.cli.run("customer", "show", "nobody")
            #expect(missing.status == 1)
            #expect(missing.error.hasSuffix("(not_found)\n"))
            #expect(missing.out == "")
        }
    }

    // Something else than a ledger answers.
    @Test func notALedger() throws {
        let answer = APIResponse(status: 200, contentType: "text/html", body: Array("<html>".utf8))
        let failure = #expect(throws: CommandFailure.self) { try answer.json() }
        #expect(failure?.status == .inputOutput)
        #expect(failure?.message.contains("is this a Faregate server?") == true)
    }

    // Ids with any characters reach the server as they are.
    @Test(arguments: ["a/b", "ä ö", "100%", "a?b=c&d", "..", "é\u{301}"])
    func idsOfAllKinds(id: String) async throws {
        try await LiveServer.run { server in
            try await server.cli.must("customer", "create", id)
            let shown = await server.cli.run("customer", "show", id, "--json")
            #expect(try shown.json()["id"].text == id)
        }
    }
}
