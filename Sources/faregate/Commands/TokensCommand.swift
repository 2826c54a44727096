import ArgumentParser
import CanonicalJSON
import Glibc
import Server
import Tokenizers

struct TokensCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokens",
        abstract: "Count, encode and decode as a model's tokenizer does.",
        subcommands: [Count.self, Encode.self, Decode.self])

    struct Count: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Count the tokens of files.",
            discussion: """
                Exact for OpenAI's models. For others the count is an expectation, and the most that
                it can be stands beside it. Special tokens such as <|endoftext|> are ordinary text.

                With --lines, every line of input is a JSON document: a string, or an object with
                "text" or, for bytes that need not be UTF-8, "hex". Every line of output answers
                one.

                Examples:
                  faregate tokens count README.md docs/concepts.md
                  faregate tokens count --model claude-opus-4-7 --json < prompt.txt
                  echo '{"text":"Hello"}' | faregate tokens count --lines --encoding cl100k_base
                """)

        @OptionGroup var options: TokensOptions

        @Flag(help: "Print JSON instead of text for people.")
        var json = false

        mutating func run() throws {
            let console = Console.current
            let family = options.family
            if options.lines {
                try options.forEachLine { Self.answer(family, try TokensOptions.bytes(of: $0)) }
                return
            }
            for path in options.paths {
                let bytes = try TokensOptions.file(path)
                if json {
                    console.out(TokensOptions.line(Self.answer(family, bytes)))
                    continue
                }
                let (expected, bound) = bytes.withUnsafeBufferPointer { family.count($0) }
                var text = "\(expected)"
                if !family.isExact { text += " expected, \(bound) at most (\(family.name))" }
                console.out(options.files.count > 1 ? "\(text)  \(path)" : text)
            }
        }

        private static func answer(_ family: TokenizerFamily, _ bytes: [UInt8]) -> JSONObject {
            let (expected, bound) = bytes.withUnsafeBufferPointer { family.count($0) }
            return JSONObject([
                ("bound", .integer(Int64(bound))), ("tokenizer", .string(family.name)),
                ("tokens", .integer(Int64(expected))),
            ])
        }
    }

    struct Encode: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the ids of the tokens of files.",
            discussion: """
                For models whose tokenizer is not public, those of the one that stands in for it.
                --lines as in `faregate tokens count`: every answer is an object with "ids".

                Examples:
                  faregate tokens encode --model gpt-4o prompt.txt
                  echo '"Hello, world"' | faregate tokens encode --lines
                """)

        @OptionGroup var options: TokensOptions

        mutating func run() throws {
            let tokenizer = Tokenizer.named(options.family.encoding)
            if options.lines {
                try options.forEachLine { document in
                    let ids = try TokensOptions.bytes(of: document)
                        .withUnsafeBufferPointer { tokenizer.encode($0) }
                    return JSONObject([("ids", .array(ids.map { .integer(Int64($0)) }))])
                }
                return
            }
            for path in options.paths {
                let bytes = try TokensOptions.file(path)
                let ids = bytes.withUnsafeBufferPointer { tokenizer.encode($0) }
                Console.current.out(ids.map(String.init).joined(separator: " "))
            }
        }
    }

    struct Decode: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the text that ids stand for.",
            discussion: """
                The files hold ids, separated by blanks or line breaks. With --lines, every line of
                input is a JSON array of ids, or an object with "ids", and every answer an object
                with "text" or, where the bytes are not UTF-8, "hex".

                Examples:
                  faregate tokens decode --model gpt-4o ids.txt
                  echo '[13225,11,2375]' | faregate tokens decode --lines
                """)

        @OptionGroup var options: TokensOptions

        mutating func run() throws {
            let tokenizer = Tokenizer.named(options.family.encoding)
            if options.lines {
                try options.forEachLine { document in
                    let bytes = try Self.bytes(document["ids"]?.items ?? document.items, tokenizer)
                    if let text = String(validating: bytes, as: UTF8.self) {
                        return JSONObject([("text", .string(text))])
                    }
                    return JSONObject([("hex", .string(TokensOptions.hex(bytes)))])
                }
                return
            }
            for path in options.paths {
                let words = try TokensOptions.file(path).split { $0 <= 0x20 }
                let ids = words.map { JSONValue.number(String(decoding: $0, as: UTF8.self)) }
                let bytes = try Self.bytes(ids, tokenizer)
                Console.current.writeOut(String(decoding: bytes, as: UTF8.self))
            }
        }

        private static func bytes(
            _ ids: [JSONValue], _ tokenizer: Tokenizer
        ) throws(CommandFailure) -> [UInt8] {
            var bytes: [UInt8] = []
            for id in ids {
                guard let number = Int32(id.word), let token = tokenizer.decode([number]) else {
                    throw CommandFailure(
                        .usage, "'\(id.word)' is no token of \(tokenizer.encoding.rawValue)")
                }
                bytes += token
            }
            return bytes
        }
    }
}
