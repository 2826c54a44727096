import ArgumentParser
import CanonicalJSON
import HTTPAPI
import Pricing

struct PriceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "price", abstract: "What calls cost: the price book.",
        discussion: """
            Versions of the book have an instant from which they count and never change afterwards:
            what was charged stays at the price that was in force. Rates are for a million units.
            """,
        subcommands: [
            Show.self, List.self, Versions.self, Diff.self, Import.self, Publish.self,
        ])
}

extension PriceCommand {
    struct Show: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what prices a model, aliases and dated names resolved.",
            discussion: """
                Examples:
                  faregate price show gpt-4o
                  faregate price show claude-sonnet-4-5 --version 3
                """)

        @Argument(help: "Model, as callers name it.") var model: String

        @Option(help: ArgumentHelp("Version; default: the one in force.", valueName: "number"))
        var version: Int?

        @Option(help: ArgumentHelp("Rate card, or \"override\".", valueName: "card"))
        var card: String?

        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            let request = APIRequest.get("price-book").asking([
                ("model", model), ("version", version.map(String.init)), ("card", card),
            ])
            let answer = try await ledger.client.ask(request)
            if answer["data"].items.isEmpty {
                throw CommandFailure(
                    .negative, "the price book has no entry for \(model)", code: "unknown_price")
            }
            ledger.printAnswer(answer, Self.text)
        }

        private static func text(_ answer: JSONValue) -> String {
            var sheet = FactSheet()
            let chain = answer["chain"].items.compactMap(\.text).joined(separator: " → ")
            sheet.add("Resolved", chain)
            sheet.add(
                "Version",
                "\(answer["version"].word), in force from \(shortTime(answer["effective_at"]))"
            )
            var parts: [String] = []
            for entry in answer["data"].items {
                sheet.add("Model", entry["model"].text)
                sheet.add("Card", entry["card"].text)
                sheet.add("Provider", entry["provider"].text)
                sheet.add("Mode", entry["mode"].text)
                sheet.add("Most input", entry["max_input"].text.map { "\($0) tokens" })
                sheet.add("Most output", entry["max_output"].text.map { "\($0) tokens" })
                sheet.add("Factors", pairs(entry["multipliers"]))
                sheet.add("Source", entry["source"].text)
                sheet.add("Retires", entry["deprecation_date"].text)
                var table = Table([
                    .text("Unit"), .money("\(answer["currency"].word) per million"),
                ])
                for rate in entry["rates"].members { table.add([rate.key, rate.value.word]) }
                parts += [sheet.text, table.text()]
                sheet = FactSheet()
            }
            return parts.joined(separator: "\n\n")
        }
    }

    struct List: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "List prices.",
            discussion: """
                --search looks through the whole book for a piece of a name.

                Examples:
                  faregate price list --search sonnet
                  faregate price list --card override
                """)

        @Option(help: ArgumentHelp("Only models with this in their name.", valueName: "text"))
        var search: String?

        @Option(help: ArgumentHelp("Version; default: the one in force.", valueName: "number"))
        var version: Int?

        @Option(help: ArgumentHelp("Rate card, or \"override\".", valueName: "card"))
        var card: String?

        @OptionGroup var page: PageOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            let request = APIRequest.get("price-book").asking([
                ("version", version.map(String.init)), ("card", card),
            ])
            guard let search else {
                return try await ledger.showPage(request, page) { Self.table($0["data"].items) }
            }
            let wanted = search.lowercased()
            let found = try await ledger.all(request).filter { entry in
                Self.contains(entry["model"].text?.lowercased() ?? "", wanted)
            }
            let answer = JSONValue.object(JSONObject([("data", .array(found))]))
            ledger.printAnswer(answer) { Self.table($0["data"].items) }
        }

        private static func contains(_ text: String, _ piece: String) -> Bool {
            let (text, piece) = (Array(text.utf8), Array(piece.utf8))
            return text.indices.contains { text[$0...].starts(with: piece) } || piece.isEmpty
        }

        private static func table(_ entries: [JSONValue]) -> String {
            var table = Table([
                .text("Model"), .text("Card"), .text("Provider"), .money("Input"),
                .money("Output"), .money("Cache read"), .number("Max output"), .text("Alias of"),
            ])
            for entry in entries {
                let rates = entry["rates"]
                table.add([
                    entry["model"].word, entry["card"].word,
                    entry["provider"].word, rates["input"].word,
                    rates["output"].word, rates["cache_read"].word,
                    quantity(entry["max_output"]), entry["alias_of"].word,
                ])
            }
            return table.text(whenEmpty: "No prices.")
        }
    }

    struct Versions: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the versions of the price book.",
            discussion: """
                Example:
                  faregate price versions
                """)

        @OptionGroup var page: PageOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            try await ledger.showPage(.get("price-book", "versions"), page) { answer in
                var table = Table([
                    .number("Version"), .text("In force from"), .number("Entries"),
                    .number("Taken out"), .text("Source"),
                ])
                for version in answer["data"].items {
                    table.add([
                        version["version"].word, shortTime(version["effective_at"]),
                        quantity(version["entries"]), quantity(version["removals"]),
                        version["source"].word,
                    ])
                }
                return table.text(whenEmpty: "No prices were published.")
            }
        }
    }
}

/// The file and how it is compared.
struct PriceFileOptions: ParsableArguments {
    @Argument(help: "File of prices.", completion: .file(extensions: ["json"]))
    var file: String

    @Flag(
        name: .customLong("litellm"),
        help: "The file has the form of LiteLLM's model_prices_and_context_window.json.")
    var isLiteLLM = false

    @Flag(help: "Take out models of the same card that the file does not name.")
    var prune = false

    /// Reads and compares, and says what was not taken over.
    func change(
        _ ledger: LedgerSession
    ) async throws(CommandFailure) -> (sheet: PriceSheet, change: PriceChange) {
        let sheet = try PriceSheet.read(file, isLiteLLM: isLiteLLM)
        for issue in sheet.issues.prefix(20) { ledger.console.note("note: \(issue)") }
        if sheet.issues.count > 20 {
            ledger.console.note("note: and \(grouped(sheet.issues.count - 20)) more")
        }
        return (sheet, try await PriceChange.of(sheet, prune: prune, in: ledger))
    }
}

/// How a new version is published.
struct PublishOptions: ParsableArguments {
    @Option(
        name: [.customLong("effective")],
        help: ArgumentHelp("From when on it counts (RFC 3339); default: now.", valueName: "time"))
    var effectiveAt: String?

    @Option(help: ArgumentHelp("Where the prices come from; default: the file.", valueName: "text"))
    var source: String?

    @OptionGroup var write: WriteOptions

    func publish(
        _ change: PriceChange, of sheet: PriceSheet, _ ledger: LedgerSession
    ) async throws {
        let body = change.body(source: source ?? sheet.source, effectiveAt: effectiveAt)
        let request = try APIRequest.post("price-book", body: body).keyed(write.idempotencyKey)
        try await ledger.show(request) { answer in
            "Published version \(answer["version"].word), in force from "
                + "\(shortTime(answer["effective_at"]))."
        }
    }
}

extension PriceCommand {
    struct Diff: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what a file of prices would change.",
            discussion: """
                Examples:
                  faregate price diff prices.json
                  faregate price diff model_prices_and_context_window.json --litellm
                """)

        @OptionGroup var input: PriceFileOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            let (_, change) = try await input.change(ledger)
            ledger.printAnswer(change.json) { _ in change.text() }
        }
    }

    struct Import: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what a file of prices would change, and publish it when approved.",
            discussion: """
                Publishes only with --yes. Without it nothing changes, and the command ends with 1
                when there is something to approve.

                Examples:
                  faregate price import model_prices_and_context_window.json --litellm
                  faregate price import prices.json --effective 2027-01-01T00:00:00Z --yes
                """)

        @OptionGroup var input: PriceFileOptions

        @Flag(help: "Approve: publish what is shown.")
        var yes = false

        @OptionGroup var publishing: PublishOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            let (sheet, change) = try await input.change(ledger)
            if change.diff.isEmpty || !yes {
                ledger.printAnswer(change.json) { _ in change.text() }
                if change.diff.isEmpty { return }
                throw CommandFailure(.negative, "nothing was published: approve with --yes")
            }
            if !ledger.wantsJSON { ledger.console.out(change.text()) }
            try await publishing.publish(change, of: sheet, ledger)
        }
    }

    struct Publish: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Publish a file of prices without asking.",
            discussion: """
                For scripts; what does not differ from the book is not published again.

                Example:
                  faregate price publish prices.json --effective 2027-01-01T00:00:00Z
                """)

        @OptionGroup var input: PriceFileOptions
        @OptionGroup var publishing: PublishOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            let (sheet, change) = try await input.change(ledger)
            if change.diff.isEmpty {
                return ledger.printAnswer(change.json) { _ in change.text() }
            }
            try await publishing.publish(change, of: sheet, ledger)
        }
    }
}
