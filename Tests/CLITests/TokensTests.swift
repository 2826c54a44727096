import Server
import Testing

@testable import faregate

@Suite struct TokensTests {
    private let cli = Shell()

    private static func write(
        _ text: String, _ name: String, _ folder: TemporaryFolder
    ) throws -> String {
        try WholeFile.replace(folder.file(name), with: Array(text.utf8))
        return folder.file(name)
    }

    // Files are counted exactly for OpenAI's models; for others the most that it can be is said.
    @Test func counting() async throws {
        let folder = TemporaryFolder()
        let one = try Self.write("Hello, world", "one.txt", folder)
        let two = try Self.write("tiktoken is great!", "two.txt", folder)
        #expect(try await cli.must("tokens", "count", one) == "3\n")
        #expect(try await cli.must("tokens", "count", one, two) == "3  \(one)\n6  \(two)\n")
        #expect(
            try await cli.must("tokens", "count", "--model", "claude-opus-4-7", one)
                == "5 expected, 12 at most (o200k_base*1.53)\n")
        #expect(
            try await cli.must("tokens", "count", "--json", "--encoding", "cl100k_base", one)
                == #"{"bound":3,"tokenizer":"cl100k_base","tokens":3}"# + "\n")
    }

    // Every line is answered by one, whether it is a string or an object with text or bytes.
    @Test func lines() async throws {
        let folder = TemporaryFolder()
        let lines = try Self.write(
            #""Hello, world""# + "\n\n" + #"{"text":"Hello, world"}"# + "\n" + #"{"hex":"48ff"}"#,
            "lines.jsonl", folder)
        #expect(
            try await cli.must("tokens", "encode", "--lines", lines)
                == #"{"ids":[13225,11,2375]}"# + "\n" + #"{"ids":[13225,11,2375]}"# + "\n"
                + #"{"ids":[39,3251]}"# + "\n")
        let ids = try Self.write(
            #"{"ids":[13225,11,2375]}"# + "\n[255]\n", "ids.jsonl", folder)
        #expect(
            try await cli.must("tokens", "decode", "--lines", ids)
                == #"{"text":"Hello, world"}"# + "\n" + #"{"hex":"ad"}"# + "\n")
    }

    // What is encoded decodes to the same text.
    @Test func thereAndBack() async throws {
        let folder = TemporaryFolder()
        let text = "Tokens, in 日本語 too: 1234567\n\n\tdone.\n"
        let file = try Self.write(text, "text.txt", folder)
        let ids = try await cli.must("tokens", "encode", "--model", "gpt-4", file)
        let encoded = try Self.write(ids, "ids.txt", folder)
        #expect(try await cli.must("tokens", "decode", "--model", "gpt-4", encoded) == text)
    }

    // What cannot be read is refused, with the line it is in.
    @Test func refusals() async throws {
        let folder = TemporaryFolder()
        for (content, message) in [
            ("\"a\"\n{\"hex\":\"abc\"}", "line 2: \"hex\" has to be pairs of hexadecimal digits"),
            ("{\"words\":1}", "line 1: a string is needed"), ("\"a", "line 1: "),
        ] {
            let file = try Self.write(content, "bad.jsonl", folder)
            let outcome = await cli.run("tokens", "count", "--lines", file)
            #expect(outcome.status == 2)
            #expect(outcome.error.contains(message), "\(outcome.error)")
        }
        let ids = try Self.write("1 2 200000", "ids.txt", folder)
        let unknown = await cli.run("tokens", "decode", ids)
        #expect(unknown.status == 2)
        #expect(unknown.error.contains("'200000' is no token of o200k_base"))
        #expect(await cli.run("tokens", "count", folder.file("nothing")).status == 5)
        let both = await cli.run(
            "tokens", "count", "--model", "gpt-4o", "--encoding", "o200k_base", ids)
        #expect(both.status == 2)
    }
}
