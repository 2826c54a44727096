// docs/cli.md holds the help of every command, as the program prints it. The test compares; run
// with FAREGATE_UPDATE_DOCS=1 it writes the file.

import ArgumentParser
import Glibc
import Server
import Testing

@testable import faregate

@Suite struct HelpTests {
    private static let path: String = {
        let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        return parts.dropLast(3).joined(separator: "/") + "/docs/cli.md"
    }()

    /// Every command with its words, the root first.
    static func commands(
        _ command: any ParsableCommand.Type = Faregate.self, _ words: [String] = []
    ) -> [(words: String, command: any ParsableCommand.Type)] {
        let configuration = command.configuration
        let name = configuration.commandName ?? "\(command)".lowercased()
        let words = words + [name]
        let grouped = configuration.groupedSubcommands.flatMap(\.subcommands)
        let subcommands = configuration.ungroupedSubcommands + grouped
        return [(words.joined(separator: " "), command)]
            + subcommands.flatMap { commands($0, words) }
    }

    private static func document() -> String {
        var text = """
            # The command line

            What `faregate help` says of every command. This file is written by the program
            (`FAREGATE_UPDATE_DOCS=1 swift test --filter HelpTests`) and compared by its tests.

            """
        for (words, command) in commands() {
            let help = Faregate.helpMessage(for: command, columns: 100)
            text += "\n## \(words)\n\n```text\n\(help)\n```\n"
        }
        return text
    }

    // The documentation says what the program says.
    @Test func documentIsUpToDate() throws {
        let document = Self.document()
        if getenv("FAREGATE_UPDATE_DOCS") != nil {
            try WholeFile.replace(Self.path, with: Array(document.utf8))
        }
        let kept = String(decoding: try WholeFile.read(Self.path), as: UTF8.self)
        #expect(kept == document, "run FAREGATE_UPDATE_DOCS=1 swift test --filter HelpTests")
    }

    // Every command that does something shows at least one example of itself.
    @Test(arguments: HelpTests.commands().map(\.words))
    func commandsHaveExamples(words: String) throws {
        let command = try #require(Self.commands().first { $0.words == words }).command
        let hasSubcommands =
            !command.configuration.subcommands.isEmpty
            || !command.configuration.groupedSubcommands.isEmpty
        if hasSubcommands { return }
        let lines = command.configuration.discussion.split(separator: "\n")
        #expect(lines.contains { $0.contains("  ") && $0.contains(words) }, "\(words)")
    }

    // What the examples say can be parsed.
    @Test(arguments: HelpTests.commands().map(\.words))
    func examplesParse(words: String) throws {
        let command = try #require(Self.commands().first { $0.words == words }).command
        let text = command.configuration.discussion
            .split(separator: "\\\n").joined(separator: " ")
        for line in text.split(separator: "\n") where line.hasPrefix("  faregate ") {
            let arguments = Self.words(of: String(line)).dropFirst()
            #expect(throws: Never.self, "\(line)") { try Faregate.parseAsRoot(Array(arguments)) }
        }
    }

    /// As a shell splits a line: blanks, single and double quotes.
    private static func words(of line: String) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        for character in line {
            if let open = quote {
                if character == open {
                    quote = nil
                } else {
                    word = (word ?? "") + String(character)
                }
            } else if character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if character == " " {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if let done = word { words.append(done) }
        return words
    }
}
