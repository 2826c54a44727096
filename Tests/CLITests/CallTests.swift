import CanonicalJSON
import Server
import Testing

@testable import faregate

/// The life of calls, from the command line against a live server.
@Suite struct CallTests {
    // Estimate, reserve, extend, settle: each ends with 0 and says what it did.
    @Test func lifeOfACall() async throws {
        try await LiveServer.run { server in
            let cli = server.cli
            let size = [
                "--customer", "acme", "--model", "gpt-4o", "--input", "1200", "--max-output", "500",
            ]
            let estimate = await cli.run(["estimate"] + size)
            #expect(estimate.status == 0)
            #expect(estimate.out.contains("Would be:           reserved"))
            let reserved = await cli.run(["reserve", "r1", "--ttl", "60"] + size)
            #expect(reserved.status == 0)
            #expect(reserved.out.contains("Hold:         0.008"))
            try await cli.must("extend", "r1", "--ttl", "600")
            let settled = try await cli.must("settle", "r1", "--input", "1180", "--output", "312")
            #expect(settled.contains("Charge:    0.00607"))
            let balance = try await cli.must("balance", "acme", "--json")
            let totals = try StrictJSON.parse(balance)["totals"]
            #expect(totals["charge"].text == "0.00607")
            #expect(totals["settled"].integer == 1)
        }
    }

    // A rejected call ends with 3: its figures on standard output, the reason on standard error.
    @Test func rejectionEndsWithThree() async throws {
        try await LiveServer.run { server in
            let cli = server.cli
            try await cli.must(
                "budget", "set", "tiny", "--amount", "0.01", "--window", "day", "--per", "customer")
            let arguments = [
                "reserve", "r1", "--customer", "acme", "--model", "x", "--amount", "0.02",
            ]
            let rejected = await cli.run(arguments)
            #expect(rejected.status == 3)
            #expect(rejected.error.hasPrefix("rejected: "))
            #expect(rejected.error.hasSuffix("(request_too_large)\n"))
            #expect(rejected.out.contains("Budget:           tiny"))
            let asJSON = await cli.run(arguments + ["--json"])
            #expect(asJSON.status == 3)
            #expect(try asJSON.json()["error"]["budget"].text == "tiny")
            let dry = await cli.run(["reserve", "r2", "--dry-run"] + arguments.dropFirst(2))
            #expect(dry.status == 3)
            let estimate = await cli.run(["estimate"] + arguments.dropFirst(2))
            #expect(estimate.status == 0)
            #expect(estimate.out.contains("rejected"))
        }
    }

    // An estimate without a price ends with 3, as the help says; and what a request lacks is asked
    // for by the names of the options.
    @Test func estimatesOfRequests() async throws {
        try await LiveServer.run { server in
            let folder = TemporaryFolder()
            func estimate(_ body: String, _ more: String...) async throws -> Outcome {
                try WholeFile.replace(folder.file("body.json"), with: Array(body.utf8))
                return await server.cli.run(
                    ["estimate", "--customer", "a", "--request", folder.file("body.json")] + more)
            }
            let plain = #""max_tokens":9,"messages":[{"role":"user","content":"hi"}]"#
            let unknown = try await estimate("{\"model\":\"no-such\",\(plain)}")
            #expect(unknown.status == 3)
            #expect(unknown.error.hasPrefix("rejected: There is no price for model 'no-such'."))
            let nameless = try await estimate("{\(plain)}")
            #expect(nameless.status == 2)
            #expect(nameless.error.contains("--model"))
            #expect(try await estimate("{\(plain)}", "--model", "gpt-4o").status == 0)
            let named = try await estimate("{\"model\":\"x\",\(plain)}", "--model", "gpt-4o")
            #expect(named.status == 0)
            let claude = try await estimate("{\"model\":\"claude-sonnet-4-5\",\(plain)}")
            #expect(claude.status == 2)
            #expect(
                claude.error.contains("give --dialect openai.chat or anthropic.messages."))
        }
    }

    // A dry run that would pass uses nothing up: the id is free afterwards.
    @Test func dryRunLeavesTheIdFree() async throws {
        try await LiveServer.run { server in
            let arguments = ["reserve", "r1", "--customer", "a", "--model", "x", "--amount"]
            let dry = await server.cli.run(arguments + ["0.5", "--dry-run"])
            #expect(dry.status == 0)
            #expect(dry.out.hasPrefix("Dry run.\n"))
            #expect(await server.cli.run(arguments + ["0.7"]).status == 0)
        }
    }

    // What was reserved by amount is settled by amount; a release frees, and says so when the hold
    // had expired; usage without a hold and a correction are charged.
    @Test func amountsReleasesUsageAndCorrections() async throws {
        try await LiveServer.run { server in
            let cli = server.cli
            for id in ["r1", "r2"] {
                try await cli.must(
                    "reserve", id, "--customer", "a", "--model", "x", "--amount", "1")
            }
            #expect(try await cli.must("settle", "r1", "--amount", "0.75").contains("0.75"))
            #expect(try await cli.must("release", "r2", "--reason", "not sent") == "Released r2.\n")
            try await cli.must(
                "usage", "record", "u1", "--customer", "a", "--model", "gpt-4o", "--input", "1000",
                "--output", "0")
            let adjusted = try await cli.must(
                "adjust", "r1", "--reason", "goodwill", "--charge-delta", "-0.25")
            #expect(adjusted.contains("Charge:    -0.25"))
            let totals = try StrictJSON.parse(await cli.must("balance", "a", "--json"))["totals"]
            #expect(totals["charge"].text == "0.5025")
        }
    }

    // Settling with nothing said would charge the estimate by mistake: it has to be asked for.
    @Test func missingUsageMustBeSaid() async throws {
        try await LiveServer.run { server in
            let cli = server.cli
            try await cli.must(
                "reserve", "r1", "--customer", "a", "--model", "gpt-4o", "--input", "1000",
                "--max-output", "100")
            #expect(await cli.run("settle", "r1").status == 2)
            let settled = try await cli.must("settle", "r1", "--missing")
            #expect(settled.contains("usage_estimated"))
        }
    }

    // Explain shows the decision in words, the budgets' figures and the events.
    @Test func explanation() async throws {
        try await LiveServer.run { server in
            let cli = server.cli
            try await cli.must("budget", "set", "daily", "--amount", "5", "--window", "day")
            try await cli.must("reserve", "r1", "--customer", "a", "--model", "x", "--amount", "1")
            let text = try await cli.must("explain", "r1")
            #expect(text.contains("Budget 'daily'"))
            #expect(text.contains("usage.reserved"))
            #expect(!text.contains("\u{FFFD}"))
            let json = try StrictJSON.parse(await cli.must("explain", "r1", "--json"))
            #expect(json["decision"].text == "reserved")
        }
    }

    // Runs: a cap, its state, its end.
    @Test func runs() async throws {
        try await LiveServer.run { server in
            let cli = server.cli
            try await cli.must("run", "start", "run-1", "--customer", "a", "--cap", "0.5")
            let over = await cli.run(
                "reserve", "r1", "--customer", "a", "--model", "x", "--amount", "0.6", "--run",
                "run-1")
            #expect(over.status == 3)
            #expect(over.out.contains("run_cap"))
            try await cli.must("run", "stop", "run-1", "--reason", "loops")
            let shown = try await cli.must("run", "show", "run-1")
            #expect(shown.contains("stopped"))
            #expect(shown.contains("loops"))
            try await cli.must("run", "start", "run-2", "--customer", "a")
            try await cli.must("run", "end", "run-2")
        }
    }
}
