import Billing
import CanonicalJSON
import Money
import Testing

@testable import Pricing

struct PriceFileTests {
    private static let text = """
        {
        "format":"faregate-price-book",
        "format_version":1,
        "name":"a contract",
        "date":"2026-11-22",
        "currency":"EUR",
        "note":"by \\"hand\\"",
        "sources":{
        "5e0c2f5a":"https://prices.example/list"
        },
        "models":[
        {"model":"a","provider":"p","mode":"chat","max_input":128000,"max_output":4096,"rates":\
        {"input@batch":"1.25","input":"2.5","input>272000":"5","output":"10"},"multipliers":\
        {"region=us":"1.1"},"source":"5e0c2f5a","deprecation_date":"2027-01-31"},
        {"model":"b","alias_of":"a"},
        {"model":"a","card":"gold","rates":{"input":"2","output":"9.999999"},"source":"contract"}
        ]
        }

        """

    private func parse(_ text: String) throws -> PriceFile {
        try PriceFile.parse(Array(text.utf8))
    }

    private func fault(_ text: String) -> String? {
        do throws(PriceFileError) {
            _ = try PriceFile.parse(Array(text.utf8))
            return nil
        } catch {
            return "\(error)"
        }
    }

    // A file is read to the entries that stand in it.
    @Test func reads() throws {
        let file = try parse(Self.text)
        #expect(file.name == "a contract" && file.date == "2026-11-22" && file.currency == "EUR")
        #expect(file.note == "by \"hand\"")
        #expect(file.entries.map(\.model) == ["a", "b", "a"])
        let first = file.entries[0]
        #expect(first.source == "https://prices.example/list")
        #expect(first.rates.map(\.fileKey) == ["input@batch", "input", "input>272000", "output"])
        #expect(first.rates.map(\.rate.picos) == [1_250_000, 2_500_000, 5_000_000, 10_000_000])
        #expect(
            first.multipliers == [
                PriceMultiplier(attribute: "region=us", partsPerMillion: 1_100_000)
            ])
        #expect(first.maxInputTokens == 128_000 && first.deprecationDate == "2027-01-31")
        #expect(file.entries[1].aliasOf == "a")
        #expect(file.entries[2].card == "gold" && file.entries[2].source == "contract")
    }

    // What is written reads back as the same, and the same entries always give the same bytes.
    @Test func writesWhatItReads() throws {
        let file = try parse(Self.text)
        let bytes = file.serialized()
        #expect(try PriceFile.parse(bytes) == file)
        var shuffled = file
        shuffled.entries.reverse()
        #expect(shuffled.serialized() == bytes)
        // One model a line.
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        #expect(lines.count { $0.hasPrefix("{\"model\":") } == 3)
    }

    // The built-in file is written just as this program writes it: a change of prices is a diff of
    // the lines that changed, and nothing else.
    @Test func theBuiltInFileIsInItsWrittenForm() {
        #expect(builtIn.serialized() == Array(BuiltInPrices.bytes))
    }

    // What is misspelt, missing, of the wrong type or impossible is refused, with its place.
    @Test(arguments: [
        ("\"faregate-price-book\"", "\"other\"", "format must be"),
        ("\"format_version\":1", "\"format_version\":2", "format_version must be 1"),
        ("\"date\":\"2026-11-22\",", "", "date is required"),
        ("\"date\":", "\"dated\":", "dated is not a known field"),
        ("\"note\":", "\"notes\":", "notes is not a known field"),
        ("\"EUR\"", "\"EURO\"", "currency must have at most 3"),
        ("\"max_output\":4096", "\"max_outptu\":4096", "models[0].max_outptu is not a known field"),
        ("\"max_output\":4096", "\"max_output\":0", "models[0].max_output of a must be between"),
        ("\"output\":\"10\"", "\"output\":10", "models[0].rates.output must be a string"),
        ("\"output\":\"10\"", "\"output\":\"1e1\"", "models[0].rates.output must be a price"),
        ("\"output\":\"10\"", "\"output\":\"0.0000001\"", "models[0].rates.output must be a price"),
        ("\"output\":\"10\"", "\"output\":\"-1\"", "models[0].rates of a must price output"),
        ("\"output\":\"10\"", "\"input\":\"10\"", "duplicate member"),
        ("input@batch", "input@fast", "models[0].rates[\"input@fast\"] must be named"),
        ("input>272000", "input>0272000", "must be named"),
        ("input>272000", "input>0", "must be named"),
        ("input@batch", "input@standard", "must be named"),
        ("input@batch", "inputs", "models[0].rates.inputs must be named"),
        (",\"output\":\"9.999999\"", "", "models[2].rates of a must price input, and output"),
        ("\"1.1\"", "\"x\"", "must be a decimal factor"),
        ("\"1.1\"", "\"0\"", "models[0].multipliers of a must be name=value"),
        ("\"alias_of\":\"a\"", "\"alias_of\":\"b\"", "models[1].alias_of of b must name another"),
        (
            "\"model\":\"b\",\"alias_of\":\"a\"", "\"model\":\"a\",\"alias_of\":\"b\"",
            "models has a twice"
        ),
        ("]\n}", "]\n", "JSON ends too early"),
    ])
    func refuses(part: String, replacement: String, message: String) throws {
        let pieces = Self.text.split(
            separator: part, maxSplits: 1, omittingEmptySubsequences: false)
        try #require(pieces.count == 2)
        let description = try #require(fault(pieces[0] + replacement + pieces[1]))
        #expect(description.contains(message), "\(description)")
    }

    // Random bytes and every cut of a good file are refused, never a crash.
    @Test func survivesDamage() {
        let bytes = Array(Self.text.utf8)
        for end in 0..<bytes.count - 2 {
            #expect(throws: PriceFileError.self) { try PriceFile.parse(Array(bytes[..<end])) }
        }
        var random = SplitMix64(seed: 51)
        for _ in 0..<3_000 {
            var damaged = bytes
            for _ in 0..<random.int(1...4) {
                damaged[Int(random.int(0...Int64(bytes.count - 1)))] = UInt8(random.int(0...255))
            }
            if let file = try? PriceFile.parse(damaged) {
                #expect((try? PriceFile.parse(file.serialized())) == file)
            }
        }
    }

    // Source ids come from the text alone: another source changes no other line.
    @Test func sourceIdsAreStable() throws {
        func lines(_ sources: [String]) throws -> Set<Substring> {
            let entries = try sources.map { source in
                var model = try entry("m-\(source)", ["input": "1", "output": "2"])
                model.source = source
                return model
            }
            let file = PriceFile(name: "n", date: "2026", entries: entries)
            let text = String(decoding: file.serialized(), as: UTF8.self)
            return Set(
                text.split(separator: "\n").filter { $0.hasPrefix("{\"model\"") }.map {
                    $0.hasSuffix(",") ? $0.dropLast() : $0
                })
        }
        let few = try lines(["b", "d"])
        let more = try lines(["a", "b", "c", "d", "e"])
        #expect(few.count == 2 && more.count == 5)
        #expect(few.isSubset(of: more))
    }
}
