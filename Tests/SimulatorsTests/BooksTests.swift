import CanonicalJSON
import Synchronization
import Testing
import Tokenizers

@testable import Simulators

/// Texts in the order in which they came.
final class Recorder: Sendable {
    private let texts = Mutex<[String]>([])
    func add(_ text: String) { texts.withLock { $0.append(text) } }
    var all: [String] { texts.withLock { $0 } }
}

@Suite struct SimulatorBooksTests {
    // What answers report and what the books have add up to the same.
    @Test func totals() async throws {
        try await SimulatorFixture.run { fixture in
            var (input, output) = (0, 0)
            for number in 0..<5 {
                let usage = try await fixture.chat("", prompt: "Number \(number)").json["usage"]
                input += usage?["prompt_tokens"]?.integer ?? 0
                output += usage?["completion_tokens"]?.integer ?? 0
            }
            _ = try await fixture.newest()
            let totals = fixture.simulator.books.totals
            #expect(totals.requests == 5 && totals.inFlight == 0)
            #expect(totals.inputTokens == input && totals.outputTokens == output)
            let books = try await fixture.get("/_served?after=3").json
            #expect(at(books, "totals", "output_tokens")?.integer == output)
            #expect(at(books, "requests")?.items.compactMap { $0["number"]?.integer } == [4, 5])
        }
    }

    // Keys are told apart and never kept; a watched text is found in whichever header it stands.
    @Test func keys() async throws {
        try await SimulatorFixture.run { fixture in
            _ = try await fixture.post("/_control", #"{"watch":["fg_secret"]}"#)
            _ = try await fixture.chat("")
            #expect(try await fixture.newest().credential == .own)
            _ = try await fixture.post("/v1/chat/completions", "{}", key: "fg_secret")
            let other = try await fixture.newest()
            #expect(other.credential == .other && other.leaks == ["authorization"])
            #expect(other.headers.contains("authorization"))
            _ = try await fixture.post("/v1/chat/completions", "{}", key: nil)
            #expect(try await fixture.newest().credential == .none)
            // A right key does not excuse a wrong one.
            _ = try await fixture.post(
                "/v1/chat/completions", "{}", headers: ["x-api-key": "fg_secret"])
            #expect(try await fixture.newest().credential == .other)
            #expect(try await !fixture.get("/_served").text.contains("fg_secret"))
        }
    }

    // The queue serves one request each, randomness is a share by seed, the model's name works too.
    @Test func sources() async throws {
        try await SimulatorFixture.run { fixture in
            _ = try await fixture.post("/_control", #"{"next":["status=503","output=2"]}"#)
            #expect(try await fixture.chat("").status == 503)
            #expect(
                at(try await fixture.chat("").json, "usage", "completion_tokens")?.integer == 2)
            #expect(try await fixture.chat("").status == 200)
            let named = try await fixture.post(
                "/v1/chat/completions",
                #"{"model":"gpt-4o+output=4","messages":[{"role":"user","content":"x"}]}"#
            ).json
            #expect(at(named, "usage", "completion_tokens")?.integer == 4)
            #expect(named["model"]?.text == "gpt-4o-2024-08-06")
            _ = try await fixture.post(
                "/_control", #"{"random":{"percent":50,"seed":1,"lines":["status=500"]}}"#)
            var failed = 0
            for _ in 0..<60 where try await fixture.chat("").status == 500 { failed += 1 }
            #expect((15...45).contains(failed))
            _ = try await fixture.post("/_control", #"{"clear":true}"#)
            #expect(try await fixture.chat("").status == 200)
            #expect(fixture.simulator.books.requests.count == 1)
            let unknown = try await fixture.post("/_control", #"{"nxt":[]}"#)
            #expect(unknown.status == 400 && unknown.text.contains("nxt"))
        }
    }

    // What is not understood is named; later instructions win over earlier ones.
    @Test func instructions() throws {
        let orders = try Instructions("status=429, retry_after=0.5 ,no_usage")
        #expect(orders.status == 429 && orders.retryAfter == "0.5" && orders.hasNoUsage)
        for wrong in ["statu=429", "status", "status=99", "no_usage=1", "cost=much", "output=-1"] {
            #expect(throws: InstructionError.self, "\(wrong)") { try Instructions(wrong) }
        }
        let merged = try Instructions("status=500,output=3").overridden(
            by: Instructions("status=503"))
        #expect(merged.status == 503 && merged.output == 3)
        #expect(InstructionSource.line(in: "Hi [[cut_after=3]] there") == "cut_after=3")
        #expect(InstructionSource.line(in: "array[[0]]") == nil)
        #expect(InstructionSource.line(in: "[[no_usage]] [[output=1]]") == "output=1")
        #expect(InstructionSource.line(in: "[[") == nil)
    }

    // Each word with its blank is one token in both encodings, so a text cut anywhere has as many
    // tokens as pieces.
    @Test(arguments: TokenEncoding.allCases)
    func wordsAreTokens(encoding: TokenEncoding) {
        let tokenizer = Tokenizer.named(encoding)
        for word in Words.list {
            #expect(tokenizer.count(word) == 1 && tokenizer.count(" " + word) == 1, "\(word)")
        }
        var generator = SplitMix(7)
        let pieces = Words.text(&generator, count: 300)
        for count in stride(from: 0, through: 300, by: 25) {
            #expect(tokenizer.count(pieces.prefix(count).joined()) == count)
        }
    }

    // Values fit their schema: chosen, bounded, referred to, nested and recursive ones.
    @Test func schemas() throws {
        func filled(_ schema: String) throws -> String {
            SchemaFiller(try StrictJSON.parse(schema)).text
        }
        #expect(try filled(#"{"enum":["b","a"]}"#) == #""b""#)
        #expect(try filled(#"{"type":"integer","maximum":3}"#) == "3")
        #expect(try filled(#"{"type":["string","null"],"maxLength":4}"#) == #""some""#)
        #expect(try filled(#"{"anyOf":[{"type":"boolean"},{"type":"null"}]}"#) == "true")
        #expect(
            try filled(
                ##"{"$defs":{"A":{"type":"array","items":{"const":1},"minItems":2}},"type":"object","properties":{"a":{"$ref":"#/$defs/A"}}}"##
            ) == #"{"a":[1,1]}"#)
        // Ends.
        _ = try filled(
            ##"{"type":"object","properties":{"self":{"$ref":"#"},"more":{"$ref":"#/properties"}}}"##
        )
    }
}
