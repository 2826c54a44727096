import ArgumentParser
import Server
import Simulators

struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Stand in for what is outside.",
        subcommands: [SimulateProviderCommand.self, SimulateStripeCommand.self])
}

struct SimulateProviderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "provider",
        abstract: "A provider of models that needs no account.",
        discussion: """
            Speaks the dialects of OpenAI (Chat Completions, Responses, Embeddings, Models) and
            Anthropic (Messages, count_tokens, Models), streaming and not. Texts are words without
            meaning; token counts are real. Tools are called when the request forces it, or when
            the last message names one.

            It fails as it is told: by --instructions for every request, by the header
            'x-simulate', by the model's name ('gpt-4o+cut_after=3'), or within the prompt, which
            passes through a gateway ('Hello [[cut_after=3]]'). Instructions, separated by commas:

            status=429 retry_after=2 close_before_headers hang hang_after=3 cut_after=3
            cut_mid_event=3 error_event=3 no_usage wrong_usage=7 usage_every_chunk slow_loris=20
            huge_chunk=1000000 invalid_json no_done comments served_model=NAME served_tier=flex
            cost=0.0012 cached=1024 output=200 reasoning=64 tool first_token_ms=300
            tokens_per_second=50

            GET /_served tells what was served, as the provider's books have it. POST /_control
            changes instructions: {"instructions": "no_usage"}, {"next": ["status=503"]},
            {"random": {"percent": 20, "seed": 7, "lines": ["cut_after=3"]}}, {"clear": true}.

            Examples:
              faregate simulate provider --port 8181 --key sim_key
              faregate simulate provider --tokens-per-second 80 --first-token-ms 300
              faregate simulate provider --port 0 --port-file port.txt --instructions no_usage
            """)

    @Option(help: ArgumentHelp("Address to listen on.", valueName: "address"))
    var host = "127.0.0.1"

    @Option(help: ArgumentHelp("Port to listen on; 0: the system chooses.", valueName: "number"))
    var port = 8181

    @Option(
        help: ArgumentHelp(
            "Write the port here once it is open; for tests with --port 0.", valueName: "file"),
        completion: .file())
    var portFile: String?

    @Option(help: ArgumentHelp("The only key that it takes.", valueName: "text"))
    var key = "sim_key"

    @Option(help: ArgumentHelp("Decides the texts.", valueName: "number"))
    var seed: UInt64 = 2_026

    @Option(
        help: ArgumentHelp("Milliseconds until the first token.", valueName: "milliseconds"))
    var firstTokenMs = 0

    @Option(help: ArgumentHelp("0: as fast as possible.", valueName: "count"))
    var tokensPerSecond = 0

    @Option(help: ArgumentHelp("For every request; see above.", valueName: "list"))
    var instructions = ""

    func validate() throws {
        guard (0...65_535).contains(port) else {
            throw ValidationError("--port must be 0 to 65535")
        }
        guard firstTokenMs >= 0, tokensPerSecond >= 0 else {
            throw ValidationError("--first-token-ms and --tokens-per-second must not be negative")
        }
        do throws(InstructionError) { _ = try Instructions(instructions) } catch {
            throw ValidationError("--instructions: \(error)")
        }
    }

    mutating func run() async throws {
        let console = Console.current
        var configuration = ProviderSimulator.Configuration()
        configuration.host = host
        configuration.port = port
        configuration.key = key
        configuration.seed = seed
        configuration.firstTokenMilliseconds = firstTokenMs
        configuration.tokensPerSecond = tokensPerSecond
        configuration.instructions = try Instructions(instructions)
        let (host, portFile) = (host, portFile)
        let simulator = ProviderSimulator(configuration)
        do {
            try await simulator.runUntilSignal { port in
                console.out(
                    "simulated provider at http://\(host):\(port)"
                        + " (OpenAI and Anthropic; GET /_served tells what was served)")
                SimulateCommand.write(port, to: portFile, console)
            }
        } catch {
            throw CommandFailure(.inputOutput, "the simulator cannot serve: \(error)")
        }
    }
}
