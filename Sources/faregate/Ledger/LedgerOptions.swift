import ArgumentParser
import CanonicalJSON
import HTTPAPI

/// How a command reaches the ledger, and how it prints.
struct LedgerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Server to speak to. Default: $FAREGATE_URL, else \(LedgerOptions.defaultURL).",
            valueName: "url"))
    var url: String?

    @Option(
        help: ArgumentHelp(
            "API key. Better in $FAREGATE_KEY: a command line can be seen by others.",
            valueName: "secret"))
    var key: String?

    @Option(
        help: ArgumentHelp(
            "Open this ledger file instead of speaking to a server.", valueName: "file"),
        completion: .file())
    var db: String?

    @Option(help: ArgumentHelp("Seconds to wait for an answer.", valueName: "seconds"))
    var timeout: Int = 30

    @Flag(help: "Print the API's JSON instead of text for people.")
    var json = false

    static let defaultURL = "http://127.0.0.1:8080"

    func validate() throws {
        if url != nil && db != nil { throw ValidationError("--url and --db exclude each other.") }
        if timeout < 1 || timeout > 3_600 { throw ValidationError("--timeout is 1 to 3600.") }
    }

    /// A way to the server that is named, or to the default one.
    func httpClient(_ console: Console) throws(CommandFailure) -> HTTPLedgerClient {
        try HTTPLedgerClient(
            url: url ?? console.variable("FAREGATE_URL") ?? Self.defaultURL,
            key: key ?? console.variable("FAREGATE_KEY"), timeoutSeconds: timeout)
    }

    /// Connects, runs `body`, and lets go of everything.
    func withLedger<Result>(
        _ body: (LedgerSession) async throws -> Result
    ) async throws -> Result {
        let console = Console.current
        let client: any LedgerClient
        if let db {
            client = try await LocalLedgerClient.open(path: db, console: console)
        } else {
            client = try httpClient(console)
        }
        let session = LedgerSession(client: client, wantsJSON: json, console: console)
        do {
            let result = try await body(session)
            await client.close()
            return result
        } catch {
            await client.close()
            throw error
        }
    }
}

/// The project that a command acts in.
struct ProjectOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Project. Default: $FAREGATE_PROJECT, else the key's own, else \"default\".",
            valueName: "id"))
    var project: String?

    /// Nil: the server decides.
    var name: String? {
        project ?? Console.current.variable("FAREGATE_PROJECT")
    }
}

/// For commands that write something other than a reservation or usage record.
struct WriteOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The same key with the same request is carried out once, however often it is sent.",
            valueName: "key"))
    var idempotencyKey: String?
}

/// For lists.
struct PageOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Most items to show, up to 1000.", valueName: "count"))
    var limit: Int = 100

    @Option(help: ArgumentHelp("Go on after this cursor.", valueName: "cursor"))
    var after: String?

    func validate() throws {
        if !(1...1000).contains(limit) { throw ValidationError("--limit is 1 to 1000.") }
    }

    var parameters: [(name: String, value: String?)] {
        [("limit", String(limit)), ("after", after)]
    }
}

/// A command that speaks to a ledger.
protocol LedgerCommand: AsyncParsableCommand {
    var ledger: LedgerOptions { get }

    func run(_ ledger: LedgerSession) async throws
}

extension LedgerCommand {
    mutating func run() async throws {
        let command = self
        try await ledger.withLedger { try await command.run($0) }
    }
}

/// An open way to a ledger, for the time of one command.
struct LedgerSession: Sendable {
    let client: any LedgerClient
    let wantsJSON: Bool
    let console: Console

    /// Carries `call` out and prints the answer: as it is with `--json`, else as `text` has it.
    func show(_ call: APIRequest, _ text: (JSONValue) -> String) async throws {
        let json = try await client.ask(call)
        printAnswer(json, text)
    }

    func printAnswer(_ json: JSONValue, _ text: (JSONValue) -> String) {
        console.out(wantsJSON ? CanonicalJSON.pretty(json) : text(json))
    }

    /// Prints one page of a list, and how to get the next.
    func showPage(_ call: APIRequest, _ page: PageOptions, _ text: (JSONValue) -> String)
        async throws
    {
        let json = try await client.ask(call.asking(page.parameters))
        printAnswer(json, text)
        if !wantsJSON, json["has_more"].flag, let next = json["next"].text {
            console.note("There is more: --after \(Self.quoted(next))")
        }
    }

    /// All items of a list, page by page.
    func all(_ call: APIRequest) async throws(CommandFailure) -> [JSONValue] {
        var items: [JSONValue] = []
        var after: String?
        while true {
            let page = try await client.ask(call.asking([("limit", "1000"), ("after", after)]))
            items += page["data"].items
            guard page["has_more"].flag, let next = page["next"].text, next != after else {
                return items
            }
            after = next
        }
    }

    /// For a shell.
    private static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: ":"), UInt8(ascii: "="):
                true
            default: false
            }
        }
        return isPlain
            ? text
            : "'"
                + text.split(separator: "'", omittingEmptySubsequences: false).joined(
                    separator: "'\\''") + "'"
    }
}
