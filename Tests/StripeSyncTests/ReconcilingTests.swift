import Billing
import Engine
import FaregateTestSupport
import Simulators
import StripeSync
import Synchronization
import Testing

/// Comparing sums.
@Suite struct ReconcilingTests {
    // A meter that was deactivated is a problem that the status names, until it is back.
    @Test func deactivatedMeter() async throws {
        let month = try await SimulatedMonth(seed: 1, customers: 1)
        try await month.step(minutes: 60, hasTraffic: false, canCrash: false)
        #expect(try await month.process().status().problem == nil)
        let meter = month.meter
        month.stripe.account.withLock { $0.setMeter(meter, isActive: false) }
        for _ in 0..<20 {
            try await month.step(minutes: 30, hasTraffic: false, canCrash: false)
        }
        let problem = try await month.process().status().problem
        #expect(problem == "there is no active meter 'faregate_usage'")
        month.stripe.account.withLock { $0.setMeter(meter, isActive: true) }
        for _ in 0..<3 { try await month.step(minutes: 30, hasTraffic: false, canCrash: false) }
        #expect(try await month.process().status().problem == nil)
        await month.sync?.stop()
        await month.fixture.engine.shutdown()
    }

    // A comparison ends also when there is nobody to compare, and the next one can be asked for.
    @Test func endsWithNobody() async throws {
        let month = try await SimulatedMonth(seed: 1, customers: 0)
        let sync = try month.process()
        var numbers: Set<Int64> = []
        for _ in 1...3 {
            await sync.reconcileSoon()
            try await sync.turn()
            try await sync.turn()
            #expect(try await sync.status().lastRun?.at == month.fixture.clock.now().microseconds)
            numbers.insert(try await sync.status().lastRun?.sequence ?? 0)
            month.fixture.clock.set(month.fixture.clock.now().advanced(bySeconds: 60))
        }
        #expect(numbers.count == 3)
        await sync.stop()
        await month.fixture.engine.shutdown()
    }
}
