// Stripe's side of a ledger that is served.

import Engine
import EventLog
import StripeAPI
package import StripeSync

package struct StripePart: Sendable {
    package let sync: StripeSync
    private let client: StripeClient

    /// What can go wrong does so here, before there is an engine.
    struct Plan {
        let client: StripeClient
        let configuration: StripeConfiguration
        let path: String

        init?(
            _ configuration: StripeConfiguration?, _ store: any EventStore, path: String
        ) throws(ServerFailure) {
            guard let configuration else { return nil }
            if configuration.key.isLive, store.identity.isTestClock {
                throw ServerFailure(
                    .configuration, "live_key_on_test_ledger",
                    "stripe_key is a live key, and this ledger has a test clock: it never bills"
                        + " real money")
            }
            client = try configuration.client()
            self.configuration = configuration
            self.path = path
        }
    }

    init(_ plan: Plan, _ engine: Engine, log: @escaping @Sendable (String) -> Void) {
        client = plan.client
        sync = StripeSync(
            ledger: engine, store: engine.store, client: client, path: plan.path,
            settings: plan.configuration.settings(currency: engine.store.identity.currency),
            webhooks: plan.configuration.gate, clock: engine.clock, log: log)
    }

    func start(wokenBy commits: CommitSignal) async { await sync.start(wokenBy: commits) }

    /// What is under way is broken off, and sent again at the next start.
    func shutdown() async {
        await sync.stop()
        await client.shutdown()
    }
}
