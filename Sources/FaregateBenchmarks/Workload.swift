// What the callers do: pick a customer (few are busy, most are quiet), reserve by token counts,
// settle with the true counts. Deterministic for a seed.

import Billing
import Engine

struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// Zipf's law with exponent 1 over 0..<count: the k-th is chosen in proportion to 1/(k+1).
struct ZipfChoice: Sendable {
    private let cumulative: [Double]

    init(count: Int) {
        var sum = 0.0
        cumulative = (0..<count).map { rank in
            sum += 1 / Double(rank + 1)
            return sum
        }
    }

    func callAsFunction(_ random: inout SplitMix64) -> Int {
        let total = cumulative[cumulative.count - 1]
        let mark = Double(random.next() >> 11) / Double(1 << 53) * total
        var low = 0
        var high = cumulative.count - 1
        while low < high {
            let middle = (low + high) / 2
            if cumulative[middle] < mark { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

struct Workload: Sendable {
    static let project = Project.builtIn
    static let models = ["gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5", "gpt-5.5"]

    let choice: ZipfChoice

    static func customer(_ number: Int) -> String { "customer-\(number)" }

    /// Four budgets that every call passes: three per customer, one for all.
    static func budgets() -> [BudgetRule] {
        [
            BudgetRule(
                id: "customer-month", name: "customer-month", per: [.customer], measure: .charge,
                window: .month, timeZone: "Europe/Berlin", amount: 1_000_000_000_000_000),
            BudgetRule(
                id: "customer-day-requests", name: "customer-day-requests", per: [.customer],
                measure: .requests, window: .day, amount: 1_000_000_000),
            BudgetRule(
                id: "customer-hour-tokens", name: "customer-hour-tokens", per: [.customer],
                measure: .tokens, window: .hour, amount: 1_000_000_000_000),
            BudgetRule(
                id: "all-month-cost", name: "all-month-cost", measure: .cost, window: .month,
                amount: 1_000_000_000_000_000_000),
        ]
    }

    func reserve(id: String, _ random: inout SplitMix64) -> (
        EngineRequest, input: Int64, output: Int64
    ) {
        let customer = Self.customer(choice(&random))
        let model = Self.models[Int(random.next() % UInt64(Self.models.count))]
        let input = Int64(random.next() % 4000) + 1
        let output = Int64(random.next() % 800) + 1
        let estimate = UsageEstimate(
            inputTokens: input, maxOutputTokens: 1024, expectedOutputTokens: 400)
        let call = CallRequest(
            subject: Subject(project: Self.project, customer: customer), model: model,
            size: .counts(estimate))
        let body =
            "{\"customer\":\"\(customer)\",\"id\":\"\(id)\",\"model\":\"\(model)\",\"usage_estimate\":"
            + "{\"expected_output_tokens\":400,\"input_tokens\":\(input),\"max_output_tokens\":1024}}"
        return (
            EngineRequest(
                .reserve(ReserveRequest(id: id, call: call)), actor: "key_bench",
                requestHash: Fingerprint(hashing: Array(body.utf8))), input, output
        )
    }

    func settle(id: String, input: Int64, output: Int64) -> EngineRequest {
        var usage = ReportedUsage()
        usage.inputTokens = input
        usage.cachedInputTokens = input / 4
        usage.outputTokens = output
        let body =
            "{\"usage\":{\"cached_input_tokens\":\(input / 4),\"input_tokens\":\(input),\"output_tokens\":\(output)}}"
        let key = ReservationKey(project: Self.project, id: id)
        return EngineRequest(
            .settle(SettleRequest(key: key, actual: .usage(usage))), actor: "key_bench",
            requestHash: Fingerprint(hashing: Array(body.utf8)))
    }
}

/// A reserve and its settlement.
struct Lifecycle: Sendable {
    var reserve: EngineRequest
    var settle: EngineRequest
}

/// One caller's lifecycles: so many made beforehand, the rest as they are asked for.
struct Lifecycles: Sendable {
    private let workload: Workload
    private let id: String
    private var random: SplitMix64
    private var number = 0
    /// Last first.
    private var prepared: [Lifecycle] = []

    init(_ workload: Workload, id: String, prepared count: Int) {
        self.workload = workload
        self.id = id
        random = SplitMix64(state: Fingerprint(.request, "", id).low)
        prepared = (0..<count).map { _ in make() }.reversed()
    }

    mutating func next() -> Lifecycle { prepared.popLast() ?? make() }

    private mutating func make() -> Lifecycle {
        number += 1
        let reservation = "\(id)-\(number)"
        let (reserve, input, output) = workload.reserve(id: reservation, &random)
        return Lifecycle(
            reserve: reserve,
            settle: workload.settle(id: reservation, input: input, output: output))
    }
}
