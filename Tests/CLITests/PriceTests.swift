import CanonicalJSON
import Configuration
import Server
import Testing

@testable import faregate

@Suite struct PriceTests {
    /// LiteLLM's form: one model as it is in the book but dearer, one new, one that is not tokens.
    private static let liteLLM = """
        {"sample_spec": {"mode": "chat"},
         "gpt-4o": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 0.000003,
                    "output_cost_per_token": 0.00001, "max_input_tokens": 128000},
         "brand-new": {"litellm_provider": "x", "mode": "chat", "input_cost_per_token": 1e-06,
                       "output_cost_per_token": 2e-06},
         "painter": {"mode": "image_generation", "output_cost_per_image": 0.04}}
        """

    private static func own(input: String, currency: String = "USD") -> String {
        """
        {"format":"faregate-price-book","format_version":1,"name":"ours","date":"2026-11-22",
         "currency":"\(currency)","sources":{},"models":[
         {"model":"in-house","mode":"chat","rates":{"input":"\(input)","output":"2"}}]}
        """
    }

    private static func write(_ text: String, _ name: String, _ folder: TemporaryFolder) throws
        -> String
    {
        try WholeFile.replace(folder.file(name), with: Array(text.utf8))
        return folder.file(name)
    }

    // The book of a new ledger can be searched; names resolve; an unknown one ends with 1.
    @Test func looking() async throws {
        try await LiveServer.run { server in
            let cli = server.cli
            let shown = try await cli.must("price", "show", "gpt-4o")
            #expect(shown.contains("Provider:     openai"))
            #expect(shown.contains("USD PER MILLION"))
            let found = try await cli.must("price", "list", "--search", "SONNET-4-5")
            #expect(found.contains("claude-sonnet-4-5"))
            #expect(!found.contains("gpt"))
            #expect(
                try await cli.must("price", "list", "--search", "no such model") == "No prices.\n")
            #expect(await cli.run("price", "show", "nobody-knows").status == 1)
            #expect(try await cli.must("price", "versions").contains("built-in"))
        }
    }

    // A diff shows what would change and changes nothing.
    @Test func diffChangesNothing() async throws {
        try await LiveServer.run { server in
            let cli = server.cli
            let path = try Self.write(Self.liteLLM, "prices.json", server.folder)
            let text = try await cli.must("price", "diff", path, "--litellm")
            #expect(text.contains("+20%"))
            #expect(text.contains("brand-new"))
            #expect(text.contains("new model"))
            #expect(text.contains("1 added, 1 changed, 0 taken out."))
            #expect(!text.contains("painter"))
            let json = try StrictJSON.parse(
                await cli.must("price", "diff", path, "--litellm", "--json"))
            #expect(json["added"].items.count == 1)
            #expect(try await cli.must("price", "versions").split(separator: "\n").count == 2)
        }
    }

    // An import needs approval; approved, it is the next version, and the same file changes nothing
    // more.
    @Test func importNeedsApproval() async throws {
        try await LiveServer.run { server in
            let cli = server.cli
            let path = try Self.write(Self.liteLLM, "prices.json", server.folder)
            let asked = await cli.run("price", "import", path, "--litellm")
            #expect(asked.status == 1)
            #expect(asked.error.contains("approve with --yes"))
            let done = try await cli.must("price", "import", path, "--litellm", "--yes")
            #expect(done.contains("Published version 2"))
            #expect(
                try await cli.must("price", "show", "brand-new").contains("output                2")
            )
            #expect(try await cli.must("price", "show", "gpt-4o").contains("Version:     2,"))
            let again = try await cli.must("price", "import", path, "--litellm", "--yes")
            #expect(again == "Nothing would change.\n")
        }
    }

    // `publish` asks nobody; a version for the future is built upon by the next one and not in
    // force yet.
    @Test func publishForTheFuture() async throws {
        try await LiveServer.run { server in
            let cli = server.cli
            let first = try Self.write(Self.own(input: "1"), "first.json", server.folder)
            let second = try Self.write(Self.own(input: "1.5"), "second.json", server.folder)
            try await cli.must("price", "publish", first, "--effective", "2999-01-01T00:00:00Z")
            #expect(await cli.run("price", "show", "in-house").status == 1)
            let diff = try await cli.must("price", "diff", second)
            #expect(diff.contains("+50%"))
            try await cli.must("price", "publish", second, "--effective", "2999-02-01T00:00:00Z")
            #expect(
                try await cli.must("price", "show", "in-house", "--version", "3").contains("1.5"))
        }
    }

    // --prune takes out what the file does not name, on the file's cards only.
    @Test func prune() async throws {
        try await LiveServer.run { server in
            let cli = server.cli
            let path = try Self.write(Self.own(input: "1"), "prices.json", server.folder)
            let kept = try await cli.must("price", "diff", path)
            #expect(kept.contains("1 added, 0 changed, 0 taken out."))
            let pruned = try await cli.must("price", "diff", path, "--prune")
            #expect(pruned.contains("1,690 taken out"))
        }
    }

    // Rates are never converted: a file in another currency than the ledger's is refused, also when
    // the ledger has no prices yet.
    @Test func currencies() async throws {
        try await LiveServer.run(["currency": .string("EUR")]) { server in
            let cli = server.cli
            let dollars = try Self.write(Self.own(input: "1"), "usd.json", server.folder)
            let euros = try Self.write(
                Self.own(input: "1", currency: "EUR"), "eur.json", server.folder)
            let refused = await cli.run("price", "publish", dollars)
            #expect(refused.status == 2)
            #expect(refused.error.contains("the prices are in USD, the ledger in EUR"))
            try await cli.must("price", "publish", euros)
            #expect(try await cli.must("price", "show", "in-house").contains("EUR PER MILLION"))
        }
    }

    // A file that is no price list is refused by name, and one that is missing ends with 5.
    @Test func files() async throws {
        try await LiveServer.run { server in
            let path = try Self.write("{\"models\": 1}", "odd.json", server.folder)
            let odd = await server.cli.run("price", "diff", path)
            #expect(odd.status == 2)
            #expect(odd.error.contains("odd.json"))
            #expect(await server.cli.run("price", "diff", "/nonexistent.json").status == 5)
        }
    }
}
