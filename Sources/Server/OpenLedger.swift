// A ledger in this process: its store, the engine on it and the API in front.
//
// Whoever has the ledger's lock opens it `owned`: everything can be done. Beside an owner it can
// only be opened `beside`: the log is folded as it stands, and nothing is ever written.

package import Billing
package import Engine
package import EventLog
package import HTTPAPI
import NIOPosix
package import Notifications
package import Projections
package import SQLiteEventLog
import TimeZones

package struct OpenLedger: Sendable {
    package let store: SQLiteEventStore
    package let engine: Engine
    package let api: API
    /// Follow the log once `start` is called, or something is asked of them.
    package let readModels: ReadModels
    /// Follow the log once `start` is called; nil: another process does.
    package let webhooks: Webhooks?

    /// Follows the log once it is started; nil: no key for Stripe, or another process does.
    package let stripe: StripePart?

    /// Absolute path of the ledger's file.
    package var path: String { store.path }

    /// ISO 4217, in capitals.
    package var currency: String { store.identity.currency }

    /// Events on the log by now.
    package var eventCount: UInt64 { store.head.sequence }

    /// What to make when there is no ledger at the path.
    package struct Creation: Sendable {
        package var currency: String
        package var isTestClock: Bool

        package init(currency: String = "USD", isTestClock: Bool = false) {
            self.currency = currency
            self.isTestClock = isTestClock
        }
    }

    /// Takes the ledger's lock and opens it for everything. The file work is done on a thread that
    /// may block.
    ///
    /// - Parameters:
    ///   - creation: nil: there must be a ledger.
    ///   - views: path of the read models' file; nil: beside the ledger's.
    ///   - notice: called with what should be known of the read models, in sentences.
    ///   - loading: called now and then with the events folded and the number to fold.
    package static func owned(
        path: String, creation: Creation? = nil, views: String? = nil,
        engine engineConfiguration: EngineConfiguration = EngineConfiguration(),
        api apiConfiguration: APIConfiguration = APIConfiguration(),
        notifications: NotificationSettings = NotificationSettings(),
        stripe: StripeConfiguration? = nil,
        log: @escaping @Sendable (APILogRecord) -> Void = { _ in },
        notice: @escaping @Sendable (String) -> Void = { _ in },
        loading: @escaping @Sendable (UInt64, UInt64) -> Void = { _, _ in }
    ) async throws(ServerFailure) -> OpenLedger {
        let ledger = try await blocking { () throws(ServerFailure) -> OpenLedger in
            let store: SQLiteEventStore
            do throws(StoreError) {
                store = try SQLiteEventStore.open(path: path, create: creation.map(newLedger))
            } catch {
                throw ServerFailure(error, path: path)
            }
            let readModels = ReadModels(
                store: store, path: views ?? viewsPath(beside: store.path), log: notice)
            let webhooks = Webhooks(
                store: store, path: webhooksPath(beside: store.path), settings: notifications,
                log: notice)
            let plan: StripePart.Plan?
            do throws(ServerFailure) {
                plan = try StripePart.Plan(stripe, store, path: stripePath(beside: store.path))
            } catch {
                store.close()
                throw error
            }
            return try start(
                store, path: path, engineConfiguration, apiConfiguration, readModels, webhooks,
                stripe: { engine in plan.map { StripePart($0, engine, log: notice) } },
                log: log, loading: loading)
        }
        do throws(EngineError) {
            try await Genesis.open(ledger.engine)
        } catch {
            await ledger.shutdown()
            throw ServerFailure(error, path: path)
        }
        return ledger
    }

    /// Opens the ledger's log for reading, whoever owns it. What is asked is answered as of the
    /// newest event when it was opened; commands are refused.
    package static func beside(
        path: String, api: APIConfiguration = APIConfiguration(),
        loading: @escaping @Sendable (UInt64, UInt64) -> Void = { _, _ in }
    ) async throws(ServerFailure) -> OpenLedger {
        try await blocking { () throws(ServerFailure) -> OpenLedger in
            let store = try openSQLiteBeside(path)
            // A clock that stands still at the last event: what came due since is the owner's to
            // record.
            return try start(
                store, path: path, EngineConfiguration(), api,
                ReadModels(beside: store, path: viewsPath(beside: store.path)), nil,
                clock: ManualClock(.zero), log: { _ in }, loading: loading)
        }
    }

    /// The store alone, for reading, whoever owns it. Blocks.
    package static func openStoreBeside(_ path: String) throws(ServerFailure) -> any EventStore {
        try openSQLiteBeside(path)
    }

    private static func openSQLiteBeside(
        _ path: String
    ) throws(ServerFailure) -> SQLiteEventStore {
        do throws(StoreError) {
            return try SQLiteEventStore.openReadOnly(path: path)
        } catch {
            throw ServerFailure(error, path: path)
        }
    }

    /// Finishes what was accepted and closes the files.
    package func shutdown() async {
        let readModels = readModels
        // What is appended after this is folded in at the next start.
        try? await blocking { () throws(ServerFailure) in readModels.close() }
        await webhooks?.close()
        await stripe?.shutdown()
        await engine.shutdown()
    }

    /// Where the read models of the ledger at `path` are kept, unless another place is named.
    package static func viewsPath(beside path: String) -> String { path + ".views" }

    /// Where the webhooks of the ledger at `path` are kept.
    package static func webhooksPath(beside path: String) -> String { path + ".webhooks" }

    /// Where what is to be pushed to Stripe is kept.
    package static func stripePath(beside path: String) -> String { path + ".stripe" }

    private static func start(
        _ store: SQLiteEventStore, path: String, _ configuration: EngineConfiguration,
        _ api: APIConfiguration, _ readModels: ReadModels, _ webhooks: Webhooks?,
        clock: (any LedgerClock)? = nil,
        stripe: (Engine) -> StripePart? = { _ in nil },
        log: @escaping @Sendable (APILogRecord) -> Void,
        loading: (UInt64, UInt64) -> Void
    ) throws(ServerFailure) -> OpenLedger {
        let ownClock: any LedgerClock =
            store.identity.isTestClock ? ManualClock(testClockStart) : SystemClock()
        let engine: Engine
        do throws(EngineError) {
            engine = try Engine(
                store: store, clock: clock ?? ownClock,
                calendar: BudgetCalendar(TimeZoneDatabase()), configuration: configuration,
                progress: loading)
        } catch {
            store.close()
            throw ServerFailure(error, path: path)
        }
        let part = stripe(engine)
        return OpenLedger(
            store: store, engine: engine,
            api: API(
                engine: engine, configuration: api, readModels: readModels, webhooks: webhooks,
                stripe: part?.sync, log: log),
            readModels: readModels, webhooks: webhooks, stripe: part)
    }

    /// Where a new test clock stands until it is set: 2000-01-01T00:00:00Z, before anything that
    /// tests are about, and the same in every run.
    package static let testClockStart = Instant(microseconds: 946_684_800_000_000)

    private static func newLedger(_ creation: Creation) -> NewLedger {
        var random = SystemRandomNumberGenerator()
        let id = [random.next(), random.next()].map { (half: UInt64) -> String in
            let digits = String(half, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        let created = creation.isTestClock ? testClockStart : SystemClock().now()
        return NewLedger(
            identity: LedgerIdentity(
                ledgerID: "ledger_" + id.joined(), currency: creation.currency,
                isTestClock: creation.isTestClock),
            createdMicroseconds: created.microseconds)
    }
}

/// Runs `body` on a thread that may block, never on the cooperative pool.
package func blocking<Result: Sendable>(
    _ body: @escaping @Sendable () throws(ServerFailure) -> Result
) async throws(ServerFailure) -> Result {
    do {
        return try await NIOThreadPool.singleton.runIfActive(body)
    } catch let failure as ServerFailure {
        throw failure
    } catch {
        throw ServerFailure(.inputOutput, "cancelled", "interrupted (\(error))")
    }
}
