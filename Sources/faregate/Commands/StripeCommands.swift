import ArgumentParser
import CanonicalJSON
import HTTPAPI
import Server
import StripeAPI
import StripeSync

struct StripeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stripe",
        abstract: "Billing through Stripe.",
        discussion: """
            A server that has a key ($FAREGATE_STRIPE_KEY) pushes what customers are to pay to a
            meter at Stripe, compares Stripe's sums with the ledger's, and takes Stripe's webhooks
            at /webhooks/stripe ($FAREGATE_STRIPE_WEBHOOK_SECRETS). docs/stripe.md shows the way
            from nothing to the first invoice.
            """,
        subcommands: [
            Setup.self, CustomerCommand.Link.self, Checkout.self, Portal.self, Status.self,
        ])

    struct Setup: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make what has to be there at Stripe: meter, product, price.",
            discussion: """
                Makes what is missing, finds what is there, and ends with 1 where something of that
                name is there and would bill something else. The meter sums millionths of the
                currency, and a unit costs exactly that; so an invoice says what the ledger says,
                rounded once. With --webhook-url the webhook endpoints are made, too, and their
                secrets shown once. Asks Stripe itself, with the key of the configuration; needs no
                server.

                Examples:
                  FAREGATE_STRIPE_KEY=sk_test_… faregate stripe setup --dry-run
                  FAREGATE_STRIPE_KEY=sk_test_… faregate stripe setup --name "LLM usage" \
                    --webhook-url https://faregate.example.com/webhooks/stripe
                """)

        @Option(
            help: ArgumentHelp(
                "Configuration file. Default: $FAREGATE_CONFIG, else none.", valueName: "file"),
            completion: .file(extensions: ["json"]))
        var config: String?

        @Option(help: ArgumentHelp("How invoices name it.", valueName: "text"))
        var name = "Usage"

        @Option(
            help: ArgumentHelp(
                "ISO 4217 code of the ledger's currency. Default: the configuration's.",
                valueName: "code"))
        var currency: String?

        @Option(
            help: ArgumentHelp("day, week, month or year: how often is billed.", valueName: "span"))
        var interval = "month"

        @Option(
            name: .customLong("webhook-url"),
            help: ArgumentHelp(
                "Where this server's /webhooks/stripe can be reached from outside.",
                valueName: "url"))
        var webhookURL: String?

        @Flag(help: "Change nothing; say what would be made.")
        var dryRun = false

        @Flag(help: "Print JSON instead of text for people.")
        var json = false

        func validate() throws {
            guard ["day", "week", "month", "year"].contains(interval) else {
                throw ValidationError("--interval is day, week, month or year.")
            }
            if name.isEmpty { throw ValidationError("--name must not be empty.") }
        }

        mutating func run() async throws {
            let console = Console.current
            let configuration = try ServerConfiguration.read(config, console)
            guard let stripe = configuration.stripe else {
                throw CommandFailure(
                    .usage, "there is no key for Stripe: set FAREGATE_STRIPE_KEY",
                    code: "stripe_not_configured")
            }
            var setup = StripeSetup()
            setup.meter = stripe.settings.meter
            setup.currency = (currency ?? configuration.currency).lowercased()
            setup.interval = interval
            setup.productName = name
            setup.webhookURL = webhookURL
            setup.isDryRun = dryRun
            let steps: [StripeSetup.Step]
            do throws(ServerFailure) {
                steps = try await stripe.setUp(setup)
            } catch {
                throw CommandFailure(error)
            }
            console.out(json ? Self.json(steps) : Self.text(steps, stripe))
        }

        private static func text(
            _ steps: [StripeSetup.Step], _ stripe: StripeConfiguration
        ) -> String {
            var table = Table([.text("What"), .text("State"), .text("Id")])
            for step in steps { table.add([step.what, step.outcome.rawValue, step.id]) }
            let mode = stripe.key.isLive ? "live" : "test"
            var lines = [table.text(), ""]
            if steps.contains(where: { $0.outcome == .missing }) {
                lines.append("Nothing was changed (\(mode) mode).")
                return lines.joined(separator: "\n")
            }
            let price = steps.first { $0.what.hasPrefix("price ") }?.id ?? ""
            lines.append(
                "Ready (\(mode) mode). Subscribe customers to \(price); it takes no quantity.")
            let secrets = steps.compactMap(\.secret)
            if !secrets.isEmpty {
                lines.append("The secrets of the webhooks are not shown again:")
                lines.append(
                    "  FAREGATE_STRIPE_WEBHOOK_SECRETS=" + secrets.joined(separator: ","))
            }
            return lines.joined(separator: "\n")
        }

        private static func json(_ steps: [StripeSetup.Step]) -> String {
            CanonicalJSON.pretty(
                .array(
                    steps.map { step -> JSONValue in
                        var object = JSONObject([("id", .string(step.id))])
                        object.set("secret", step.secret)
                        object.append("state", .string(step.outcome.rawValue))
                        object.append("what", .string(step.what))
                        return .object(object)
                    }))
        }
    }

    struct Checkout: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a page at Stripe on which a customer buys credit.",
            discussion: """
                Prints the page's address. When Stripe's webhook says that it was paid, the credit
                is granted, once.

                Examples:
                  faregate stripe checkout acme --amount 50
                  faregate stripe checkout acme --amount 50 --credit 55 --idempotency-key order-17
                """)

        @Argument(help: "Id of the customer.") var id: String

        @Option(help: ArgumentHelp("What is paid.", valueName: "amount"))
        var amount: String

        @Option(
            help: ArgumentHelp("What is credited. Default: what is paid.", valueName: "amount"))
        var credit: String?

        @Option(help: ArgumentHelp("How the page names it. Default: Credit.", valueName: "text"))
        var name: String?

        @Option(help: ArgumentHelp("Where the customer goes after paying.", valueName: "url"))
        var successURL = "https://stripe.com"

        @Option(
            name: .customLong("cancel-url"),
            help: ArgumentHelp("Where the customer goes instead of paying.", valueName: "url"))
        var cancelURL: String?

        @OptionGroup var project: ProjectOption
        @OptionGroup var write: WriteOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            var body = JSONObject()
            body.set("amount", amount)
            body.set("cancel_url", cancelURL)
            body.set("credit", credit)
            body.set("name", name)
            body.set("project", project.name)
            body.set("success_url", successURL)
            let request = try APIRequest.post("customers", id, "stripe", "checkout", body: body)
            try await ledger.show(request.keyed(write.idempotencyKey)) { $0["url"].word }
        }
    }

    struct Portal: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a page at Stripe on which a customer sees invoices and pays.",
            discussion: """
                Prints the page's address, which is good for a short time.

                Example:
                  faregate stripe portal acme --return-url https://example.com/account
                """)

        @Argument(help: "Id of the customer.") var id: String

        @Option(help: ArgumentHelp("Where the customer comes back to.", valueName: "url"))
        var returnURL = "https://stripe.com"

        @OptionGroup var project: ProjectOption
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            var body = JSONObject()
            body.set("project", project.name)
            body.set("return_url", returnURL)
            let request = try APIRequest.post("customers", id, "stripe", "portal", body: body)
            try await ledger.show(request) { $0["url"].word }
        }
    }

    struct Status: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "What is pushed, pending and different; of all customers or of one.",
            discussion: """
                Examples:
                  faregate stripe status
                  faregate stripe status acme
                """)

        @Argument(help: "Id of a customer.") var id: String?
        @OptionGroup var project: ProjectOption
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            guard let id else {
                try await ledger.show(.get("stripe", "status"), StripeCommand.text(ledger:))
                return
            }
            let request = APIRequest.get("customers", id, "stripe").within(project.name)
            try await ledger.show(request, StripeCommand.text(customer:))
        }
    }
}

struct ReconcileCommand: LedgerCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile",
        abstract: "Compare Stripe's sums with the ledger's, now.",
        discussion: """
            Waits for the comparison and ends with 1 where sums differ or could not be read. What
            was pushed in the last minutes is not judged: Stripe adds up with a delay.

            Examples:
              faregate reconcile
              faregate reconcile --json
            """)

    @OptionGroup var ledger: LedgerOptions

    func run(_ ledger: LedgerSession) async throws {
        let before = try await ledger.client.ask(.get("stripe", "status"))["reconciled"]["event"]
        _ = try await ledger.client.ask(.post("stripe", "reconcile", body: JSONObject()))
        let end = ContinuousClock.now + .seconds(self.ledger.timeout)
        var status: JSONValue
        repeat {
            try await Task.sleep(for: .milliseconds(200))
            status = try await ledger.client.ask(.get("stripe", "status"))
            if ContinuousClock.now > end {
                throw CommandFailure(
                    .negative,
                    "no comparison within \(self.ledger.timeout) s"
                        + (status["problem"].text.map { ": \($0)" } ?? ""),
                    code: "not_reconciled")
            }
        } while status["reconciled"]["event"].integer == before.integer
        ledger.printAnswer(status, StripeCommand.text(ledger:))
        let run = status["reconciled"]
        let wrong = (run["differing"].integer ?? 0) + (run["failed"].integer ?? 0)
        if wrong > 0 {
            throw CommandFailure(
                .negative, "\(grouped(wrong)) customers differ or could not be read",
                code: "differs")
        }
    }
}

extension StripeCommand {
    static func text(ledger status: JSONValue) -> String {
        var sheet = FactSheet()
        sheet.add("Problem", status["problem"].text)
        let meter = status["meter"]
        sheet.add("Meter", "\(meter["event_name"].word) (\(meter["id"].text ?? "not found"))")
        sheet.add("Linked customers", quantity(status["linked_customers"]))
        sheet.add("Billable, ever", money(status, "billable"))
        sheet.add("  billed by invoices", money(status, "billed"))
        sheet.add("  pushed, not billed yet", money(status, "pushed"))
        sheet.add("  waiting for its hour", money(status, "waiting"))
        sheet.add("  carried to the next push", money(status, "carried"))
        sheet.add("    of that, no subscription", money(status, "unsubscribed"))
        let pending = status["pending"]
        sheet.add("Pushes under way", quantity(pending["pushes"]))
        sheet.add("  oldest since", shortTime(pending["oldest_push_at"]))
        sheet.add("Oldest usage to push", shortTime(pending["oldest_window_at"]))
        let stuck = status["stuck"]
        sheet.add(
            "Stuck",
            "\(money(stuck, "amount", currency: status["currency"].word)) of"
                + " \(quantity(stuck["blocked_customers"])) blocked and"
                + " \(quantity(stuck["ended_customers"])) ended customers")
        sheet.add(
            "Drift",
            "\(money(status["drift"], "amount", currency: status["currency"].word)) in"
                + " \(quantity(status["drift"]["standing"])) cases")
        sheet.add("Compared", comparison(status["reconciled"]))
        if let skew = status["clock_skew_seconds"].integer, abs(skew) > 5 {
            sheet.add("Clock", "\(abs(skew)) s \(skew > 0 ? "ahead of" : "behind") Stripe's")
        }
        sheet.add("Odd invoices", quantity(status["odd_invoices"]))
        sheet.add("Webhooks to handle", quantity(status["webhooks_waiting"]))
        let disputes = status["disputes"]
        sheet.add("Open disputes", quantity(disputes["open"]))
        sheet.add("  next due", shortTime(disputes["next_due_at"]))
        return sheet.text
    }

    private static func comparison(_ run: JSONValue?) -> String {
        guard let run, run["at"].text != nil else { return "not yet" }
        let counts = ["equal", "differing", "pending", "failed"].map {
            "\(quantity(run[$0])) \($0)"
        }
        return shortTime(run["at"]) + ": " + counts.joined(separator: ", ")
    }

    private static func money(
        _ object: JSONValue?, _ name: String, currency: String? = nil
    ) -> String {
        "\(object[name].word) \(currency ?? object["currency"].word)"
    }

    static func text(customer standing: JSONValue) -> String {
        var sheet = FactSheet()
        sheet.add("Customer", standing["customer"].text)
        sheet.add("Stripe customer", standing["stripe_customer"].text ?? "not linked")
        sheet.add("Subscription", standing["subscription"].text ?? "none")
        sheet.add("  status", standing["subscription_status"].text)
        sheet.add("  period", period(standing))
        sheet.add("Blocked", standing["blocked"].text)
        sheet.add("Billable, ever", money(standing, "billable"))
        sheet.add("  billed by invoices", money(standing, "billed"))
        sheet.add("  pushed, not billed yet", money(standing, "pushed"))
        sheet.add("  waiting for its hour", money(standing, "waiting"))
        sheet.add("  carried to the next push", money(standing, "carried"))
        return sheet.text
    }

    private static func period(_ standing: JSONValue) -> String? {
        guard standing["period_end"].text != nil else { return nil }
        return "\(shortTime(standing["period_start"])) to \(shortTime(standing["period_end"]))"
    }
}
