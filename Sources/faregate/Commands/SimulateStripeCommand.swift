import ArgumentParser
import CanonicalJSON
import Server
import Simulators
import TimeZones

struct SimulateStripeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stripe",
        abstract: "An account of Stripe that needs none.",
        discussion: """
            Answers what billing needs of Stripe's API: customers, products, prices, meters, meter
            events and their sums, subscriptions, invoices, checkout and portal sessions, events.
            Any key that begins with sk_test_ or rk_test_ is taken. Invoices are made at the end of
            each period and are final an hour later; webhooks are signed and sent, and sent again
            until they are taken.

            GET /_books tells what was billed. GET /_pay/SESSION pays a checkout session. POST
            /_control moves the clock, pays, refunds, disputes, and breaks things:
            {"advance_seconds": 86400}, {"pay": "cs_…"}, {"faults": {"lost_answer": 20,
            "limited": 50, "webhook_duplicate": 100, "aggregation_lag_seconds": [30, 600]}},
            {"endpoint": {"url": "http://…", "secret": "whsec_…"}}; chances are thousandths.

            Examples:
              faregate simulate stripe --port 8282
              faregate simulate stripe --webhook http://127.0.0.1:8080/webhooks/stripe \
                --webhook-secret whsec_simulated
              FAREGATE_STRIPE_API_URL=http://127.0.0.1:8282 \
                FAREGATE_STRIPE_KEY=sk_test_simulated faregate stripe setup
            """)

    @Option(help: ArgumentHelp("Address to listen on.", valueName: "address"))
    var host = "127.0.0.1"

    @Option(help: ArgumentHelp("Port to listen on; 0: the system chooses.", valueName: "number"))
    var port = 8282

    @Option(
        help: ArgumentHelp(
            "Write the port here once it is open; for tests with --port 0.", valueName: "file"),
        completion: .file())
    var portFile: String?

    @Option(help: ArgumentHelp("Decides what chance decides.", valueName: "number"))
    var seed: UInt64 = 2_026

    @Option(help: ArgumentHelp("Where webhooks are sent.", valueName: "url"))
    var webhook: String?

    @Option(help: ArgumentHelp("What they are signed with.", valueName: "secret"))
    var webhookSecret = "whsec_simulated"

    @Option(
        help: ArgumentHelp(
            "Where its clock stands until it is moved, RFC 3339. Default: the machine's clock.",
            valueName: "time"))
    var clock: String?

    @Option(
        help: ArgumentHelp(
            "What goes wrong, as in /_control: '{\"lost_answer\": 20}'.", valueName: "json"))
    var faults: String?

    private func configuration() throws -> StripeSimulator.Configuration {
        var configuration = StripeSimulator.Configuration()
        configuration.host = host
        configuration.port = port
        configuration.seed = seed
        if let webhook {
            configuration.endpoints = [.init(url: webhook, secret: webhookSecret)]
        }
        if let clock {
            guard let time = try? RFC3339.parse(clock) else {
                throw ValidationError("--clock must be an RFC 3339 time")
            }
            configuration.clockAt = time
        }
        if let faults {
            do {
                configuration.faults = try StripeFaults(StrictJSON.parse(Array(faults.utf8)))
            } catch {
                throw ValidationError("--faults: \(error)")
            }
        }
        return configuration
    }

    func validate() throws {
        guard (0...65_535).contains(port) else {
            throw ValidationError("--port must be 0 to 65535")
        }
        _ = try configuration()
    }

    mutating func run() async throws {
        let console = Console.current
        let (host, portFile) = (host, portFile)
        let simulator = StripeSimulator(try configuration())
        do {
            try await simulator.runUntilSignal { port in
                console.out(
                    "simulated Stripe at http://\(host):\(port) (GET /_books tells what was billed)"
                )
                SimulateCommand.write(port, to: portFile, console)
            }
        } catch {
            throw CommandFailure(.inputOutput, "the simulator cannot serve: \(error)")
        }
    }
}

extension SimulateCommand {
    /// For tests that let the system choose.
    static func write(_ port: Int, to path: String?, _ console: Console) {
        guard let path else { return }
        do throws(WholeFile.Failure) {
            try WholeFile.replace(path, with: Array("\(port)\n".utf8))
        } catch {
            console.note("warning: the port was not written: \(error)")
        }
    }
}
