import Billing
import CanonicalJSON
import Money
import Testing

@testable import Pricing

struct LiteLLMPricesTests {
    private func parse(_ text: String) throws -> LiteLLMPrices {
        try LiteLLMPrices.parse(Array(text.utf8))
    }

    private func cells(_ entry: PriceEntry?) -> [String: String] {
        var cells: [String: String] = [:]
        for cell in entry?.rates ?? [] { cells[cell.fileKey] = cell.rate.decimalPerMillionText }
        return cells
    }

    // Keys are read by their grammar: unit, threshold, tier and lifetime in any order.
    @Test(arguments: [
        ("input_cost_per_token", "input"),
        ("output_cost_per_token_batches", "output@batch"),
        ("output_cost_per_reasoning_token", "reasoning"),
        ("input_cost_per_token_above_272k_tokens", "input>272000"),
        ("input_cost_per_token_above_272k_tokens_priority", "input@priority>272000"),
        ("input_cost_per_token_priority_above_272k_tokens", "input@priority>272000"),
        ("cache_read_input_token_cost_flex", "cache_read@flex"),
        ("input_cost_per_token_cache_hit", "cache_read"),
        ("cache_creation_input_token_cost", "cache_write_5m"),
        ("cache_creation_input_token_cost_above_1hr", "cache_write_1h"),
        ("cache_creation_input_token_cost_above_1hr_above_200k_tokens", "cache_write_1h>200000"),
        (
            "cache_creation_input_token_cost_above_12hr_above_272k_tokens_flex",
            "cache_write_12h@flex>272000"
        ),
        ("input_cost_per_audio_token", "input_audio"),
        ("cache_read_input_audio_token_cost_batches", "cache_read_audio@batch"),
        ("output_cost_per_image_token", "output_image"),
        ("input_cost_per_request", "request"),
    ])
    func readsKeys(key: String, cell: String) {
        #expect(PriceRate(liteLLMKey: key)?.fileKey == cell)
    }

    // Everything else is none of the grammar, however near.
    @Test(arguments: [
        "input_cost_per_token_ultrafast", "input_cost_per_token_balanced",
        "input_cost_per_token_flex_flex", "input_cost_per_token_flex_batches",
        "input_cost_per_token_above_1hr", "input_cost_per_token_above_k_tokens",
        "input_cost_per_token_above_0k_tokens", "input_cost_per_token_above_9999999k_tokens",
        "input_cost_per_token_above_128k_tokens_above_256k_tokens", "input_cost_per_token_",
        "input_cost_per_character", "output_cost_per_image",
        "cache_creation_input_token_cost_above_",
        "explicit_cache_read_input_token_cost", "input_dbu_cost_per_token", "",
    ])
    func knowsNoOtherKeys(key: String) {
        #expect(PriceRate(liteLLMKey: key) == nil)
    }

    // A whole entry: prices exact from their decimal text, limits, provider, fees and multipliers.
    @Test func readsAnEntry() throws {
        let prices = try parse(
            """
            {"sample_spec": {"mode": "one of: chat", "input_cost_per_token": "text"},
             "made-up": {
              "litellm_provider": "acme", "mode": "chat", "source": "https://prices.example",
              "max_tokens": 999, "max_input_tokens": 128000.0, "max_output_tokens": 4096,
              "deprecation_date": "2027-01-31", "supports_vision": true,
              "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-5,
              "input_cost_per_token_above_200k_tokens": 0.000005,
              "output_cost_per_token_batches": 5e-06, "cache_read_input_token_cost": null,
              "search_context_cost_per_query": {"search_context_size_low": 0.01,
                "search_context_size_high": 0.025},
              "regional_processing_uplift_multiplier_eu": 1.1,
              "provider_specific_entry": {"us": 1.1, "fast": 2.0, "schema": "v2"}}}
            """)
        #expect(prices.issues == [])
        let entry = try #require(prices.entries.first)
        #expect(prices.entries.count == 1)
        #expect(entry.model == "made-up" && entry.provider == "acme" && entry.mode == "chat")
        #expect(entry.maxInputTokens == 128_000 && entry.maxOutputTokens == 4_096)
        #expect(entry.source == "https://prices.example" && entry.deprecationDate == "2027-01-31")
        #expect(
            cells(entry) == [
                "input": "2.5", "output": "10", "input>200000": "5", "output@batch": "5",
                "web_search": "25000",
            ])
        #expect(
            entry.multipliers == [
                PriceMultiplier(attribute: "region=eu", partsPerMillion: 1_100_000),
                PriceMultiplier(attribute: "region=us", partsPerMillion: 1_100_000),
                PriceMultiplier(attribute: "speed=fast", partsPerMillion: 2_000_000),
            ])
    }

    // What the book cannot express, or the file says badly, is reported and not dropped in silence.
    @Test func reportsWhatItCannotTake() throws {
        let prices = try parse(
            """
            {"m": {"mode": "chat", "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06,
              "input_cost_per_token_ultrafast": 3e-06, "off_peak_pricing": {"hours": []},
              "search_free_requests": {"count": 5}, "code_interpreter_cost_per_session": 0.03,
              "cache_read_input_token_cost": -1e-07, "output_cost_per_reasoning_token": "2e-06",
              "input_cost_per_audio_token": 1.8799999999999998e-05,
              "input_cost_per_token_cache_hit": 1e-07, "supports_prompt_caching": true,
              "provider_specific_entry": {"turbo": 3}, "regional_endpoint_uplift_multiplier": 0},
             "n": {"mode": "chat", "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06,
              "cache_read_input_token_cost": 2e-07, "input_cost_per_token_cache_hit": 1e-07},
             "pictures": {"mode": "image_generation", "output_cost_per_image": 0.04},
             "free-by-omission": {"mode": "chat", "input_cost_per_token": 1e-06},
             "modeless": {"input_cost_per_token": 1e-06}}
            """)
        let issues = prices.issues.map { "\($0.model) \($0.key) \($0.kind)" }
        #expect(
            Set(issues) == [
                "m input_cost_per_token_ultrafast unsupportedPrice",
                "m off_peak_pricing unsupportedPrice",
                "m search_free_requests unsupportedPrice",
                "m code_interpreter_cost_per_session unsupportedPrice",
                "m cache_read_input_token_cost unusableValue",
                "m output_cost_per_reasoning_token unusableValue",
                "m input_cost_per_audio_token rounded",
                "m provider_specific_entry.turbo unsupportedPrice",
                "m regional_endpoint_uplift_multiplier unusableValue",
                "n input_cost_per_token_cache_hit conflict",
                "pictures  skippedMode(\"image_generation\")",
                "free-by-omission  skippedEntry(Pricing.PriceEntryError.incompleteRates)",
                "modeless  skippedMode(\"\")",
            ])
        #expect(issues.count == 13)
        #expect(
            cells(prices.entries.first) == [
                "input": "1", "output": "2", "input_audio": "18.8", "cache_read": "0.1",
            ])
        #expect(cells(prices.entries.last)["cache_read"] == "0.2")
    }

    // Price bands given as a list become thresholds, where there is no plain price.
    @Test func readsTieredPricing() throws {
        let prices = try parse(
            """
            {"banded": {"mode": "chat", "tiered_pricing": [
               {"range": [0, 32000.0], "input_cost_per_token": 3e-07,
                "output_cost_per_token": 1e-06},
               {"range": [32000.0, 128000.0], "input_cost_per_token": 5e-07,
                "output_cost_per_token": 2e-06, "output_cost_per_second": 1}]},
             "plain": {"mode": "chat", "input_cost_per_token": 1e-06,
               "output_cost_per_token": 2e-06,
               "tiered_pricing": [{"range": [0, 9], "input_cost_per_token": 9}]},
             "broken": {"mode": "chat",
               "tiered_pricing": [{"range": [], "input_cost_per_token": 1}]}}
            """)
        #expect(
            cells(prices.entries.first) == [
                "input": "0.3", "output": "1", "input>32000": "0.5", "output>32000": "2",
            ])
        #expect(
            prices.issues.map(\.key) == [
                "tiered_pricing.output_cost_per_second", "tiered_pricing", "tiered_pricing", "",
            ])
        #expect(prices.entries.map(\.model) == ["banded", "plain"])
    }

    // A file of another shape is refused as a whole.
    @Test(arguments: ["", "[]", "{\"a\": 1}", "{\"a\": {}, \"a\": {}}", "{"])
    func refusesOtherShapes(text: String) {
        #expect(throws: JSONError.self) { try parse(text) }
    }
}
