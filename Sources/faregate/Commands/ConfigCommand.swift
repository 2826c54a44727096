import ArgumentParser
import CanonicalJSON
import Server

struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "How a server is configured.",
        subcommands: [Check.self])

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print every setting that would be in force, and where it comes from.",
            discussion: """
                Takes the options of `faregate serve`, reads the same file and environment, and ends
                with 2 when something is wrong. Secrets are masked.

                Examples:
                  faregate config check --config faregate.json
                  FAREGATE_PORT=9000 faregate config check
                """)

        @OptionGroup var options: ServeOptions

        @Flag(help: "Print JSON instead of text for people.")
        var json = false

        mutating func run() async throws {
            let console = Console.current
            let configuration = try options.configuration(console)
            for name in configuration.strangeVariables {
                console.note("warning: \(name) is no setting of faregate")
            }
            console.out(json ? Self.json(configuration) : Self.text(configuration))
        }

        private static func text(_ configuration: ServerConfiguration) -> String {
            var table = Table([
                .text("Setting"), .text("Value"), .text("From"), .text("What it is"),
            ])
            for line in configuration.report {
                let meaning = Setting.all.first { $0.name == line.name }?.meaning ?? ""
                table.add([
                    line.name, line.value.isEmpty ? "(not set)" : line.value,
                    line.origin.description, meaning,
                ])
            }
            return table.text()
        }

        private static func json(_ configuration: ServerConfiguration) -> String {
            let settings = configuration.report.map { line -> JSONValue in
                .object(
                    JSONObject([
                        ("from", .string(line.origin.description)), ("name", .string(line.name)),
                        ("value", .string(line.value)),
                    ]))
            }
            return CanonicalJSON.pretty(.object(JSONObject([("settings", .array(settings))])))
        }
    }
}
