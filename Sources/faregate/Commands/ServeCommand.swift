import ArgumentParser
import Logging
import Observability
import Server

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve a ledger over HTTP.",
        discussion: """
            Prints one line when it is ready, and logs JSON lines on standard error. Until then it
            answers 503, and /readyz says how far it is. SIGTERM and SIGINT stop it: what is under
            way is finished first; a second one ends it at once. A new ledger gets an
            administrator's key, whose secret is shown once.

            With --upstreams it is a gateway, too: point the base URL of an OpenAI or Anthropic
            library at /NAME of an upstream, with a key of Faregate's and the header
            X-Faregate-Customer. Every call is then held before it is sent, and settled after.

            /metrics has figures for Prometheus; docs/operating explains them, the limits and all
            settings.

            Every setting can stand in a configuration file or in the environment; see `faregate
            config check`.

            Examples:
              faregate serve --db /var/lib/faregate/faregate.db
              FAREGATE_PORT=9000 faregate serve --config faregate.json
              faregate serve --db test.db --test-clock --port 0 --port-file port.txt
              OPENAI_API_KEY=sk-… faregate serve --upstreams upstreams.json
            """)

    @OptionGroup var options: ServeOptions

    @Option(
        help: ArgumentHelp(
            "Write the port here once it is open; for tests with --port 0.", valueName: "file"),
        completion: .file())
    var portFile: String?

    mutating func run() async throws {
        let console = Console.current
        let configuration = try options.configuration(console)
        let logger = Logger(jsonLabel: "faregate", level: configuration.logLevel)
        let bar = ProgressBar("Reading the log", console: console)
        let portFile = portFile

        var hooks = ServerHooks()
        hooks.onLoading = { bar.update($0, of: $1) }
        hooks.onFirstKey = { secret in console.note(Self.announcement(ofFirstKey: secret)) }
        hooks.onReady = { address, ledger in
            bar.finish()
            console.out(
                "faregate is ready at \(address.url) (ledger \(ledger.path),"
                    + " \(grouped(ledger.eventCount)) events)")
            guard let portFile else { return }
            do throws(WholeFile.Failure) {
                try WholeFile.replace(portFile, with: Array("\(address.port)\n".utf8))
            } catch {
                console.note("warning: the port was not written: \(error)")
            }
        }
        do throws(ServerFailure) {
            try await FaregateServer(configuration, logger: logger, hooks: hooks).run()
        } catch {
            bar.finish()
            throw CommandFailure(error)
        }
    }

    static func announcement(ofFirstKey secret: String) -> String {
        """
        ------------------------------------------------------------------------
        This ledger is new. Its administrator's key, shown only now:

          \(secret)

        Keep it. For the commands of this program:  export FAREGATE_KEY=\(secret)
        ------------------------------------------------------------------------
        """
    }
}
