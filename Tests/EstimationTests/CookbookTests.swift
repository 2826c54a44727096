import Billing
import Estimation
import Testing

/// The counts that OpenAI's cookbook shows for its own examples ("How to count tokens with
/// tiktoken"), as the API answered them.
@Suite struct CookbookTests {
    private static let messages = """
        [{"role":"system","content":"You are a helpful, pattern-following assistant that \
        translates corporate jargon into plain English."},
        {"role":"system","name":"example_user","content":"New synergies will help drive top-line \
        growth."},
        {"role":"system","name":"example_assistant","content":"Things working well together will \
        increase revenue."},
        {"role":"system","name":"example_user","content":"Let's circle back when we have more \
        bandwidth to touch base on opportunities for increased leverage."},
        {"role":"system","name":"example_assistant","content":"Let's talk later when we're less \
        busy about how to do better."},
        {"role":"user","content":"This late pivot means we don't have time to boil the ocean for \
        the client deliverable."}]
        """

    // Plain messages are counted as the provider counts them.
    @Test(arguments: [
        ("gpt-3.5-turbo-0125", 129), ("gpt-4-0613", 129), ("gpt-4", 129), ("gpt-4o", 124),
        ("gpt-4o-mini", 124),
    ])
    func messages(model: String, tokens: Int64) throws {
        let sized = try sized(#"{"model":"\#(model)","messages":\#(Self.messages)}"#)
        #expect(sized.usage.inputTokens == tokens)
        #expect(sized.usage.maxInputTokens! > tokens)
    }

    private static let tools = """
        [{"type":"function","function":{"name":"get_current_weather","description":"Get the \
        current weather in a given location","parameters":{"type":"object","properties":{
        "location":{"type":"string","description":"The city and state, e.g. San Francisco, CA"},
        "unit":{"type":"string","description":"The unit of temperature to return",
        "enum":["celsius","fahrenheit"]}},"required":["location"]}}}]
        """

    // The weather tool.
    @Test(arguments: [
        ("gpt-3.5-turbo", 105), ("gpt-4", 105), ("gpt-4o", 101), ("gpt-4o-mini", 101),
    ])
    func tools(model: String, tokens: Int64) throws {
        let sized = try sized(
            """
            {"model":"\(model)","messages":[
            {"role":"system","content":"You are a helpful assistant that can answer to questions \
            about the weather."},
            {"role":"user","content":"What's the weather like in San Francisco?"}],
            "tools":\(Self.tools)}
            """)
        #expect(sized.usage.inputTokens == tokens)
    }
}
