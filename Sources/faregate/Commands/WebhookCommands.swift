import ArgumentParser
import CanonicalJSON
import HTTPAPI

struct WebhookCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhook",
        abstract: "Who is told of refusals, budgets, overruns, debt and expiries.",
        discussion: """
            A server sends signed messages (Standard Webhooks) to the endpoints set up here: see
            docs/webhooks.md for their content and how to verify them.
            """,
        subcommands: [
            List.self, Show.self, Create.self, Update.self, Delete.self, Rotate.self, Test.self,
            Deliveries.self, Resend.self, Replay.self,
        ])

    static func sheet(_ webhook: JSONValue) -> String {
        var sheet = FactSheet()
        sheet.add("Webhook", webhook["id"].text)
        sheet.add("URL", webhook["url"].text)
        sheet.add("Description", webhook["description"].text.flatMap { $0.isEmpty ? nil : $0 })
        sheet.add("Types", types(webhook))
        sheet.add("Project", webhook["project"].text ?? "all")
        sheet.add("Enabled", state(webhook))
        sheet.add("Failing since", webhook["failing_since"].text)
        sheet.add("Old secret until", webhook["old_secret_until"].text)
        sheet.add("Made", shortTime(webhook["created_at"]))
        sheet.add("Secret", webhook["secret"].text)
        return webhook["secret"].text == nil
            ? sheet.text : sheet.text + "\nKeep the secret: it is not shown again."
    }

    static func types(_ webhook: JSONValue) -> String {
        let types = webhook["types"].items.map(\.word)
        return types.isEmpty ? "all" : types.joined(separator: ", ")
    }

    static func state(_ webhook: JSONValue) -> String {
        if webhook["enabled"].flag { return "yes" }
        return "no" + (webhook["disabled_reason"].text.map { " (\($0))" } ?? "")
    }

    static func sheet(delivery: JSONValue) -> String {
        var sheet = FactSheet()
        sheet.add("Delivery", delivery["id"].text)
        sheet.add("Webhook", delivery["webhook"].text)
        sheet.add("Type", delivery["type"].text)
        sheet.add("State", delivery["state"].text)
        sheet.add("Attempts", delivery["attempts"].word)
        sheet.add("Last answer", outcome(delivery))
        sheet.add("Next attempt", delivery["next_attempt_at"].text)
        if let payload = delivery["payload"], let bytes = try? CanonicalJSON.encode(payload) {
            sheet.add("Payload", String(decoding: bytes, as: UTF8.self))
        }
        return sheet.text
    }

    static func outcome(_ delivery: JSONValue) -> String? {
        if delivery["last_status"] != nil { return delivery["last_status"].word }
        return delivery["last_error"].text
    }
}

/// What an endpoint is made or changed with.
struct WebhookSettings: ParsableArguments {
    @Option(help: ArgumentHelp("For people.", valueName: "text"))
    var description: String?

    @Option(
        help: ArgumentHelp(
            "A type of notification that is wanted, as usage.rejected; may be repeated.",
            valueName: "type"))
    var type: [String] = []

    func fill(_ body: inout JSONObject) {
        body.set("description", description)
        if !type.isEmpty { body.append("types", .array(type.map { .string($0) })) }
    }
}

extension WebhookCommand {
    struct List: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the endpoints.",
            discussion: """
                Example:
                  faregate webhook list
                """)

        @OptionGroup var page: PageOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            try await ledger.showPage(.get("webhooks"), page) { answer in
                var table = Table([
                    .text("Webhook"), .text("URL"), .text("Types"), .text("Project"),
                    .text("Enabled"),
                ])
                for webhook in answer["data"].items {
                    table.add([
                        webhook["id"].word, webhook["url"].word, WebhookCommand.types(webhook),
                        webhook["project"].text ?? "all", WebhookCommand.state(webhook),
                    ])
                }
                return table.text(whenEmpty: "No webhooks.")
            }
        }
    }

    struct Show: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one endpoint, never its secret.",
            discussion: """
                Example:
                  faregate webhook show billing
                """)

        @Argument(help: "Id of the webhook.") var id: String
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            try await ledger.show(.get("webhooks", id)) { WebhookCommand.sheet($0) }
        }
    }

    struct Create: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tell an endpoint of what happens from now on; its secret is shown once.",
            discussion: """
                Types: usage.rejected, budget.threshold, run.spike, usage.overrun, customer.debt,
                usage.expired, credit.expired. Without --type all are sent.

                Examples:
                  faregate webhook create https://example.com/hooks/faregate --id billing
                  faregate webhook create https://example.com/alerts --type budget.threshold \
                    --type run.spike --project prod
                """)

        @Argument(help: "Where messages are posted to.") var url: String

        @Option(help: ArgumentHelp("Its id; default: made by the server.", valueName: "id"))
        var id: String?

        @Option(help: ArgumentHelp("Only what happens in this project.", valueName: "id"))
        var project: String?

        @OptionGroup var settings: WebhookSettings
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            var body = JSONObject()
            body.set("id", id)
            body.set("url", url)
            body.set("project", project)
            settings.fill(&body)
            try await ledger.show(try .post("webhooks", body: body)) { WebhookCommand.sheet($0) }
        }
    }

    struct Update: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change an endpoint, switch it off or on.",
            discussion: """
                What waits for an endpoint goes on waiting while it is off; what happens meanwhile
                is not kept for it.

                Examples:
                  faregate webhook update billing --disable
                  faregate webhook update billing --enable --to https://example.com/new
                """)

        @Argument(help: "Id of the webhook.") var id: String

        @Option(help: ArgumentHelp("Where messages are posted to from now on.", valueName: "url"))
        var to: String?

        @OptionGroup var settings: WebhookSettings
        @Flag(help: "All types are wanted.") var allTypes = false
        @Flag(help: "Send.") var enable = false
        @Flag(help: "Do not send.") var disable = false
        @OptionGroup var ledger: LedgerOptions

        func validate() throws {
            if enable && disable {
                throw ValidationError("--enable and --disable exclude each other.")
            }
            if allTypes && !settings.type.isEmpty {
                throw ValidationError("--all-types and --type exclude each other.")
            }
        }

        func run(_ ledger: LedgerSession) async throws {
            var body = JSONObject()
            body.set("url", to)
            settings.fill(&body)
            if allTypes { body.append("types", .array([])) }
            if enable || disable { body.append("enabled", .bool(enable)) }
            let request = try APIRequest.patch("webhooks", id, body: body)
            try await ledger.show(request) { WebhookCommand.sheet($0) }
        }
    }

    struct Delete: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove an endpoint, with what is on its way to it.",
            discussion: """
                Example:
                  faregate webhook delete billing
                """)

        @Argument(help: "Id of the webhook.") var id: String
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            try await ledger.show(.delete("webhooks", id)) { _ in "Removed webhook \(id)." }
        }
    }

    struct Rotate: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give an endpoint a new secret, shown once.",
            discussion: """
                Messages carry a signature of each secret until --overlap is over, so that the
                receiver can change over at any time before.

                Example:
                  faregate webhook rotate billing --overlap 3600
                """)

        @Argument(help: "Id of the webhook.") var id: String

        @Option(
            help: ArgumentHelp(
                "How long the old secret signs too; default: a day.", valueName: "seconds"))
        var overlap: Int?

        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            var body = JSONObject()
            body.set("overlap_seconds", overlap)
            let request = try APIRequest.post("webhooks", id, "rotate", body: body)
            try await ledger.show(request) { WebhookCommand.sheet($0) }
        }
    }

    struct Test: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send an endpoint a message that says nothing.",
            discussion: """
                Example:
                  faregate webhook test billing
                """)

        @Argument(help: "Id of the webhook.") var id: String
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            let request = try APIRequest.post("webhooks", id, "test", body: JSONObject())
            try await ledger.show(request) { WebhookCommand.sheet(delivery: $0) }
        }
    }

    struct Deliveries: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "List what was sent, waits or failed, the newest first.",
            discussion: """
                What ended is kept for seven days.

                Examples:
                  faregate webhook deliveries --state failed
                  faregate webhook deliveries --webhook billing --limit 10
                  faregate webhook deliveries dlv_5f0c81d2
                """)

        @Argument(help: "Id of a delivery: shows it with its payload.") var id: String?

        @Option(help: ArgumentHelp("Only to this endpoint.", valueName: "id"))
        var webhook: String?

        @Option(help: ArgumentHelp("waiting, delivered or failed.", valueName: "state"))
        var state: String?

        @OptionGroup var page: PageOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            if let id {
                try await ledger.show(.get("webhooks", "deliveries", id)) {
                    WebhookCommand.sheet(delivery: $0)
                }
                return
            }
            let request = APIRequest.get("webhooks", "deliveries").asking([
                ("webhook", webhook), ("state", state),
            ])
            try await ledger.showPage(request, page) { answer in
                var table = Table([
                    .text("Delivery"), .text("Webhook"), .text("Type"), .text("State"),
                    .text("Attempts"), .text("Last answer"), .text("Next attempt"),
                ])
                for delivery in answer["data"].items {
                    table.add([
                        delivery["id"].word, delivery["webhook"].word, delivery["type"].word,
                        delivery["state"].word, delivery["attempts"].word,
                        WebhookCommand.outcome(delivery) ?? "",
                        shortTime(delivery["next_attempt_at"]),
                    ])
                }
                return table.text(whenEmpty: "No deliveries.")
            }
        }
    }

    struct Resend: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send a message again, under the same id.",
            discussion: """
                Example:
                  faregate webhook resend dlv_5f0c81d2
                """)

        @Argument(help: "Id of the delivery.") var id: String
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            let request = try APIRequest.post(
                "webhooks", "deliveries", id, "resend", body: JSONObject())
            try await ledger.show(request) { WebhookCommand.sheet(delivery: $0) }
        }
    }
}

extension WebhookCommand {
    /// The other direction: what Stripe sent, or would have.
    struct Replay: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take in Stripe's events that webhooks did not bring.",
            discussion: """
                After an outage of more than three days, or when Stripe had no endpoint: reads
                Stripe's own list of events, of the last 30 days at most, and takes each in as if
                it had come as a webhook. Those that are on the log change nothing.

                Examples:
                  faregate webhook replay
                  faregate webhook replay --since 2026-11-20T00:00:00Z
                """)

        @Option(
            help: ArgumentHelp(
                "Events from then on, RFC 3339. Default: three days ago.", valueName: "time"))
        var since: String?

        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            var (seen, recorded): (Int64, Int64) = (0, 0)
            var after: String?
            repeat {
                var body = JSONObject()
                body.set("after", after)
                body.set("since", since)
                let page = try await ledger.client.ask(.post("stripe", "replay", body: body))
                seen += page["seen"].integer ?? 0
                recorded += page["recorded"].integer ?? 0
                after = page["next"].text
            } while after != nil
            let sums = JSONObject([("recorded", .integer(recorded)), ("seen", .integer(seen))])
            ledger.printAnswer(.object(sums)) { _ in
                "\(grouped(seen)) events at Stripe, \(grouped(recorded)) of them new here."
            }
        }
    }
}
