import Billing
import Engine
import FaregateTestSupport
import StripeSync
import Testing

/// Comparing sums.
@Suite struct ReconcilingTests {
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
