// The sandbox's third act: a simulated Stripe account bills the customers that pay later. Those are
// subscribed there before the trace plays, and linked by its webhooks. The hour and the month that
// billing takes pass on copies of the ledger and of the account: the server that stays up lives in
// the present.

import Billing
import Engine
import EventLog
import Glibc
import Money
import SQLiteEventLog
import Sandbox
import Server
import Simulators
import StripeAPI
import StripeSimulation
import StripeSync
import Synchronization
import TimeZones

final class StripeAct: Sendable {
    static let secret = "whsec_sandbox"

    private let simulator: StripeSimulator
    private let url = Mutex("")
    private let price = Mutex("")
    private let keys = Mutex<[CustomerKey]>([])

    init() {
        var configuration = StripeSimulator.Configuration()
        // A ledger that is played on again has never heard of the new account's events.
        configuration.seed = UInt64.random(in: 0...UInt64(UInt32.max))
        simulator = StripeSimulator(configuration)
    }

    /// Has the account answer while `body` runs; `body` is given what the server is told of it.
    func serving(
        currency: String,
        _ body: @escaping @Sendable (StripeConfiguration) async throws -> Void
    ) async throws {
        try await simulator.serving { url in
            self.url.withLock { $0 = url }
            let stripe = StripeConfiguration(simulatedAt: url, secret: Self.secret)
            var setup = StripeSetup()
            setup.currency = currency.lowercased()
            let steps: [StripeSetup.Step]
            do throws(ServerFailure) {
                steps = try await stripe.setUp(setup)
            } catch {
                throw CommandFailure(error)
            }
            let id = steps.first { $0.what.hasPrefix("price ") }?.id ?? ""
            self.price.withLock { $0 = id }
            try await body(stripe)
        }
    }

    /// - Parameter server: its base URL.
    func subscribe(_ stage: SandboxStage, to server: String) async {
        await simulator.addEndpoint(.init(url: server + "/webhooks/stripe", secret: Self.secret))
        let price = price.withLock { $0 }
        for customer in stage.postpaidCustomers {
            await simulator.subscribe(customer: customer, project: stage.project, price: price)
        }
        keys.withLock {
            $0 = stage.postpaidCustomers.map { CustomerKey(project: stage.project, id: $0) }
        }
    }

    /// What the end of the month will bring.
    func monthEnd(of ledger: OpenLedger) async throws -> [MonthEnd.Row] {
        let folder = try Self.temporaryFolder()
        defer { Self.remove(folder) }
        let path = folder + "/copy.db"
        let source = ledger.path
        // The ledger first: what was pushed since is at Stripe under the same identifier.
        _ = try await blocking { () throws(ServerFailure) in
            try LedgerBackup.full(of: source, to: path)
        }
        let account = await simulator.account
        var settings = StripeSettings()
        let currency = ledger.currency
        settings.currency = currency.lowercased()
        settings.minorUnitsPerUnit = StripeCurrency.minorUnitsPerUnit(currency)
        let (keys, known) = (keys.withLock { $0 }, settings)
        let month = try await blocking { () throws(ServerFailure) in
            let store: SQLiteEventStore
            do throws(StoreError) {
                store = try SQLiteEventStore.open(path: path)
            } catch {
                throw ServerFailure(error, path: path)
            }
            do throws(EngineError) {
                return try MonthEnd(
                    store: store, calendar: BudgetCalendar(TimeZoneDatabase()), account: account,
                    path: path + ".stripe", settings: known)
            } catch {
                throw ServerFailure(error, path: path)
            }
        }
        return try await month.run(keys: keys)
    }

    /// - Returns: the section of the report, and whether every invoice says what the ledger says.
    static func text(_ rows: [MonthEnd.Row], currency: String) -> (lines: String, isExact: Bool) {
        var table = Table([
            .text("Customer"), .money("Billable"), .money("Invoiced"), .number("Invoice"),
            .text("Difference"),
        ])
        var isExact = true
        let minor = StripeCurrency.minorUnitsPerUnit(currency)
        for row in rows where row.billableNanos != 0 || row.invoices > 0 {
            let invoiced = Money(nanos: row.invoiced * 1_000)
            let difference = row.billableNanos - invoiced.nanos
            // Less than a millionth is carried to the next invoice.
            let isSame = abs(difference) < 1_000 && row.isBalanced
            isExact = isExact && isSame
            table.add([
                row.key.id, Money(nanos: row.billableNanos).decimalText, invoiced.decimalText,
                amount(row.amountMinorUnits, minor),
                isSame ? "carried \(Money(nanos: difference).decimalText)" : "NOT EXACT",
            ])
        }
        let title =
            "At Stripe (simulated), when the month is over: the ledger beside the invoices, in"
            + " \(currency)"
        let verdict =
            isExact
            ? "Every invoice bills what the ledger says, to the millionth."
            : "An invoice does NOT bill what the ledger says."
        return ([title, "", table.text(), "", verdict].joined(separator: "\n"), isExact)
    }

    /// `1.80` of 180 cents.
    private static func amount(_ minorUnits: Int64, _ perUnit: Int64) -> String {
        let places = String(perUnit).utf8.count - 1
        let text = Money(nanos: minorUnits * (Money.nanosPerUnit / perUnit)).decimalText
        guard places > 0 else { return text }
        let parts = text.split(separator: ".")
        let fraction = parts.count > 1 ? String(parts[1]) : ""
        return parts[0] + "." + fraction + String(repeating: "0", count: places - fraction.count)
    }

    // MARK: The copy's place

    private static func temporaryFolder() throws(CommandFailure) -> String {
        let place = Console.current.variable("TMPDIR") ?? "/tmp"
        var template = Array((place + "/faregate-sandbox-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else {
            throw CommandFailure(.inputOutput, "no folder can be made in \(place)")
        }
        return template.withUnsafeBufferPointer { bytes in
            bytes.baseAddress.map { String(cString: $0) } ?? ""
        }
    }

    private static func remove(_ folder: String) {
        for name in ["copy.db", "copy.db.stripe"] {
            for suffix in ["", "-wal", "-shm", ".lock"] { unlink(folder + "/" + name + suffix) }
        }
        rmdir(folder)
    }
}
