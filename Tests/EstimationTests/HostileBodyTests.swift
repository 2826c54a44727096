import Billing
import Estimation
import Testing

/// Bodies made to cost time, memory or a trap: each gets a figure or an error.
@Suite struct HostileBodyTests {
    private func chat(_ content: String) -> String {
        #"{"model":"gpt-4o","messages":[{"role":"user","content":\#(content)}]}"#
    }

    // Nesting has a limit, in the body and in schemas that are rendered.
    @Test func depth() throws {
        let deep = String(repeating: "[", count: 5_000) + String(repeating: "]", count: 5_000)
        #expect(refusal(chat(deep))?.message.contains("nested too deep") == true)
        func schema(_ depth: Int) -> String {
            depth == 0
                ? #"{"type":"string"}"#
                : #"{"type":"object","properties":{"p":\#(schema(depth - 1))}}"#
        }
        func tool(_ depth: Int) -> String {
            #"{"model":"gpt-4o","messages":[],"tools":[{"type":"function","function":"#
                + #"{"name":"f","parameters":\#(schema(depth))}}]}"#
        }
        #expect(try sized(tool(25)).usage.inputTokens > 25)
        #expect(refusal(tool(40)) != nil)
    }

    // Arrays have a limit; below it, what is not known is named a few times only.
    @Test func arrays() throws {
        func zeros(_ count: Int) -> String { "[" + String(repeating: "0,", count: count) + "0]" }
        #expect(refusal(chat(zeros(400_000)))?.message.contains("too many values") == true)
        let ids = #"{"model":"text-embedding-3-small","input":\#(zeros(400_000))}"#
        #expect(try sized(ids, .openAIEmbeddings).usage.inputTokens == 400_001)
        let parts = Array(repeating: #"{"type":"x"}"#, count: 50_000).joined(separator: ",")
        #expect(try sized(chat("[\(parts)]")).unbounded.count == 16)
    }

    // A megabyte of one character is counted like any text.
    @Test(arguments: ["a", " ", "\\n", "東"])
    func oneCharacter(character: String) throws {
        let text = String(repeating: character, count: 1_000_000)
        let usage = try sized(chat(#""\#(text)""#)).usage
        #expect(usage.inputTokens > 7_000)
        #expect(usage.inputTokens < 2_000_000)
        #expect(usage.maxInputTokens! >= usage.inputTokens)
    }

    // A header that claims a huge image costs what the largest image costs.
    @Test func hugeImage() throws {
        // A PNG of 2³¹ − 1 pixels each way.
        let png = "iVBORw0KGgoAAAANSUhEUn////9/////CAYAAAA="
        let part =
            #"[{"type":"image_url","image_url":{"url":"data:image/png;base64,\#(png)"}}]"#
        let usage = try sized(chat(part)).usage
        #expect(usage.inputImageTokens! <= 1_445)
        #expect(usage.maxInputImageTokens! <= 1_445)
    }

    // Counts at the end of the range are refused or kept in range.
    @Test func largeNumbers() throws {
        let huge = #"{"model":"gpt-4o","messages":[],"max_tokens":9223372036854775807}"#
        #expect(refusal(huge)?.param == "max_tokens")
        #expect(
            refusal(huge.replacing("9223372036854775807", with: "1e300"))?.param == "max_tokens")
        let tools = Array(
            repeating: #"{"type":"web_search_20250305","name":"w","max_uses":1000000000}"#,
            count: 50)
        let body =
            #"{"model":"claude-x","max_tokens":1,"messages":[],"#
            + #""tools":[\#(tools.joined(separator: ","))]}"#
        #expect(try sized(body, .anthropicMessages).usage.fullContexts == 50_000_000_001)
    }

    // Members under names that a renderer might trip over.
    @Test func oddNames() throws {
        let body =
            #"{"model":"gpt-4o","messages":[],"tools":[{"type":"function","function":{"name":"\u0000","#
            + #""parameters":{"properties":{"":{"type":["string","null"]},"é":{"enum":[]},"#
            + #""e\u0301":{"items":{}}},"required":[1,null]}}}]}"#
        #expect(try sized(body).usage.inputTokens > 10)
    }
}
