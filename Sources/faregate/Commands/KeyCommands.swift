import ArgumentParser
import CanonicalJSON
import HTTPAPI

struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Who may call the API.",
        subcommands: [Create.self, List.self, Revoke.self])

    struct Create: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an API key; its secret is shown once.",
            discussion: """
                read looks, meter also reserves and settles, admin also changes everything else.

                Examples:
                  faregate key create --role meter --name gateway --bind-project prod
                  export FAREGATE_KEY=$(faregate key create --role read --secret-only)
                """)

        @Option(help: ArgumentHelp("read, meter or admin.", valueName: "role"))
        var role: String

        @Option(help: "Name, for people.") var name: String?

        @Option(help: ArgumentHelp("Id of the key; default: made by the server.", valueName: "id"))
        var id: String?

        @Option(help: ArgumentHelp("The one project it may act in; default: all.", valueName: "id"))
        var bindProject: String?

        @Flag(help: "Print the secret and nothing else.")
        var secretOnly = false

        @OptionGroup var write: WriteOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            var body = JSONObject()
            body.set("id", id)
            body.set("name", name)
            body.set("role", role)
            body.set("project", bindProject)
            let request = try APIRequest.post("keys", body: body)
            let key = try await ledger.client.ask(request.keyed(write.idempotencyKey))
            guard secretOnly else { return ledger.printAnswer(key, Self.text) }
            guard let secret = key["secret"].text else {
                throw CommandFailure(
                    .negative, "the key was made before; its secret is not kept and cannot be shown"
                )
            }
            ledger.console.out(secret)
        }

        private static func text(_ key: JSONValue) -> String {
            var sheet = FactSheet()
            sheet.add("Key", key["id"].text)
            sheet.add("Role", key["role"].text)
            sheet.add("Name", key["name"].text)
            sheet.add("Project", key["project"].text ?? "all")
            sheet.add("Secret", key["secret"].text ?? "was shown when the key was made")
            return key["secret"].text == nil
                ? sheet.text : sheet.text + "\nKeep the secret: it is not shown again."
        }
    }

    struct List: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "List API keys, never their secrets.",
            discussion: """
                Example:
                  faregate key list
                """)

        @OptionGroup var page: PageOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            try await ledger.showPage(.get("keys"), page) { answer in
                var table = Table([
                    .text("Key"), .text("Name"), .text("Role"), .text("Project"), .text("Made"),
                    .text("Revoked"),
                ])
                for key in answer["data"].items {
                    table.add([
                        key["id"].word, key["name"].word, key["role"].word,
                        key["project"].text ?? "all", shortTime(key["created_at"]),
                        shortTime(key["revoked_at"]),
                    ])
                }
                return table.text(whenEmpty: "No keys.")
            }
        }
    }

    struct Revoke: LedgerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Refuse a key from now on.",
            discussion: """
                Example:
                  faregate key revoke key_4f2a
                """)

        @Argument(help: "Id of the key.") var id: String
        @OptionGroup var write: WriteOptions
        @OptionGroup var ledger: LedgerOptions

        func run(_ ledger: LedgerSession) async throws {
            let request = try APIRequest.post("keys", id, "revoke", body: JSONObject())
            try await ledger.show(request.keyed(write.idempotencyKey)) { _ in "Revoked key \(id)." }
        }
    }
}
