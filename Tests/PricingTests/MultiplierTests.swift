import Billing
import Money
import Pricing
import Testing

struct MultiplierTests {
    private func model() throws -> PriceEntry {
        try entry(
            "m", ["input": "2", "output": "10", "web_search": "10000"],
            multipliers: ["region=us": 1_100_000, "region=eu": 1_200_000, "speed=fast": 2_000_000])
    }

    private func rate(_ attributes: [String], markup: Int64 = 0) throws -> RatedUsage {
        try Rating.rate(
            usage {
                $0.inputTokens = 1_000
                $0.webSearches = 1
                $0.attributes = attributes
            }, terms: terms(try model(), markup: markup))
    }

    // A multiplier acts on all rates of the entry, fees too; several multiply.
    @Test func multipliersAct() throws {
        #expect(try rate([]).cost == Money(nanos: 12_000_000))
        #expect(try rate(["region=us"]).cost == Money(nanos: 13_200_000))
        #expect(try rate(["region=us", "speed=fast"]).cost == Money(nanos: 26_400_000))
        #expect(
            try rate(["speed=fast", "region=us"], markup: 250_000).charge
                == Money(nanos: 33_000_000))
    }

    // An attribute without a multiplier changes nothing and is marked.
    @Test func unknownAttributesAreMarked() throws {
        let rated = try rate(["region=mars", "speed=fast"])
        #expect(rated.cost == Money(nanos: 24_000_000))
        #expect(rated.marks == [.unknownMultiplier])
    }

    // The same attribute twice is one attribute; two values of one name are a contradiction, and
    // the dearer counts.
    @Test func repeatedAttributes() throws {
        #expect(try rate(["speed=fast", "speed=fast"]).cost == Money(nanos: 24_000_000))
        let rated = try rate(["region=us", "region=eu"])
        #expect(rated.cost == Money(nanos: 14_400_000))
        #expect(rated.marks == [.contradictoryUsage])
    }

    // The card's own multipliers make the charge.
    @Test func cardsHaveTheirOwnMultipliers() throws {
        let card = try entry("m", card: "gold", ["input": "3", "output": "12"])
        let rated = try Rating.rate(
            usage {
                $0.inputTokens = 1_000
                $0.attributes = ["region=us"]
            }, terms: terms(try model(), card: card))
        #expect(rated.cost == Money(nanos: 2_200_000))
        #expect(rated.charge == Money(nanos: 3_000_000))
        #expect(rated.marks == [.unknownMultiplier])
    }

    // Factors are exact fractions: a third of three is one, and the rounding is one.
    @Test func factorsAreExact() throws {
        let model = try entry(
            "m", ["input": "0.003", "output": "1"],
            multipliers: ["a=b": 333_333, "c=d": 3_000_003])
        let rated = try Rating.rate(
            usage {
                $0.inputTokens = 1_000_000
                $0.attributes = ["a=b", "c=d"]
            }, terms: terms(model, markup: 1_000))
        // 3,000,000 nano × 0.333333 × 3.000003 = 2,999,999.999997 nano; × 1.001 = 3,002,999.999997.
        #expect(rated.cost == Money(nanos: 3_000_000))
        #expect(rated.charge == Money(nanos: 3_003_000))
    }

    // Factors whose product leaves the range are an error.
    @Test func factorsMayOverflow() throws {
        var odd: [String: Int64] = [:]
        for index in 0..<8 { odd["k\(index)=v"] = 999_999_937 - Int64(index) * 2 }
        let model = try entry("m", ["input": "1000000000", "output": "1"], multipliers: odd)
        #expect(throws: MoneyError.overflow) {
            try Rating.rate(
                usage {
                    $0.inputTokens = 1_000
                    $0.attributes = Array(odd.keys)
                }, terms: terms(model))
        }
        #expect(throws: QuoteError.overflow) {
            try Quoting.quote(
                UsageEstimate(inputTokens: 1_000, maxOutputTokens: 1, attributes: Array(odd.keys)),
                terms: terms(model))
        }
    }
}
