import ArgumentParser
import CanonicalJSON
import HTTPAPI

struct EstimateCommand: LedgerCommand {
    static let configuration = CommandConfiguration(
        commandName: "estimate",
        abstract: "Say what a call may cost, and whether it would be let through.",
        discussion: """
            Nothing is held. Exits with 0 also when the call would be refused, and with 3 when there
            is no price to estimate by.

            Examples:
              faregate estimate --customer acme --model gpt-4o --input 1200 --max-output 500
              faregate estimate --customer acme --model any --amount 0.25
              faregate estimate --customer acme --request body.json
              faregate estimate --customer acme --request body.json --dialect anthropic.messages
            """)

    @OptionGroup var subject: SubjectOptions
    @OptionGroup var size: EstimateOptions
    @OptionGroup var project: ProjectOption
    @OptionGroup var ledger: LedgerOptions

    func validate() throws { try subject.requireModel(unless: size.request) }

    func run(_ ledger: LedgerSession) async throws {
        var body = JSONObject()
        subject.add(to: &body, project: project.name)
        try size.add(to: &body, model: subject.model)
        let answer = try await ledger.client.send(try .post("estimates", body: body))
        let json = try answer.json()
        guard answer.isSuccess else {
            let error = json["error"]
            guard error["code"].text == "unknown_price" else {
                throw CommandFailure(refusing: json, answer.status)
            }
            throw CommandFailure(
                .rejected, "rejected: \(error["message"].word)", code: "unknown_price")
        }
        ledger.printAnswer(json) { answer in
            var sheet = FactSheet()
            sheet.add("Would be", answer["would_be"].text)
            sheet.add("No bound for", answer["unbounded"].list)
            sheet.add("Plan", answer["plan"].text)
            sheet.add("Price", pricePhrase(answer["estimate"]["price"]))
            sheet.add("Counted", sourcePhrase(answer["estimate"]))
            sheet.add(
                "Affordable output", answer["affordable_max_tokens"].text.map { "\($0) tokens" })
            sheet.add("Refusal", answer["refusal"]["message"].text)
            return sheet.text + "\n\n" + estimateTable(answer["estimate"])
        }
    }
}

struct ReserveCommand: LedgerCommand {
    static let configuration = CommandConfiguration(
        commandName: "reserve",
        abstract: "Hold what a call may cost, before it is made.",
        discussion: """
            The id is yours; the same id with the same request always gets the same answer. Exits
            with 3 when the call is rejected.

            Examples:
              faregate reserve req-1 --customer acme --model gpt-4o --input 1200 --max-output 500
              faregate reserve req-2 --customer acme --model any --amount 0.25 --ttl 60 \\
                  --on-expiry charge
              faregate reserve req-3 --customer acme --request body.json
            """)

    @Argument(help: "Id of the reservation.") var id: String
    @OptionGroup var subject: SubjectOptions
    @OptionGroup var size: EstimateOptions

    @Option(help: ArgumentHelp("Life of the hold.", valueName: "seconds"))
    var ttl: Int?

    @Option(
        help: ArgumentHelp("release or charge, when nobody settles in time.", valueName: "policy"))
    var onExpiry: String?

    @Flag(help: "Decide and answer, record nothing.")
    var dryRun = false

    @OptionGroup var project: ProjectOption
    @OptionGroup var ledger: LedgerOptions

    func validate() throws { try subject.requireModel(unless: size.request) }

    func run(_ ledger: LedgerSession) async throws {
        var body = JSONObject()
        body.set("id", id)
        subject.add(to: &body, project: project.name)
        try size.add(to: &body, model: subject.model)
        body.set("ttl_seconds", ttl)
        body.set("on_expiry", onExpiry)
        if dryRun { body.append("dry_run", .bool(true)) }

        let answer = try await ledger.client.send(try .post("reservations", body: body))
        let json = try answer.json()
        if answer.isSuccess, !dryRun {
            return ledger.printAnswer(json, reservationText)
        }
        let refusal = dryRun && answer.isSuccess ? json["answer"]["error"] : json["error"]
        if answer.isSuccess, refusal == nil {
            return ledger.printAnswer(json) {
                "Dry run.\n" + reservationText($0["answer"] ?? .null)
            }
        }
        guard answer.isSuccess || answer.isRejection else {
            throw CommandFailure(refusing: json, answer.status)
        }
        ledger.printAnswer(json) { _ in refusalText(refusal) }
        throw CommandFailure(
            .rejected, "rejected: \(refusal["message"].word)", code: refusal["code"].text)
    }
}

struct SettleCommand: LedgerCommand {
    static let configuration = CommandConfiguration(
        commandName: "settle",
        abstract: "Charge what a reserved call really used.",
        discussion: """
            Never refused for lack of money, also after the hold expired. What is left of the hold
            is free at once.

            Examples:
              faregate settle req-1 --input 1180 --output 312
              faregate settle req-2 --amount 0.19
              faregate settle req-3 --missing
            """)

    @Argument(help: "Id of the reservation.") var id: String
    @OptionGroup var usage: UsageOptions

    @Option(
        help: ArgumentHelp("Instead of usage, where the project allows it.", valueName: "amount"))
    var amount: DecimalAmount?

    @Flag(help: "The usage is lost: charge the expected estimate, and mark it.")
    var missing = false

    @Option(help: ArgumentHelp("When it happened, for the record (RFC 3339).", valueName: "time"))
    var occurredAt: String?

    @OptionGroup var project: ProjectOption
    @OptionGroup var write: WriteOptions
    @OptionGroup var ledger: LedgerOptions

    func validate() throws {
        let given = (usage.counts == nil ? 0 : 1) + (amount == nil ? 0 : 1) + (missing ? 1 : 0)
        if given != 1 {
            throw ValidationError("Give the usage (--input, --output …), --amount or --missing.")
        }
    }

    func run(_ ledger: LedgerSession) async throws {
        var body = JSONObject()
        if let counts = usage.counts { body.append("usage", .object(counts)) }
        body.set("amount", amount?.text)
        body.set("occurred_at", occurredAt)
        body.set("project", project.name)
        let call = try APIRequest.post("reservations", id, "settle", body: body)
        try await ledger.show(call.keyed(write.idempotencyKey), Self.text)
    }

    static func text(_ answer: JSONValue) -> String {
        var sheet = FactSheet()
        sheet.add("Settled", answer["reservation"].text)
        sheet.add("Customer", answer["customer"].text)
        sheet.add("Charge", answer["charge"].text)
        sheet.add("Cost", answer["cost"].text)
        sheet.add("Paid", splitPhrase(answer["split"]))
        if let overrun = answer["overrun"].text, overrun != "0" { sheet.add("Overrun", overrun) }
        if answer["late"].flag { sheet.add("Late", "the hold had expired") }
        sheet.add("Price", pricePhrase(answer["rated"]["price"]))
        sheet.add("Marks", answer["rated"]["marks"].list)
        return ([sheet.text] + warningLines(answer)).joined(separator: "\n")
    }
}

struct ReleaseCommand: LedgerCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Give a hold back: the call was not made.",
        discussion: """
            Examples:
              faregate release req-1
              faregate release req-1 --reason "upstream refused the connection"
            """)

    @Argument(help: "Id of the reservation.") var id: String

    @Option(help: "Why, for the record.") var reason: String?

    @OptionGroup var project: ProjectOption
    @OptionGroup var write: WriteOptions
    @OptionGroup var ledger: LedgerOptions

    func run(_ ledger: LedgerSession) async throws {
        var body = JSONObject()
        body.set("reason", reason)
        body.set("project", project.name)
        let call = try APIRequest.post("reservations", id, "release", body: body)
        try await ledger.show(call.keyed(write.idempotencyKey)) { answer in
            answer["status"].text == "expired"
                ? "\(id) had expired already; nothing is held." : "Released \(id)."
        }
    }
}

struct ExtendCommand: LedgerCommand {
    static let configuration = CommandConfiguration(
        commandName: "extend",
        abstract: "Let a hold live longer.",
        discussion: """
            Example:
              faregate extend req-1 --ttl 300
            """)

    @Argument(help: "Id of the reservation.") var id: String

    @Option(help: ArgumentHelp("Life from now.", valueName: "seconds"))
    var ttl: Int

    @OptionGroup var project: ProjectOption
    @OptionGroup var write: WriteOptions
    @OptionGroup var ledger: LedgerOptions

    func run(_ ledger: LedgerSession) async throws {
        var body = JSONObject()
        body.set("ttl_seconds", ttl)
        body.set("project", project.name)
        let call = try APIRequest.post("reservations", id, "extend", body: body)
        try await ledger.show(call.keyed(write.idempotencyKey)) { answer in
            "\(id) is held until \(shortTime(answer["expires_at"]))."
        }
    }
}

struct AdjustCommand: LedgerCommand {
    static let configuration = CommandConfiguration(
        commandName: "adjust",
        abstract: "Correct what was charged for a call.",
        discussion: """
            Give the true usage, or what is to be added to charge and cost (negative: given back).

            Examples:
              faregate adjust req-1 --reason "provider restated usage" --input 900 --output 300
              faregate adjust req-1 --reason "goodwill" --charge-delta -0.05
            """)

    @Argument(help: "Id of the reservation or usage record.") var id: String

    @Option(help: "Why; kept for ever.") var reason: String

    @Option(help: ArgumentHelp("Who says so; default: the API key's id.", valueName: "name"))
    var author: String?

    @OptionGroup var usage: UsageOptions

    // Unconditional: an amount that is given back begins with a dash.
    @Option(
        parsing: .unconditional, help: ArgumentHelp("Added to the charge.", valueName: "amount"))
    var chargeDelta: DecimalAmount?

    @Option(parsing: .unconditional, help: ArgumentHelp("Added to the cost.", valueName: "amount"))
    var costDelta: DecimalAmount?

    @OptionGroup var project: ProjectOption
    @OptionGroup var write: WriteOptions
    @OptionGroup var ledger: LedgerOptions

    func validate() throws {
        let hasDelta = chargeDelta != nil || costDelta != nil
        if hasDelta == (usage.counts != nil) {
            throw ValidationError("Give the true usage, or --charge-delta and --cost-delta.")
        }
    }

    func run(_ ledger: LedgerSession) async throws {
        var body = JSONObject()
        body.set("reservation", id)
        body.set("reason", reason)
        body.set("author", author)
        body.set("project", project.name)
        if let counts = usage.counts { body.append("usage", .object(counts)) }
        body.set("charge_delta", chargeDelta?.text)
        body.set("cost_delta", costDelta?.text)
        let call = try APIRequest.post("adjustments", body: body)
        try await ledger.show(call.keyed(write.idempotencyKey)) { answer in
            var sheet = FactSheet()
            sheet.add("Adjusted", answer["reservation"].text)
            sheet.add("Charge", answer["charge"].text.map(Self.signed))
            sheet.add("Cost", answer["cost"].text.map(Self.signed))
            sheet.add("Went", splitPhrase(answer["split"]))
            sheet.add("By", answer["author"].text)
            return sheet.text
        }
    }

    private static func signed(_ amount: String) -> String {
        amount.hasPrefix("-") || amount == "0" ? amount : "+" + amount
    }
}

struct UsageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage",
        abstract: "What was used, and usage that was not reserved.",
        subcommands: [UsageReport.self, Record.self], defaultSubcommand: UsageReport.self)

    struct Record: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Charge usage without a hold.",
            discussion: """
                The id is yours and makes the record unique: sent again, it is charged once.

                Example:
                  faregate usage record import-17 --customer acme --model gpt-4o --input 1180 \\
                      --output 312
                """)

        @Argument(help: "Id of the usage record.") var id: String
        @OptionGroup var subject: SubjectOptions
        @OptionGroup var usage: UsageOptions

        @Option(help: ArgumentHelp("Instead of token counts.", valueName: "amount"))
        var amount: DecimalAmount?

        @OptionGroup var project: ProjectOption
        @OptionGroup var ledger: LedgerOptions

        func validate() throws {
            try subject.requireModel()
            if (usage.counts == nil) == (amount == nil) {
                throw ValidationError("Give the usage (--input, --output …) or --amount.")
            }
        }

        func run(_ ledger: LedgerSession) async throws {
            var body = JSONObject()
            body.set("id", id)
            subject.add(to: &body, project: project.name)
            if let counts = usage.counts { body.append("usage", .object(counts)) }
            body.set("amount", amount?.text)
            try await ledger.show(try .post("usage", body: body)) { answer in
                var sheet = FactSheet()
                sheet.add("Recorded", answer["usage"].text)
                sheet.add("Customer", answer["customer"].text)
                sheet.add("Charge", answer["charge"].text)
                sheet.add("Cost", answer["cost"].text)
                sheet.add("Paid", splitPhrase(answer["split"]))
                sheet.add("Price", pricePhrase(answer["rated"]["price"]))
                return ([sheet.text] + warningLines(answer)).joined(separator: "\n")
            }
        }
    }
}
