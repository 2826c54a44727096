import ArgumentParser
import CanonicalJSON
import HTTPAPI

struct CustomerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "customer", abstract: "Who is charged.",
        discussion: """
            A customer that no command opened is opened by its first call, under its project's
            default plan and with every limit already in force.
            """,
        subcommands: [
            Create.self, List.self, Show.self, Update.self, Suspend.self, Resume.self, Close.self,
            Link.self, Events.self,
        ])
}

extension CustomerCommand {
    struct Create: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Open a customer.",
            discussion: """
                What its own terms leave open comes from its plan.

                Examples:
                  faregate customer create acme --plan pro --name "Acme Ltd"
                  faregate customer create globex --funding prepaid --markup 20%
                """)

        @Argument(help: "Id of the customer.") var id: String

        @Option(help: ArgumentHelp("Plan; default: the project's.", valueName: "id"))
        var plan: String?

        @Option(help: "Name, for people.") var name: String?

        @Option(
            help: ArgumentHelp("Day of the month on which billing periods start.", valueName: "day")
        )
        var billingDay: Int?

        @OptionGroup var terms: TermsOptions
        @OptionGroup var project: ProjectOption
        @OptionGroup var write: WriteOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            var body = JSONObject()
            body.set("id", id)
            body.set("project", project.name)
            body.set("plan", plan)
            body.set("name", name)
            body.set("billing_day", billingDay)
            body.set("terms", terms.object)
            let request = try APIRequest.post("customers", body: body)
            try await ledger.show(request.keyed(write.idempotencyKey)) { answer in
                "Opened customer \(answer["id"].word) on plan \(answer["plan"].word)."
            }
        }
    }

    struct List: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "List customers in the order in which they were opened.",
            discussion: """
                Example:
                  faregate customer list --limit 20
                """)

        @OptionGroup var page: PageOptions
        @OptionGroup var project: ProjectOption
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            try await ledger.showPage(.get("customers").within(project.name), page) { answer in
                var table = Table([
                    .text("Customer"), .text("Project"), .text("Plan"), .text("Status"),
                    .money("Charge"), .money("Cost"), .money("Held"), .money("Owed"),
                    .money("Debt"), .number("Open"),
                ])
                for customer in answer["data"].items {
                    table.add([
                        customer["id"].word, customer["project"].word,
                        customer["plan"].word, customer["status"].word,
                        customer["total_charge"].word, customer["total_cost"].word,
                        customer["held"].word, customer["owed"].word,
                        customer["debt"].word, quantity(customer["open_reservations"]),
                    ])
                }
                return table.text(whenEmpty: "No customers.")
            }
        }
    }

    struct Show: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a customer.",
            discussion: """
                `faregate balance` shows its money and budgets.

                Example:
                  faregate customer show acme
                """)

        @Argument(help: "Id of the customer.") var id: String
        @OptionGroup var project: ProjectOption
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            try await ledger.show(.get("customers", id).within(project.name)) { customer in
                var sheet = FactSheet()
                sheet.add("Customer", customer["id"].text)
                sheet.add("Project", customer["project"].text)
                sheet.add("Name", customer["name"].text)
                sheet.add("Plan", customer["plan"].text)
                sheet.add("Own terms", termsPhrase(customer["terms"]))
                sheet.add("Status", customer["status"].text)
                sheet.add("Why", customer["status_reason"].text)
                sheet.add("Stripe", customer["stripe_customer"].text)
                sheet.add("Billing day", customer["billing_day"].text)
                sheet.add("Opened", shortTime(customer["opened_at"]))
                sheet.add("Charge so far", customer["total_charge"].text)
                sheet.add("Cost so far", customer["total_cost"].text)
                sheet.add("Held", customer["held"].text)
                sheet.add("Owed", customer["owed"].text)
                sheet.add("Debt", customer["debt"].text)
                return sheet.text
            }
        }
    }

    struct Update: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change a customer.",
            discussion: """
                What is not given stays. Terms are the exception: when one of them is given, the
                customer's own terms become exactly those given here, and the rest comes from the
                plan.

                Example:
                  faregate customer update acme --plan enterprise
                """)

        @Argument(help: "Id of the customer.") var id: String

        @Option(help: ArgumentHelp("Plan.", valueName: "id"))
        var plan: String?

        @Option(help: "Name, for people.") var name: String?

        @Option(
            help: ArgumentHelp("Day of the month on which billing periods start.", valueName: "day")
        )
        var billingDay: Int?

        @OptionGroup var terms: TermsOptions
        @OptionGroup var project: ProjectOption
        @OptionGroup var write: WriteOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            var body = JSONObject()
            body.set("project", project.name)
            body.set("plan", plan)
            body.set("name", name)
            body.set("billing_day", billingDay)
            body.set("terms", terms.object)
            let request = try APIRequest.patch("customers", id, body: body)
            try await ledger.show(request.keyed(write.idempotencyKey)) { answer in
                "Changed customer \(answer["id"].word): plan \(answer["plan"].word),"
                    + " own terms \(termsPhrase(answer["terms"]))."
            }
        }
    }
}

/// Suspend and close differ in their names only.
private func change(
    _ id: String, _ verb: String, reason: String, _ done: String, _ project: ProjectOption,
    _ write: WriteOptions, _ ledger: LedgerSession
) async throws {
    var body = JSONObject()
    body.set("reason", reason)
    body.set("project", project.name)
    let request = try APIRequest.post("customers", id, verb, body: body)
    try await ledger.show(request.keyed(write.idempotencyKey)) { _ in "\(done) customer \(id)." }
}

extension CustomerCommand {
    struct Suspend: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Refuse a customer's calls until it is resumed.",
            discussion: """
                What is open may still be settled.

                Example:
                  faregate customer suspend acme --reason "invoice overdue"
                """)

        @Argument(help: "Id of the customer.") var id: String
        @Option(help: "Why; shown in every refusal.") var reason: String
        @OptionGroup var project: ProjectOption
        @OptionGroup var write: WriteOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            try await change(id, "suspend", reason: reason, "Suspended", project, write, ledger)
        }
    }

    struct Resume: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a suspended customer's calls pass again.",
            discussion: """
                Example:
                  faregate customer resume acme
                """)

        @Argument(help: "Id of the customer.") var id: String
        @OptionGroup var project: ProjectOption
        @OptionGroup var write: WriteOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            var body = JSONObject()
            body.set("project", project.name)
            let request = try APIRequest.post("customers", id, "resume", body: body)
            try await ledger.show(request.keyed(write.idempotencyKey)) { _ in
                "Resumed customer \(id)."
            }
        }
    }

    struct Close: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Refuse a customer's calls for good.",
            discussion: """
                What is open may still be settled.

                Example:
                  faregate customer close acme --reason "contract ended"
                """)

        @Argument(help: "Id of the customer.") var id: String
        @Option(help: "Why, for the record.") var reason: String
        @OptionGroup var project: ProjectOption
        @OptionGroup var write: WriteOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            try await change(id, "close", reason: reason, "Closed", project, write, ledger)
        }
    }

    struct Link: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Link a customer to its Stripe customer.",
            discussion: """
                Stripe customers whose metadata have faregate_customer are linked by themselves.

                Examples, which do the same:
                  faregate customer link acme cus_NffrFeUfNV2Hib
                  faregate stripe link acme cus_NffrFeUfNV2Hib
                """)

        @Argument(help: "Id of the customer.") var id: String
        @Argument(help: "Id of the customer at Stripe.") var stripeCustomer: String
        @OptionGroup var project: ProjectOption
        @OptionGroup var write: WriteOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            var body = JSONObject()
            body.set("stripe_customer", stripeCustomer)
            body.set("project", project.name)
            let request = try APIRequest.post("customers", id, "link", body: body)
            try await ledger.show(request.keyed(write.idempotencyKey)) { _ in
                "Linked customer \(id) to \(stripeCustomer)."
            }
        }
    }

    struct Events: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "List a customer's events.",
            discussion: """
                Example:
                  faregate customer events acme --after 1200
                """)

        @Argument(help: "Id of the customer.") var id: String
        @OptionGroup var page: PageOptions
        @OptionGroup var project: ProjectOption
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            let request = APIRequest.get("customers", id, "events").within(project.name)
            try await ledger.showPage(request, page) { eventsTable($0["data"].items) }
        }
    }
}
