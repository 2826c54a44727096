import Testing

@testable import Tokenizers

@Suite struct TokenizerFamilyTests {
    // OpenAI's models are counted exactly, under every name that they are called by.
    @Test(arguments: [
        ("gpt-4o", "o200k_base"), ("gpt-4o-mini-2024-07-18", "o200k_base"),
        ("chatgpt-4o-latest", "o200k_base"), ("gpt-4.1-nano", "o200k_base"),
        ("gpt-4.5-preview", "o200k_base"), ("gpt-5", "o200k_base"), ("gpt-5.6-sol", "o200k_base"),
        ("gpt-6-astra", "o200k_base"), ("gpt-10", "o200k_base"), ("o1", "o200k_base"),
        ("o3-mini-2025-01-31", "o200k_base"), ("o4-mini", "o200k_base"),
        ("openai/gpt-oss-120b", "o200k_base"), ("azure/gpt-4o", "o200k_base"),
        ("openrouter/openai/gpt-5-mini:free", "o200k_base"),
        ("ft:gpt-4o-2024-08-06:acme::x1", "o200k_base"), ("GPT-4o", "o200k_base"),
        ("bedrock/us.openai.gpt-5.6-sol-v1:0", "o200k_base"), ("gpt-4", "cl100k_base"),
        ("gpt-4-turbo-2024-04-09", "cl100k_base"), ("gpt-3.5-turbo", "cl100k_base"),
        ("azure/gpt-35-turbo-16k", "cl100k_base"), ("ft:gpt-3.5-turbo:acme::x1", "cl100k_base"),
        ("text-embedding-3-large", "cl100k_base"), ("text-embedding-ada-002", "cl100k_base"),
    ])
    func openAI(model: String, name: String) {
        let family = TokenizerFamily(model: model)
        #expect(family.name == name)
        #expect(family.isExact)
    }

    // Two generations of Claude: the new tokenizer came with Opus 4.7. A date is no version.
    @Test(arguments: [
        ("claude-3-5-sonnet-20241022", 1180), ("claude-opus-4-20250514", 1180),
        ("anthropic/claude-opus-4.6", 1180), ("claude-haiku-4-5-20251001", 1180),
        ("bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", 1180), ("claude-2.1", 1180),
        ("claude-opus-4-7", 1530), ("anthropic/claude-opus-4.8", 1530), ("claude-sonnet-5", 1530),
        ("vertex_ai/claude-opus-4-7@20260416", 1530), ("claude-opus-5-5", 1530),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/global.anthropic.claude-opus-4-7-v1", 1530),
        ("claude-latest", 1530),
    ])
    func claude(model: String, perMille: Int) {
        #expect(TokenizerFamily(model: model).perMille == perMille)
    }

    // The name in events says the table and the factor.
    @Test func names() {
        #expect(TokenizerFamily(model: "claude-3-opus").name == "o200k_base*1.18")
        #expect(TokenizerFamily(model: "claude-opus-4-7").name == "o200k_base*1.53")
        #expect(TokenizerFamily(model: "gemini-2.5-pro").perMille == 1100)
        #expect(TokenizerFamily(model: "ollama/llama3.1:70b").perMille == 1100)
        #expect(TokenizerFamily(model: "meta-llama/Llama-2-70b-chat-hf").perMille == 1300)
        #expect(TokenizerFamily(model: "open-mistral-7b").perMille == 1300)
        #expect(TokenizerFamily(model: "mistral/mistral-large-latest").perMille == 1150)
        #expect(TokenizerFamily(model: "qwen/qwen3-235b-a22b").perMille == 1150)
        #expect(TokenizerFamily(model: "deepseek-chat").perMille == 1100)
        #expect(TokenizerFamily(model: "my-deployment").perMille == 1200)
        #expect(TokenizerFamily(model: "").perMille == 1200)
    }

    // The expectation is never above the bound; the bound is the count where that is exact, and at
    // least a token for each byte where not.
    @Test func bounds() {
        let texts = ["", "a", "Hello, world", "�������", String(repeating: "é", count: 100)]
        for model in ["gpt-4o", "gpt-4", "claude-opus-4-7", "claude-3-opus", "gemini-3-pro", "x"] {
            let family = TokenizerFamily(model: model)
            for text in texts {
                let (expected, bound) = family.count(text)
                #expect(expected <= bound)
                #expect((expected, bound) == (family.expected(text), family.bound(text)))
                if family.isExact {
                    #expect(bound == Tokenizer.named(family.encoding).count(text))
                } else {
                    #expect(bound >= text.utf8.count)
                }
            }
        }
    }

    // Bytes that are no UTF-8 are bounded as what takes their place.
    @Test func boundOfIllFormedBytes() {
        let bytes: [UInt8] = [0x41, 0xFF, 0xE4, 0xB8]
        bytes.withUnsafeBufferPointer { utf8 in
            #expect(TokenizerFamily(model: "claude-3-opus").bound(utf8) == 7)
            #expect(TokenizerFamily(model: "claude-3-opus").count(utf8).bound == 7)
            #expect(
                TokenizerFamily(model: "gpt-4o").bound(utf8)
                    == Tokenizer.named(.o200kBase).count(utf8))
        }
    }

    // The factor rounds up.
    @Test func factor() {
        let text = "The quick brown fox jumps over the lazy dog."
        #expect(Tokenizer.named(.o200kBase).count(text) == 10)
        #expect(TokenizerFamily(model: "claude-3-opus").expected(text) == 12)
        #expect(TokenizerFamily(model: "claude-opus-4-7").expected(text) == 16)
    }
}
