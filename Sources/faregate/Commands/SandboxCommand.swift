import ArgumentParser
import CanonicalJSON
import Gateway
import Logging
import Observability
import Sandbox
import Server
import Simulators

struct SandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox",
        abstract: "Play real LLM traffic through a ledger, and stay up.",
        discussion: """
            Starts a server, creates customers with different plans and budgets, plays a trace of
            real requests over HTTP in compressed time, and prints what was reserved, settled and
            rejected, what it cost and what it is charged. Then calls go through the gateway to a
            simulated provider, so that no key of a provider is needed, and the report says whether
            all of it is on the ledger and whether the ledger verifies. A simulated Stripe account
            bills those who pay later: the report shows what their invoices will be at the end of
            the month, beside the ledger. Server, provider and account stay up for curl, SDKs and
            the other commands, until they are interrupted.

            Examples:
              faregate sandbox --db sandbox.db
              faregate sandbox --trace azure-llm-trace-2023-conv.csv --speed 600 --exit
            """)

    @Option(
        help: ArgumentHelp(
            "Trace to play, CSV of time and tokens; default: the sample within the program.",
            valueName: "file"),
        completion: .file(extensions: ["csv"]))
    var trace: String?

    @Option(help: ArgumentHelp("Seconds of the trace that pass in one.", valueName: "factor"))
    var speed: Int64 = 48

    @Option(help: ArgumentHelp("Most calls under way at a time.", valueName: "count"))
    var concurrency: Int = 256

    @Flag(help: "End after the report; with 1 when the ledger is not sound.")
    var exit = false

    @OptionGroup var options: ServeOptions

    mutating func run() async throws {
        let console = Console.current
        var configuration = try options.configuration(console)
        if options.logLevel == nil {
            configuration.logLevel = max(configuration.logLevel, .error)
        }
        let key = configuration.adminKey ?? Self.randomKey("fg_")
        let play = self
        guard configuration.stripe == nil else {
            // Somebody's own account is not to be billed for show.
            return try await play.withProvider(configuration, key: key, console, nil)
        }
        let (base, act) = (configuration, StripeAct())
        try await act.serving(currency: configuration.currency) { stripe in
            var configuration = base
            configuration.stripe = stripe
            try await play.withProvider(configuration, key: key, console, act)
        }
    }

    private func withProvider(
        _ configuration: ServerConfiguration, key: String, _ console: Console, _ stripe: StripeAct?
    ) async throws {
        let play = self
        guard configuration.gateway.upstreams.isEmpty else {
            // Somebody's own upstreams are not to be called for show.
            return try await play.serve(
                configuration, key: key, console, Guests(provider: nil, stripe: stripe))
        }
        var simulated = ProviderSimulator.Configuration()
        simulated.key = Self.randomKey("sim_")
        let provider = ProviderSimulator(simulated)
        let (base, providerKey) = (configuration, simulated.key)
        try await provider.serving { url in
            var configuration = base
            configuration.gateway = try Self.upstreams(url, key: providerKey)
            try await play.serve(
                configuration, key: key, console, Guests(provider: provider, stripe: stripe))
        }
    }

    /// What the sandbox brings along; nil where the configuration has the real one.
    private struct Guests: Sendable {
        var provider: ProviderSimulator?
        var stripe: StripeAct?
    }

    /// The simulated provider in both dialects.
    private static func upstreams(_ url: String, key: String) throws -> GatewaySettings {
        let upstreams = ["openai", "anthropic"].map { name in
            let upstream = JSONObject([
                ("dialect", .string(name)), ("base_url", .string(url)), ("key", .string(key)),
            ])
            return (name, JSONValue.object(upstream))
        }
        let file = JSONObject([("upstreams", .object(JSONObject(upstreams)))])
        return try UpstreamFile.settings(.object(file), environment: [:])
    }

    private func serve(
        _ configuration: ServerConfiguration, key: String, _ console: Console, _ guests: Guests
    ) async throws {
        let (openings, announce) = AsyncStream.makeStream(of: Opened.self)
        let bar = ProgressBar("Reading the log", console: console)
        var hooks = ServerHooks()
        hooks.onLoading = { bar.update($0, of: $1) }
        hooks.onReady = { address, ledger in
            bar.finish()
            announce.yield(Opened(address: address, ledger: ledger))
        }
        let server = FaregateServer(
            configuration, logger: Logger(jsonLabel: "faregate", level: configuration.logLevel),
            hooks: hooks, runKey: key)
        let stop = StopSignal()
        let play = self
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { announce.finish() }
                do throws(ServerFailure) {
                    try await server.run(stop: stop)
                } catch {
                    throw CommandFailure(error)
                }
                throw Stopped()
            }
            group.addTask {
                do {
                    for await opened in openings {
                        try await play.play(opened, key: key, console, guests)
                        if play.exit { break }
                    }
                } catch {
                    stop.stop()
                    throw error
                }
                if play.exit { stop.stop() }
            }
            // Of two ends, the first is the reason; a server that was stopped is the good one.
            var reason: (any Error)?
            while true {
                do {
                    guard try await group.next() != nil else { break }
                } catch {
                    if reason == nil { reason = error }
                    if error is Stopped { group.cancelAll() }
                }
            }
            if let reason, !(reason is Stopped) { throw reason }
        }
    }

    /// The server ended because it was told to.
    private struct Stopped: Error {}

    private struct Opened: Sendable {
        var address: ServerAddress
        var ledger: OpenLedger
    }

    private func play(
        _ opened: Opened, key: String, _ console: Console, _ guests: Guests
    ) async throws {
        let url = opened.address.url
        var sandbox = SandboxOptions(
            baseURL: url, adminKey: key, trace: trace.map { .file(path: $0) } ?? .sample,
            speed: speed, concurrency: concurrency)
        sandbox.width = console.width
        if let stripe = guests.stripe {
            sandbox.onStage = { await stripe.subscribe($0, to: url) }
        }
        if let books = guests.provider?.books {
            sandbox.served = {
                books.requests.map {
                    ServedCall(tokens: Int64($0.tokens), hasOwnKey: $0.credential == .own)
                }
            }
        }
        if console.isErrorTerminal { sandbox.progress = console.writeError }
        let report: SandboxReport
        do {
            report = try await Sandbox.run(sandbox)
        } catch let error as SandboxError {
            throw CommandFailure(error)
        }
        console.out(report.rendered(width: sandbox.width, isColoured: console.isOutTerminal))
        if let stripe = guests.stripe { try await bill(opened.ledger, stripe, console) }
        let verification = try await VerifyCommand.verifyOwned(opened.ledger, console)
        console.out("Verify: " + verification.text)
        if !verification.passed { throw CommandFailure(.negative, "the ledger is not sound") }
        if !exit { console.out(Self.invitation(url: url, key: key)) }
    }

    private func bill(
        _ ledger: OpenLedger, _ stripe: StripeAct, _ console: Console
    ) async throws {
        let rows = try await stripe.monthEnd(of: ledger)
        let section = StripeAct.text(rows, currency: ledger.currency)
        console.out(section.lines + "\n")
        if !section.isExact {
            throw CommandFailure(.negative, "an invoice does not bill what the ledger says")
        }
    }

    private static func invitation(url: String, key: String) -> String {
        """

        The server stays up at \(url) until you interrupt it. In another terminal:

          export FAREGATE_URL=\(url) FAREGATE_KEY=\(key)
          faregate customer list
          faregate events --type usage.rejected --limit 5
          faregate stripe status
          curl -s -H "Authorization: Bearer $FAREGATE_KEY" $FAREGATE_URL/v1/customers?limit=2
          curl -sN -H "Authorization: Bearer $FAREGATE_KEY" -H "X-Faregate-Customer: you" \\
            $FAREGATE_URL/openai/v1/chat/completions --json '{"model":"gpt-4o-mini",
            "stream":true,"messages":[{"role":"user","content":"Hello"}]}'

        SDKs take \(url)/openai/v1 or \(url)/anthropic as their base URL.
        """
    }

    /// Good for this run only.
    private static func randomKey(_ prefix: String) -> String {
        var random = SystemRandomNumberGenerator()
        let words = (0..<3).map { _ in String(random.next() as UInt64, radix: 36) }
        return prefix + words.joined()
    }
}

extension CommandFailure {
    fileprivate init(_ error: SandboxError) {
        switch error {
        case .option: self.init(.usage, error.description)
        case .trace: self.init(.inputOutput, error.description)
        case .unreachable: self.init(.unreachable, error.description)
        case .server: self.init(.negative, error.description)
        }
    }
}
