import Billing
import Money
import Testing

@testable import Pricing

struct PriceDiffTests {
    // Entries are compared by card and name; changes name each rate, old and new.
    @Test func comparesBooks() throws {
        let old = [
            try entry("gone", ["input": "1", "output": "2"]),
            try entry("kept", ["input": "1", "output": "2"]),
            try entry("dearer", maxOutput: 10, ["input": "1", "output": "2", "cache_read": "0.5"]),
            try entry("dearer", card: "gold", ["input": "1", "output": "2"]),
        ]
        let new = [
            try entry("kept", ["output": "2", "input": "1"]),
            try entry(
                "dearer", maxOutput: 20, ["input": "1.125", "output": "1", "input>1000": "3"],
                multipliers: ["region=us": 1_100_000]),
            try entry("dearer", card: "gold", ["input": "1", "output": "2"]),
            alias("nick", of: "dearer"),
        ]
        let diff = PriceDiff.between(old: old, new: new)
        #expect(diff.added.map(\.model) == ["nick"])
        #expect(diff.removed.map(\.model) == ["gone"])
        let change = try #require(diff.changed.first)
        #expect(diff.changed.count == 1 && change.model == "dearer" && change.card == "")
        let rates = change.rates.map { change in
            let cell = PriceRate(
                unit: change.unit, tier: change.tier, abovePromptTokens: change.abovePromptTokens)
            return "\(cell.fileKey) \(change.percentText)"
        }
        #expect(rates == ["cache_read gone", "input +12.5%", "input>1000 new", "output -50%"])
        #expect(
            change.fields == [
                .init(name: "max_output", old: "10", new: "20"),
                .init(name: "multipliers", old: "", new: "region=us ×1.1"),
            ])
    }

    // The same entries, in any order, do not differ.
    @Test func nothingDiffersFromItself() {
        let diff = PriceDiff.between(old: builtIn.entries, new: builtIn.entries.reversed())
        #expect(diff.isEmpty)
    }

    // The change is in hundredths of a per cent, rounded half to even.
    @Test(
        arguments: [
            (1_000_000, 1_100_000, 1_000, "+10%"), (3, 4, 3_333, "+33.33%"),
            (3, 1, -6_667, "-66.67%"),
            (1, 1_000_000, 9_999_990_000, "+99999900%"), (1_000_000, 1_000_001, 0, "+0%"),
            (20_000, 20_001, 0, "+0%"), (20_000, 20_003, 2, "+0.02%"), (5, 0, -10_000, "-100%"),
            (1_000, 1_205, 2_050, "+20.5%"), (10_000, 10_505, 505, "+5.05%"),
            (0, 7, nil, "was 0"), (nil, 7, nil, "new"), (7, nil, nil, "gone"),
        ] as [(Int64?, Int64?, Int64?, String)])
    func percent(old: Int64?, new: Int64?, basisPoints: Int64?, text: String) {
        let change = PriceDiff.RateChange(
            unit: .input, tier: .standard, abovePromptTokens: 0, old: old.map(Rate.init(picos:)),
            new: new.map(Rate.init(picos:)))
        #expect(change.basisPoints == basisPoints)
        #expect(change.percentText == text)
    }
}
