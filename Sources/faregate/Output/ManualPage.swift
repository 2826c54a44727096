// Manual pages in man(7)'s language, from the help of the commands: one for the program and one for
// each of its commands, subcommands included.

import ArgumentParser

struct ManualPage {
    /// `faregate-serve`.
    let name: String
    let text: String

    static func all() -> [ManualPage] {
        let commands = subcommands(of: Faregate.self)
        let root = Faregate.configuration
        var text = heading("faregate") + nameLine("faregate", root.abstract)
        text += section("DESCRIPTION") + filled(root.discussion) + section("COMMANDS")
        for command in commands {
            let configuration = command.configuration
            text += ".TP\n.BR faregate\\-\(escaped(word(of: command))) (1)\n"
            text += escapedLine(configuration.abstract) + "\n"
        }
        text += section("SEE ALSO") + "The documentation in the source: docs/README.md.\n"
        return [ManualPage(name: "faregate", text: text)]
            + commands.map { page(of: $0, others: commands) }
    }

    private static func page(
        of command: any ParsableCommand.Type, others: [any ParsableCommand.Type]
    ) -> ManualPage {
        let word = word(of: command)
        let name = "faregate-\(word)"
        var text = heading(name) + nameLine(name, command.configuration.abstract)
        text += section("DESCRIPTION")
        text += body(of: command)
        for (words, subcommand) in descendants(of: command, ["faregate", word]) {
            text += section(words.joined(separator: " ").uppercased())
            text += escapedLine(subcommand.configuration.abstract) + "\n.PP\n"
            text += body(of: subcommand)
        }
        text += section("EXIT STATUS") + filled(exitStatus)
        text += section("SEE ALSO") + ".BR faregate (1)\n"
        return ManualPage(name: name, text: text)
    }

    private static let exitStatus =
        "0 when done, 1 when the answer is no, 2 when asked wrongly, 3 when a call was rejected, 4 "
        + "when no server answers, and 5 when a file or the disk failed."

    /// What the help says: its prose filled, usage and options as they are printed.
    private static func body(of command: any ParsableCommand.Type) -> String {
        var lines = Faregate.helpMessage(for: command, columns: 78)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)[...]
        lines = lines.drop { !$0.hasPrefix("USAGE: ") }
        let usage = lines.popFirst() ?? ""
        while lines.last?.isEmpty == true { lines.removeLast() }
        return filled(command.configuration.discussion) + ".PP\n" + escapedLine(usage) + "\n.nf\n"
            + lines.map(escapedLine).joined(separator: "\n") + "\n.fi\n"
    }

    private static func heading(_ name: String) -> String {
        ".\\\" Made by `faregate manual` from the program's help.\n.TH \(name.uppercased()) 1 \"\""
            + " \"Faregate \(Faregate.configuration.version)\" \"Faregate\"\n.nh\n.ad l\n"
    }

    private static func nameLine(_ name: String, _ abstract: String) -> String {
        section("NAME") + "\(escaped(name)) \\- \(escaped(abstract))\n"
    }

    private static func section(_ title: String) -> String { ".SH \(title)\n" }

    /// Prose: paragraphs are filled, indented lines stay as they are.
    private static func filled(_ text: String) -> String {
        var lines: [String] = []
        var isVerbatim = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("  ") != isVerbatim {
                isVerbatim.toggle()
                lines.append(isVerbatim ? ".nf" : ".fi")
            }
            lines.append(line.isEmpty ? ".PP" : escapedLine(String(line)))
        }
        if isVerbatim { lines.append(".fi") }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func escapedLine(_ line: String) -> String {
        // A point or quote at the start of a line would be a request to the formatter.
        let isRequest = line.hasPrefix(".") || line.hasPrefix("'")
        return (isRequest ? "\\&" : "") + escaped(line)
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "\\": escaped += "\\e"
            case "-": escaped += "\\-"
            default: escaped.append(character)
            }
        }
        return escaped
    }

    private static func word(of command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? "\(command)".lowercased()
    }

    private static func subcommands(
        of command: any ParsableCommand.Type
    ) -> [any ParsableCommand.Type] {
        command.configuration.ungroupedSubcommands
            + command.configuration.groupedSubcommands.flatMap(\.subcommands)
    }

    private static func descendants(
        of command: any ParsableCommand.Type, _ words: [String]
    ) -> [(words: [String], command: any ParsableCommand.Type)] {
        subcommands(of: command).flatMap { subcommand in
            let words = words + [word(of: subcommand)]
            return [(words, subcommand)] + descendants(of: subcommand, words)
        }
    }
}
