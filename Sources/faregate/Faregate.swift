import ArgumentParser
import Glibc

@main
struct Faregate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "faregate",
        abstract: "Reserve before an LLM call, settle after it, bill what was used.",
        discussion: """
            Commands speak to a server ($FAREGATE_URL and $FAREGATE_KEY, or --url and --key), or
            open a ledger's file themselves (--db). They end with 0 when done, 1 when the answer is
            no, 2 when asked wrongly, 3 when a call was rejected, 4 when no server answers, and 5
            when a file or the disk failed.

            `faregate --generate-completion-script bash` (or zsh, fish) prints completions for the
            shell.
            """,
        version: "0.1.0",
        groupedSubcommands: [
            CommandGroup(
                name: "Server",
                subcommands: [
                    ServeCommand.self, SandboxCommand.self, SimulateCommand.self,
                    ConfigCommand.self,
                ]),
            CommandGroup(
                name: "Calls",
                subcommands: [
                    EstimateCommand.self, ReserveCommand.self, SettleCommand.self,
                    ReleaseCommand.self, ExtendCommand.self, AdjustCommand.self,
                    UsageCommand.self, RunCommand.self, TokensCommand.self,
                ]),
            CommandGroup(
                name: "Customers and money",
                subcommands: [
                    CustomerCommand.self, BalanceCommand.self, CreditCommand.self,
                    PaymentCommand.self, RefusalsCommand.self, RevenueCommand.self,
                ]),
            CommandGroup(
                name: "Stripe", subcommands: [StripeCommand.self, ReconcileCommand.self]),
            CommandGroup(
                name: "Rules",
                subcommands: [
                    BudgetCommand.self, PlanCommand.self, ProjectCommand.self, PriceCommand.self,
                    KeyCommand.self, WebhookCommand.self,
                ]),
            CommandGroup(
                name: "The log",
                subcommands: [
                    EventsCommand.self, ExplainCommand.self, VerifyCommand.self,
                    ProjectionsCommand.self, ClockCommand.self,
                ]),
            CommandGroup(
                name: "Operating",
                subcommands: [
                    BackupCommand.self, RestoreCommand.self, ExportCommand.self,
                    ImportCommand.self, DoctorCommand.self, ManualCommand.self,
                ]),
        ])

    static func main() async {
        // A reader that goes away (`| head`) ends the output, not the process by a signal.
        signal(SIGPIPE, SIG_IGN)
        // A file at its size limit is a full disk: an error to answer, not the end of the server.
        signal(SIGXFSZ, SIG_IGN)
        let status = await run(Array(CommandLine.arguments.dropFirst()), Console.current)
        Glibc.exit(status)
    }

    /// Runs one command line; returns what the process is to end with.
    static func run(_ arguments: [String], _ console: Console) async -> Int32 {
        await Console.$current.withValue(console) {
            do {
                var command = try parseAsRoot(arguments)
                if var asynchronous = command as? any AsyncParsableCommand {
                    try await asynchronous.run()
                } else {
                    try command.run()
                }
                return ExitStatus.success.rawValue
            } catch {
                return report(error, console)
            }
        }
    }

    private static func report(_ error: any Error, _ console: Console) -> Int32 {
        if let failure = error as? CommandFailure {
            let isRejection = failure.message.hasPrefix("rejected:")
            console.note((isRejection ? "" : "error: ") + failure.description)
            return failure.status.rawValue
        }
        let code = exitCode(for: error)
        let text = fullMessage(for: error)
        if code.isSuccess {
            // Help, version, completions.
            if !text.isEmpty { console.out(text) }
            return ExitStatus.success.rawValue
        }
        if code == .validationFailure {
            console.note(usage(text))
            return ExitStatus.usage.rawValue
        }
        if error is CancellationError { return ExitStatus.success.rawValue }
        console.note("error: \(error)")
        return ExitStatus.inputOutput.rawValue
    }

    /// The library's text with its label in our spelling.
    private static func usage(_ text: String) -> String {
        text.hasPrefix("Error: ") ? "error: " + text.dropFirst("Error: ".count) : text
    }
}
