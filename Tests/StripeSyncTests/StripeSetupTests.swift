import CanonicalJSON
import Simulators
import StripeAPI
import StripeSimulation
import StripeSync
import Testing

/// Setting Stripe up.
@Suite struct StripeSetupTests {
    private func stripe() throws -> (SimulatedStripe, StripeClient) {
        let stripe = SimulatedStripe(StripeAccount(seed: 1, now: 1_772_323_200_000_000)) {
            1_772_323_200_000_000
        }
        return (stripe, stripe.client())
    }

    // However often it is asked for, everything is made once.
    @Test func idempotent() async throws {
        let (_, client) = try stripe()
        let made = try await StripeSetup().run(client)
        #expect(made.map(\.outcome) == [.made, .made, .made])
        let found = try await StripeSetup().run(client)
        #expect(found.map(\.outcome) == [.found, .found, .found])
        #expect(found.map(\.id) == made.map(\.id))
        let price = try await client.perform(
            StripeCalls.prices(lookupKey: StripeSetup().lookupKey))
        let one = price.body.member("data")?.elements.first
        #expect(one?.member("unit_amount_decimal") == .string("0.0001"))
        #expect(one?.member("recurring")?.member("meter") == .string(made[0].id))
    }

    // A dry run changes nothing.
    @Test func dryRun() async throws {
        let (_, client) = try stripe()
        var setup = StripeSetup()
        setup.isDryRun = true
        #expect(try await setup.run(client).map(\.outcome) == [.missing, .missing, .missing])
        let meters = try await client.perform(StripeMeter.list)
        #expect(meters.body.member("data")?.elements.isEmpty == true)
    }

    // What would bill something else is not taken for ours.
    @Test func unfitPrice() async throws {
        let (_, client) = try stripe()
        var setup = StripeSetup()
        let made = try await setup.run(client)
        _ = try await client.perform(
            StripeCalls.createPrice(
                product: made[1].id, meter: made[0].id, currency: "usd", unitAmountDecimal: "0.01",
                interval: "week", lookupKey: "\(setup.meter)_usd_week"))
        setup.interval = "week"
        await #expect(throws: StripeSetup.Failure.self) { try await setup.run(client) }
    }

    // Each currency's price makes a micro-unit cost a millionth of the unit.
    @Test(arguments: [("usd", 100, "0.0001"), ("JPY", 1, "0.000001"), ("kwd", 1_000, "0.001")])
    func currencies(code: String, minorUnits: Int64, price: String) {
        #expect(StripeCurrency.minorUnitsPerUnit(code) == minorUnits)
        #expect(StripeCurrency.microUnitPrice(code) == price)
    }
}
