import ArgumentParser
import CanonicalJSON
import Gateway
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
                with 2 when something is wrong. The upstreams of the gateway are listed, too. Secrets
                are masked, and keys of upstreams are not shown at all.

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
            if let path = configuration.exposedKeysPath {
                console.note(
                    "warning: \(path) has keys in it and can be read by others: chmod 600 \(path)")
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
            let upstreams = configuration.gateway.upstreams
            if upstreams.isEmpty { return table.text() }
            var more = Table([
                .text("Upstream"), .text("Dialect"), .text("Base URL"), .text("Key from"),
            ])
            for upstream in upstreams {
                more.add([
                    upstream.name, upstream.dialectName, upstream.baseURL.text,
                    upstream.keyOrigin,
                ])
            }
            return table.text() + "\n\n" + more.text()
        }

        private static func json(_ configuration: ServerConfiguration) -> String {
            let settings = configuration.report.map { line -> JSONValue in
                .object(
                    JSONObject([
                        ("from", .string(line.origin.description)), ("name", .string(line.name)),
                        ("value", .string(line.value)),
                    ]))
            }
            let upstreams = configuration.gateway.upstreams.map { upstream -> JSONValue in
                .object(
                    JSONObject([
                        ("base_url", .string(upstream.baseURL.text)),
                        ("dialect", .string(upstream.dialectName)),
                        ("key_from", .string(upstream.keyOrigin)),
                        ("name", .string(upstream.name)),
                    ]))
            }
            return CanonicalJSON.pretty(
                .object(
                    JSONObject([
                        ("settings", .array(settings)), ("upstreams", .array(upstreams)),
                    ])))
        }
    }
}
