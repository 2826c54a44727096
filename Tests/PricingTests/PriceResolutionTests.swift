import Billing
import Money
import Pricing
import Testing

struct PriceResolutionTests {
    private func chain(_ model: String, card: String = "", in catalog: PriceCatalog) -> [String]? {
        catalog.resolve(model: model, card: card, version: 1)?.reference.chain
    }

    private func priced(_ name: String, provider: String = "", card: String = "") throws
        -> PriceEntry
    {
        try entry(name, card: card, provider: provider, ["input": "1", "output": "2"])
    }

    // Names of the published book, each by the way it is found; the chain records every step.
    @Test(arguments: [
        // Exact, also where a shorter name exists.
        ["gpt-4o"], ["gpt-4o-2024-08-06"], ["azure/gpt-4o"], ["gemini/gemini-2.5-pro"],
        // Provider prefix stripped, replaced, added.
        ["openai/gpt-4o", "gpt-4o"],
        ["anthropic/claude-opus-5", "claude-opus-5"],
        ["models/gemini-2.5-pro", "gemini/gemini-2.5-pro"],
        ["google/gemini-2.5-pro", "gemini/gemini-2.5-pro"],
        ["x-ai/grok-4.3", "xai/grok-4.3"],
        ["grok-4.3", "xai/grok-4.3"],
        ["codestral-2508", "mistral/codestral-2508"],
        // Fine-tuned models keep `ft:`: they are dearer than their base.
        ["ft:gpt-4o-2024-08-06:acme::Ab1", "ft:gpt-4o-2024-08-06"],
        [
            "openai/ft:gpt-4o-2024-08-06:acme::Ab1", "ft:gpt-4o-2024-08-06:acme::Ab1",
            "ft:gpt-4o-2024-08-06",
        ],
        // Dated names.
        ["gpt-5.5-2029-12-31", "gpt-5.5"],
        ["gpt-5.5-20291231", "gpt-5.5"],
        ["claude-opus-5@20291231", "claude-opus-5"],
        ["gpt-5.5-1231", "gpt-5.5"],
        ["gpt-5.5-latest", "gpt-5.5"],
        ["openai/gpt-5.5-2029-12-31", "gpt-5.5-2029-12-31", "gpt-5.5"],
        ["azure/gpt-4o-2029-12-31", "azure/gpt-4o"],
        // Bedrock regions.
        ["ca.anthropic.claude-v2:1", "anthropic.claude-v2:1"],
        // Variants.
        ["gpt-5.5:free", "gpt-5.5"],
        ["amazon.nova-pro-v1:0"],
        // Case, last of all.
        ["GPT-4o", "gpt-4o"],
        ["OpenAI/GPT-4o-2029-12-31", "openai/gpt-4o-2029-12-31", "gpt-4o-2029-12-31", "gpt-4o"],
    ])
    func resolvesNames(expected: [String]) {
        #expect(chain(expected[0], in: book) == expected)
    }

    // A3: names that lead nowhere have no price: nothing is invented, least of all zero.
    @Test(arguments: [
        "", "gpt-9", "openai/", "openai/claude-opus-5", "anthropic/gpt-4o", "groq/gpt-4o",
        "gpt-4o-2024-13-01", "gpt-4o-mini-2402-x", "ft:claude-opus-5:x", "ft::x", "ft:gpt-4o:",
        "us.gpt-4o", "gpt-4o:online", "gpt-4o:nitro", "gpt-4o:", ":free", "-2024-01-01", "-latest",
        "xai/gpt-4o", "mistral-large-9999", "gpt-4o ", " gpt-4o", "gpt-4o\u{0}",
    ])
    func a3_unknownNamesHaveNoPrice(name: String) {
        #expect(book.resolve(model: name, card: "", version: 1) == nil)
    }

    // A date is taken off only when it is one: 2402 is a year and month of another model.
    @Test func onlyDatesAreTakenOff() throws {
        let catalog = catalog([try priced("big")])
        #expect(chain("big-0229", in: catalog) == ["big-0229", "big"])
        #expect(chain("big-20240229", in: catalog) == ["big-20240229", "big"])
        for name in ["big-2402", "big-0230x", "big-1301", "big-0132", "big-10240101", "big@0229"] {
            #expect(chain(name, in: catalog) == nil, "\(name)")
        }
    }

    // Aliases lead on, over several steps, past a date, and to overrides; the chain records all.
    @Test func aliases() throws {
        let catalog = catalog([
            try priced("real"), alias("one", of: "two"), alias("two", of: "real-2026-01-01"),
            alias("house", of: "openai/gpt"), try priced("gpt", provider: "openai"),
            try priced("gpt", card: "override"),
        ])
        #expect(chain("one", in: catalog) == ["one", "two", "real-2026-01-01", "real"])
        #expect(chain("house", in: catalog) == ["house", "openai/gpt", "gpt"])
        #expect(catalog.resolve(model: "house", card: "", version: 1)?.reference.card == "override")
    }

    // Aliases in a circle, to themselves or to nothing end without a price.
    @Test func aliasesInACircle() throws {
        let catalog = catalog([
            alias("a", of: "b"), alias("b", of: "c"), alias("c", of: "a"), alias("d", of: "gone"),
        ])
        for name in ["a", "b", "c", "d"] { #expect(chain(name, in: catalog) == nil) }
    }

    // An alias on the override card redirects a name that the provider prices.
    @Test func anOverridingAliasHidesThePrice() throws {
        let catalog = catalog([
            try priced("a"), try priced("b"), alias("a", of: "b", card: "override"),
        ])
        #expect(chain("a", in: catalog) == ["a", "b"])
    }

    // Fewer steps win; among equals the alias comes first.
    @Test func fewerStepsWin() throws {
        let catalog = catalog([
            try priced("m", provider: "openai"), try priced("openai/m", provider: "openai"),
            alias("x-2026-01-01", of: "m"), try priced("x"),
        ])
        #expect(chain("openai/m-2026-01-01", in: catalog) == ["openai/m-2026-01-01", "openai/m"])
        #expect(chain("x-2026-01-01", in: catalog) == ["x-2026-01-01", "m"])
    }

    // A prefix names who serves the model: another provider's price is not its price.
    @Test func prefixesNameTheProvider() throws {
        let catalog = catalog([
            try priced("m", provider: "cohere"), try priced("own"),
            try priced("n", provider: "openai"),
        ])
        #expect(chain("openai/m", in: catalog) == nil)
        #expect(chain("openai/own", in: catalog) == ["openai/own", "own"])
        #expect(chain("azure/n", in: catalog) == ["azure/n", "n"])
        #expect(chain("openai/m-2026-01-01", in: catalog) == nil)
    }

    // Two names that differ only in case: asked for exactly, each is itself; otherwise neither.
    @Test func ambiguousCaseHasNoPrice() throws {
        let catalog = catalog([try priced("Model"), try priced("model"), try priced("Other")])
        #expect(chain("Model", in: catalog) == ["Model"])
        #expect(chain("model", in: catalog) == ["model"])
        #expect(chain("MODEL", in: catalog) == nil)
        #expect(
            chain("oTHER-2026-01-01", in: catalog) == [
                "oTHER-2026-01-01", "other-2026-01-01", "Other",
            ])
    }

    // Rate cards have the same steps over their own entries.
    @Test func rateCardsResolveToo() throws {
        let catalog = catalog([
            try priced("gpt", provider: "openai"), try priced("gpt-2026-01-01", provider: "openai"),
            try priced("gpt", card: "gold"),
        ])
        #expect(
            chain("gpt-2026-01-01", card: "gold", in: catalog) == ["gpt-2026-01-01", "gpt"])
        #expect(chain("other", card: "gold", in: catalog) == nil)
        #expect(chain("gpt", card: "override", in: catalog) == nil)
    }

    // The same question has the same answer, remembered or not, and hostile names do no harm.
    @Test func answersAreStable() {
        // More names than are remembered.
        for round in 0..<2 {
            for index in 0..<5_000 {
                let (year, month, day) = (2_020 + index % 70, 10 + index / 1_800, 1 + index % 27)
                let name = "gpt-5.5-\(year)-\(month)-\(day < 10 ? "0" : "")\(day)"
                #expect(chain(name, in: book) == [name, "gpt-5.5"], "round \(round)")
            }
        }
        let long = String(repeating: "openai/", count: 1_000)
        #expect(chain(long, in: book) == nil)
        let ends = "gpt-5.5" + String(repeating: "-latest", count: 30)
        #expect(chain(ends, in: book)?.count == 31)
    }

    // Every published name resolves to itself.
    @Test func everyPublishedNameIsItself() {
        for entry in builtIn.entries {
            #expect(chain(entry.model, in: book) == [entry.model])
        }
    }
}
