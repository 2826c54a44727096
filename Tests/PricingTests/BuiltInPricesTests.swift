import Billing
import Money
import Pricing
import Testing

struct BuiltInPricesTests {
    private func rate(_ model: String, _ key: String) -> String? {
        book.entry(model: model, card: "", version: 1)?.rates
            .first { $0.fileKey == key }?.rate.decimalPerMillionText
    }

    // Well-known list prices, in dollars per million tokens.
    @Test(
        arguments: [
            (
                "gpt-4o",
                ["input": "2.5", "output": "10", "cache_read": "1.25", "input@batch": "1.25"]
            ),
            ("gpt-4o-mini", ["input": "0.15", "output": "0.6", "cache_read": "0.075"]),
            (
                "gpt-5",
                ["input": "1.25", "output": "10", "cache_read": "0.125", "output@priority": "20"]
            ),
            (
                "gpt-5.5",
                [
                    "input": "5", "output": "30", "cache_read": "0.5", "input>272000": "10",
                    "output>272000": "45", "cache_read>272000": "1", "input@flex": "2.5",
                    "output@batch": "15", "input@priority": "12.5", "output@priority": "75",
                    "web_search": "10000",
                ]
            ),
            ("o3", ["input": "2", "output": "8", "cache_read": "0.5", "input@flex": "1"]),
            ("text-embedding-3-small", ["input": "0.02", "input@batch": "0.01"]),
            (
                "claude-opus-5",
                [
                    "input": "5", "output": "25", "cache_read": "0.5", "cache_write_5m": "6.25",
                    "cache_write_1h": "10", "output@batch": "12.5",
                ]
            ),
            ("claude-sonnet-4-5", ["input": "3", "output": "15", "cache_write_1h": "6"]),
            (
                "gemini/gemini-2.5-pro",
                [
                    "input": "1.25", "output": "10", "input>200000": "2.5", "output>200000": "15",
                    "cache_read": "0.125", "web_search": "35000",
                ]
            ),
            ("azure/gpt-4o", ["input": "2.5", "output": "10"]),
            ("anthropic.claude-v2:1", ["input": "8", "output": "24"]),
            ("ft:gpt-4o-2024-08-06", ["input": "3.75", "output": "15"]),
        ] as [(String, [String: String])])
    func knownPrices(model: String, prices: [String: String]) {
        for (key, price) in prices { #expect(rate(model, key) == price, "\(model) \(key)") }
    }

    // The book is whole: as many models as were collected, each fit for a book, none on a card.
    @Test func isComplete() throws {
        #expect(
            builtIn.name == "built-in" && builtIn.date == "2026-11" && builtIn.currency == "USD")
        #expect(builtIn.entries.count == 1_690)
        #expect(builtIn.entries.reduce(0) { $0 + $1.rates.count } == 9_136)
        for entry in builtIn.entries {
            #expect(try entry.checked() == entry)
            #expect(entry.card.isEmpty && entry.aliasOf.isEmpty)
        }
    }

    // Every model of the book can be rated, and bounded once its output is capped.
    @Test func everyModelCanBeQuotedAndRated() throws {
        for entry in builtIn.entries {
            let terms = try builtInTerms(entry.model)
            let quote = try Quoting.quote(
                UsageEstimate(inputTokens: 300_000, maxOutputTokens: 1_000, serviceTier: .auto),
                terms: terms)
            for tier in ["default", "flex", "priority"] {
                let rated = try Rating.rate(
                    usage {
                        $0.inputTokens = 300_000
                        $0.cachedInputTokens = 100_000
                        $0.outputTokens = entry.mode == "embedding" ? 0 : 1_000
                        $0.servedTier = tier
                    }, terms: terms)
                #expect(rated.cost <= (try quote.boundCost.amount(outputTokens: 1_000)))
            }
        }
    }
}
