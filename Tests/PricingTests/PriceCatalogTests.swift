import Billing
import Money
import Pricing
import Testing

struct PriceCatalogTests {
    private func model(_ name: String, card: String = "", input: String) throws -> PriceEntry {
        try entry(name, card: card, ["input": input, "output": "1"])
    }

    private func inputRate(_ entry: PriceEntry?) -> String? {
        entry?.rates.first { $0.unit == .input }?.rate.decimalPerMillionText
    }

    // A version is the one before it with entries put in or taken out, and stays what it was for
    // ever.
    @Test func versionsAccumulateAndNeverChange() throws {
        var catalog = PriceCatalog()
        #expect(catalog.latestVersion == 0)
        #expect(catalog.version(at: .max) == nil)
        catalog.publish(
            version: 1, effectiveMicroseconds: 100,
            upserts: [try model("a", input: "1"), try model("b", input: "2")], removals: [])
        catalog.publish(
            version: 2, effectiveMicroseconds: 200, upserts: [try model("a", input: "3")],
            removals: [("b", ""), ("never-there", "")])
        catalog.publish(
            version: 3, effectiveMicroseconds: 300, upserts: [try model("b", input: "4")],
            removals: [])

        #expect(catalog.latestVersion == 3)
        func rate(_ name: String, _ version: Int64) -> String? {
            inputRate(catalog.entry(model: name, card: "", version: version))
        }
        #expect([1, 2, 3].map { rate("a", $0) } == ["1", "3", "3"])
        #expect([1, 2, 3].map { rate("b", $0) } == ["2", nil, "4"])
        #expect(rate("a", 0) == nil)
        #expect(catalog.entries(version: 1).map(\.model) == ["a", "b"])
        #expect(catalog.entries(version: 2).map(\.model) == ["a"])
        #expect(
            catalog.resolve(model: "b", card: "", version: 1)?.reference
                == PriceReference(bookVersion: 1, entry: "b", card: "", chain: ["b"]))
        #expect(catalog.resolve(model: "b", card: "", version: 2) == nil)
    }

    // Within one version removals come first, and the last of two entries of one name stands.
    @Test func removalsComeBeforeUpserts() throws {
        var catalog = PriceCatalog()
        catalog.publish(
            version: 1, effectiveMicroseconds: 0,
            upserts: [try model("a", input: "1"), try model("a", input: "2")],
            removals: [("a", "")])
        #expect(inputRate(catalog.entry(model: "a", card: "", version: 1)) == "2")
    }

    // In force is the version with the latest effective instant that has come; of equals the
    // higher.
    @Test func effectiveInstants() {
        var catalog = PriceCatalog()
        for (index, effective) in ([100, 100, 300, 200, 300] as [Int64]).enumerated() {
            catalog.publish(
                version: Int64(index) + 1, effectiveMicroseconds: effective, upserts: [],
                removals: [])
        }
        #expect(catalog.version(at: 99) == nil)
        #expect(catalog.version(at: 100) == 2)
        #expect(catalog.version(at: 199) == 2)
        #expect(catalog.version(at: 200) == 4)
        #expect(catalog.version(at: 299) == 4)
        #expect(catalog.version(at: 300) == 5)
        #expect(catalog.version(at: .max) == 5)
    }

    // Versions are published one after the other.
    @Test func versionsComeInOrder() async {
        await #expect(processExitsWith: .failure) {
            var catalog = PriceCatalog()
            catalog.publish(version: 2, effectiveMicroseconds: 0, upserts: [], removals: [])
        }
    }

    // A copy is a catalog of its own: what is published to one is unknown to the other, also in the
    // answers that are remembered.
    @Test func copiesAreIndependent() throws {
        var original = catalog([try model("gpt-x", input: "1")])
        #expect(original.resolve(model: "gpt-x-2026-01-01", card: "", version: 1) != nil)
        var copy = original
        original.publish(
            version: 2, effectiveMicroseconds: 1, upserts: [try model("gpt-x", input: "2")],
            removals: [])
        copy.publish(
            version: 2, effectiveMicroseconds: 1, upserts: [], removals: [("gpt-x", "")])
        let dated = "gpt-x-2026-01-01"
        #expect(inputRate(original.resolve(model: dated, card: "", version: 2)?.entry) == "2")
        #expect(copy.resolve(model: dated, card: "", version: 2) == nil)
        #expect(inputRate(copy.resolve(model: dated, card: "", version: 1)?.entry) == "1")
    }

    // Overrides come before the provider's price, and go away again.
    @Test func overridesComeFirst() throws {
        var catalog = catalog([try model("a", input: "1")])
        catalog.publish(
            version: 2, effectiveMicroseconds: 1,
            upserts: [try model("a", card: "override", input: "0.5")], removals: [])
        catalog.publish(
            version: 3, effectiveMicroseconds: 2, upserts: [], removals: [("a", "override")])
        let rates = ([1, 2, 3] as [Int64]).map {
            inputRate(catalog.resolve(model: "a", card: "", version: $0)?.entry)
        }
        #expect(rates == ["1", "0.5", "1"])
        #expect(catalog.resolve(model: "a", card: "", version: 2)?.reference.card == "override")
        #expect(catalog.cards(version: 2) == ["", "override"])
        #expect(catalog.cards(version: 3) == [""])
        #expect(catalog.entries(version: 2, card: "override").count == 1)
        #expect(catalog.entries(version: 2, card: "nobody").isEmpty)
    }

    // A rate card prices only what it has; the terms fall back to the markup for the rest.
    @Test func rateCardsPriceWhatTheyHave() throws {
        let catalog = catalog([
            try model("a", input: "1"), try model("b", input: "2"),
            try model("a", card: "gold", input: "3"), alias("nick", of: "a"),
        ])
        func terms(_ model: String, _ card: String?) -> RatingTerms? {
            catalog.terms(
                model: model, rateCard: card, markupPartsPerMillion: 5, version: 1)
        }
        #expect(inputRate(terms("a", "gold")?.card?.entry) == "3")
        #expect(inputRate(terms("a", "gold")?.price.entry) == "1")
        #expect(terms("b", "gold")?.card == nil)
        #expect(terms("b", "gold")?.markupPartsPerMillion == 5)
        #expect(terms("a", nil)?.card == nil)
        #expect(terms("a", "silver")?.card == nil)
        // An alias among the provider prices leads to the card's entry too.
        #expect(terms("nick", "gold")?.card?.reference.chain == ["nick", "a"])
        #expect(terms("c", "gold") == nil)
    }

    // Served models are rated as served; where the name has no price, as asked, marked.
    @Test func servedModels() throws {
        let catalog = catalog([try model("a", input: "1"), try model("b", input: "2")])
        func terms(served: String?, asked: String = "a") -> RatingTerms? {
            catalog.terms(
                servedModel: served, askedModel: asked, rateCard: nil, markupPartsPerMillion: 0,
                version: 1)
        }
        #expect(terms(served: nil)?.price.reference.entry == "a")
        #expect(terms(served: "a")?.marks == [])
        #expect(terms(served: "b-2026-04-23")?.price.reference.chain == ["b-2026-04-23", "b"])
        #expect(terms(served: "who")?.price.reference.entry == "a")
        #expect(terms(served: "who")?.marks == [.servedModelUnpriced])
        #expect(terms(served: "who", asked: "what") == nil)
    }

    // Random histories agree with plain tables kept for each version.
    @Test func agreesWithPlainTables() throws {
        var random = SplitMix64(seed: 41)
        var catalog = PriceCatalog()
        var tables: [[String: String]] = [[:]]
        for version in 1...200 as ClosedRange<Int64> {
            var table = tables[Int(version) - 1]
            var removals: [(model: String, card: String)] = []
            var upserts: [PriceEntry] = []
            for _ in 0..<random.int(0...3) {
                let name = "m\(random.int(0...9))"
                removals.append((name, ""))
                table[name] = nil
            }
            for _ in 0..<random.int(0...3) {
                let (name, input) = ("m\(random.int(0...9))", "\(random.int(1...99))")
                upserts.append(try model(name, input: input))
                table[name] = input
            }
            catalog.publish(
                version: version, effectiveMicroseconds: version, upserts: upserts,
                removals: removals)
            tables.append(table)
        }
        for (version, table) in tables.enumerated() {
            let entries = catalog.entries(version: Int64(version))
            #expect(entries.map(\.model) == table.keys.sorted())
            for entry in entries { #expect(inputRate(entry) == table[entry.model]) }
        }
    }
}
