import Billing
import Money
import Pricing
import Testing

struct PriceEntryRulesTests {
    private func valid() -> PriceEntry {
        PriceEntry(
            model: "m", mode: "chat",
            rates: [
                PriceRate(unit: .output, rate: Rate(picos: 2)),
                PriceRate(unit: .input, tier: .batch, rate: Rate(picos: 1)),
                PriceRate(unit: .input, abovePromptTokens: 5, rate: Rate(picos: 3)),
                PriceRate(unit: .input, rate: Rate(picos: 4)),
            ],
            multipliers: [
                PriceMultiplier(attribute: "b=1", partsPerMillion: 2),
                PriceMultiplier(attribute: "a=1", partsPerMillion: 3),
            ])
    }

    private func fault(_ change: (inout PriceEntry) -> Void) -> PriceEntryError? {
        var entry = valid()
        change(&entry)
        do throws(PriceEntryError) {
            _ = try entry.checked()
            return nil
        } catch {
            return error
        }
    }

    // A checked entry has its rates and multipliers in order.
    @Test func sorts() throws {
        let entry = try valid().checked()
        #expect(entry.rates.map(\.fileKey) == ["input@batch", "input", "input>5", "output"])
        #expect(entry.multipliers.map(\.attribute) == ["a=1", "b=1"])
        #expect(try entry.checked() == entry)
    }

    // What cannot be priced, or would be free by omission, does not get into a book.
    @Test func refuses() {
        #expect(fault { _ in } == nil)
        #expect(fault { $0.model = "" } == .invalidModelName)
        #expect(fault { $0.model = "a\nb" } == .invalidModelName)
        #expect(fault { $0.model = String(repeating: "x", count: 257) } == .invalidModelName)
        #expect(fault { $0.card = "ceiling" } == .invalidCard)
        #expect(fault { $0.card = "a\u{7F}" } == .invalidCard)
        #expect(fault { $0.aliasOf = "other" } == .invalidAlias)
        #expect(fault { $0.rates[0].rate = Rate(picos: -1) } == .rateOutOfRange(.output))
        #expect(fault { $0.rates[0].rate = Rate(picos: .max) } == .rateOutOfRange(.output))
        #expect(fault { $0.rates[2].abovePromptTokens = -1 } == .thresholdOutOfRange(.input))
        #expect(
            fault { $0.rates[2].abovePromptTokens = 0 }
                == .duplicateRate(.input, .standard, abovePromptTokens: 0))
        #expect(fault { $0.multipliers[0].attribute = "a=1" } == .invalidMultiplier("a=1"))
        #expect(fault { $0.multipliers[0].attribute = "b" } == .invalidMultiplier("b"))
        #expect(fault { $0.multipliers[0].attribute = "=1" } == .invalidMultiplier("=1"))
        #expect(fault { $0.multipliers[0].attribute = "b=" } == .invalidMultiplier("b="))
        #expect(fault { $0.multipliers[0].partsPerMillion = 0 } == .invalidMultiplier("b=1"))
        #expect(fault { $0.multipliers[0].partsPerMillion = .max } == .invalidMultiplier("b=1"))
        #expect(fault { $0.rates.removeFirst() } == .incompleteRates)
        #expect(fault { $0.rates.removeLast(3) } == .incompleteRates)
        #expect(fault { $0.rates = [] } == .incompleteRates)
        #expect(fault { $0.maxInputTokens = 0 } == .invalidMaxInput)
        #expect(fault { $0.maxOutputTokens = -5 } == .invalidMaxOutput)
        #expect(fault { $0.deprecationDate = "soon" } == .invalidDeprecationDate)
    }

    // An alias has nothing but its target; an embedding model needs no output; a fee for the call
    // is a price.
    @Test func completeInTheirWay() throws {
        #expect(try alias("a", of: "b").checked().aliasOf == "b")
        #expect(throws: PriceEntryError.invalidAlias) { try alias("a", of: "a").checked() }
        #expect(try entry("e", mode: "embedding", ["input": "1"]).rates.count == 1)
        #expect(try entry("r", ["request": "1"]).rates.count == 1)
    }

    // Every fault names a member and reads as the end of a sentence.
    @Test func faultsSayWhatIsWrong() {
        let faults: [PriceEntryError] = [
            .invalidModelName, .invalidCard, .invalidAlias, .rateOutOfRange(.input),
            .thresholdOutOfRange(.input),
            .duplicateRate(.input, .batch, abovePromptTokens: 5), .invalidMultiplier("x"),
            .incompleteRates, .invalidMaxInput, .invalidMaxOutput, .invalidDeprecationDate,
        ]
        for fault in faults {
            #expect(fault.predicate.hasPrefix("must "))
            #expect(!fault.member.isEmpty)
        }
    }
}
