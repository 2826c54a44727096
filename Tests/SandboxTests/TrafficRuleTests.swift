import Testing

@testable import Sandbox

struct TrafficRuleTests {
    private func plans(seed: UInt64) throws -> [PlannedCall] {
        let rule = TrafficRule(
            seed: seed, customers: Cast.standard(requests: 2_000).customers.count)
        var reader = try TraceReader(.sample)
        var calls: [PlannedCall] = []
        while let row = try reader.next() { calls.append(rule.plan(row)) }
        return calls
    }

    private func text(_ call: PlannedCall) -> String {
        let customer = Cast.standard(requests: 2_000).customers[call.customer].id
        return "\(call.line) \(customer) \(call.model) \(call.fate.rawValue) "
            + "\(call.contextTokens) \(call.generatedTokens) \(call.maxOutputTokens) "
            + "\(call.expectedOutputTokens)"
    }

    // The rule as written, worked out by another program for the first twenty lines of the sample.
    @Test func spreadsTheSampleAsWritten() throws {
        let expected = [
            "2 alder claude-haiku-4-5 settled 374 44 128 128",
            "3 cedar gpt-5.5 settled 396 109 256 256",
            "4 oak o4-mini settled 879 55 128 128",
            "5 alder gpt-4o-mini settled 91 16 64 64",
            "6 birch gpt-4o settled 91 16 64 64",
            "7 alder gpt-4o-mini settled 381 84 128 128",
            "8 ginkgo gpt-5-mini settled 1313 142 256 256",
            "9 alder gpt-4o-mini settled 388 84 128 128",
            "10 birch gpt-4o settled 242 14 64 64",
            "11 cedar gpt-4o-mini settled 209 152 256 256",
            "12 dogwood claude-haiku-4-5 settled 394 124 256 256",
            "13 birch claude-haiku-4-5 settled 394 59 128 128",
            "14 birch gpt-5.5 settled 1315 174 512 440",
            "15 hazel gemini-2.5-flash settled 2221 15 64 64",
            "16 ginkgo gpt-4o-mini settled 389 90 256 256",
            "17 cedar claude-haiku-4-5 settled 415 106 256 256",
            "18 elm gpt-4o-mini settled 120 12 64 64",
            "19 cedar gpt-4o-mini settled 369 74 128 128",
            "20 larch gpt-4o settled 206 162 256 256",
            "21 alder gpt-5.5 settled 1353 142 256 256",
        ]
        #expect(try plans(seed: 2_023).prefix(20).map(text) == expected)
    }

    // The same program's counts over the whole sample: every fate and every customer occurs.
    @Test func coversEveryFateAndCustomer() throws {
        let calls = try plans(seed: 2_023)
        let fates = Dictionary(grouping: calls, by: \.fate).mapValues(\.count)
        #expect(
            fates == [
                .settled: 1_901, .released: 27, .late: 24, .repeated: 16, .dispatched: 12,
                .unlisted: 11, .abandoned: 9,
            ])
        let customers = Dictionary(grouping: calls, by: \.customer).mapValues(\.count)
        #expect(customers.count == 24)
        #expect(customers[0] == 550 && customers[1] == 230 && customers[23] == 26)
    }

    // Equal seeds spread equally, others do not.
    @Test func dependsOnTheSeedAlone() throws {
        #expect(try plans(seed: 7) == plans(seed: 7))
        #expect(try plans(seed: 7) != plans(seed: 8))
    }

    // No call's true output exceeds the cap it asks for.
    @Test(arguments: [
        (0, 64), (1, 64), (42, 64), (43, 128), (85, 128), (86, 256), (170, 256), (171, 512),
        (682, 1_024), (683, 2_048), (1_000, 2_048), (10_000_000, 16_777_216),
    ])
    func capsTheOutput(generated: Int64, cap: Int64) {
        #expect(TrafficRule.outputCap(generated: generated) == cap)
    }

    // The shares are thousandths of a whole, and only holds that end by themselves are short.
    @Test func fatesAddUp() {
        #expect(CallFate.allCases.reduce(0) { $0 + $1.thousandths } == 1_000)
        for fate in CallFate.allCases {
            let endsByItself = [.abandoned, .dispatched, .late].contains(fate)
            #expect(fate.holdSeconds == (endsByItself ? 1 : 300))
        }
    }

    // SplitMix64's published first outputs for the seed 1234567.
    @Test func mixesAsPublished() {
        let published: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
        ]
        for (index, value) in published.enumerated() {
            #expect(SplitMix64.value(seed: 1_234_567, at: UInt64(index) + 1) == value)
        }
    }
}
