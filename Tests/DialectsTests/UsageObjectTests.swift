import Billing
import Testing

@testable import CanonicalJSON
@testable import Dialects

@Suite struct UsageObjectTests {
    private func read(_ json: String) throws -> UsageObject? {
        try JSONReader.reading(bytes(json), strings: .lenient) { (reader) throws(JSONError) in
            try UsageObject(&reader)
        }
    }

    private func report(
        _ json: String, _ family: ProviderFamily = .openAI,
        _ convention: UsageConvention = .dialect
    ) throws -> UsageReport {
        try #require(try read(json)).report(family: family, convention: convention)
    }

    // A whole number is a count, also as 12.0; anything else is absent and marked; null is absent.
    @Test(
        arguments: [
            ("12", 12, false), ("12.0", 12, false), ("12.000", 12, false), ("0", 0, false),
            ("0.0", 0, false), ("-0", 0, false), ("1099511627776", 1_099_511_627_776, false),
            ("null", nil, false), ("12.5", nil, true), ("1.2e1", nil, true), ("12e0", nil, true),
            ("\"12\"", nil, true), ("-1", nil, true), ("1099511627777", nil, true),
            ("99999999999999999999", nil, true), ("99999999999999999999.0", nil, true),
            ("true", nil, true), ("[12]", nil, true), ("{}", nil, true),
        ] as [(String, Int64?, Bool)])
    func counts(_ written: String, _ count: Int64?, _ isMarked: Bool) throws {
        let usage = try #require(
            try read("{\"prompt_tokens\": \(written), \"completion_tokens\":7}"))
        #expect(usage.input == count)
        #expect(usage.output == 7)
        #expect(usage.hasUnreadable == isMarked)
    }

    // Usage that is no object is no usage; an empty one says nothing; zero says something.
    @Test func missing() throws {
        for value in ["null", "[]", "\"x\"", "5", "true"] { #expect(try read(value) == nil) }
        #expect(try read("{}")?.isEmpty == true)
        #expect(try read("{\"prompt_tokens\":null}")?.isEmpty == true)
        #expect(try read("{\"prompt_tokens\":0}")?.isEmpty == false)
    }

    // OpenAI's counts are inclusive as they come.
    @Test func openAI() throws {
        let usage = try report(
            """
            {"prompt_tokens":2006,"completion_tokens":300,"total_tokens":2306,
             "prompt_tokens_details":{"cached_tokens":1920,"audio_tokens":10,"image_tokens":4},
             "completion_tokens_details":{"reasoning_tokens":192,"audio_tokens":1,
              "image_tokens":2,"accepted_prediction_tokens":0,"rejected_prediction_tokens":9}}
            """)
        #expect(usage.marks.isEmpty)
        #expect(usage.usage.inputTokens == 2006)
        #expect(usage.usage.cachedInputTokens == 1920)
        #expect(usage.usage.inputAudioTokens == 10)
        #expect(usage.usage.inputImageTokens == 4)
        #expect(usage.usage.outputTokens == 300)
        #expect(usage.usage.reasoningTokens == 192)
        #expect(usage.usage.outputAudioTokens == 1)
        #expect(usage.usage.outputImageTokens == 2)
        #expect(usage.usage.cacheWriteTokens == nil)
    }

    // Responses name the same things otherwise; writes of the longer lifetime are set apart.
    @Test func responses() throws {
        let usage = try report(
            """
            {"input_tokens":328,"input_tokens_details":{"cached_tokens":100,
             "cache_write_tokens":60,"cache_write_tokens_details":{"ttl_12h_tokens":20,
             "ttl_30m_tokens":40}},"output_tokens":52,
             "output_tokens_details":{"reasoning_tokens":31},"total_tokens":380}
            """
        ).usage
        #expect(usage.inputTokens == 328)
        #expect(usage.cachedInputTokens == 100)
        #expect(usage.cacheWriteTokens == 40)
        #expect(usage.cacheWrite12hTokens == 20)
        #expect(usage.outputTokens == 52)
        #expect(usage.reasoningTokens == 31)
    }

    // DeepSeek and Kimi name the cache in their own ways; OpenRouter states a cost.
    @Test func otherNames() throws {
        let deepSeek = try report(
            """
            {"prompt_tokens":100,"completion_tokens":5,"total_tokens":105,
             "prompt_cache_hit_tokens":64,"prompt_cache_miss_tokens":36}
            """)
        #expect(deepSeek.usage.cachedInputTokens == 64)
        #expect(deepSeek.usage.inputTokens == 100)
        let kimi = try report("{\"prompt_tokens\":9,\"completion_tokens\":1,\"cached_tokens\":4}")
        #expect(kimi.usage.cachedInputTokens == 4)
        let openRouter = try report(
            """
            {"prompt_tokens":14,"completion_tokens":2,"total_tokens":16,"cost":0.00001402,
             "cost_details":{"upstream_inference_cost":null},
             "prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":3}}
            """)
        #expect(openRouter.statedCost == "0.00001402")
        #expect(openRouter.usage.cacheWriteTokens == 3)
        let searches = try report("{\"prompt_tokens\":1,\"num_search_queries\":2}")
        #expect(searches.usage.webSearches == 2)
    }

    // What one count leaves open another one may determine; a total that disagrees with its parts
    // is read the dearer way and marked.
    @Test(
        arguments: [
            ("{\"prompt_tokens\":5,\"total_tokens\":9}", 5, 4, false),
            ("{\"completion_tokens\":5,\"total_tokens\":9}", 4, 5, false),
            ("{\"total_tokens\":9}", 9, nil, false),
            // Reasoning outside of the output, as xAI and Gemini count.
            (
                "{\"prompt_tokens\":32,\"completion_tokens\":9,\"total_tokens\":135,"
                    + "\"completion_tokens_details\":{\"reasoning_tokens\":94}}", 32, 103, true
            ),
            ("{\"prompt_tokens\":5,\"completion_tokens\":3,\"total_tokens\":1}", 5, 3, true),
            ("{\"prompt_tokens\":5,\"completion_tokens\":3}", 5, 3, false),
        ] as [(String, Int64?, Int64?, Bool)])
    func totals(_ json: String, _ input: Int64?, _ output: Int64?, _ isMarked: Bool) throws {
        let report = try report(json)
        #expect(report.usage.inputTokens == input)
        #expect(report.usage.outputTokens == output)
        #expect(report.marks.contains(.totalDisagrees) == isMarked)
    }

    // Of an embedding the total is the input, and there is no output to miss.
    @Test func embeddings() throws {
        let usage = try #require(try read("{\"prompt_tokens\":8,\"total_tokens\":8}"))
        let report = usage.report(family: .openAI, convention: .dialect, hasOutput: false)
        #expect(report.usage.inputTokens == 8)
        #expect(report.usage.outputTokens == nil)
        let total = try #require(try read("{\"total_tokens\":8}"))
        #expect(
            total.report(family: .openAI, convention: .dialect, hasOutput: false).usage.inputTokens
                == 8)
    }

    // Anthropic's input excludes the cache: it is added, with writes by lifetime.
    @Test func anthropic() throws {
        let json = """
            {"input_tokens":21,"cache_creation_input_tokens":1300,"cache_read_input_tokens":188,
             "cache_creation":{"ephemeral_5m_input_tokens":300,"ephemeral_1h_input_tokens":1000},
             "output_tokens":393,"output_tokens_details":{"thinking_tokens":80},
             "server_tool_use":{"web_search_requests":2,"web_fetch_requests":1},
             "service_tier":"priority","inference_geo":"us","speed":"fast"}
            """
        let report = try report(json, .anthropic)
        #expect(report.marks.isEmpty)
        #expect(report.usage.inputTokens == 1_509)
        #expect(report.usage.cachedInputTokens == 188)
        #expect(report.usage.cacheWriteTokens == 300)
        #expect(report.usage.cacheWrite1hTokens == 1000)
        #expect(report.usage.outputTokens == 393)
        #expect(report.usage.reasoningTokens == 80)
        #expect(report.usage.webSearches == 2)
        #expect(report.usage.servedTier == "priority")
        #expect(report.usage.attributes == ["region=us", "speed=fast"])
        // A clone that counts inclusively is set so.
        let inclusive = try self.report(json, .anthropic, .inclusive)
        #expect(inclusive.usage.inputTokens == 21)
        #expect(inclusive.usage.cachedInputTokens == 188)
    }

    // An OpenAI route that does not convert Anthropic's counts is set so, too.
    @Test func exclusiveOpenAI() throws {
        let report = try report(
            """
            {"prompt_tokens":21,"completion_tokens":5,"total_tokens":26,
             "cache_read_input_tokens":100,"cache_creation_input_tokens":40}
            """, .openAI, .exclusive)
        #expect(report.usage.inputTokens == 161)
        #expect(report.usage.cachedInputTokens == 100)
        #expect(report.usage.cacheWriteTokens == 40)
        #expect(report.usage.outputTokens == 5)
        #expect(report.marks.isEmpty)
    }

    // The rest of a total of writes belongs to the lifetime in use; a split above its total is
    // believed and marked.
    @Test(
        arguments: [
            (10, 4, 0, 10, 0, false), (10, 4, 5, 4, 6, false), (10, 0, 4, 0, 10, false),
            (10, 8, 4, 8, 4, true), (12, 8, 4, 8, 4, false),
        ] as [(Int64, Int64, Int64, Int64, Int64, Bool)])
    func cacheSplit(
        _ total: Int64, _ short: Int64, _ long: Int64, _ readShort: Int64, _ readLong: Int64,
        _ isMarked: Bool
    ) throws {
        let report = try report(
            """
            {"input_tokens":1,"output_tokens":1,"cache_creation_input_tokens":\(total),
             "cache_creation":{"ephemeral_5m_input_tokens":\(short),
             "ephemeral_1h_input_tokens":\(long)}}
            """, .anthropic)
        #expect(report.usage.cacheWriteTokens == readShort)
        #expect(report.usage.cacheWrite1hTokens == readLong)
        #expect(report.usage.inputTokens == 1 + readShort + readLong)
        #expect(report.marks.contains(.cacheSplitDisagrees) == isMarked)
    }

    // Compaction and advice are outside of Anthropic's totals; the model's own turns are in them.
    @Test func iterations() throws {
        let report = try report(
            """
            {"input_tokens":100,"output_tokens":10,"iterations":[
             {"type":"message","input_tokens":60,"output_tokens":6},
             {"input_tokens":1000,"output_tokens":50,"type":"compaction"},
             {"type":"advisor_message","model":"claude-x","input_tokens":7,"output_tokens":3,
              "cache_read_input_tokens":2,"cache_creation_input_tokens":0},
             {"type":"fallback_message","input_tokens":40,"output_tokens":4}, null, 5]}
            """, .anthropic)
        #expect(report.usage.inputTokens == 1_109)
        #expect(report.usage.outputTokens == 63)
        #expect(report.usage.cachedInputTokens == 2)
        #expect(report.marks == [.stepsAdded])
    }

    // Merging never adds. Zeros in a later object do not unsay the input; a correction does.
    @Test(
        arguments: [
            (
                "{\"input_tokens\":100,\"output_tokens\":1}",
                "{\"input_tokens\":100,\"output_tokens\":57}", 100, 57
            ),
            ("{\"input_tokens\":100,\"output_tokens\":1}", "{\"output_tokens\":57}", 100, 57),
            (
                "{\"input_tokens\":100,\"output_tokens\":9}",
                "{\"input_tokens\":0,\"output_tokens\":5}", 100, 9
            ),
            (
                "{\"input_tokens\":0,\"output_tokens\":0}",
                "{\"input_tokens\":80,\"output_tokens\":5}", 80, 5
            ),
            (
                "{\"input_tokens\":1000,\"cache_read_input_tokens\":0,\"output_tokens\":1}",
                "{\"input_tokens\":100,\"cache_read_input_tokens\":900,\"output_tokens\":2}", 1000,
                2
            ),
            (
                "{\"input_tokens\":5,\"cache_read_input_tokens\":900,\"output_tokens\":1}",
                "{\"input_tokens\":5,\"output_tokens\":2}", 905, 2
            ),
        ] as [(String, String, Int64, Int64)])
    func merging(_ first: String, _ later: String, _ input: Int64, _ output: Int64) throws {
        var usage = try #require(try read(first))
        usage.merge(later: try #require(try read(later)))
        let report = usage.report(family: .anthropic, convention: .dialect).usage
        #expect(report.inputTokens == input)
        #expect(report.outputTokens == output)
    }

    // Sums beyond what one call can use are no counts.
    @Test func sums() throws {
        let report = try report(
            """
            {"input_tokens":1099511627776,"cache_read_input_tokens":1,"output_tokens":1}
            """, .anthropic)
        #expect(report.usage.inputTokens == nil)
        #expect(report.marks == [.unreadableCount])
    }
}
