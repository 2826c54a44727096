import Billing
import CanonicalJSON
import Engine
import EventLog
import FaregateTestSupport
import Glibc
import HTTPAPI
import Notifications
import Projections
import Simulators
import StripeAPI
import StripeSimulation
import StripeSync
import Testing

/// An API on a ledger in memory, with a key of each role, and short ways to ask it.
struct APIFixture: Sendable {
    let ledger: LedgerFixture
    let api: API
    /// Where the read models are.
    let folder: ViewsFolder
    /// Nil: the server has no key for Stripe.
    let stripe: SimulatedStripe?

    static let stripeSecret = "whsec_test"
    static let secrets: [KeyRole: String] = [
        .read: "fg_read-secret", .meter: "fg_meter-secret", .admin: "fg_admin-secret",
    ]
    static let bootstrapSecret = "fg_bootstrap-secret"

    /// One ledger for tests that change nothing that others look at.
    static let shared = Task { try await APIFixture() }

    init(
        store: (any EventStore)? = nil, engine: EngineConfiguration = EngineConfiguration(),
        hasStripe: Bool = false,
        configure: (inout APIConfiguration) -> Void = { _ in }
    ) async throws {
        ledger = try await LedgerFixture(store: store, configuration: engine)
        var configuration = APIConfiguration()
        configuration.bootstrapKeyHash = secretHash(Self.bootstrapSecret)
        configuration.openAPI = Array("openapi: 3.1.0\n".utf8)
        configure(&configuration)
        folder = try ViewsFolder()
        let clock = ledger.clock
        stripe =
            hasStripe
            ? SimulatedStripe(StripeAccount(seed: 1, now: clock.now().microseconds)) {
                clock.now().microseconds
            } : nil
        let sync = try stripe.map { [ledger, folder] in try Self.sync($0, ledger, folder) }
        api = API(
            engine: ledger.engine, configuration: configuration,
            readModels: ReadModels(store: ledger.store, path: folder.path + "/ledger.views"),
            webhooks: Webhooks(store: ledger.store, path: folder.path + "/ledger.webhooks"),
            stripe: sync)
        for (role, secret) in Self.secrets.sorted(by: { $0.value < $1.value }) {
            try await addKey("key_\(role.rawValue)", secret, role)
        }
    }

    private static func sync(
        _ stripe: SimulatedStripe, _ ledger: LedgerFixture, _ folder: ViewsFolder
    ) throws -> StripeSync {
        let client = stripe.client()
        return StripeSync(
            ledger: ledger.engine, store: ledger.store, client: client,
            path: folder.path + "/ledger.stripe", settings: StripeSettings(),
            webhooks: WebhookVerifier(secrets: [stripeSecret]).map {
                WebhookGate(verifier: $0, isLive: false, account: nil)
            }, clock: ledger.clock, isInline: true)
    }

    func addKey(
        _ id: String, _ secret: String, _ role: KeyRole, project: String? = nil
    ) async throws {
        var key = KeyCreated()
        key.id = id
        key.role = role
        key.project = project
        key.secretHash = secretHash(secret)
        try await ledger.ask(.createKey(key))
    }

    /// Asks with the admin key unless told otherwise.
    func ask(
        _ method: String, _ target: String, _ body: String? = nil, secret: String? = nil,
        key: String? = nil, contentType: String = "application/json", accept: String? = nil,
        signature: String? = nil
    ) async -> Answer {
        let parts = target.split(separator: "?", maxSplits: 1)
        var request = APIRequest(
            method, path: String(parts[0]), query: parts.count > 1 ? String(parts[1]) : "",
            body: Array((body ?? "").utf8), contentType: body == nil ? nil : contentType,
            authorization: "Bearer " + (secret ?? Self.secrets[.admin] ?? ""),
            idempotencyKey: key, accept: accept)
        request.stripeSignature = signature
        return Answer(await api.respond(to: request))
    }

    /// As Stripe signs it at this moment: of the machine, not of the ledger.
    func stripeSignature(_ body: String, secret: String = Self.stripeSecret) -> String {
        WebhookVerifier.header(
            secret: secret, body: Array(body.utf8),
            seconds: SystemClock().now().microseconds / 1_000_000)
    }

    func get(_ target: String, secret: String? = nil) async -> Answer {
        await ask("GET", target, secret: secret)
    }

    func post(
        _ target: String, _ body: String? = nil, secret: String? = nil, key: String? = nil
    ) async -> Answer {
        await ask("POST", target, body, secret: secret, key: key)
    }

    /// A hold for an amount.
    @discardableResult
    func reserve(_ id: String, _ customer: String, amount: String) async -> Answer {
        await post(
            "/v1/reservations",
            #"{"id":"\#(id)","customer":"\#(customer)","model":"gpt-4o","amount":"\#(amount)"}"#)
    }

    /// A hold for token counts.
    @discardableResult
    func reserveTokens(
        _ id: String, _ customer: String, model: String = "gpt-4o", input: Int = 1_000,
        output: Int = 500, more: String = ""
    ) async -> Answer {
        await post(
            "/v1/reservations",
            #"{"id":"\#(id)","customer":"\#(customer)","model":"\#(model)","usage_estimate":"#
                + #"{"input_tokens":\#(input),"max_output_tokens":\#(output)}\#(more)}"#)
    }
}

/// A folder for the read models' file, gone with it when the test is over.
final class ViewsFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/faregate-api-XXXXXX".utf8CString)
        let made = try #require(mkdtemp(&template))
        path = String(cString: made)
    }

    deinit {
        for suffix in ["", "-wal", "-shm"] {
            unlink(path + "/ledger.views" + suffix)
            unlink(path + "/ledger.webhooks" + suffix)
            unlink(path + "/ledger.stripe" + suffix)
        }
        rmdir(path)
    }
}

/// An answer with its body read.
struct Answer: Sendable {
    let response: APIResponse
    let json: JSONValue

    init(_ response: APIResponse) {
        self.response = response
        json = (try? StrictJSON.parse(response.body)) ?? .null
    }

    var status: Int { response.status }
    var text: String { String(decoding: response.body, as: UTF8.self) }

    /// The value at `error.code` or `budgets[0].held`.
    subscript(_ path: String) -> JSONValue? {
        var value = json
        for part in path.split(whereSeparator: { $0 == "." || $0 == "[" }) {
            if part.hasSuffix("]") {
                guard case .array(let elements) = value, let index = Int(part.dropLast()),
                    elements.indices.contains(index)
                else { return nil }
                value = elements[index]
            } else {
                guard case .object(let object) = value, let member = object[String(part)] else {
                    return nil
                }
                value = member
            }
        }
        return value
    }

    func string(_ path: String) -> String? {
        if case .string(let text)? = self[path] { text } else { nil }
    }

    func integer(_ path: String) -> Int64? {
        if case .integer(let number)? = self[path] { number } else { nil }
    }

    func bool(_ path: String) -> Bool? {
        if case .bool(let flag)? = self[path] { flag } else { nil }
    }

    func count(_ path: String) -> Int? {
        if case .array(let elements)? = self[path] { elements.count } else { nil }
    }

    /// `404 not_found`: what most tests look at first.
    var code: String { "\(status) \(string("error.code") ?? "-")" }
}
