import ArgumentParser
import CanonicalJSON
import HTTPAPI

struct CreditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "credit", abstract: "Prepaid money, or a promise of it.",
        subcommands: [Grant.self, List.self, Revoke.self])

    struct Grant: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a customer credit.",
            discussion: """
                Opens the customer if need be. Grants burn by priority, then by earlier expiry, then
                by age; one for every model repays debt first.

                Examples:
                  faregate credit grant acme 50.00
                  faregate credit grant acme 5 --category promotional \\
                      --expires-at 2027-01-01T00:00:00Z
                  faregate credit grant acme 20 --model 'gpt-*' --priority 10 --id spring-2027
                """)

        @Argument(help: "Id of the customer.") var customer: String
        @Argument(help: "Amount.") var amount: DecimalAmount

        @Option(
            help: ArgumentHelp("Id of the grant; default: made by the server.", valueName: "id"))
        var id: String?

        @Option(
            parsing: .unconditional,
            help: ArgumentHelp("Lower burns first; default: 0.", valueName: "number"))
        var priority: Int?

        @Option(help: ArgumentHelp("From when on (RFC 3339); default: now.", valueName: "time"))
        var effectiveAt: String?

        @Option(help: ArgumentHelp("Until when (RFC 3339); default: for ever.", valueName: "time"))
        var expiresAt: String?

        @Option(help: ArgumentHelp("paid or promotional.", valueName: "category"))
        var category: String?

        @Option(help: ArgumentHelp("Only for these models; may be repeated.", valueName: "glob"))
        var model: [String] = []

        @Option(
            help: ArgumentHelp("manual, stripe_checkout or stripe_invoice.", valueName: "source"))
        var source: String?

        @Option(help: ArgumentHelp("Of the checkout session or invoice.", valueName: "id"))
        var sourceReference: String?

        @OptionGroup var project: ProjectOption
        @OptionGroup var write: WriteOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            var body = JSONObject()
            body.set("id", id)
            body.set("project", project.name)
            body.set("amount", amount.text)
            body.set("priority", priority)
            body.set("effective_at", effectiveAt)
            body.set("expires_at", expiresAt)
            body.set("category", category)
            body.set("models", list: model)
            body.set("source", source)
            body.set("source_reference", sourceReference)
            let request = try APIRequest.post("customers", customer, "credits", body: body)
            try await ledger.show(request.keyed(write.idempotencyKey)) { answer in
                let grant = answer["grant"]
                var text =
                    "Granted \(grant["amount"].word) to \(customer) as \(grant["id"].word)."
                if let repaid = answer["repaid_debt"].text, repaid != "0" {
                    text += "\n\(repaid) of it repaid debt at once."
                }
                return text
            }
        }
    }

    struct List: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "List a customer's grants in the order in which they were given.",
            discussion: """
                Example:
                  faregate credit list acme
                """)

        @Argument(help: "Id of the customer.") var customer: String
        @OptionGroup var page: PageOptions
        @OptionGroup var project: ProjectOption
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            let request = APIRequest.get("customers", customer, "credits").within(project.name)
            try await ledger.showPage(request, page) { grantsTable($0["data"].items) }
        }
    }

    struct Revoke: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a grant back.",
            discussion: """
                What open reservations hold of it stays good for them.

                Example:
                  faregate credit revoke acme spring-2027 --reason "granted twice"
                """)

        @Argument(help: "Id of the customer.") var customer: String
        @Argument(help: "Id of the grant.") var grant: String
        @Option(help: "Why, for the record.") var reason: String?
        @OptionGroup var project: ProjectOption
        @OptionGroup var write: WriteOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            var body = JSONObject()
            body.set("reason", reason)
            body.set("project", project.name)
            let request = try APIRequest.post(
                "customers", customer, "credits", grant, "revoke", body: body)
            try await ledger.show(request.keyed(write.idempotencyKey)) { answer in
                "Revoked grant \(grant) of \(customer): \(answer["amount"].text ?? "0") was left."
            }
        }
    }
}

struct PaymentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "payment", abstract: "Money that postpaid customers paid.",
        subcommands: [Record.self])

    struct Record: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lower what a customer owes.",
            discussion: """
                A negative amount takes a payment back; it comes last, after two dashes.

                Examples:
                  faregate payment record acme 120.00 --reference in_1NffrF \\
                      --idempotency-key in_1NffrF
                  faregate payment record --reference refund-3 acme -- -20
                """)

        @Argument(help: "Id of the customer.") var customer: String

        @Argument(help: "Amount.") var amount: DecimalAmount

        @Option(help: ArgumentHelp("Of the invoice or transfer.", valueName: "id"))
        var reference: String?

        @OptionGroup var project: ProjectOption
        @OptionGroup var write: WriteOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            var body = JSONObject()
            body.set("amount", amount.text)
            body.set("reference", reference)
            body.set("project", project.name)
            let request = try APIRequest.post("customers", customer, "payments", body: body)
            try await ledger.show(request.keyed(write.idempotencyKey)) { answer in
                "Recorded a payment of \(answer["amount"].word) by \(customer)."
            }
        }
    }
}
